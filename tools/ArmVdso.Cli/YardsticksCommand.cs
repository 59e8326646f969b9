using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ArmVdso.Emulator.Timing;
using ArmVdso.Lab;
using ArmVdso.Lab.KernelPath;
using ArmVdso.Yardsticks;

namespace ArmVdso.Cli;

/// <summary>armvdso yardsticks: the core models against reference figures.</summary>
internal static class YardsticksCommand
{
    private const int WorstRows = 20;

    private static IEnumerable<YardstickSet> AllSets => YardstickSets.All.Concat(KernelYardsticks.All);

    internal static Command Make()
    {
        var sets = new Argument<string[]>("SET") { Description = "sets by name; all without: " + string.Join(", ", AllSets.Select(s => s.Name)), Arity = ArgumentArity.ZeroOrMore };
        var data = new Option<string?>("--data") { Description = "folder with tables of the same format, in place of those built in", HelpName = "DIR" };
        var rows = new Option<bool>("--rows") { Description = $"also the rows with the largest errors ({WorstRows} a set), and each row left out with the reason" };
        var all = new Option<bool>("--all-rows") { Description = "all rows" };
        var json = new Option<bool>("--json") { Description = "output for programs: a line for each result, with all rows" };
        var command = new Command("yardsticks", "the core models against measured and published figures") { sets, data, rows, all, json };
        command.SetAction(result =>
        {
            try
            {
                YardstickData tables = result.GetValue(data) is { } folder ? YardstickData.From(folder) : YardstickData.BuiltIn;
                Run(Chosen(result.GetValue(sets) ?? []), tables, result.GetValue(json), result.GetValue(all) ? int.MaxValue : result.GetValue(rows) ? WorstRows : 0);
            }
            catch (Exception e) when (e is YardstickException or CoreModelException)
            {
                throw new UserError(e.Message, ExitStatus.Usage);
            }
            return 0;
        });
        return command;
    }

    private static IEnumerable<YardstickSet> Chosen(string[] names)
    {
        string? unknown = names.FirstOrDefault(n => AllSets.All(s => s.Name != n));
        if (unknown is not null)
            throw new YardstickException($"no set {unknown}; there are {string.Join(", ", AllSets.Select(s => s.Name))}");
        return AllSets.Where(s => names.Length == 0 || names.Contains(s.Name));
    }

    private static void Run(IEnumerable<YardstickSet> sets, YardstickData data, bool json, int rows)
    {
        var table = new Table("set", "core", "metric", "rows", "left out", "result", "reach", "within");
        var results = new List<YardstickResult>();
        foreach (YardstickResult r in sets.SelectMany(s => s.Run(data)))
        {
            results.Add(r);
            if (json)
                Console.Out.WriteLine(Json(r));
            table.Add(r.Set, r.Core, r.Metric, Text(r.Rows.Count), Text(r.Unmapped.Count), r.Result, r.Reach, r.Reached switch { true => "yes", false => "no", _ => "-" });
        }
        if (json)
            return;
        table.Write(Console.Out);
        var reasons = new Table("set", "core", "left out", "reason");
        foreach (var group in results.DistinctBy(r => (r.Set, r.Core)).SelectMany(r => r.Unmapped.Select(u => (r.Set, r.Core, u.Reason))).GroupBy(u => u))
            reasons.Add(group.Key.Set, group.Key.Core, Text(group.Count()), group.Key.Reason);
        Console.Out.WriteLine();
        reasons.Write(Console.Out);
        foreach (YardstickResult r in results.Where(r => r.Note.Length > 0).DistinctBy(r => (r.Set, r.Note)))
            Console.Out.WriteLine($"{r.Set}: {r.Note}.");
        if (rows > 0)
            Rows(results, rows);
    }

    private static void Rows(List<YardstickResult> results, int most)
    {
        foreach (YardstickResult r in results)
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{r.Set}, {r.Core}, {r.Metric}");
            var table = new Table("row", "reference", "model", "unit", "error");
            foreach (YardstickRow row in r.Rows.OrderByDescending(row => row.Error).Where(row => most == int.MaxValue || row.Error > 0).Take(most))
                table.Add(row.Name, Text(row.Reference), Text(row.Model), row.Unit, YardstickSets.Percent(row.Error));
            table.Write(Console.Out);
            foreach (UnmappedRow row in r.Unmapped)
                Console.Out.WriteLine($"left out: {row.Name}: {row.Reason}");
        }
    }

    private static string Json(YardstickResult r) => JsonSerializer.Serialize(new
    {
        set = r.Set,
        core = r.Core,
        metric = r.Metric,
        reach = r.Reach,
        value = r.Value,
        within = r.Reached,
        note = r.Note,
        rows = r.Rows.Select(row => new { name = row.Name, reference = row.Reference, model = row.Model, unit = row.Unit, error = row.Error }),
        left_out = r.Unmapped.Select(u => new { name = u.Name, reason = u.Reason }),
    });

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
