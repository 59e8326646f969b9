using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>A stop of a traced task in a system call.</summary>
internal enum SyscallTraceStop
{
    /// <summary>None.</summary>
    None,

    /// <summary>Before the body.</summary>
    Entry,

    /// <summary>After it, with the result in the registers.</summary>
    Exit,
}

/// <summary>One system call in progress: its arguments, and what its body needs. A body returns the result or -errno, or
/// <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>'s result to sleep; after the wake-up it runs again from its start with the same
/// context.</summary>
public sealed class SyscallContext
{
    /// <summary>Special result: the task sleeps; the body will run again.</summary>
    public const long Blocked = long.MinValue;

    /// <summary>Special result: registers were set by the body (rt_sigreturn, execve); x0 must not be overwritten.</summary>
    public const long NoReturn = long.MinValue + 1;

    private readonly ulong[] _args;

    internal SyscallContext(LinuxKernel kernel, KernelTask task, Cpu cpu, int number, ReadOnlySpan<ulong> args)
    {
        Kernel = kernel;
        Task = task;
        Cpu = cpu;
        Number = number;
        _args = args[..6].ToArray();
    }

    /// <summary>The kernel.</summary>
    public LinuxKernel Kernel { get; }

    /// <summary>The calling task.</summary>
    public KernelTask Task { get; }

    /// <summary>The CPU that executes the call; it can differ between attempts.</summary>
    public Cpu Cpu { get; internal set; }

    /// <summary>System call number.</summary>
    public int Number { get; }

    /// <summary>How many times the body has run before (0 at first).</summary>
    public int Attempt { get; internal set; }

    /// <summary>True when the deadline of the last <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/> passed.</summary>
    public bool TimedOut { get; internal set; }

    /// <summary>What a body keeps from one attempt to the next (progress so far, absolute deadline).</summary>
    public object? State { get; set; }

    /// <summary>Absolute deadline in ns that a body keeps from its first attempt: of CLOCK_MONOTONIC, or of the clock it waits
    /// for.</summary>
    public ulong Deadline { get; set; } = ulong.MaxValue;

    /// <summary>The task that the caller knows by a number; null: none. Zombie leaders are found.</summary>
    public KernelTask? FindTask(int number) => Kernel.Tasks.Find(FirstOf(number));

    /// <summary>Number in the first PID namespace of what the caller knows by a number; -1: nothing.</summary>
    public int FirstOf(int number) => Task.PidNamespace.FirstOf(number);

    /// <summary>The caller's number for a task, process group or session; 0: not visible to it.</summary>
    public int NumberOf(int first) => Task.PidNamespace.NumberOf(first);

    /// <summary>The clock that <see cref="Deadline"/> and the deadlines of <see cref="Wait(WaitQueue, ulong, long)"/> are times
    /// of.</summary>
    internal TimerBase WaitClock { get; set; }

    /// <summary>Where the task stopped for its tracer, and has to go on.</summary>
    internal SyscallTraceStop TraceStop { get; set; }

    /// <summary>The caller's memory.</summary>
    public MemoryMap Memory => Task.Mm!;

    /// <summary>The caller's open files.</summary>
    public FileTable Files => Task.Files;

    /// <summary>Argument n (0 to 5) as the register holds it.</summary>
    public ulong Arg(int n) => _args[n];

    /// <summary>Argument n as C's int.</summary>
    public int Int(int n) => (int)_args[n];

    /// <summary>Argument n as C's long.</summary>
    public long Long(int n) => (long)_args[n];

    /// <summary>Argument n as C's unsigned int.</summary>
    public uint UInt(int n) => (uint)_args[n];

    /// <summary>True when a signal that is not blocked waits for the task.</summary>
    public bool SignalPending => Kernel.SignalDelivery.HasDeliverable(Task);

    /// <summary>Sleeps until one of the queues wakes the task, a signal arrives or the deadline passes. The result must be
    /// returned from the body: <see cref="Blocked"/>, or -<paramref name="restart"/> when a signal is pending already.</summary>
    /// <param name="queues">What to sleep on; may be empty (pause).</param>
    /// <param name="deadline">Time of <see cref="WaitClock"/> (CLOCK_MONOTONIC unless set) in ns, or ulong.MaxValue for none.</param>
    /// <param name="restart">Error when interrupted: ERESTARTSYS, ERESTARTNOHAND, EINTR...</param>
    public long Wait(ReadOnlySpan<WaitQueue> queues, ulong deadline = ulong.MaxValue, long restart = Errno.ERESTARTSYS)
    {
        if (SignalPending)
        {
            Kernel.SignalDelivery.Recalculate(Task);
            return -restart;
        }
        return Sleep(queues, deadline, WaitClock);
    }

    /// <summary>Sleeps until a time of a clock, in ns, or a signal; see <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>.</summary>
    internal long WaitUntil(TimerBase clock, ulong expires, long restart, bool wakes = false)
    {
        if (SignalPending)
        {
            Kernel.SignalDelivery.Recalculate(Task);
            return -restart;
        }
        return Sleep([], expires, clock, wakes);
    }

    /// <summary>Sleeps on a queue; only a signal that ends the process interrupts it (wait_for_completion_killable).</summary>
    public long WaitKillable(WaitQueue queue)
    {
        if (Kernel.SignalDelivery.HasFatal(Task))
        {
            Kernel.SignalDelivery.Recalculate(Task);
            return -Errno.EINTR;
        }
        return Sleep([queue], ulong.MaxValue, TimerBase.Monotonic);
    }

    private long Sleep(ReadOnlySpan<WaitQueue> queues, ulong deadline, TimerBase clock, bool wakes = false)
    {
        TimedOut = false;
        Task.SleepOn(queues);
        if (deadline != ulong.MaxValue)
        {
            Action<ulong> expired = _ =>
            {
                Task.SleepTimer = null;
                TimedOut = true;
                Task.Wake();
            };
            Task.SleepTimer = Kernel.Timers.Add(clock, deadline, expired, wakes);
        }
        return Blocked;
    }

    /// <summary>Sleeps on one queue; see <see cref="Wait(ReadOnlySpan{WaitQueue}, ulong, long)"/>.</summary>
    public long Wait(WaitQueue queue, ulong deadline = ulong.MaxValue, long restart = Errno.ERESTARTSYS) =>
        Wait([queue], deadline, restart);
}
