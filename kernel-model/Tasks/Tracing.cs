using ArmVdso.Kernel.Signals;

namespace ArmVdso.Kernel.Tasks;

/// <summary>What a traced task has stopped for.</summary>
internal enum TraceStopKind
{
    /// <summary>A signal, before it is delivered (signal-delivery-stop).</summary>
    Signal,

    /// <summary>The entry or exit of a system call.</summary>
    Syscall,

    /// <summary>What PTRACE_O_* asked to be told of, an interruption, a step into a handler.</summary>
    Event,

    /// <summary>A stop of the whole process.</summary>
    Group,
}

/// <summary>A stop of a traced task.</summary>
/// <param name="Kind">What for.</param>
/// <param name="Code">The wait status without its 0x7f: signal, and event in the bits above.</param>
/// <param name="Info">What PTRACE_GETSIGINFO answers; null: EINVAL.</param>
internal sealed record TraceStop(TraceStopKind Kind, int Code, SignalInfo? Info);

/// <summary>A traced task's side of ptrace: who traces it, where it has stopped, how it goes on (kernel/ptrace.c).</summary>
internal sealed class Tracing(KernelTask tracer, bool seized)
{
    /// <summary>PTRACE_O_*, but for the events that bit n stands for.</summary>
    internal const uint OptionSysGood = 1, OptionExitKill = 1 << 20, OptionSuspendSeccomp = 1 << 21, AllOptions = 0x3000ff;

    /// <summary>PTRACE_EVENT_*.</summary>
    internal const int EventFork = 1, EventVfork = 2, EventClone = 3, EventExec = 4, EventVforkDone = 5, EventExit = 6, EventSeccomp = 7,
        EventStop = 128;

    /// <summary>PTRACE_EVENTMSG_SYSCALL_*.</summary>
    internal const int MessageEntry = 1, MessageExit = 2;

    /// <summary>PSTATE.SS: the next instruction is executed before the step's exception.</summary>
    internal const ulong StepBit = 1UL << 21;

    /// <summary>The tracing thread.</summary>
    internal KernelTask Tracer => tracer;

    /// <summary>PTRACE_SEIZE: stops of the process are told as events, and it can be interrupted.</summary>
    internal bool Seized => seized;

    /// <summary>PTRACE_O_*.</summary>
    internal uint Options { get; set; }

    /// <summary>PTRACE_SYSCALL: stops at the next entry or exit of a system call.</summary>
    internal bool Syscalls { get; set; }

    /// <summary>PTRACE_SYSEMU: stops at the next entry of a system call, which is not executed.</summary>
    internal bool Emulates { get; set; }

    /// <summary>PTRACE_SINGLESTEP.</summary>
    internal bool Steps { get; set; }

    /// <summary>Where it has stopped until the tracer lets it go on; null: it has not.</summary>
    internal TraceStop? Stop { get; set; }

    /// <summary>PTRACE_LISTEN: in a stop of its process, of which the tracer wants to hear the end only.</summary>
    internal bool Listens { get; set; }

    /// <summary>The tracer may look at it and let it go on.</summary>
    internal bool IsStopped => Stop is not null && !Listens;

    /// <summary>The code of a stop that no wait has told the tracer yet.</summary>
    internal int? Report { get; set; }

    /// <summary>PTRACE_GETEVENTMSG.</summary>
    internal ulong EventMessage { get; set; }

    /// <summary>It stops before it next returns to EL0: its process did, or PTRACE_INTERRUPT (JOBCTL_TRAP_STOP).</summary>
    internal bool Trap { get; set; }

    /// <summary>It stops and so tells of SIGCONT (JOBCTL_TRAP_NOTIFY).</summary>
    internal bool TrapNotify { get; set; }

    /// <summary>Whether it stops before it next returns to EL0.</summary>
    internal bool WillTrap => Trap || TrapNotify;

    /// <summary>The tracer was told of its end already (PTRACE_EVENT_EXIT).</summary>
    internal bool EndTold { get; set; }

    /// <summary>X7, which says entry or exit while it is stopped at a system call (report_syscall in arch/arm64).</summary>
    internal ulong SavedX7 { get; set; }

    /// <summary>Whether the tracer wants to be told of an event.</summary>
    internal bool Wants(int e) => (Options & (1u << e)) != 0;

    /// <summary>PSTATE that somebody else gives a task: whether it steps is its tracer's (user_regs_reset_single_step).</summary>
    internal static ulong WithStep(KernelTask task, ulong pstate) =>
        task.Tracing is { Steps: true } ? pstate | StepBit : pstate & ~StepBit;

    /// <summary>A CPU that runs a task steps its instructions when its tracer wants that (MDSCR_EL1.SS).</summary>
    internal static void StepOn(Cpu cpu, KernelTask task)
    {
        if ((cpu.MDSCR_EL1 & 1) != 0 || task.Tracing is { Steps: true })
            cpu.StepUser(task.Tracing is { Steps: true });
    }
}
