using System.Text.Json.Nodes;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>The tables of compare --vdso all.</summary>
internal sealed class DesignReport(DesignsResult result)
{
    private readonly DesignFigures _none = result.None;
    private readonly IReadOnlyList<DesignFigures> _designs = result.Designs;

    private static string Signed(long value) => value > 0 ? $"+{Text.Plain(value)}" : Text.Plain(value);

    private static ulong Syscall(DesignFigures d, string name) => d.SyscallsWarm.GetValueOrDefault(name)?.Cycles ?? 0;

    private static long Sum(DesignFigures d, Func<CallFigures, long> of) => d.Warm.Values.Sum(of);

    internal void Write(TextWriter output)
    {
        string slice = FormattableString.Invariant($"{result.Settings.SliceNs / 1000.0:0.###}");
        output.WriteLine(
            $"{Text.Machine(result.Settings)}, {result.Threads} threads, slices of {slice} us, kernel "
            + $"{result.Settings.KernelConfiguration}");
        output.WriteLine(
            "Cycles are modelled (medians of undisturbed calls, the loop around them taken off); the instructions were executed. '-': "
            + "not served.");
        output.WriteLine();
        output.WriteLine("Cycles of a call, caches warm:");
        Calls(output, d => d.SyscallsWarm, d => d.Warm);
        output.WriteLine();
        output.WriteLine("Cycles of a call, caches and TLBs emptied before it (every line comes from memory):");
        Calls(output, d => d.SyscallsCold, d => d.Cold);
        output.WriteLine();
        output.WriteLine("Instructions of a call:");
        var instructions = new Table(["function", "syscall", .. _designs.Select(d => d.Design)]);
        foreach (string name in result.Functions)
            instructions.Add(
                [name, Text.Plain(_none.SyscallsWarm[name].Instructions),
                .. _designs.Select(d => Cell(d.Warm.GetValueOrDefault(name)?.Instructions))]);
        instructions.Write(output);
        output.WriteLine();
        output.WriteLine("What the kernel pays, in cycles (median), and what came of the calls of this run:");
        var costs = new Table(["", .. _designs.Select(d => d.Design)]);
        costs.Add(["context switch (__switch_to)", .. _designs.Select(d => Text.Plain(d.SwitchCycles))]);
        costs.Add(["  more than without vDSO", .. _designs.Select(d => Signed(result.SwitchAdded(d)))]);
        if (_designs.Any(d => d.AreaCycles is not null))
            costs.Add(["  for the rseq area, with the way back", .. _designs.Select(d => Cell(d.AreaCycles))]);
        costs.Add(["system call (getpid)", .. _designs.Select(d => Text.Plain(Syscall(d, "getpid")))]);
        costs.Add(["  more than without vDSO", .. _designs.Select(d => Signed(result.SyscallAdded(d)))]);
        costs.Add(["change of credentials (setresuid)", .. _designs.Select(d => Text.Plain(Syscall(d, "setresuid")))]);
        costs.Add(["  more than without vDSO", .. _designs.Select(d => Signed(result.CredentialsAdded(d)))]);
        costs.Add(["switches", .. _designs.Select(d => Text.Plain(d.Switches))]);
        costs.Add(["vDSO calls", .. _designs.Select(d => Text.Plain(Sum(d, s => s.Calls)))]);
        costs.Add(["  fell back", .. _designs.Select(d => Text.Plain(Sum(d, s => s.Fallbacks)))]);
        costs.Add(["  wrong answers", .. _designs.Select(d => Text.Plain(Sum(d, s => s.Wrong)))]);
        costs.Write(output);
        output.WriteLine();
        if (result.Functions.Any(DesignsResult.NeedsSlot))
            output.WriteLine(
                "Break-even: calls a switch from which on the design pays (cycles more a switch / cycles less a call; clocks need "
                + "nothing of a switch):");
        var even = new Table(["function", .. _designs.Select(d => d.Design)]);
        foreach (string name in result.Functions.Where(DesignsResult.NeedsSlot))
            even.Add([name, .. _designs.Select(d => result.BreakEven(d, name) is { } calls ? Text.Fixed(calls, 2) : "-")]);
        if (result.Functions.Any(DesignsResult.NeedsSlot))
        {
            even.Write(output);
            output.WriteLine();
        }
        if (_designs.Any(d => d.Name == "rseq"))
        {
            output.WriteLine(
                "rseq: the threads of the guest are registered. What the kernel does for a registered area is executed (word rseq), "
                + "and in a row of its own.");
            output.WriteLine();
        }
        WriteMemory(output);
    }

    private void Calls(
        TextWriter output, Func<DesignFigures, IReadOnlyDictionary<string, CallFigures>> syscalls,
        Func<DesignFigures, IReadOnlyDictionary<string, CallFigures>> calls)
    {
        var table = new Table(["function", "syscall", .. _designs.Select(d => d.Design)]);
        foreach (string name in result.Functions)
            table.Add(
                [name, Text.Plain(syscalls(_none)[name].Cycles), .. _designs.Select(d => Cell(calls(d).GetValueOrDefault(name)?.Cycles))]);
        table.Write(output);
    }

    private static string Cell(ulong? value) => value is { } v ? Text.Plain(v) : "-";

    private void WriteMemory(TextWriter output)
    {
        output.WriteLine(
            "Memory in pages of 4 KiB. Shared by all (image and data), counted here for its 64 CPUs, and computed for others:");
        var shared = new Table(["CPUs", .. _designs.Select(d => d.Design)]);
        shared.Add(["64, counted", .. _designs.Select(d => Text.Plain(d.SharedPages))]);
        for (int i = 0; i < _designs[0].SharedPagesComputed.Count; i++)
            shared.Add(
                [$"{_designs[0].SharedPagesComputed[i].Cpus}, computed",
                .. _designs.Select(d => d.SharedPagesComputed[i].Pages is { } pages ? Text.Plain(pages) : "cannot")]);
        shared.Write(output);
        output.WriteLine();
        output.WriteLine("Of all processes together, computed from the layout and counted in a run:");
        var own = new Table(["processes x threads", .. _designs.Select(d => d.Design)]);
        for (int i = 0; i < _designs[0].ProcessPages.Count; i++)
        {
            ProcessPages point = _designs[0].ProcessPages[i];
            own.Add([$"{point.Processes} x {point.Threads}, computed", .. _designs.Select(d => Text.Plain(d.ProcessPages[i].Computed))]);
            own.Add([$"{point.Processes} x {point.Threads}, counted", .. _designs.Select(d => Text.Plain(d.ProcessPages[i].Counted))]);
        }
        own.Write(output);
    }

    internal void WriteJson(TextWriter output) => output.WriteLine(Text.Indented(ToJson()));

    internal JsonObject ToJson()
    {
        var list = new JsonArray();
        foreach (DesignFigures d in _designs)
        {
            var calls = new JsonArray();
            foreach (string name in result.Functions)
            {
                CallFigures? warm = d.Warm.GetValueOrDefault(name);
                calls.Add((JsonNode)new JsonObject
                {
                    ["name"] = name,
                    ["served"] = warm is not null,
                    ["vdso_cycles_warm"] = warm?.Cycles,
                    ["vdso_cycles_cold"] = warm is null ? null : d.Cold.GetValueOrDefault(name)?.Cycles ?? 0,
                    ["vdso_instructions"] = warm?.Instructions,
                    ["break_even_calls_per_switch"] = result.BreakEven(d, name) is { } even ? Math.Round(even, 4) : null,
                });
            }
            list.Add((JsonNode)new JsonObject
            {
                ["design"] = d.Design,
                ["register"] = d.RegisterMeaning,
                ["functions"] = calls,
                ["context_switch_cycles"] = d.SwitchCycles,
                ["context_switch_added"] = result.SwitchAdded(d),
                ["rseq_area_cycles"] = d.AreaCycles,
                ["system_call_cycles"] = Syscall(d, "getpid"),
                ["system_call_added"] = result.SyscallAdded(d),
                ["credential_change_cycles"] = Syscall(d, "setresuid"),
                ["credential_change_added"] = result.CredentialsAdded(d),
                ["vdso_calls"] = Sum(d, s => s.Calls),
                ["fallbacks"] = Sum(d, s => s.Fallbacks),
                ["wrong"] = Sum(d, s => s.Wrong),
                ["shared_pages"] = d.SharedPages,
                ["shared_pages_computed"] = new JsonObject(
                    d.SharedPagesComputed.Select(s => new KeyValuePair<string, JsonNode?>(Text.Plain(s.Cpus), s.Pages))),
                ["process_pages"] = new JsonArray([.. d.ProcessPages.Select(m => new JsonObject
                {
                    ["processes"] = m.Processes,
                    ["threads"] = m.Threads,
                    ["computed"] = m.Computed,
                    ["counted"] = m.Counted,
                })]),
            });
        }
        var calls0 = new JsonArray();
        foreach (string name in result.Functions)
        {
            calls0.Add((JsonNode)new JsonObject
            {
                ["name"] = name,
                ["cycles_warm"] = _none.SyscallsWarm[name].Cycles,
                ["cycles_cold"] = _none.SyscallsCold[name].Cycles,
                ["instructions"] = _none.SyscallsWarm[name].Instructions,
            });
        }
        return new JsonObject
        {
            ["core"] = result.Settings.Core,
            ["cpu_profile"] = result.Settings.CpuProfileName,
            ["kernel"] = result.Settings.KernelConfiguration.ToString(),
            ["cpus"] = result.Settings.Cpus,
            ["threads"] = result.Threads,
            ["slice_ns"] = result.Settings.SliceNs,
            ["cycles"] = "modelled; medians of undisturbed calls without the loop; cold: caches and TLBs emptied before each call",
            ["system_calls"] = calls0,
            ["designs"] = list,
        };
    }
}
