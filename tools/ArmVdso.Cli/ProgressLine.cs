using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ArmVdso.Cli;

/// <summary>One line on the terminal of standard error that says what lasts: from the third second on, and never in a pipe or
/// file.</summary>
internal static class ProgressLine
{
    private const int FirstMs = 2000, EachMs = 500;
    private static readonly Lock Gate = new();
    private static readonly Stopwatch Clock = Stopwatch.StartNew();
    private static Timer? _timer;
    private static bool _shown;

    /// <summary>What is being done; null: nothing is said.</summary>
    internal static Func<string>? Text { get; set; }

    /// <summary>Seconds since the process began to work.</summary>
    internal static double Seconds => Clock.Elapsed.TotalSeconds;

    /// <summary>Starts when standard error is a terminal. What is printed besides takes the line away first.</summary>
    internal static void Start()
    {
        if (Console.IsErrorRedirected)
            return;
        Console.SetOut(new Around(Console.Out));
        Console.SetError(new Around(Console.Error));
        if (Environment.GetEnvironmentVariable("TERM") is null or "dumb")
            return;
        _timer = new Timer(_ => Show(), null, FirstMs, EachMs);
    }

    /// <summary>Takes the line away for good.</summary>
    internal static void Stop()
    {
        _timer?.Dispose();
        _timer = null;
        Text = null;
        Clear();
    }

    private static void Show()
    {
        if (Text?.Invoke() is not { } text)
            return;
        lock (Gate)
        {
            using Stream error = Console.OpenStandardError();
            string line = string.Create(CultureInfo.InvariantCulture, $"\r\u001b[Karmvdso: {text}, {Clock.Elapsed.TotalSeconds:F0} s");
            error.Write(Encoding.UTF8.GetBytes(line));
            _shown = true;
        }
    }

    private static void Clear()
    {
        lock (Gate)
        {
            if (!_shown)
                return;
            _shown = false;
            using Stream error = Console.OpenStandardError();
            error.Write("\r\u001b[K"u8);
        }
    }

    /// <summary>A standard stream that takes the line away before it prints, and that returns the carriage itself while the terminal is the
    /// guest's.</summary>
    private sealed class Around(TextWriter inner) : TextWriter
    {
        public override Encoding Encoding => inner.Encoding;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            Clear();
            inner.Write(TerminalMode.IsRaw ? value?.Replace("\n", "\r\n", StringComparison.Ordinal) : value);
        }

        public override void WriteLine(string? value) => Write(value + "\n");

        public override void WriteLine() => Write("\n");

        public override void Flush() => inner.Flush();
    }
}
