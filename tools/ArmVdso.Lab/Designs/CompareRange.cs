using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Lab.Designs;

/// <summary>What the ranges of the calibrated system instructions (cores/*.json) make of a comparison: the same run with all of
/// them at the low and at the high ends.</summary>
internal static class CompareRange
{
    /// <summary>Cycles of a function at both ends, by system call and by vDSO.</summary>
    internal sealed record Interval((ulong Low, ulong High) Syscall, (ulong Low, ulong High)? Vdso);

    /// <summary>The intervals of some functions; empty when the core is a file of the user's or none.</summary>
    internal static Dictionary<string, Interval> Measure(SessionSettings settings, IEnumerable<string> functions, int threads)
    {
        var intervals = new Dictionary<string, Interval>();
        if (!CoreModel.Names.Contains(settings.Core))
            return intervals;
        CallSampler low = Run(settings, false, threads), high = Run(settings, true, threads);
        foreach (string name in functions)
        {
            (ulong, ulong)? vdso = low.Samples.ContainsKey((name, CallKind.Vdso)) && high.Samples.ContainsKey((name, CallKind.Vdso))
                ? (Cycles(low, name, CallKind.Vdso), Cycles(high, name, CallKind.Vdso)) : null;
            intervals[name] = new Interval((Cycles(low, name, CallKind.Syscall), Cycles(high, name, CallKind.Syscall)), vdso);
        }
        return intervals;
    }

    private static ulong Cycles(CallSampler sampler, string name, CallKind kind)
    {
        ulong cycles = sampler.Samples[(name, kind)].Cycles, empty = sampler.Samples[("empty", CallKind.Empty)].Cycles;
        return cycles > empty ? cycles - empty : 0;
    }

    private static CallSampler Run(SessionSettings settings, bool high, int threads)
    {
        string file = Path.Join(Path.GetTempPath(), $"armvdso-{Environment.ProcessId}-{(high ? "high" : "low")}.json");
        try
        {
            File.WriteAllText(file, CoreModel.AtRange(settings.Core, high));
            return Comparison.Measure(settings with { Core = file }, threads);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The table under the main one.</summary>
    internal static void Write(TextWriter output, Dictionary<string, Interval> intervals)
    {
        if (intervals.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine("With the system instructions (SVC, ERET, MRS, MSR, barriers, counter) at the ends of their calibrated ranges, all low or all high (see models):");
        var table = new Table("function", "syscall low", "high", "vDSO low", "high", "ratio at low", "at high");
        foreach ((string name, Interval i) in intervals)
        {
            table.Add(
                name, Text(i.Syscall.Low), Text(i.Syscall.High), i.Vdso is { } v ? Text(v.Low) : "-", i.Vdso is { } w ? Text(w.High) : "-",
                Ratio(i.Syscall.Low, i.Vdso?.Low), Ratio(i.Syscall.High, i.Vdso?.High));
        }
        table.Write(output);
    }

    /// <summary>The interval of one function for programs.</summary>
    internal static JsonObject ToJson(Interval i) => new()
    {
        ["syscall"] = new JsonArray(i.Syscall.Low, i.Syscall.High),
        ["vdso"] = i.Vdso is { } v ? new JsonArray(v.Low, v.High) : null,
    };

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Ratio(ulong system, ulong? vdso) => vdso is null or 0 ? "-" : ((double)system / vdso.Value).ToString("f1", CultureInfo.InvariantCulture);
}
