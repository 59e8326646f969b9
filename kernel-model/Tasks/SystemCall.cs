using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A stop of a traced task in a system call.</summary>
internal enum SyscallTraceStop
{
    /// <summary>None.</summary>
    None,

    /// <summary>Before the body.</summary>
    Entry,

    /// <summary>Where a filter asks the tracer.</summary>
    Seccomp,

    /// <summary>execve, in its new program (PTRACE_EVENT_EXEC).</summary>
    Exec,

    /// <summary>After it, with the result in the registers.</summary>
    Exit,
}

/// <summary>A call that a signal interrupted, with the registers set back to execute it again.</summary>
/// <param name="Result">What it gave: -ERESTART*.</param>
/// <param name="ContinueAt">PC behind its SVC.</param>
internal sealed record InterruptedCall(long Result, ulong ContinueAt);

/// <summary>One system call in progress, which its task keeps over the sleeps: number, arguments, and what a body has to know again when
/// it runs anew after a wake-up. What else a body needs, Syscalls adds.</summary>
public abstract class SystemCall
{
    /// <summary>Special result: the task sleeps; the body will run again.</summary>
    public const long Blocked = long.MinValue;

    /// <summary>Special result: registers were set by the body (rt_sigreturn, execve); x0 must not be overwritten.</summary>
    public const long NoReturn = long.MinValue + 1;

    private readonly ulong[] _args;

    private protected SystemCall(KernelTask task, Cpu cpu, int number, ReadOnlySpan<ulong> args)
    {
        Task = task;
        Cpu = cpu;
        Number = number;
        _args = args[..6].ToArray();
    }

    /// <summary>The calling task.</summary>
    public KernelTask Task { get; }

    /// <summary>The CPU that executes the call; it can differ between attempts.</summary>
    public Cpu Cpu { get; internal set; }

    /// <summary>System call number.</summary>
    public int Number { get; }

    /// <summary>How many times the body has run before (0 at first).</summary>
    public int Attempt { get; internal set; }

    /// <summary>True when the deadline of the last sleep passed.</summary>
    public bool TimedOut { get; internal set; }

    /// <summary>What a body keeps from one attempt to the next (progress so far, absolute deadline).</summary>
    public object? State { get; set; }

    /// <summary>Absolute deadline in ns that a body keeps from its first attempt: of CLOCK_MONOTONIC, or of the clock it waits
    /// for.</summary>
    public ulong Deadline { get; set; } = ulong.MaxValue;

    /// <summary>The clock that <see cref="Deadline"/> and the deadlines of sleeps are times of.</summary>
    internal TimerBase WaitClock { get; set; }

    /// <summary>Where the task stopped for its tracer, and has to go on.</summary>
    internal SyscallTraceStop TraceStop { get; set; }

    /// <summary>The tracer makes the call in the task's place (PTRACE_SYSEMU).</summary>
    internal bool Emulated { get; set; }

    /// <summary>Filters have been asked, and the body may run; or the tracer has answered one, and they are asked again.</summary>
    internal bool Admitted { get; set; }

    /// <inheritdoc cref="Admitted"/>
    internal bool TracerAnswered { get; set; }

    /// <summary>The listener's question that the call waits for; null: none.</summary>
    internal SeccompNotification? Question { get; set; }

    /// <summary>The call has entered another program.</summary>
    internal bool Executed { get; set; }

    /// <summary>What the call gave; null while it is in progress.</summary>
    public long? Result { get; internal set; }

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

    /// <summary>Number in the first PID namespace of what the caller knows by a number; -1: nothing.</summary>
    public int FirstOf(int number) => Task.PidNamespace.FirstOf(number);

    /// <summary>The caller's number for a task, process group or session; 0: not visible to it.</summary>
    public int NumberOf(int first) => Task.PidNamespace.NumberOf(first);
}
