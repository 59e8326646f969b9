using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Flags. They are in memory (<see cref="NativeFrame.Flags"/>) wherever code may be left; EFLAGS hold them besides, until an
/// instruction changes those, so that a comparison and the branch behind it are two instructions of the host. Where a comparison is
/// followed by another one in the same code, memory gets them only when code is left in between, from the comparison made again.</summary>
internal sealed partial class Emitter
{
    /// <summary>What EFLAGS have to do with NZCV.</summary>
    private enum EFlags
    {
        /// <summary>Nothing.</summary>
        Unknown,

        /// <summary>S, Z and O are N, Z and V; C is the opposite of the carry.</summary>
        Borrow,

        /// <summary>S, Z and O are N, Z and V; C is the carry.</summary>
        Carry,
    }

    private EFlags _eflags;

    /// <summary>Whether the code of an operation leaves EFLAGS alone.</summary>
    private static bool KeepsEFlags(OpCode code) => code is OpCode.Mov or OpCode.MovReg64 or OpCode.MovReg32 or OpCode.AddI64
        or OpCode.AddI32 or OpCode.Csel64 or OpCode.Csel32 or OpCode.Csinc64 or OpCode.Csinc32 or OpCode.Csinv64 or OpCode.Csinv32
        or OpCode.Csneg64 or OpCode.Csneg32;

    private static bool SetsFlags(OpCode code) => code is OpCode.AddsI64 or OpCode.AddsI32 or OpCode.SubsI64 or OpCode.SubsI32
        or OpCode.AndsI64 or OpCode.AndsI32 or OpCode.Adds64 or OpCode.Adds32 or OpCode.Subs64 or OpCode.Subs32 or OpCode.Ands64
        or OpCode.Ands32 or OpCode.AddsSh64 or OpCode.AddsSh32 or OpCode.SubsSh64 or OpCode.SubsSh32 or OpCode.AndsSh64
        or OpCode.AndsSh32;

    private static bool AsksForFlags(OpCode code) => code is (>= OpCode.Csel64 and <= OpCode.CcmpI32) or (>= OpCode.BEq and <= OpCode.BLe);

    /// <summary>A comparison that can be made again, as long as its registers are as they were.</summary>
    /// <param name="Operation">SUB, ADD or AND.</param>
    /// <param name="Size">Bits.</param>
    /// <param name="Left">A register.</param>
    /// <param name="Right">Another one, or -1.</param>
    /// <param name="Number">What it is compared with when there is none.</param>
    private record struct Comparison(Alu Operation, int Size, int Left, int Right, ulong Number)
    {
        internal static readonly Comparison None = new(Alu.Or, 0, -1, -1, 0);

        internal readonly bool Exists => Left >= 0;

        internal readonly EFlags Flags => Operation == Alu.Sub ? EFlags.Borrow : EFlags.Carry;
    }

    /// <summary>What the flags are when memory does not have them: no comparison when it has.</summary>
    private Comparison _lazy = Comparison.None;

    private enum Fate
    {
        /// <summary>Memory must have them.</summary>
        Seen,

        /// <summary>They are asked for only where code is left, in places apart, and the comparison can be made again there.</summary>
        Rare,

        /// <summary>Others replace them first.</summary>
        Dead,
    }

    /// <summary>What becomes of the flags that the current operation sets.</summary>
    private Fate FlagsBecome(in Comparison made)
    {
        bool again = made.Exists && !Changes(_steps[_at].Op, made), live = true, left = false;
        for (int i = _at + 1; i < _steps.Count; i++)
        {
            (_, int index, Op op) = _steps[i];
            if (index == 0)
            {
                // The budget may not reach for the block.
                left = true;
                live = false;
            }
            if (SetsFlags(op.Code))
                return !left ? Fate.Dead : again ? Fate.Rare : Fate.Seen;
            bool last = i + 1 == _steps.Count;
            if (AsksForFlags(op.Code))
            {
                if (!live)
                    return Fate.Seen;
                if (op.Code is >= OpCode.Ccmp64 and <= OpCode.CcmpI32)
                    return !left ? Fate.Dead : again ? Fate.Rare : Fate.Seen;
            }
            bool joins = op.Code is OpCode.End or OpCode.B or (>= OpCode.Cbz64 and <= OpCode.BLe);
            if (op.Code == OpCode.Generic || (joins && last) || op.Code is OpCode.Bl or OpCode.Br or OpCode.Blr or OpCode.Ret)
                return Fate.Seen;
            left |= op.Code is (>= OpCode.Cbz64 and <= OpCode.BLe) or >= OpCode.Ld8Off;
            live &= KeepsEFlags(op.Code) || joins;
            live &= op.Code is not (>= OpCode.Cbz64 and < OpCode.BEq);
            again &= !Changes(op, made);
            if (left && !again)
                return Fate.Seen;
        }
        return Fate.Seen;
    }

    private static bool Changes(in Op op, in Comparison made) => Writes(op, made.Left) || (made.Right >= 0 && Writes(op, made.Right));

    /// <summary>Puts the flags that EFLAGS hold where they are at block boundaries, unless it can be done where they are asked for; EFLAGS
    /// stay, RAX does not.</summary>
    /// <param name="flags">What EFLAGS hold.</param>
    /// <param name="made">How they can be made again.</param>
    private EFlags KeepFlags(EFlags flags, in Comparison made)
    {
        Fate fate = FlagsBecome(made);
        if (fate == Fate.Seen)
            StoreFlags(flags);
        _lazy = fate == Fate.Rare ? made : Comparison.None;
        return flags;
    }

    /// <summary>Memory gets the flags of a comparison.</summary>
    private void Remake(in Comparison lazy)
    {
        if (!lazy.Exists)
            return;
        Gpr left = Gpr.Rax;
        Get(lazy.Size, left, lazy.Left);
        if (lazy.Right >= 0)
            _a.Alu(lazy.Operation, lazy.Size, left, _general[lazy.Right]);
        else
            AluNumber(lazy.Operation, lazy.Size, left, lazy.Number);
        StoreFlags(lazy.Flags);
    }

    private void StoreFlags(EFlags flags)
    {
        _a.Lahf();
        _a.SetIf(Cc.O, Gpr.Rax);
        // Adding at C's place inverts it. A carry out of it ends in P or in the two bits around it, which mean nothing here.
        if (flags == EFlags.Borrow)
            _a.Lea(32, Gpr.Rax, Operand.At(Gpr.Rax, NativeFrame.Carry << 8));
        _a.Store(16, Operand.At(Frame, NativeFrame.Flags), Gpr.Rax);
    }

    /// <summary>Makes EFLAGS such that a condition of the host is the condition asked for.</summary>
    /// <param name="condition">Of the guest, below 14. RAX may be changed.</param>
    private Cc Condition(int condition)
    {
        if (_eflags == EFlags.Unknown && condition < 8)
        {
            (int offset, int bit) = (condition >> 1) switch
            {
                0 => (1, NativeFrame.Zero),
                1 => (1, NativeFrame.Carry),
                2 => (1, NativeFrame.Sign),
                _ => (0, 1),
            };
            _a.TestByte(Operand.At(Frame, NativeFrame.Flags + offset), bit);
            return (condition & 1) == 0 ? Cc.Ne : Cc.E;
        }
        if (_eflags == EFlags.Unknown)
        {
            GetEFlags();
            _eflags = EFlags.Carry;
        }
        if (condition is 8 or 9 && _eflags == EFlags.Carry)
        {
            _a.ComplementCarry();
            _eflags = EFlags.Borrow;
        }
        return condition switch
        {
            0 => Cc.E,
            1 => Cc.Ne,
            2 => _eflags == EFlags.Borrow ? Cc.Ae : Cc.B,
            3 => _eflags == EFlags.Borrow ? Cc.B : Cc.Ae,
            4 => Cc.S,
            5 => Cc.Ns,
            6 => Cc.O,
            7 => Cc.No,
            8 => Cc.A,
            9 => Cc.Be,
            10 => Cc.Ge,
            11 => Cc.L,
            12 => Cc.G,
            _ => Cc.Le,
        };
    }

    /// <summary>EFLAGS get the flags in memory; C is the carry.</summary>
    private void GetEFlags()
    {
        _a.ZeroExtend(16, Gpr.Rax, Operand.At(Frame, NativeFrame.Flags));
        // Overflows when it is 1.
        _a.AddToAl(0x7F);
        _a.Sahf();
    }

    private static Cc Opposite(Cc condition) => condition ^ (Cc)1;
}
