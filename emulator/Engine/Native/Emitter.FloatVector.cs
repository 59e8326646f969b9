using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of floating point on vectors, by the rule of the scalar ones, for each element: one that is not normal, and the
/// reference body does the whole.</summary>
internal sealed partial class Emitter
{
    private bool EmitFloatVector(uint i, Row row) =>
        row switch
        {
            Row.FADD_v => FloatLanes(i, 0x58, true),
            Row.FSUB_v => FloatLanes(i, 0x5C, true),
            Row.FMUL_v => FloatLanes(i, 0x59, false),
            Row.FDIV_v => FloatLanes(i, 0x5E, false),
            Row.FMLA_v => FloatLanesMultiplyAdd(i, 0xB8, false),
            Row.FMLS_v => FloatLanesMultiplyAdd(i, 0xBC, false),
            Row.FMUL_elt => FloatLanesByElement(i),
            Row.FMLA_elt => FloatLanesMultiplyAdd(i, 0xB8, true),
            Row.FMLS_elt => FloatLanesMultiplyAdd(i, 0xBC, true),
            Row.FABS_v => FloatLanesSign(i, false),
            Row.FNEG_v => FloatLanesSign(i, true),
            Row.SCVTF_v => !IsDouble(i) && LanesFromIntegers(i),
            _ => false,
        };

    /// <summary>The elements that count: in a short form the upper ones are zero.</summary>
    private void GetLanes(int xmm, int register, uint i) => MoveVector(IsLong(i) ? 16 : 8, xmm, Vector(register), false);

    private static int PackedPrefix(uint i) => IsDouble(i) ? 1 : 0;

    private bool FloatLanes(uint i, int opcode, bool zero)
    {
        if (IsLong(i))
        {
            _a.Vex(1, PackedPrefix(i), opcode, 0, LowOf(0, Rn(i), 16), Source(Rm(i)));
        }
        else
        {
            GetLanes(0, Rn(i), i);
            GetLanes(1, Rm(i), i);
            _a.Vex(1, PackedPrefix(i), opcode, 0, 0, Operand.Xmm(1));
        }
        return PutNormalLanes(i, zero);
    }

    /// <summary>Each element of XMM1 gets one element of Rm.</summary>
    private bool GetElement(uint i)
    {
        int high = (int)(i >> 11) & 1, low = (int)(i >> 21) & 1;
        if (IsDouble(i) && low != 0)
            return false;
        int index = IsDouble(i) ? high : 2 * high + low;
        if (IsHeldVector(Rm(i)))
            _a.Vex(1, 1, 0x70, 1, 0, Source(Rm(i)), IsDouble(i) ? 0x44 + 0xAA * index : 0x55 * index); // VPSHUFD
        else
            _a.Vex(2, 1, IsDouble(i) ? 0x59 : 0x58, 1, 0, Element(Rm(i), IsDouble(i) ? 3 : 2, index)); // VPBROADCASTQ, VPBROADCASTD
        return true;
    }

    private bool FloatLanesByElement(uint i)
    {
        if (!GetElement(i))
            return false;
        GetLanes(0, Rn(i), i);
        _a.Vex(1, PackedPrefix(i), 0x59, 0, 0, Operand.Xmm(1));
        return PutNormalLanes(i, false);
    }

    private bool FloatLanesMultiplyAdd(uint i, int opcode, bool element)
    {
        if (element && !GetElement(i))
            return false;
        if (!element)
            GetLanes(1, Rm(i), i);
        GetLanes(0, Rd(i), i);
        GetLanes(2, Rn(i), i);
        _a.Vex(2, 1, opcode, 0, 2, Operand.Xmm(1), IsDouble(i)); // VFMADD231PS and its like
        return PutNormalLanes(i, false);
    }

    /// <summary>The destination gets the elements in XMM0, when each is a normal number above the smallest and below the two largest
    /// exponents, or an exact zero.</summary>
    private bool PutNormalLanes(uint i, bool zero)
    {
        SeeInexact();
        bool isDouble = IsDouble(i);
        int bits = isDouble ? 64 : 32, all = isDouble || !IsLong(i) ? 3 : 15;
        // Exponents without their lowest bit that are 0 or all ones.
        ShiftLanesTo(1, 0, bits, 2, isDouble ? 53 : 24);
        Packed(isDouble ? 0xD4 : 0xFE, 1, 1, Operand.At(Frame, NativeFrame.LanesOne(isDouble)));
        Packed(0xDB, 1, 1, Operand.At(Frame, NativeFrame.LanesHalf(isDouble)));
        SetZero(2);
        Packed(isDouble ? 0x229 : 0x76, 1, 1, Operand.Xmm(2));
        void Test(Cc wanted, Action<int> found)
        {
            _a.Vex(1, PackedPrefix(i), 0x50, (int)Gpr.Rax, 0, Operand.Xmm(1)); // VMOVMSKPS, VMOVMSKPD
            _a.Test(32, Gpr.Rax, all);
            found(_a.JumpIf(wanted));
        }
        Test(Cc.Ne, jump => Apart(jump, back =>
        {
            if (zero)
            {
                ShiftLanesTo(3, 0, bits, 6, 1);
                Packed(isDouble ? 0x229 : 0x76, 3, 3, Operand.Xmm(2));
                Packed(0xDF, 1, 3, Operand.Xmm(1)); // VPANDN
                Test(Cc.E, exact => _a.Resolve(exact, back));
            }
            LeaveSlowly();
        }));
        return PutVector(i);
    }

    private bool FloatLanesSign(uint i, bool negate)
    {
        GetVector(0, Rn(i));
        ulong signs = IsDouble(i) ? 1UL << 63 : 0x8000000080000000;
        SetVector(1, signs, signs);
        Packed(negate ? 0xEF : 0xDF, 0, negate ? 0 : 1, Operand.Xmm(negate ? 1 : 0));
        return PutVector(i);
    }

    private bool LanesFromIntegers(uint i)
    {
        GetLanes(0, Rn(i), i);
        _a.Vex(1, 0, 0x5B, 0, 0, Operand.Xmm(0)); // VCVTDQ2PS
        SeeInexact();
        return PutVector(i);
    }
}
