using System.Globalization;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Lab.Crash;

namespace ArmVdso.Cli;

/// <summary>What a run of a guest has of the terminal: our own messages and Ctrl-C.</summary>
internal static class Terminal
{
    /// <summary>Which of the standard streams are terminals: bit 0 input, 1 output, 2 error.</summary>
    private static int Streams =>
        (Console.IsInputRedirected ? 0 : 1) | (Console.IsOutputRedirected ? 0 : 2) | (Console.IsErrorRedirected ? 0 : 4);

    /// <summary>Prints one of our own messages.</summary>
    internal static void Log(string line) => Console.Error.WriteLine($"armvdso: {Text.Printable(line)}");

    /// <summary>Says what is being done, to a person who has waited for a while.</summary>
    internal static void Progress(string line) => ProgressLine.Text = () => line;

    /// <summary>Prints a crash of the program that is run; of its children only what their parents say.</summary>
    internal static void PrintCrash(Session session, KernelTask task, CrashRecord crash, bool whole)
    {
        if (!ReferenceEquals(task.Group, session.Kernel.Tasks.Init))
            return;
        foreach (string line in CrashReport.Lines(crash, whole))
            Log(line);
    }

    /// <summary>Says at the end of a run that files will be gone, and what keeps them.</summary>
    internal static void PrintMemoryOnly(int files, string folder) => Log(
        $"{files} {(files == 1 ? "file" : "files")} in {folder} {(files == 1 ? "was" : "were")} written to memory only; "
        + $"--bind {folder}:{folder} keeps such files");

    /// <summary>The hooks of a run whose streams are given: our messages are printed, Ctrl-C goes to the guest.</summary>
    internal static SessionHooks Hooks(Stream input, Stream output, Stream error) => new()
    {
        Input = input,
        Output = output,
        Error = error,
        Log = Log,
        Terminals = Streams,
        Watch = Interrupts,
    };

    /// <summary>Gives Ctrl-C to a session until the result is disposed of.</summary>
    private static Handler Interrupts(Session session) => new Handler(session);

    /// <summary>A file for a report; stderr when none is named.</summary>
    /// <param name="option">The option that asks for it.</param>
    /// <param name="file">Its name; null or empty: none.</param>
    /// <exception cref="UserError">It cannot be written.</exception>
    internal static TextWriter Open(string option, string? file) => string.IsNullOrEmpty(file)
        ? TextWriter.Synchronized(Console.Error) : new StreamWriter(ReportStream.Create(option, file)) { AutoFlush = true };

    /// <summary>A run that is told of signals, and of which a line of progress tells.</summary>
    private sealed class Handler : IDisposable
    {
        internal Handler(Session session)
        {
            Interruption.Run = signal =>
            {
                if (signal == Interrupt)
                    session.Interrupt();
                else
                    session.End(signal);
            };
            // The guest's own terminal is the guest's.
            if (Console.IsInputRedirected && Console.IsOutputRedirected)
                ProgressLine.Text = () => Figures(session);
        }

        private static string Figures(Session session)
        {
            ulong instructions = 0, cycles = 0;
            foreach (Cpu cpu in session.Machine.Cpus)
            {
                instructions += cpu.Instructions;
                cycles = Math.Max(cycles, cpu.Cycles);
            }
            double seconds = ProgressLine.Seconds;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{instructions / 1e6:F0} million instructions ({instructions / 1e6 / seconds:F0} MIPS), {cycles / 1e6:F0} million cycles, "
                + $"{(double)cycles / session.Machine.ClockFrequency:F3} s of the guest");
        }

        public void Dispose()
        {
            Interruption.Run = null;
            ProgressLine.Text = null;
        }
    }

    private const int Interrupt = 2;
}
