using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>The results of check for people and for programs.</summary>
internal static class CheckReport
{
    internal static void Write(TextWriter output, CheckResult result)
    {
        IReadOnlyList<CheckCell> cells = result.Cells;
        // A function that is wrong without any event is wrong with every one: it is listed once.
        Dictionary<string, CheckCell> always = cells.Where(c => c.Event == "none" && c.Failed > 0).ToDictionary(c => c.Function);
        List<CheckCell> failed = [
            .. cells.Where(c => c.Failed > 0 && (!always.TryGetValue(c.Function, out CheckCell? plain) || plain == c))];
        string[] events = [.. cells.Select(c => c.Event).Where(e => !e.Contains('+')).Distinct()];
        string[] functions = [.. cells.Select(c => c.Function).Distinct()];
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Subject(result)}: {functions.Length} functions, {cells.Sum(c => c.Explored)} "
            + $"interleavings, {cells.Sum(c => c.Failed)} of them wrong, {cells.Count(c => c.Vacuous is not null)} cells vacuous"));
        output.WriteLine($"A number below is proved within: {Order(cells)}, {result.Bounds}.");
        output.WriteLine();
        var numbers = failed.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => p.i + 1);
        foreach (CheckCell cell in cells.Where(c => c.Failed > 0 && !numbers.ContainsKey(c)).ToList())
            numbers[cell] = numbers[always[cell.Function]];
        WriteTable(output, "event", events, functions, cells, numbers);
        WritePairs(output, cells, numbers);
        if (failed.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Shortest failing schedules (armvdso check --replay ID shows every instruction):");
            var list = new Table("#", "ID", "wrong/explored", "what was wrong");
            foreach (CheckCell cell in failed)
                list.Add($"{numbers[cell]}", cell.Schedule!, $"{cell.Failed}/{cell.Explored}", cell.What!);
            list.Write(output);
        }
        WriteVacuous(output, cells);
        string[] fallbacks = [.. cells.Where(c => c.Event == "none" && c.FellBack > 0).Select(c => c.Function)];
        if (fallbacks.Length > 0)
            output.WriteLine($"\nMade the system call even when nothing happened: {string.Join(' ', fallbacks)}");
        string[] silent = [.. cells.Where(c => c.Event == "irq" && c.FirstFallback == 0).Select(c => c.Function).Except(fallbacks)];
        if (silent.Length > 0)
            output.WriteLine(
                $"\nSilent fallback: after an interrupt that changes nothing, these make the system call until the next switch: "
                + $"{string.Join(' ', silent)}");
        output.WriteLine();
    }

    private static string Order(IReadOnlyList<CheckCell> cells) =>
        (cells.Any(c => c.Event.Contains('+', StringComparison.Ordinal))
            ? "one event a call, or two where two are named"
            : "one event a call")
        + (cells.Any(c => c.Event.StartsWith("weak-", StringComparison.Ordinal))
            ? ", program order (weak-*: loads of the call and stores of one update in Arm's order)"
            : ", program order");

    private static void WriteVacuous(TextWriter output, IReadOnlyList<CheckCell> cells)
    {
        if (cells.All(c => c.Vacuous is null))
            return;
        output.WriteLine();
        output.WriteLine("Vacuous: nothing was wrong, and nothing could have been; so nothing is proved:");
        var list = new Table("event", "why", "functions");
        foreach (IGrouping<(string Event, string Why), CheckCell> group in cells.Where(c => c.Vacuous is not null)
            .GroupBy(c => (c.Event, c.Vacuous!)))
            list.Add(group.Key.Event, group.Key.Why, string.Join(' ', group.Select(c => c.Function)));
        list.Write(output);
    }

    private static string Subject(CheckResult result) => result.Bounds.Booted is null
        ? $"design {result.Design}, {Machine(result.Settings)}"
        : $"booted Linux {Text.Printable(result.Design)}, {result.Settings.Cpus} CPUs, profile {result.Settings.CpuProfileName}";

    /// <summary>Machine and an empty line.</summary>
    internal static void WriteHeader(TextWriter output, SessionSettings settings) =>
        output.WriteLine($"{Machine(settings)}, no timing model\n");

    /// <summary>The machine: no timing model plays a part.</summary>
    internal static string Machine(SessionSettings settings) =>
        $"{Text.Cpus(settings)}, profile {settings.CpuProfileName}, kernel {settings.KernelConfiguration}";

    /// <summary>The same for programs, with what else belongs to a report.</summary>
    internal static JsonObject MachineJson(SessionSettings settings, params (string Key, JsonNode? Value)[] more) =>
        Text.MachineJson(
            settings with { Core = "none", Cpu = settings.CpuProfileName, Kernel = settings.KernelConfiguration }, more);

    private static void WritePairs(TextWriter output, IReadOnlyList<CheckCell> cells, Dictionary<CheckCell, int> numbers)
    {
        string[] pairs = [.. cells.Select(c => c.Event).Where(e => e.Contains('+')).Distinct()];
        if (pairs.Length == 0)
            return;
        output.WriteLine();
        WriteTable(output, "two events", pairs, [.. cells.Select(c => c.Function).Distinct()], cells, numbers);
    }

    private static void WriteTable(
        TextWriter output, string head, string[] events, string[] functions, IReadOnlyList<CheckCell> cells, Dictionary<CheckCell,
        int> numbers)
    {
        var table = new Table([head, .. functions.Select(Short)]);
        Dictionary<(string, string), CheckCell> at = cells.ToDictionary(c => (c.Function, c.Event));
        foreach (string e in events)
            table.Add([e, .. functions.Select(f => CellText(at.GetValueOrDefault((f, e)), numbers))]);
        table.Write(output);
    }

    /// <summary>clock_gettime_monotonic is the column "monotonic".</summary>
    private static string Short(string function) =>
        function.Replace("clock_gettime_", "", StringComparison.Ordinal).Replace("monotonic_", "mono_", StringComparison.Ordinal);

    private static string CellText(CheckCell? cell, Dictionary<CheckCell, int> numbers) => cell is null ? "" : cell.Verdict switch
    {
        CheckVerdict.Failed => $"FAIL#{numbers[cell]}",
        CheckVerdict.Proved => cell.Explored.ToString(CultureInfo.InvariantCulture),
        CheckVerdict.Sampled => $"({cell.Explored.ToString(CultureInfo.InvariantCulture)})",
        _ => Name(cell.Verdict),
    };

    private static string Name(CheckVerdict verdict) =>
        verdict == CheckVerdict.NotApplicable ? "n/a" : verdict.ToString().ToLowerInvariant();

    internal static void WriteLegend(TextWriter output, IEnumerable<CheckName> events)
    {
        output.WriteLine(
            "A number: proved within the bounds above, that many interleavings, each one executed and each answer one that the system call "
            + "could have given.");
        output.WriteLine(
            "(A number): so many schedules of three events that the seed chose held. FAIL: see the list. vacuous: nothing could have "
            + "been wrong. kernel: the design leaves it to the system call on purpose. n/a: "
            + "the event cannot change the answer. Timing models play no part. docs/check.md says what is not explored.");
        List<CheckName> all = [.. events];
        int width = all.Select(e => e.Name.Length).DefaultIfEmpty().Max();
        foreach (CheckName e in all)
            output.WriteLine($"  {e.Name.PadRight(width)} {e.Meaning}");
    }

    internal static JsonNode Json(CheckResult result)
    {
        var list = new JsonArray();
        foreach (CheckCell cell in result.Cells)
        {
            list.Add((JsonNode)new JsonObject
            {
                ["function"] = cell.Function,
                ["event"] = cell.Event,
                ["verdict"] = Name(cell.Verdict),
                ["within"] = cell.Verdict == CheckVerdict.NotApplicable ? null : result.Bounds.Of(cell),
                ["interleavings"] = cell.Explored,
                ["wrong"] = cell.Failed,
                ["fell_back"] = cell.FellBack,
                ["reason"] = cell.NotApplicable ?? cell.Vacuous,
                ["id"] = cell.Schedule,
                ["what"] = cell.What,
            });
        }
        return new JsonObject
        {
            [result.Bounds.Booted is null ? "design" : "booted"] = result.Design,
            ["cpu_profile"] = result.Settings.CpuProfileName,
            ["kernel"] = result.Bounds.Kernel,
            ["cpus"] = result.Bounds.Cpus,
            ["nodes"] = result.Bounds.Nodes,
            ["tasks"] = result.Bounds.Tasks,
            ["vacuous"] = result.Cells.Count(c => c.Vacuous is not null),
            ["cells"] = list,
        };
    }
}
