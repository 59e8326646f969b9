using ArmVdso.Emulator;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Cli;

/// <summary>The CPU profile of a run: ID registers that name exactly the features whose instructions are implemented.</summary>
internal static class CpuProfile
{
    /// <summary>Field of an ID register that a feature of the instruction table sets.</summary>
    private readonly record struct Field(string Feature, string Register, int Shift, ulong Value);

    private static readonly Field[] Fields =
    [
        new("AES", "ID_AA64ISAR0_EL1", 4, 1), new("PMULL", "ID_AA64ISAR0_EL1", 4, 2), new("SHA1", "ID_AA64ISAR0_EL1", 8, 1),
        new("SHA256", "ID_AA64ISAR0_EL1", 12, 1), new("SHA512", "ID_AA64ISAR0_EL1", 12, 2), new("CRC32", "ID_AA64ISAR0_EL1", 16, 1),
        new("LSE", "ID_AA64ISAR0_EL1", 20, 2), new("RDM", "ID_AA64ISAR0_EL1", 28, 1), new("SHA3", "ID_AA64ISAR0_EL1", 32, 1),
        new("SM3", "ID_AA64ISAR0_EL1", 36, 1), new("SM4", "ID_AA64ISAR0_EL1", 40, 1), new("DOTPROD", "ID_AA64ISAR0_EL1", 44, 1),
        new("FHM", "ID_AA64ISAR0_EL1", 48, 1), new("FLAGM", "ID_AA64ISAR0_EL1", 52, 1), new("FLAGM2", "ID_AA64ISAR0_EL1", 52, 2),
        new("RNG", "ID_AA64ISAR0_EL1", 60, 1), new("DPB", "ID_AA64ISAR1_EL1", 0, 1), new("DPB2", "ID_AA64ISAR1_EL1", 0, 2),
        new("JSCVT", "ID_AA64ISAR1_EL1", 12, 1), new("FCMA", "ID_AA64ISAR1_EL1", 16, 1), new("RCPC", "ID_AA64ISAR1_EL1", 20, 1),
        new("RCPC2", "ID_AA64ISAR1_EL1", 20, 2), new("FRINTTS", "ID_AA64ISAR1_EL1", 32, 1), new("SB", "ID_AA64ISAR1_EL1", 36, 1),
        new("BF16", "ID_AA64ISAR1_EL1", 44, 1), new("DGH", "ID_AA64ISAR1_EL1", 48, 1), new("I8MM", "ID_AA64ISAR1_EL1", 52, 1),
        new("PAUTH", "ID_AA64ISAR1_EL1", 4, 1), new("PAUTH", "ID_AA64ISAR1_EL1", 24, 1),
        new("WFXT", "ID_AA64ISAR2_EL1", 0, 2), new("MOPS", "ID_AA64ISAR2_EL1", 16, 1), new("HBC", "ID_AA64ISAR2_EL1", 20, 1), new("CSSC", "ID_AA64ISAR2_EL1", 52, 1),
        new("FP16", "ID_AA64PFR0_EL1", 16, 1), new("FP16", "ID_AA64PFR0_EL1", 20, 1), new("BTI", "ID_AA64PFR1_EL1", 0, 1),
    ];

    /// <summary>Sets the ID registers from what the instruction table implements.</summary>
    internal static void Apply(Machine machine)
    {
        var missing = new HashSet<string>();
        var present = new HashSet<string>();
        for (int i = 1; i < RowInfo.Count; i++)
        {
            string feature = RowInfo.Feature((Row)i).ToString();
            (RowInfo.HasSemantics((Row)i) ? present : missing).Add(feature);
        }
        present.ExceptWith(missing);
        foreach (Field field in Fields)
        {
            if (!present.Contains(field.Feature))
                continue;
            ulong old = machine.Identification[field.Register];
            ulong mask = 15UL << field.Shift;
            if ((old & mask) >> field.Shift < field.Value)
                machine.Identification[field.Register] = (old & ~mask) | field.Value << field.Shift;
        }
        // DIT, SSBS and LSE2 are properties of the machine, without rows that could be missing.
        machine.Identification["ID_AA64PFR0_EL1"] |= 1UL << 48 | 0x11;
        machine.Identification["ID_AA64PFR1_EL1"] |= 2UL << 4;
        machine.Identification["ID_AA64MMFR2_EL1"] |= 1UL << 32;
        machine.Identification["ID_AA64MMFR0_EL1"] |= 1UL << 60;
        foreach (Cpu cpu in machine.Cpus)
            cpu.HasLse2 = true;
    }
}
