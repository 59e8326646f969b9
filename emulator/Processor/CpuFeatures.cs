namespace ArmVdso.Emulator.Processor;

/// <summary>When a feature is present: the ID register field that tells it, and from which value on. Several conditions of
/// one feature are alternatives.</summary>
/// <param name="Feature">Name as the FEATURE column of the instruction table has it (FEAT_ left out).</param>
/// <param name="Register">ID register.</param>
/// <param name="Field">Its field.</param>
/// <param name="Minimum">Lowest value with the feature. FP and AdvSIMD are signed: 15 is "not there".</param>
public sealed record FeatureCondition(string Feature, string Register, string Field, int Minimum);

/// <summary>The one map from features to ID register fields (DDI0487, A2.2 and D19.2). Instructions and system registers
/// exist where their feature's condition holds.</summary>
public static class CpuFeatures
{
    private const string Isar0 = "ID_AA64ISAR0_EL1", Isar1 = "ID_AA64ISAR1_EL1", Isar2 = "ID_AA64ISAR2_EL1", Isar3 = "ID_AA64ISAR3_EL1",
        Pfr0 = "ID_AA64PFR0_EL1", Pfr1 = "ID_AA64PFR1_EL1", Dfr0 = "ID_AA64DFR0_EL1", Dfr1 = "ID_AA64DFR1_EL1",
        Mmfr0 = "ID_AA64MMFR0_EL1", Mmfr1 = "ID_AA64MMFR1_EL1", Mmfr2 = "ID_AA64MMFR2_EL1";

    /// <summary>Features that every profile has: the base, and CHK, which is an instruction of the hint space without a field.</summary>
    private static readonly string[] Always = ["v8.0", "CHK"];

    /// <summary>The map.</summary>
    public static IReadOnlyList<FeatureCondition> Conditions { get; } =
    [
        new("FP", Pfr0, "FP", 0), new("ASIMD", Pfr0, "AdvSIMD", 0), new("FP16", Pfr0, "FP", 1), new("RAS", Pfr0, "RAS", 1),
        new("DIT", Pfr0, "DIT", 1), new("BTI", Pfr1, "BT", 1), new("SSBS_PSTATE", Pfr1, "SSBS", 1), new("SSBS", Pfr1, "SSBS", 2),
        new("MTE", Pfr1, "MTE", 1), new("NMI", Pfr1, "NMI", 1), new("GCS", Pfr1, "GCS", 1), new("THE", Pfr1, "THE", 1),
        new("SPE", Dfr0, "PMSVer", 1), new("TRF", Dfr0, "TraceFilt", 1), new("EBEP", Dfr1, "EBEP", 1),
        new("AES", Isar0, "AES", 1), new("PMULL", Isar0, "AES", 2), new("SHA1", Isar0, "SHA1", 1), new("SHA256", Isar0, "SHA2", 1),
        new("SHA512", Isar0, "SHA2", 2), new("CRC32", Isar0, "CRC32", 1), new("LSE", Isar0, "Atomic", 2), new("LSE128", Isar0, "Atomic", 3),
        new("TME", Isar0, "TME", 1), new("RDM", Isar0, "RDM", 1), new("SHA3", Isar0, "SHA3", 1), new("SM3", Isar0, "SM3", 1),
        new("SM4", Isar0, "SM4", 1), new("DOTPROD", Isar0, "DP", 1), new("FHM", Isar0, "FHM", 1), new("FLAGM", Isar0, "TS", 1),
        new("FLAGM2", Isar0, "TS", 2), new("TLBIOS", Isar0, "TLB", 1), new("TLBIRANGE", Isar0, "TLB", 2), new("RNG", Isar0, "RNDR", 1),
        new("DPB", Isar1, "DPB", 1), new("DPB2", Isar1, "DPB", 2), new("PAUTH", Isar1, "APA", 1), new("PAUTH", Isar1, "API", 1),
        new("PAUTH", Isar2, "APA3", 1),
        new("PAUTH_LR", Isar1, "APA", 6), new("PAUTH_LR", Isar1, "API", 6), new("PAUTH_LR", Isar2, "APA3", 6),
        new("JSCVT", Isar1, "JSCVT", 1), new("FCMA", Isar1, "FCMA", 1), new("RCPC", Isar1, "LRCPC", 1), new("RCPC2", Isar1, "LRCPC", 2),
        new("RCPC3", Isar1, "LRCPC", 3), new("FRINTTS", Isar1, "FRINTTS", 1), new("SB", Isar1, "SB", 1),
        new("SPECRES", Isar1, "SPECRES", 1),
        new("BF16", Isar1, "BF16", 1), new("DGH", Isar1, "DGH", 1), new("I8MM", Isar1, "I8MM", 1), new("XS", Isar1, "XS", 1),
        new("LS64", Isar1, "LS64", 1),
        new("WFXT", Isar2, "WFxT", 2), new("RPRES", Isar2, "RPRES", 1), new("MOPS", Isar2, "MOPS", 1), new("HBC", Isar2, "BC", 1),
        new("CLRBHB", Isar2, "CLRBHB", 1), new("D128", Isar2, "SYSREG_128", 1), new("RPRFM", Isar2, "RPRFM", 1),
        new("CSSC", Isar2, "CSSC", 1), new("LUT", Isar2, "LUT", 1),
        new("CPA", Isar3, "CPA", 1),
        new("ECV", Mmfr0, "ECV", 1), new("LOR", Mmfr1, "LO", 1), new("PAN", Mmfr1, "PAN", 1), new("PAN2", Mmfr1, "PAN", 2),
        new("AFP", Mmfr1, "AFP", 1), new("UAO", Mmfr2, "UAO", 1), new("LSE2", Mmfr2, "AT", 1),
    ];

    /// <summary>Whether the map knows the feature.</summary>
    public static bool Knows(string feature) => Always.Contains(feature) || Conditions.Any(c => c.Feature == feature);

    /// <summary>The features that ID registers announce.</summary>
    public static HashSet<string> Of(Func<string, ulong> register)
    {
        var present = new HashSet<string>(Always);
        foreach (FeatureCondition condition in Conditions)
        {
            int value = (int)(register(condition.Register) >> IdentificationFields.Lsb(condition.Register, condition.Field)) & 15;
            bool absent = value == 15 && condition.Field is "FP" or "AdvSIMD";
            if (value >= condition.Minimum && !absent)
                present.Add(condition.Feature);
        }
        return present;
    }

    /// <summary>Whether the row executes as NOP where its feature is absent: the hint space (DDI0487, C4.1.94, Hints) and
    /// RPRFM, which is a PRFM with a hint that is not allocated.</summary>
    public static bool IsHint(Row row) => row == Row.RPRFM || IsHintSpace(row);

    /// <summary>Whether the row lies in the hint space.</summary>
    public static bool IsHintSpace(Row row) =>
        (RowInfo.Mask(row) & HintMask) == HintMask && (RowInfo.Value(row) & HintMask) == HintValue;

    private const uint HintMask = 0xFFFFF01F, HintValue = 0xD503201F;
}
