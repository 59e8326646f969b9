using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>What a design would save a workload: estimate and measurement.</summary>
internal static class WhatIfReport
{
    internal static void Write(TextWriter output, string command, WhatIfResult r)
    {
        WorkloadReport.Write(output, command, r.First.Before);
        output.WriteLine();
        output.WriteLine(
            $"What if the design {r.Design} answered these calls? Single calls as 'compare' measures them (medians, caches warm):");
        output.WriteLine();
        var table = new Table("call", "calls", "syscall cycles", "vDSO cycles", "cycles saved");
        foreach (WhatIfGain g in r.Gains.OrderByDescending(g => g.Total))
            table.Add(g.Name, Number(g.Calls), Number((long)g.SyscallCycles), Number((long)g.VdsoCycles), Number(g.Total));
        table.Write(output);
        foreach ((string name, string reason) in r.NotRedirected)
            output.WriteLine($"{name} is not redirected: {reason}");
        output.WriteLine();
        output.WriteLine(
            $"Estimate: {Number(r.Saved)} cycles saved by calls, {Number(r.Paid)} paid at {Number(r.First.Before.Switches)} switches "
            + $"({Number(r.PaidPerSwitch)} each): "
            + $"{Signed(r.EstimatedNet)} cycles, {Percent(r.EstimatedNet, r.First.Before.BusyCycles)} of the workload.");
        output.WriteLine();
        var runs = new Table(
            "run", "busy cycles (median)", "least", "most", "instructions", "switches", "system calls", "vDSO served", "output");
        (string Name, Func<WhatIfRuns, WorkloadRun> Of)[] kinds =
        [
            (r.Against, p => p.Before), (r.Design, p => p.Plain), (r.Design + ", calls redirected", p => p.Redirected),
        ];
        foreach ((string name, Func<WhatIfRuns, WorkloadRun> of) in kinds)
        {
            WorkloadRun first = of(r.First);
            IReadOnlyDictionary<int, CallCount> total = first.Total();
            (long median, long least, long most) = r.Spread(p => (long)of(p).BusyCycles);
            runs.Add(
                name, Number(median), Number(least), Number(most), Number((long)first.Instructions), Number(first.Switches),
                Number(total.Values.Sum(c => c.Calls)), first.CountsVdso ? Number(total.Values.Sum(c => c.Served)) : "",
                r.Runs.All(p => of(p).OutputHash == p.Before.OutputHash && of(p).Status == p.Before.Status) ? "same" : "differs");
        }
        runs.Write(output);
        output.WriteLine();
        (long net, long worst, long best) = r.Measured;
        output.WriteLine(
            $"Measured: {Signed(net)} cycles, {Percent(net, r.First.Before.BusyCycles)} of the workload ({Signed(worst)} to "
            + $"{Signed(best)} over {r.Runs.Count} placements of pages in RAM), where the estimate says {Signed(r.EstimatedNet)}. "
            + $"{Number(r.Sites)} SVC instructions of files became branches to stubs ({Number(r.Patched)} patches over all "
            + $"processes{(r.OutOfReach > 0 ? $", {r.OutOfReach} out of reach" : "")}); "
            + $"{Number(r.StillCalled)} of these calls still were system calls.");
        output.WriteLine(
            "The stubs save the registers that a C function may change, which a libc that calls the vDSO need not do: the measured "
            + "saving is a lower bound. Patching costs the guest nothing; runs differ in when tasks are preempted.");
        if (!r.SameOutput)
            output.WriteLine(
                "The output or the exit status of the redirected run differs: the program shows times or process numbers, or the design "
                + "gave it a wrong answer.");
    }

    internal static JsonObject ToJson(string command, WhatIfResult r)
    {
        JsonObject RunOf(WorkloadRun run) => new()
        {
            ["busy_cycles"] = run.BusyCycles,
            ["instructions"] = run.Instructions,
            ["switches"] = run.Switches,
            ["system_calls"] = run.Total().Values.Sum(c => c.Calls),
            ["vdso_served"] = run.CountsVdso ? run.Total().Values.Sum(c => c.Served) : null,
            ["status"] = run.Status,
            ["output_sha256"] = run.OutputHash,
        };
        return new JsonObject
        {
            ["workload"] = WorkloadReport.ToJson(command, r.First.Before),
            ["design"] = r.Design,
            ["cycles"] = "modelled",
            ["gains"] = new JsonArray([.. r.Gains.Select(g => new JsonObject
            {
                ["name"] = g.Name, ["calls"] = g.Calls, ["syscall_cycles"] = g.SyscallCycles, ["vdso_cycles"] = g.VdsoCycles,
                ["saved"] = g.Total,
            })]),
            ["not_redirected"] = new JsonArray(
                [.. r.NotRedirected.Select(l => new JsonObject { ["name"] = l.Name, ["reason"] = l.Reason })]),
            ["estimate"] =
                new JsonObject { ["saved"] = r.Saved, ["paid"] = r.Paid, ["paid_per_switch"] = r.PaidPerSwitch, ["net"] = r.EstimatedNet },
            ["against"] = r.Against,
            ["baseline"] = RunOf(r.First.Before),
            ["plain"] = RunOf(r.First.Plain),
            ["redirected"] = RunOf(r.First.Redirected),
            ["measured_net"] = r.Measured.Median,
            ["measured_net_least"] = r.Measured.Least,
            ["measured_net_most"] = r.Measured.Most,
            ["placements"] = new JsonArray(
                [.. r.Runs.Select(
                p => new JsonObject { ["baseline"] = p.Before.BusyCycles, ["plain"] = p.Plain.BusyCycles,
                ["redirected"] = p.Redirected.BusyCycles })]),
            ["sites"] = r.Sites,
            ["patches"] = r.Patched,
            ["out_of_reach"] = r.OutOfReach,
            ["still_system_calls"] = r.StillCalled,
            ["same_output"] = r.SameOutput,
        };
    }

    private static string Number(long value) => Text.Number(value);

    private static string Signed(long value) => value.ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);

    private static string Percent(double part, double whole) => Text.Percent(part, whole);
}
