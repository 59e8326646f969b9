using System.Text.Json.Nodes;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Workloads;

namespace ArmVdso.Cli;

/// <summary>armvdso syscalls: without a program, what the kernel model knows; with one, which system calls a workload makes, what they
/// cost, and what a vDSO would serve.</summary>
internal static class SyscallsCommand
{
    private const string TableNote =
        "; any other number gives ENOSYS and is named once on stderr. Charged instructions are those of a stock 6.1 kernel's body on a "
        + "Cortex-A53 "
        + "(kernel-model/Costs); estimated: of the nearest call that was traced. The short calls that EL1 executes (kernel-path) are "
        + "charged only "
        + "under --strace.";

    /// <summary>What is asked of a workload.</summary>
    private sealed record Question(
        string[] Program, string? WhatIf, string Against, int Placements, bool CountVdso, string? Output, bool Json);

    internal static Command Make()
    {
        var whatIf = new Option<string?>("--what-if")
        {
            Description = "estimates what this vDSO design would save, then runs the workload with those calls redirected",
            HelpName = "DESIGN",
        };
        var against = new Option<string>("--against")
        {
            Description = "with --what-if: the design that it is compared with",
            HelpName = "DESIGN",
            DefaultValueFactory = _ => "none",
        };
        var placements = new Option<string>("--placements")
        {
            Description = "with --what-if: in how many placements of pages in RAM the runs are made",
            HelpName = "N",
            DefaultValueFactory = _ => "5",
        };
        var noVdso = new Option<bool>(
            "--no-vdso-count")
        { Description = "does not count calls that the vDSO answers (several times faster)" };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "writes the report to a file (else to stderr, below the program's output)",
            HelpName = "FILE",
        };
        Option<bool> json = CliCommand.Json();
        Argument<string?> program = CliCommand.Program("program to count; the table of system calls without one");
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        var design = new DesignOptions();
        OptionGroup[] groups = OptionGroup.OfRun(design: design);
        Option[] own = [whatIf, against, placements, noVdso, output, json];
        return new CliCommand(
            "syscalls", "the system calls of a workload, by class, call and process; without PROGRAM: how much of each is there", groups,
            own,
            [program, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[]? words = input.Program(program, arguments);
                string? asked = input.Value(whatIf);
                string compared = design.Named(input, against.Name, input.Text(against));
                bool asJson = input.Value(json);
                var question = new Question(
                    words ?? [], asked is null
                        ? null
                        : design.Named(input, whatIf.Name, asked), compared, (int)input.Number(placements, 1, 1000),
                    !input.Value(noVdso), input.Value(output), asJson);
                if (words is null)
                {
                    input.Refuse("without PROGRAM", [.. groups.SelectMany(g => g.Options), .. own.Where(o => o != json)]);
                    return () => PrintTable(asJson);
                }
                if (asked is null)
                    input.Refuse("without --what-if", against, placements);
                else
                    input.Refuse("with --what-if, which names the designs", design.Options[0]);
                return () => Count(settings, question);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static int Count(SessionSettings settings, Question question)
    {
        using TextWriter report = Terminal.Open("-o", question.Output);
        using Stream input = StandardStream.Open(0), output = StandardStream.Open(1), error = StandardStream.Open(2);
        SessionHooks hooks = Terminal.Hooks(input, output, error);
        var lab = new ArmVdsoLab(settings);
        string command = string.Join(' ', question.Program);
        if (question.WhatIf is not null)
        {
            WhatIfResult result = lab.WhatIf(
                question.Program, question.WhatIf, hooks, question.Against, question.Placements, question.CountVdso, Terminal.Progress);
            if (question.Json)
                report.WriteLine(Text.Indented(WhatIfReport.ToJson(command, result)));
            else
                WhatIfReport.Write(report, command, result);
            return result.First.Before.Status;
        }
        WorkloadRun run = lab.CountCalls(question.Program, hooks, question.CountVdso);
        if (question.Json)
            report.WriteLine(Text.Indented(WorkloadReport.ToJson(command, run)));
        else
            WorkloadReport.Write(report, command, run);
        report.Flush();
        return run.EndedBy is null ? run.Status : throw run.EndedBy;
    }

    private static int PrintTable(bool json)
    {
        if (json)
        {
            foreach (SyscallRow row in SyscallTable.All)
            {
                Console.Out.WriteLine(new JsonObject
                {
                    ["number"] = row.Number,
                    ["name"] = row.Name,
                    ["support"] = Name(row.Support),
                    ["arguments"] = row.Arguments,
                    ["note"] = row.Note,
                }.ToJsonString());
            }
            return 0;
        }
        var costs = new CallCosts(KernelConfiguration.Default);
        var table = new Table("nr", "name", "support", "charged insns", "cost from", "arguments", "note");
        foreach (SyscallRow row in SyscallTable.All)
        {
            CallCost cost = costs.Of(row.Name, row.Cost);
            table.Add(
                Text.Plain(row.Number), row.Name, Name(row.Support), Text.Plain((int)cost.Instructions),
                cost.Row + (cost.Estimated ? " (estimated)" : ""),
                row.Arguments, row.Note);
        }
        table.Write(Console.Out);
        Console.Out.WriteLine();
        IEnumerable<string> sums = SyscallTable.All.GroupBy(r => r.Support).OrderByDescending(g => g.Key)
            .Select(g => $"{g.Count()} {Name(g.Key)}");
        Console.Out.WriteLine(string.Join(", ", sums) + TableNote);
        return 0;
    }

    private static string Name(SyscallSupport support) => support.ToString().ToLowerInvariant();
}
