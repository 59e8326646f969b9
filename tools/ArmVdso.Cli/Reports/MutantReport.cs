using System.Text.Json.Nodes;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>Which planted faults are found.</summary>
internal static class MutantReport
{
    internal static void Write(TextWriter output, SessionSettings settings, IReadOnlyList<MutantResult> results)
    {
        CheckReport.WriteHeader(output, settings);
        var table = new Table(
            "design", "planted fault", "places", "functions that fail", "found by", "shortest failing schedule (--replay, with --mutant)");
        foreach (MutantResult r in results)
        {
            string by = r.Found ? string.Join(' ', r.FoundBy) : r.Harmless is null ? "NOT FOUND" : "not found (harmless)";
            table.Add(r.Design, r.Mutant, Text.Plain(r.Places), Text.Plain(r.Functions.Count), by, r.Schedule ?? "");
        }
        table.Write(output);
        output.WriteLine();
        foreach (MutantResult r in results.Where(r => r.Harmless is not null))
            output.WriteLine($"{r.Mutant} in {r.Design} is not expected to be found: {r.Harmless}.");
        foreach (CheckName mutant in ArmVdsoLab.Mutants)
            output.WriteLine($"  {mutant.Name,-30} {mutant.Meaning}");
    }

    internal static JsonObject Json(SessionSettings settings, IReadOnlyList<MutantResult> results)
    {
        var list = new JsonArray();
        foreach (MutantResult r in results)
        {
            list.Add((JsonNode)new JsonObject
            {
                ["design"] = r.Design,
                ["mutant"] = r.Mutant,
                ["places"] = r.Places,
                ["found"] = r.Found,
                ["harmless"] = r.Harmless,
                ["found_by"] = new JsonArray([.. r.FoundBy.Select(b => JsonValue.Create(b))]),
                ["functions"] = new JsonArray([.. r.Functions.Select(f => JsonValue.Create(f))]),
                ["id"] = r.Schedule,
            });
        }
        return CheckReport.MachineJson(settings, ("all_found", results.All(r => r.AsExpected)), ("mutants", list));
    }
}
