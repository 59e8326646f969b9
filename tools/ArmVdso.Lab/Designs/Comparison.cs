using System.Globalization;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Lab.Designs;

/// <summary>Runs the guest of compare (Guests/compare.c), which calls each function by system call and through the vDSO.</summary>
internal static class Comparison
{
    /// <summary>CPUs for which the shared pages are computed.</summary>
    private static readonly int[] CpuCounts = [1, 4, 16, 64, 256, 1024, 4096];

    private static readonly (int Processes, int Threads)[] Memories = [(1, 1), (1, 64), (1, 65), (1, 129), (8, 1), (8, 65)];

    /// <summary>What can be compared: getrandom is not among it, since what it costs depends on the length.</summary>
    internal static IReadOnlyList<string> Functions { get; } =
        [.. VdsoCalls.All.Where(c => c.Answer != VdsoAnswer.Random).SelectMany(c => c.Cases.Select(k => k.Name))];

    /// <summary>Runs the guest with a design.</summary>
    internal static CallSampler Measure(SessionSettings settings, int threads) =>
        Measure(settings, threads, settings.Design().MeasuredFunctions);

    /// <summary>The same; functions that designs bring are called by a guest of their own.</summary>
    internal static CallSampler Measure(SessionSettings settings, int threads, IReadOnlyList<OwnFunction> own)
    {
        settings = Ours(settings);
        return Measure(settings, [Text(threads), Rseq(settings)], false, own);
    }

    /// <summary>The settings of the guest: where it registers rseq areas, what the kernel does for them is executed.</summary>
    private static SessionSettings Ours(SessionSettings settings)
    {
        settings = settings.ForOurGuest();
        return Rseq(settings) == "r" ? settings with { Kernel = settings.KernelConfiguration with { Rseq = true } } : settings;
    }

    private static string Rseq(SessionSettings settings) => settings.Design().Name == "rseq" ? "r" : "-";

    /// <summary>Runs the guest with its arguments: threads, whether they register an rseq area, rounds.</summary>
    private static CallSampler Measure(SessionSettings settings, string[] arguments, bool cold, IReadOnlyList<OwnFunction> own)
    {
        CallSampler sampler = Measure(settings, arguments, cold);
        // The guest has places for so many at a time.
        foreach (OwnFunction[] some in own.Chunk(OwnAtATime))
        {
            string[] called = [.. some.SelectMany(f => (string[])[f.Symbol, Text(f.Number), FirstOf(f)])];
            string[] rounds = arguments.Length > 2 ? [] : ["0"];
            sampler.Add(Run("own", settings, [.. arguments, .. rounds, .. called], cold, some), some);
        }
        return sampler;
    }

    private static string FirstOf(OwnFunction function) => function.Arguments is [{ IsBuffer: true }, ..] ? "b" : Text(function.First);

    private const int OwnAtATime = 8;

    /// <summary>Runs the guest with its arguments.</summary>
    internal static CallSampler Measure(SessionSettings settings, string[] arguments, bool cold) =>
        Run("compare", settings, arguments, cold, []);

    private static CallSampler Run(
        string name, SessionSettings settings, string[] arguments, bool cold, IReadOnlyList<OwnFunction> own)
    {
        using var guest = new EmbeddedGuest(name);
        CallSampler? sampler = null;
        guest.Run(settings, arguments, session =>
        {
            sampler = new CallSampler(session.Kernel, guest.Symbols(), own) { Cold = cold };
            session.Machine.Observer = sampler;
        });
        return sampler!;
    }

    /// <summary>One design against the system calls.</summary>
    internal static ComparisonResult Compare(SessionSettings settings, IReadOnlyList<string> functions, int threads)
    {
        settings = Ours(settings);
        CallSampler sampler = Measure(settings, threads);
        CallSampler? without = settings.Vdso == "none" ? null : Measure(settings with { Vdso = "none" }, threads);
        // What the ranges of the calibrated system instructions (cores/*.json) make of it: the same run with all of them at the low and
        // at the high ends.
        bool ranged = settings.Core != CoreModel.None.Name;
        CallSampler? low = ranged ? AtRange(settings, false, threads) : null, high = ranged ? AtRange(settings, true, threads) : null;
        CycleRange? Range(string name, CallKind kind) =>
            low?.Figures(name, kind) is { } l && high?.Figures(name, kind) is { } h ? new CycleRange(l.Cycles, h.Cycles) : null;
        return new ComparisonResult
        {
            Settings = settings,
            Threads = threads,
            CpusSeen = sampler.CpusSeen.Count,
            Functions = [.. functions.Select(name => new FunctionComparison(
                name, sampler.Figures(name, CallKind.Syscall)
                    ?? throw new LabException($"the embedded guest did not call {name}", LabFault.Failed),
                sampler.Figures(name, CallKind.Vdso), Range(name, CallKind.Syscall), Range(name, CallKind.Vdso)))],
            SwitchCycles = sampler.SwitchCycles,
            AreaCycles = sampler.AreaCycles,
            SwitchCyclesWithout = without?.SwitchCycles,
            Switches = sampler.Switches.Count,
        };
    }

    private static CallSampler AtRange(SessionSettings settings, bool high, int threads)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        try
        {
            string file = Path.Join(folder, "core.json");
            File.WriteAllText(file, CoreRange.AtEnd(settings.Core, high));
            return Measure(settings.OnCore(file), threads);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>Designs side by side.</summary>
    internal static DesignsResult CompareDesigns(
        SessionSettings settings, IReadOnlyList<string> designs, IReadOnlyList<string> functions, int threads, Action<string>? progress,
        Action<DesignsResult>? soFar)
    {
        settings = settings.ForOurGuest();
        foreach (string design in designs)
            (settings with { Vdso = design }).Design();
        // Without a vDSO: what a switch takes anyway, and the system calls alone.
        string[] all = ["none", .. designs.Where(d => d != "none")];
        OwnFunction[] own = [
            .. all.SelectMany(d => (settings with { Vdso = d }).Design().MeasuredFunctions).DistinctBy(f => f.Name)];
        var measured = new List<DesignFigures>();
        foreach (string design in all)
        {
            progress?.Invoke($"{measured.Count + 1} of {all.Length}: {design}");
            measured.Add(MeasureDesign(settings with { Vdso = design }, threads, own));
            if (measured.Count > 1)
                soFar?.Invoke(Result());
        }
        return Result();

        DesignsResult Result() => new()
        {
            Settings = settings,
            Threads = threads,
            Functions = functions,
            None = measured[0],
            Designs = [.. designs.Select(d => measured.Find(m => m.Design == d)).OfType<DesignFigures>()],
        };
    }

    private static DesignFigures MeasureDesign(SessionSettings settings, int threads, OwnFunction[] own)
    {
        settings = Ours(settings);
        CallSampler warm = Measure(settings, threads, own);
        // Alone on one CPU: what was displaced is what was emptied, and nothing else.
        CallSampler cold = Measure(settings.OnCpus(1) with { SliceNs = 1_000_000_000 }, ["1", Rseq(settings), "24"], true, own);
        VdsoDesign design = warm.Design;
        var memory = new List<ProcessPages>();
        foreach ((int processes, int perProcess) in Memories)
        {
            int computed = processes * design.ComputedPages(settings.Cpus, perProcess).PerProcess;
            // Designs without pages of processes are counted too: that they take none is a measurement.
            CallSampler counted = Measure(settings.OnCore("none"), ["m", Text(processes), Text(perProcess)], false);
            memory.Add(new ProcessPages(
                processes, perProcess, computed,
                counted.ProcessPages ?? throw new LabException("the embedded guest did not count its pages", LabFault.Failed)));
        }
        return new DesignFigures
        {
            Design = settings.Vdso,
            Name = design.Name,
            RegisterMeaning = design.RegisterMeaning,
            Warm = warm.All(CallKind.Vdso),
            Cold = cold.All(CallKind.Vdso),
            SyscallsWarm = warm.All(CallKind.Syscall),
            SyscallsCold = cold.All(CallKind.Syscall),
            SwitchCycles = warm.SwitchCycles,
            AreaCycles = warm.AreaCycles,
            Switches = warm.Switches.Count,
            SharedPages = warm.SharedPages,
            SharedPagesComputed = [.. CpuCounts.Select(n => new SharedPages(
                n, n > design.MostCpus ? null : design.ComputedPages(n, 1).Shared))],
            ProcessPages = memory,
        };
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
