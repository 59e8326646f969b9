using System.Globalization;

namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Text of floating-point operands.</summary>
public static partial class AsmFormat
{
    /// <summary>The constant of FMOV (scalar, immediate), with eight decimals as LLVM prints it; all 256 are exact.
    /// imm8 is sign, three exponent bits (the first inverted) and four fraction bits (VFPExpandImm).</summary>
    public static string FpImmediate(uint insn, ulong pc)
    {
        int imm8 = (int)(insn >> 13) & 0xFF;
        int exponent = ((imm8 >> 4) & 3) + ((imm8 & 0x40) != 0 ? -3 : 1);
        double value = (16 + (imm8 & 15)) / 16.0 * Math.Pow(2, exponent);
        return "#" + ((imm8 & 0x80) != 0 ? -value : value).ToString("F8", CultureInfo.InvariantCulture);
    }
}
