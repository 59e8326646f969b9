namespace ArmVdso.Kernel.Signals;

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

    /// <summary>mcontext's fault_address: where a memory access faulted, without its tag; 0 for other signals.</summary>
    public ulong FaultAddress { get; init; }

    /// <summary>si_value (sigqueue, timers).</summary>
    public ulong Value { get; init; }

    /// <summary>si_band and si_fd of a signal that a file sent; null for all others.</summary>
    public (long Band, int Descriptor)? Poll { get; init; }

    /// <summary>ESR for the esr_context of the frame; faults only.</summary>
    public ulong Esr { get; init; }

    /// <summary>True for signals that the faulting instruction raised: they are delivered first and cannot be ignored.</summary>
    public bool Synchronous { get; init; }

    /// <summary>Nobody handles, blocks or sees it before it kills (SA_IMMUTABLE).</summary>
    public bool Deadly { get; init; }

    /// <summary>POSIX timer that sent the signal; null for all others. <see cref="Pid"/> and <see cref="Uid"/> then hold si_tid and
    /// si_overrun.</summary>
    public int? TimerId { get; init; }

    /// <summary>Called when the signal is taken from its queue: a timer goes on then, and says how many expirations there were
    /// (posixtimer_rearm). Null: nothing is to be done.</summary>
    internal Func<SignalInfo, SignalInfo>? Taken { get; init; }

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
        else if (Poll is { } poll)
        {
            BitConverter.TryWriteBytes(b.AsSpan(16), poll.Band);
            BitConverter.TryWriteBytes(b.AsSpan(24), poll.Descriptor);
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
        TakenHere?.Invoke(taken.Number);
        return taken.Taken?.Invoke(taken) ?? taken;
    }

    /// <summary>Called for each signal that is taken from this queue.</summary>
    internal Action<int>? TakenHere { get; set; }

    /// <summary>Whether the signal of a POSIX timer is still queued.</summary>
    internal bool HasTimer(int timer) => _queue.Exists(s => s.TimerId == timer);

    /// <summary>Signals that are queued.</summary>
    internal int Count => _queue.Count;

    /// <summary>What is queued, oldest first (PTRACE_PEEKSIGINFO).</summary>
    internal IReadOnlyList<SignalInfo> All => _queue;

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

    /// <summary>Signals that may reach the thread.</summary>
    internal ulong Allowed => ~Blocked | Signal.Unblockable;

    /// <summary>Mask to restore after sigsuspend and the like, if set.</summary>
    public ulong? SavedMask { get; set; }

    /// <summary>Alternate stack: address, size, flags (SS_*).</summary>
    public (ulong Address, ulong Size, int Flags) AltStack { get; set; } = NoAltStack;

    /// <summary>What a thread without an alternate stack has.</summary>
    internal static (ulong Address, ulong Size, int Flags) NoAltStack => (0, 0, Signal.SS_DISABLE);

    /// <summary>Whether an address lies on the alternate stack (on_sig_stack).</summary>
    internal bool IsOnAltStack(ulong sp)
    {
        (ulong address, ulong size, int flags) = AltStack;
        return (flags & (Signal.SS_DISABLE | Signal.SS_AUTODISARM)) == 0 && sp > address && sp - address <= size;
    }

    /// <summary>The signal that its tracer lets through in a stop; null: none.</summary>
    internal SignalInfo? Injected { get; set; }

    /// <summary>Thread has been told to die (exit_group by another thread, or a fatal signal).</summary>
    public bool Killed { get; set; }
}
