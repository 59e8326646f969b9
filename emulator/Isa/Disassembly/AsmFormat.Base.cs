using System.Globalization;

namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Operand text that the instruction table's templates cannot express, for the base instructions, loads and
/// stores. Each function gets the encoding and its address and returns text as LLVM prints it.</summary>
public static partial class AsmFormat
{
    private static readonly string[] _prefetchTargets = ["l1", "l2", "l3", "slc"];
    private static readonly string[] _prefetchTypes = ["pld", "pli", "pst"];
    private static readonly string[] _barriers =
        ["#0", "oshld", "oshst", "osh", "#4", "nshld", "nshst", "nsh", "#8", "ishld", "ishst", "ish", "#12", "ld", "st", "sy"];

    private static readonly string[] _copyOptions =
        ["", "wt", "rt", "t", "wn", "wtwn", "rtwn", "twn", "rn", "wtrn", "rtrn", "trn", "n", "wtn", "rtn", "tn"];

    private static int Bits(uint insn, int low, int width) => (int)(insn >> low) & ((1 << width) - 1);

    private static ulong LogicalImmediateValue(uint insn) =>
        AsmText.BitMask(Bits(insn, 31, 1), Bits(insn, 22, 1), Bits(insn, 16, 6), Bits(insn, 10, 6));

    private static string SignedDecimal(uint insn, ulong value) =>
        "#" + (Bits(insn, 31, 1) != 0 ? (long)value : (int)value).ToString(CultureInfo.InvariantCulture);

    /// <summary>The bit mask of a logical (immediate) instruction in hexadecimal.</summary>
    public static string LogicalImmediate(uint insn, ulong pc) =>
        "#0x" + LogicalImmediateValue(insn).ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The bit mask of a logical (immediate) instruction as a signed decimal number (MOV alias).</summary>
    public static string LogicalImmediateDecimal(uint insn, ulong pc) => SignedDecimal(insn, LogicalImmediateValue(insn));

    /// <summary>The value that MOVZ or MOVN makes, as a signed decimal number (MOV alias).</summary>
    public static string MoveWideImmediate(uint insn, ulong pc)
    {
        ulong value = (ulong)Bits(insn, 5, 16) << (16 * Bits(insn, 21, 2));
        return SignedDecimal(insn, Bits(insn, 29, 2) == 0 ? ~value : value);
    }

    /// <summary>Rm and its extension in an add or subtract (extended register).</summary>
    public static string ExtendedRegister(uint insn, ulong pc)
    {
        bool setsFlags = Bits(insn, 29, 1) != 0;
        bool withStackPointer = Bits(insn, 5, 5) == 31 || (!setsFlags && Bits(insn, 0, 5) == 31);
        return AsmText.ExtendedRegister(Bits(insn, 31, 1), Bits(insn, 16, 5), Bits(insn, 13, 3), Bits(insn, 10, 3), withStackPointer);
    }

    /// <summary>Rm and its extension in a load or store (register offset).</summary>
    public static string RegisterOffset(uint insn, ulong pc)
    {
        bool quad = Bits(insn, 26, 1) != 0 && Bits(insn, 23, 1) != 0;
        return AsmText.IndexRegister(Bits(insn, 16, 5), Bits(insn, 13, 3), Bits(insn, 12, 1), quad ? 4 : Bits(insn, 30, 2));
    }

    /// <summary>The operation of a prefetch, or its number when it has no name.</summary>
    public static string PrefetchOperation(uint insn, ulong pc)
    {
        int operation = Bits(insn, 0, 5);
        if (operation >= 24)
            return "#" + operation.ToString(CultureInfo.InvariantCulture);
        return _prefetchTypes[operation >> 3] + _prefetchTargets[(operation >> 1) & 3] + ((operation & 1) != 0 ? "strm" : "keep");
    }

    /// <summary>The operation of a range prefetch, or its number when it has no name.</summary>
    public static string RangePrefetchOperation(uint insn, ulong pc)
    {
        int operation = (Bits(insn, 15, 1) << 5) | (Bits(insn, 13, 1) << 4) | (Bits(insn, 12, 1) << 3) | Bits(insn, 0, 3);
        return operation switch
        {
            0 => "pldkeep",
            1 => "pstkeep",
            4 => "pldstrm",
            5 => "pststrm",
            _ => "#" + operation.ToString(CultureInfo.InvariantCulture),
        };
    }

    /// <summary>The domain and kind of accesses of DMB and DSB.</summary>
    public static string BarrierOption(uint insn, ulong pc) => _barriers[Bits(insn, 8, 4)];

    /// <summary>The options of a memory copy, as the end of the mnemonic.</summary>
    public static string CopyOptions(uint insn, ulong pc) => _copyOptions[Bits(insn, 12, 4)];

    /// <summary>The register list of a load or store of multiple structures or of LDnR.</summary>
    public static string StructureList(uint insn, ulong pc)
    {
        int count;
        if (Bits(insn, 24, 1) != 0)
        {
            count = 1 + Bits(insn, 21, 1) + (Bits(insn, 13, 1) << 1);
        }
        else
        {
            count = Bits(insn, 12, 4) switch
            {
                0b0111 => 1,
                0b1010 or 0b1000 => 2,
                0b0110 or 0b0100 => 3,
                _ => 4,
            };
        }
        return RegisterList(insn, count, AsmText.Arrangement((Bits(insn, 10, 2) << 1) | Bits(insn, 30, 1)));
    }

    /// <summary>The register list of a load or store of single elements, without the index.</summary>
    public static string ElementList(uint insn, ulong pc)
    {
        int count = 1 + Bits(insn, 21, 1) + (Bits(insn, 13, 1) << 1);
        string size = Bits(insn, 14, 2) switch
        {
            0 => "b",
            1 => "h",
            _ => Bits(insn, 10, 1) != 0 ? "d" : "s",
        };
        return RegisterList(insn, count, size);
    }

    private static string RegisterList(uint insn, int count, string suffix)
    {
        int rt = Bits(insn, 0, 5);
        string list = "{ ";
        for (int i = 0; i < count; i++)
            list += (i == 0 ? "" : ", ") + AsmText.V((rt + i) & 31) + "." + suffix;
        return list + " }";
    }
}
