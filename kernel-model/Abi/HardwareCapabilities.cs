namespace ArmVdso.Kernel.Abi;

/// <summary>HWCAP bits that follow from the ID registers, as arch/arm64/kernel/cpufeature.c derives them
/// (names and bits: arch/arm64/include/uapi/asm/hwcap.h).</summary>
public static class HardwareCapabilities
{
    /// <summary>One capability: it is there when the ID register field is at least <see cref="Minimum"/> (signed fields are not
    /// 0xF).</summary>
    private readonly record struct Row(string Name, int Word, int Bit, string Register, int Shift, int Minimum, bool Signed = false)
    {
        /// <summary>Other fields that give the capability by the same minimum.</summary>
        public (string Register, int Shift)[] Alternatives { get; init; } = [];
    }

    private static readonly Row[] Rows =
    [
        new("fp", 1, 0, "ID_AA64PFR0_EL1", 16, 0, true), new("asimd", 1, 1, "ID_AA64PFR0_EL1", 20, 0, true), new("evtstrm", 1, 2, "", 0, 0),
        new("aes", 1, 3, "ID_AA64ISAR0_EL1", 4, 1), new("pmull", 1, 4, "ID_AA64ISAR0_EL1", 4, 2),
        new("sha1", 1, 5, "ID_AA64ISAR0_EL1", 8, 1), new("sha2", 1, 6, "ID_AA64ISAR0_EL1", 12, 1),
        new("crc32", 1, 7, "ID_AA64ISAR0_EL1", 16, 1), new("atomics", 1, 8, "ID_AA64ISAR0_EL1", 20, 2),
        new("fphp", 1, 9, "ID_AA64PFR0_EL1", 16, 1, true), new("asimdhp", 1, 10, "ID_AA64PFR0_EL1", 20, 1, true),
        new("cpuid", 1, 11, "", 0, 0), new("asimdrdm", 1, 12, "ID_AA64ISAR0_EL1", 28, 1), new("jscvt", 1, 13, "ID_AA64ISAR1_EL1", 12, 1),
        new("fcma", 1, 14, "ID_AA64ISAR1_EL1", 16, 1), new("lrcpc", 1, 15, "ID_AA64ISAR1_EL1", 20, 1),
        new("dcpop", 1, 16, "ID_AA64ISAR1_EL1", 0, 1), new("sha3", 1, 17, "ID_AA64ISAR0_EL1", 32, 1),
        new("sm3", 1, 18, "ID_AA64ISAR0_EL1", 36, 1), new("sm4", 1, 19, "ID_AA64ISAR0_EL1", 40, 1),
        new("asimddp", 1, 20, "ID_AA64ISAR0_EL1", 44, 1), new("sha512", 1, 21, "ID_AA64ISAR0_EL1", 12, 2),
        new("asimdfhm", 1, 23, "ID_AA64ISAR0_EL1", 48, 1), new("dit", 1, 24, "ID_AA64PFR0_EL1", 48, 1),
        new("uscat", 1, 25, "ID_AA64MMFR2_EL1", 32, 1), new("ilrcpc", 1, 26, "ID_AA64ISAR1_EL1", 20, 2),
        new("flagm", 1, 27, "ID_AA64ISAR0_EL1", 52, 1), new("ssbs", 1, 28, "ID_AA64PFR1_EL1", 4, 2),
        new("sb", 1, 29, "ID_AA64ISAR1_EL1", 36, 1),
        new("paca", 1, 30, "ID_AA64ISAR1_EL1", 4, 1) { Alternatives = [("ID_AA64ISAR1_EL1", 8), ("ID_AA64ISAR2_EL1", 12)] },
        new("pacg", 1, 31, "ID_AA64ISAR1_EL1", 24, 1) { Alternatives = [("ID_AA64ISAR1_EL1", 28), ("ID_AA64ISAR2_EL1", 8)] },
        new("dcpodp", 2, 0, "ID_AA64ISAR1_EL1", 0, 2), new("flagm2", 2, 7, "ID_AA64ISAR0_EL1", 52, 2),
        new("frint", 2, 8, "ID_AA64ISAR1_EL1", 32, 1), new("i8mm", 2, 13, "ID_AA64ISAR1_EL1", 52, 1),
        new("bf16", 2, 14, "ID_AA64ISAR1_EL1", 44, 1), new("dgh", 2, 15, "ID_AA64ISAR1_EL1", 48, 1),
        new("rng", 2, 16, "ID_AA64ISAR0_EL1", 60, 1), new("bti", 2, 17, "ID_AA64PFR1_EL1", 0, 1),
        new("ecv", 2, 19, "ID_AA64MMFR0_EL1", 60, 1), new("afp", 2, 20, "ID_AA64MMFR1_EL1", 44, 1),
        new("rpres", 2, 21, "ID_AA64ISAR2_EL1", 4, 1), new("wfxt", 2, 31, "ID_AA64ISAR2_EL1", 0, 2),
        new("ebf16", 2, 32, "ID_AA64ISAR1_EL1", 44, 2), new("cssc", 2, 34, "ID_AA64ISAR2_EL1", 52, 1),
        new("rprfm", 2, 35, "ID_AA64ISAR2_EL1", 48, 1), new("mops", 2, 43, "ID_AA64ISAR2_EL1", 16, 1),
        new("hbc", 2, 44, "ID_AA64ISAR2_EL1", 20, 1), new("lrcpc3", 2, 46, "ID_AA64ISAR1_EL1", 20, 3),
        new("lse128", 2, 47, "ID_AA64ISAR0_EL1", 20, 3), new("lut", 2, 49, "ID_AA64ISAR2_EL1", 56, 1),
    ];

    private static bool Has(Machine machine, Row row)
    {
        if (row.Register.Length == 0)
            return row.Name == "cpuid";
        int Field(string register, int shift) => (int)(machine.Identification[register] >> shift) & 15;
        int field = Field(row.Register, row.Shift);
        return (field >= row.Minimum && !(row.Signed && field == 15))
            || row.Alternatives.Any(a => Field(a.Register, a.Shift) >= row.Minimum);
    }

    /// <summary>AT_HWCAP, AT_HWCAP2 and AT_HWCAP3.</summary>
    public static (ulong Hwcap, ulong Hwcap2, ulong Hwcap3) Bits(Machine machine)
    {
        ulong first = 0, second = 0;
        foreach (Row row in Rows)
        {
            if (!Has(machine, row))
                continue;
            if (row.Word == 1)
                first |= 1UL << row.Bit;
            else
                second |= 1UL << row.Bit;
        }
        return (first, second, 0);
    }

    /// <summary>The Features line of /proc/cpuinfo.</summary>
    public static string Names(Machine machine) => string.Join(' ', Rows.Where(r => Has(machine, r)).Select(r => r.Name));

    /// <summary>Whether guarded pages are in effect (FEAT_BTI in the CPU profile).</summary>
    internal static bool HasBti(Machine machine) => (machine.Identification["ID_AA64PFR1_EL1"] & 15) != 0;
}
