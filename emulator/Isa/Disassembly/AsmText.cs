using System.Globalization;
using System.Numerics;

namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>The vocabulary of assembly text: register names, immediates, conditions, arrangements, shifts. Generated
/// templates and the functions of <c>AsmFormat</c> use it.</summary>
public static class AsmText
{
    private static readonly string[] _x = Names("x", "xzr");
    private static readonly string[] _w = Names("w", "wzr");
    private static readonly string[] _b = Names("b", "b31");
    private static readonly string[] _h = Names("h", "h31");
    private static readonly string[] _s = Names("s", "s31");
    private static readonly string[] _d = Names("d", "d31");
    private static readonly string[] _q = Names("q", "q31");
    private static readonly string[] _v = Names("v", "v31");
    private static readonly string[] _conditions =
        ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"];
    private static readonly string[] _arrangements = ["8b", "16b", "4h", "8h", "2s", "4s", "1d", "2d", "1q"];
    private static readonly string[] _sizes = ["b", "h", "s", "d", "q"];
    private static readonly string[] _shifts = ["lsl", "lsr", "asr", "ror"];
    private static readonly string[] _extends = ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"];

    /// <summary>x0 to x30, xzr.</summary>
    public static string X(int n) => _x[n & 31];

    /// <summary>w0 to w30, wzr.</summary>
    public static string W(int n) => _w[n & 31];

    /// <summary>x0 to x30, sp.</summary>
    public static string Xsp(int n) => n == 31 ? "sp" : _x[n & 31];

    /// <summary>w0 to w30, wsp.</summary>
    public static string Wsp(int n) => n == 31 ? "wsp" : _w[n & 31];

    /// <summary>b0 to b31.</summary>
    public static string B(int n) => _b[n & 31];

    /// <summary>h0 to h31.</summary>
    public static string H(int n) => _h[n & 31];

    /// <summary>s0 to s31.</summary>
    public static string S(int n) => _s[n & 31];

    /// <summary>d0 to d31.</summary>
    public static string D(int n) => _d[n & 31];

    /// <summary>q0 to q31.</summary>
    public static string Q(int n) => _q[n & 31];

    /// <summary>v0 to v31.</summary>
    public static string V(int n) => _v[n & 31];

    /// <summary>A decimal number.</summary>
    public static string Decimal(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary># and a decimal number.</summary>
    public static string Immediate(long value) => "#" + value.ToString(CultureInfo.InvariantCulture);

    /// <summary>#0x and a hexadecimal number; zero is #0, as LLVM prints it.</summary>
    public static string HexImmediate(long value) => value == 0 ? "#0" : "#0x" + value.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>eq to nv.</summary>
    public static string Condition(int cond) => _conditions[cond & 15];

    /// <summary>8b, 16b, 4h... from size * 2 + Q; 8 is 1q.</summary>
    public static string Arrangement(int sizeQ) => (uint)sizeQ < 9 ? _arrangements[sizeQ] : "?";

    /// <summary>b, h, s, d, q from size.</summary>
    public static string ElementSize(int size) => (uint)size < 5 ? _sizes[size] : "?";

    /// <summary>The shifted register suffix <c>, lsl #3</c>; nothing for <c>lsl #0</c>.</summary>
    public static string ShiftSuffix(int shift, int amount) =>
        shift == 0 && amount == 0 ? "" : string.Concat(", ", _shifts[shift & 3], " #", Decimal(amount));

    /// <summary>An extended register operand with its extension, as add (extended register) writes it:
    /// <c>w2, uxtb #1</c>; the extension that equals lsl is written lsl when Rd or Rn is SP.</summary>
    public static string ExtendedRegister(int sf, int rm, int option, int amount, bool withStackPointer)
    {
        string register = sf == 1 && (option & 3) == 3 ? X(rm) : W(rm);
        string shift = amount == 0 ? "" : " #" + Decimal(amount);
        if (withStackPointer && option == (sf == 1 ? 3 : 2))
            return amount == 0 ? register : register + ", lsl" + shift;
        return string.Concat(register, ", ", _extends[option & 7], shift);
    }

    /// <summary>The index register of a load or store with its extension: <c>x2</c>, <c>x2, lsl #3</c>, <c>w2, sxtw #3</c>.</summary>
    public static string IndexRegister(int rm, int option, int s, int scale)
    {
        string register = (option & 1) == 1 ? X(rm) : W(rm);
        if (option == 3)
            return s == 0 ? register : string.Concat(register, ", lsl #", Decimal(scale));
        return string.Concat(register, ", ", _extends[option & 7], s == 0 ? "" : " #" + Decimal(scale));
    }

    /// <summary>The value of a logical immediate that is allocated (DDI0487, DecodeBitMasks).</summary>
    public static ulong BitMask(int sf, int n, int immr, int imms)
    {
        int length = BitOperations.Log2((uint)((n << 6) | (~imms & 63)));
        int size = 1 << length;
        int ones = (imms & (size - 1)) + 1;
        int rotate = immr & (size - 1);
        ulong element = ones == 64 ? ulong.MaxValue : (1UL << ones) - 1;
        ulong mask = size == 64 ? ulong.MaxValue : (1UL << size) - 1;
        element = rotate == 0 ? element : ((element >> rotate) | (element << (size - rotate))) & mask;
        for (int at = size; at < 64; at <<= 1)
            element |= element << at;
        return sf == 0 ? (uint)element : element;
    }

    /// <summary>VFPExpandImm for text: the value of an 8 bit floating-point immediate, with eight decimals.</summary>
    public static string FloatImmediate(int imm8)
    {
        int exponent = ((imm8 >> 4) & 3) ^ ((imm8 & 0x40) != 0 ? 0 : 4);
        double value = (16 + (imm8 & 15)) / 16.0 * Math.Pow(2, exponent - 3);
        return "#" + ((imm8 & 0x80) != 0 ? -value : value).ToString("F8", CultureInfo.InvariantCulture);
    }

    private static string[] Names(string prefix, string last)
    {
        var names = new string[32];
        for (int n = 0; n < 31; n++)
            names[n] = prefix + n.ToString(CultureInfo.InvariantCulture);
        names[31] = last;
        return names;
    }
}
