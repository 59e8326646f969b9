using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Lab.Workloads;

/// <summary>What a workload would save if a design's vDSO answered its calls, less what its context switches would pay; first estimated
/// from single calls, then measured by running it with those calls redirected.</summary>
/// <param name="workload">The workload.</param>
/// <param name="with">Settings with the design.</param>
/// <param name="without">Settings with what it is compared with: "none", or a design that has what Linux has today.</param>
/// <param name="placements">In how many placements of pages in RAM the runs are made: which pages compete for cache lines changes cycles
/// by as much as a design does.</param>
/// <param name="progress">Told what is being run.</param>
internal sealed class WhatIf(Workload workload, SessionSettings with, SessionSettings without, int placements, Action<string>? progress)
{
    /// <summary>Functions of the comparison that stand for a call; clocks by the one that most programs read.</summary>
    private static string Measured(string call) => call == "clock_gettime" ? "clock_gettime_monotonic" : call;

    internal WhatIfResult Run()
    {
        if (with.Design().Name == "none")
            throw new LabException("what if: 'none' answers no call", LabFault.Input);
        progress?.Invoke($"the workload with the vDSO design {without.Vdso}");
        WorkloadRun before = workload.Run(without, null, true, true);
        progress?.Invoke("single calls of the design");
        // The comparison's own guest: its files, arguments and limits, not the workload's.
        SessionSettings bare =
            with with { Root = null, Binds = [], MaxCycles = 0, TimeoutSeconds = 0, SliceNs = SessionSettings.ShortSliceNs };
        const int Threads = 4;
        CallSampler sampler = Comparison.Measure(bare, Threads);
        CallSampler none = Comparison.Measure(bare with { Vdso = without.Vdso }, Threads, with.Design().MeasuredFunctions);
        var gains = new List<WhatIfGain>();
        var left = new List<NotRedirected>();
        Dictionary<int, RedirectCode.Target> targets = Estimate(before, sampler, none, gains, left);
        progress?.Invoke($"the workload with the design, calls as they are and redirected (placement 1 of {placements})");
        WorkloadRun plain = workload.Run(with, null, false, true);
        var redirector = new CallRedirector(before.Sites, targets);
        WorkloadRun redirected = workload.Run(with, redirector, false, true);
        var runs = new List<WhatIfRuns> { new(before, plain, redirected) };
        for (int i = 1; i < placements; i++)
        {
            progress?.Invoke($"the same in another placement of pages ({i + 1} of {placements})");
            ulong placement = workload.Settings.PagePlacement + (ulong)i;
            runs.Add(new WhatIfRuns(
                workload.Run(without with { PagePlacement = placement }, null, false, false),
                workload.Run(with with { PagePlacement = placement }, null, false, false),
                workload.Run(with with { PagePlacement = placement }, new CallRedirector(before.Sites, targets), false, false)));
        }
        return new WhatIfResult
        {
            Design = with.Vdso,
            Against = without.Vdso,
            Runs = runs,
            Gains = gains,
            NotRedirected = left,
            PaidPerSwitch = (long)sampler.SwitchCycles - (long)none.SwitchCycles,
            Sites = redirector.Sites,
            Patched = redirector.Patched,
            OutOfReach = redirector.OutOfReach,
        };
    }

    private Dictionary<int, RedirectCode.Target> Estimate(
        WorkloadRun before, CallSampler sampler, CallSampler none, List<WhatIfGain> gains, List<NotRedirected> left)
    {
        CallSamples empty = sampler.Samples[("empty", CallKind.Empty)];
        VdsoDesign design = with.Design();
        VdsoImage image = design.LoadImage()!;
        var targets = new Dictionary<int, RedirectCode.Target>();
        foreach ((int number, CallCount count) in before.Total())
        {
            string name = SyscallTable.NameOf(number);
            string? own = design.MeasuredFunctions.FirstOrDefault(f => f.Number == number)?.Symbol;
            if ((own is null && CallService.Of(name) is not (Service.Design or Service.Stock)) || count.Calls == 0)
                continue;
            if (!RedirectCode.TryFind(
                image, number, own ?? CallService.SymbolPrefix + name, out RedirectCode.Target target, out string reason))
            {
                left.Add(new NotRedirected(name, reason));
                continue;
            }
            string measured = design.MeasuredFunctions.FirstOrDefault(f => f.Number == number)?.Name ?? Measured(name);
            if (!sampler.Samples.TryGetValue((measured, CallKind.Vdso), out CallSamples? vdso))
            {
                left.Add(new NotRedirected(name, "the comparison does not measure it"));
                continue;
            }
            CallSamples system = none.Samples[(measured, CallKind.Syscall)];
            targets[number] = target;
            gains.Add(new WhatIfGain(name, count.Calls, system.Cycles - empty.Cycles, vdso.Cycles - empty.Cycles));
        }
        return targets;
    }
}
