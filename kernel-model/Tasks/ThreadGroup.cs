using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A process: what its threads share beyond memory and files (Linux's signal_struct and thread group leader).</summary>
public sealed class ThreadGroup
{
    /// <summary>Process ID: the TID of the leader.</summary>
    public int Pid { get; internal set; }

    /// <summary>Parent process; null for the first one.</summary>
    public ThreadGroup? Parent { get; internal set; }

    /// <summary>Contexts of asynchronous input and output, by the address of their ring.</summary>
    internal Dictionary<ulong, AioContext> AioContexts { get; } = [];

    /// <summary>Its memory goes: exit or exec (exit_aio).</summary>
    internal void EndAio()
    {
        foreach (AioContext context in AioContexts.Values)
            context.Destroy();
        AioContexts.Clear();
    }

    /// <summary>KEY_SPEC_PROCESS_KEYRING; null: none was asked for.</summary>
    internal Key? ProcessKeyring { get; set; }

    /// <summary>Children, including zombies.</summary>
    public List<ThreadGroup> Children { get; } = [];

    /// <summary>Live threads, leader first as long as it lives.</summary>
    public List<KernelTask> Threads { get; } = [];

    /// <summary>The first thread, also after it exited.</summary>
    public KernelTask Leader { get; internal set; } = null!;

    /// <summary>Process group ID.</summary>
    public int Pgid { get; set; }

    /// <summary>Session ID.</summary>
    public int Sid { get; set; }

    /// <summary>Signals pending for the whole process.</summary>
    public PendingSignals SharedPending { get; } = new();

    /// <summary>Sleeps of wait4/waitid in this process.</summary>
    public WaitQueue ChildChange { get; } = new();

    /// <summary>Wait status once all threads have exited.</summary>
    public int ExitStatus { get; internal set; }

    /// <summary>True between the last thread's exit and the reaping.</summary>
    public bool IsZombie { get; internal set; }

    /// <summary>exit_group or a fatal signal is taking all threads down.</summary>
    public bool Exiting { get; internal set; }

    /// <summary>The thread that made it, which is its tracer when it asks for one; null: none, or gone.</summary>
    internal KernelTask? Maker { get; set; }

    /// <summary>The signal that stopped it, until SIGCONT; 0: none.</summary>
    internal int StopSignal { get; set; }

    /// <summary>Threads that have ended and wait for their tracer to hear of it: the process's own end is told after them.</summary>
    internal int UntoldThreads { get; set; }

    /// <summary>A stop (or continue) that wait4 has not reported yet, as a wait status.</summary>
    public int? StopReport { get; internal set; }

    /// <summary>PR_SET_CHILD_SUBREAPER.</summary>
    public bool ChildSubreaper { get; set; }

    /// <summary>PR_SET_DUMPABLE.</summary>
    public int Dumpable { get; set; } = 1;

    /// <summary>oom_score_adj, -1000 to 1000, and the least that a process without privileges may go back to.</summary>
    public int OomAdjust { get; internal set; }

    /// <inheritdoc cref="OomAdjust"/>
    public int OomAdjustLeast { get; internal set; }

    /// <summary>Kinds of mappings that a core file holds (coredump_filter).</summary>
    public uint CoreFilter { get; internal set; } = 0x33;

    /// <summary>The last system calls.</summary>
    public RecentCalls RecentCalls { get; } = new();

    /// <summary>User who logged in (/proc/PID/loginuid); uint.MaxValue: nobody.</summary>
    public uint LoginUid { get; internal set; } = uint.MaxValue;

    /// <summary>True after execve (setpgid of the parent is refused then).</summary>
    public bool HasExecuted { get; internal set; }

    /// <summary>Auxiliary vector as bytes (/proc/PID/auxv).</summary>
    public byte[] Auxv { get; internal set; } = [];

    /// <summary>Resource limits, soft and hard, indexed by RLIMIT_*.</summary>
    public (ulong Soft, ulong Hard)[] Rlimits { get; internal set; } = Abi.Rlimits.Defaults();

    /// <summary>CPU cycles of exited threads, and of reaped children.</summary>
    public ulong ExitedUserCycles { get; internal set; }

    /// <inheritdoc cref="ExitedUserCycles"/>
    public ulong ExitedSystemCycles { get; internal set; }

    /// <inheritdoc cref="ExitedUserCycles"/>
    public ulong ChildUserCycles { get; internal set; }

    /// <inheritdoc cref="ExitedUserCycles"/>
    public ulong ChildSystemCycles { get; internal set; }

    /// <summary>What threads that have ended and reaped children have read and written.</summary>
    internal TransferCounts PastTransfers { get; set; }

    /// <summary>What all of it has read and written (/proc/PID/io).</summary>
    internal TransferCounts Transfers => Threads.Aggregate(PastTransfers, (sum, t) => sum + t.Transfers);

    /// <summary>Sleeps until a signal is queued for the process or one of its threads (rt_sigtimedwait).</summary>
    public WaitQueue SignalArrival { get; } = new();

    /// <summary>Timers of timer_create by ID.</summary>
    internal SortedDictionary<int, PosixTimer> PosixTimers { get; } = [];

    /// <summary>A thread has ended: its time, faults and switches stay with the process.</summary>
    /// <param name="task">The thread, still among <see cref="Threads"/>.</param>
    /// <param name="memory">The memory that it had.</param>
    internal void AddExited(KernelTask task, MemoryMap? memory)
    {
        ExitedUserCycles += task.UserCycles;
        ExitedSystemCycles += task.SystemCycles;
        PastTransfers += task.Transfers;
        task.Transfers = default;
        (long faults, long voluntary, long involuntary) = ExitedUsage;
        ExitedUsage = (
            faults + (Threads.Count == 1 ? memory?.MinorFaults ?? 0 : 0), voluntary + task.VoluntarySwitches,
            involuntary + task.InvoluntarySwitches);
        if (memory is not null)
            PeakResidentKiB = Math.Max(PeakResidentKiB, memory.PeakResidentPages * 4);
    }

    /// <summary>A child was reaped: what it used counts as used by children.</summary>
    internal void AddReaped(ThreadGroup child)
    {
        ChildUserCycles += child.ExitedUserCycles + child.ChildUserCycles;
        ChildSystemCycles += child.ExitedSystemCycles + child.ChildSystemCycles;
        PastTransfers += child.PastTransfers;
        (long f, long v, long i) = ChildUsage;
        (long ef, long ev, long ei) = child.ExitedUsage;
        (long cf, long cv, long ci) = child.ChildUsage;
        ChildUsage = (f + ef + cf, v + ev + cv, i + ei + ci);
        ChildPeakResidentKiB = Math.Max(ChildPeakResidentKiB, Math.Max(child.PeakResidentKiB, child.ChildPeakResidentKiB));
    }

    /// <summary>exit_itimers: no timer of timer_create is left.</summary>
    internal void ClearPosixTimers()
    {
        foreach (PosixTimer timer in PosixTimers.Values)
            timer.Disarm();
        PosixTimers.Clear();
    }

    /// <summary>ITIMER_VIRTUAL and ITIMER_PROF: CPU cycles at which they expire (0: off) and interval in cycles.</summary>
    internal (ulong Expires, ulong Interval)[] CpuTimers { get; } = new (ulong, ulong)[2];

    /// <summary>Most resident pages of this process' memories so far, and of its reaped children, in KiB.</summary>
    public long PeakResidentKiB { get; internal set; }

    /// <inheritdoc cref="PeakResidentKiB"/>
    public long ChildPeakResidentKiB { get; internal set; }

    /// <summary>Faults and switches of exited threads, and of reaped children.</summary>
    internal (long Faults, long Voluntary, long Involuntary) ExitedUsage { get; set; }

    /// <inheritdoc cref="ExitedUsage"/>
    internal (long Faults, long Voluntary, long Involuntary) ChildUsage { get; set; }

    /// <summary>ITIMER_REAL.</summary>
    internal KernelTimer? RealTimer { get; set; }

    /// <summary>When ITIMER_REAL expires or expired last, in ns of CLOCK_MONOTONIC.</summary>
    internal ulong RealDeadline { get; set; }

    /// <summary>Interval of ITIMER_REAL in ns; 0 is one shot.</summary>
    internal ulong RealInterval { get; set; }

    /// <summary>Cycle at which the process started.</summary>
    public ulong StartCycle { get; internal set; }
}
