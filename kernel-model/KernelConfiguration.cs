using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel;

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

    /// <summary>Rounds of the BHB loop (arch/arm64/kernel/proton-pack.c, spectre_bhb_loop_affected).</summary>
    public int BhbRounds { get; init; } = 24;

    /// <summary>Whether EL0 enters through vectors that leave zero in TPIDRRO_EL0.</summary>
    public bool ClobbersTpidrro => Kpti || BhbLoop;

    /// <summary>What Debian's 6.1 decides on a core, by the name of the timing model: the stack offset is random everywhere
    /// (RANDOMIZE_KSTACK_OFFSET_DEFAULT); Neoverse N1 and Cortex-A76 need the BHB loop. A53 and A55 need neither KPTI nor the loop;
    /// KPTI is on there only when the boot loader gives a seed for KASLR.</summary>
    public static KernelConfiguration ForCore(string core)
    {
        bool outOfOrder = core.Contains("n1", StringComparison.Ordinal) || core.Contains("a76", StringComparison.Ordinal);
        bool v80 = core.Contains("a53", StringComparison.Ordinal) || core.Contains("a72", StringComparison.Ordinal) || core == "none";
        return new KernelConfiguration { RandomStack = true, BhbLoop = outOfOrder, SsbdFirmware = v80 };
    }

    /// <summary>The words of <see cref="Parse"/>.</summary>
    public static IReadOnlyList<string> Words { get; } = ["plain", "kpti", "bhb", "kstack-random", "reload", "ssbd", "ssbs"];

    /// <summary>Reads a configuration: words joined by + or comma. Empty: what <see cref="ForCore"/> says. plain: none of them. ssbd and
    /// ssbs say whether the core lacks or has FEAT_SSBS; without either the core's name decides.</summary>
    /// <returns>Null when a word is unknown; <paramref name="unknown"/> is it.</returns>
    public static KernelConfiguration? Parse(string text, string core, out string unknown)
    {
        unknown = "";
        KernelConfiguration configuration = ForCore(core);
        string[] words = text.Split([',', '+'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
            return configuration;
        configuration = configuration with { RandomStack = false, BhbLoop = false };
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
                default:
                    unknown = word;
                    return null;
            }
        }
        return configuration;
    }

    /// <summary>Bits by <see cref="Alternative"/>.</summary>
    internal uint Alternatives => (Kpti ? Bit(Alternative.Kpti) : 0) | (BhbLoop ? Bit(Alternative.BhbLoop) : 0) | (RandomStack ? Bit(Alternative.RandomStack) : 0)
        | (SsbdFirmware ? Bit(Alternative.SsbdFirmware) : 0) | (Reload ? Bit(Alternative.Reload) : 0);

    private static uint Bit(Alternative feature) => 1u << (int)feature;

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
        return string.Join('+', words);
    }
}
