using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Lab.Workloads;

/// <summary>armvdso syscalls --what-if DESIGN: what a workload would save if a design's vDSO answered its calls, less what its
/// context switches would pay; first estimated from single calls, then measured by running it with those calls redirected.</summary>
/// <param name="workload">The workload.</param>
/// <param name="with">Settings with the design.</param>
/// <param name="without">Settings with what it is compared with: "none", or a design that has what Linux has today.</param>
/// <param name="placements">In how many placements of pages in RAM the runs are made: which pages compete for cache lines changes cycles
/// by as much as a design does.</param>
/// <param name="progress">Told what is being run.</param>
internal sealed class WhatIf(Workload workload, SessionSettings with, SessionSettings without, int placements, Action<string> progress)
{
    private readonly string _design = with.Vdso;
    private readonly string _against = without.Vdso;

    /// <summary>A call that the design answers.</summary>
    private sealed record Gain(string Name, long Calls, ulong SyscallCycles, ulong VdsoCycles)
    {
        internal long PerCall => (long)SyscallCycles - (long)VdsoCycles;

        internal long Total => Calls * PerCall;
    }

    /// <summary>Functions of the comparison that stand for a call; clocks by the one that most programs read.</summary>
    private static string Measured(string call) => call == "clock_gettime" ? "clock_gettime_monotonic" : call;

    internal int Run(TextWriter report, bool json)
    {
        if (_design == "none")
            throw new UserError("--what-if: 'none' answers no call", ExitStatus.Usage);
        progress($"the workload with the vDSO design {_against}");
        WorkloadRun before = workload.Run(without, null, true, true);
        progress("single calls of the design");
        (List<Gain> gains, List<(string Name, string Reason)> left, Dictionary<int, RedirectCode.Target> targets, ulong switchWith, ulong switchWithout) = Estimate(before);
        long saved = gains.Sum(g => g.Total);
        long paidPerSwitch = (long)switchWith - (long)switchWithout;
        long paid = paidPerSwitch * before.Profile.Switches;
        progress($"the workload with the design, calls as they are and redirected (placement 1 of {placements})");
        WorkloadRun plain = workload.Run(with, null, false, true);
        var redirector = new CallRedirector(before.Profile.Sites, targets);
        WorkloadRun redirected = workload.Run(with, redirector, false, true);
        var runs = new List<Placement> { new(before, plain, redirected) };
        for (int i = 1; i < placements; i++)
        {
            progress($"the same in another placement of pages ({i + 1} of {placements})");
            ulong placement = workload.Settings.PagePlacement + (ulong)i;
            runs.Add(new Placement(
                workload.Run(without with { PagePlacement = placement }, null, false, false),
                workload.Run(with with { PagePlacement = placement }, null, false, false),
                workload.Run(with with { PagePlacement = placement }, new CallRedirector(before.Profile.Sites, targets), false, false)));
        }
        var result = new Result(runs, redirector, gains, left, saved, paid, paidPerSwitch);
        if (json)
            report.WriteLine(ToJson(result).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        else
            Write(report, result);
        return before.Status;
    }

    /// <summary>The three runs in one placement of pages.</summary>
    private sealed record Placement(WorkloadRun Before, WorkloadRun Plain, WorkloadRun Redirected)
    {
        /// <summary>Cycles that the redirected run saved.</summary>
        internal long Net => (long)Before.BusyCycles - (long)Redirected.BusyCycles;

        internal bool SameOutput => Before.OutputHash == Redirected.OutputHash && Before.Status == Redirected.Status;
    }

    private sealed record Result(
        List<Placement> Runs, CallRedirector Redirector, List<Gain> Gains, List<(string Name, string Reason)> Left, long Saved, long Paid, long PaidPerSwitch)
    {
        /// <summary>The runs that were counted in full.</summary>
        internal Placement First => Runs[0];

        internal long EstimatedNet => Saved - Paid;

        /// <summary>Median over the placements, and the least and the most.</summary>
        internal (long Median, long Least, long Most) Measured => Spread(r => r.Net);

        internal (long Median, long Least, long Most) Spread(Func<Placement, long> of)
        {
            long[] values = [.. Runs.Select(of).Order()];
            return (values[values.Length / 2], values[0], values[^1]);
        }

        /// <summary>Calls of the design's functions that were still made by SVC in the redirected run.</summary>
        internal long StillCalled => First.Redirected.Profile.Total().Where(c => Gains.Any(g => g.Name == SyscallTable.NameOf(c.Key))).Sum(c => c.Value.Calls);

        internal bool SameOutput => Runs.TrueForAll(r => r.SameOutput);
    }

    private (List<Gain>, List<(string, string)>, Dictionary<int, RedirectCode.Target>, ulong, ulong) Estimate(WorkloadRun before)
    {
        // The comparison's own guest: its files, arguments and limits, not the workload's.
        SessionSettings bare = with with { Root = null, Binds = [], MaxCycles = 0, TimeoutSeconds = 0, SliceNs = Comparison.SliceNs };
        const int Threads = 4;
        CallSampler sampler = Comparison.Measure(bare, Threads);
        CallSampler none = Comparison.Measure(bare with { Vdso = _against }, Threads);
        CallSamples empty = sampler.Samples[("empty", CallKind.Empty)];
        VdsoImage image = VdsoDesigns.Create(with.Vdso).LoadImage()!;
        var gains = new List<Gain>();
        var left = new List<(string, string)>();
        var targets = new Dictionary<int, RedirectCode.Target>();
        foreach ((int number, CallCount count) in before.Profile.Total())
        {
            string name = SyscallTable.NameOf(number);
            if (CallService.Of(name) is not (Service.Design or Service.Stock) || count.Calls == 0)
                continue;
            if (!RedirectCode.TryFind(image, number, name, out RedirectCode.Target target, out string reason))
            {
                left.Add((name, reason));
                continue;
            }
            if (!sampler.Samples.TryGetValue((Measured(name), CallKind.Vdso), out CallSamples? vdso))
            {
                left.Add((name, "the comparison does not measure it"));
                continue;
            }
            CallSamples system = none.Samples[(Measured(name), CallKind.Syscall)];
            targets[number] = target;
            gains.Add(new Gain(name, count.Calls, system.Cycles - empty.Cycles, vdso.Cycles - empty.Cycles));
        }
        return (gains, left, targets, Comparison.Median(sampler.Switches), Comparison.Median(none.Switches));
    }

    private void Write(TextWriter output, Result r)
    {
        WorkloadReport.Write(output, workload, r.First.Before);
        output.WriteLine();
        output.WriteLine($"What if the design {_design} answered these calls? Single calls as 'compare' measures them (medians, caches warm):");
        output.WriteLine();
        var table = new Table("call", "calls", "syscall cycles", "vDSO cycles", "cycles saved");
        foreach (Gain g in r.Gains.OrderByDescending(g => g.Total))
            table.Add(g.Name, Number(g.Calls), Number((long)g.SyscallCycles), Number((long)g.VdsoCycles), Number(g.Total));
        table.Write(output);
        foreach ((string name, string reason) in r.Left)
            output.WriteLine($"{name} is not redirected: {reason}");
        output.WriteLine();
        output.WriteLine($"Estimate: {Number(r.Saved)} cycles saved by calls, {Number(r.Paid)} paid at {Number(r.First.Before.Profile.Switches)} switches ({Number(r.PaidPerSwitch)} each): "
            + $"{Signed(r.EstimatedNet)} cycles, {Percent(r.EstimatedNet, r.First.Before.BusyCycles)} of the workload.");
        output.WriteLine();
        var runs = new Table("run", "busy cycles (median)", "least", "most", "instructions", "switches", "system calls", "vDSO served", "output");
        foreach ((string name, Func<Placement, WorkloadRun> of) in ((string, Func<Placement, WorkloadRun>)[])[(_against, p => p.Before), (_design, p => p.Plain), (_design + ", calls redirected", p => p.Redirected)])
        {
            WorkloadRun first = of(r.First);
            SortedDictionary<int, CallCount> total = first.Profile.Total();
            (long median, long least, long most) = r.Spread(p => (long)of(p).BusyCycles);
            runs.Add(
                name, Number(median), Number(least), Number(most), Number((long)first.Instructions), Number(first.Profile.Switches),
                Number(total.Values.Sum(c => c.Calls)), first.Profile.WantsInstructions ? Number(total.Values.Sum(c => c.Served)) : "",
                r.Runs.TrueForAll(p => of(p).OutputHash == p.Before.OutputHash && of(p).Status == p.Before.Status) ? "same" : "differs");
        }
        runs.Write(output);
        output.WriteLine();
        (long net, long worst, long best) = r.Measured;
        output.WriteLine($"Measured: {Signed(net)} cycles, {Percent(net, r.First.Before.BusyCycles)} of the workload ({Signed(worst)} to {Signed(best)} over {r.Runs.Count} placements of pages in RAM), where the estimate says {Signed(r.EstimatedNet)}. "
            + $"{Number(r.Redirector.Sites)} SVC instructions of files became branches to stubs ({Number(r.Redirector.Patched)} patches over all processes{(r.Redirector.OutOfReach > 0 ? $", {r.Redirector.OutOfReach} out of reach" : "")}); "
            + $"{Number(r.StillCalled)} of these calls still were system calls.");
        output.WriteLine("The stubs save the registers that a C function may change, which a libc that calls the vDSO need not do: the measured saving is a lower bound. Patching costs the guest nothing; runs differ in when tasks are preempted.");
        if (!r.SameOutput)
            output.WriteLine("The output or the exit status of the redirected run differs: the program shows times or process numbers, or the design gave it a wrong answer.");
    }

    private JsonObject ToJson(Result r)
    {
        JsonObject RunOf(WorkloadRun run) => new()
        {
            ["busy_cycles"] = run.BusyCycles,
            ["instructions"] = run.Instructions,
            ["switches"] = run.Profile.Switches,
            ["system_calls"] = run.Profile.Total().Values.Sum(c => c.Calls),
            ["vdso_served"] = run.Profile.WantsInstructions ? run.Profile.Total().Values.Sum(c => c.Served) : null,
            ["status"] = run.Status,
            ["output_sha256"] = run.OutputHash,
        };
        return new JsonObject
        {
            ["workload"] = WorkloadReport.ToJson(workload, r.First.Before),
            ["design"] = _design,
            ["cycles"] = "modelled",
            ["gains"] = new JsonArray([.. r.Gains.Select(g => new JsonObject
            {
                ["name"] = g.Name, ["calls"] = g.Calls, ["syscall_cycles"] = g.SyscallCycles, ["vdso_cycles"] = g.VdsoCycles, ["saved"] = g.Total,
            })]),
            ["not_redirected"] = new JsonArray([.. r.Left.Select(l => new JsonObject { ["name"] = l.Name, ["reason"] = l.Reason })]),
            ["estimate"] = new JsonObject { ["saved"] = r.Saved, ["paid"] = r.Paid, ["paid_per_switch"] = r.PaidPerSwitch, ["net"] = r.EstimatedNet },
            ["against"] = _against,
            ["baseline"] = RunOf(r.First.Before),
            ["plain"] = RunOf(r.First.Plain),
            ["redirected"] = RunOf(r.First.Redirected),
            ["measured_net"] = r.Measured.Median,
            ["measured_net_least"] = r.Measured.Least,
            ["measured_net_most"] = r.Measured.Most,
            ["placements"] = new JsonArray([.. r.Runs.Select(p => new JsonObject { ["baseline"] = p.Before.BusyCycles, ["plain"] = p.Plain.BusyCycles, ["redirected"] = p.Redirected.BusyCycles })]),
            ["sites"] = r.Redirector.Sites,
            ["patches"] = r.Redirector.Patched,
            ["out_of_reach"] = r.Redirector.OutOfReach,
            ["still_system_calls"] = r.StillCalled,
            ["same_output"] = r.SameOutput,
        };
    }

    private static string Number(long value) => WorkloadReport.Number(value);

    private static string Signed(long value) => value.ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);

    private static string Percent(double part, double whole) => WorkloadReport.Percent(part, whole);
}
