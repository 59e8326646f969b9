using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Cli;

/// <summary>armvdso yardsticks: the core models against reference figures.</summary>
internal static class YardsticksCommand
{
    private const int WorstRows = 20;

    internal static Command Make()
    {
        var sets = new Argument<string[]>("SET")
        {
            Description = "sets by name; all without: " + string.Join(", ", ArmVdsoLab.Yardsticks.Select(s => s.Name)),
            Arity = ArgumentArity.ZeroOrMore,
        };
        var data = new Option<string?>(
            "--data")
        { Description = "folder with tables of the same format, in place of those built in", HelpName = "DIR" };
        var programs = new Option<string?>("--programs")
        {
            Description = "folder of programs for board-programs, as tools/ArmVdso.Yardsticks/Programs/fetch.sh makes it",
            HelpName = "DIR",
        };
        var rows = new Option<bool>("--rows")
        {
            Description = $"also the rows with the largest errors ({WorstRows} a set), and each row left out with the reason",
        };
        var all = new Option<bool>("--all-rows") { Description = "all rows" };
        var json = new Option<bool>("--json") { Description = "output for programs: a line for each result, with all rows" };
        return new CliCommand(
            "yardsticks", "the core models against measured and published figures", [], [data, programs, rows, all, json], [sets], input =>
            {
                string[] names = input.Operands(sets);
                string? unknown = names.FirstOrDefault(n => ArmVdsoLab.Yardsticks.All(s => s.Name != n));
                if (unknown is not null)
                    throw CommandInput.Error($"no set {unknown}; there are {string.Join(", ", ArmVdsoLab.Yardsticks.Select(s => s.Name))}");
                YardstickData tables = Tables(input.Value(data));
                if (input.Value(programs) is { } built)
                    tables = WithPrograms(tables, built);
                bool asJson = input.Value(json), worst = input.Value(rows), every = input.Value(all);
                if (asJson)
                    input.Refuse("with --json, which has all rows", rows, all);
                if (every)
                    input.Refuse("with --all-rows", rows);
                return () =>
                    Run(ArmVdsoLab.Measure(names.Length == 0 ? null : names, tables), asJson, every ? int.MaxValue : worst ? WorstRows : 0);
            });
    }

    private static YardstickData Tables(string? folder)
    {
        try
        {
            return folder is null ? YardstickData.BuiltIn : YardstickData.From(folder);
        }
        catch (YardstickException e)
        {
            throw CommandInput.Error($"--data: {e.Message}");
        }
    }

    private static YardstickData WithPrograms(YardstickData tables, string folder)
    {
        try
        {
            return tables.With(folder);
        }
        catch (YardstickException e)
        {
            throw CommandInput.Error($"--programs: {e.Message}");
        }
    }

    private static int Run(IEnumerable<YardstickResult> measured, bool json, int rows)
    {
        var table = new Table(
            "set", "core", "profile", "kernel", "metric", "rows", "left out", "result", "reach", "within");
        var results = new List<YardstickResult>();
        foreach (YardstickResult r in measured)
        {
            results.Add(r);
            Terminal.Progress($"yardsticks: {results.Count} so far, the last {r.Set} on {r.Core}");
            if (json)
                Console.Out.WriteLine(Json(r));
            table.Add(
                r.Set, r.Core, r.Profile ?? "-", r.Kernel ?? "-", r.Metric, Text.Plain(r.Rows.Count), Text.Plain(r.Unmapped.Count),
                r.Result, r.Reach,
                r.Reached switch { true => "yes", false => "no", _ => "-" });
        }
        if (json)
            return 0;
        table.Write(Console.Out);
        var reasons = new Table("set", "core", "left out", "reason");
        IEnumerable<(string Set, string Core, string Reason)> left =
            results.DistinctBy(r => (r.Set, r.Core)).SelectMany(r => r.Unmapped.Select(u => (r.Set, r.Core, u.Reason)));
        foreach (IGrouping<(string Set, string Core, string Reason), (string, string, string)> group in left.GroupBy(u => u))
            reasons.Add(group.Key.Set, group.Key.Core, Text.Plain(group.Count()), group.Key.Reason);
        Console.Out.WriteLine();
        reasons.Write(Console.Out);
        Console.Out.WriteLine();
        Console.Out.WriteLine("Profile and kernel \"-\": the bare core, which has every instruction, without a kernel.");
        foreach (YardstickResult r in results.Where(r => r.Note.Length > 0).DistinctBy(r => (r.Set, r.Note)))
            Console.Out.WriteLine($"{r.Set}: {r.Note}.");
        Predictions(results);
        if (rows > 0)
            Rows(results, rows);
        return 0;
    }

    private static void Predictions(List<YardstickResult> results)
    {
        if (results.All(r => r.Predictions.Count == 0))
            return;
        var table = new Table("core", "program", "branches", "mispredicted", "rate", "MPKI", "cycles lost", "published rate");
        var sources = new List<string>();
        foreach ((YardstickResult of, PredictionRow row) in results.SelectMany(r => r.Predictions.Select(p => (r, p))))
        {
            string published = row.Published is { } rate ? YardstickSets.Percent(rate) : "no public figure";
            if (row.Published is not null)
                sources.Add($"{of.Core}, {row.Program}: {published} ({row.Source})");
            if (row.Figures is not { } figures)
                table.Add(of.Core, row.Program, "-", "-", "-", "-", "-", published);
            else
                table.Add(
                    of.Core, row.Program, Text.Plain(figures.Branches), Text.Plain(figures.Mispredicts),
                    YardstickSets.Percent(figures.Rate), Text.Fixed(figures.PerThousand, 2), YardstickSets.Percent(figures.LostShare),
                    published);
        }
        Console.Out.WriteLine();
        table.Write(Console.Out);
        Console.Out.WriteLine("MPKI: mispredictions in 1,000 instructions.");
        Console.Out.WriteLine("Cycles lost: those whose cause is a misprediction; each cycle has one cause.");
        foreach (string source in sources)
            Console.Out.WriteLine("published: " + source);
    }

    private static void Rows(List<YardstickResult> results, int most)
    {
        foreach (YardstickResult r in results)
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{r.Set}, {r.Core}, {r.Metric}");
            var table = new Table("row", "reference", "model", "unit", "error");
            foreach (YardstickRow row in r.Rows.OrderByDescending(row => row.Error).Where(row => most == int.MaxValue || row.Error > 0)
                .Take(most))
                table.Add(row.Name, Figure(row.Reference), Figure(row.Model), row.Unit, YardstickSets.Percent(row.Error));
            table.Write(Console.Out);
            foreach (UnmappedRow row in r.Unmapped)
                Console.Out.WriteLine($"left out: {row.Name}: {row.Reason}");
        }
    }

    private static string Json(YardstickResult r) => new JsonObject
    {
        ["set"] = r.Set,
        ["core"] = r.Core,
        ["cpu_profile"] = r.Profile,
        ["kernel"] = r.Kernel,
        ["metric"] = r.Metric,
        ["reach"] = r.Reach,
        ["value"] = r.Value,
        ["within"] = r.Reached,
        ["note"] = r.Note,
        ["rows"] = new JsonArray([.. r.Rows.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            ["reference"] = row.Reference,
            ["model"] = row.Model,
            ["unit"] = row.Unit,
            ["error"] = row.Error,
        })]),
        ["predictions"] = r.Predictions.Count == 0 ? null : new JsonArray([.. r.Predictions.Select(p => new JsonObject
        {
            ["program"] = p.Program,
            ["instructions"] = p.Figures?.Instructions,
            ["cycles"] = p.Figures?.Cycles,
            ["branches"] = p.Figures?.Branches,
            ["mispredicted"] = p.Figures?.Mispredicts,
            ["rate_percent"] = p.Figures?.Rate * 100,
            ["per_1000_instructions"] = p.Figures?.PerThousand,
            ["cycles_lost"] = p.Figures?.Lost,
            ["published_percent"] = p.Published * 100,
            ["published_source"] = p.Published is null ? null : p.Source,
        })]),
        ["left_out"] = new JsonArray([.. r.Unmapped.Select(u => new JsonObject { ["name"] = u.Name, ["reason"] = u.Reason })]),
    }.ToJsonString();

    private static string Figure(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
