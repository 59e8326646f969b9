namespace ArmVdso.Emulator.Processor;

/// <summary>One system register: its encoding, who may access it, and what reading and writing do.</summary>
/// <param name="Name">Name in the Arm ARM.</param>
/// <param name="Key">op0:op1:CRn:CRm:op2 as <see cref="SystemRegisters.Key"/> packs them.</param>
/// <param name="ReadEL">Lowest EL that may read it; 2 means never.</param>
/// <param name="WriteEL">Lowest EL that may write it; 2 means never.</param>
/// <param name="Read">Reads the value.</param>
/// <param name="Write">Writes the value.</param>
/// <param name="Feature">Feature that has it, by the name of the instruction table; null: every profile.</param>
public sealed record SystemRegister(
    string Name, int Key, int ReadEL, int WriteEL, Func<Cpu, ulong> Read, Action<Cpu, ulong> Write, string? Feature = null)
{
    /// <summary>A register of the performance monitors, which PMUSERENR_EL0 opens to EL0.</summary>
    internal bool IsMonitor { get; } = Name.StartsWith("PM", StringComparison.Ordinal);

    /// <summary>It is part of an interrupt controller, and not there without one.</summary>
    internal bool NeedsController { get; init; }
}

/// <summary>The system registers that exist here, declared once: access checks, traps, dumps and documents derive from
/// this table. Encodings: DDI0487, D19 (AArch64 System register descriptions).</summary>
public static class SystemRegisters
{
    private const int Never = 2;
    private static readonly (string, int, int, int)[] PauthKeys =
    [
        ("APIAKeyLo_EL1", 1, 0, 0), ("APIAKeyHi_EL1", 1, 1, 1), ("APIBKeyLo_EL1", 1, 2, 2), ("APIBKeyHi_EL1", 1, 3, 3),
        ("APDAKeyLo_EL1", 2, 0, 4), ("APDAKeyHi_EL1", 2, 1, 5), ("APDBKeyLo_EL1", 2, 2, 6), ("APDBKeyHi_EL1", 2, 3, 7),
        ("APGAKeyLo_EL1", 3, 0, 8), ("APGAKeyHi_EL1", 3, 1, 9),
    ];

    /// <summary>Registers of the CPU interface that are there with an interrupt controller only: CRn 12.</summary>
    private static readonly (string Name, int CRm, int Op2, bool Reads, bool Writes)[] Interfaces =
    [
        ("ICC_IAR0_EL1", 8, 0, true, false), ("ICC_EOIR0_EL1", 8, 1, false, true), ("ICC_HPPIR0_EL1", 8, 2, true, false),
        ("ICC_BPR0_EL1", 8, 3, true, true), ("ICC_AP0R0_EL1", 8, 4, true, true), ("ICC_AP1R0_EL1", 9, 0, true, true),
        ("ICC_DIR_EL1", 11, 1, false, true), ("ICC_RPR_EL1", 11, 3, true, false), ("ICC_SGI1R_EL1", 11, 5, false, true),
        ("ICC_ASGI1R_EL1", 11, 6, false, true), ("ICC_SGI0R_EL1", 11, 7, false, true), ("ICC_HPPIR1_EL1", 12, 2, true, false),
        ("ICC_BPR1_EL1", 12, 3, true, true), ("ICC_CTLR_EL1", 12, 4, true, true), ("ICC_SRE_EL1", 12, 5, true, true),
        ("ICC_IGRPEN0_EL1", 12, 6, true, true),
    ];

    // After what Build reads: static fields are initialised in the order of the text.
    private static readonly Dictionary<int, SystemRegister> ByKey = Build();

    /// <summary>All rows in the order of their encodings.</summary>
    public static IEnumerable<SystemRegister> All => ByKey.Values.OrderBy(r => r.Key);

    /// <summary>Packs the five encoding fields into one number.</summary>
    public static int Key(int op0, int op1, int crn, int crm, int op2) =>
        (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;

    /// <summary>The row for an encoding, or null.</summary>
    public static SystemRegister? Find(int key) => ByKey.GetValueOrDefault(key);

    /// <summary>The register's name, or the generic S3_op1_Cn_Cm_op2 form.</summary>
    public static string NameOf(int op0, int op1, int crn, int crm, int op2) =>
        Find(Key(op0, op1, crn, crm, op2))?.Name ?? $"S{op0}_{op1}_C{crn}_C{crm}_{op2}";

    /// <summary>The feature that a register belongs to.</summary>
    private static string? FeatureOf(string name) => name switch
    {
        "PAN" or "UAO" or "DIT" or "SSBS" => name,
        "TCO" or "RGSR_EL1" or "GCR_EL1" => "MTE",
        "RNDR" or "RNDRRS" => "RNG",
        "DISR_EL1" or "ERRIDR_EL1" or "ERRSELR_EL1" => "RAS",
        "CNTPCTSS_EL0" or "CNTVCTSS_EL0" => "ECV",
        _ => name.StartsWith("AP", StringComparison.Ordinal) && name.Contains("Key", StringComparison.Ordinal) ? "PAUTH" : null,
    };

    private static Dictionary<int, SystemRegister> Build()
    {
        var table = new Dictionary<int, SystemRegister>();
        void Add(
            string name, (int op0, int op1, int crn, int crm, int op2) e, int readEL, int writeEL,
            Func<Cpu, ulong> read, Action<Cpu, ulong>? write = null)
        {
            int key = Key(e.op0, e.op1, e.crn, e.crm, e.op2);
            table.Add(key, new SystemRegister(name, key, readEL, writeEL, read, write ?? ((_, _) => { }), FeatureOf(name)));
        }
        void Id(string name, int crm, int op2, Func<Cpu, ulong> read) => Add(name, (3, 0, 0, crm, op2), 1, Never, read);

        // Thread and process identification.
        Add("TPIDR_EL0", (3, 3, 13, 0, 2), 0, 0, c => c.TPIDR_EL0, (c, v) => c.TPIDR_EL0 = v);
        Add("TPIDRRO_EL0", (3, 3, 13, 0, 3), 0, 1, c => c.TPIDRRO_EL0, (c, v) => c.WriteTpidrro(v));
        Add("TPIDR_EL1", (3, 0, 13, 0, 4), 1, 1, c => c.TPIDR_EL1, (c, v) => c.TPIDR_EL1 = v);
        Add("CONTEXTIDR_EL1", (3, 0, 13, 0, 1), 1, 1, c => c.CONTEXTIDR_EL1, (c, v) => c.CONTEXTIDR_EL1 = v);

        // PSTATE fields as registers.
        Add("NZCV", (3, 3, 4, 2, 0), 0, 0, c => (ulong)c.NZCV << 28, (c, v) => c.NZCV = (int)(v >> 28) & 15);
        Add("DAIF", (3, 3, 4, 2, 1), 0, 0, c => (ulong)c.Daif << 6, (c, v) => c.Daif = (int)(v >> 6) & 15);
        Add("CurrentEL", (3, 0, 4, 2, 2), 1, Never, c => (ulong)c.EL << 2);
        Add("PAN", (3, 0, 4, 2, 3), 1, 1, c => c.PAN ? 1UL << 22 : 0, (c, v) => c.PAN = (v & (1UL << 22)) != 0);
        Add("UAO", (3, 0, 4, 2, 4), 1, 1, c => c.UAO ? 1UL << 23 : 0, (c, v) => c.UAO = (v & (1UL << 23)) != 0);
        Add("SPSel", (3, 0, 4, 2, 0), 1, 1, c => c.SPSel ? 1UL : 0, (c, v) => c.SPSel = (v & 1) != 0);
        Add("DIT", (3, 3, 4, 2, 5), 0, 0, c => c.DIT ? 1UL << 24 : 0, (c, v) => c.DIT = (v & (1UL << 24)) != 0);
        Add("SSBS", (3, 3, 4, 2, 6), 0, 0, c => c.SSBS ? 1UL << 12 : 0, (c, v) => c.SSBS = (v & (1UL << 12)) != 0);
        Add("SP_EL0", (3, 0, 4, 1, 0), 1, 1, c => c.SP_EL0, (c, v) => c.SP_EL0 = v);
        Add("FPCR", (3, 3, 4, 4, 0), 0, 0, c => c.FPCR, (c, v) => c.WriteFpcr((uint)v));
        Add("FPSR", (3, 3, 4, 4, 1), 0, 0, c => c.FPSR, (c, v) => c.FPSR = (uint)v & 0x0800009F);

        // Exceptions.
        Add("ELR_EL1", (3, 0, 4, 0, 1), 1, 1, c => c.ELR_EL1, (c, v) => c.ELR_EL1 = v);
        Add("SPSR_EL1", (3, 0, 4, 0, 0), 1, 1, c => c.SPSR_EL1, (c, v) => c.SPSR_EL1 = v);
        Add("ESR_EL1", (3, 0, 5, 2, 0), 1, 1, c => c.ESR_EL1, (c, v) => c.ESR_EL1 = v);
        Add("FAR_EL1", (3, 0, 6, 0, 0), 1, 1, c => c.FAR_EL1, (c, v) => c.FAR_EL1 = v);
        Add("AFSR0_EL1", (3, 0, 5, 1, 0), 1, 1, _ => 0);
        Add("AFSR1_EL1", (3, 0, 5, 1, 1), 1, 1, _ => 0);
        Add("VBAR_EL1", (3, 0, 12, 0, 0), 1, 1, c => c.VBAR_EL1, (c, v) => c.VBAR_EL1 = v & ~0x7ffUL);
        Add("DISR_EL1", (3, 0, 12, 1, 1), 1, 1, _ => 0);
        Add("ERRIDR_EL1", (3, 0, 5, 3, 0), 1, Never, _ => 0);
        Add("ERRSELR_EL1", (3, 0, 5, 3, 1), 1, 1, _ => 0);
        Add("ISR_EL1", (3, 0, 12, 1, 0), 1, Never, c => c.IrqLine ? 1UL << 7 : 0);

        // Translation and control.
        Add("SCTLR_EL1", (3, 0, 1, 0, 0), 1, 1, c => c.SCTLR_EL1, (c, v) => c.WriteSctlr(v));
        Add("ACTLR_EL1", (3, 0, 1, 0, 1), 1, 1, c => c.ACTLR_EL1, (c, v) => c.ACTLR_EL1 = v);
        Add("CPACR_EL1", (3, 0, 1, 0, 2), 1, 1, c => c.CPACR_EL1, (c, v) => c.CPACR_EL1 = v);
        Add("TTBR0_EL1", (3, 0, 2, 0, 0), 1, 1, c => c.TTBR0_EL1, (c, v) => c.WriteTtbr0(v));
        Add("TTBR1_EL1", (3, 0, 2, 0, 1), 1, 1, c => c.TTBR1_EL1, (c, v) => c.WriteTtbr1(v));
        Add("TCR_EL1", (3, 0, 2, 0, 2), 1, 1, c => c.TCR_EL1, (c, v) => c.WriteTcr(v));
        Add("MAIR_EL1", (3, 0, 10, 2, 0), 1, 1, c => c.MAIR_EL1, (c, v) => c.WriteMair(v));
        Add("AMAIR_EL1", (3, 0, 10, 3, 0), 1, 1, c => c.AMAIR_EL1, (c, v) => c.AMAIR_EL1 = v);
        Add("PAR_EL1", (3, 0, 7, 4, 0), 1, 1, c => c.PAR_EL1, (c, v) => c.PAR_EL1 = v);
        AddDebug((name, e, readEL, writeEL, read, write) => Add(name, e, readEL, writeEL, read, write));

        // Logical address tags.
        Add("RGSR_EL1", (3, 0, 1, 0, 5), 1, 1, c => c.RGSR_EL1, (c, v) => c.RGSR_EL1 = v & 0xFFFF0F);
        Add("GCR_EL1", (3, 0, 1, 0, 6), 1, 1, c => c.GCR_EL1, (c, v) => c.GCR_EL1 = v & 0x1FFFF);

        // Generic timer.
        Add("CNTFRQ_EL0", (3, 3, 14, 0, 0), 0, 1, c => c.Machine.CounterFrequency);
        Add("CNTPCT_EL0", (3, 3, 14, 0, 1), 0, Never, c => c.Counter());
        Add("CNTVCT_EL0", (3, 3, 14, 0, 2), 0, Never, c => c.ReadVirtualCounter());
        Add("CNTPCTSS_EL0", (3, 3, 14, 0, 5), 0, Never, c => c.Counter());
        Add("CNTVCTSS_EL0", (3, 3, 14, 0, 6), 0, Never, c => c.ReadVirtualCounter());
        Add("CNTV_TVAL_EL0", (3, 3, 14, 3, 0), 0, 0,
            c => (uint)(c.CNTV_CVAL - c.Counter()), (c, v) => c.WriteTimer(c.CNTV_CTL, c.Counter() + (ulong)(int)v));
        Add("CNTV_CTL_EL0", (3, 3, 14, 3, 1), 0, 0,
            c => c.CNTV_CTL | (c.TimerCondition ? 4u : 0), (c, v) => c.WriteTimer((uint)v & 3, c.CNTV_CVAL));
        Add("CNTV_CVAL_EL0", (3, 3, 14, 3, 2), 0, 0, c => c.CNTV_CVAL, (c, v) => c.WriteTimer(c.CNTV_CTL, v));
        Add("CNTP_TVAL_EL0", (3, 3, 14, 2, 0), 0, 0,
            c => (uint)(c.CNTP_CVAL - c.Counter()), (c, v) => c.WritePhysicalTimer(c.CNTP_CTL, c.Counter() + (ulong)(int)v));
        Add("CNTP_CTL_EL0", (3, 3, 14, 2, 1), 0, 0,
            c => c.CNTP_CTL | (c.PhysicalTimerCondition ? 4u : 0), (c, v) => c.WritePhysicalTimer((uint)v & 3, c.CNTP_CVAL));
        Add("CNTP_CVAL_EL0", (3, 3, 14, 2, 2), 0, 0, c => c.CNTP_CVAL, (c, v) => c.WritePhysicalTimer(c.CNTP_CTL, v));
        Add("CNTKCTL_EL1", (3, 0, 14, 1, 0), 1, 1, c => c.CNTKCTL_EL1, (c, v) => c.CNTKCTL_EL1 = v);

        // Interrupt controller, CPU interface (GICv3 system registers, Arm IHI 0069).
        Add("ICC_IAR1_EL1", (3, 0, 12, 12, 0), 1, Never, c => c.AcknowledgeInterrupt());
        Add("ICC_EOIR1_EL1", (3, 0, 12, 12, 1), Never, 1, _ => 0, (c, v) => c.Interrupts?.Write("ICC_EOIR1_EL1", v));
        Add("ICC_PMR_EL1", (3, 0, 4, 6, 0), 1, 1, c => c.ICC_PMR_EL1, (c, v) => c.WritePriorityMask(v));
        Add("ICC_IGRPEN1_EL1", (3, 0, 12, 12, 7), 1, 1,
            c => c.Interrupts?.Read("ICC_IGRPEN1_EL1") ?? 1, (c, v) => c.Interrupts?.Write("ICC_IGRPEN1_EL1", v));
        foreach ((string name, int crm, int op2, bool reads, bool writes) in Interfaces)
        {
            string captured = name;
            table.Add(Key(3, 0, 12, crm, op2), new SystemRegister(
                name, Key(3, 0, 12, crm, op2), reads ? 1 : Never, writes ? 1 : Never, c => c.ReadInterface(captured),
                (c, v) => c.Interrupts!.Write(captured, v))
            { NeedsController = true });
        }

        // Cache and identification.
        Add("CTR_EL0", (3, 3, 0, 0, 1), 0, Never, c => c.Machine.Identification.CTR_EL0);
        Add("DCZID_EL0", (3, 3, 0, 0, 7), 0, Never, c => c.EL == 0 && (c.SCTLR_EL1 & (1UL << 14)) == 0 ? 0x14UL : 4);
        Id("MIDR_EL1", 0, 0, c => c.Machine.Identification.MIDR_EL1);
        Id("MPIDR_EL1", 0, 5, c => 0x80000000UL | (uint)c.Index);
        Id("REVIDR_EL1", 0, 6, c => 0);
        Add("AIDR_EL1", (3, 1, 0, 0, 7), 1, Never, _ => 0);
        Add("CLIDR_EL1", (3, 1, 0, 0, 1), 1, Never, _ => CacheIdentification.Levels);
        Add("CCSIDR_EL1", (3, 1, 0, 0, 0), 1, Never, c => CacheIdentification.Of((int)c.CSSELR_EL1));
        Add("CSSELR_EL1", (3, 2, 0, 0, 0), 1, 1, c => c.CSSELR_EL1, (c, v) => c.CSSELR_EL1 = v & 15);
        foreach ((string name, int crm, int op2) in Identification.Names)
        {
            string captured = name;
            Id(name, crm, op2, c => c.Machine.Identification[captured]);
        }
        Add("RNDR", (3, 3, 2, 4, 0), 0, Never, c => c.RandomNumber());
        Add("RNDRRS", (3, 3, 2, 4, 1), 0, Never, c => c.RandomNumber());
        foreach ((string name, int crm, int op2, int index) in PauthKeys)
        {
            int i = index;
            Add(name, (3, 0, 2, crm, op2), 1, 1, c => c.PauthKey[i], (c, v) => c.PauthKey[i] = v);
        }

        AddMonitors((name, e, readEL, writeEL, read, write) => Add(name, e, readEL, writeEL, read, write));
        return table;
    }

    /// <summary>Self-hosted debug (DDI0487, D2). Breakpoints and watchpoints can be written and never match; there is no OS Double
    /// Lock.</summary>
    private static void AddDebug(Action<string, (int, int, int, int, int), int, int, Func<Cpu, ulong>, Action<Cpu, ulong>?> add)
    {
        add("MDSCR_EL1", (2, 0, 0, 2, 2), 1, 1, c => c.MDSCR_EL1, (c, v) => c.MDSCR_EL1 = v);
        add("OSLAR_EL1", (2, 0, 1, 0, 4), Never, 1, _ => 0, (c, v) => c.OsLocked = (v & 1) != 0);
        add("OSLSR_EL1", (2, 0, 1, 1, 4), 1, Never, c => c.OsLocked ? 10UL : 8, null);
        add("OSDLR_EL1", (2, 0, 1, 3, 4), 1, 1, _ => 0, null);
        string[] names = ["DBGBVR", "DBGBCR", "DBGWVR", "DBGWCR"];
        for (int i = 0; i < 2 * names.Length; i++)
        {
            int n = i;
            add($"{names[i % 4]}{i / 4}_EL1", (2, 0, 0, i / 4, 4 + i % 4), 1, 1, c => c.DebugPoint[n], (c, v) => c.DebugPoint[n] = v);
        }
    }

    /// <summary>Performance monitors (PMUv3). EL0 has them as far as PMUSERENR_EL0 lets it (<see cref="Cpu"/> checks).</summary>
    private static void AddMonitors(Action<string, (int, int, int, int, int), int, int, Func<Cpu, ulong>, Action<Cpu, ulong>?> add)
    {
        add("PMCR_EL0", (3, 3, 9, 12, 0), 0, 0, c => c.Pmu.Control, (c, v) => c.Pmu.Control = v);
        add("PMCNTENSET_EL0", (3, 3, 9, 12, 1), 0, 0, c => c.Pmu.Enabled, (c, v) => c.Pmu.SetEnabled(v, true));
        add("PMCNTENCLR_EL0", (3, 3, 9, 12, 2), 0, 0, c => c.Pmu.Enabled, (c, v) => c.Pmu.SetEnabled(v, false));
        add("PMOVSCLR_EL0", (3, 3, 9, 12, 3), 0, 0, c => c.Pmu.Overflow, (c, v) => c.Pmu.SetOverflow(v, false));
        add("PMSWINC_EL0", (3, 3, 9, 12, 4), Never, 0, _ => 0, (c, v) => c.Pmu.Increment(v));
        add("PMSELR_EL0", (3, 3, 9, 12, 5), 0, 0, c => c.Pmu.Select, (c, v) => c.Pmu.Select = v);
        add("PMCEID0_EL0", (3, 3, 9, 12, 6), 0, Never, c => c.Pmu.Identify(false), null);
        add("PMCEID1_EL0", (3, 3, 9, 12, 7), 0, Never, c => c.Pmu.Identify(true), null);
        add("PMCCNTR_EL0", (3, 3, 9, 13, 0), 0, 0, c => c.Pmu.Read(31), (c, v) => c.Pmu.Write(31, v));
        add("PMXEVTYPER_EL0", (3, 3, 9, 13, 1), 0, 0,
            c => c.Pmu.SelectExists(true) ? c.Pmu.ReadType((int)c.Pmu.Select) : 0,
            (c, v) =>
            {
                if (c.Pmu.SelectExists(true))
                    c.Pmu.WriteType((int)c.Pmu.Select, v);
            });
        add("PMXEVCNTR_EL0", (3, 3, 9, 13, 2), 0, 0,
            c => c.Pmu.SelectExists(false) ? c.Pmu.Read((int)c.Pmu.Select) : 0,
            (c, v) =>
            {
                if (c.Pmu.SelectExists(false))
                    c.Pmu.Write((int)c.Pmu.Select, v);
            });
        add("PMUSERENR_EL0", (3, 3, 9, 14, 0), 0, 1, c => c.PMUSERENR_EL0, (c, v) => c.PMUSERENR_EL0 = v & 15);
        add("PMOVSSET_EL0", (3, 3, 9, 14, 3), 0, 0, c => c.Pmu.Overflow, (c, v) => c.Pmu.SetOverflow(v, true));
        add("PMINTENSET_EL1", (3, 0, 9, 14, 1), 1, 1, c => c.Pmu.Interrupts, (c, v) => c.Pmu.SetInterrupts(v, true));
        add("PMINTENCLR_EL1", (3, 0, 9, 14, 2), 1, 1, c => c.Pmu.Interrupts, (c, v) => c.Pmu.SetInterrupts(v, false));
        add("PMCCFILTR_EL0", (3, 3, 14, 15, 7), 0, 0, c => c.Pmu.ReadType(31), (c, v) => c.Pmu.WriteType(31, v));
        for (int i = 0; i < PerformanceMonitors.Counters; i++)
        {
            int n = i;
            add($"PMEVCNTR{n}_EL0", (3, 3, 14, 8, n), 0, 0, c => c.Pmu.Read(n), (c, v) => c.Pmu.Write(n, v));
            add($"PMEVTYPER{n}_EL0", (3, 3, 14, 12, n), 0, 0, c => c.Pmu.ReadType(n), (c, v) => c.Pmu.WriteType(n, v));
        }
    }
}
