using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Branches. Inside a page, code jumps to code, once that is known: both are valid as long as the page is. To another page it
/// goes by the table of branches, which the engine empties when a translation or code changes.</summary>
internal sealed partial class Emitter
{
    private bool InPage(ulong target) => ((target ^ _block.Pc) & ~0xfffUL) == 0;

    private EFlags GoTo(ulong target)
    {
        if (!IsLast)
            return EFlags.Unknown;
        if (InPage(target))
            Link(_a.Jump(), target);
        else
            GoBeyond(NewExit(ExitKind.Branch, target));
        return EFlags.Unknown;
    }

    private EFlags BranchIf(Cc condition, ulong target)
    {
        int taken = _a.JumpIf(condition);
        if (InPage(target))
            Link(taken, target);
        else
            LookUp(taken, target);
        return IsLast ? GoTo(_block.Pc + _block.Ops[_op].Offset + 4) : EFlags.Unknown;
    }

    /// <summary>A jump inside the page.</summary>
    private void Link(int jump, ulong target)
    {
        if (target == _steps[0].Block.Pc && !_lazy.Exists)
            _a.Resolve(jump, _entry);
        else if (_lazy.Exists)
            _stubs.Add(new Stub(jump, NewExit(ExitKind.Branch, target), StubKind.Edge, _lazy));
        else
            _stubs.Add(new Stub(jump, NewExit(ExitKind.Branch, target, _a.Origin + (ulong)jump), StubKind.Plain, _lazy));
    }

    /// <summary>A jump to another page.</summary>
    private void LookUp(int jump, ulong target) => _stubs.Add(new Stub(jump, NewExit(ExitKind.Branch, target), StubKind.Lookup, _lazy));

    private EFlags Call(in Op op)
    {
        PutNumber(30, _block.Pc + op.Offset + 4);
        return GoTo(op.Imm);
    }

    private EFlags BranchIfZero(in Op op, int size, Cc condition)
    {
        if (op.Rn == 31)
            return GoTo(condition == Cc.E ? op.Imm : _block.Pc + op.Offset + 4);
        if (IsHeld(op.Rn))
            _a.Test(size, HostOf(op.Rn), _general[op.Rn]);
        else
            _a.Alu(Alu.Cmp, size, _general[op.Rn], 0);
        return BranchIf(condition, op.Imm);
    }

    private EFlags BranchOnBit(in Op op, Cc condition)
    {
        _a.BitTest(64, _general[op.Rn], op.Ra & 63);
        return BranchIf(condition, op.Imm);
    }

    private EFlags Indirect(in Op op, bool links)
    {
        Get(64, Gpr.Rax, op.Rn);
        if (links)
        {
            // RAX is taken.
            _a.Set(Gpr.Rdx, _block.Pc + op.Offset + 4);
            Put(30, Gpr.Rdx);
        }
        bool setsBType = op.Code != OpCode.Ret && op.Extra != 0;
        if (setsBType)
        {
            _a.Store(64, Operand.At(Frame, NativeFrame.BTypeBudget), Budget);
            _a.Store(64, Operand.At(Frame, NativeFrame.BType), op.Extra);
        }
        int table = NativeFrame.Jumps(_block.Mode == 0 ? 0 : 1, setsBType);
        _a.RotateRight(32, Gpr.Rcx, Gpr.Rax, NativeFrame.JumpFold);
        _a.Alu(Alu.Xor, 32, Gpr.Rcx, Gpr.Rax);
        _a.Alu(Alu.And, 32, Gpr.Rcx, NativeFrame.JumpMask);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Frame, Gpr.Rcx, 2, table));
        _a.Resolve(_a.JumpIf(Cc.Ne), _missed);
        _a.JumpTo(Operand.At(Frame, Gpr.Rcx, 2, table + 8));
        return EFlags.Unknown;
    }
}
