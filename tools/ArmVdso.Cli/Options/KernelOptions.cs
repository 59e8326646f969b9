using ArmVdso.Emulator;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Cli;

/// <summary>The vDSO design.</summary>
internal sealed class DesignOptions : OptionGroup
{
    internal override string Title => "vDSO design";

    private readonly bool _several;

    private readonly Option<string> _vdso;

    private readonly Option<string> _vvar = Text(
        "--vvar", "", "layout of a stock vDSO's data pages; without it that of the image's kernel", "LAYOUT");

    private readonly Option<bool> _mendEgid = Flag(
        "--mend-egid", "same as --vdso per-cpu,fix=egid: mends the talk's egid defect (egid filled from gid)");

    /// <summary>The options.</summary>
    /// <param name="several">Whether --vdso takes several designs.</param>
    internal DesignOptions(bool several = false)
    {
        _several = several;
        string more = several ? "; several in one word, separated by spaces, or all, are put side by side" : "";
        _vdso = Text(
            "--vdso", "per-cpu",
            "vDSO design, as 'vdso list' names them; per-cpu,fix=egid+cred mends defects of the talk's; stock:FILE is the vDSO of a "
            + "stock kernel ('vdso extract')" + more,
            "DESIGN[,fix=...]");
    }

    internal override IReadOnlyList<Option> Options => [_vdso, _vvar, _mendEgid];

    /// <summary>The designs that --vdso names.</summary>
    internal IReadOnlyList<string> Designs(CommandInput input)
    {
        string[] designs = CommandInput.Names(input.Text(_vdso), VdsoDesigns.Names);
        if (designs.Length > 1)
            input.Refuse("with several designs", _vvar, _mendEgid);
        return designs;
    }

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings)
    {
        string design = _several && Designs(input) is { Count: > 0 } designs ? designs[0] : input.Text(_vdso);
        return settings with { Vdso = Named(input, _vdso.Name, design) };
    }

    /// <summary>A design that an option names, with what the other options add.</summary>
    /// <exception cref="UserError">There is none.</exception>
    internal string Named(CommandInput input, string option, string design)
    {
        if (input.Value(_mendEgid))
            design += design.Contains(",fix=", StringComparison.Ordinal) ? "+egid" : ",fix=egid";
        if (input.Value(_vvar) is { Length: > 0 } layout)
            design += $",vvar={layout}";
        Check(option, design);
        return design;
    }

    /// <summary>Checks that there is such a design.</summary>
    /// <exception cref="UserError">There is none.</exception>
    internal static void Check(string option, string design)
    {
        try
        {
            VdsoDesigns.Create(design);
        }
        catch (ArgumentException e)
        {
            throw CommandInput.Error($"{option}: {e.Message}");
        }
    }
}

/// <summary>How the kernel enters and leaves.</summary>
internal sealed class KernelOptions : OptionGroup
{
    internal override string Title => "Kernel";

    private readonly Option<string> _kernel = Text(
        "--kernel", "",
        $"kernel configuration, words joined by +: {string.Join(", ", KernelConfiguration.Words)}; without: what Linux decides on the core",
        "WORDS");

    private readonly Option<string> _preempt = Text(
        "--preempt", "none",
        "where the kernel gives way: none (on the way to user space alone, as Debian's), full (EL1 code too, as with CONFIG_PREEMPT)",
        "KIND");

    private readonly Option<string> _nodes = Text(
        "--nodes", "1", "NUMA nodes that the CPUs are spread over, as getcpu says; all memory is the first one's", "N");

    internal override IReadOnlyList<Option> Options => [_kernel, _preempt, _nodes];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings)
    {
        string words = input.Text(_kernel);
        KernelConfiguration core = settings.KernelConfiguration;
        KernelConfiguration? kernel = KernelConfiguration.Parse(words, core, out string unknown);
        if (kernel is null)
            throw CommandInput.Error($"--kernel: there is no '{unknown}'; known: {string.Join(' ', KernelConfiguration.Words)}");
        bool preempt = input.Word(_preempt, "kind of preemption", ("none", false), ("full", true));
        settings = settings with { Nodes = (int)input.Number(_nodes, 1, (ulong)Machine.MaxCpus) };
        return words.Length == 0 && !preempt ? settings : settings with { Kernel = kernel with { Preempt = kernel.Preempt || preempt } };
    }
}

/// <summary>Time as the guest sees it, and what disturbs it.</summary>
internal sealed class TimeOptions : OptionGroup
{
    internal override string Title => "Time";

    private readonly Option<string> _slice = Text(
        "--slice", "", "time slice of the scheduler, in microseconds; without: 4000, for the guest of compare and trace 20", "US");

    private readonly Option<string> _epoch = Text("--epoch", "1598313600", "CLOCK_REALTIME at the start, in seconds since 1970", "SECONDS");

    private readonly Option<string> _counterFault = Text(
        "--counter-fault", "none", "what is wrong with the counter as user space reads it: none, trapped, backwards, stopped", "KIND");

    private readonly Option<string> _suspend = Text(
        "--suspend", "", "suspends the machine at times after boot, for so long, in milliseconds: AT:LENGTH[,AT:LENGTH...]", "AT:LENGTH");

    private readonly Option<string> _scheduler = Text(
        "--scheduler", "",
        "who runs where: eevdf (as Linux 6.12: a queue for each CPU, nice, real-time policies), arrival (one queue, equal slices, to find "
        + "races); without: eevdf, with --slice and for the guest of compare and trace arrival", "KIND");

    private readonly Option<string> _uptime = Text(
        "--uptime", "0", "CLOCK_MONOTONIC at the start: how long the machine has been up", "SECONDS");

    internal override IReadOnlyList<Option> Options => [_scheduler, _slice, _epoch, _uptime, _counterFault, _suspend];

    /// <summary>Of them, those of the kernel model.</summary>
    internal IEnumerable<Option> ModelOptions => [_scheduler, _slice, _uptime, _counterFault, _suspend];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings) => settings with
    {
        Scheduler = input.Text(_scheduler).Length == 0 ? null
            : input.Word(_scheduler, "scheduler", ("arrival", SchedulerKind.Arrival), ("eevdf", SchedulerKind.Eevdf)),
        SliceNs = input.Text(_slice).Length == 0 ? null : input.Number(_slice, 1, 1_000_000_000) * 1000,
        Epoch = (long)input.Number(_epoch, 0, 1UL << 40),
        UptimeNs = input.Number(_uptime, 0, 1UL << 30) * 1_000_000_000,
        CounterFault = input.Word(
            _counterFault, "fault", ("none", CounterFault.None), ("trapped", CounterFault.Trapped), ("backwards", CounterFault.Backwards),
            ("stopped", CounterFault.Stopped)),
        Suspends = Suspends(_suspend.Name, input.Text(_suspend)),
    };

    private static List<(ulong At, ulong Length)> Suspends(string option, string text)
    {
        var list = new List<(ulong, ulong)>();
        foreach (string item in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = item.Split(':');
            if (parts.Length != 2)
                throw CommandInput.Error($"{option}: '{item}' is not AT:LENGTH in milliseconds");
            list.Add((Milliseconds(option, parts[0], 0), Milliseconds(option, parts[1], 1)));
        }
        return list;
    }

    private static ulong Milliseconds(string option, string text, ulong minimum) =>
        CommandInput.Number(option, text, minimum, 1_000_000_000) * 1_000_000;
}

/// <summary>When a run is ended.</summary>
internal sealed class LimitOptions : OptionGroup
{
    internal override string Title => "Limits";

    private readonly Option<string> _maxCycles = Text(
        "--max-cycles", "0", "ends the run after so many cycles, status 124; 0: no limit", "N");

    private readonly Option<string> _timeout = Text(
        "--timeout", "0", "ends the run after so many seconds of the host, status 124; 0: no limit", "SECONDS");

    private readonly Option<string> _maxTasks = Text("--max-tasks", "30000", "tasks that the guest may have at a time", "N");

    private readonly Option<string> _maxFiles = Text(
        "--max-fds", "1048576", "descriptors that all processes of the guest may have at a time", "N");

    private readonly Option<string> _maxOutput = Text(
        "--max-output", "4G", "bytes that the guest may write to its standard streams, with suffix K, M or G", "SIZE");

    internal override IReadOnlyList<Option> Options => [_maxCycles, _timeout, _maxTasks, _maxFiles, _maxOutput];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings) => settings with
    {
        MaxCycles = input.Number(_maxCycles, 0, ulong.MaxValue),
        TimeoutSeconds = input.Number(_timeout, 0, 1_000_000),
        Limits = new GuestLimits
        {
            Tasks = (int)input.Number(_maxTasks, 1, 1_000_000),
            Files = (int)input.Number(_maxFiles, 16, 1 << 30),
            Output = (long)MachineOptions.Size(_maxOutput.Name, input.Text(_maxOutput)),
        },
    };
}
