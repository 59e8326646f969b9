using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Flags. They are in memory (<see cref="NativeFrame.Flags"/>) wherever code may be left; EFLAGS hold them besides, until an
/// instruction changes those, so that a comparison and the branch behind it are two instructions of the host.</summary>
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

    /// <summary>Whether an operation cannot leave the code, nor ask for flags.</summary>
    private static bool IsBlind(OpCode code) => code is >= OpCode.Mov and < OpCode.Csel64 or >= OpCode.Madd64 and < OpCode.B;

    /// <summary>Whether the flags that the current operation sets are ever in memory: not when others replace them first.</summary>
    private bool FlagsAreSeen()
    {
        for (int i = _op + 1; i < _block.Ops.Length; i++)
        {
            OpCode code = _block.Ops[i].Code;
            if (SetsFlags(code))
                return false;
            if (!IsBlind(code))
                return true;
        }
        return true;
    }

    /// <summary>Puts the flags that EFLAGS hold where they are at block boundaries; EFLAGS stay, RAX does not.</summary>
    private EFlags KeepFlags(EFlags flags)
    {
        if (FlagsAreSeen())
            StoreFlags(flags);
        return flags;
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
            _a.ZeroExtend(16, Gpr.Rax, Operand.At(Frame, NativeFrame.Flags));
            // Overflows when it is 1.
            _a.AddToAl(0x7F);
            _a.Sahf();
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

    private static Cc Opposite(Cc condition) => condition ^ (Cc)1;
}
