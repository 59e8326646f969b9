using ArmVdso.Kernel.Signals;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A traced task's side of ptrace: who traces it, where it has stopped, how it goes on.</summary>
internal sealed class Tracing(ThreadGroup tracer)
{
    /// <summary>The tracing process.</summary>
    internal ThreadGroup Tracer => tracer;

    /// <summary>PTRACE_O_*.</summary>
    internal uint Options { get; set; }

    /// <summary>PTRACE_SYSCALL: stops at the next entry or exit of a system call.</summary>
    internal bool Syscalls { get; set; }

    /// <summary>In a stop that the tracer ends.</summary>
    internal bool Stopped { get; set; }

    /// <summary>PTRACE_SYSCALL_INFO_*: 0 none, 1 entry, 2 exit.</summary>
    internal byte Place { get; set; }

    /// <summary>Result of the system call at an exit.</summary>
    internal long Result { get; set; }

    /// <summary>The signal that stopped the task, and the one that the tracer lets through.</summary>
    internal SignalInfo? Signal { get; set; }

    /// <inheritdoc cref="Signal"/>
    internal SignalInfo? Injected { get; set; }
}
