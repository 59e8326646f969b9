using System.Runtime.InteropServices;

namespace ArmVdso.Cli;

/// <summary>Ctrl-C, SIGTERM and SIGHUP. A run of a guest is told and ends by itself; every other command prints what it has found so far
/// and ends at once, whatever it is doing. The status is 128 and the signal's number.</summary>
internal static class Interruption
{
    private static readonly Lock Gate = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(900);
    private static Timer? _fallback;

    /// <summary>Tells the run that a signal has come; null: there is none.</summary>
    internal static Action<int>? Run { get; set; }

    /// <summary>Prints what has been found so far; null: nothing, or all is printed already.</summary>
    private static Action? SoFar { get; set; }

    /// <summary>Takes the signals from now on.</summary>
    internal static void Install()
    {
        foreach ((PosixSignal signal, int number) in new[] { (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1) })
        {
            Registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Take(number);
            }));
        }
    }

    private static void Take(int number)
    {
        if (Run is { } run)
        {
            // The guest may go on after Ctrl-C; after the others it ends, or the emulator does not answer any more.
            if (number != 2)
                _fallback ??= new Timer(_ => End(number), null, Patience, Timeout.InfiniteTimeSpan);
            run(number);
            return;
        }
        End(number);
    }

    private static void End(int number)
    {
        lock (Gate)
        {
            ProgressLine.Stop();
            SoFar?.Invoke();
            SoFar = null;
            Console.Out.Flush();
            Console.Error.WriteLine($"armvdso: interrupted by signal {number}");
            Environment.Exit(ExitStatus.SignalBase + number);
        }
    }

    /// <summary>What is to be printed when a signal comes from now on; null: nothing any more.</summary>
    internal static void Found(Action? report)
    {
        lock (Gate)
            SoFar = report;
    }

    /// <summary>Gathers results one by one. When a signal comes before the last one, those that are there are printed.</summary>
    /// <param name="what">What they are, for the line of progress.</param>
    /// <param name="source">Where they come from.</param>
    /// <param name="report">Prints results.</param>
    /// <returns>All results, not printed.</returns>
    internal static List<T> Gather<T>(string what, IEnumerable<T> source, Action<List<T>> report)
    {
        var results = new List<T>();
        SoFar = () => report(results);
        ProgressLine.Text = () => $"{what}: {results.Count} so far";
        foreach (T result in source)
        {
            lock (Gate)
                results.Add(result);
        }
        lock (Gate)
            SoFar = null;
        return results;
    }
}
