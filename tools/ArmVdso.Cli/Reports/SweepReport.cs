using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab.Sweeps;

namespace ArmVdso.Cli;

/// <summary>How a sweep is shown.</summary>
internal enum SweepForm
{
    /// <summary>For people, with spread.</summary>
    Table,

    /// <summary>One document.</summary>
    Json,

    /// <summary>RFC 4180.</summary>
    Csv,

    /// <summary>Statements for sqlite3.</summary>
    Sql,
}

/// <summary>A sweep's results: a row for each core, design, kernel and set of parameters, with the spread over the placements.</summary>
internal sealed class SweepReport(Sweep sweep, string[]? program, string[] asked, SweepForm form)
{
    private static readonly string[] s_ofProgram = ["cycles", "instructions", "seconds"];

    private static readonly string[] s_ofCalls =
        ["getpid.syscall", "getpid.vdso", "clock_gettime_monotonic.syscall", "clock_gettime_monotonic.vdso", "context_switch"];

    /// <summary>Writes what is there; points that are missing are said to be.</summary>
    /// <exception cref="UserError">There is no such figure.</exception>
    internal void Write(TextWriter output, IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> results)
    {
        List<(SweepPoint Point, JsonObject Key, IReadOnlyDictionary<string, double> Figures)> there = [];
        foreach (SweepPoint point in sweep.Points)
        {
            JsonObject key = sweep.KeyOf(point);
            if (results.TryGetValue(key.ToJsonString(), out IReadOnlyDictionary<string, double>? figures))
                there.Add((point, key, figures));
        }
        string[] known = [.. there.SelectMany(t => t.Figures.Keys).Distinct()];
        string[] usual = program is null ? s_ofCalls : s_ofProgram;
        string[] names = asked is ["all"] || (asked.Length == 0 && form != SweepForm.Table) ? known
            : asked.Length == 0 ? [.. usual.Intersect(known)] : asked;
        if (known.Length > 0 && names.FirstOrDefault(n => !known.Contains(n)) is { } unknown)
        {
            string hint = Nearest.Hint(unknown, known);
            throw CommandInput.Error($"--metric: there is no figure '{unknown}'{hint}; known: {string.Join(' ', known)}");
        }
        switch (form)
        {
            case SweepForm.Csv:
                Csv(output, there, names);
                break;
            case SweepForm.Sql:
                Sql(output, there, names);
                break;
            case SweepForm.Json:
                output.WriteLine(Text.Indented(SweepFigures.ToJson(there.Select(t => (t.Key, t.Figures)), names)));
                break;
            default:
                Table(output, there, names);
                break;
        }
    }

    private void Table(
        TextWriter output, List<(SweepPoint Point, JsonObject Key, IReadOnlyDictionary<string, double> Figures)> there, string[] names)
    {
        string[] parameters = [.. sweep.Points.SelectMany(p => p.Parameters.Select(q => q.Key)).Distinct()];
        bool spread = sweep.Points.GroupBy(p => p.Group).Any(g => g.Count() > 1);
        string[] of = spread ? ["", "+-", "least", "most"] : [""];
        var table = new Table(["core", "design", "kernel", .. parameters, .. names.SelectMany(n => of.Select(o => o.Length == 0 ? n : o))]);
        foreach (IGrouping<string, SweepPoint> group in sweep.Points.GroupBy(p => p.Group))
        {
            SweepPoint first = group.First();
            IReadOnlyDictionary<string, double>[] runs = [.. there.Where(t => t.Point.Group == group.Key).Select(t => t.Figures)];
            List<string> row = [
                first.Core, first.Design, first.Kernel,
                .. parameters.Select(k => Text.Plain(first.Parameters.FirstOrDefault(p => p.Key == k).Value))];
            foreach (string name in names)
            {
                Spread figures = Spread.Of(runs, name);
                row.Add(figures.Runs == 0 ? "-" : Figure(figures.Mean));
                if (spread)
                {
                    row.AddRange(figures.Runs == 0
                        ? ["-", "-", "-"] : [Text.Percent(figures.Error, figures.Mean), Figure(figures.Least), Figure(figures.Most)]);
                }
            }
            table.Add([.. row]);
        }
        string what = program is null ? "the guest of compare" : Text.Printable(string.Join(' ', program));
        output.WriteLine(
            $"{what}: {there.Count} of {sweep.Points.Count} points; cycles are modelled"
            + (spread ? "; +- is the standard error of the mean over placements of pages" : ""));
        output.WriteLine();
        table.Write(output);
    }

    private static string Figure(double value) => value == Math.Floor(value)
        ? value.ToString("0", CultureInfo.InvariantCulture) : value.ToString("G6", CultureInfo.InvariantCulture);

    private static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static void Csv(
        TextWriter output, List<(SweepPoint Point, JsonObject Key, IReadOnlyDictionary<string, double> Figures)> there, string[] names)
    {
        string[] parameters = [.. there.SelectMany(p => p.Point.Parameters.Select(q => q.Key)).Distinct()];
        output.Write($"core,design,kernel,placement,{string.Concat(parameters.Select(p => p + ","))}{string.Join(',', names)}\r\n");
        foreach ((SweepPoint point, _, IReadOnlyDictionary<string, double> figures) in there)
        {
            string[] cells =
            [
                Field(point.Core), Field(point.Design), Field(point.Kernel), Text.Plain(point.Placement),
                .. parameters.Select(k => Text.Plain(point.Parameters.First(p => p.Key == k).Value)),
                .. names.Select(n => figures.TryGetValue(n, out double value) ? Exact(value) : ""),
            ];
            output.Write($"{string.Join(',', cells)}\r\n");
        }
    }

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void Sql(
        TextWriter output, List<(SweepPoint Point, JsonObject Key, IReadOnlyDictionary<string, double> Figures)> there, string[] names)
    {
        output.WriteLine("BEGIN;");
        output.WriteLine(
            "CREATE TABLE IF NOT EXISTS sweep (program TEXT, core TEXT, design TEXT, kernel TEXT, parameters TEXT, placement INTEGER, "
            + "figure TEXT, value REAL, key TEXT, PRIMARY KEY (key, figure));");
        foreach ((SweepPoint point, JsonObject key, IReadOnlyDictionary<string, double> figures) in there)
        {
            string program = string.Join(' ', key["program"]?.AsArray().Select(w => w!.GetValue<string>()) ?? []);
            string parameters = string.Join(' ', point.Parameters.Select(p => $"{p.Key}={p.Value}"));
            foreach (string name in names.Where(figures.ContainsKey))
            {
                output.WriteLine(
                    $"INSERT OR REPLACE INTO sweep VALUES ({Literal(program)}, {Literal(point.Core)}, {Literal(point.Design)}, "
                    + $"{Literal(point.Kernel)}, {Literal(parameters)}, {Text.Plain(point.Placement)}, {Literal(name)}, "
                    + $"{Exact(figures[name])}, {Literal(key.ToJsonString())});");
            }
        }
        output.WriteLine("COMMIT;");
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
