using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>armvdso check --mutants: shows that check can fail, fault by fault.</summary>
internal static class MutantCommand
{
    private static readonly string[] Events = ["none", "migrate", "aba", "setresuid", "setresgid", "reparent", "reparent-late", "tick", "settime", "race", "weak-tick", "weak-settime", "weak-race"];

    /// <summary>Plants each fault in each design. 1 when one that could be planted, and is not known to be
    /// harmless there, was not found (or a harmless one was).</summary>
    internal static int Run(SessionSettings settings, string[] designs, List<CheckedFunction> functions, bool json)
    {
        List<CheckEvent> events = [.. CheckEvent.All.Where(e => Events.Contains(e.Name))];
        var table = new Table("design", "planted fault", "places", "functions that fail", "found by", "shortest failing schedule (--replay, with --mutant)");
        var list = new JsonArray();
        bool missed = false;
        List<string> reasons = [];
        foreach (string design in designs)
        {
            HashSet<(string, string)> known = [];
            foreach (Mutant? mutant in new Mutant?[] { null }.Concat(Mutant.All))
            {
                using var rig = new CheckRig(CheckRig.With(settings, design));
                int places = mutant?.Plant(rig) ?? 1;
                if (places == 0)
                    continue;
                var explorer = new Explorer(rig);
                List<Cell> failed = [.. functions.Where(f => f.IsIn(rig)).SelectMany(f => explorer.Explore(f, events, false)).Where(c => c.Failed > 0)];
                if (mutant is null)
                {
                    // What fails without any fault says nothing about one.
                    known = [.. failed.Select(c => (c.Function, c.Event))];
                    continue;
                }
                failed.RemoveAll(c => known.Contains((c.Function, c.Event)));
                string? harmless = mutant.Harmless.GetValueOrDefault(design);
                missed |= (failed.Count == 0) != (harmless is not null);
                if (harmless is not null)
                    reasons.Add($"{mutant.Name} in {design} is not expected to be found: {harmless}.");
                string[] by = [.. failed.Select(c => c.Event).Distinct()];
                int count = failed.Select(c => c.Function).Distinct().Count();
                string? id = failed.FirstOrDefault()?.First!.Value.Schedule.ToString();
                table.Add(design, mutant.Name, places.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture), failed.Count == 0 ? harmless is null ? "NOT FOUND" : "not found (harmless)" : string.Join(' ', by), id ?? "");
                list.Add(new JsonObject
                {
                    ["design"] = design,
                    ["mutant"] = mutant.Name,
                    ["places"] = places,
                    ["found"] = failed.Count > 0,
                    ["harmless"] = harmless,
                    ["found_by"] = new JsonArray([.. by.Select(b => JsonValue.Create(b))]),
                    ["functions"] = new JsonArray([.. failed.Select(c => c.Function).Distinct().Select(f => JsonValue.Create(f))]),
                    ["id"] = id,
                });
            }
        }
        if (json)
        {
            Console.Out.WriteLine(new JsonObject { ["all_found"] = !missed, ["mutants"] = list }.ToJsonString());
        }
        else
        {
            table.Write(Console.Out);
            Console.Out.WriteLine();
            foreach (string reason in reasons)
                Console.Out.WriteLine(reason);
            foreach (Mutant mutant in Mutant.All)
                Console.Out.WriteLine($"  {mutant.Name,-30} {mutant.Meaning}");
        }
        return missed ? 1 : 0;
    }
}
