namespace ArmVdso.Emulator.Processor;

/// <summary>The named fields of the AArch64 ID registers, four bits each (DDI0487, D19.2; for later ones the A-profile XML).</summary>
public static class IdentificationFields
{
    private static readonly Dictionary<string, Dictionary<string, int>> Registers = new()
    {
        ["ID_AA64PFR0_EL1"] = Sixteen("EL0 EL1 EL2 EL3 FP AdvSIMD GIC RAS SVE SEL2 MPAM AMU DIT RME CSV2 CSV3"),
        ["ID_AA64PFR1_EL1"] = Sixteen("BT SSBS MTE RAS_frac MPAM_frac - SME RNDR_trap CSV2_frac NMI MTE_frac GCS THE MTEX DF2 PFAR"),
        ["ID_AA64DFR0_EL1"] = Sixteen(
            "DebugVer TraceVer PMUVer BRPs PMSS WRPs SEBEP CTX_CMPs PMSVer DoubleLock TraceFilt TraceBuffer MTPMU BRBE ExtTrcBuff HPMN0"),
        ["ID_AA64DFR1_EL1"] = Sixteen("- - - - - - - - - - - - EBEP - - -"),
        ["ID_AA64ISAR0_EL1"] = Sixteen("- AES SHA1 SHA2 CRC32 Atomic TME RDM SHA3 SM3 SM4 DP FHM TS TLB RNDR"),
        ["ID_AA64ISAR1_EL1"] = Sixteen("DPB APA API JSCVT FCMA LRCPC GPA GPI FRINTTS SB SPECRES BF16 DGH I8MM XS LS64"),
        ["ID_AA64ISAR2_EL1"] =
            Sixteen("WFxT RPRES GPA3 APA3 MOPS BC PAC_frac CLRBHB SYSREG_128 SYSINSTR_128 PRFMSLC PCDPHINT RPRFM CSSC LUT ATS1A"),
        ["ID_AA64ISAR3_EL1"] = Sixteen("CPA FAMINMAX TLBIW PACM LSFE OCCMO LSUI FPRCVT - - - - - - - -"),
        ["ID_AA64MMFR0_EL1"] =
            Sixteen("PARange ASIDBits BigEnd SNSMem BigEndEL0 TGran16 TGran64 TGran4 TGran16_2 TGran64_2 TGran4_2 ExS - - FGT ECV"),
        ["ID_AA64MMFR1_EL1"] = Sixteen("HAFDBS VMIDBits VH HPDS LO PAN SpecSEI XNX TWED ETS HCX AFP nTLBPA TIDCP1 CMOW ECBHB"),
        ["ID_AA64MMFR2_EL1"] = Sixteen("CnP UAO LSM IESB VARange CCIDX NV ST AT IDS FWB - TTL BBM EVT E0PD"),
    };

    private static Dictionary<string, int> Sixteen(string names) => names.Split(' ')
        .Select((name, i) => (name, i)).Where(f => f.name != "-").ToDictionary(f => f.name, f => f.i * 4);

    /// <summary>Lowest bit of a field, or -1 when the register has none of that name.</summary>
    public static int Lsb(string register, string field) =>
        Registers.TryGetValue(register, out Dictionary<string, int>? fields) && fields.TryGetValue(field, out int lsb) ? lsb : -1;

    /// <summary>Whether fields of this register have names here.</summary>
    public static bool Knows(string register) => Registers.ContainsKey(register);
}
