using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Memory copy and set (FEAT_MOPS), as the reference bodies do them: forward, in steps of 256 bytes, of which each is an
/// instruction. What goes over the end of a page, and backward copies, are the reference bodies'.</summary>
internal sealed partial class Emitter
{
    private const int BulkStep = 256;

    // Logged stores must fit the log.
    private const int MostLogged = 32;

    private EFlags? EmitBulk(in Op op)
    {
        uint i = op.Instruction;
        switch (op.Row)
        {
            case Row.CPYFP:
                return BulkPrologue(i, ulong.MaxValue >> 1, true, false);
            case Row.CPYP:
                return BulkPrologue(i, ulong.MaxValue >> 9, true, true);
            case Row.SETP:
                return BulkPrologue(i, ulong.MaxValue >> 1, false, false);
            case Row.CPYFM or Row.CPYM:
                return BulkMain(i, true);
            case Row.SETM:
                return BulkMain(i, false);
            case Row.CPYFE or Row.CPYE or Row.SETE:
                return BulkEpilogue(i);
            default:
                return null;
        }
    }

    /// <summary>The size is bounded and counts up to zero from now on, addresses are those of the ends.</summary>
    private EFlags BulkPrologue(uint i, ulong most, bool copies, bool mayGoBack)
    {
        Get(64, Gpr.Rax, Rn(i));
        _a.Set(Gpr.Rdx, most);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Gpr.Rdx);
        _a.MoveIf(Cc.A, 64, Gpr.Rax, Gpr.Rdx);
        _a.Store(16, Operand.At(Frame, NativeFrame.Flags), 0);
        int backward = -1;
        if (mayGoBack)
        {
            // Tags do not count. Backward when the destination lies inside the source.
            Get(64, Gpr.Rcx, Rd(i));
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rcx, 8);
            Get(64, Gpr.Rdx, Rs(i));
            _a.Shift(Native.Shift.Shl, 64, Gpr.Rdx, 8);
            _a.Alu(Alu.Sub, 64, Gpr.Rcx, Gpr.Rdx);
            int forward = _a.JumpIf(Cc.Be);
            _a.Shift(Native.Shift.Shr, 64, Gpr.Rcx, 8);
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Gpr.Rcx);
            backward = _a.JumpIf(Cc.A);
            _a.Resolve(forward);
        }
        MoveOn(Rd(i));
        if (copies)
            MoveOn(Rs(i));
        _a.Neg(64, Gpr.Rax);
        if (backward >= 0)
            _a.Resolve(backward);
        Put(Destination(Rn(i)), Gpr.Rax);
        return EFlags.Unknown;
    }

    /// <summary>Adds RAX to a register.</summary>
    private void MoveOn(int register)
    {
        Get(64, Gpr.Rcx, register);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rax);
        Put(Destination(register), Gpr.Rcx);
    }

    /// <summary>PSTATE.C says that another option of the architecture was begun with: that is an exception.</summary>
    private void NeedOption()
    {
        _a.TestByte(Operand.At(Frame, NativeFrame.Flags + 1), NativeFrame.Carry);
        SlowWay(Cc.Ne);
    }

    private EFlags BulkEpilogue(uint i)
    {
        int first = _stubs.Count;
        NeedOption();
        Get(64, Gpr.Rax, Rn(i));
        _a.Test(64, Gpr.Rax, Gpr.Rax);
        SlowWay(Cc.Ne);
        ComeBackHere(first, ExitKind.Instruction);
        return EFlags.Unknown;
    }

    private EFlags? BulkMain(uint i, bool copies)
    {
        // Options name accesses of EL0.
        if (_block.Mode != 0 && (i >> 12 & 3) != 0)
            return null;
        int first = _stubs.Count;
        NeedOption();
        if (!copies)
        {
            Get(32, Gpr.Rax, Rs(i));
            _a.Vex(1, 1, 0x6E, 0, 0, Gpr.Rax); // VMOVD
            _a.Vex(2, 1, 0x78, 0, 0, Operand.Xmm(0)); // VPBROADCASTB
        }
        Get(64, Gpr.Rax, Rn(i));
        _a.Test(64, Gpr.Rax, Gpr.Rax);
        int nothing = _a.JumpIf(Cc.E);
        SlowWay(Cc.Ns);
        if (_logged)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, -MostLogged);
            SlowWay(Cc.L);
        }
        ulong again = _a.Here;
        // Where this step ends, counted like the size in RAX.
        _a.Set(Gpr.Rcx, 0);
        _a.Lea(64, Gpr.Rdx, Operand.At(Gpr.Rax, BulkStep));
        _a.Test(64, Gpr.Rdx, Gpr.Rdx);
        _a.MoveIf(Cc.G, 64, Gpr.Rdx, Gpr.Rcx);
        _a.Store(64, Operand.At(Frame, NativeFrame.BulkEnd), Gpr.Rdx);
        FindBulkPage(Rd(i), true);
        if (copies)
        {
            _a.Store(64, Operand.At(Frame, NativeFrame.BulkTo), Gpr.Rcx);
            FindBulkPage(Rs(i), false);
            _a.Mov(64, Gpr.Rdx, Operand.At(Frame, NativeFrame.BulkTo));
        }
        else
        {
            _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
        }
        MoveBlocks(copies);
        Put(Destination(Rn(i)), Gpr.Rax);
        _a.Test(64, Gpr.Rax, Gpr.Rax);
        int done = _a.JumpIf(Cc.E);
        _a.Alu(Alu.Sub, 64, Budget, 1);
        int refused = _a.JumpIf(Cc.L);
        _a.JumpTo(again);
        _a.Resolve(nothing);
        _a.Resolve(done);
        ComeBackHere(first, ExitKind.Instruction);
        _stubs.Add(new Stub(refused, NewExit(ExitKind.Repeat), StubKind.Repeat, _lazy));
        return EFlags.Unknown;
    }

    /// <summary>RCX gets the host's address of the end of a range, when the TLB has all of this step of it.</summary>
    /// <param name="register">Address of the end; RAX is less than it.</param>
    /// <param name="store">Whether it is written.</param>
    private void FindBulkPage(int register, bool store)
    {
        Get(64, Gpr.Rcx, register);
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rax);
        FindEntry(Gpr.Rcx);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, NativeFrame.BulkEnd));
        _a.Alu(Alu.Sub, 64, Gpr.Rdx, 1);
        _a.Alu(Alu.Add, 64, Gpr.Rdx, _general[register]);
        CompareTag(store);
        _stubs.Add(new Stub(_a.JumpIf(Cc.Ne), -1, StubKind.Plain, _lazy, TagOf(store)));
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + HostAddress));
        _a.Alu(Alu.Add, 64, Gpr.Rcx, _general[register]);
    }

    /// <summary>Blocks of 16 bytes, then of 8 to 1, each read before it is written. RCX and RDX are the ends, RAX counts up.</summary>
    private void MoveBlocks(bool copies)
    {
        ulong loop = _a.Here;
        _a.Alu(Alu.Add, 64, Gpr.Rax, 16);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Frame, NativeFrame.BulkEnd));
        int last = _a.JumpIf(Cc.G);
        MoveBlock(copies, 16, -16);
        _a.JumpTo(loop);
        _a.Resolve(last);
        _a.Alu(Alu.Sub, 64, Gpr.Rax, 16);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Frame, NativeFrame.BulkEnd));
        int whole = _a.JumpIf(Cc.E);
        for (int bytes = 8; bytes > 0; bytes /= 2)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, -bytes);
            int less = _a.JumpIf(Cc.G);
            MoveBlock(copies, bytes, 0);
            _a.Alu(Alu.Add, 64, Gpr.Rax, bytes);
            _a.Resolve(less);
        }
        _a.Resolve(whole);
    }

    private void MoveBlock(bool copies, int bytes, int offset)
    {
        Operand to = Operand.At(Gpr.Rdx, Gpr.Rax, 0, offset);
        if (_logged)
            Log(to, bytes);
        if (copies)
        {
            // VPINSRB and VPINSRW leave the rest, which does not matter.
            MoveVector(bytes, 0, Operand.At(Gpr.Rcx, Gpr.Rax, 0, offset), false);
        }
        MoveVector(bytes, 0, to, true);
    }
}
