using System.Globalization;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Lab.Designs;

/// <summary>Pages of a number of processes with a number of threads each, computed from the layout and counted in a run.</summary>
/// <param name="Processes">Processes.</param>
/// <param name="Threads">Threads of each.</param>
/// <param name="Computed">Pages of all processes together, without the shared ones, by the design's layout.</param>
/// <param name="Measured">The same, counted when all of them were there.</param>
internal sealed record MemoryPoint(int Processes, int Threads, int Computed, int Measured);

/// <summary>What one design costs and gives.</summary>
internal sealed class MeasuredDesign
{
    internal required string Text { get; init; }

    internal required VdsoDesign Design { get; init; }

    /// <summary>Calls with warm caches and preemption, and single calls with everything in memory.</summary>
    internal required CallSampler Hot { get; init; }

    /// <inheritdoc cref="Hot"/>
    internal required CallSampler Cold { get; init; }

    /// <summary>Shared pages of image and data, counted; by number of CPUs, computed.</summary>
    internal required int SharedPages { get; init; }

    internal required IReadOnlyList<(int Cpus, int Pages)> SharedComputed { get; init; }

    internal required IReadOnlyList<MemoryPoint> Memory { get; init; }

    internal ulong Switch => Comparison.Median(Hot.Switches);

    internal static ulong Cycles(CallSampler sampler, string name, CallKind kind) =>
        sampler.Samples.TryGetValue((name, kind), out CallSamples? samples)
            ? Comparison.Less(samples.Cycles, sampler.Samples[("empty", CallKind.Empty)].Cycles)
            : 0;

    internal static bool Has(CallSampler sampler, string name) => sampler.Samples.ContainsKey((name, CallKind.Vdso));
}

/// <summary>compare --vdso all: the designs side by side.</summary>
internal static class DesignComparison
{
    /// <summary>CPUs for which the shared pages are computed.</summary>
    internal static readonly int[] CpuCounts = [1, 4, 16, 64, 256, 1024];

    private static readonly (int Processes, int Threads)[] Memories = [(1, 1), (1, 64), (1, 65), (1, 129), (8, 1), (8, 65)];

    /// <summary>Names of the designs that --vdso gives, separated by spaces; "all" are all of them.</summary>
    internal static string[] Names(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(name => name == "all" ? VdsoDesigns.Names : (IReadOnlyList<string>)[name])];

    internal static int Run(SessionSettings settings, string[] names, string[] functions, int threads, bool json, TextWriter output, Action<string> progress)
    {
        foreach (string name in names)
        {
            try
            {
                VdsoDesigns.Create(name);
            }
            catch (ArgumentException e)
            {
                throw new UserError($"--vdso: {e.Message}", ExitStatus.Usage);
            }
        }
        // Without a vDSO: what a switch takes anyway, and the system calls alone.
        string[] all = names.Contains("none") ? names : ["none", .. names];
        var measured = new List<MeasuredDesign>();
        foreach (string name in all)
        {
            progress($"{measured.Count + 1} of {all.Length}: {name}");
            measured.Add(Measure(settings with { Vdso = name }, threads));
        }
        MeasuredDesign none = measured[Array.IndexOf(all, "none")];
        var report = new DesignReport(settings, threads, functions, none, [.. measured.Where(m => names.Contains(m.Text))]);
        if (json)
            report.WriteJson(output);
        else
            report.Write(output);
        return 0;
    }

    private static MeasuredDesign Measure(SessionSettings settings, int threads)
    {
        static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
        string rseq = VdsoDesigns.Create(settings.Vdso).Name == "rseq" ? "r" : "-";
        CallSampler hot = Comparison.Measure(settings, threads);
        // Alone on one CPU: what was displaced is what was emptied, and nothing else.
        CallSampler cold = Comparison.Measure(settings with { Cpus = 1, SliceNs = 1_000_000_000 }, ["1", rseq, "24"], true);
        VdsoDesign design = hot.Design;
        var memory = new List<MemoryPoint>();
        foreach ((int processes, int perProcess) in Memories)
        {
            int computed = processes * design.ComputedPages(settings.Cpus, perProcess).PerProcess;
            // Designs without pages of processes are counted too: that they take none is a measurement.
            CallSampler counted = Comparison.Measure(settings with { Core = "none" }, ["m", Text(processes), Text(perProcess)], false);
            memory.Add(new MemoryPoint(processes, perProcess, computed, counted.ProcessPages ?? throw new UserError("the embedded guest did not count its pages", ExitStatus.EmulatorError)));
        }
        return new MeasuredDesign
        {
            Text = settings.Vdso,
            Design = design,
            Hot = hot,
            Cold = cold,
            SharedPages = hot.SharedPages,
            SharedComputed = [.. CpuCounts.Select(n => (n, design.ComputedPages(n, 1).Shared))],
            Memory = memory,
        };
    }
}
