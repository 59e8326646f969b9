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
    private static void Log(string line) => Console.Error.WriteLine($"armvdso: {Text.Printable(line)}");

    /// <summary>Says what is being run, to a person only.</summary>
    internal static void Progress(string line)
    {
        if (!Console.IsErrorRedirected)
            Log(line);
    }

    /// <summary>Prints a crash of the program that is run; of its children only what their parents say.</summary>
    internal static void PrintCrash(Session session, KernelTask task, CrashRecord crash, bool whole)
    {
        if (!ReferenceEquals(task.Group, session.Kernel.Tasks.Init))
            return;
        foreach (string line in CrashReport.Lines(crash, whole))
            Log(line);
    }

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
    /// <exception cref="UserError">It cannot be written.</exception>
    internal static TextWriter Open(string? file)
    {
        if (string.IsNullOrEmpty(file))
            return TextWriter.Synchronized(Console.Error);
        try
        {
            return new StreamWriter(file) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.EmulatorError);
        }
    }

    private sealed class Handler : IDisposable
    {
        private readonly ConsoleCancelEventHandler _handler;

        internal Handler(Session session)
        {
            _handler = (_, e) =>
            {
                e.Cancel = true;
                session.Interrupt();
            };
            Console.CancelKeyPress += _handler;
        }

        public void Dispose() => Console.CancelKeyPress -= _handler;
    }
}
