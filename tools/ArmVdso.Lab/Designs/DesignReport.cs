using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Lab.Designs;

/// <summary>The tables of compare --vdso all.</summary>
internal sealed class DesignReport(SessionSettings settings, int threads, string[] functions, MeasuredDesign none, IReadOnlyList<MeasuredDesign> designs)
{
    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Signed(long value) => value > 0 ? $"+{Text(value)}" : Text(value);

    private long SwitchAdded(MeasuredDesign d) => (long)d.Switch - (long)none.Switch;

    private static long Exit(MeasuredDesign d) => (long)MeasuredDesign.Cycles(d.Hot, "getpid", CallKind.Syscall);

    private static long Credentials(MeasuredDesign d) => (long)MeasuredDesign.Cycles(d.Hot, "setresuid", CallKind.Syscall);

    private static long Sum(MeasuredDesign d, Func<CallSamples, long> of) => d.Hot.Samples.Where(s => s.Key.Kind == CallKind.Vdso).Sum(s => of(s.Value));

    internal void Write(TextWriter output)
    {
        output.WriteLine($"core {settings.Core}, {settings.Cpus} CPUs, {threads} threads, slices of {settings.SliceNs / 1000.0:0.###} us, kernel {settings.Kernel}");
        output.WriteLine("Cycles are modelled (medians of undisturbed calls, the loop around them taken off); the instructions were executed. '-': not served.");
        output.WriteLine();
        output.WriteLine("Cycles of a call, caches warm:");
        Calls(output, d => d.Hot);
        output.WriteLine();
        output.WriteLine("Cycles of a call, caches and TLBs emptied before it (every line comes from memory):");
        Calls(output, d => d.Cold);
        output.WriteLine();
        output.WriteLine("Instructions of a call:");
        var instructions = new Table(["function", "syscall", .. designs.Select(d => d.Text)]);
        foreach (string name in functions)
            instructions.Add([name, Text(Instructions(none, name, CallKind.Syscall)), .. designs.Select(d => MeasuredDesign.Has(d.Hot, name) ? Text(Instructions(d, name, CallKind.Vdso)) : "-")]);
        instructions.Write(output);
        output.WriteLine();
        output.WriteLine("What the kernel pays, in cycles (median), and what came of the calls of this run:");
        var costs = new Table(["", .. designs.Select(d => d.Text)]);
        costs.Add(["context switch (__switch_to)", .. designs.Select(d => Text((long)d.Switch))]);
        costs.Add(["  more than without vDSO", .. designs.Select(d => Signed(SwitchAdded(d)))]);
        costs.Add(["system call (getpid)", .. designs.Select(d => Text(Exit(d)))]);
        costs.Add(["  more than without vDSO", .. designs.Select(d => Signed(Exit(d) - Exit(none)))]);
        costs.Add(["change of credentials (setresuid)", .. designs.Select(d => Text(Credentials(d)))]);
        costs.Add(["  more than without vDSO", .. designs.Select(d => Signed(Credentials(d) - Credentials(none)))]);
        costs.Add(["switches", .. designs.Select(d => Text(d.Hot.Switches.Count))]);
        costs.Add(["vDSO calls", .. designs.Select(d => Text(Sum(d, s => s.Calls)))]);
        costs.Add(["  fell back", .. designs.Select(d => Text(Sum(d, s => s.Fallbacks)))]);
        costs.Add(["  wrong answers", .. designs.Select(d => Text(Sum(d, s => s.Wrong)))]);
        costs.Write(output);
        output.WriteLine();
        if (functions.Any(NeedsSlot))
            output.WriteLine("Break-even: calls a switch from which on the design pays (cycles more a switch / cycles less a call; clocks need nothing of a switch):");
        var even = new Table(["function", .. designs.Select(d => d.Text)]);
        foreach (string name in functions.Where(NeedsSlot))
            even.Add([name, .. designs.Select(d => BreakEven(d, name) is { } calls ? calls.ToString("f2", CultureInfo.InvariantCulture) : "-")]);
        if (functions.Any(NeedsSlot))
        {
            even.Write(output);
            output.WriteLine();
        }
        if (designs.Any(d => d.Design.Name == "rseq"))
        {
            output.WriteLine("rseq: the threads of the guest are registered. What the kernel does for a registered area on the way to EL0 is C# here and in no figure.");
            output.WriteLine();
        }
        WriteMemory(output);
    }

    private void Calls(TextWriter output, Func<MeasuredDesign, CallSampler> of)
    {
        var table = new Table(["function", "syscall", .. designs.Select(d => d.Text)]);
        foreach (string name in functions)
        {
            table.Add([
                name, Text((long)MeasuredDesign.Cycles(of(none), name, CallKind.Syscall)),
                .. designs.Select(d => MeasuredDesign.Has(of(d), name) ? Text((long)MeasuredDesign.Cycles(of(d), name, CallKind.Vdso)) : "-"),
            ]);
        }
        table.Write(output);
    }

    private static long Instructions(MeasuredDesign d, string name, CallKind kind) =>
        (long)Comparison.Less(d.Hot.Samples[(name, kind)].Instructions, d.Hot.Samples[("empty", CallKind.Empty)].Instructions);

    /// <summary>Whether the answer is of the task, so that switches pay for it.</summary>
    private static bool NeedsSlot(string name) => !name.StartsWith("clock_", StringComparison.Ordinal) && name != "gettimeofday";

    /// <summary>Calls a switch; null when the design does not serve the function or it is no faster.</summary>
    private double? BreakEven(MeasuredDesign d, string name)
    {
        if (!MeasuredDesign.Has(d.Hot, name) || !NeedsSlot(name))
            return null;
        double saved = (double)MeasuredDesign.Cycles(none.Hot, name, CallKind.Syscall) - MeasuredDesign.Cycles(d.Hot, name, CallKind.Vdso);
        return saved <= 0 ? null : Math.Max(0, SwitchAdded(d)) / saved;
    }

    private void WriteMemory(TextWriter output)
    {
        output.WriteLine("Memory in pages of 4 KiB. Shared by all (image and data), counted here for its 64 CPUs, and computed for others:");
        var shared = new Table(["CPUs", .. designs.Select(d => d.Text)]);
        shared.Add(["64, counted", .. designs.Select(d => Text(d.SharedPages))]);
        foreach (int cpus in DesignComparison.CpuCounts)
            shared.Add([$"{cpus}, computed", .. designs.Select(d => Text(d.SharedComputed.First(s => s.Cpus == cpus).Pages))]);
        shared.Write(output);
        output.WriteLine();
        output.WriteLine("Of all processes together, computed from the layout and counted in a run:");
        var own = new Table(["processes x threads", .. designs.Select(d => d.Text)]);
        for (int i = 0; i < designs[0].Memory.Count; i++)
        {
            MemoryPoint point = designs[0].Memory[i];
            own.Add([$"{point.Processes} x {point.Threads}, computed", .. designs.Select(d => Text(d.Memory[i].Computed))]);
            own.Add([$"{point.Processes} x {point.Threads}, counted", .. designs.Select(d => Text(d.Memory[i].Measured))]);
        }
        own.Write(output);
    }

    internal void WriteJson(TextWriter output)
    {
        var list = new JsonArray();
        foreach (MeasuredDesign d in designs)
        {
            var calls = new JsonArray();
            foreach (string name in functions)
            {
                bool served = MeasuredDesign.Has(d.Hot, name);
                calls.Add(new JsonObject
                {
                    ["name"] = name,
                    ["served"] = served,
                    ["vdso_cycles_warm"] = served ? MeasuredDesign.Cycles(d.Hot, name, CallKind.Vdso) : null,
                    ["vdso_cycles_cold"] = served ? MeasuredDesign.Cycles(d.Cold, name, CallKind.Vdso) : null,
                    ["vdso_instructions"] = served ? Instructions(d, name, CallKind.Vdso) : null,
                    ["break_even_calls_per_switch"] = BreakEven(d, name) is { } even ? Math.Round(even, 4) : null,
                });
            }
            list.Add(new JsonObject
            {
                ["design"] = d.Text,
                ["register"] = d.Design.RegisterMeaning,
                ["functions"] = calls,
                ["context_switch_cycles"] = d.Switch,
                ["context_switch_added"] = SwitchAdded(d),
                ["system_call_cycles"] = Exit(d),
                ["system_call_added"] = Exit(d) - Exit(none),
                ["credential_change_cycles"] = Credentials(d),
                ["credential_change_added"] = Credentials(d) - Credentials(none),
                ["vdso_calls"] = Sum(d, s => s.Calls),
                ["fallbacks"] = Sum(d, s => s.Fallbacks),
                ["wrong"] = Sum(d, s => s.Wrong),
                ["shared_pages"] = d.SharedPages,
                ["shared_pages_computed"] = new JsonObject(d.SharedComputed.Select(s => new KeyValuePair<string, JsonNode?>(Text(s.Cpus), s.Pages))),
                ["process_pages"] = new JsonArray([.. d.Memory.Select(m => new JsonObject
                {
                    ["processes"] = m.Processes,
                    ["threads"] = m.Threads,
                    ["computed"] = m.Computed,
                    ["counted"] = m.Measured,
                })]),
            });
        }
        var calls0 = new JsonArray();
        foreach (string name in functions)
        {
            calls0.Add(new JsonObject
            {
                ["name"] = name,
                ["cycles_warm"] = MeasuredDesign.Cycles(none.Hot, name, CallKind.Syscall),
                ["cycles_cold"] = MeasuredDesign.Cycles(none.Cold, name, CallKind.Syscall),
                ["instructions"] = Instructions(none, name, CallKind.Syscall),
            });
        }
        output.WriteLine(new JsonObject
        {
            ["core"] = settings.Core,
            ["kernel"] = settings.Kernel.ToString(),
            ["cpus"] = settings.Cpus,
            ["threads"] = threads,
            ["slice_ns"] = settings.SliceNs,
            ["cycles"] = "modelled; medians of undisturbed calls without the loop; cold: caches and TLBs emptied before each call",
            ["system_calls"] = calls0,
            ["designs"] = list,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
