using System.Text.Json.Nodes;
using ArmVdso.Kernel.Costs;
using ArmVdso.Lab.KernelPath;

namespace ArmVdso.Cli;

/// <summary>What system calls execute at EL1, beside a stock kernel's counts.</summary>
internal static class KernelPathReport
{
    internal static void Write(TextWriter output, KernelPathResult result, bool functions)
    {
        SessionSettings settings = result.Settings;
        output.WriteLine(
            $"{Text.Machine(settings)}, kernel {settings.KernelConfiguration}; warm calls, from SVC to the next instruction of EL0");
        output.WriteLine(!result.HasStock
            ? "No stock kernel was traced in this configuration."
            : "Executed instructions at EL1 / those of a stock Debian 6.1 kernel in the same configuration (own trace, "
            + "kernel-model/Costs).");
        output.WriteLine();
        var table = new Table(["call", .. InstructionMix.Names.Select(n => n == "n" ? "insns" : n), "cycles", "charged"]);
        foreach ((string name, PathSample sample) in result.Calls)
        {
            StockTrace? stock = result.Stock(name);
            IEnumerable<string> cells = sample.Mix.Values.Select((v, i) => stock is null ? Text.Plain(v) : $"{v}/{stock.Mix.Values[i]}");
            table.Add([name, .. cells, Text.Plain(sample.Cycles), Text.Plain(sample.ChargedCycles)]);
        }
        table.Write(output);
        output.WriteLine();
        output.WriteLine("Cycles by part (instructions):");
        var parts = new Table(["call", .. Enum.GetNames<PathPart>().Select(p => p.ToLowerInvariant()), "total"]);
        foreach ((string name, PathSample sample) in result.Calls)
            parts.Add(
                [name, .. sample.PartCycles.Select((c, i) => $"{c} ({sample.PartInstructions[i]})"),
                $"{sample.Cycles} ({sample.Mix.Instructions})"]);
        parts.Write(output);
        if (!functions)
            return;
        foreach ((string name, PathSample sample) in result.Calls)
        {
            StockTrace? stock = result.Stock(name);
            output.WriteLine();
            var list = new Table("function of " + name, "insns", "stock");
            foreach ((string function, int count) in sample.Functions)
            {
                // The compiler's parts and clones have a suffix.
                int n = stock?.Functions.FirstOrDefault(
                    f => f.Key == function || f.Key.StartsWith(function + ".", StringComparison.Ordinal)).Value ?? 0;
                list.Add(function, Text.Plain(count), n == 0 ? "-" : Text.Plain(n));
            }
            list.Write(output);
        }
    }

    internal static void WriteJson(TextWriter output, KernelPathResult result) =>
        output.WriteLine(Text.Indented(ToJson(result)));

    internal static JsonObject ToJson(KernelPathResult result)
    {
        var calls = new JsonArray();
        foreach ((string name, PathSample sample) in result.Calls)
        {
            StockTrace? stock = result.Stock(name);
            var parts = new JsonObject();
            foreach (PathPart part in Enum.GetValues<PathPart>())
            {
                parts[part.ToString().ToLowerInvariant()] = new JsonObject
                {
                    ["cycles"] = sample.PartCycles[(int)part],
                    ["instructions"] = sample.PartInstructions[(int)part],
                };
            }
            calls.Add((JsonNode)new JsonObject
            {
                ["name"] = name,
                ["executed"] = Mix(sample.Mix),
                ["stock"] = stock is null ? null : Mix(stock.Mix),
                ["cycles"] = sample.Cycles,
                ["charged_cycles"] = sample.ChargedCycles,
                ["parts"] = parts,
                ["functions"] = new JsonObject(sample.Functions.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value))),
            });
        }
        return new JsonObject
        {
            ["core"] = result.Settings.Core,
            ["cpu_profile"] = result.Settings.CpuProfileName,
            ["kernel"] = result.Settings.KernelConfiguration.ToString(),
            ["calls"] = calls,
        };
    }

    private static JsonObject Mix(InstructionMix mix) =>
        new(InstructionMix.Names.Select((n, i) => KeyValuePair.Create(n, (JsonNode?)mix.Values[i])));
}
