using System.CommandLine;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Isa;
using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>armvdso isa record: runs a program and notes which rows of the instruction table it executes at EL0.</summary>
internal static class RecordCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var append = new Option<string?>("--append") { Description = "table of rows (coverage.tsv) that the program's name is written into, where a row has none yet", HelpName = "FILE" };
        var program = new Argument<string>("PROGRAM") { Description = "program to run" };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("record", "runs a program and notes which rows it executes");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(append);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result => Record(
            options.Read(result), result.GetValue(program)!, result.GetValue(arguments) ?? [], result.GetValue(append)));
        return command;
    }

    private static int Record(SessionSettings settings, string program, string[] arguments, string? append)
    {
        var recorder = new Recorder();
        using Stream output = new BufferedStream(Console.OpenStandardOutput(), 65536);
        using Stream error = Console.OpenStandardError();
        using Stream input = Console.OpenStandardInput();
        using var session = new Session(settings, program, arguments, new Session.Hooks
        {
            Input = input,
            Output = output,
            Error = error,
            Log = Terminal.Log,
            Terminals = Terminal.Streams,
        });
        using IDisposable interrupts = Terminal.Interrupts(session);
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
        if (append is null)
        {
            foreach (Row row in recorder.Rows)
                Console.Error.WriteLine(RowInfo.Name(row));
        }
        else
        {
            Merge(append, recorder.Rows, Path.GetFileName(program));
        }
        return status;
    }

    /// <summary>Writes the name into the rows that have none. Several runs may write to one file at the same time.</summary>
    private static void Merge(string file, IEnumerable<Row> rows, string name)
    {
        var wait = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var stream = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                RowCoverage coverage = RowCoverage.Read(new StreamReader(stream, leaveOpen: true));
                foreach (Row row in rows)
                    coverage.AddProgram(row, name);
                stream.SetLength(0);
                using var writer = new StreamWriter(stream) { NewLine = "\n" };
                coverage.Write(writer);
                return;
            }
            catch (IOException) when (wait.Elapsed < TimeSpan.FromSeconds(10))
            {
                // Another run holds the file.
                Thread.Sleep(20);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                throw new UserError($"{file}: {e.Message}", ExitStatus.EmulatorError);
            }
        }
    }

    /// <summary>Which rows began to execute at EL0.</summary>
    private sealed class Recorder : IMachineObserver
    {
        private readonly bool[] _seen = new bool[RowInfo.Count];

        public bool WantsInstructions => true;

        /// <summary>Rows seen, in the order of the table, without those that are UNDEFINED.</summary>
        internal IEnumerable<Row> Rows => Enumerable.Range(1, RowInfo.Count - 1).Where(i => _seen[i]).Select(i => (Row)i);

        public void OnInstruction(Cpu cpu, uint instruction)
        {
            if (cpu.EL != 0)
                return;
            Row row = Decoder.Decode(instruction);
            if (cpu.Machine.RowEnabled[(int)row] && RowInfo.HasSemantics(row))
                _seen[(int)row] = true;
        }

        public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
        {
        }

        public void OnExceptionReturn(Cpu cpu)
        {
        }

        public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
        {
        }
    }
}
