using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab.Check;

namespace ArmVdso.Cli;

/// <summary>What became of a fault at each place of the designs.</summary>
internal static class FaultReport
{
    internal static void Write(TextWriter output, SessionSettings settings, IReadOnlyList<FaultResult> results)
    {
        CheckReport.WriteHeader(output, settings);
        var table = new Table(
            "design", "place", "instruction or word", "fault", "", "found by", "shortest failing schedule, or what was observed");
        foreach (FaultResult r in results)
            table.Add(r.Design, r.Place, r.Text, r.Kind, Name(r.Outcome), r.By ?? "", r.Schedule ?? r.Reason);
        table.Write(output);
        output.WriteLine();
        var sums = new Table("design", "fault", "planted", "found", "harmless", "gaps");
        foreach (IGrouping<(string, string), FaultResult> g in results.GroupBy(r => (r.Design, r.Kind)))
        {
            sums.Add(
                g.Key.Item1, g.Key.Item2, Text.Plain(g.Count()), Count(g, FaultOutcome.Found), Count(g, FaultOutcome.Harmless),
                Count(g, FaultOutcome.Gap));
        }
        sums.Write(output);
        output.WriteLine(
            "\nfound: an answer was wrong or a call did not come back. harmless: the fault changed what was executed or stored, and every "
            + "answer");
        output.WriteLine(
            "stayed right. gap: the laboratory does not come there, or has nothing to see it by. --mutant NAME --replay ID shows one.");
    }

    private static string Count(IEnumerable<FaultResult> of, FaultOutcome outcome) => Text.Plain(of.Count(r => r.Outcome == outcome));

    private static string Name(FaultOutcome outcome) => outcome.ToString().ToLower(CultureInfo.InvariantCulture);

    internal static JsonObject Json(SessionSettings settings, IReadOnlyList<FaultResult> results)
    {
        var list = new JsonArray();
        foreach (FaultResult r in results)
        {
            list.Add((JsonNode)new JsonObject
            {
                ["design"] = r.Design,
                ["place"] = r.Place,
                ["text"] = r.Text,
                ["fault"] = r.Kind,
                ["name"] = r.Name,
                ["outcome"] = Name(r.Outcome),
                ["by"] = r.By,
                ["id"] = r.Schedule,
                ["reason"] = r.Reason,
            });
        }
        return CheckReport.MachineJson(settings, ("gaps", results.Count(r => r.Outcome == FaultOutcome.Gap)), ("faults", list));
    }
}
