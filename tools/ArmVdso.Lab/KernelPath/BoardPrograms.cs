using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Lab.KernelPath;

/// <summary>Whole programs, as others built and measured them on boards, from their own sources: a folder that
/// <c>tools/ArmVdso.Yardsticks/Programs/fetch.sh</c> makes. What a figure consists of is printed with it, since the kernel's bodies are
/// charged and not executed.</summary>
internal static partial class BoardPrograms
{
    private const string File = "programs_measured.tsv";
    private const string SetName = "board-programs";

    internal static YardstickSet Set { get; } =
        new(SetName, "CoreMark, UnixBench, STREAM and lmbench from their sources (--programs DIR) on boards", Run);

    /// <summary>What a run came to.</summary>
    /// <param name="Output">Both streams.</param>
    /// <param name="Cycles">Cycles of the CPU.</param>
    /// <param name="User">Of them, at EL0.</param>
    /// <param name="Charged">Of them, charged.</param>
    /// <param name="Waited">Of them, waited.</param>
    /// <param name="Branches">Branches at EL0.</param>
    /// <param name="Mispredicts">Of them, predicted wrongly.</param>
    private sealed record Outcome(
        string Output, ulong Cycles, ulong User, ulong Charged, ulong Waited, ulong Branches, ulong Mispredicts);

    private static IEnumerable<YardstickResult> Run(YardstickData data)
    {
        if (data.Programs is null)
        {
            yield return YardstickSets.Missing(
                SetName, "-", "mean error", "-",
                "no folder of programs: tools/ArmVdso.Yardsticks/Programs/fetch.sh makes one, --programs DIR names it");
            yield break;
        }
        IReadOnlyList<TableRow> table = Rows(data);
        foreach (var group in table.GroupBy(row => (Core: row[0], Decides: row[7])))
        {
            var rows = new List<YardstickRow>();
            var unmapped = new List<UnmappedRow>();
            var outcomes = new Dictionary<string, Outcome>();
            foreach (TableRow row in group)
            {
                try
                {
                    (double figure, Outcome of) = Figure(data.Programs, row, row[0], outcomes);
                    rows.Add(new YardstickRow($"{row[4]} ({Parts(of)})", row.Value(5), figure, row[6]));
                }
                catch (LabException e)
                {
                    unmapped.Add(new UnmappedRow(row[4], e.Message));
                }
            }
            double reach = group.Key.Core.StartsWith("cortex-a5", StringComparison.Ordinal) ? 0.1 : 0.15;
            YardstickResult result = YardstickSets.MeanError(
                SetName, group.Key.Core, $"mean error, {group.Key.Decides} code", reach, rows, unmapped,
                "of each row: where its cycles were; the kernel's bodies are charged, not executed");
            yield return group.Key.Decides == "user" ? result : result with { Reach = "-", Reached = null };
        }
    }

    private static IReadOnlyList<TableRow> Rows(YardstickData data) =>
        data.Table(File, "core", "program", "arguments", "how", "name", "value", "unit", "decides");

    /// <summary>The figures of a core, or of a core on a board, that user code decides, so that they can be taken on other cores.</summary>
    /// <exception cref="YardstickException">The table is not well formed.</exception>
    internal static IReadOnlyList<ProgramFigure> FiguresOf(YardstickData data, string core) =>
    [
        .. from row in Rows(data)
           where row[0] == core && row[7] == "user"
           select new ProgramFigure(row[4], row[6], variant => Figure(data.Programs!, row, variant, []).Figure),
    ];

    private static string Parts(Outcome of)
    {
        double busy = of.Cycles - of.Waited;
        string Share(double cycles) => (cycles / busy * 100).ToString("F0", CultureInfo.InvariantCulture) + "%";
        string wrong = ((double)of.Mispredicts / Math.Max(of.Branches, 1) * 100).ToString("F2", CultureInfo.InvariantCulture);
        return $"EL0 {Share(of.User)}, EL1 {Share(busy - of.User - of.Charged)}, charged {Share(of.Charged)}; "
            + $"{wrong}% of the branches at EL0 mispredicted";
    }

    [GeneratedRegex(@"^(rounds|print|count)(?:@(\d+))? (.+)$")]
    private static partial Regex How();

    private static (double Figure, Outcome Of) Figure(string folder, TableRow row, string core, Dictionary<string, Outcome> outcomes)
    {
        if (How().Match(row[3]) is not { Success: true } how)
            throw new YardstickException($"table {row.File}: row {row.Number}: neither rounds, print nor count: {row[3]}");
        double megahertz = how.Groups[2].Success ? double.Parse(how.Groups[2].Value, CultureInfo.InvariantCulture) : 0;
        Outcome Of(string arguments)
        {
            arguments = arguments.Replace("{programs}", Path.GetFullPath(folder), StringComparison.Ordinal);
            string key = $"{row[1]} {arguments} {megahertz}";
            if (!outcomes.TryGetValue(key, out Outcome? known))
                outcomes.Add(key, known = Execute(core, (ulong)(megahertz * 1e6), Path.Combine(folder, row[1]), arguments));
            return known;
        }
        string what = how.Groups[3].Value;
        if (how.Groups[1].Value == "rounds")
        {
            int rounds = int.Parse(what, CultureInfo.InvariantCulture);
            Outcome once = Of(row[2].Replace("{n}", rounds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
            Outcome twice = Of(row[2].Replace("{n}", (2 * rounds).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
            double cycles = (double)(twice.Cycles - once.Cycles) / rounds;
            return (row[6] == "/MHz" ? 1e6 / cycles : cycles, twice);
        }
        Outcome of = Of(row[2]);
        if (Regex.Match(of.Output, what) is not { Success: true } match)
            throw new LabException($"{row[1]} did not print {what}: {of.Output.ReplaceLineEndings(" ").Trim()}", LabFault.Failed);
        double figure = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        if (how.Groups[1].Value == "count")
            return (megahertz * 1e6 / figure, of);
        return (row[6].EndsWith("/MHz", StringComparison.Ordinal) ? figure / megahertz : figure, of);
    }

    private static Outcome Execute(string core, ulong clock, string program, string arguments)
    {
        var settings = new SessionSettings
        {
            Core = core,
            Cpus = 1,
            ClockHz = clock,
            // lmbench: microseconds of a measurement.
            Environment = [.. SessionSettings.DefaultEnvironment, "ENOUGH=2000", "TIMING_O=0", "LOOP_O=0"],
            MaxCycles = 3_000_000_000,
        };
        using var output = new MemoryStream();
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var session = new Session(settings, program, words, new SessionHooks { Output = output, Error = output });
        session.Run();
        Emulator.Timing.TimingModel timing = session.Machine.Cpus[0].Timing;
        TimingCounters user = timing.Counters(0);
        ulong waited = user.Causes[(int)CycleCause.Waiting] + timing.Counters(1).Causes[(int)CycleCause.Waiting];
        ulong executed = user.Cycles - user.Causes[(int)CycleCause.Charged];
        string said = Encoding.Latin1.GetString(output.ToArray());
        return new Outcome(said, timing.Cycles, executed, timing.ChargedCycles, waited, user.Branches, user.Mispredicts);
    }
}
