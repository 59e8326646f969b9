using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Debug;

/// <summary>Numbers of signals in GDB's protocol, which are those of no system (include/gdb/signals.def).</summary>
internal static class GdbSignals
{
    // By GDB's number, from 1. 7 (EMT) and 29 (LOST) are of no signal of Linux.
    private static readonly int[] s_linux =
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGILL, Signal.SIGTRAP, Signal.SIGABRT, 0, Signal.SIGFPE, Signal.SIGKILL,
        Signal.SIGBUS, Signal.SIGSEGV, Signal.SIGSYS, Signal.SIGPIPE, Signal.SIGALRM, Signal.SIGTERM, Signal.SIGURG, Signal.SIGSTOP,
        Signal.SIGTSTP, Signal.SIGCONT, Signal.SIGCHLD, Signal.SIGTTIN, Signal.SIGTTOU, Signal.SIGIO, Signal.SIGXCPU, Signal.SIGXFSZ,
        Signal.SIGVTALRM, Signal.SIGPROF, Signal.SIGWINCH, 0, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGPWR,
    ];

    private const int Realtime33 = 45, Realtime32 = 77, Realtime64 = 78, Unknown = 143;

    /// <summary>Linux to GDB.</summary>
    internal static int Of(int signal) => signal switch
    {
        32 => Realtime32,
        64 => Realtime64,
        > 32 and < 64 => Realtime33 + signal - 33,
        _ => Array.IndexOf(s_linux, signal) is >= 0 and var at ? at + 1 : Unknown,
    };

    /// <summary>GDB to Linux; 0: none.</summary>
    internal static int ToLinux(int number) => number switch
    {
        Realtime32 => 32,
        Realtime64 => 64,
        >= Realtime33 and < Realtime33 + 31 => number - Realtime33 + 33,
        >= 1 when number <= s_linux.Length => s_linux[number - 1],
        _ => 0,
    };
}
