using System.Globalization;
using System.Numerics;

namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Text of the Advanced SIMD operands that depend on more than one field: arrangement specifiers, elements,
/// shifts and expanded immediates (Arm ARM, C7.2; C1.2.5 "Register names").</summary>
public static partial class AsmFormat
{
    private static readonly string[] s_simdArrangements = ["8b", "16b", "4h", "8h", "2s", "4s", "1d", "2d", "1q", "1q"];
    private const string SimdLetters = "bhsdq";

    private static int SimdQ(uint insn) => (int)(insn >> 30) & 1;

    private static int SimdSize(uint insn) => (int)(insn >> 22) & 3;

    private static int SimdImmh(uint insn) => BitOperations.Log2((insn >> 19) & 15);

    private static int SimdImm5Size(uint insn) => BitOperations.TrailingZeroCount((insn >> 16) | 0x10);

    private static string SimdArrangement(int size, int q) => s_simdArrangements[(size * 2) + q];

    /// <summary>Arrangement from size and Q, as 4h.</summary>
    public static string SimdT(uint insn, ulong pc) => SimdArrangement(SimdSize(insn), SimdQ(insn));

    /// <summary>Arrangement of the 128-bit operand with elements twice as wide as size says.</summary>
    public static string SimdWide(uint insn, ulong pc) => SimdArrangement(SimdSize(insn) + 1, 1);

    /// <summary>Arrangement with elements twice as wide as size says and half as many.</summary>
    public static string SimdPairT(uint insn, ulong pc) => SimdArrangement(SimdSize(insn) + 1, SimdQ(insn));

    /// <summary>Scalar register letter from size.</summary>
    public static string SimdScalar(uint insn, ulong pc) => SimdLetters.Substring(SimdSize(insn), 1);

    /// <summary>Scalar register letter of twice the width that size says.</summary>
    public static string SimdScalarWide(uint insn, ulong pc) => SimdLetters.Substring(SimdSize(insn) + 1, 1);

    /// <summary>Arrangement from the highest set bit of immh, and Q.</summary>
    public static string SimdImmhT(uint insn, ulong pc) => SimdArrangement(SimdImmh(insn), SimdQ(insn));

    /// <summary>Arrangement of the 128-bit operand with elements twice as wide as immh says.</summary>
    public static string SimdImmhWide(uint insn, ulong pc) => SimdArrangement(SimdImmh(insn) + 1, 1);

    /// <summary>Scalar register letter from immh.</summary>
    public static string SimdImmhScalar(uint insn, ulong pc) => SimdLetters.Substring(SimdImmh(insn), 1);

    /// <summary>Scalar register letter of twice the width that immh says.</summary>
    public static string SimdImmhScalarWide(uint insn, ulong pc) => SimdLetters.Substring(SimdImmh(insn) + 1, 1);

    /// <summary>Right shift amount: 2 * esize - immh:immb.</summary>
    public static string SimdShiftRight(uint insn, ulong pc) =>
        ((16 << SimdImmh(insn)) - (int)((insn >> 16) & 127)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Left shift amount: immh:immb - esize.</summary>
    public static string SimdShiftLeft(uint insn, ulong pc) =>
        ((int)((insn >> 16) & 127) - (8 << SimdImmh(insn))).ToString(CultureInfo.InvariantCulture);

    /// <summary>Arrangement from the lowest set bit of imm5, and Q.</summary>
    public static string SimdImm5T(uint insn, ulong pc) => SimdArrangement(SimdImm5Size(insn), SimdQ(insn));

    /// <summary>Scalar register letter from the lowest set bit of imm5.</summary>
    public static string SimdImm5Scalar(uint insn, ulong pc) => SimdLetters.Substring(SimdImm5Size(insn), 1);

    /// <summary>Element that imm5 selects, as b[3].</summary>
    public static string SimdImm5Elt(uint insn, ulong pc)
    {
        int size = SimdImm5Size(insn);
        return $"{SimdLetters[size]}[{((insn >> 16) & 31) >> (size + 1)}]";
    }

    /// <summary>Source element of INS (element): its size by imm5, its index by imm4.</summary>
    public static string SimdImm4Elt(uint insn, ulong pc)
    {
        int size = SimdImm5Size(insn);
        return $"{SimdLetters[size]}[{((insn >> 11) & 15) >> size}]";
    }

    /// <summary>Register and index of a by-element operand, as v3.h[5].</summary>
    public static string SimdElt(uint insn, ulong pc)
    {
        uint h = (insn >> 11) & 1, l = (insn >> 21) & 1, m = (insn >> 20) & 1, rm = (insn >> 16) & 15;
        return SimdSize(insn) == 1 ? $"v{rm}.h[{(h << 2) | (l << 1) | m}]" : $"v{(m << 4) | rm}.s[{(h << 1) | l}]";
    }

    /// <summary>Table registers of TBL and TBX, as { v1.16b, v2.16b }.</summary>
    public static string SimdTblList(uint insn, ulong pc)
    {
        uint first = (insn >> 5) & 31, count = ((insn >> 13) & 3) + 1;
        var names = new string[count];
        for (uint i = 0; i < count; i++)
            names[i] = $"v{(first + i) & 31}.16b";
        return "{ " + string.Join(", ", names) + " }";
    }

    /// <summary>The 64-bit immediate of MOVI in which each bit of abcdefgh stands for a byte, in hexadecimal.</summary>
    public static string SimdImm64(uint insn, ulong pc)
    {
        ulong value = 0;
        for (int i = 0; i < 8; i++)
            value |= (SimdImm8(insn) >> i & 1) != 0 ? 0xFFUL << (8 * i) : 0;
        return value == 0 ? "#0000000000000000" : "#0x" + value.ToString("x14", CultureInfo.InvariantCulture);
    }

    /// <summary>The floating-point immediate of FMOV (vector, immediate), with eight decimals.</summary>
    public static string SimdImmFp(uint insn, ulong pc)
    {
        int imm8 = SimdImm8(insn);
        int exponent = ((imm8 >> 4) & 7) ^ 4;
        double value = (16 + (imm8 & 15)) / 16.0 * Math.Pow(2, exponent - 3);
        return "#" + ((imm8 & 0x80) != 0 ? -value : value).ToString("F8", CultureInfo.InvariantCulture);
    }

    /// <summary>The eight-bit immediate abcdefgh of the modified immediate forms, in decimal.</summary>
    public static string SimdImm8Text(uint insn, ulong pc) => SimdImm8(insn).ToString(CultureInfo.InvariantCulture);

    private static int SimdImm8(uint insn) => (int)(((insn >> 16) & 7) << 5 | ((insn >> 5) & 31));
}
