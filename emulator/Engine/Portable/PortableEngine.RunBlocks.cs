using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Emulator.Engine;

/// <summary>The switch of the portable engine.</summary>
internal sealed partial class PortableEngine
{
    /// <summary>Runs blocks from <paramref name="block"/> on.</summary>
    /// <typeparam name="TMode"><see cref="PlainMode"/>, <see cref="TimedMode"/>, <see cref="MemoMode"/>, or one of the checked ones.</typeparam>
    /// <param name="block">A block that starts at PC and may be entered; in memoised mode it has been begun.</param>
    /// <param name="remaining">Instructions that may be executed, at least the block's (not in timed mode).</param>
    /// <param name="stop">Cycle at which to stop, in timed and memoised modes.</param>
    /// <param name="first">Operation of the block to start with, in timed mode: PC is its address.</param>
    /// <param name="blocks">Blocks after which to leave, in timed mode.</param>
    /// <returns>False when the instruction at PC is one for <see cref="Step"/> now: it faults.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal bool RunBlocks<TMode>(Block block, long remaining, ulong stop, int first = 0, int blocks = int.MaxValue) where TMode : struct
    {
        Cpu cpu = _cpu;
        bool timed = typeof(TMode) == typeof(TimedMode);
        bool memo = typeof(TMode) == typeof(MemoMode) || typeof(TMode) == typeof(CheckedMemoMode);
        bool journalled = typeof(TMode) == typeof(CheckedMode) || typeof(TMode) == typeof(CheckedMemoMode);
        BlockMemo m = memo ? cpu.Timing.Memo! : null!;
        ulong shapes = 0;
        bool fpTrapped = cpu.FpTrapped;
        long budget = remaining;
        ulong epoch = FetchEpoch;
        ulong mode = (uint)Mode;
        int btype = cpu.BType;
        int nextBType = 0;
        ulong target = 0;
        ulong address = 0, moved = 0;
        ExclusiveMonitors monitors = cpu.Monitors;
        ref ulong x = ref cpu.FirstGeneral;
        ref V128 v = ref cpu.FirstVector;
        ref FastEntry tlb = ref MemoryMarshal.GetArrayDataReference(_tlb[cpu.EL]);
        ref JumpEntry jumps = ref MemoryMarshal.GetArrayDataReference(_jumps);
        ref FastEntry entry = ref tlb;
        ref Op op = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(block.Ops), first);
        cpu.AccessCount = 0;
        cpu.BranchTaken = false;
        while (true)
        {
            switch (op.Code)
            {
                case OpCode.Generic:
                    cpu.PC = block.Pc + op.Offset;
                    cpu.NextPC = cpu.PC + 4;
                    Dispatch.Execute(cpu, op.Row, op.Instruction);
                    if (cpu.ExceptionPending)
                        goto Fault;
                    if (memo && !m.Executed(cpu, block, op.Offset >> 2, ref shapes))
                        goto LeaveSpilled;
                    if (FetchEpoch != epoch)
                        goto LeaveAfter;
                    break;
                case OpCode.End:
                    target = block.Pc + op.Offset;
                    goto FallThrough;
                case OpCode.Mov:
                    Unsafe.Add(ref x, op.Rd) = op.Imm;
                    break;
                case OpCode.MovK64:
                    Unsafe.Add(ref x, op.Rd) = (Unsafe.Add(ref x, op.Rn) & ~(0xffffUL << op.Ra)) | (op.Imm << op.Ra);
                    break;
                case OpCode.MovK32:
                    Unsafe.Add(ref x, op.Rd) = (uint)((Unsafe.Add(ref x, op.Rn) & ~(0xffffUL << op.Ra)) | (op.Imm << op.Ra));
                    break;
                case OpCode.MovReg64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.MovReg32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.ReadTpidr:
                    Unsafe.Add(ref x, op.Rd) = cpu.TPIDR_EL0;
                    break;
                case OpCode.ReadTpidrro:
                    Unsafe.Add(ref x, op.Rd) = cpu.TPIDRRO_EL0;
                    break;
                case OpCode.AddI64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    break;
                case OpCode.AddI32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) + op.Imm);
                    break;
                case OpCode.AddsI64:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, Unsafe.Add(ref x, op.Rn), op.Imm);
                    break;
                case OpCode.AddsI32:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)op.Imm);
                    break;
                case OpCode.SubsI64:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, Unsafe.Add(ref x, op.Rn), op.Imm);
                    break;
                case OpCode.SubsI32:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)op.Imm);
                    break;
                case OpCode.AndI:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) & op.Imm;
                    break;
                case OpCode.OrrI64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) | op.Imm;
                    break;
                case OpCode.OrrI32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) | op.Imm);
                    break;
                case OpCode.EorI64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) ^ op.Imm;
                    break;
                case OpCode.EorI32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) ^ op.Imm);
                    break;
                case OpCode.AndsI64:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, Unsafe.Add(ref x, op.Rn) & op.Imm);
                    break;
                case OpCode.AndsI32:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, (uint)(Unsafe.Add(ref x, op.Rn) & op.Imm));
                    break;
                case OpCode.Ubfx:
                    Unsafe.Add(ref x, op.Rd) = (Unsafe.Add(ref x, op.Rn) >> op.Ra) & op.Imm;
                    break;
                case OpCode.Ubfiz:
                    Unsafe.Add(ref x, op.Rd) = (Unsafe.Add(ref x, op.Rn) & op.Imm) << op.Ra;
                    break;
                case OpCode.Sbf64:
                    Unsafe.Add(ref x, op.Rd) = (ulong)((long)(Unsafe.Add(ref x, op.Rn) << op.Ra) >> op.Rm);
                    break;
                case OpCode.Sbf32:
                    Unsafe.Add(ref x, op.Rd) = (uint)((int)((uint)Unsafe.Add(ref x, op.Rn) << op.Ra) >> op.Rm);
                    break;
                case OpCode.Bfm64:
                    Unsafe.Add(ref x, op.Rd) = (Unsafe.Add(ref x, op.Rm) & ~op.Imm) | (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rn), op.Ra) & op.Imm);
                    break;
                case OpCode.Bfm32:
                    Unsafe.Add(ref x, op.Rd) = (uint)((Unsafe.Add(ref x, op.Rm) & ~op.Imm) | (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rn), op.Ra) & op.Imm));
                    break;
                case OpCode.Extr64:
                    Unsafe.Add(ref x, op.Rd) = op.Ra == 0 ? Unsafe.Add(ref x, op.Rm) : (Unsafe.Add(ref x, op.Rm) >> op.Ra) | (Unsafe.Add(ref x, op.Rn) << (64 - op.Ra));
                    break;
                case OpCode.Extr32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(((Unsafe.Add(ref x, op.Rn) << 32) | (uint)Unsafe.Add(ref x, op.Rm)) >> op.Ra);
                    break;
                case OpCode.Add64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Add32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) + Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Sub64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) - Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Sub32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) - Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Adds64:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, Unsafe.Add(ref x, op.Rn), Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Adds32:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Subs64:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, Unsafe.Add(ref x, op.Rn), Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Subs32:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.And64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) & Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.And32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) & Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Orr64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) | Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Orr32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) | Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Eor64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) ^ Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Eor32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) ^ Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Bic64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) & ~Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Bic32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) & ~Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Orn64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) | ~Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Orn32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) | ~Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Ands64:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, Unsafe.Add(ref x, op.Rn) & Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Ands32:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, (uint)(Unsafe.Add(ref x, op.Rn) & Unsafe.Add(ref x, op.Rm)));
                    break;
                case OpCode.AddLsl64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + (Unsafe.Add(ref x, op.Rm) << op.Ra);
                    break;
                case OpCode.AddSh64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + A64.ShiftValue(1, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra);
                    break;
                case OpCode.AddSh32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) + A64.ShiftValue(0, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.SubSh64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) - A64.ShiftValue(1, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra);
                    break;
                case OpCode.SubSh32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) - A64.ShiftValue(0, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.AddsSh64:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, Unsafe.Add(ref x, op.Rn), A64.ShiftValue(1, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.AddsSh32:
                    Unsafe.Add(ref x, op.Rd) = AddFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)A64.ShiftValue(0, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.SubsSh64:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, Unsafe.Add(ref x, op.Rn), A64.ShiftValue(1, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.SubsSh32:
                    Unsafe.Add(ref x, op.Rd) = SubFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)A64.ShiftValue(0, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.AndsSh64:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, Unsafe.Add(ref x, op.Rn) & A64.ShiftValue(1, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.AndsSh32:
                    Unsafe.Add(ref x, op.Rd) = LogicFlags(cpu, (uint)(Unsafe.Add(ref x, op.Rn) & A64.ShiftValue(0, Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra)));
                    break;
                case OpCode.AddRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.AddRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) + (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.SubRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) - (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.SubRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) - (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.AndRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) & (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.AndRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) & (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.OrrRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) | (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.OrrRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) | (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.EorRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) ^ (BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.EorRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) ^ (BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.BicRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) & ~(BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.BicRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) & ~(BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.OrnRot64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) | ~(BitOperations.RotateRight(Unsafe.Add(ref x, op.Rm), op.Ra) & op.Imm);
                    break;
                case OpCode.OrnRot32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) | ~(BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rm), op.Ra) & (uint)op.Imm);
                    break;
                case OpCode.AddExt64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra);
                    break;
                case OpCode.AddExt32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.SubExt64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) - Extended(Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra);
                    break;
                case OpCode.SubExt32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Rn) - Extended(Unsafe.Add(ref x, op.Rm), op.Extra, op.Ra));
                    break;
                case OpCode.Csel64:
                    Unsafe.Add(ref x, op.Rd) = cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Csel32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Csinc64:
                    Unsafe.Add(ref x, op.Rd) = cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : Unsafe.Add(ref x, op.Rm) + 1;
                    break;
                case OpCode.Csinc32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : Unsafe.Add(ref x, op.Rm) + 1);
                    break;
                case OpCode.Csinv64:
                    Unsafe.Add(ref x, op.Rd) = cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : ~Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Csinv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : ~Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Csneg64:
                    Unsafe.Add(ref x, op.Rd) = cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : 0 - Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Csneg32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(cpu.ConditionHolds(op.Ra) ? Unsafe.Add(ref x, op.Rn) : 0 - Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Ccmp64:
                    if (cpu.ConditionHolds(op.Ra))
                        SubFlags(cpu, Unsafe.Add(ref x, op.Rn), Unsafe.Add(ref x, op.Rm));
                    else
                        cpu.NZCV = op.Rd;
                    break;
                case OpCode.Ccmp32:
                    if (cpu.ConditionHolds(op.Ra))
                        SubFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)Unsafe.Add(ref x, op.Rm));
                    else
                        cpu.NZCV = op.Rd;
                    break;
                case OpCode.CcmpI64:
                    if (cpu.ConditionHolds(op.Ra))
                        SubFlags(cpu, Unsafe.Add(ref x, op.Rn), op.Imm);
                    else
                        cpu.NZCV = op.Rd;
                    break;
                case OpCode.CcmpI32:
                    if (cpu.ConditionHolds(op.Ra))
                        SubFlags(cpu, (uint)Unsafe.Add(ref x, op.Rn), (uint)op.Imm);
                    else
                        cpu.NZCV = op.Rd;
                    break;
                case OpCode.Madd64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) + Unsafe.Add(ref x, op.Rn) * Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Madd32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Ra) + Unsafe.Add(ref x, op.Rn) * Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Msub64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) - Unsafe.Add(ref x, op.Rn) * Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Msub32:
                    Unsafe.Add(ref x, op.Rd) = (uint)(Unsafe.Add(ref x, op.Ra) - Unsafe.Add(ref x, op.Rn) * Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Smaddl:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) + (ulong)((long)(int)Unsafe.Add(ref x, op.Rn) * (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Umaddl:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) + (ulong)(uint)Unsafe.Add(ref x, op.Rn) * (uint)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Smsubl:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) - (ulong)((long)(int)Unsafe.Add(ref x, op.Rn) * (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Umsubl:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Ra) - (ulong)(uint)Unsafe.Add(ref x, op.Rn) * (uint)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Smulh:
                    Unsafe.Add(ref x, op.Rd) = (ulong)Math.BigMul((long)Unsafe.Add(ref x, op.Rn), (long)Unsafe.Add(ref x, op.Rm), out _);
                    break;
                case OpCode.Umulh:
                    Unsafe.Add(ref x, op.Rd) = Math.BigMul(Unsafe.Add(ref x, op.Rn), Unsafe.Add(ref x, op.Rm), out _);
                    break;
                case OpCode.Udiv64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rm) == 0 ? 0 : Unsafe.Add(ref x, op.Rn) / Unsafe.Add(ref x, op.Rm);
                    if (memo)
                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));
                    break;
                case OpCode.Udiv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rm) == 0 ? 0 : (uint)Unsafe.Add(ref x, op.Rn) / (uint)Unsafe.Add(ref x, op.Rm);
                    if (memo)
                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));
                    break;
                case OpCode.Sdiv64:
                    Unsafe.Add(ref x, op.Rd) = SignedQuotient((long)Unsafe.Add(ref x, op.Rn), (long)Unsafe.Add(ref x, op.Rm));
                    if (memo)
                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));
                    break;
                case OpCode.Sdiv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)SignedQuotient((int)Unsafe.Add(ref x, op.Rn), (int)Unsafe.Add(ref x, op.Rm));
                    if (memo)
                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));
                    break;
                case OpCode.Lslv64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) << (int)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Lslv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) << (int)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Lsrv64:
                    Unsafe.Add(ref x, op.Rd) = Unsafe.Add(ref x, op.Rn) >> (int)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Lsrv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)Unsafe.Add(ref x, op.Rn) >> (int)Unsafe.Add(ref x, op.Rm);
                    break;
                case OpCode.Asrv64:
                    Unsafe.Add(ref x, op.Rd) = (ulong)((long)Unsafe.Add(ref x, op.Rn) >> (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Asrv32:
                    Unsafe.Add(ref x, op.Rd) = (uint)((int)Unsafe.Add(ref x, op.Rn) >> (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Rorv64:
                    Unsafe.Add(ref x, op.Rd) = BitOperations.RotateRight(Unsafe.Add(ref x, op.Rn), (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Rorv32:
                    Unsafe.Add(ref x, op.Rd) = BitOperations.RotateRight((uint)Unsafe.Add(ref x, op.Rn), (int)Unsafe.Add(ref x, op.Rm));
                    break;
                case OpCode.Clz64:
                    Unsafe.Add(ref x, op.Rd) = (ulong)BitOperations.LeadingZeroCount(Unsafe.Add(ref x, op.Rn));
                    break;
                case OpCode.Clz32:
                    Unsafe.Add(ref x, op.Rd) = (ulong)BitOperations.LeadingZeroCount((uint)Unsafe.Add(ref x, op.Rn));
                    break;
                case OpCode.Rev64:
                    Unsafe.Add(ref x, op.Rd) = BinaryPrimitives.ReverseEndianness(Unsafe.Add(ref x, op.Rn));
                    break;
                case OpCode.Rev32:
                    Unsafe.Add(ref x, op.Rd) = BinaryPrimitives.ReverseEndianness((uint)Unsafe.Add(ref x, op.Rn));
                    break;
                case OpCode.B:
                    target = op.Imm;
                    if (timed)
                        Took(BranchType.Direct);
                    goto Taken;
                case OpCode.Bl:
                    Unsafe.Add(ref x, 30) = block.Pc + op.Offset + 4;
                    target = op.Imm;
                    if (timed)
                        Took(BranchType.DirectCall);
                    goto Taken;
                case OpCode.Br:
                    target = cpu.BranchAddr(Unsafe.Add(ref x, op.Rn));
                    nextBType = block.Guarded && op.Rn is not (16 or 17) ? 3 : 1;
                    if (timed)
                        Took(BranchType.Indirect);
                    goto Indirect;
                case OpCode.Blr:
                    target = cpu.BranchAddr(Unsafe.Add(ref x, op.Rn));
                    Unsafe.Add(ref x, 30) = block.Pc + op.Offset + 4;
                    nextBType = 2;
                    if (timed)
                        Took(BranchType.IndirectCall);
                    goto Indirect;
                case OpCode.Ret:
                    target = cpu.BranchAddr(Unsafe.Add(ref x, op.Rn));
                    if (timed)
                        Took(BranchType.Return);
                    goto Indirect;
                case OpCode.Cbz64:
                    if (Unsafe.Add(ref x, op.Rd) == 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Cbz32:
                    if ((uint)Unsafe.Add(ref x, op.Rd) == 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Cbnz64:
                    if (Unsafe.Add(ref x, op.Rd) != 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Cbnz32:
                    if ((uint)Unsafe.Add(ref x, op.Rd) != 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Tbz:
                    if (((Unsafe.Add(ref x, op.Rd) >> op.Ra) & 1) == 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Tbnz:
                    if (((Unsafe.Add(ref x, op.Rd) >> op.Ra) & 1) != 0)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BEq:
                    if (cpu.Z)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BNe:
                    if (!cpu.Z)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BCs:
                    if (cpu.C)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BCc:
                    if (!cpu.C)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BMi:
                    if (cpu.N)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BPl:
                    if (!cpu.N)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BVs:
                    if (cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BVc:
                    if (!cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BHi:
                    if (cpu.C && !cpu.Z)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BLs:
                    if (!cpu.C || cpu.Z)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BGe:
                    if (cpu.N == cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BLt:
                    if (cpu.N != cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BGt:
                    if (!cpu.Z && cpu.N == cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.BLe:
                    if (cpu.Z || cpu.N != cpu.O)
                        goto Direct;
                    goto NotTaken;
                case OpCode.Ld8Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld8;
                case OpCode.Ld8Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ld8;
                case OpCode.Ld8Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld8;
                case OpCode.Ld16Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld16;
                case OpCode.Ld16Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ld16;
                case OpCode.Ld16Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld16;
                case OpCode.Ld32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld32;
                case OpCode.Ld32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ld32;
                case OpCode.Ld32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld32;
                case OpCode.Ld64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld64;
                case OpCode.Ld64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ld64;
                case OpCode.Ld64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ld64;
                case OpCode.LdS8To64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To64;
                case OpCode.LdS8To64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To64;
                case OpCode.LdS8To64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To64;
                case OpCode.LdS8To32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To32;
                case OpCode.LdS8To32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To32;
                case OpCode.LdS8To32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS8To32;
                case OpCode.LdS16To64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To64;
                case OpCode.LdS16To64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To64;
                case OpCode.LdS16To64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To64;
                case OpCode.LdS16To32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To32;
                case OpCode.LdS16To32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To32;
                case OpCode.LdS16To32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS16To32;
                case OpCode.LdS32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS32;
                case OpCode.LdS32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdS32;
                case OpCode.LdS32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdS32;
                case OpCode.St8Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St8;
                case OpCode.St8Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto St8;
                case OpCode.St8Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St8;
                case OpCode.St16Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St16;
                case OpCode.St16Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto St16;
                case OpCode.St16Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St16;
                case OpCode.St32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St32;
                case OpCode.St32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto St32;
                case OpCode.St32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St32;
                case OpCode.St64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St64;
                case OpCode.St64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto St64;
                case OpCode.St64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto St64;
                case OpCode.LdV32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV32;
                case OpCode.LdV32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdV32;
                case OpCode.LdV32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV32;
                case OpCode.LdV64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV64;
                case OpCode.LdV64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdV64;
                case OpCode.LdV64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV64;
                case OpCode.LdV128Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV128;
                case OpCode.LdV128Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdV128;
                case OpCode.LdV128Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdV128;
                case OpCode.StV32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV32;
                case OpCode.StV32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto StV32;
                case OpCode.StV32Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV32;
                case OpCode.StV64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV64;
                case OpCode.StV64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto StV64;
                case OpCode.StV64Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV64;
                case OpCode.StV128Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV128;
                case OpCode.StV128Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto StV128;
                case OpCode.StV128Reg:
                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StV128;
                case OpCode.Ldp64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ldp64;
                case OpCode.Ldp64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ldp64;
                case OpCode.Ldp32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Ldp32;
                case OpCode.Ldp32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Ldp32;
                case OpCode.Stp64Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Stp64;
                case OpCode.Stp64Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Stp64;
                case OpCode.Stp32Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto Stp32;
                case OpCode.Stp32Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto Stp32;
                case OpCode.LdpV128Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto LdpV128;
                case OpCode.LdpV128Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto LdpV128;
                case OpCode.StpV128Off:
                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;
                    moved = address;
                    if ((Unsafe.Add(ref x, op.Rn) & op.Extra) != 0)
                        goto Fault;
                    goto StpV128;
                case OpCode.StpV128Post:
                    address = Unsafe.Add(ref x, op.Rn);
                    moved = address + op.Imm;
                    if ((address & op.Extra) != 0)
                        goto Fault;
                    goto StpV128;
            }

        Advance:
            if (timed && !RetireOp(op, block.Pc + op.Offset, block.Pa + op.Offset, block.Pc + op.Offset + 4, stop))
                goto LeaveRetired;
            op = ref Unsafe.Add(ref op, 1);
            continue;

        Ld8:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 1, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = HostMemory.Read<byte>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 1))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (byte)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        Ld16:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 1) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 2, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = HostMemory.Read<ushort>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 2))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (ushort)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        Ld32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 3) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 4, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = HostMemory.Read<uint>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 4))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (uint)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        Ld64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 7) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 8, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = HostMemory.Read<ulong>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 8))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = _loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdS8To64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 1, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = (ulong)HostMemory.Read<sbyte>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 1))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (ulong)(sbyte)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdS8To32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 1, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = (uint)HostMemory.Read<sbyte>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 1))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (uint)(sbyte)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdS16To64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 1) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 2, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = (ulong)HostMemory.Read<short>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 2))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (ulong)(short)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdS16To32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 1) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 2, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = (uint)HostMemory.Read<short>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 2))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (uint)(short)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdS32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 3) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 4, ref shapes)))
            {
                Unsafe.Add(ref x, op.Rd) = (ulong)HostMemory.Read<int>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 4))
                goto Fault;
            Unsafe.Add(ref x, op.Rd) = (ulong)(int)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        St8:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 1, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 1);
                HostMemory.Write(entry.Host + address, (byte)Unsafe.Add(ref x, op.Rd));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 1, Unsafe.Add(ref x, op.Rd), 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        St16:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 1) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 2, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 2);
                HostMemory.Write(entry.Host + address, (ushort)Unsafe.Add(ref x, op.Rd));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 2, Unsafe.Add(ref x, op.Rd), 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        St32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 3) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 4, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 4);
                HostMemory.Write(entry.Host + address, (uint)Unsafe.Add(ref x, op.Rd));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 4, Unsafe.Add(ref x, op.Rd), 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        St64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 7) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 8, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 8);
                HostMemory.Write(entry.Host + address, Unsafe.Add(ref x, op.Rd));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 8, Unsafe.Add(ref x, op.Rd), 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        Ldp64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 15) & ~0xfffUL) && (!memo || m.PlainWideLoad(address, entry.Pa + address, 16, ref shapes)))
            {
                V128 pair = HostMemory.Read<V128>(entry.Host + address);
                Unsafe.Add(ref x, op.Ra) = pair.Hi;
                Unsafe.Add(ref x, op.Rd) = pair.Lo;
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 16))
                goto Fault;
            Unsafe.Add(ref x, op.Ra) = _loaded.Hi;
            Unsafe.Add(ref x, op.Rd) = _loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        Ldp32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 7) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 8, ref shapes)))
            {
                ulong words = HostMemory.Read<ulong>(entry.Host + address);
                Unsafe.Add(ref x, op.Ra) = words >> 32;
                Unsafe.Add(ref x, op.Rd) = (uint)words;
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 8))
                goto Fault;
            Unsafe.Add(ref x, op.Ra) = _loaded.Lo >> 32;
            Unsafe.Add(ref x, op.Rd) = (uint)_loaded.Lo;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        Stp64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 15) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 16, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 16);
                HostMemory.Write(entry.Host + address, Unsafe.Add(ref x, op.Rd));
                HostMemory.Write(entry.Host + address + 8, Unsafe.Add(ref x, op.Ra));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 16, Unsafe.Add(ref x, op.Rd), Unsafe.Add(ref x, op.Ra)))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        Stp32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 7) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 8, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 8);
                HostMemory.Write(entry.Host + address, (uint)Unsafe.Add(ref x, op.Rd) | (Unsafe.Add(ref x, op.Ra) << 32));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 8, (uint)Unsafe.Add(ref x, op.Rd) | (Unsafe.Add(ref x, op.Ra) << 32), 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        LdV32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 3) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 4, ref shapes)))
            {
                Unsafe.Add(ref v, op.Rd) = new V128(HostMemory.Read<uint>(entry.Host + address), 0);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 4))
                goto Fault;
            Unsafe.Add(ref v, op.Rd) = new V128(_loaded.Lo, 0);
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdV64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 7) & ~0xfffUL) && (!memo || m.PlainLoad(address, entry.Pa + address, 8, ref shapes)))
            {
                Unsafe.Add(ref v, op.Rd) = new V128(HostMemory.Read<ulong>(entry.Host + address), 0);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 8))
                goto Fault;
            Unsafe.Add(ref v, op.Rd) = new V128(_loaded.Lo, 0);
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        LdV128:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 15) & ~0xfffUL) && (!memo || m.PlainWideLoad(address, entry.Pa + address, 16, ref shapes)))
            {
                Unsafe.Add(ref v, op.Rd) = HostMemory.Read<V128>(entry.Host + address);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowLoad(address, 16))
                goto Fault;
            Unsafe.Add(ref v, op.Rd) = _loaded;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Loaded;

        StV32:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 3) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 4, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 4);
                HostMemory.Write(entry.Host + address, (uint)Unsafe.Add(ref v, op.Rd).Lo);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 4, Unsafe.Add(ref v, op.Rd).Lo, 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        StV64:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 7) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 8, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 8);
                HostMemory.Write(entry.Host + address, Unsafe.Add(ref v, op.Rd).Lo);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 8, Unsafe.Add(ref v, op.Rd).Lo, 0))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        StV128:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 15) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 16, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 16);
                HostMemory.Write(entry.Host + address, Unsafe.Add(ref v, op.Rd));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            if (!SlowStore(address, 16, Unsafe.Add(ref v, op.Rd).Lo, Unsafe.Add(ref v, op.Rd).Hi))
                goto Fault;
            Unsafe.Add(ref x, op.Wb) = moved;
            goto Stored;

        LdpV128:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.ReadTag == ((address + 31) & ~0xfffUL) && (!memo || m.PlainWideLoad(address, entry.Pa + address, 32, ref shapes)))
            {
                Unsafe.Add(ref v, op.Rd) = HostMemory.Read<V128>(entry.Host + address);
                Unsafe.Add(ref v, op.Ra) = HostMemory.Read<V128>(entry.Host + address + 16);
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            goto Reference;

        StpV128:
            entry = ref Slot(ref tlb, address);
            if (!timed && entry.WriteTag == ((address + 31) & ~0xfffUL) && monitors.Unmarked && (!memo || m.PlainStore(address, entry.Pa + address, 32, ref shapes)))
            {
                if (journalled)
                    cpu.Journal!.Save(entry.Pa + address, 32);
                HostMemory.Write(entry.Host + address, Unsafe.Add(ref v, op.Rd));
                HostMemory.Write(entry.Host + address + 16, Unsafe.Add(ref v, op.Ra));
                Unsafe.Add(ref x, op.Wb) = moved;
                goto Advance;
            }
            goto Reference;

        Reference:
            cpu.PC = block.Pc + op.Offset;
            cpu.NextPC = cpu.PC + 4;
            Dispatch.Execute(cpu, op.Row, op.Instruction);
            if (cpu.ExceptionPending)
                goto Fault;
            if (!timed)
                FillFast(address);

        Stored:
            if (memo && !m.Executed(cpu, block, op.Offset >> 2, ref shapes))
                goto LeaveSpilled;
            // The store may have changed decoded code, even of this block.
            if (FetchEpoch != epoch)
                goto LeaveAfter;
            goto Advance;

        Loaded:
            if (memo && !m.Executed(cpu, block, op.Offset >> 2, ref shapes))
                goto LeaveSpilled;
            goto Advance;

        Direct:
            target = op.Imm;
            if (timed)
                Took(BranchType.Direct);

        Taken:
            if (timed && !RetireOp(op, block.Pc + op.Offset, block.Pa + op.Offset, target, stop))
                goto LeaveAt;
            remaining -= (op.Offset >> 2) + 1;
            if (memo && !m.End(block, shapes, true, target))
                goto LeaveAt;
            if (block.Taken is { Valid: true } taken)
            {
                block = taken;
                goto Enter;
            }
            if (((target ^ block.Pc) & ~0xfffUL) != 0)
                goto Find;
            if (FindBlock(target) is not { } there || FetchEpoch != epoch)
                goto LeaveAt;
            block.Taken = there;
            block = there;
            goto Enter;

        NotTaken:
            target = block.Pc + op.Offset + 4;
            if (timed && !RetireOp(op, block.Pc + op.Offset, block.Pa + op.Offset, target, stop))
                goto LeaveAt;
            remaining -= (op.Offset >> 2) + 1;
            if (memo && !m.End(block, shapes, false, target))
                goto LeaveAt;
            goto Follow;

        FallThrough:
            remaining -= op.Offset >> 2;
            if (memo && !m.End(block, shapes, false, target))
                goto LeaveAt;

        Follow:
            if (block.Next is { Valid: true } next)
            {
                block = next;
                goto Enter;
            }
            if (((target ^ block.Pc) & ~0xfffUL) != 0)
                goto Find;
            if (FindBlock(target) is not { } following || FetchEpoch != epoch)
                goto LeaveAt;
            block.Next = following;
            block = following;
            goto Enter;

        Indirect:
            btype = nextBType;
            nextBType = 0;
            if (timed && !RetireOp(op, block.Pc + op.Offset, block.Pa + op.Offset, target, stop))
                goto LeaveBranch;
            remaining -= (op.Offset >> 2) + 1;
            if (memo && !m.End(block, shapes, true, target))
                goto LeaveBranch;
            ref JumpEntry jump = ref Unsafe.Add(ref jumps, (nint)((target >> 2) & (JumpEntry.Count - 1)));
            if (jump.Key == (target | mode) && jump.Epoch == epoch)
            {
                block = jump.Block!;
            }
            else
            {
                if (FindBlock(target) is not { } found || FetchEpoch != epoch)
                    goto LeaveBranch;
                block = found;
            }
            if (block.Count > remaining || (fpTrapped && block.HasFp) || (btype != 0 && block.Guarded))
                goto LeaveBranch;
            if ((timed && --blocks <= 0) || (memo && !m.Begin(block)))
                goto LeaveBranch;
            shapes = 0;
            op = ref MemoryMarshal.GetArrayDataReference(block.Ops);
            continue;

        Find:
            ref JumpEntry known = ref Unsafe.Add(ref jumps, (nint)((target >> 2) & (JumpEntry.Count - 1)));
            if (known.Key == (target | mode) && known.Epoch == epoch)
            {
                block = known.Block!;
            }
            else
            {
                if (FindBlock(target) is not { } far || FetchEpoch != epoch)
                    goto LeaveAt;
                block = far;
            }

        Enter:
            if (block.Count > remaining || (fpTrapped && block.HasFp))
                goto LeaveAt;
            if ((timed && --blocks <= 0) || (memo && !m.Begin(block)))
                goto LeaveAt;
            shapes = 0;
            btype = 0;
            op = ref MemoryMarshal.GetArrayDataReference(block.Ops);
        }

    Fault:
        // A faulting instruction has changed nothing: the reference engine executes it again and takes the exception.
        cpu.DropPendingException();
        if (memo)
            m.Spill(block, op.Offset >> 2, shapes);
        Leave(block.Pc + op.Offset, op.Offset == 0 ? btype : 0);
        if (!timed)
            Count(memo, budget - remaining + (op.Offset >> 2));
        return false;

    LeaveAfter:
        if (memo)
            m.Spill(block, (op.Offset >> 2) + 1, shapes);
        if (timed)
            RetireOp(op, block.Pc + op.Offset, block.Pa + op.Offset, block.Pc + op.Offset + 4, stop);
        else
            Count(memo, budget - remaining + (op.Offset >> 2) + 1);
        Leave(block.Pc + op.Offset + 4, 0);
        return true;

    LeaveSpilled:
        // Something that is no plain hit: the rest of the block is timed step by step.
        Count(memo, budget - remaining + (op.Offset >> 2) + 1);
        Leave(block.Pc + op.Offset + 4, 0);
        if (FetchEpoch == epoch && cpu.Timing.Cycles < stop)
        {
            _spilled = block;
            _spilledAt = (op.Offset >> 2) + 1;
        }
        return true;

    LeaveRetired:
        Leave(block.Pc + op.Offset + 4, 0);
        return true;

    LeaveAt:
        btype = 0;

    LeaveBranch:
        if (memo)
            m.Leave();
        Leave(target, btype);
        if (!timed)
            Count(memo, budget - remaining);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref FastEntry Slot(ref FastEntry tlb, ulong address) =>
        ref Unsafe.Add(ref tlb, (nint)((address >> 12) & (FastEntry.Count - 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddFlags(Cpu cpu, ulong a, ulong b)
    {
        ulong result = a + b;
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = result < a;
        cpu.O = (long)(~(a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddFlags(Cpu cpu, uint a, uint b)
    {
        uint result = a + b;
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = result < a;
        cpu.O = (int)(~(a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SubFlags(Cpu cpu, ulong a, ulong b)
    {
        ulong result = a - b;
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = a >= b;
        cpu.O = (long)((a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SubFlags(Cpu cpu, uint a, uint b)
    {
        uint result = a - b;
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = a >= b;
        cpu.O = (int)((a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LogicFlags(Cpu cpu, ulong result)
    {
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = false;
        cpu.O = false;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LogicFlags(Cpu cpu, uint result)
    {
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = false;
        cpu.O = false;
        return result;
    }

    /// <summary>ExtendReg of a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Extended(ulong value, int option, int shift)
    {
        if (option != 3)
            value = ExtendedSlow(value, option);
        return value << shift;
    }

    private static ulong ExtendedSlow(ulong value, int option) => option switch
    {
        0 => (byte)value,
        1 => (ushort)value,
        2 => (uint)value,
        4 => (ulong)(sbyte)value,
        5 => (ulong)(short)value,
        6 => (ulong)(int)value,
        _ => value,
    };

    private static ulong SignedQuotient(long dividend, long divisor) =>
        (ulong)(divisor == 0 ? 0 : divisor == -1 ? unchecked(-dividend) : dividend / divisor);
}
