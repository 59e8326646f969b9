using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Fitting;

namespace ArmVdso.Cli;

/// <summary>armvdso model: core models of one's own.</summary>
internal static class ModelCommand
{
    private const int WorstRows = 20;

    internal static Command Make() => new("model", "core models of your own") { MakeFit(), SensitivityCommand.Make() };

    private static CliCommand MakeFit()
    {
        var directory = new Argument<string?>("DIR")
        {
            Description = "folder with tables of measured instructions (.md, .tsv, .txt), as insn_bench_aarch64 prints them",
            Arity = ArgumentArity.ExactlyOne,
        };
        var from = new Option<string>("--from")
        {
            Description = "core to begin with, of the same kind: a name that 'models' lists, or a file",
            HelpName = "NAME|FILE",
            DefaultValueFactory = _ => "neoverse-n1",
        };
        var name = new Option<string?>("--name") { Description = "name of the new core; without: the folder's", HelpName = "NAME" };
        var holdOut = new Option<bool>("--hold-out")
        {
            Description = "fits to every second row only, so that the others judge what the fit is worth",
        };
        return new CliCommand(
            "fit", "a first core file, DIR/NAME.json, from a table of measured instructions", [], [from, name, holdOut], [directory],
            input =>
            {
                string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(input.Operand(directory)!));
                string start = input.Value(from)!;
                string called = input.Value(name) ?? Path.GetFileName(folder);
                bool half = input.Value(holdOut);
                if (called.Length == 0 || called.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_')))
                    throw CommandInput.Error($"--name: '{called}' is no name of a core: letters, digits, -, . and _ are");
                return () => Fit(folder, start, called, half);
            });
    }

    private static int Fit(string folder, string start, string name, bool holdOut)
    {
        string to = Path.Combine(folder, name + ".json");
        FitResult result;
        try
        {
            IReadOnlyList<MeasuredRow> rows = MeasuredTable.Read(folder);
            Terminal.Progress($"model fit: {rows.Count} rows");
            result = new CoreFit(start, name, $"tables of {Path.GetFileName(folder)}").Fit(rows, holdOut);
            File.WriteAllText(to, result.Text);
        }
        catch (Exception e) when (e is YardstickException or CoreModelException)
        {
            throw CommandInput.Error(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandInput.Error($"{to}: {e.Message}");
        }
        var entries = new Table("entry", "field", "value", "rows", "why");
        foreach (FittedEntry entry in result.Entries.OrderBy(e => e.Name, StringComparer.Ordinal))
            entries.Add(entry.Name, entry.Field, entry.Value, Text.Plain(entry.Rows), entry.Why);
        entries.Write(Console.Out);
        Console.Out.WriteLine();
        var sections = new Table("section", "values", $"mean error of {start}", $"of {name}");
        foreach (IGrouping<string, FitValue> section in result.Values.GroupBy(v => v.Row.Section))
            Add(sections, section.Key, [.. section]);
        Add(sections, "all", result.Values);
        if (holdOut)
        {
            Add(sections, "all that the fit saw", [.. result.Values.Where(v => v.Seen)]);
            Add(sections, "all that it did not", [.. result.Values.Where(v => !v.Seen)]);
        }
        sections.Write(Console.Out);
        Console.Out.WriteLine();
        var worst = new Table("largest residuals", "value", "measured", name, "error");
        foreach (FitValue value in result.Values.OrderByDescending(v => v.Error(v.After)).Take(WorstRows))
            worst.Add(
                value.Row.Name, value.Kind == FitKind.Throughput ? "a cycle" : "cycles", Figure(value.Measured), Figure(value.After),
                YardstickSets.Percent(value.Error(value.After)));
        worst.Write(Console.Out);
        Console.Out.WriteLine();
        foreach (IGrouping<string, UnmappedRow> reason in result.Unmapped.GroupBy(u => u.Reason))
            Console.Out.WriteLine($"left out: {reason.Count()} rows: {reason.Key}");
        Console.Out.WriteLine(
            $"{to}: what no row decides is {start}'s and marked so: widths, buffers, caches, memory, system instructions, clock, profile.");
        return 0;
    }

    private static void Add(Table table, string name, IReadOnlyList<FitValue> values)
    {
        if (values.Count > 0)
            table.Add(
                name, Text.Plain(values.Count), YardstickSets.Percent(values.Average(v => v.Error(v.Before))),
                YardstickSets.Percent(values.Average(v => v.Error(v.After))));
    }

    private static string Figure(double number) => number.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture);
}
