using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of scalar floating point, where result and exception bits are provably those of the reference body:
/// <list type="bullet">
/// <item>FPCR is 0, which the engine sees to: the host rounds to nearest even, and nothing is flushed;</item>
/// <item>FPSR.IXC is set already, so that Inexact adds nothing, or the host has not seen anything inexact either;</item>
/// <item>the result is a normal number above the smallest: then no operand was a NaN or an infinity, nothing overflowed, and nothing
/// was tiny before rounding; or it is a zero where that can only be exact.</item>
/// </list>
/// Anything else is seen before a register is written, and left to the reference body.</summary>
internal sealed partial class Emitter
{
    private bool EmitFloat(in Op op)
    {
        uint i = op.Instruction;
        int first = _stubs.Count;
        bool emitted = op.Row switch
        {
            Row.FADD_s => FloatBinary(i, 0x58, false, Zero.Exact),
            Row.FSUB_s => FloatBinary(i, 0x5C, false, Zero.Exact),
            Row.FMUL_s => FloatBinary(i, 0x59, false, Zero.OfFactor),
            Row.FNMUL_s => FloatBinary(i, 0x59, true, Zero.OfFactor),
            Row.FDIV_s => FloatBinary(i, 0x5E, false, Zero.OfFirst),
            Row.FSQRT_s => FloatRoot(i),
            Row.FMADD_s => FloatMultiplyAdd(i, 0xB9),
            Row.FMSUB_s => FloatMultiplyAdd(i, 0xBD),
            Row.FNMSUB_s => FloatMultiplyAdd(i, 0xBB),
            Row.FNMADD_s => FloatMultiplyAdd(i, 0xBF),
            Row.FMAX_s or Row.FMAXNM_s => FloatExtreme(i, 0x5F),
            Row.FMIN_s or Row.FMINNM_s => FloatExtreme(i, 0x5D),
            Row.FABS_s => FloatSign(i, false),
            Row.FNEG_s => FloatSign(i, true),
            Row.FCSEL_s => FloatSelect(i),
            Row.FMOV_imm_s => FloatNumber(i),
            Row.FCVT_ds => FloatConvert(i, true),
            Row.FCVT_sd => FloatConvert(i, false),
            Row.SCVTF_gen_s => FromInteger(i, _general[Rn(i)], i >> 31 != 0),
            Row.SCVTF_ss => FromInteger(i, Half(Rn(i), 0), IsDouble(i)),
            Row.FCVTZS_gen_s => ToInteger(i),
            Row.UCVTF_gen_s => FromUnsigned(i),
            Row.FCVTZU_gen_s => ToUnsigned(i),
            Row.FCVTNS_gen_s => ToInteger(i, 0),
            Row.FCVTMS_gen_s => ToInteger(i, 1),
            Row.FCVTPS_gen_s => ToInteger(i, 2),
            Row.FCVTAS_gen_s => ToInteger(i, Away),
            Row.FRINTN_s or Row.FRINTI_s => FloatRound(i, 8 | 0),
            Row.FRINTX_s => FloatRound(i, 0),
            Row.FRINTM_s => FloatRound(i, 8 | 1),
            Row.FRINTP_s => FloatRound(i, 8 | 2),
            Row.FRINTZ_s => FloatRound(i, 8 | 3),
            Row.FRINTA_s => FloatRoundAway(i),
            _ => EmitFloatVector(i, op.Row),
        };
        ComeBackHere(first, ExitKind.Instruction);
        return emitted;
    }

    /// <summary>FCMP and its like, FCCMP too: an unordered comparison is the reference body's.</summary>
    private EFlags? EmitCompare(in Op op)
    {
        uint i = op.Instruction;
        bool zero = op.Row is Row.FCMP_zero_s or Row.FCMPE_zero_s, conditional = op.Row is Row.FCCMP_s or Row.FCCMPE_s;
        if (!zero && !conditional && op.Row is not (Row.FCMP_s or Row.FCMPE_s))
            return null;
        int first = _stubs.Count, condition = (int)(i >> 12) & 15;
        int otherwise = conditional && condition < 14 ? _a.JumpIf(Opposite(Condition(condition))) : -1;
        int left = LowOf(0, Rn(i), ScalarBytes(i));
        if (zero)
            SetZero(1);
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, left, 0, zero ? Operand.Xmm(1) : Source(Rm(i))); // VUCOMISD, VUCOMISS
        SlowWay(Cc.P);
        // 0, 1 and 2 compare with 1 as the operands do with each other. MOV leaves the flags.
        _a.Set(Gpr.Rax, 0);
        _a.Set(Gpr.Rcx, 0);
        _a.SetIf(Cc.Ae, Gpr.Rax);
        _a.SetIf(Cc.A, Gpr.Rcx);
        _a.Alu(Alu.Add, 32, Gpr.Rax, Gpr.Rcx);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, 1);
        EFlags flags = EFlags.Unknown;
        if (conditional)
        {
            StoreFlags(EFlags.Borrow);
            Otherwise(otherwise, (int)i & 15);
            ComeBackHere(first, ExitKind.Instruction);
            _lazy = Comparison.None;
            return flags;
        }
        flags = KeepFlags(EFlags.Borrow, Comparison.None);
        ComeBackHere(first, ExitKind.Instruction);
        return flags;
    }

    private static bool IsDouble(uint i) => (i >> 22 & 1) != 0;

    private static int ScalarBytes(uint i) => IsDouble(i) ? 8 : 4;

    /// <summary>A host register gets a scalar, zeros above.</summary>
    private void GetScalar(int xmm, int register, uint i)
    {
        if (IsHeldVector(register))
            GetLow(xmm, _vectorHosts[register], ScalarBytes(i));
        else
            MoveVector(ScalarBytes(i), xmm, Vector(register), false);
    }

    /// <summary>When a result may be zero: only where it is exact, which the operands say.</summary>
    private enum Zero
    {
        /// <summary>Whatever they are.</summary>
        Exact,

        /// <summary>When the first is zero.</summary>
        OfFirst,

        /// <summary>When the first or the second is zero.</summary>
        OfFactor,

        /// <summary>When one of the factors is zero, or what is added so large that no sum with their product is too small.</summary>
        OfSum,

        /// <summary>When the only one is zero, which has twice the size.</summary>
        OfWide,
    }

    /// <summary>The reference body executes the instruction when a condition holds.</summary>
    private void SlowWay(Cc condition) => _stubs.Add(new Stub(_a.JumpIf(condition), -1, StubKind.Plain, _lazy));

    /// <summary>Behind an operation that may have been inexact. MXCSR is clear of that whenever code is entered without
    /// FPSR.IXC.</summary>
    private void SeeInexact()
    {
        _a.TestByte(Operand.At(State, _fpsr), (int)FpsrBits.IXC);
        Apart(_a.JumpIf(Cc.E), back =>
        {
            _a.ControlAndStatus(true, Operand.At(Frame, NativeFrame.HostStatus));
            _a.TestByte(Operand.At(Frame, NativeFrame.HostStatus), NativeFrame.HostInexact);
            _a.Resolve(_a.JumpIf(Cc.E), back);
            LeaveSlowly();
        });
    }

    /// <summary>The destination gets a scalar, when it is a normal number above the smallest and below the two largest exponents, or an
    /// exact zero.</summary>
    private bool PutNormal(uint i, int xmm, bool isDouble, Zero zero)
    {
        int size = isDouble ? 64 : 32, half = isDouble ? 0x3FF : 0x7F;
        _a.Vex(1, 1, 0x7E, xmm, 0, Gpr.Rax, isDouble); // VMOVQ, VMOVD to RAX
        // The exponent without its lowest bit is neither 0 nor all ones.
        _a.Shift(Native.Shift.Shr, size, Gpr.Rax, isDouble ? 53 : 24);
        _a.Alu(Alu.Add, 32, Gpr.Rax, 1);
        _a.Test(32, Gpr.Rax, half - 1);
        Apart(_a.JumpIf(Cc.E), back =>
        {
            _a.Vex(1, 1, 0x7E, xmm, 0, Gpr.Rax, isDouble);
            int exponents = isDouble ? 0x7FF : 0xFF;
            _a.Mov(size, Gpr.Rcx, Gpr.Rax);
            _a.Shift(Native.Shift.Shr, size, Gpr.Rcx, isDouble ? 52 : 23);
            _a.Alu(Alu.And, 32, Gpr.Rcx, exponents);
            _a.Alu(Alu.Sub, 32, Gpr.Rcx, 2);
            _a.Alu(Alu.Cmp, 32, Gpr.Rcx, exponents - 2);
            _a.Resolve(_a.JumpIf(Cc.B), back);
            _a.Alu(Alu.Add, size, Gpr.Rax, Gpr.Rax);
            int other = _a.JumpIf(Cc.Ne);
            GoBackIfExact(i, size, zero, back);
            _a.Resolve(other);
            LeaveSlowly();
        });
        PutRegister(Rd(i), xmm, isDouble ? 8 : 4);
        return true;
    }

    /// <summary>Apart: a result is zero, which is good enough as its operands are. Those are in memory, where nothing was written
    /// yet.</summary>
    private void GoBackIfExact(uint i, int size, Zero zero, ulong back)
    {
        if (zero == Zero.Exact)
        {
            _a.JumpTo(back);
            return;
        }
        if (zero == Zero.OfWide)
            size *= 2;
        for (int register = Rn(i), n = 0; n < (zero is Zero.OfFactor or Zero.OfSum ? 2 : 1); register = Rm(i), n++)
        {
            _a.Mov(size, Gpr.Rax, Vector(register));
            _a.Alu(Alu.Add, size, Gpr.Rax, Gpr.Rax);
            _a.Resolve(_a.JumpIf(Cc.E), back);
        }
        if (zero != Zero.OfSum)
            return;
        // A product has twice the bits of a factor: beside 2^-895, or 2^-63, none of them is below the smallest number.
        _a.Mov(size, Gpr.Rax, Vector((int)(i >> 10) & 31));
        _a.Alu(Alu.Add, size, Gpr.Rax, Gpr.Rax);
        _a.Shift(Native.Shift.Shr, size, Gpr.Rax, size == 64 ? 60 : 30);
        _a.Resolve(_a.JumpIf(Cc.Ne), back);
    }

    private static int ScalarPrefix(uint i) => IsDouble(i) ? 3 : 2;

    private bool FloatBinary(uint i, int opcode, bool negated, Zero zero)
    {
        int result = ResultFor(Rd(i));
        _a.Vex(1, ScalarPrefix(i), opcode, result, ZeroExtended(0, Rn(i), ScalarBytes(i)), Source(Rm(i)));
        SeeInexact();
        if (negated)
            FlipSign(i, result);
        return PutNormal(i, result, IsDouble(i), zero);
    }

    /// <summary>Changes the sign of a scalar.</summary>
    private void FlipSign(uint i, int xmm)
    {
        _a.Set(Gpr.Rax, IsDouble(i) ? 1UL << 63 : 1UL << 31);
        _a.Vex(1, 1, 0x6E, 1, 0, Gpr.Rax, IsDouble(i));
        Packed(0xEF, xmm, xmm, Operand.Xmm(1));
    }

    private bool FloatRoot(uint i)
    {
        int result = ResultFor(Rd(i)), source = ZeroExtended(0, Rn(i), ScalarBytes(i));
        _a.Vex(1, ScalarPrefix(i), 0x51, result, source, Operand.Xmm(source));
        SeeInexact();
        return PutNormal(i, result, IsDouble(i), Zero.Exact);
    }

    private bool FloatMultiplyAdd(uint i, int opcode)
    {
        // What is added to is where the result will be, unless it is a factor as well.
        int added = (int)(i >> 10) & 31, result = Rd(i) == Rn(i) || Rd(i) == Rm(i) ? 0 : ResultFor(Rd(i));
        if (result == 0 || added != Rd(i) || ZeroExtended(0, added, ScalarBytes(i)) != result)
            GetScalar(result, added, i);
        _a.Vex(2, 1, opcode, result, LowOf(1, Rn(i), ScalarBytes(i)), Source(Rm(i)), IsDouble(i)); // VFMADD231SD and its like
        SeeInexact();
        return PutNormal(i, result, IsDouble(i), Zero.OfSum);
    }

    /// <summary>The larger or the smaller number; which of two different zeros, and what of NaN, the reference body knows.</summary>
    private bool FloatExtreme(uint i, int opcode)
    {
        int result = ResultFor(Rd(i)), first = ZeroExtended(0, Rn(i), ScalarBytes(i));
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, first, 0, Source(Rm(i)));
        SlowWay(Cc.P);
        int size = 8 * ScalarBytes(i);
        Apart(_a.JumpIf(Cc.E), back =>
        {
            _a.Mov(size, Gpr.Rax, Vector(Rn(i)));
            _a.Alu(Alu.Cmp, size, Gpr.Rax, Vector(Rm(i)));
            _a.Resolve(_a.JumpIf(Cc.E), back);
            LeaveSlowly();
        });
        _a.Vex(1, ScalarPrefix(i), opcode, result, first, Source(Rm(i)));
        PutRegister(Rd(i), result, ScalarBytes(i));
        return true;
    }

    private bool FloatSign(uint i, bool negate)
    {
        int size = IsDouble(i) ? 64 : 32;
        GetBits(size, Gpr.Rax, Rn(i));
        _a.Shift(Native.Shift.Rol, size, Gpr.Rax, 1);
        if (negate)
            _a.Alu(Alu.Xor, size, Gpr.Rax, 1);
        else
            _a.Alu(Alu.And, size, Gpr.Rax, -2);
        _a.Shift(Native.Shift.Ror, size, Gpr.Rax, 1);
        return PutLow(Rd(i));
    }

    private bool FloatSelect(uint i)
    {
        int size = IsDouble(i) ? 64 : 32, condition = (int)(i >> 12) & 15;
        Cc holds = condition < 14 ? Condition(condition) : Cc.O;
        GetBits(size, Gpr.Rax, condition < 14 ? Rm(i) : Rn(i));
        if (condition < 14)
            _a.MoveIf(holds, size, Gpr.Rax, Half(Rn(i), 0));
        return PutLow(Rd(i));
    }

    private bool FloatNumber(uint i)
    {
        _a.Set(Gpr.Rax, A64.VFPExpandImm((int)(i >> 13) & 255, IsDouble(i) ? 64 : 32));
        return PutLow(Rd(i));
    }

    private bool FloatConvert(uint i, bool toDouble)
    {
        int result = ResultFor(Rd(i));
        SetZero(1);
        _a.Vex(1, toDouble ? 2 : 3, 0x5A, result, 1, Source(Rn(i))); // VCVTSS2SD, VCVTSD2SS: zeros above, from XMM1
        if (!toDouble)
            SeeInexact();
        return PutNormal(i, result, toDouble, toDouble ? Zero.Exact : Zero.OfWide);
    }

    private bool FromInteger(uint i, in Operand source, bool wide)
    {
        int result = ResultFor(Rd(i));
        SetZero(1);
        _a.Vex(1, ScalarPrefix(i), 0x2A, result, 1, source, wide); // VCVTSI2SD, VCVTSI2SS
        // A word is exact in 64 bits.
        if (wide || !IsDouble(i))
            SeeInexact();
        PutRegister(Rd(i), result, ScalarBytes(i));
        return true;
    }

    // To the nearest, and away from zero in the middle, which the host has not.
    private const int Away = 4;

    /// <summary>XMM0 gets a scalar with the number below a half added, of its sign: what is cut off then leaves what is rounded away. It is
    /// exact only when the scalar is an integer.</summary>
    private void AddBelowHalf(uint i)
    {
        int size = 8 * ScalarBytes(i);
        GetBits(size, Gpr.Rax, Rn(i));
        _a.Shift(Native.Shift.Shr, size, Gpr.Rax, size - 1);
        _a.Shift(Native.Shift.Shl, size, Gpr.Rax, size - 1);
        _a.Set(Gpr.Rcx, size == 64 ? 0x3FDFFFFFFFFFFFFF : 0x3EFFFFFFUL);
        _a.Alu(Alu.Or, size, Gpr.Rax, Gpr.Rcx);
        _a.Vex(1, 1, 0x6E, 0, 0, Gpr.Rax, size == 64); // VMOVQ, VMOVD
        _a.Vex(1, ScalarPrefix(i), 0x58, 0, 0, Source(Rn(i)));
    }

    private bool FloatRoundAway(uint i)
    {
        int result = ResultFor(Rd(i)), source = LowOf(1, Rn(i), ScalarBytes(i));
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, source, 0, Operand.Xmm(source));
        SlowWay(Cc.P);
        AddBelowHalf(i);
        _a.Vex(3, 1, IsDouble(i) ? 0x0B : 0x0A, result, 0, Operand.Xmm(0), 8 | 3); // VROUNDSD, VROUNDSS
        PutRegister(Rd(i), result, ScalarBytes(i));
        return true;
    }

    /// <param name="i">The encoding.</param>
    /// <param name="mode">How it is rounded before; -1: the rest is cut off.</param>
    private bool ToInteger(uint i, int mode = -1)
    {
        int size = i >> 31 != 0 ? 64 : 32;
        Operand source = Source(Rn(i));
        if (mode >= 0)
        {
            int low = mode == Away ? 0 : LowOf(0, Rn(i), ScalarBytes(i));
            if (mode == Away)
                AddBelowHalf(i);
            _a.Vex(3, 1, IsDouble(i) ? 0x0B : 0x0A, 0, low, Operand.Xmm(low), mode == Away ? 3 : mode); // VROUNDSD, VROUNDSS
            source = Operand.Xmm(0);
        }
        _a.Vex(1, ScalarPrefix(i), 0x2C, (int)Gpr.Rcx, 0, source, size == 64); // VCVTTSD2SI, VCVTTSS2SI
        SeeInexact();
        // What is out of range or no number gives the least integer.
        _a.Mov(size, Gpr.Rax, Gpr.Rcx);
        _a.Alu(Alu.Sub, size, Gpr.Rcx, 1);
        SlowWay(Cc.O);
        PutGeneral(i);
        return true;
    }

    /// <summary>A word is a positive number of 64 bits; of those that have 64, one above the half is the reference body's.</summary>
    private bool FromUnsigned(uint i)
    {
        bool wide = i >> 31 != 0;
        Get(wide ? 64 : 32, Gpr.Rcx, Rn(i));
        if (wide)
        {
            _a.Test(64, Gpr.Rcx, Gpr.Rcx);
            SlowWay(Cc.S);
        }
        return FromInteger(i, Gpr.Rcx, true);
    }

    private bool ToUnsigned(uint i)
    {
        _a.Vex(1, ScalarPrefix(i), 0x2C, (int)Gpr.Rax, 0, Source(Rn(i)), true);
        SeeInexact();
        // What is out of range or no number gives the least integer.
        if (i >> 31 != 0)
        {
            _a.Test(64, Gpr.Rax, Gpr.Rax);
            SlowWay(Cc.S);
        }
        else
        {
            _a.Mov(32, Gpr.Rcx, Gpr.Rax);
            _a.Alu(Alu.Cmp, 64, Gpr.Rcx, Gpr.Rax);
            SlowWay(Cc.Ne);
        }
        PutGeneral(i);
        return true;
    }

    /// <summary>To an integer in floating point.</summary>
    /// <param name="i">The encoding.</param>
    /// <param name="mode">As VROUNDSD has it, with 8 when nobody is told that it is inexact.</param>
    private bool FloatRound(uint i, int mode)
    {
        int result = ResultFor(Rd(i)), source = ZeroExtended(0, Rn(i), ScalarBytes(i));
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, source, 0, Operand.Xmm(source));
        SlowWay(Cc.P);
        _a.Vex(3, 1, IsDouble(i) ? 0x0B : 0x0A, result, source, Operand.Xmm(source), mode); // VROUNDSD, VROUNDSS
        if (mode < 8)
            SeeInexact();
        PutRegister(Rd(i), result, ScalarBytes(i));
        return true;
    }
}
