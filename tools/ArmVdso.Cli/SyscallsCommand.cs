using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>armvdso syscalls: without a program, what the kernel model knows; with one, which system calls a workload makes,
/// what they cost, and what a vDSO would serve.</summary>
internal static class SyscallsCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var whatIf = new Option<string?>("--what-if") { Description = "estimates what this vDSO design would save, then runs the workload with those calls redirected", HelpName = "DESIGN" };
        var against = new Option<string>("--against") { Description = "with --what-if: the design that it is compared with", HelpName = "DESIGN", DefaultValueFactory = _ => "none" };
        var placements = new Option<string>("--placements") { Description = "with --what-if: in how many placements of pages in RAM the runs are made", HelpName = "N", DefaultValueFactory = _ => "5" };
        var noVdso = new Option<bool>("--no-vdso-count") { Description = "does not count calls that the vDSO answers (several times faster)" };
        var output = new Option<string?>("--output", "-o") { Description = "writes the report to a file (else to stderr, below the program's output)", HelpName = "FILE" };
        var program = new Argument<string?>("PROGRAM") { Description = "program to count; the table of system calls without one", Arity = ArgumentArity.ZeroOrOne };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("syscalls", "the system calls of a workload, by class, call and process; without PROGRAM: how much of each is there");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(whatIf);
        command.Options.Add(against);
        command.Options.Add(placements);
        command.Options.Add(noVdso);
        command.Options.Add(output);
        command.Options.Add(options.Json);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result =>
        {
            bool json = result.GetValue(options.Json);
            if (result.GetValue(program) is not { } name)
            {
                PrintTable(json);
                return 0;
            }
            using TextWriter report = RunCommand.Open(result.GetValue(output));
            using Stream standardInput = StandardStream.Open(0), standardOutput = StandardStream.Open(1), standardError = StandardStream.Open(2);
            var streams = new WorkloadStreams(standardInput, standardOutput, standardError, Terminal.Log, Terminal.Streams, Terminal.Interrupts);
            var workload = new Workload(options.Read(result), name, result.GetValue(arguments) ?? [], !result.GetValue(noVdso), streams);
            return result.GetValue(whatIf) is { } design
                ? new WhatIf(workload, options.Read(result, design), options.Read(result, result.GetValue(against)), (int)SessionOptions.Number("--placements", result.GetValue(placements)!, 1, 1000), Terminal.Progress).Run(report, json)
                : Count(workload, report, json);
        });
        return command;
    }

    private static int Count(Workload workload, TextWriter report, bool json)
    {
        WorkloadRun run = workload.Run(workload.Settings, null, true, true);
        if (json)
            report.WriteLine(WorkloadReport.ToJson(workload, run).ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        else
            WorkloadReport.Write(report, workload, run);
        return run.Status;
    }

    private static void PrintTable(bool json)
    {
        if (json)
        {
            foreach (SyscallRow row in SyscallTable.All)
                Console.Out.WriteLine(JsonSerializer.Serialize(new { number = row.Number, name = row.Name, support = row.Support.ToString().ToLowerInvariant(), arguments = row.Arguments, note = row.Note }));
            return;
        }
        var costs = new CallCosts(KernelConfiguration.ForCore(CoreModel.Load("cortex-a53")));
        var table = new Table("nr", "name", "support", "charged insns", "cost from", "arguments", "note");
        foreach (SyscallRow row in SyscallTable.All)
        {
            CallCost cost = costs.Of(row);
            table.Add(Number(row.Number), row.Name, row.Support.ToString().ToLowerInvariant(), Number(cost.Instructions), cost.Row + (cost.Estimated ? " (estimated)" : ""), row.Arguments, row.Note);
        }
        table.Write(Console.Out);
        Console.Out.WriteLine();
        Console.Out.WriteLine(string.Join(", ", SyscallTable.All.GroupBy(r => r.Support).OrderByDescending(g => g.Key).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}"))
            + "; any other number gives ENOSYS and is named once on stderr. Charged instructions are those of a stock 6.1 kernel's body on a Cortex-A53 (kernel-model/Costs); estimated: of the nearest call that was traced. The short calls that EL1 executes (kernel-path) are charged only under --strace.");
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
