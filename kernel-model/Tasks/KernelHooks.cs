using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;

namespace ArmVdso.Kernel.Tasks;

/// <summary>What the host gives to a kernel and wants to hear of it. Streams stay the host's.</summary>
public record KernelHooks
{
    /// <summary>Standard streams of the guest.</summary>
    public Stream Input { get; init; } = Stream.Null;

    /// <inheritdoc cref="Input"/>
    public Stream Output { get; init; } = Stream.Null;

    /// <inheritdoc cref="Input"/>
    public Stream Error { get; init; } = Stream.Null;

    /// <summary>The person at the guest's terminal. While all tasks sleep, the host's time passes as the guest's does. Null: nobody; the
    /// guest's time depends on nothing outside.</summary>
    public IKeyboard? Keyboard { get; init; }

    /// <summary>Our own messages, one line each (unknown system calls, UNDEFINED instructions).</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>strace: called with each system call, at its entry without a result, at its exit with it. A run with it takes every call
    /// to the kernel model. Null when off.</summary>
    public Action<KernelTask, SystemCall, long?>? SystemCall { get; init; }

    /// <summary>Called when a signal is taken from the queue for a task; for strace.</summary>
    public Action<KernelTask, SignalInfo>? Signal { get; init; }

    /// <summary>Called when a signal is dropped because its process ignores it; for strace, which sees it as a tracer would.</summary>
    public Action<KernelTask, SignalInfo>? SignalIgnored { get; init; }

    /// <summary>Called when a process ends, with its wait status; for strace.</summary>
    public Action<KernelTask, int>? Exit { get; init; }

    /// <summary>Called when a signal whose default is a core dump is about to end a process, which is still whole: the task that took it,
    /// the signal, and the guest path of the core file; null: none was written.</summary>
    public Action<KernelTask, SignalInfo, string?>? Crash { get; init; }

    /// <summary>Asked before a signal does anything to a task, unless it is SIGKILL. It answers with the signal that the task gets; with
    /// one of number 0: none; or with null, and has requested that the machine stops: then it is asked again when the machine goes on, and
    /// nothing has happened in between. Null: each signal gets through.</summary>
    public Func<KernelTask, SignalInfo, SignalInfo?>? SignalStop { get; init; }

    /// <summary>Called when a task has been made and has not run yet: who made it, the task, and the CLONE_* flags.</summary>
    public Action<KernelTask, KernelTask, ulong>? Forked { get; init; }

    /// <summary>Called when a task starts a program (after execve).</summary>
    public Action<KernelTask>? Exec { get; init; }

    /// <summary>Called at every switch that is about to happen: CPU, previous, next.</summary>
    public Action<Cpu, KernelTask, KernelTask>? Switching { get; init; }

    /// <summary>Called with each page of a private, executable file mapping after it was read: memory, mapping, its address and its
    /// physical address. What it writes to the page, the process executes; the file stays as it is.</summary>
    public Action<MemoryMap, Vma, ulong, ulong>? CodePageLoaded { get; init; }
}
