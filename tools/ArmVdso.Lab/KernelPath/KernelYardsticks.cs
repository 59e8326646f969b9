using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Lab.Designs;
using ArmVdso.Yardsticks;

namespace ArmVdso.Lab.KernelPath;

/// <summary>Yardsticks that need the kernel: system call loops against published figures (anchors.tsv), the null system call with
/// its parts, and clock_gettime by system call against the vDSO.</summary>
internal static partial class KernelYardsticks
{
    private const string File = "anchors.tsv";

    internal static IReadOnlyList<YardstickSet> All { get; } =
    [
        Set("syscall-loop", "UnixBench's system call loop (own text) against published figures",
            data => Loops(data, "syscall-loop", "unixbench syscall mix", "mix", 0.2)),
        Set("pipe-loop", "UnixBench's pipe loop, 512 bytes (own text), against published figures",
            data => Loops(data, "pipe-loop", "unixbench pipe w512+r512", "pipe", 0.25)),
        Set("pipe-switch", "UnixBench's context1 (own text) against published figures; those are of four cores with idle states",
            data => Loops(data, "pipe-switch", "unixbench pipe ctx switch", "switch", null)),
        Set("null-syscall", "an unknown system call, inside 150 to 450 cycles", _ => [Null("cortex-a53"), Null("cortex-a55")]),
        Set("clock-ratio", "clock_gettime by system call / by vDSO, inside 4 to 8", _ => [Ratio("cortex-a53"), Ratio("cortex-a55")]),
        BoardPrograms.Set,
    ];

    /// <summary>A set whose results name the kernel and the profile that their core has.</summary>
    private static YardstickSet Set(string name, string what, Func<YardstickData, IEnumerable<YardstickResult>> run) =>
        new(name, what, data => run(data).Select(result => result with
        {
            Profile = Settings(result.Core).CpuProfileName,
            Kernel = Settings(result.Core).KernelConfiguration.ToString(),
        }))
        {
            Cores = name is "syscall-loop" or "null-syscall" ? ["cortex-a53", "cortex-a55"] : [],
            Source = what.Contains("published", StringComparison.Ordinal) ? "figures published for boards, named in anchors.tsv"
                : "a range of published figures",
        };

    private static SessionSettings Settings(string core) => new() { Core = core, Cpus = 1 };

    [GeneratedRegex(@"^~?(\d+)(?:/iter.*)?$")]
    private static partial Regex Cycles();

    private static IEnumerable<YardstickResult> Loops(YardstickData data, string set, string what, string loop, double? reach)
    {
        foreach ((string short_, string core) in ((string, string)[])[("A53", "cortex-a53"), ("A55", "cortex-a55")])
        {
            var rows = new List<YardstickRow>();
            string note = "";
            foreach (TableRow row in data.Table(File, "what", "core", "board", "cycles")
                .Where(r => r.Cells[0].StartsWith(what, StringComparison.Ordinal) && r.Cells[1] == short_))
            {
                if (Cycles().Match(row.Cells[3]) is not { Success: true } match)
                    continue;
                (ulong cycles, ulong charged, ulong instructions) = RoundSampler.Measure(Settings(core), loop);
                double reference = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
                rows.Add(new YardstickRow($"{what}, {row.Cells[2]}", reference, cycles, "cycles/round"));
                note += $"{(note.Length > 0 ? "; " : "")}{core}: {cycles} cycles a round, of them {charged} charged for bodies in C#, "
                    + $"{instructions} instructions executed";
            }
            if (reach is { } within)
            {
                yield return YardstickSets.MeanError(set, core, "error", within, rows, [], note);
                continue;
            }
            double? error = rows.Count == 0 ? null : rows.Average(r => r.Error);
            yield return new YardstickResult(
                set, core, "error", "-", error is { } e ? YardstickSets.Percent(e) : "-", error, null, rows, [], note);
        }
    }

    private static YardstickResult Null(string core)
    {
        PathSample sample = KernelPathSampler.Measure(Settings(core))["bad"];
        IEnumerable<string> parts = Enum.GetValues<PathPart>()
            .Select(p => $"{p.ToString().ToLowerInvariant()} {sample.PartCycles[(int)p]} ({sample.PartInstructions[(int)p]})");
        return new YardstickResult(
            "null-syscall", core, "cycles", "150 to 450", sample.Cycles.ToString(CultureInfo.InvariantCulture), sample.Cycles,
            sample.Cycles is >= 150 and <= 450, [], [],
            $"{core}: cycles (instructions) of {string.Join(", ", parts)}; all executed");
    }

    private static YardstickResult Ratio(string core)
    {
        const string Clock = "clock_gettime_monotonic";
        CallSampler sampler = Comparison.Measure(Settings(core), 2);
        ulong system = sampler.Figures(Clock, CallKind.Syscall)!.Cycles, vdso = sampler.Figures(Clock, CallKind.Vdso)!.Cycles;
        double ratio = (double)system / vdso;
        return new YardstickResult(
            "clock-ratio", core, "system call / vDSO", "4 to 8", ratio.ToString("F2", CultureInfo.InvariantCulture), ratio,
            ratio is >= 4 and <= 8, [], [],
            $"{core}: CLOCK_MONOTONIC takes {system} cycles by system call, {vdso} by vDSO");
    }
}
