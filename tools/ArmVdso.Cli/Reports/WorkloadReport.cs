using System.Text.Json.Nodes;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>The histogram of a workload's system calls: by class, by call, by process.</summary>
internal static class WorkloadReport
{
    private const string CyclesNote =
        "Cycles are modelled: at EL1 from the exception to ERET, sleeps left out. \"charged\" is the part that stands for kernel bodies "
        + "in C#; the rest was executed.";

    internal static void Write(TextWriter output, string command, WorkloadRun run)
    {
        IReadOnlyDictionary<int, CallCount> total = run.Total();
        long calls = total.Values.Sum(c => c.Calls);
        ulong cycles = Sum(total.Values, c => c.Cycles);
        long served = total.Values.Sum(c => c.Served);
        output.WriteLine();
        output.WriteLine(
            $"{command}: {Text.Machine(run.Settings)}, vDSO design {run.Settings.Vdso}, kernel {run.Settings.KernelConfiguration}, "
            + (run.EndedBy is null ? $"exit status {run.Status}" : $"not ended: {run.EndedBy.Message}"));
        output.WriteLine(
            $"{Number(calls)} system calls by {Number(run.Processes.Count)} processes, {Number(run.Switches)} switches between tasks; "
            + $"system calls take {Percent(cycles, run.BusyCycles)} of {Number((long)run.BusyCycles)} busy cycles; "
            + (run.CountsVdso ? $"the vDSO answered {Number(served)} calls" : run.Settings.Vdso == "none" ? "there is no vDSO"
                : "calls that the vDSO answered were not counted"));
        output.WriteLine(CyclesNote);
        output.WriteLine();
        var classes = new Table("class", "calls", "% of calls", "cycles", "% of cycles", "cycles/call");
        foreach (IGrouping<int, KeyValuePair<int, CallCount>> group in total.Where(c => c.Value.Calls > 0)
            .GroupBy(c => CallService.Class(c.Key)).OrderBy(g => g.Key))
        {
            long n = group.Sum(c => c.Value.Calls);
            ulong spent = Sum(group.Select(c => c.Value), c => c.Cycles);
            classes.Add(
                group.Key < 0
                ? "unknown number"
                : $"SYSCALL_DEFINE{group.Key}", Number(n), Percent(n, calls), Number((long)spent), Percent(spent, cycles),
                Number((long)spent / n));
        }
        classes.Write(output);
        output.WriteLine();
        var table = new Table(
            "call", "class", "calls", "cycles", "% of cycles", "cycles/call", "charged", "vDSO served", "fell back",
            "a vDSO could serve it");
        foreach ((int number, CallCount count) in total.OrderByDescending(c => c.Value.Cycles).ThenByDescending(c => c.Value.Served))
        {
            string name = SyscallTable.NameOf(number);
            string reason = CallService.Reason(name);
            table.Add(
                name, Number(CallService.Class(number)), Number(count.Calls), Number((long)count.Cycles), Percent(count.Cycles, cycles),
                count.Calls == 0 ? "" : Number((long)count.Cycles / count.Calls), Percent(count.Charged, count.Cycles),
                run.CountsVdso ? Number(count.Served) : "", Number(count.Fallbacks),
                ServiceText(CallService.Of(name)) + (reason.Length > 0 ? ": " + reason : ""));
        }
        table.Write(output);
        output.WriteLine();
        WriteServices(output, total, calls, cycles);
        output.WriteLine();
        WriteProcesses(output, run);
    }

    private static void WriteServices(TextWriter output, IReadOnlyDictionary<int, CallCount> total, long calls, ulong cycles)
    {
        var table = new Table("who could serve it", "calls", "% of calls", "cycles", "% of cycles");
        foreach (Service service in (Service[])[Service.Stock, Service.Design, Service.Candidate, Service.Never])
        {
            CallCount[] of = [.. total.Where(c => CallService.Of(SyscallTable.NameOf(c.Key)) == service).Select(c => c.Value)];
            long n = of.Sum(c => c.Calls);
            ulong spent = Sum(of, c => c.Cycles);
            table.Add(ServiceText(service), Number(n), Percent(n, calls), Number((long)spent), Percent(spent, cycles));
        }
        table.Write(output);
    }

    private static void WriteProcesses(TextWriter output, WorkloadRun run)
    {
        const int Shown = 20;
        var table = new Table("pid", "command", "calls", "cycles at EL1", "vDSO served", "most frequent");
        foreach (ProcessCalls process in run.Processes.Values.OrderByDescending(p => Sum(p.Calls.Values, c => c.Cycles)).ThenBy(p => p.Pid)
            .Take(Shown))
        {
            table.Add(
                Text.Plain(process.Pid), Text.Printable(process.Name), Number(process.Calls.Values.Sum(c => c.Calls)),
                Number((long)Sum(process.Calls.Values, c => c.Cycles)),
                run.CountsVdso ? Number(process.Calls.Values.Sum(c => c.Served)) : "",
                string.Join(
                    ", ", process.Calls.Where(c => c.Value.Calls > 0).OrderByDescending(c => c.Value.Calls).Take(3)
                    .Select(c => $"{SyscallTable.NameOf(c.Key)} {Number(c.Value.Calls)}")));
        }
        table.Write(output);
        if (run.Processes.Count > Shown)
            output.WriteLine($"and {Number(run.Processes.Count - Shown)} more processes (--json has all)");
    }

    internal static JsonObject ToJson(string command, WorkloadRun run)
    {
        JsonArray Calls(IReadOnlyDictionary<int, CallCount> calls) => [.. calls.Select(c => (JsonNode)new JsonObject
        {
            ["name"] = SyscallTable.NameOf(c.Key),
            ["number"] = c.Key,
            ["class"] = CallService.Class(c.Key),
            ["calls"] = c.Value.Calls,
            ["cycles"] = c.Value.Cycles,
            ["cycles_charged"] = c.Value.Charged,
            ["switched"] = c.Value.Switched,
            ["vdso_calls"] = run.CountsVdso ? c.Value.VdsoCalls : null,
            ["vdso_fallbacks"] = c.Value.Fallbacks,
            ["service"] = CallService.Of(SyscallTable.NameOf(c.Key)).ToString().ToLowerInvariant(),
        })];
        return new JsonObject
        {
            ["command"] = command,
            ["core"] = run.Settings.Core,
            ["cpu_profile"] = run.Settings.CpuProfileName,
            ["kernel"] = run.Settings.KernelConfiguration.ToString(),
            ["cpus"] = run.Settings.Cpus,
            ["design"] = run.Settings.Vdso,
            ["status"] = run.EndedBy is null ? run.Status : null,
            ["ended_by"] = run.EndedBy?.Message,
            ["cycles"] = "modelled",
            ["busy_cycles"] = run.BusyCycles,
            ["charged_cycles"] = run.ChargedCycles,
            ["elapsed_cycles"] = run.ElapsedCycles,
            ["instructions"] = run.Instructions,
            ["switches"] = run.Switches,
            ["output_sha256"] = run.OutputHash,
            ["calls"] = Calls(run.Total()),
            ["processes"] = new JsonArray(
                [.. run.Processes.Values.Select(
                p => new JsonObject { ["pid"] = p.Pid, ["command"] = p.Name, ["calls"] = Calls(p.Calls) })]),
        };
    }

    private static ulong Sum(IEnumerable<CallCount> counts, Func<CallCount, ulong> of)
    {
        ulong sum = 0;
        foreach (CallCount count in counts)
            sum += of(count);
        return sum;
    }

    private static string ServiceText(Service service) => service switch
    {
        Service.Stock => "stock vDSO",
        Service.Design => "per-CPU designs",
        Service.Candidate => "candidate",
        _ => "never",
    };

    private static string Number(long value) => Text.Number(value);

    private static string Percent(double part, double whole) => Text.Percent(part, whole);
}
