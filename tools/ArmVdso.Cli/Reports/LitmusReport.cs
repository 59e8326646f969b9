using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab.Litmus;

namespace ArmVdso.Cli;

/// <summary>The memory model held against published litmus results.</summary>
internal static class LitmusReport
{
    /// <summary>Writes the table, and with one test its program too. Whether all agree.</summary>
    internal static bool Write(TextWriter output, IReadOnlyList<LitmusResult> results, bool json)
    {
        bool agree = results.All(r => r.Agrees);
        if (json)
        {
            output.WriteLine(Json(results, agree).ToJsonString());
            return agree;
        }
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Armv8 memory model: {results.Count} litmus tests, {results.Count(r => !r.Agrees)} of them not as published\n"));
        var table = new Table("test", "outcome", "explored", "states", "published", "states", "source", "");
        foreach (LitmusResult r in results)
        {
            table.Add(
                r.Name, r.Outcome, Verdict(r.Allowed), Text.Plain(r.States), Verdict(r.PublishedAllowed),
                r.PublishedStates is { } states ? Text.Plain(states) : "", r.Source, r.Agrees ? "" : "DIFFERS");
        }
        table.Write(output);
        if (results.Count == 1)
        {
            output.WriteLine();
            for (int i = 0; i < results[0].Threads.Count; i++)
                output.WriteLine($"{i}: {results[0].Threads[i].Trim()}");
        }
        output.WriteLine(
            "\nA test is run as A64 code; its threads share x, y and z, 0 at first. states: final states of what the outcome names.");
        output.WriteLine(
            "Sources (herdtools7, commit 5feffe4): herd: herd7's own results; kinds: Arm's catalogue; armv7: the Armv7 catalogue.");
        return agree;
    }

    private static string Verdict(bool allowed) => allowed ? "allowed" : "forbidden";

    private static JsonObject Json(IReadOnlyList<LitmusResult> results, bool agree)
    {
        var list = new JsonArray();
        foreach (LitmusResult r in results)
        {
            list.Add((JsonNode)new JsonObject
            {
                ["test"] = r.Name,
                ["threads"] = new JsonArray([.. r.Threads.Select(t => JsonValue.Create(t.Trim()))]),
                ["outcome"] = r.Outcome,
                ["allowed"] = r.Allowed,
                ["states"] = r.States,
                ["published_allowed"] = r.PublishedAllowed,
                ["published_states"] = r.PublishedStates,
                ["source"] = r.Source,
                ["agrees"] = r.Agrees,
            });
        }
        return new JsonObject { ["memory_order"] = "Armv8", ["all_agree"] = agree, ["tests"] = list };
    }
}
