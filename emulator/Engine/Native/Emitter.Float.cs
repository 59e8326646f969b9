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
            Row.FADD_s => FloatBinary(i, 0x58, false, true),
            Row.FSUB_s => FloatBinary(i, 0x5C, false, true),
            Row.FMUL_s => FloatBinary(i, 0x59, false, false),
            Row.FNMUL_s => FloatBinary(i, 0x59, true, false),
            Row.FDIV_s => FloatBinary(i, 0x5E, false, false),
            Row.FSQRT_s => FloatRoot(i),
            Row.FMADD_s => FloatMultiplyAdd(i, 0xB9),
            Row.FMSUB_s => FloatMultiplyAdd(i, 0xBD),
            Row.FNMSUB_s => FloatMultiplyAdd(i, 0xBB),
            Row.FNMADD_s => FloatMultiplyAdd(i, 0xBF),
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
            Row.FRINTN_s => FloatRound(i, 0),
            Row.FRINTM_s => FloatRound(i, 1),
            Row.FRINTP_s => FloatRound(i, 2),
            Row.FRINTZ_s => FloatRound(i, 3),
            _ => EmitFloatVector(i, op.Row),
        };
        ComeBackHere(first, ExitKind.Instruction);
        return emitted;
    }

    /// <summary>FCMP and its like: an unordered comparison is the reference body's.</summary>
    private EFlags? EmitCompare(in Op op)
    {
        uint i = op.Instruction;
        bool zero = op.Row is Row.FCMP_zero_s or Row.FCMPE_zero_s;
        if (!zero && op.Row is not (Row.FCMP_s or Row.FCMPE_s))
            return null;
        int first = _stubs.Count;
        GetScalar(0, Rn(i), i);
        if (zero)
            SetZero(1);
        else
            GetScalar(1, Rm(i), i);
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, 0, 0, Operand.Xmm(1)); // VUCOMISD, VUCOMISS
        SlowWay(Cc.P);
        // 0, 1 and 2 compare with 1 as the operands do with each other. MOV leaves the flags.
        _a.Set(Gpr.Rax, 0);
        _a.Set(Gpr.Rcx, 0);
        _a.SetIf(Cc.Ae, Gpr.Rax);
        _a.SetIf(Cc.A, Gpr.Rcx);
        _a.Alu(Alu.Add, 32, Gpr.Rax, Gpr.Rcx);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, 1);
        StoreFlags(EFlags.Borrow);
        // Who comes back has other EFLAGS; the flags are in memory.
        ComeBackHere(first, ExitKind.Instruction);
        return EFlags.Unknown;
    }

    private static bool IsDouble(uint i) => (i >> 22 & 1) != 0;

    private void GetScalar(int xmm, int register, uint i) => MoveVector(IsDouble(i) ? 8 : 4, xmm, Vector(register), false);

    /// <summary>The reference body executes the instruction when a condition holds.</summary>
    private void SlowWay(Cc condition) => _stubs.Add(new Stub(_a.JumpIf(condition), -1, StubKind.Plain, _lazy));

    /// <summary>Behind an operation that may have been inexact. MXCSR is clear of that whenever code is entered without
    /// FPSR.IXC.</summary>
    private void SeeInexact()
    {
        _a.TestByte(Operand.At(State, _fpsr), (int)FpsrBits.IXC);
        int known = _a.JumpIf(Cc.Ne);
        _a.ControlAndStatus(true, Operand.At(Frame, NativeFrame.HostStatus));
        _a.TestByte(Operand.At(Frame, NativeFrame.HostStatus), NativeFrame.HostInexact);
        SlowWay(Cc.Ne);
        _a.Resolve(known);
    }

    /// <summary>The destination gets the scalar in XMM0, when it is a normal number above the smallest, or perhaps zero.</summary>
    private bool PutNormal(int register, bool isDouble, bool zero = false)
    {
        int fraction = isDouble ? 52 : 23, exponents = isDouble ? 0x7FF : 0xFF;
        _a.Vex(1, 1, 0x7E, 0, 0, Gpr.Rax, isDouble); // VMOVQ, VMOVD to RAX
        if (zero)
            _a.Mov(64, Gpr.Rcx, Gpr.Rax);
        _a.Shift(Native.Shift.Shr, isDouble ? 64 : 32, Gpr.Rax, fraction);
        _a.Alu(Alu.And, 32, Gpr.Rax, exponents);
        _a.Alu(Alu.Sub, 32, Gpr.Rax, 2);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, exponents - 2);
        if (zero)
        {
            int normal = _a.JumpIf(Cc.B);
            _a.Alu(Alu.Add, isDouble ? 64 : 32, Gpr.Rcx, Gpr.Rcx);
            SlowWay(Cc.Ne);
            _a.Resolve(normal);
        }
        else
        {
            SlowWay(Cc.Ae);
        }
        MoveVector(16, 0, Vector(register), true);
        return true;
    }

    private static int ScalarPrefix(uint i) => IsDouble(i) ? 3 : 2;

    private bool FloatBinary(uint i, int opcode, bool negated, bool zero)
    {
        GetScalar(0, Rn(i), i);
        _a.Vex(1, ScalarPrefix(i), opcode, 0, 0, Vector(Rm(i)));
        SeeInexact();
        if (negated)
            FlipSign(i);
        return PutNormal(Rd(i), IsDouble(i), zero);
    }

    /// <summary>Changes the sign of the scalar in XMM0.</summary>
    private void FlipSign(uint i)
    {
        _a.Set(Gpr.Rax, IsDouble(i) ? 1UL << 63 : 1UL << 31);
        _a.Vex(1, 1, 0x6E, 1, 0, Gpr.Rax, IsDouble(i));
        Packed(0xEF, 0, 0, Operand.Xmm(1));
    }

    private bool FloatRoot(uint i)
    {
        GetScalar(0, Rn(i), i);
        _a.Vex(1, ScalarPrefix(i), 0x51, 0, 0, Operand.Xmm(0));
        SeeInexact();
        return PutNormal(Rd(i), IsDouble(i), true);
    }

    private bool FloatMultiplyAdd(uint i, int opcode)
    {
        GetScalar(0, (int)(i >> 10) & 31, i);
        GetScalar(1, Rn(i), i);
        _a.Vex(2, 1, opcode, 0, 1, Vector(Rm(i)), IsDouble(i)); // VFMADD231SD and its like
        SeeInexact();
        return PutNormal(Rd(i), IsDouble(i));
    }

    private bool FloatSign(uint i, bool negate)
    {
        int size = IsDouble(i) ? 64 : 32;
        _a.Mov(size, Gpr.Rax, Half(Rn(i), 0));
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
        _a.Mov(size, Gpr.Rax, Half(condition < 14 ? Rm(i) : Rn(i), 0));
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
        SetZero(1);
        _a.Vex(1, toDouble ? 2 : 3, 0x5A, 0, 1, Vector(Rn(i))); // VCVTSS2SD, VCVTSD2SS: zeros above, from XMM1
        if (!toDouble)
            SeeInexact();
        return PutNormal(Rd(i), toDouble, toDouble);
    }

    private bool FromInteger(uint i, in Operand source, bool wide)
    {
        SetZero(0);
        _a.Vex(1, ScalarPrefix(i), 0x2A, 0, 0, source, wide); // VCVTSI2SD, VCVTSI2SS
        // A word is exact in 64 bits.
        if (wide || !IsDouble(i))
            SeeInexact();
        MoveVector(16, 0, Vector(Rd(i)), true);
        return true;
    }

    private bool ToInteger(uint i)
    {
        int size = i >> 31 != 0 ? 64 : 32;
        _a.Vex(1, ScalarPrefix(i), 0x2C, (int)Gpr.Rcx, 0, Vector(Rn(i)), size == 64); // VCVTTSD2SI, VCVTTSS2SI
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
        SetZero(0);
        _a.Vex(1, ScalarPrefix(i), 0x2A, 0, 0, Gpr.Rcx, true);
        if (wide || !IsDouble(i))
            SeeInexact();
        MoveVector(16, 0, Vector(Rd(i)), true);
        return true;
    }

    private bool ToUnsigned(uint i)
    {
        _a.Vex(1, ScalarPrefix(i), 0x2C, (int)Gpr.Rax, 0, Vector(Rn(i)), true);
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

    /// <summary>To an integer in floating point; that it is inexact is not told (FRINTX tells).</summary>
    private bool FloatRound(uint i, int mode)
    {
        GetScalar(0, Rn(i), i);
        _a.Vex(1, IsDouble(i) ? 1 : 0, 0x2E, 0, 0, Operand.Xmm(0));
        SlowWay(Cc.P);
        _a.Vex(3, 1, IsDouble(i) ? 0x0B : 0x0A, 0, 0, Operand.Xmm(0), 8 | mode); // VROUNDSD, VROUNDSS
        MoveVector(16, 0, Vector(Rd(i)), true);
        return true;
    }
}
