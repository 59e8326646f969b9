namespace ArmVdso.Lab.Recording;

/// <summary>What a recording's event is. The numbers are those of the file.</summary>
public enum RecordedKind
{
    /// <summary>A CPU goes to another task.</summary>
    Switch = 3,

    /// <summary>A task begins to run on another CPU than before.</summary>
    Migration = 4,

    /// <summary>TPIDRRO_EL0 was written.</summary>
    Offset = 5,

    /// <summary>A function of the vDSO was called.</summary>
    VdsoEnter = 6,

    /// <summary>It has returned.</summary>
    VdsoExit = 7,

    /// <summary>A system call: its SVC has reached EL1.</summary>
    SyscallEnter = 8,

    /// <summary>Its caller goes on at EL0.</summary>
    SyscallExit = 9,

    /// <summary>A signal was taken from the queue for a task.</summary>
    Signal = 10,

    /// <summary>A synchronous exception that is no system call.</summary>
    FaultEnter = 11,

    /// <summary>Its ERET.</summary>
    FaultExit = 12,

    /// <summary>An interrupt.</summary>
    InterruptEnter = 13,

    /// <summary>Its ERET.</summary>
    InterruptExit = 14,

    /// <summary>What a CPU has counted so far.</summary>
    Counters = 15,

    /// <summary>A task has started a program.</summary>
    Exec = 16,

    /// <summary>A process has ended.</summary>
    Exit = 17,
}

/// <summary>Which events a recording has.</summary>
[Flags]
public enum RecordedSet
{
    /// <summary>Switches and migrations.</summary>
    Switches = 1,

    /// <summary>Writes of TPIDRRO_EL0.</summary>
    Offsets = 2,

    /// <summary>Calls of the vDSO. Each instruction of EL0 is looked at for them, which makes a run slow.</summary>
    Vdso = 4,

    /// <summary>System calls.</summary>
    Syscalls = 8,

    /// <summary>Signals.</summary>
    Signals = 16,

    /// <summary>Faults.</summary>
    Faults = 32,

    /// <summary>Interrupts.</summary>
    Interrupts = 64,

    /// <summary>Counters.</summary>
    Counters = 128,

    /// <summary>Starts and ends of programs.</summary>
    Tasks = 256,

    /// <summary>All.</summary>
    All = 511,
}

/// <summary>A task as a recording names it.</summary>
/// <param name="Tid">Its number; 0: the idle task of a CPU; -1: not known.</param>
/// <param name="Pid">Its process.</param>
/// <param name="Name">Its name, which the guest chooses.</param>
public readonly record struct RecordedTask(int Tid, int Pid, string Name)
{
    /// <summary>Nobody.</summary>
    public static RecordedTask None { get; } = new(-1, -1, "?");

    /// <summary>comm[tid].</summary>
    public override string ToString() => Tid < 0 ? Name : $"{Name}[{Tid}]";
}

/// <summary>An event of a recording.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Cycle">The CPU's cycle.</param>
/// <param name="Cpu">The CPU.</param>
/// <param name="Task">The task that it executes; of a switch, the next one.</param>
/// <param name="Name">System call, function, cause of a write, class of a fault, signal; else empty.</param>
/// <param name="Values">Numbers, as <see cref="RecordedKinds.ValuesOf"/> names them.</param>
/// <param name="Other">Of a switch and a write of TPIDRRO_EL0, the task before.</param>
/// <param name="Detail">Why a call of the vDSO made a system call after all; of a system call without a result, why; else empty.</param>
public sealed record RecordedEvent(
    RecordedKind Kind, ulong Cycle, int Cpu, RecordedTask Task, string Name, IReadOnlyList<long> Values,
    RecordedTask? Other = null, string Detail = "");
