namespace ArmVdso.Kernel.Abi;

/// <summary>ID registers as Linux shows them to EL0 (arch/arm64/kernel/cpufeature.c: emulate_mrs and the arm64_ftr_bits
/// tables; Documentation/arch/arm64/cpu-feature-registers.rst): visible fields have their value, hidden fields a safe one.</summary>
public static class UserIdentification
{
    /// <summary>One register: its visible fields and the safe value of the hidden ones.</summary>
    private sealed record Shown(string Fields, ulong Safe = 0);

    private static readonly Dictionary<string, Shown> Registers = new()
    {
        ["ID_AA64PFR0_EL1"] = new("FP AdvSIMD DIT", 0x11),
        ["ID_AA64PFR1_EL1"] = new("BT SSBS MTE"),
        ["ID_AA64DFR0_EL1"] = new("", 0x6),
        ["ID_AA64ISAR0_EL1"] = new("AES SHA1 SHA2 CRC32 Atomic RDM SHA3 SM3 SM4 DP FHM TS RNDR"),
        ["ID_AA64ISAR1_EL1"] = new("DPB APA API JSCVT FCMA LRCPC GPA GPI FRINTTS SB SPECRES BF16 DGH I8MM"),
        ["ID_AA64ISAR2_EL1"] = new("WFxT RPRES GPA3 APA3 MOPS BC RPRFM CSSC LUT"),
        // Stage 2 granules 1; the 4 and 64 KB granules "not there" (15).
        ["ID_AA64MMFR0_EL1"] = new("ECV", 0x0000_0111_FF00_0000),
        ["ID_AA64MMFR1_EL1"] = new("AFP"),
        ["ID_AA64MMFR2_EL1"] = new("AT"),
    };

    /// <summary>Value of the register S3_0_C0_<paramref name="crm"/>_<paramref name="op2"/> for EL0, or null where Linux
    /// sends SIGILL.</summary>
    public static ulong? Read(Machine machine, int crm, int op2)
    {
        if (crm == 0)
        {
            return op2 switch
            {
                0 => machine.Identification.MIDR_EL1,
                5 => 1UL << 31,
                6 => 0,
                _ => null,
            };
        }
        if (crm is < 2 or > 7)
            return null;
        string? name = Identification.Names.FirstOrDefault(n => n.CRm == crm && n.Op2 == op2).Name;
        if (name is null || !Registers.TryGetValue(name, out Shown? shown))
            return 0;
        ulong value = shown.Safe;
        foreach (string field in shown.Fields.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            ulong mask = 15UL << IdentificationFields.Lsb(name, field);
            value = (value & ~mask) | (machine.Identification[name] & mask);
        }
        return value;
    }
}
