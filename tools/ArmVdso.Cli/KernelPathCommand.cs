using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Kernel.Costs;
using ArmVdso.Lab;
using ArmVdso.Lab.KernelPath;

namespace ArmVdso.Cli;

/// <summary>armvdso kernel-path: what system calls execute at EL1, by class, part and function, beside a stock kernel's counts.</summary>
internal static class KernelPathCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var program = new Argument<string?>("PROGRAM") { Description = "program whose system calls are watched; without one, a guest of ours", Arity = ArgumentArity.ZeroOrOne };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var functions = new Option<bool>("--functions") { Description = "also the instructions of each EL1 function" };
        var command = new Command("kernel-path", "what system calls execute at EL1, in instructions and cycles, beside a stock kernel");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(functions);
        command.Options.Add(options.Json);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result =>
        {
            SessionSettings settings = options.Read(result);
            if (result.GetResult(options.Cpus) is null or { Implicit: true })
                settings = settings with { Cpus = 1 };
            string? name = result.GetValue(program);
            Dictionary<string, PathSample> samples = name is null
                ? KernelPathSampler.Measure(settings)
                : Measure(settings, name, result.GetValue(arguments) ?? [], !result.GetValue(options.Json));
            if (result.GetValue(options.Json))
                WriteJson(settings, samples);
            else
                WriteTables(settings, samples, result.GetValue(functions));
            return 0;
        });
        return command;
    }

    private static Dictionary<string, PathSample> Measure(SessionSettings settings, string program, string[] arguments, bool show)
    {
        using Stream error = Console.OpenStandardError();
        using Stream output = show ? Console.OpenStandardOutput() : Stream.Null;
        using var session = new Session(settings, program, arguments, new Session.Hooks { Error = error, Output = output, Log = Terminal.Log, Terminals = Terminal.Streams });
        using IDisposable interrupts = Terminal.Interrupts(session);
        var sampler = new KernelPathSampler(session.Kernel);
        session.Machine.Observer = sampler;
        session.Run();
        return sampler.TypicalCalls();
    }

    private static void WriteTables(SessionSettings settings, Dictionary<string, PathSample> samples, bool functions)
    {
        TextWriter output = Console.Out;
        output.WriteLine($"core {settings.Core}, kernel {settings.Kernel}; warm calls, from SVC to the next instruction of EL0");
        output.WriteLine(StockTrace.Table(settings.Kernel) is null
            ? "No stock kernel was traced in this configuration."
            : "Executed instructions at EL1 / those of a stock Debian 6.1 kernel in the same configuration (own trace, kernel-model/Costs).");
        output.WriteLine();
        var table = new Table(["call", .. InstructionMix.Names.Select(n => n == "n" ? "insns" : n), "cycles", "charged"]);
        foreach ((string name, PathSample sample) in samples)
        {
            StockTrace? stock = KernelPathSampler.Stock(settings.Kernel, name, sample);
            IEnumerable<string> cells = sample.Mix.Values.Select((v, i) => stock is null ? Text(v) : $"{v}/{stock.Mix.Values[i]}");
            table.Add([name, .. cells, Text((int)sample.Cycles), Text((int)sample.ChargedCycles)]);
        }
        table.Write(output);
        output.WriteLine();
        output.WriteLine("Cycles by part (instructions):");
        var parts = new Table(["call", .. Enum.GetNames<PathPart>().Select(p => p.ToLowerInvariant()), "total"]);
        foreach ((string name, PathSample sample) in samples)
            parts.Add([name, .. sample.PartCycles.Select((c, i) => $"{c} ({sample.PartInstructions[i]})"), $"{sample.Cycles} ({sample.Mix.Instructions})"]);
        parts.Write(output);
        if (!functions)
            return;
        foreach ((string name, PathSample sample) in samples)
        {
            StockTrace? stock = KernelPathSampler.Stock(settings.Kernel, name, sample);
            output.WriteLine();
            var list = new Table("function of " + name, "insns", "stock");
            foreach ((string function, int count) in sample.Functions)
                list.Add(function, Text(count), stock is null ? "-" : stock.Functions.FirstOrDefault(f => f.Key == function || f.Key.StartsWith(function + ".", StringComparison.Ordinal)).Value is var n and not 0 ? Text(n) : "-");
            list.Write(output);
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static void WriteJson(SessionSettings settings, Dictionary<string, PathSample> samples)
    {
        var calls = new JsonArray();
        foreach ((string name, PathSample sample) in samples)
        {
            StockTrace? stock = KernelPathSampler.Stock(settings.Kernel, name, sample);
            var parts = new JsonObject();
            foreach (PathPart part in Enum.GetValues<PathPart>())
                parts[part.ToString().ToLowerInvariant()] = new JsonObject { ["cycles"] = sample.PartCycles[(int)part], ["instructions"] = sample.PartInstructions[(int)part] };
            calls.Add(new JsonObject
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
        var root = new JsonObject { ["core"] = settings.Core, ["kernel"] = settings.Kernel.ToString(), ["calls"] = calls };
        Console.Out.WriteLine(root.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
    }

    private static JsonObject Mix(InstructionMix mix) =>
        new(InstructionMix.Names.Select((n, i) => KeyValuePair.Create(n, (JsonNode?)mix.Values[i])));
}
