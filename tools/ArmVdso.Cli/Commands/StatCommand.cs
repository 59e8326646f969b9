using System.Diagnostics;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>armvdso stat: counts of a program, as perf stat prints them.</summary>
internal static class StatCommand
{
    internal static Command Make()
    {
        var separator = new Option<string?>("--field-separator", "-x")
        {
            Description = "prints fields for programs, with this character between them",
            HelpName = "CHARACTER",
        };
        var repeat = new Option<string>("--repeat", "-r")
        {
            Description = "runs the program so often, each time with its pages elsewhere in RAM, and prints mean and spread",
            HelpName = "N",
            DefaultValueFactory = _ => "1",
        };
        var output = new Option<string?>("--output", "-o") { Description = "prints to a file", HelpName = "FILE" };
        Argument<string?> program = CliCommand.Program("path on the host or in the root, or a name to look for", required: true);
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        OptionGroup[] groups = OptionGroup.OfRun();
        return new CliCommand(
            "stat", "runs a program and prints its counts as perf stat does", groups, [separator, repeat, output], [program, arguments],
            input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string? between = input.Value(separator);
                if (between is not null && between.Length != 1)
                    throw CommandInput.Error($"{separator.Name}: '{between}' is not one character");
                int runs = (int)input.Number(repeat, 1, 1000);
                string? file = input.Value(output);
                string[] words = input.Program(program, arguments)!;
                return () => Run(settings, words, runs, between, file);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static int Run(SessionSettings settings, string[] program, int runs, string? separator, string? file)
    {
        using TextWriter report = Terminal.Open("-o", file);
        var counts = new PerfStatReport(settings);
        int status = 0;
        for (int i = 0; i < runs && status == 0; i++)
        {
            // The first run is that of the settings; the others have other pages.
            SessionSettings placed = i == 0 ? settings : settings with { PagePlacement = settings.PagePlacement + (ulong)i };
            status = RunOnce(placed, program, counts);
        }
        if (separator is null)
            counts.Write(report, string.Join(' ', program));
        else
            counts.Write(report, separator[0]);
        return status;
    }

    private static int RunOnce(SessionSettings settings, string[] program, PerfStatReport counts)
    {
        using Stream output = StandardStream.Open(1);
        using Stream error = StandardStream.Open(2);
        using Stream input = StandardStream.Open(0);
        var software = new SwitchCounter();
        var clock = Stopwatch.StartNew();
        using var session = new Session(settings, program[0], program[1..], Terminal.Hooks(input, output, error) with
        {
            Switching = software.Switched,
        });
        session.Machine.Observer = software;
        int status = session.Run();
        output.Flush();
        counts.Add(new RunStatistics(session, clock.Elapsed, status), software);
        return status;
    }
}
