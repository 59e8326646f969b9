using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>The identification registers of a CPU profile. Values not set read as zero.</summary>
[NotState("the CPU profile says it")]
public sealed class Identification
{
    private readonly Dictionary<string, ulong> _values = [];

    /// <summary>ID registers with op0=3, op1=0, CRn=0: name, CRm, op2.</summary>
    public static readonly (string Name, int CRm, int Op2)[] Names =
    [
        ("ID_AA64PFR0_EL1", 4, 0), ("ID_AA64PFR1_EL1", 4, 1), ("ID_AA64PFR2_EL1", 4, 2), ("ID_AA64ZFR0_EL1", 4, 4),
        ("ID_AA64SMFR0_EL1", 4, 5),
        ("ID_AA64FPFR0_EL1", 4, 7), ("ID_AA64DFR0_EL1", 5, 0), ("ID_AA64DFR1_EL1", 5, 1),
        ("ID_AA64ISAR0_EL1", 6, 0), ("ID_AA64ISAR1_EL1", 6, 1), ("ID_AA64ISAR2_EL1", 6, 2), ("ID_AA64ISAR3_EL1", 6, 3),
        ("ID_AA64MMFR0_EL1", 7, 0), ("ID_AA64MMFR1_EL1", 7, 1), ("ID_AA64MMFR2_EL1", 7, 2), ("ID_AA64MMFR3_EL1", 7, 3),
        ("ID_AA64MMFR4_EL1", 7, 4),
    ];

    /// <summary>MIDR_EL1: implementer, variant, architecture, part, revision.</summary>
    public ulong MIDR_EL1 { get; set; } = 0x410FD034;

    /// <summary>CTR_EL0: 64-byte lines, VIPT/PIPT, granules of 64 bytes.</summary>
    public ulong CTR_EL0 { get; set; } = 0x8444C004;

    /// <summary>What the ID registers say of translation by tables.</summary>
    internal TranslationFeatures TranslationFeatures
    {
        get
        {
            int Value(string register, string name) => (int)(this[register] >> IdentificationFields.Lsb(register, name)) & 15;
            int hafdbs = Value("ID_AA64MMFR1_EL1", "HAFDBS");
            int bits = Value("ID_AA64MMFR0_EL1", "PARange") switch { 0 => 32, 1 => 36, 2 => 40, 3 => 42, 4 => 44, _ => 48 };
            return new TranslationFeatures(
                hafdbs >= 1, hafdbs >= 2, Value("ID_AA64MMFR1_EL1", "HPDS") >= 1, Value("ID_AA64MMFR2_EL1", "E0PD") >= 1, bits);
        }
    }

    /// <summary>The value of one ID register by its Arm ARM name.</summary>
    public ulong this[string name]
    {
        get => _values.GetValueOrDefault(name);
        set => _values[name] = value;
    }
}
