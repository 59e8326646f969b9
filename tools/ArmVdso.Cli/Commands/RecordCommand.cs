using ArmVdso.Emulator.Isa;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>armvdso isa record: runs a program and notes which rows of the instruction table it executes at EL0.</summary>
internal static class RecordCommand
{
    internal static Command Make()
    {
        var append = new Option<string?>("--append")
        {
            Description = "table of rows (coverage.tsv) that the program's name is written into, where a row has none yet",
            HelpName = "FILE",
        };
        Argument<string?> program = CliCommand.Program("program to run", required: true);
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        OptionGroup[] groups = OptionGroup.OfRun();
        return new CliCommand("record", "runs a program and notes which rows it executes", groups, [append], [program, arguments], input =>
        {
            SessionSettings settings = CliCommand.Settings(input, groups);
            string? table = input.Value(append);
            string[] words = input.Program(program, arguments)!;
            return () => Record(settings, words, table);
        })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static int Record(SessionSettings settings, string[] program, string? append)
    {
        var recorder = new RowRecorder();
        using Stream output = new BufferedStream(Console.OpenStandardOutput(), 65536);
        using Stream error = Console.OpenStandardError();
        using Stream input = Console.OpenStandardInput();
        using var session = new Session(settings, program[0], program[1..], Terminal.Hooks(input, output, error));
        session.Machine.Observer = recorder;
        int status;
        try
        {
            status = session.Run();
        }
        finally
        {
            output.Flush();
        }
        if (append is not null)
        {
            recorder.MergeInto(append, Path.GetFileName(program[0]));
            return status;
        }
        foreach (Row row in recorder.Rows)
            Console.Error.WriteLine(RowInfo.Name(row));
        return status;
    }
}
