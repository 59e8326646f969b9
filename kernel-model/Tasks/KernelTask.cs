using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Run states of a task.</summary>
public enum TaskState
{
    /// <summary>On a run queue or running.</summary>
    Runnable,

    /// <summary>Sleeps in a system call; a signal or its wake-up makes it runnable.</summary>
    Sleeping,

    /// <summary>Stopped by a signal (job control or ptrace).</summary>
    Stopped,

    /// <summary>Exited, not yet reaped.</summary>
    Zombie,

    /// <summary>Gone.</summary>
    Dead,
}

/// <summary>One thread: the C# half of Linux's task_struct. Its other half, the record that EL1 code reads, lives in guest
/// memory (<see cref="RecordPa"/>) and is written by <see cref="TaskRecords"/>.</summary>
public sealed class KernelTask : ISleeper, IFileUser
{
    private readonly List<WaitQueue> _queues = [];
    private readonly TaskRecords _records;
    private readonly Scheduler _scheduler;
    private Credentials _credentials = Credentials.For(0, 0);

    /// <summary>Thread ID (global; the initial PID namespace).</summary>
    public int Tid { get; internal set; }

    /// <summary>The thread group (process) that the task belongs to.</summary>
    public ThreadGroup Group { get; internal set; }

    /// <summary>Memory of the task; null after it exited and for kernel threads.</summary>
    public MemoryMap? Mm { get; internal set; }

    MemoryMap IFileUser.Memory => Mm!;

    int IFileUser.Pid => Group.Pid;

    int IFileUser.ProcessGroup => Group.Pgid;

    int IFileUser.Session => Group.Sid;

    bool IFileUser.Ignores(int signal) =>
        Handlers[signal].Handler == 1 || (Signals.Blocked & Signal.Bit(signal)) != 0;

    ulong IFileUser.MaxFiles => Group.Rlimits[Rlimits.Nofile].Soft;

    /// <summary>Open files, possibly shared (CLONE_FILES).</summary>
    public FileTable Files { get; internal set; } = null!;

    /// <summary>Root, working directory and umask, possibly shared (CLONE_FS).</summary>
    public FsContext Fs { get; internal set; } = null!;

    /// <summary>Signal handlers, possibly shared (CLONE_SIGHAND).</summary>
    public SignalHandlers Handlers { get; internal set; } = null!;

    /// <summary>Pending signals, mask and alternate stack of this thread.</summary>
    public TaskSignals Signals { get; } = new();

    /// <summary>Identity. A change reaches the task's record at once (commit_creds).</summary>
    public Credentials Credentials
    {
        get => _credentials;
        set
        {
            _credentials = value;
            _records.CommitCredentials(this);
        }
    }

    /// <summary>What getppid answers: the parent's PID as the task sees it.</summary>
    public int ParentPid => ParentPidIn(PidNamespace);

    /// <summary>The parent's PID in a namespace; 0 when it has none there.</summary>
    internal int ParentPidIn(PidNamespace space) => Group.Parent is { } parent ? space.NumberOf(parent.Pid) : 0;

    /// <summary>PID namespace of the task, for life.</summary>
    public PidNamespace PidNamespace { get; internal set; }

    /// <summary>PID namespace that the task's children are born in (unshare, setns).</summary>
    public PidNamespace PidNamespaceForChildren { get; internal set; }

    /// <summary>TID and PID as the task itself sees them.</summary>
    public int OwnTid => PidNamespace.NumberOf(Tid);

    /// <inheritdoc cref="OwnTid"/>
    public int OwnPid => PidNamespace.NumberOf(Group.Pid);

    /// <summary>Whether the task is outside of the first PID or user namespace.</summary>
    public bool IsInForeignNamespace => PidNamespace.Parent is not null || !Credentials.UserNamespace.IsInitial;

    /// <summary>Name of at most 15 characters (comm).</summary>
    public string Comm { get; set; } = "";

    /// <summary>Run state.</summary>
    public TaskState State { get; internal set; } = TaskState.Runnable;

    /// <summary>CPU that the task runs on or last ran on.</summary>
    public int Cpu { get; internal set; }

    /// <summary>Allowed CPUs, bit n for CPU n.</summary>
    public ulong Affinity { get; set; } = ulong.MaxValue;

    /// <summary>Whether <see cref="Affinity"/> has a CPU.</summary>
    internal bool MayRunOn(int cpu) => (Affinity >> cpu & 1) != 0;

    /// <summary>What the run queues know of it.</summary>
    internal SchedulingEntity Entity { get; } = new();

    /// <summary>True while it is the running task of its CPU.</summary>
    public bool OnCpu { get; internal set; }

    /// <summary>Physical address of the record that EL1 code reads (task_struct's image).</summary>
    public ulong RecordPa { get; internal set; }

    /// <summary>Physical address of the kernel stack (16 KiB).</summary>
    public ulong StackPa { get; internal set; }

    /// <summary>The system call in progress, kept over its sleeps; null outside of one.</summary>
    public SystemCall? Syscall { get; internal set; }

    /// <summary>What it has read and written (/proc/PID/task/TID/io).</summary>
    public TransferCounts Transfers { get; internal set; }

    /// <summary>What counts while the task runs.</summary>
    internal List<ITaskCounter> Counters { get; } = [];

    /// <summary>clear_child_tid (set_tid_address, CLONE_CHILD_CLEARTID).</summary>
    public ulong ClearChildTid { get; set; }

    /// <summary>set_robust_list head.</summary>
    public ulong RobustList { get; set; }

    /// <summary>rseq area, its length and signature; 0 when not registered.</summary>
    public ulong Rseq { get; set; }

    /// <inheritdoc cref="Rseq"/>
    public uint RseqLength { get; set; }

    /// <inheritdoc cref="Rseq"/>
    public uint RseqSignature { get; set; }

    /// <summary>Exit status in wait4 form once the task has exited.</summary>
    public int ExitStatus { get; internal set; }

    /// <summary>Signal sent to the parent when the task exits (SIGCHLD for processes, 0 for threads).</summary>
    public int ExitSignal { get; internal set; }

    /// <summary>Child of vfork whose exec or exit releases the parent.</summary>
    internal WaitQueue? VforkDone { get; set; }

    /// <summary>CPU time in cycles: user and system.</summary>
    public ulong UserCycles { get; internal set; }

    /// <inheritdoc cref="UserCycles"/>
    public ulong SystemCycles { get; internal set; }

    /// <summary>Voluntary and involuntary context switches.</summary>
    public long VoluntarySwitches { get; internal set; }

    /// <inheritdoc cref="VoluntarySwitches"/>
    public long InvoluntarySwitches { get; internal set; }

    /// <summary>The five pointer authentication keys, low half then high half; the CPU has them while the task runs.</summary>
    internal ulong[] PauthKeys { get; } = new ulong[10];

    /// <summary>PR_SET_PDEATHSIG.</summary>
    public int ParentDeathSignal { get; set; }

    /// <summary>Cycle at which the task started.</summary>
    public ulong StartCycle { get; internal set; }

    /// <summary>prctl flags without a field of their own (PR_SET_NO_NEW_PRIVS, PR_SET_KEEPCAPS...), by option number.</summary>
    public Dictionary<int, long> ProcessControls { get; } = [];

    /// <summary>PR_SET_TAGGED_ADDR_CTRL: addresses in its system calls may have tags.</summary>
    public bool TagsIgnored { get; internal set; }

    /// <summary>A signal that was taken, and waits for somebody outside to decide about it.</summary>
    internal SignalInfo? HeldSignal { get; set; }

    /// <summary>The page that a call which EL1 code answers has come upon and that somebody is asked for; null: none.</summary>
    internal AskedPage? AskedPage { get; set; }

    /// <summary>What it may call.</summary>
    internal SeccompMode SeccompMode { get; set; }

    /// <summary>The newest of its filters.</summary>
    internal SeccompFilter? SeccompFilter { get; set; }

    /// <summary>Set while a thread traces the task.</summary>
    internal Tracing? Tracing { get; set; }

    /// <summary>Whom it traces, in the order of attaching.</summary>
    internal List<KernelTask> Tracees { get; } = [];

    /// <summary>A call that its way back to EL0 restarts unless a handler runs first; null: none.</summary>
    internal InterruptedCall? Interrupted { get; set; }

    /// <summary>SIGKILL waits for it, or its process is ending (__fatal_signal_pending).</summary>
    internal bool IsKilled => Signals.Killed || ((Signals.Pending.Set | Group.SharedPending.Set) & Signal.Bit(Signal.SIGKILL)) != 0;

    /// <summary>PR_SET_TSC's PR_TSC_SIGSEGV: reading the counter at EL0 is a SIGSEGV (TIF_TSC_SIGSEGV).</summary>
    public bool CounterForbidden { get; set; }

    /// <summary>Time namespace, and the one that children (and the task itself at its next execve) enter.</summary>
    public TimeNamespace TimeNamespace { get; internal set; }

    /// <inheritdoc cref="TimeNamespace"/>
    public TimeNamespace TimeNamespaceForChildren { get; internal set; }

    /// <summary>The names that uname shows it.</summary>
    public UtsNamespace Uts { get; internal set; }

    /// <summary>Below which control group it sees paths begin.</summary>
    public CgroupNamespace Cgroups { get; internal set; }

    /// <summary>What is mounted for it.</summary>
    public MountNamespace MountNamespace
    {
        get => _mountNamespace!;
        internal set
        {
            value.Enter();
            MountNamespace? old = _mountNamespace;
            _mountNamespace = value;
            old?.Leave();
        }
    }

    private MountNamespace? _mountNamespace;

    /// <summary>The network namespace that it is in.</summary>
    public NetworkNamespace Network { get; internal set; } = null!;

    /// <summary>The System V objects that it sees.</summary>
    internal IpcTables Ipc { get; set; }

    /// <summary>nice value, -20 to 19.</summary>
    public int Nice { get; set; }

    /// <summary>Scheduling policy (SCHED_*, with SCHED_RESET_ON_FORK apart) and real-time priority. Kept and reported; the
    /// scheduler treats all tasks alike.</summary>
    public int Policy { get; set; }

    /// <inheritdoc cref="Policy"/>
    public int RealtimePriority { get; set; }

    /// <summary>Real-time priority of a SCHED_FIFO or SCHED_RR task; 0 for all others.</summary>
    internal int Urgency => Policy is 1 or 2 ? RealtimePriority : 0;

    /// <summary>Of a SCHED_DEADLINE task, in ns.</summary>
    internal (ulong Runtime, ulong Deadline, ulong Period) DeadlineParameters { get; set; }

    /// <inheritdoc cref="Policy"/>
    public bool ResetOnFork { get; set; }

    /// <summary>What one takes of the host until nobody can ask for it any more, in bytes.</summary>
    internal const int HostBytes = 6144;

    /// <summary>Its sleep ends by what it waits for, or with its life (TASK_UNINTERRUPTIBLE, TASK_KILLABLE).</summary>
    internal bool IsUninterruptible { get; set; }

    /// <summary>set_mempolicy; null: the default.</summary>
    public MemoryPolicy? MemoryPolicy { get; set; }

    /// <summary>ioprio_set value.</summary>
    public int IoPriority { get; set; }

    /// <summary>Keyrings of its own.</summary>
    internal TaskKeyrings Keys { get; } = new();

    /// <summary>Slack of timers that PR_SET_TIMERSLACK with 0 goes back to, in ns: the creator's at that time.</summary>
    internal long DefaultSlackNs { get; set; } = 50_000;

    /// <summary>personality(2).</summary>
    public uint Personality { get; set; }

    /// <summary>What restart_syscall goes on with after a signal without a handler (restart_block); null: EINTR.</summary>
    internal Func<SystemCall, long>? RestartBlock { get; set; }

    /// <summary>Whether the task may ask for longer time slices in its rseq area (PR_RSEQ_SLICE_EXTENSION).</summary>
    internal bool MayExtendSlice { get; set; }

    /// <summary>Whether it has been given a longer one, which ends at <see cref="SliceEnd"/> at the latest.</summary>
    internal bool SliceExtended { get; set; }

    /// <summary>Whether it gives that back with the system call that it is making (rseq_slice_yield).</summary>
    internal bool SliceYielded { get; set; }

    /// <summary>Whether the task takes part in the concurrency IDs of its memory (mm_cid_active).</summary>
    internal bool HasConcurrencyId { get; set; }

    /// <summary>The concurrency ID that it takes along while it is moved to another CPU; -1: none.</summary>
    internal int CarriedConcurrencyId { get; set; } = -1;

    /// <summary>The task was preempted, moved or signalled since it last returned to EL0: rseq has to look.</summary>
    internal bool RseqEvent { get; set; }

    internal ulong SliceEnd;
    internal KernelTimer? SleepTimer;

    /// <summary>A task of the first namespaces that nobody knows yet.</summary>
    /// <param name="records">Where its record will be.</param>
    /// <param name="scheduler">Who makes it run.</param>
    /// <param name="namespaces">The first namespaces.</param>
    /// <param name="tid">Its number.</param>
    /// <param name="group">Its process.</param>
    internal KernelTask(TaskRecords records, Scheduler scheduler, NamespaceTable namespaces, int tid, ThreadGroup group)
    {
        _records = records;
        _scheduler = scheduler;
        Tid = tid;
        Group = group;
        PidNamespace = PidNamespaceForChildren = namespaces.InitialPid;
        TimeNamespace = TimeNamespaceForChildren = namespaces.InitialTime;
        Uts = namespaces.InitialUts;
        Ipc = namespaces.InitialIpc;
        Cgroups = namespaces.InitialCgroups;
    }

    /// <summary>The cycle, by the CPU that made it so, at which the task became ready to run.</summary>
    internal ulong ReadyAt { get; set; }

    internal void SleepOn(ReadOnlySpan<WaitQueue> queues)
    {
        foreach (WaitQueue queue in queues)
        {
            _queues.Add(queue);
            queue.Add(this);
        }
        State = TaskState.Sleeping;
    }

    /// <summary>Sleeps on more queues, each of which wakes one such sleeper for an event.</summary>
    internal void SleepAlsoOn(List<(WaitQueue Queue, uint Events)> exclusive)
    {
        foreach ((WaitQueue queue, uint events) in exclusive)
        {
            _queues.Add(queue);
            queue.AddExclusive(this, events);
        }
    }

    /// <summary>Makes a sleeping task runnable; nothing happens to others.</summary>
    public void Wake()
    {
        foreach (WaitQueue queue in _queues)
            queue.Remove(this);
        _queues.Clear();
        if (SleepTimer is { } timer)
        {
            SleepTimer = null;
            timer.Cancel();
        }
        if (State != TaskState.Sleeping)
            return;
        State = TaskState.Runnable;
        _scheduler.Woken(this);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Comm}[{Tid}]";
}
