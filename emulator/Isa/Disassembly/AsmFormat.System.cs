using System.Globalization;

namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Text of system instructions and system registers.</summary>
public static partial class AsmFormat
{
    /// <summary>SYS with its aliases: the whole instruction.</summary>
    public static string SystemInstruction(uint insn, ulong pc)
    {
        int rt = Bits(insn, 0, 5);
        string? name = SystemInstructionNames.Find(Bits(insn, 16, 3), Bits(insn, 12, 4), Bits(insn, 8, 4), Bits(insn, 5, 3));
        if (name is not null && name[^1] == '.')
            return name[..^1];
        if (name is not null && name[^1] == '!')
        {
            if (rt == 31)
                return name[..^1];
        }
        else if (name is not null)
        {
            return name + (name.Contains(' ', StringComparison.Ordinal) ? ", " : " ") + AsmText.X(rt);
        }
        return "sys " + SystemOperands(insn) + (rt == 31 ? "" : ", " + AsmText.X(rt));
    }

    /// <summary>SYSL with its aliases: the whole instruction.</summary>
    public static string SystemInstructionLong(uint insn, ulong pc)
    {
        int rt = Bits(insn, 0, 5);
        return Bits(insn, 5, 14) switch
        {
            0x1BB9 => rt == 31 ? "gcspopm" : "gcspopm " + AsmText.X(rt),
            0x1BBB => "gcsss2 " + AsmText.X(rt),
            _ => $"sysl {AsmText.X(rt)}, {SystemOperands(insn)}",
        };
    }

    /// <summary>SYSP with its aliases (TLBIP): the whole instruction.</summary>
    public static string SystemInstructionPair(uint insn, ulong pc)
    {
        int rt = Bits(insn, 0, 5);
        string pair = rt == 31 ? "xzr, xzr" : AsmText.X(rt) + ", " + AsmText.X(rt + 1);
        string? name = SystemInstructionNames.Find(Bits(insn, 16, 3), Bits(insn, 12, 4), Bits(insn, 8, 4), Bits(insn, 5, 3));
        if (name is not null && name.StartsWith("tlbi ", StringComparison.Ordinal))
            return "tlbip " + name[5..].TrimEnd('.') + ", " + pair;
        return "sysp " + SystemOperands(insn) + (rt == 31 ? "" : ", " + pair);
    }

    private static string SystemOperands(uint insn) => string.Create(
        CultureInfo.InvariantCulture,
        $"#{Bits(insn, 16, 3)}, c{Bits(insn, 12, 4)}, c{Bits(insn, 8, 4)}, #{Bits(insn, 5, 3)}");

    /// <summary>Name of the register that MRS reads.</summary>
    public static string SystemRegisterRead(uint insn, ulong pc) => SystemRegisterName(insn, false);

    /// <summary>Name of the register that MSR writes.</summary>
    public static string SystemRegisterWritten(uint insn, ulong pc) => SystemRegisterName(insn, true);

    private static string SystemRegisterName(uint insn, bool write)
    {
        int op0 = Bits(insn, 19, 2), op1 = Bits(insn, 16, 3), crn = Bits(insn, 12, 4), crm = Bits(insn, 8, 4), op2 = Bits(insn, 5, 3);
        return SystemRegisterNames.Find(op0, op1, crn, crm, op2, write)
            ?? string.Create(CultureInfo.InvariantCulture, $"S{op0}_{op1}_C{crn}_C{crm}_{op2}");
    }
}
