using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Memory copy and memory set (FEAT_MOPS), option A of the architecture: the size register counts towards zero,
/// negative for a forward copy whose addresses are the ends. The prologue only sets up, the main part does the work and
/// the epilogue whatever is left. An execution moves at most <see cref="CopyStep"/> bytes and then names itself as the
/// next instruction, so interrupts are taken between steps; a fault leaves the registers at the bytes done so far.</summary>
public static partial class A64
{
    private const ulong CopyStep = 256;
    private const ulong ForwardLimit = 0x7FFFFFFFFFFFFFFF, CopyLimit = 0x007FFFFFFFFFFFFF;

    public static void CPYFP(Cpu cpu, int rs, int rn, int rd)
    {
        ulong size = Math.Min(cpu.X(rn), ForwardLimit);
        cpu.NZCV = 0;
        SetForward(cpu, rd, rs, rn, size);
    }

    public static void CPYP(Cpu cpu, int rs, int rn, int rd)
    {
        const ulong address = 0x00FFFFFFFFFFFFFF;
        ulong size = Math.Min(cpu.X(rn), CopyLimit);
        ulong from = cpu.X(rs) & address;
        ulong to = cpu.X(rd) & address;
        cpu.NZCV = 0;
        // Backward only when the destination starts inside the source.
        if (from < to && from + size > to)
            cpu.SetX(rn, size);
        else
            SetForward(cpu, rd, rs, rn, size);
    }

    private static void SetForward(Cpu cpu, int rd, int rs, int rn, ulong size)
    {
        cpu.SetX(rd, cpu.X(rd) + size);
        cpu.SetX(rs, cpu.X(rs) + size);
        cpu.SetX(rn, 0 - size);
    }

    public static void CPYFM(Cpu cpu, int rs, int op2, int rn, int rd) => Copy(cpu, rs, op2, rn, rd, false);

    public static void CPYFE(Cpu cpu, int rs, int op2, int rn, int rd) => Copy(cpu, rs, op2, rn, rd, true);

    public static void CPYM(Cpu cpu, int rs, int op2, int rn, int rd) => Copy(cpu, rs, op2, rn, rd, false);

    public static void CPYE(Cpu cpu, int rs, int op2, int rn, int rd) => Copy(cpu, rs, op2, rn, rd, true);

    private static void Copy(Cpu cpu, int rs, int op2, int rn, int rd, bool epilogue)
    {
        if (cpu.C)
        {
            WrongOption(cpu, false, op2, epilogue, rd, rs, rn);
            return;
        }
        Access write = (op2 & 1) != 0 ? Access.Unprivileged : Access.Normal;
        Access read = (op2 & 2) != 0 ? Access.Unprivileged : Access.Normal;
        for (ulong done = 0; cpu.X(rn) != 0;)
        {
            if (done >= CopyStep)
            {
                cpu.NextPC = cpu.PC;
                return;
            }
            ulong size = cpu.X(rn);
            bool forward = (long)size < 0;
            ulong left = forward ? 0 - size : size;
            int block = BlockSize(left);
            ulong at = forward ? size : size - (ulong)block;
            if (!CopyBlock(cpu, cpu.X(rd) + at, cpu.X(rs) + at, block, read, write))
                return;
            cpu.SetX(rn, forward ? size + (ulong)block : at);
            done += (ulong)block;
        }
    }

    private static int BlockSize(ulong left) => left >= 16 ? 16 : left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;

    private static bool CopyBlock(Cpu cpu, ulong to, ulong from, int block, Access read, Access write)
    {
        if (block == 16)
            return cpu.Load(from, out V128 data, read) && cpu.Store(to, data, write);
        return cpu.Load(from, block, out ulong value, read) && cpu.Store(to, block, value, write);
    }

    public static void SETP(Cpu cpu, int rn, int rd)
    {
        ulong size = Math.Min(cpu.X(rn), ForwardLimit);
        cpu.NZCV = 0;
        cpu.SetX(rd, cpu.X(rd) + size);
        cpu.SetX(rn, 0 - size);
    }

    public static void SETM(Cpu cpu, int rs, int op2, int rn, int rd) => Set(cpu, rs, op2, rn, rd, false);

    public static void SETE(Cpu cpu, int rs, int op2, int rn, int rd) => Set(cpu, rs, op2, rn, rd, true);

    private static void Set(Cpu cpu, int rs, int op2, int rn, int rd, bool epilogue)
    {
        if (cpu.C)
        {
            WrongOption(cpu, true, op2, epilogue, rd, rs, rn);
            return;
        }
        Access write = (op2 & 1) != 0 ? Access.Unprivileged : Access.Normal;
        ulong data = (byte)cpu.X(rs) * 0x0101010101010101UL;
        for (ulong done = 0; cpu.X(rn) != 0;)
        {
            if (done >= CopyStep)
            {
                cpu.NextPC = cpu.PC;
                return;
            }
            ulong size = cpu.X(rn);
            int block = BlockSize(0 - size);
            ulong to = cpu.X(rd) + size;
            if (!(block == 16 ? cpu.Store(to, new V128(data, data), write) : cpu.Store(to, block, data, write)))
                return;
            cpu.SetX(rn, size + (ulong)block);
            done += (ulong)block;
        }
    }

    /// <summary>MismatchedMemCpyException and MismatchedMemSetException: PSTATE.C says option B, this is option A.</summary>
    private static void WrongOption(Cpu cpu, bool set, int options, bool epilogue, int rd, int rs, int rn)
    {
        const uint wrongOption = 1 << 17, optionA = 1 << 16;
        cpu.RaiseException(
            ExceptionClass.MemCpyMemSet,
            (set ? 1u << 24 : 0) | ((uint)options << 19) | (epilogue ? 1u << 18 : 0) | wrongOption | optionA
            | ((uint)rd << 10) | ((uint)rs << 5) | (uint)rn);
    }
}
