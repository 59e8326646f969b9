using System.Text.Json.Nodes;

namespace ArmVdso.Cli;

/// <summary>Results of a sweep as JSON: what differs between the points, and a group for all placements of the rest.</summary>
internal static class SweepFigures
{
    private static readonly string[] s_axes = ["program", "core", "design", "kernel", "parameters", "cpus", "seed", "slice_ns", "clock_hz"];

    /// <summary>The document.</summary>
    /// <param name="points">Keys and figures, as the results file has them.</param>
    /// <param name="names">Figures that it has; empty: all.</param>
    internal static JsonObject ToJson(IEnumerable<(JsonObject Key, IReadOnlyDictionary<string, double> Figures)> points, string[] names)
    {
        (JsonObject Key, IReadOnlyDictionary<string, double> Figures)[] all = [.. points];
        string[] figures = names.Length > 0 ? names : [.. all.SelectMany(p => p.Figures.Keys).Distinct()];
        var groups = new JsonArray();
        foreach (var group in all.GroupBy(p => WithoutPlacement(p.Key).ToJsonString()))
        {
            IReadOnlyDictionary<string, double>[] runs = [.. group.Select(g => g.Figures)];
            var values = new JsonArray();
            foreach (string name in figures)
            {
                Spread spread = Spread.Of(runs, name);
                JsonNode? value = spread.Runs == 0 ? null : new JsonObject
                {
                    ["mean"] = spread.Mean,
                    ["error"] = spread.Error,
                    ["least"] = spread.Least,
                    ["most"] = spread.Most,
                    ["runs"] = spread.Runs,
                };
                values.Add(value);
            }
            groups.Add((JsonNode)new JsonObject
            {
                ["label"] = Label(group.First().Key, all),
                ["key"] = WithoutPlacement(group.First().Key),
                ["figures"] = values,
            });
        }
        return new JsonObject
        {
            ["cycles"] = "modelled",
            ["points"] = all.Length,
            ["figures"] = new JsonArray([.. figures.Select(f => (JsonNode)f)]),
            ["groups"] = groups,
        };
    }

    private static JsonObject WithoutPlacement(JsonObject key)
    {
        JsonObject copy = key.DeepClone().AsObject();
        copy.Remove("placement");
        return copy;
    }

    /// <summary>What a point is, by that which differs between the points; the core, where nothing does.</summary>
    private static string Label(JsonObject key, (JsonObject Key, IReadOnlyDictionary<string, double> Figures)[] all)
    {
        string[] differing = [.. s_axes.Where(a => all.Select(p => p.Key[a]?.ToJsonString() ?? "").Distinct().Skip(1).Any())];
        return string.Join(' ', (differing.Length == 0 ? ["core"] : differing).Select(a => Words(key[a])).Where(w => w.Length > 0));
    }

    private static string Words(JsonNode? node) => node switch
    {
        JsonArray list => string.Join(' ', list.Select(w => w!.ToString())),
        JsonObject set => string.Join(' ', set.Select(p => $"{p.Key}={p.Value}")),
        null => "",
        _ => node.ToString(),
    };
}
