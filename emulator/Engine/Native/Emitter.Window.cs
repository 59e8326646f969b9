using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Accesses beside each other. Those off one base that is not changed in between ask the TLB once, the first of them for all: when
/// all are in one page, RCX keeps what leads from the address to the host's, else it is 0 and each of them asks for itself, in code apart
/// from that of the blocks.</summary>
internal sealed partial class Emitter
{
    // As a rule what is further away is in another page too often.
    private const int WidestWindow = 512;

    /// <summary>Bytes that RCX holds for.</summary>
    /// <param name="Base">The register, or -1: RCX holds for nothing.</param>
    /// <param name="Low">First byte, from where the register points now.</param>
    /// <param name="High">Behind the last one.</param>
    /// <param name="Aligned">Whether the base is a multiple of 16 as long as it is changed by such.</param>
    private record struct Window(int Base, int Low, int High, bool Aligned)
    {
        internal static readonly Window None = new(-1, 0, 0, false);

        internal void Moved(int by) => (Low, High) = (Low - by, High - by);
    }

    private Window _window;

    /// <summary>Where an access begins, from where its base points.</summary>
    private static int OffsetOf(in Op op, Form form) => form == Form.Offset ? (int)op.Imm : 0;

    /// <summary>Whether a window can be at the base of an access.</summary>
    private static bool HasBase(in Op op, Form form) => form != Form.Register && op.Rn != 31;

    /// <summary>Whether the code of an operation leaves RCX alone.</summary>
    private static bool KeepsWindow(OpCode code) => code is (>= OpCode.Mov and < OpCode.Extr64) or (>= OpCode.Add64 and < OpCode.Bic64)
        or OpCode.Ands64 or OpCode.Ands32 or (>= OpCode.Csel64 and <= OpCode.Msub32) or OpCode.Smulh or OpCode.Umulh
        or (>= OpCode.Clz64 and <= OpCode.B) or (>= OpCode.Cbz64 and <= OpCode.BLe) or OpCode.End;

    /// <summary>Whether an operation changes a general register.</summary>
    private static bool Writes(in Op op, int register)
    {
        if (op.Code >= OpCode.Ld8Off)
        {
            Moves moves = Describe(op.Code).Moves;
            return op.Wb == register || (moves is Moves.Load or Moves.LoadSigned or Moves.LoadPair && op.Rd == register)
                || (moves == Moves.LoadPair && op.Ra == register);
        }
        return op.Code == OpCode.Bl ? register == 30 : op.Code < OpCode.B && op.Code != OpCode.End && op.Rd == register;
    }

    /// <summary>Bytes of memory that are left of a window behind an operation, seen from the base as it is then.</summary>
    /// <returns>False when nothing is.</returns>
    private static bool Passes(ref Window window, in Op op)
    {
        if (window.Base < 0)
            return false;
        if (op.Code is OpCode.AddI64 && op.Rd == window.Base && op.Rn == window.Base)
            return Moves16(ref window, (int)op.Imm);
        if (op.Code < OpCode.Ld8Off)
            return KeepsWindow(op.Code) && !Writes(op, window.Base);
        AccessKind kind = Describe(op.Code);
        if (!HasBase(op, kind.Form) || op.Rn != window.Base)
            return false;
        if (op.Wb == window.Base)
        {
            bool loads = kind.Moves is Moves.Load or Moves.LoadSigned or Moves.LoadPair;
            return !(loads && (op.Rd == window.Base || op.Ra == window.Base)) && Moves16(ref window, (int)op.Imm);
        }
        return !Writes(op, window.Base);
    }

    private static bool Moves16(ref Window window, int by)
    {
        window.Moved(by);
        return !window.Aligned || (by & 15) == 0;
    }

    /// <summary>How far the accesses reach that can do with the answer to this one.</summary>
    /// <param name="op">The first.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="reads">Whether one of them reads.</param>
    /// <param name="writes">Whether one of them writes.</param>
    /// <returns>The bytes, from where the base points before the first one; no window when that is alone.</returns>
    private Window Together(in Op op, AccessKind kind, out bool reads, out bool writes)
    {
        writes = IsStore(kind.Moves);
        reads = !writes;
        if (!HasBase(op, kind.Form))
            return Window.None;
        int low = OffsetOf(op, kind.Form), high = low + BytesOf(kind), others = 0;
        // Low is where the base was at first.
        var seen = new Window(op.Rn, 0, 0, op.Extra != 0);
        if (!Passes(ref seen, op))
            return Window.None;
        for (int i = _at + 1; i < _steps.Count; i++)
        {
            Op next = _steps[i].Op;
            if (next.Code >= OpCode.Ld8Off && Describe(next.Code) is var other && HasBase(next, other.Form) && next.Rn == op.Rn)
            {
                int from = OffsetOf(next, other.Form) - seen.Low;
                int first = Math.Min(low, from), last = Math.Max(high, from + BytesOf(other));
                if (last - first > WidestWindow)
                    break;
                (low, high) = (first, last);
                others++;
                writes |= IsStore(other.Moves);
                reads |= !IsStore(other.Moves);
            }
            if (!Passes(ref seen, next))
                break;
        }
        return others == 0 ? Window.None : new Window(op.Rn, low, high, op.Extra != 0);
    }

    /// <summary>RCX gets what leads from the addresses of a window to the host's, when the TLB has all of it.</summary>
    /// <param name="window">From the base of the access, whose address is in RAX.</param>
    /// <param name="offset">Of the access.</param>
    /// <param name="reads">Whether it must be readable.</param>
    /// <param name="writes">Whether it must be writable.</param>
    /// <returns>The jumps that are made when it has not: that of the first question, and that of a second one or -1.</returns>
    private (int First, int Second) FindWindow(Window window, int offset, bool reads, bool writes)
    {
        Gpr low = Gpr.Rax;
        if (window.Low != offset)
        {
            low = Gpr.Rdx;
            _a.Lea(64, low, Operand.At(Gpr.Rax, window.Low - offset));
        }
        FindEntry(low);
        _a.Lea(64, Gpr.Rdx, Operand.At(Gpr.Rax, window.High - 1 - offset));
        CompareTag(writes);
        (int First, int Second) misses = (_a.JumpIf(Cc.Ne), -1);
        if (reads && writes)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + ReadTag));
            misses.Second = _a.JumpIf(Cc.Ne);
        }
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + HostAddress));
        return misses;
    }

    /// <summary>The first access of several.</summary>
    private void EmitFirst(in Op op, AccessKind kind, Window window, bool reads, bool writes)
    {
        Address(op, kind.Form);
        int first = _stubs.Count;
        CheckStackPointer(op);
        (int First, int Second) misses = FindWindow(window, OffsetOf(op, kind.Form), reads, writes);
        Move(op, kind);
        ComeBackHere(first, ExitKind.Access);
        Alone(op, kind, misses, writes, addressed: true);
        _window = window;
    }

    /// <summary>An access that an earlier one asked for.</summary>
    private void EmitFollowing(in Op op, AccessKind kind)
    {
        _a.Test(64, Gpr.Rcx, Gpr.Rcx);
        int miss = _a.JumpIf(Cc.E);
        bool plain = IsHeld(op.Rn) && op.Wb == Translator.Discard && !(kind.Moves == Moves.LoadPair && op.Ra == op.Rn);
        if (plain)
        {
            _place = Operand.At(HostOf(op.Rn), Gpr.Rcx, 0, OffsetOf(op, kind.Form));
        }
        else if (op.Wb == Translator.Discard)
        {
            Get(64, Gpr.Rax, op.Rn);
            _place = Operand.At(Gpr.Rax, Gpr.Rcx, 0, OffsetOf(op, kind.Form));
        }
        else
        {
            Address(op, kind.Form);
        }
        Move(op, kind);
        Alone(op, kind, (miss, -1), false, addressed: false);
    }

    /// <summary>Where an access asks for itself: apart, and back behind it with RCX 0.</summary>
    /// <param name="op">The access.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="misses">The jumps that lead there.</param>
    /// <param name="writes">Whether the first of them asked for a page that may be written.</param>
    /// <param name="addressed">Whether RAX holds its address then.</param>
    private void Alone(in Op op, AccessKind kind, (int First, int Second) misses, bool writes, bool addressed)
    {
        ulong back = _a.Here;
        int exit = NewExit(ExitKind.Access, resume: back);
        Assembler code = _a;
        (_a, _rare) = (_rare, _a);
        code.Resolve(misses.First, _a.Here);
        if (addressed)
            _a.Resolve(AskAgain(TagOf(writes)), Assembler.Behind(code, misses.First));
        else
            Address(op, kind.Form);
        if (misses.Second >= 0)
            code.Resolve(misses.Second, _a.Here);
        FindEntry(Gpr.Rax);
        _a.Lea(64, Gpr.Rdx, Operand.At(Gpr.Rax, BytesOf(kind) - 1));
        CompareTag(IsStore(kind.Moves));
        int found = _a.JumpIf(Cc.E), other = AskAgain(TagOf(IsStore(kind.Moves)));
        LeaveForAccess(exit, _lazy);
        _a.Resolve(found);
        _a.Resolve(other);
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, Gpr.Rcx, 0, Tlb + HostAddress));
        Move(op, kind);
        _a.Set(Gpr.Rcx, 0);
        _a.JumpTo(back);
        (_a, _rare) = (_rare, _a);
    }
}
