using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ArmVdso.Cli;

/// <summary>The mode of the terminal on standard input (termios(3)). While a guest owns it, it is raw; it is put back at the end of the
/// process, whichever way that comes, and while the process is stopped from outside.</summary>
internal static class TerminalMode
{
    private const int Bytes = 256, DrainThenSet = 1, StopSignal = 19;
    private const nuint TIOCGWINSZ = 0x5413;
    private static readonly Lock Gate = new();
    private static readonly List<PosixSignalRegistration> Registrations = [];
    private static byte[]? _before;

    /// <summary>Whether our own messages have to return the carriage themselves.</summary>
    internal static bool IsRaw => _before is not null;

    /// <summary>Whether standard input is a terminal.</summary>
    internal static bool IsTerminal() => tcgetattr(0, new byte[Bytes]) == 0;

    /// <summary>Rows and columns.</summary>
    internal static (ushort Rows, ushort Columns) Size(int descriptor = 0)
    {
        var size = new ushort[4];
        return ioctl(descriptor, TIOCGWINSZ, size) == 0 && size[0] > 0 && size[1] > 0 ? (size[0], size[1]) : ((ushort)24, (ushort)80);
    }

    /// <summary>Makes the terminal raw: every byte comes at once and goes out as it is.</summary>
    [SupportedOSPlatform("linux")]
    internal static void Own()
    {
        lock (Gate)
        {
            if (_before is not null)
                return;
            var before = new byte[Bytes];
            if (tcgetattr(0, before) != 0)
                return;
            _before = before;
            SetRaw();
            if (Registrations.Count > 0)
                return;
            Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Again()));
            Registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, context =>
            {
                context.Cancel = true;
                PutBack();
                _ = kill(Environment.ProcessId, StopSignal);
            }));
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Leave();
        }
    }

    /// <summary>Puts the terminal back for good.</summary>
    internal static void Leave()
    {
        lock (Gate)
        {
            PutBack();
            _before = null;
        }
    }

    private static void Again()
    {
        lock (Gate)
        {
            if (_before is not null)
                SetRaw();
        }
    }

    private static void SetRaw()
    {
        byte[] raw = [.. _before!];
        cfmakeraw(raw);
        _ = tcsetattr(0, DrainThenSet, raw);
    }

    private static void PutBack()
    {
        if (_before is { } mode)
            _ = tcsetattr(0, DrainThenSet, mode);
    }

    [DllImport("libc")] private static extern int tcgetattr(int descriptor, byte[] mode);
    [DllImport("libc")] private static extern int tcsetattr(int descriptor, int when, byte[] mode);
    [DllImport("libc")] private static extern void cfmakeraw(byte[] mode);
    [DllImport("libc")] private static extern int ioctl(int descriptor, nuint request, ushort[] size);
    [DllImport("libc")] private static extern int kill(int process, int signal);
}
