using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Lab;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>armvdso compare: what each function costs by system call and by vDSO, and what a context switch pays.</summary>
internal static class CompareCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var threads = new Option<string>("--threads") { Description = "threads of the guest, 2 to 64", HelpName = "N", DefaultValueFactory = _ => "4" };
        var functions = new Argument<string[]>("FUNCTION") { Description = "functions to show (a part of the name is enough); all without", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("compare", "compares system calls with the vDSO, in cycles; --vdso all compares the designs");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(threads);
        command.Options.Add(options.Json);
        command.Arguments.Add(functions);
        command.SetAction(result =>
        {
            // Several designs: their names in one argument, or "all".
            string[] designs = DesignComparison.Names(result.GetValue(options.Vdso)!);
            SessionSettings settings = options.Read(result, designs.Length > 1 ? designs[0] : null);
            if (result.GetResult(options.Slice) is null or { Implicit: true })
                settings = settings with { SliceNs = Comparison.SliceNs };
            string[] wanted = result.GetValue(functions) ?? [];
            string[] shown = [.. Comparison.Functions.Where(f => wanted.Length == 0 || wanted.Any(w => f.Contains(w, StringComparison.Ordinal)))];
            if (shown.Length == 0)
                throw new UserError($"there is no function '{wanted[0]}'; known: {string.Join(' ', Comparison.Functions)}", ExitStatus.Usage);
            int count = (int)SessionOptions.Number("--threads", result.GetValue(threads)!, 2, 64);
            if (designs.Length > 1)
                return DesignComparison.Run(settings, designs, shown, count, result.GetValue(options.Json), Console.Out, Terminal.Progress);
            return Compare(settings, shown, count, result.GetValue(options.Json));
        });
        return command;
    }

    private static int Compare(SessionSettings settings, string[] functions, int threads, bool json)
    {
        CallSampler sampler = Comparison.Measure(settings, threads);
        CallSampler? without = settings.Vdso == "none" ? null : Comparison.Measure(settings with { Vdso = "none" }, threads);
        if (!sampler.Samples.TryGetValue(("empty", CallKind.Empty), out CallSamples? empty))
            throw new UserError("the embedded guest did not run its loops", ExitStatus.EmulatorError);
        ulong switchWith = Comparison.Median(sampler.Switches);
        ulong? switchWithout = without is null ? null : Comparison.Median(without.Switches);
        Dictionary<string, CompareRange.Interval> range = CompareRange.Measure(settings, functions, threads);
        if (json)
        {
            WriteJson(settings, functions, threads, sampler, empty, switchWith, switchWithout, range);
            return 0;
        }
        WriteTable(settings, functions, threads, sampler, empty, switchWith, switchWithout);
        CompareRange.Write(Console.Out, range);
        return 0;
    }

    private static void WriteTable(
        SessionSettings settings, string[] functions, int threads, CallSampler sampler, CallSamples empty, ulong switchWith, ulong? switchWithout)
    {
        TextWriter output = Console.Out;
        output.WriteLine($"core {settings.Core}, {settings.Cpus} CPUs, {threads} threads, slices of {settings.SliceNs / 1000.0:0.###} us, vDSO design {settings.Vdso}, kernel {settings.Kernel}");
        output.WriteLine("Cycles are modelled (median of undisturbed calls, the loop around them taken off); the instructions were executed.");
        output.WriteLine();
        var table = new Table("function", "syscall cycles", "vDSO cycles", "ratio", "syscall insns", "vDSO insns", "vDSO calls", "fell back", "wrong");
        foreach (string name in functions)
        {
            CallSamples system = sampler.Samples[(name, CallKind.Syscall)];
            CallSamples? vdso = sampler.Samples.GetValueOrDefault((name, CallKind.Vdso));
            ulong cycles = Comparison.Less(system.Cycles, empty.Cycles);
            ulong vdsoCycles = vdso is null ? 0 : Comparison.Less(vdso.Cycles, empty.Cycles);
            table.Add(
                name, Text(cycles), vdso is null ? "-" : Text(vdsoCycles), vdsoCycles == 0 ? "-" : ((double)cycles / vdsoCycles).ToString("f1", CultureInfo.InvariantCulture),
                Text(Comparison.Less(system.Instructions, empty.Instructions)), vdso is null ? "-" : Text(Comparison.Less(vdso.Instructions, empty.Instructions)),
                vdso is null ? "-" : Text((ulong)vdso.Calls), vdso is null ? "-" : Text((ulong)vdso.Fallbacks), vdso is null ? "-" : Text((ulong)vdso.Wrong));
        }
        table.Write(output);
        output.WriteLine();
        output.WriteLine(switchWithout is null
            ? $"A context switch takes {switchWith} cycles in __switch_to ({sampler.Switches.Count} switches)."
            : $"A context switch takes {switchWith} cycles in __switch_to with the slot update, {switchWithout} without: {(long)switchWith - (long)switchWithout.Value} more ({sampler.Switches.Count} switches).");
        long wrong = functions.Sum(f => sampler.Samples.GetValueOrDefault((f, CallKind.Vdso))?.Wrong ?? 0);
        if (wrong > 0)
            output.WriteLine($"{wrong} vDSO answers were wrong: the thread was preempted between reading TPIDRRO_EL0 and the slot (a defect of this design).");
    }

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static void WriteJson(
        SessionSettings settings, string[] functions, int threads, CallSampler sampler, CallSamples empty, ulong switchWith, ulong? switchWithout,
        Dictionary<string, CompareRange.Interval> range)
    {
        var list = new JsonArray();
        foreach (string name in functions)
        {
            CallSamples system = sampler.Samples[(name, CallKind.Syscall)];
            CallSamples? vdso = sampler.Samples.GetValueOrDefault((name, CallKind.Vdso));
            list.Add(new JsonObject
            {
                ["name"] = name,
                ["syscall"] = Samples(system, empty),
                ["vdso"] = vdso is null ? null : Samples(vdso, empty, true),
                ["cycles_at_ends_of_calibrated_ranges"] = range.TryGetValue(name, out CompareRange.Interval? interval) ? CompareRange.ToJson(interval) : null,
            });
        }
        var root = new JsonObject
        {
            ["core"] = settings.Core,
            ["cpus"] = settings.Cpus,
            ["cpus_seen"] = sampler.CpusSeen.Count,
            ["threads"] = threads,
            ["design"] = settings.Vdso,
            ["kernel"] = settings.Kernel.ToString(),
            ["cycles"] = "modelled; median of undisturbed calls without the loop",
            ["functions"] = list,
            ["context_switch"] = new JsonObject { ["cycles"] = switchWith, ["cycles_without_update"] = switchWithout, ["switches"] = sampler.Switches.Count },
        };
        Console.Out.WriteLine(root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private static JsonObject Samples(CallSamples samples, CallSamples empty, bool vdso = false)
    {
        var result = new JsonObject
        {
            ["cycles"] = Comparison.Less(samples.Cycles, empty.Cycles),
            ["instructions"] = Comparison.Less(samples.Instructions, empty.Instructions),
            ["calls"] = samples.Calls,
        };
        if (vdso)
        {
            result["fallbacks"] = samples.Fallbacks;
            result["wrong"] = samples.Wrong;
        }
        return result;
    }
}
