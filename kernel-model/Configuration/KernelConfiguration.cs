using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Kernel.Configuration;

/// <summary>How the modelled kernel is configured, as far as its entry and exit code differ: what Linux decides at boot from
/// the core and the command line, and patches into its code (alternatives).</summary>
public sealed record KernelConfiguration
{
    /// <summary>Kernel page-table isolation: the kernel is not mapped while EL0 runs; a trampoline switches TTBR1_EL1, the ASID
    /// and VBAR_EL1 on every entry and exit, and uses TPIDRRO_EL0 as scratch.</summary>
    public bool Kpti { get; init; }

    /// <summary>The Spectre-BHB loop: taken branches on every entry from EL0. Uses TPIDRRO_EL0 as scratch.</summary>
    public bool BhbLoop { get; init; }

    /// <summary>randomize_kstack_offset: each system call starts at a random place of the kernel stack.</summary>
    public bool RandomStack { get; init; }

    /// <summary>TPIDRRO_EL0 is written again on every return to EL0, so that a per-CPU vDSO survives KPTI and the BHB loop.
    /// Not in any stock kernel.</summary>
    public bool Reload { get; init; }

    /// <summary>Cores without SSBS look on every entry and exit whether firmware must be asked to stop speculative store bypass.</summary>
    public bool SsbdFirmware { get; init; }

    /// <summary>CONFIG_PREEMPT: EL1 code gives way where an interrupt finds it with interrupts on. Debian's arm64 kernels do not.</summary>
    public bool Preempt { get; init; }

    /// <summary>What Linux does for a registered rseq area at switches and on the way to EL0 afterwards is executed; else the model writes
    /// the area, in no cycle.</summary>
    public bool Rseq { get; init; }

    /// <summary>CONFIG_RSEQ_SLICE_EXTENSION of Linux 7.0: tasks may ask for longer time slices in their areas. With <see cref="Rseq"/>.
    /// </summary>
    public bool RseqSlice { get; init; }

    /// <summary>CONFIG_POSIX_AUX_CLOCKS of Linux 6.17: auxiliary clocks, each of which somebody may enable.</summary>
    public bool AuxiliaryClocks { get; init; }

    /// <summary>Rounds of the BHB loop (arch/arm64/kernel/proton-pack.c, spectre_bhb_loop_affected).</summary>
    public int BhbRounds { get; init; } = 24;

    /// <summary>The core whose measured kernel work bodies in C# are charged (Costs/measured.CORE.tsv).</summary>
    public string Charges { get; init; } = "cortex-a53";

    /// <summary>Whether EL0 enters through vectors that leave zero in TPIDRRO_EL0.</summary>
    public bool ClobbersTpidrro => Kpti || BhbLoop;

    /// <summary>The key of a core's file (section <c>software</c>) that holds what Linux decides on such a core, in the words of
    /// <see cref="Parse"/>.</summary>
    public const string CoreKey = "kernel";

    /// <summary>The key there that names the core of <see cref="Charges"/>; a file without it has the measured core of its kind, in order
    /// or out of order.</summary>
    public const string ChargesKey = "charges";

    /// <summary>The configuration of a core whose file says nothing, and of the model "none": an Armv8.0 core that needs no mitigation.
    /// The stack offset is random, as in Debian's kernels (RANDOMIZE_KSTACK_OFFSET_DEFAULT), and FEAT_SSBS is absent.</summary>
    public static KernelConfiguration Default { get; } = new() { RandomStack = true, SsbdFirmware = true };

    /// <summary>The cores that <see cref="Charges"/> may name: those with a table, in order of their names.</summary>
    public static IReadOnlyList<string> MeasuredCores { get; } =
    [
        .. typeof(KernelConfiguration).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(MeasuredPrefix, StringComparison.Ordinal))
            .Select(n => n[MeasuredPrefix.Length..^MeasuredSuffix.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>Names of the embedded tables: <c>costs/measured.CORE.tsv</c>.</summary>
    internal const string MeasuredPrefix = "costs/measured.", MeasuredSuffix = ".tsv";

    /// <summary>What Linux decides on a core: the words under <see cref="CoreKey"/> in the core's file, else
    /// <see cref="Default"/>.</summary>
    /// <exception cref="CoreModelException">The file has an unknown word, or tells a software that is not there.</exception>
    public static KernelConfiguration ForCore(CoreModel core)
    {
        KernelConfiguration configuration = Default;
        string charges = core.OutOfOrder ? "neoverse-n1" : Default.Charges;
        foreach (CoreSoftware software in core.Software)
        {
            switch (software.Key)
            {
                case CoreKey:
                    configuration = Parse(software.Value, Default, out string unknown)
                        ?? throw core.Error($"software.{CoreKey}.value", $"there is no '{unknown}'; known: {string.Join(' ', Words)}");
                    break;
                case ChargesKey:
                    charges = software.Value;
                    if (!MeasuredCores.Contains(charges))
                    {
                        string known = string.Join(' ', MeasuredCores);
                        throw core.Error($"software.{ChargesKey}.value", $"'{charges}' was not measured; known: {known}");
                    }
                    break;
                default:
                    throw core.Error($"software.{software.Key}", $"unknown key; known: {CoreKey} {ChargesKey}");
            }
        }
        return configuration with { Charges = charges };
    }

    /// <summary>The words of <see cref="Parse"/>.</summary>
    public static IReadOnlyList<string> Words { get; } =
        ["plain", "kpti", "bhb", "kstack-random", "reload", "ssbd", "ssbs", "preempt", "rseq", "rseq-slice", "aux-clocks"];

    /// <summary>Reads a configuration: words joined by + or comma. Empty: <paramref name="core"/>. plain: none of them. ssbd and ssbs say
    /// whether the core lacks or has FEAT_SSBS; without either it is as in <paramref name="core"/>.</summary>
    /// <param name="text">The words.</param>
    /// <param name="core">What holds on the core, <see cref="ForCore"/>.</param>
    /// <param name="unknown">The word that is unknown.</param>
    /// <returns>Null when a word is unknown.</returns>
    public static KernelConfiguration? Parse(string text, KernelConfiguration core, out string unknown)
    {
        unknown = "";
        string[] words = text.Split([',', '+'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
            return core;
        var configuration = new KernelConfiguration { SsbdFirmware = core.SsbdFirmware, Charges = core.Charges };
        foreach (string word in words)
        {
            switch (word)
            {
                case "plain": break;
                case "kpti": configuration = configuration with { Kpti = true }; break;
                case "bhb": configuration = configuration with { BhbLoop = true }; break;
                case "kstack-random": configuration = configuration with { RandomStack = true }; break;
                case "reload": configuration = configuration with { Reload = true }; break;
                case "ssbd": configuration = configuration with { SsbdFirmware = true }; break;
                case "ssbs": configuration = configuration with { SsbdFirmware = false }; break;
                case "rseq": configuration = configuration with { Rseq = true }; break;
                case "rseq-slice": configuration = configuration with { Rseq = true, RseqSlice = true }; break;
                case "aux-clocks": configuration = configuration with { AuxiliaryClocks = true }; break;
                case "preempt": configuration = configuration with { Preempt = true }; break;
                default:
                    unknown = word;
                    return null;
            }
        }
        return configuration;
    }

    /// <summary>The words that give this configuration, joined by +.</summary>
    public override string ToString()
    {
        var words = new List<string>();
        if (Kpti)
            words.Add("kpti");
        if (BhbLoop)
            words.Add("bhb");
        if (RandomStack)
            words.Add("kstack-random");
        if (Reload)
            words.Add("reload");
        if (words.Count == 0)
            words.Add("plain");
        words.Add(SsbdFirmware ? "ssbd" : "ssbs");
        if (Preempt)
            words.Add("preempt");
        if (Rseq)
            words.Add(RseqSlice ? "rseq-slice" : "rseq");
        if (AuxiliaryClocks)
            words.Add("aux-clocks");
        return string.Join('+', words);
    }
}
