using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>A system call in progress with what its body needs of the kernel. A body returns the result or -errno, or
/// <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>'s result to sleep; after the wake-up it runs again from its start with the same
/// context.</summary>
public sealed partial class SyscallContext : SystemCall
{
    private readonly SyscallParts _parts;

    internal SyscallContext(SyscallParts parts, KernelTask task, Cpu cpu, int number, ReadOnlySpan<ulong> args)
        : base(task, cpu, number, args) => _parts = parts;

    /// <summary>What it has written to pages that somebody is asked for; null: nobody is asked in its memory.</summary>
    internal List<(ulong Address, byte[] Bytes)>? Deferred { get; set; }

    /// <summary>Changes of mappings that it has made and that somebody has to read before it returns; null: none.</summary>
    internal List<Files.MappingChange>? Changes { get; set; }

    /// <summary>Its result, while <see cref="Deferred"/> or <see cref="Changes"/> wait; null: the body is not done.</summary>
    internal long? HeldResult { get; set; }

    /// <summary>Resident pages of the caller's memory when the call began.</summary>
    internal long ResidentBefore { get; set; }

    /// <summary>Pages that its memory had given back then.</summary>
    internal long FreedBefore { get; set; }

    /// <summary>The task that the caller knows by a number; null: none. Zombie leaders are found.</summary>
    public KernelTask? FindTask(int number) => Tasks.Find(FirstOf(number));

    /// <summary>What restart_syscall goes on with, as this call or another after it.</summary>
    internal void RestartWith(Func<SyscallContext, long> body) => Task.RestartBlock = call => body((SyscallContext)call);

    /// <summary>True when a signal that is not blocked waits for the task.</summary>
    public bool SignalPending => Signals.HasDeliverable(Task);

    /// <summary>Sleeps until one of the queues wakes the task, a signal arrives or the deadline passes. The result must be
    /// returned from the body: <see cref="SystemCall.Blocked"/>, or -<paramref name="restart"/> when a signal is pending already.</summary>
    /// <param name="queues">What to sleep on; may be empty (pause).</param>
    /// <param name="deadline">Time of <see cref="SystemCall.WaitClock"/> (CLOCK_MONOTONIC unless set) in ns, or ulong.MaxValue for
    /// none.</param>
    /// <param name="restart">Error when interrupted: ERESTARTSYS, ERESTARTNOHAND, EINTR...</param>
    public long Wait(ReadOnlySpan<WaitQueue> queues, ulong deadline = ulong.MaxValue, long restart = Errno.ERESTARTSYS)
    {
        if (SignalPending)
        {
            Signals.Recalculate(Task);
            return -restart;
        }
        return Sleep(queues, deadline, WaitClock);
    }

    /// <summary>Sleeps until a time of a clock, in ns, or a signal; see <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>.</summary>
    internal long WaitUntil(TimerBase clock, ulong expires, long restart, bool wakes = false)
    {
        if (SignalPending)
        {
            Signals.Recalculate(Task);
            return -restart;
        }
        return Sleep([], expires, clock, wakes);
    }

    /// <summary>Sleeps on a queue; only a signal that ends the process interrupts it (wait_for_completion_killable).</summary>
    /// <param name="queue">What it sleeps on.</param>
    /// <param name="interruptible">It counts as one that a signal wakes.</param>
    public long WaitKillable(WaitQueue queue, bool interruptible = false)
    {
        if (Signals.HasFatal(Task))
        {
            Signals.Recalculate(Task);
            return -Errno.EINTR;
        }
        long result = Sleep([queue], ulong.MaxValue, TimerBase.Monotonic);
        Task.IsUninterruptible = !interruptible;
        return result;
    }

    private long Sleep(ReadOnlySpan<WaitQueue> queues, ulong deadline, TimerBase clock, bool wakes = false)
    {
        TimedOut = false;
        Task.IsUninterruptible = false;
        Task.SleepOn(queues);
        if (deadline != ulong.MaxValue)
        {
            Action<ulong> expired = _ =>
            {
                Task.SleepTimer = null;
                TimedOut = true;
                Task.Wake();
            };
            Task.SleepTimer = Timers.Add(clock, deadline, expired, wakes);
        }
        return Blocked;
    }

    /// <summary>Sleeps on one queue; see <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>.</summary>
    public long Wait(WaitQueue queue, ulong deadline = ulong.MaxValue, long restart = Errno.ERESTARTSYS) =>
        Wait([queue], deadline, restart);
}
