using System.Text.Json.Nodes;
using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Cli;

/// <summary>The tables of compare for one design.</summary>
internal static class ComparisonReport
{
    internal static void Write(TextWriter output, ComparisonResult r)
    {
        output.WriteLine(
            $"{Text.Machine(r.Settings)}, {r.Threads} threads, slices of {Slice(r)} us, vDSO design {r.Settings.Vdso}, kernel "
            + $"{r.Settings.KernelConfiguration}");
        output.WriteLine(
            "Cycles are modelled (median of undisturbed calls, the loop around them taken off); the instructions were executed.");
        output.WriteLine();
        var table = new Table(
            "function", "syscall cycles", "vDSO cycles", "ratio", "syscall insns", "vDSO insns", "vDSO calls", "fell back", "wrong");
        foreach (FunctionComparison f in r.Functions)
        {
            table.Add(
                f.Name, Text.Plain(f.Syscall.Cycles), Cell(f.Vdso?.Cycles), Ratio(f.Syscall.Cycles, f.Vdso?.Cycles),
                Text.Plain(f.Syscall.Instructions),
                Cell(f.Vdso?.Instructions), Cell((ulong?)f.Vdso?.Calls), Cell((ulong?)f.Vdso?.Fallbacks), Cell((ulong?)f.Vdso?.Wrong));
        }
        table.Write(output);
        output.WriteLine();
        output.WriteLine(r.SwitchCyclesWithout is not { } without
            ? $"A context switch takes {r.SwitchCycles} cycles in __switch_to ({r.Switches} switches)."
            : $"A context switch takes {r.SwitchCycles} cycles in __switch_to with the slot update, {without} without: "
                + $"{(long)r.SwitchCycles - (long)without} more ({r.Switches} switches).");
        if (r.AreaCycles is { } area)
            output.WriteLine($"What the kernel does for the rseq area, there and on the way back to user space, takes {area} more.");
        WriteWrong(output, r);
        WriteRanges(output, r);
    }

    /// <summary>Of a booted kernel.</summary>
    internal static void Write(TextWriter output, BootedComparisonResult r)
    {
        output.WriteLine($"{Text.Run(r.Settings, $"Linux {r.Release}")}, its own vDSO");
        output.WriteLine(
            "Cycles are modelled (median of undisturbed calls, the loop around them taken off); the instructions, the kernel's too, were "
            + "executed.");
        output.WriteLine();
        var table = new Table(
            "function", "syscall cycles", "vDSO cycles", "ratio", "syscall insns", "vDSO insns", "vDSO calls", "fell back");
        foreach (BootedFigures f in r.Functions)
        {
            table.Add(
                f.Name, Text.Plain(f.Syscall.Cycles), Cell(f.Vdso?.Cycles), Ratio(f.Syscall.Cycles, f.Vdso?.Cycles),
                Text.Plain(f.Syscall.Instructions), Cell(f.Vdso?.Instructions), Cell((ulong?)f.Vdso?.Calls),
                Cell((ulong?)f.Vdso?.Fallbacks));
        }
        table.Write(output);
        if (r.Functions.Count == 0)
            output.WriteLine("The kernel's vDSO exports no function that is compared.");
    }

    /// <summary>What was seen of wrong answers. Why a design gives them, check finds.</summary>
    private static void WriteWrong(TextWriter output, ComparisonResult r)
    {
        foreach (FunctionComparison f in r.Functions.Where(f => f.Vdso is { Wrong: > 0 }))
        {
            WrongAnswers wrong = f.Vdso!.Seen;
            output.WriteLine(
                $"{f.Name}: {f.Vdso.Wrong} of {f.Vdso.Calls} vDSO answers contradict the kernel's records; of them {wrong.Interrupted} in "
                + $"calls that an interrupt or a switch fell into, {wrong.OfAnother} what is true of another live task. "
                + $"armvdso check {r.Settings.Vdso} --function {f.Name} looks for a schedule.");
        }
    }

    private static void WriteRanges(TextWriter output, ComparisonResult r)
    {
        if (r.Functions.All(f => f.SyscallRange is null))
            return;
        output.WriteLine();
        output.WriteLine(
            "With the system instructions (SVC, ERET, MRS, MSR, barriers, counter) at the ends of their calibrated ranges, all low or "
            + "all high (see models):");
        var table = new Table("function", "syscall low", "high", "vDSO low", "high", "ratio at low", "at high");
        foreach (FunctionComparison f in r.Functions)
        {
            if (f.SyscallRange is not { } system)
                continue;
            table.Add(
                f.Name, Text.Plain(system.Low), Text.Plain(system.High), Cell(f.VdsoRange?.Low), Cell(f.VdsoRange?.High),
                Ratio(system.Low, f.VdsoRange?.Low), Ratio(system.High, f.VdsoRange?.High));
        }
        table.Write(output);
    }

    private static string Slice(ComparisonResult r) => FormattableString.Invariant($"{r.Settings.SliceNs / 1000.0:0.###}");

    private static string Cell(ulong? value) => value is { } v ? Text.Plain(v) : "-";

    private static string Ratio(ulong system, ulong? vdso) => vdso is null or 0 ? "-" : Text.Fixed((double)system / vdso.Value, 1);

    internal static void WriteJson(TextWriter output, ComparisonResult r) =>
        output.WriteLine(Text.Indented(ToJson(r)));

    internal static JsonObject ToJson(ComparisonResult r)
    {
        var list = new JsonArray();
        foreach (FunctionComparison f in r.Functions)
        {
            list.Add((JsonNode)new JsonObject
            {
                ["name"] = f.Name,
                ["syscall"] = Figures(f.Syscall),
                ["vdso"] = f.Vdso is null ? null : Figures(f.Vdso, true),
                ["cycles_at_ends_of_calibrated_ranges"] = f.SyscallRange is null ? null : new JsonObject
                {
                    ["syscall"] = new JsonArray(f.SyscallRange.Low, f.SyscallRange.High),
                    ["vdso"] = f.VdsoRange is { } v ? new JsonArray(v.Low, v.High) : null,
                },
            });
        }
        return new JsonObject
        {
            ["core"] = r.Settings.Core,
            ["cpu_profile"] = r.Settings.CpuProfileName,
            ["cpus"] = r.Settings.Cpus,
            ["cpus_seen"] = r.CpusSeen,
            ["threads"] = r.Threads,
            ["design"] = r.Settings.Vdso,
            ["kernel"] = r.Settings.KernelConfiguration.ToString(),
            ["cycles"] = "modelled; median of undisturbed calls without the loop",
            ["functions"] = list,
            ["context_switch"] = new JsonObject
            {
                ["cycles"] = r.SwitchCycles,
                ["cycles_without_update"] = r.SwitchCyclesWithout,
                ["rseq_area_cycles"] = r.AreaCycles,
                ["switches"] = r.Switches,
            },
        };
    }

    internal static void WriteJson(TextWriter output, BootedComparisonResult r)
    {
        var list = new JsonArray();
        foreach (BootedFigures f in r.Functions)
        {
            JsonObject? vdso = f.Vdso is null ? null : Figures(f.Vdso);
            vdso?.Add("fallbacks", f.Vdso!.Fallbacks);
            list.Add((JsonNode)new JsonObject { ["name"] = f.Name, ["syscall"] = Figures(f.Syscall), ["vdso"] = vdso });
        }
        JsonObject root = Text.RunJson(r.Settings, $"Linux {r.Release}");
        root["cycles"] = "modelled; median of undisturbed calls without the loop";
        root["functions"] = list;
        output.WriteLine(Text.Indented(root));
    }

    private static JsonObject Figures(CallFigures figures, bool vdso = false)
    {
        var result = new JsonObject { ["cycles"] = figures.Cycles, ["instructions"] = figures.Instructions, ["calls"] = figures.Calls };
        if (vdso)
        {
            result["fallbacks"] = figures.Fallbacks;
            result["wrong"] = figures.Wrong;
        }
        return result;
    }
}
