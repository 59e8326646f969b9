namespace ArmVdso.Kernel.Signals;

/// <summary>Signal numbers and flags (include/uapi/asm-generic/signal.h, siginfo.h).</summary>
public static class Signal
{
#pragma warning disable CS1591
    public const int SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9,
        SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGSTKFLT = 16, SIGCHLD = 17, SIGCONT = 18,
        SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGXCPU = 24, SIGXFSZ = 25, SIGVTALRM = 26, SIGPROF = 27,
        SIGWINCH = 28, SIGIO = 29, SIGPWR = 30, SIGSYS = 31, SIGRTMIN = 32, Count = 64;
    public const ulong SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000,
        SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000, SA_RESETHAND = 0x80000000;
    public const int SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2, SI_TKILL = -6;
    public const int ILL_ILLOPC = 1, ILL_ILLOPN = 2, FPE_INTDIV = 1, SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, TRAP_BRKPT = 1, TRAP_TRACE = 2,
        CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_TRAPPED = 4, CLD_STOPPED = 5, CLD_CONTINUED = 6;
#pragma warning restore CS1591

    private static readonly string[] Names =
    [
        "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
        "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>SIGNAME, or SIGRT_n.</summary>
    public static string NameOf(int signal) => signal < Names.Length ? Names[signal] : $"SIGRT_{signal - SIGRTMIN}";

    /// <summary>The bit of a signal in a mask.</summary>
    public static ulong Bit(int signal) => 1UL << (signal - 1);

    /// <summary>Default action: terminate with a core dump.</summary>
    public static bool DumpsCore(int signal) =>
        signal is SIGQUIT or SIGILL or SIGTRAP or SIGABRT or SIGBUS or SIGFPE or SIGSEGV or SIGXCPU or SIGXFSZ or SIGSYS;

    /// <summary>Default action: ignore.</summary>
    public static bool IgnoredByDefault(int signal) => signal is SIGCHLD or SIGURG or SIGWINCH or SIGCONT;

    /// <summary>Default action: stop.</summary>
    public static bool Stops(int signal) => signal is SIGSTOP or SIGTSTP or SIGTTIN or SIGTTOU;
}

/// <summary>What a signal carries (siginfo_t).</summary>
public sealed record SignalInfo
{
    /// <summary>si_signo.</summary>
    public required int Number { get; init; }

    /// <summary>si_code.</summary>
    public int Code { get; init; }

    /// <summary>si_errno.</summary>
    public int Errno { get; init; }

    /// <summary>si_pid and si_uid.</summary>
    public int Pid { get; init; }

    /// <inheritdoc cref="Pid"/>
    public uint Uid { get; init; }

    /// <summary>si_status (SIGCHLD).</summary>
    public int Status { get; init; }

    /// <summary>si_utime and si_stime in clock ticks (SIGCHLD).</summary>
    public long UserTime { get; init; }

    /// <inheritdoc cref="UserTime"/>
    public long SystemTime { get; init; }

    /// <summary>si_addr (faults).</summary>
    public ulong Address { get; init; }

    /// <summary>si_value (sigqueue, timers).</summary>
    public ulong Value { get; init; }

    /// <summary>ESR for the esr_context of the frame; faults only.</summary>
    public ulong Esr { get; init; }

    /// <summary>True for signals that the faulting instruction raised: they are delivered first and cannot be ignored.</summary>
    public bool Synchronous { get; init; }

    /// <summary>POSIX timer that sent the signal; null for all others. <see cref="Pid"/> and <see cref="Uid"/> then hold si_tid and si_overrun.</summary>
    public int? TimerId { get; init; }

    /// <summary>siginfo_t as another process gave it (rt_sigqueueinfo); null for all others.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>The 128 bytes of siginfo_t.</summary>
    public byte[] ToBytes()
    {
        if (Raw is not null)
            return (byte[])Raw.Clone();
        var b = new byte[128];
        BitConverter.TryWriteBytes(b.AsSpan(0), Number);
        BitConverter.TryWriteBytes(b.AsSpan(4), Errno);
        BitConverter.TryWriteBytes(b.AsSpan(8), Code);
        if (Synchronous)
        {
            BitConverter.TryWriteBytes(b.AsSpan(16), Address);
        }
        else if (Number == Signal.SIGCHLD && Code is > 0 and <= 6)
        {
            BitConverter.TryWriteBytes(b.AsSpan(16), Pid);
            BitConverter.TryWriteBytes(b.AsSpan(20), Uid);
            BitConverter.TryWriteBytes(b.AsSpan(24), Status);
            BitConverter.TryWriteBytes(b.AsSpan(32), UserTime);
            BitConverter.TryWriteBytes(b.AsSpan(40), SystemTime);
        }
        else
        {
            BitConverter.TryWriteBytes(b.AsSpan(16), Pid);
            BitConverter.TryWriteBytes(b.AsSpan(20), Uid);
            BitConverter.TryWriteBytes(b.AsSpan(24), Value);
        }
        return b;
    }
}

/// <summary>Pending signals of a thread or process: standard ones once each, real-time ones queued in order.</summary>
public sealed class PendingSignals
{
    private readonly List<SignalInfo> _queue = [];

    /// <summary>Set of pending signals.</summary>
    public ulong Set { get; private set; }

    /// <summary>Queues a signal. A standard signal that is pending already is dropped, as Linux does.</summary>
    public void Add(SignalInfo info)
    {
        ulong bit = Signal.Bit(info.Number);
        if (info.Number < Signal.SIGRTMIN && (Set & bit) != 0)
            return;
        Set |= bit;
        _queue.Add(info);
    }

    /// <summary>Takes the most urgent signal of a set: synchronous ones first, then by number, then by age.</summary>
    public SignalInfo? Take(ulong allowed)
    {
        ulong ready = Set & allowed;
        if (ready == 0)
            return null;
        int best = -1;
        for (int i = 0; i < _queue.Count; i++)
        {
            SignalInfo info = _queue[i];
            if ((ready & Signal.Bit(info.Number)) == 0)
                continue;
            if (best < 0 || (info.Synchronous && !_queue[best].Synchronous)
                || (info.Synchronous == _queue[best].Synchronous && info.Number < _queue[best].Number))
            {
                best = i;
            }
        }
        SignalInfo taken = _queue[best];
        _queue.RemoveAt(best);
        if (!_queue.Exists(s => s.Number == taken.Number))
            Set &= ~Signal.Bit(taken.Number);
        return taken;
    }

    /// <summary>Whether the signal of a POSIX timer is still queued.</summary>
    internal bool HasTimer(int timer) => _queue.Exists(s => s.TimerId == timer);

    /// <summary>Forgets some signals.</summary>
    public void Discard(ulong set)
    {
        Set &= ~set;
        _queue.RemoveAll(s => (Signal.Bit(s.Number) & set) != 0);
    }
}

/// <summary>Action of one signal (struct sigaction of the kernel).</summary>
/// <param name="Handler">Address, or 0 (default), 1 (ignore).</param>
/// <param name="Flags">SA_* bits.</param>
/// <param name="Restorer">sa_restorer.</param>
/// <param name="Mask">Signals blocked while the handler runs.</param>
public readonly record struct SignalAction(ulong Handler, ulong Flags, ulong Restorer, ulong Mask);

/// <summary>Handlers of a process (sighand_struct), possibly shared.</summary>
public sealed class SignalHandlers
{
    private readonly SignalAction[] _actions = new SignalAction[Signal.Count + 1];

    /// <summary>Action of a signal, 1 to 64.</summary>
    public SignalAction this[int signal]
    {
        get => _actions[signal];
        set => _actions[signal] = value;
    }

    /// <summary>A copy for fork.</summary>
    public SignalHandlers Clone()
    {
        var copy = new SignalHandlers();
        _actions.CopyTo(copy._actions, 0);
        return copy;
    }

    /// <summary>execve: handlers become default; ignored signals stay ignored.</summary>
    public void FlushForExec()
    {
        for (int i = 1; i <= Signal.Count; i++)
            _actions[i] = new SignalAction(_actions[i].Handler == 1 ? 1UL : 0, 0, 0, 0);
    }
}

/// <summary>Signal state of one thread.</summary>
public sealed class TaskSignals
{
    /// <summary>Signals sent to this thread.</summary>
    public PendingSignals Pending { get; } = new();

    /// <summary>Blocked signals.</summary>
    public ulong Blocked { get; set; }

    /// <summary>Mask to restore after sigsuspend and the like, if set.</summary>
    public ulong? SavedMask { get; set; }

    /// <summary>Alternate stack: address, size, flags (SS_DISABLE = 2).</summary>
    public (ulong Address, ulong Size, int Flags) AltStack { get; set; } = (0, 0, 2);

    /// <summary>Thread has been told to die (exit_group by another thread, or a fatal signal).</summary>
    public bool Killed { get; set; }
}
