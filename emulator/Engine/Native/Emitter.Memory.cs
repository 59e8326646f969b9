using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Loads and stores: by the fast TLB, which the portable engine shares; what it does not have is the engine's.</summary>
internal sealed partial class Emitter
{
    private const int ReadTag = 0, WriteTag = 8, HostAddress = 16;

    /// <summary>How the address of a load or store is made, in the order of the operations.</summary>
    private enum Form
    {
        Offset,
        Post,
        Register,
    }

    private enum Moves
    {
        Load,
        LoadSigned,
        Store,
        LoadPair,
        StorePair,
        LoadVector,
        StoreVector,
        LoadVectors,
        StoreVectors,
    }

    /// <summary>What a load or store does.</summary>
    /// <param name="Moves">Which registers, which way.</param>
    /// <param name="Form">How the address is made.</param>
    /// <param name="Bytes">Of one register.</param>
    /// <param name="To">Bits of the result of a signed load.</param>
    private readonly record struct AccessKind(Moves Moves, Form Form, int Bytes, int To = 64);

    private static AccessKind Describe(OpCode code) => code switch
    {
        <= OpCode.Ld8Reg => new(Moves.Load, (Form)(code - OpCode.Ld8Off), 1),
        <= OpCode.Ld16Reg => new(Moves.Load, (Form)(code - OpCode.Ld16Off), 2),
        <= OpCode.Ld32Reg => new(Moves.Load, (Form)(code - OpCode.Ld32Off), 4),
        <= OpCode.Ld64Reg => new(Moves.Load, (Form)(code - OpCode.Ld64Off), 8),
        <= OpCode.LdS8To64Reg => new(Moves.LoadSigned, (Form)(code - OpCode.LdS8To64Off), 1),
        <= OpCode.LdS8To32Reg => new(Moves.LoadSigned, (Form)(code - OpCode.LdS8To32Off), 1, 32),
        <= OpCode.LdS16To64Reg => new(Moves.LoadSigned, (Form)(code - OpCode.LdS16To64Off), 2),
        <= OpCode.LdS16To32Reg => new(Moves.LoadSigned, (Form)(code - OpCode.LdS16To32Off), 2, 32),
        <= OpCode.LdS32Reg => new(Moves.LoadSigned, (Form)(code - OpCode.LdS32Off), 4),
        <= OpCode.St8Reg => new(Moves.Store, (Form)(code - OpCode.St8Off), 1),
        <= OpCode.St16Reg => new(Moves.Store, (Form)(code - OpCode.St16Off), 2),
        <= OpCode.St32Reg => new(Moves.Store, (Form)(code - OpCode.St32Off), 4),
        <= OpCode.St64Reg => new(Moves.Store, (Form)(code - OpCode.St64Off), 8),
        <= OpCode.Ldp64Post => new(Moves.LoadPair, (Form)(code - OpCode.Ldp64Off), 8),
        <= OpCode.Ldp32Post => new(Moves.LoadPair, (Form)(code - OpCode.Ldp32Off), 4),
        <= OpCode.Stp64Post => new(Moves.StorePair, (Form)(code - OpCode.Stp64Off), 8),
        <= OpCode.Stp32Post => new(Moves.StorePair, (Form)(code - OpCode.Stp32Off), 4),
        <= OpCode.LdV32Reg => new(Moves.LoadVector, (Form)(code - OpCode.LdV32Off), 4),
        <= OpCode.LdV64Reg => new(Moves.LoadVector, (Form)(code - OpCode.LdV64Off), 8),
        <= OpCode.LdV128Reg => new(Moves.LoadVector, (Form)(code - OpCode.LdV128Off), 16),
        <= OpCode.StV32Reg => new(Moves.StoreVector, (Form)(code - OpCode.StV32Off), 4),
        <= OpCode.StV64Reg => new(Moves.StoreVector, (Form)(code - OpCode.StV64Off), 8),
        <= OpCode.StV128Reg => new(Moves.StoreVector, (Form)(code - OpCode.StV128Off), 16),
        <= OpCode.LdpV32Post => new(Moves.LoadVectors, (Form)(code - OpCode.LdpV32Off), 4),
        <= OpCode.LdpV64Post => new(Moves.LoadVectors, (Form)(code - OpCode.LdpV64Off), 8),
        <= OpCode.LdpV128Post => new(Moves.LoadVectors, (Form)(code - OpCode.LdpV128Off), 16),
        <= OpCode.StpV32Post => new(Moves.StoreVectors, (Form)(code - OpCode.StpV32Off), 4),
        <= OpCode.StpV64Post => new(Moves.StoreVectors, (Form)(code - OpCode.StpV64Off), 8),
        _ => new(Moves.StoreVectors, (Form)(code - OpCode.StpV128Off), 16),
    };

    private static bool IsPair(Moves moves) => moves is Moves.LoadPair or Moves.StorePair or Moves.LoadVectors or Moves.StoreVectors;

    private static bool IsStore(Moves moves) => moves is Moves.Store or Moves.StorePair or Moves.StoreVector or Moves.StoreVectors;

    private static int BytesOf(AccessKind kind) => IsPair(kind.Moves) ? 2 * kind.Bytes : kind.Bytes;

    private EFlags EmitAccess(in Op op)
    {
        AccessKind kind = Describe(op.Code);
        if (_window.Base >= 0 && HasBase(op, kind.Form) && op.Rn == _window.Base && IsInWindow(op, kind))
        {
            EmitFollowing(op, kind);
            return EFlags.Unknown;
        }
        // What is timed is told of each access.
        if (_schedule is null && Together(op, kind, out bool reads, out bool writes) is { Base: >= 0 } window)
        {
            EmitFirst(op, kind, window, reads, writes);
            return EFlags.Unknown;
        }
        _window = Window.None;
        Address(op, kind.Form);
        int first = _stubs.Count;
        CheckStackPointer(op);
        FindPage(BytesOf(kind), IsStore(kind.Moves));
        TraceAccess();
        Move(op, kind);
        ComeBackHere(first, ExitKind.Access);
        return EFlags.Unknown;
    }

    private bool IsInWindow(in Op op, AccessKind kind)
    {
        int offset = OffsetOf(op, kind.Form);
        return offset >= _window.Low && offset + BytesOf(kind) <= _window.High;
    }

    private void CheckStackPointer(in Op op)
    {
        if (op.Extra == 0)
            return;
        _a.Test(32, _general[op.Rn], op.Extra);
        AddSlowWay(Cc.Ne);
    }

    /// <summary>The access itself, at <see cref="_place"/>, and the write-back of the address in RAX.</summary>
    private void Move(in Op op, AccessKind kind)
    {
        if (IsStore(kind.Moves) && _logged)
            LogStore(BytesOf(kind));
        Transfer(op, kind);
        WriteBack(op, kind.Form);
        _place = s_found;
    }

    // Which exit it is is known behind the access.
    private void AddSlowWay(Cc condition) => _stubs.Add(new Stub(_a.JumpIf(condition), -1, StubKind.Access, _lazy));

    /// <summary>RAX gets the address.</summary>
    private void Address(in Op op, Form form)
    {
        if (form == Form.Register)
        {
            IndexedAddress(op);
        }
        else if (op.Rn == 31)
        {
            // A literal.
            _a.Set(Gpr.Rax, op.Imm);
        }
        else
        {
            Gpr @base = Fetch(op.Rn, Gpr.Rax);
            int offset = form == Form.Offset ? (int)op.Imm : 0;
            if (offset != 0)
                _a.Lea(64, Gpr.Rax, Operand.At(@base, offset));
            else if (@base != Gpr.Rax)
                _a.Mov(64, Gpr.Rax, @base);
        }
    }

    private void IndexedAddress(in Op op)
    {
        int shift = (int)op.Imm & 63;
        Gpr index = Gpr.Rcx;
        if ((op.Ra & 3) == 3 && shift <= 3)
            index = Fetch(op.Rm, Gpr.Rcx);
        else
            Extend(Gpr.Rcx, op.Rm, op.Ra);
        if (shift > 3)
        {
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rcx, shift);
            shift = 0;
        }
        _a.Lea(64, Gpr.Rax, Operand.At(Fetch(op.Rn, Gpr.Rax), index, shift, 0));
    }

    /// <summary>RCX gets what leads from the address in RAX to the host's, when the TLB has all of the access.</summary>
    /// <param name="bytes">Of the access.</param>
    /// <param name="store">Whether it writes.</param>
    /// <param name="loads">Whether it reads before it writes.</param>
    private void FindPage(int bytes, bool store, bool loads = false)
    {
        FindEntry(Gpr.Rax);
        if (bytes == 1)
            _a.Mov(64, Gpr.Rdx, Gpr.Rax);
        else
            _a.Lea(64, Gpr.Rdx, Operand.At(Gpr.Rax, bytes - 1));
        CompareTag(store);
        _stubs.Add(new Stub(_a.JumpIf(Cc.Ne), -1, StubKind.Access, _lazy, TagOf(store)));
        if (loads)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + ReadTag));
            AddSlowWay(Cc.Ne);
        }
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + HostAddress));
    }

    /// <summary>The TLB of the block's exception level.</summary>
    private int Tlb => EngineFrame.TlbOffset + (_block.Mode == 0 ? 0 : EngineFrame.TlbSize);

    /// <summary>RCX gets the place of an address's entry in the TLB (<see cref="FastEntry.Index"/>), of 32 bytes.</summary>
    private void FindEntry(Gpr address)
    {
        _a.RotateRight(32, Gpr.Rcx, address, 12 - 5);
        _a.Alu(Alu.And, 32, Gpr.Rcx, (FastEntry.Count - 1) << 5);
    }

    /// <summary>Equal: the entry at RCX allows an access as far as the address in RDX.</summary>
    private void CompareTag(bool store)
    {
        _a.Alu(Alu.And, 64, Gpr.Rdx, -4096);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + TagOf(store)));
    }

    private static int TagOf(bool store) => store ? WriteTag : ReadTag;

    /// <summary>Apart: a page that was in the way of another one is in the other place. RCX gets that.</summary>
    /// <returns>The jump that is made when it is there.</returns>
    private int AskAgain(int tag)
    {
        _a.Alu(Alu.Xor, 32, Gpr.Rcx, FastEntry.Other << 5);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + tag));
        return _a.JumpIf(Cc.E);
    }

    private static readonly Operand s_found = Operand.At(Gpr.Rax, Gpr.Rcx, 0, 0);
    private Operand _place = s_found;

    private Operand Place(int offset) => _place with { Displacement = _place.Displacement + offset };

    private Operand Vector(int register) => Operand.At(State, _vectors + 16 * register);

    private void Transfer(in Op op, AccessKind kind)
    {
        switch (kind.Moves)
        {
            case Moves.Load:
                Load(op.Rd, kind.Bytes, 0);
                break;
            case Moves.LoadSigned:
                Gpr result = IsHeld(op.Rd) ? HostOf(op.Rd) : Gpr.Rdx;
                _a.SignExtend(8 * kind.Bytes, kind.To, result, Place(0));
                Put(op.Rd, result);
                break;
            case Moves.LoadPair:
                Load(op.Ra, kind.Bytes, kind.Bytes);
                Load(op.Rd, kind.Bytes, 0);
                break;
            case Moves.Store:
                StoreRegister(op.Rd, kind.Bytes, 0);
                break;
            case Moves.StorePair:
                StoreRegister(op.Rd, kind.Bytes, 0);
                StoreRegister(op.Ra, kind.Bytes, kind.Bytes);
                break;
            case Moves.LoadVector:
                int only = ResultFor(op.Rd);
                MoveVector(kind.Bytes, only, Place(0), false);
                PutRegister(op.Rd, only, kind.Bytes);
                break;
            case Moves.StoreVector:
                MoveVector(kind.Bytes, LowOf(0, op.Rd, kind.Bytes), Place(0), true);
                break;
            case Moves.LoadVectors:
                int low = ResultFor(op.Rd), high = ResultFor(op.Ra) is not 0 and int other ? other : 1;
                MoveVector(kind.Bytes, low, Place(0), false);
                MoveVector(kind.Bytes, high, Place(kind.Bytes), false);
                PutRegister(op.Rd, low, kind.Bytes);
                PutRegister(op.Ra, high, kind.Bytes);
                break;
            default:
                int first = LowOf(0, op.Rd, kind.Bytes), second = LowOf(1, op.Ra, kind.Bytes);
                MoveVector(kind.Bytes, first, Place(0), true);
                MoveVector(kind.Bytes, second, Place(kind.Bytes), true);
                break;
        }
    }

    private void Load(int register, int bytes, int offset)
    {
        Gpr result = IsHeld(register) ? HostOf(register) : Gpr.Rdx;
        if (bytes < 4)
            _a.ZeroExtend(8 * bytes, result, Place(offset));
        else
            _a.Mov(8 * bytes, result, Place(offset));
        Put(register, result);
    }

    private void StoreRegister(int register, int bytes, int offset)
    {
        if (register == 31)
            _a.Store(8 * bytes, Place(offset), 0);
        else
            _a.Store(8 * bytes, Place(offset), Fetch(register, Gpr.Rdx));
    }

    /// <summary>Moves 1 to 16 bytes between memory and the low end of an XMM register, whose other bytes become zero when they do not
    /// come from memory.</summary>
    private void MoveVector(int bytes, int xmm, in Operand memory, bool store)
    {
        switch (bytes)
        {
            case 1:
                _a.Vex(3, 1, store ? 0x14 : 0x20, xmm, store ? 0 : xmm, memory, 0); // VPEXTRB, VPINSRB
                break;
            case 2:
                _a.Vex(store ? 3 : 1, 1, store ? 0x15 : 0xC4, xmm, store ? 0 : xmm, memory, 0); // VPEXTRW, VPINSRW
                break;
            case 4:
                _a.Vex(1, 1, store ? 0x7E : 0x6E, xmm, 0, memory); // VMOVD
                break;
            case 8:
                _a.Vex(1, store ? 1 : 2, store ? 0xD6 : 0x7E, xmm, 0, memory); // VMOVQ
                break;
            default:
                _a.Vex(1, 2, store ? 0x7F : 0x6F, xmm, 0, memory); // VMOVDQU
                break;
        }
    }

    private void WriteBack(in Op op, Form form)
    {
        if (op.Wb == Translator.Discard)
            return;
        if (form == Form.Offset)
        {
            Put(op.Wb, Gpr.Rax);
            return;
        }
        Gpr result = IsHeld(op.Wb) ? HostOf(op.Wb) : Gpr.Rax;
        _a.Lea(64, result, Operand.At(Gpr.Rax, (int)op.Imm));
        Put(op.Wb, result);
    }

    /// <summary>Logs what a store is about to overwrite.</summary>
    private void LogStore(int bytes, int offset = 0) => Log(Place(offset), bytes);

    private void Log(in Operand place, int bytes)
    {
        _a.Push(Gpr.Rdx);
        _a.Push(Gpr.Rcx);
        _a.Lea(64, Gpr.Rdx, place);
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, NativeFrame.LogEnd));
        _a.Store(64, Operand.At(Gpr.Rcx, 0), Gpr.Rdx);
        _a.Store(64, Operand.At(Gpr.Rcx, 8), bytes);
        for (int i = 0; i < bytes; i += 16)
        {
            int part = Math.Min(bytes - i, 16);
            MoveVector(part, 4, Operand.At(Gpr.Rdx, i), false);
            MoveVector(part, 4, Operand.At(Gpr.Rcx, 16 + i), true);
        }
        _a.Alu(Alu.Add, 64, Operand.At(Frame, NativeFrame.LogEnd), NativeFrame.LogEntry);
        _a.Pop(Gpr.Rcx);
        _a.Pop(Gpr.Rdx);
    }
}
