using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Which tasks there are: by TID as the first PID namespace counts (kernel/pid.c), and by the record that EL1 code knows
/// them by.</summary>
public sealed class TaskTable
{
    private const int ReservedPids = 300;

    /// <summary>What pid_max may be: RESERVED_PIDS + 1 to PID_MAX_LIMIT.</summary>
    internal const int LeastPidMax = ReservedPids + 1, MostPids = 4 << 20;

    private readonly Dictionary<int, KernelTask> _tasks = [];
    private readonly Dictionary<ulong, KernelTask> _byRecord = [];
    private readonly HashSet<int> _led = [];
    private int _lastPid;

    /// <summary>Nobody yet.</summary>
    /// <param name="firstPid">The first PID to be given.</param>
    internal TaskTable(int firstPid) => _lastPid = firstPid - 1;

    /// <summary>How many are active, on average.</summary>
    internal LoadAverage Load { get; } = new();

    /// <summary>Tasks that sleep so that no signal wakes them.</summary>
    internal int Uninterruptible => _tasks.Values.Count(t => t.State == TaskState.Sleeping && t.IsUninterruptible);

    /// <summary>Those and the ones that run or wait for a CPU.</summary>
    internal int Active => Uninterruptible + _tasks.Values.Count(t => t.State == TaskState.Runnable);

    /// <summary>The first process; null before it is started.</summary>
    public ThreadGroup? Init { get; internal set; }

    /// <summary>Process 1 beside it: it sleeps, and has the children of whoever dies before them; null when the first process is process 1.
    /// </summary>
    public ThreadGroup? Reaper { get; internal set; }

    /// <summary>Woken whenever a process ends (pidfd polls).</summary>
    internal WaitQueue ProcessEnded { get; } = new();

    /// <summary>All tasks, dead leaders of live or unreaped processes included.</summary>
    internal IReadOnlyCollection<KernelTask> All => _tasks.Values;

    /// <summary>The memories of all tasks, each once.</summary>
    internal IEnumerable<MemoryMap> Memories => _tasks.Values.Select(t => t.Mm).OfType<MemoryMap>().Distinct();

    /// <summary>All processes that exist, zombies included, by PID.</summary>
    public IEnumerable<ThreadGroup> Groups => _tasks.Values.Select(t => t.Group).Distinct().OrderBy(g => g.Pid);

    /// <summary>The task with a TID, or null. Zombie leaders are found.</summary>
    public KernelTask? Find(int tid) => _tasks.GetValueOrDefault(tid);

    /// <summary>The process with a PID, or null.</summary>
    public ThreadGroup? FindGroup(int pid) => _tasks.GetValueOrDefault(pid) is { } t && t.Group.Pid == pid ? t.Group : null;

    /// <summary>Whether any user task is left.</summary>
    internal bool AnyoneAlive => Count > 0;

    /// <summary>Tasks of the guest's programs.</summary>
    internal int Count => _tasks.Count - (Reaper is null ? 0 : 1);

    /// <summary>PIDs are below it (kernel.pid_max).</summary>
    internal int PidMax { get; set; } = 32768;

    /// <summary>Tasks that there may be (kernel.threads-max).</summary>
    internal int MostTasks { get; set; } = 30000;

    /// <summary>The number that was given last (ns_last_pid).</summary>
    internal int LastPid { get => _lastPid; set => _lastPid = Math.Clamp(value, 0, PidMax - 1); }

    /// <summary>Tasks that were ever made (total_forks).</summary>
    internal long Made { get; private set; }

    /// <summary>The next PID that no task, process group or session has.</summary>
    internal int AllocatePid()
    {
        do
        {
            _lastPid = _lastPid >= PidMax - 1 ? ReservedPids : _lastPid + 1;
        }
        while (_tasks.ContainsKey(_lastPid) || IsLed(_lastPid));
        Made++;
        return _lastPid;
    }

    /// <summary>A process has another group or session than before.</summary>
    internal void NoteGroups(ThreadGroup group)
    {
        _led.Add(group.Pgid);
        _led.Add(group.Sid);
    }

    /// <summary>Whether a process group or session has a number; who of them ever had one is looked at only then.</summary>
    private bool IsLed(int number)
    {
        if (!_led.Contains(number))
            return false;
        if (_tasks.Values.Any(t => t.Group.Pgid == number || t.Group.Sid == number))
            return true;
        _led.Remove(number);
        return false;
    }

    /// <summary>The processes of a process group, in no order.</summary>
    internal IEnumerable<ThreadGroup> Job(int number)
    {
        foreach (KernelTask task in _tasks.Values)
        {
            if (task.Group.Pgid == number && ReferenceEquals(task, task.Group.Leader))
                yield return task.Group;
        }
    }

    /// <summary>A task is there, or has another TID than before.</summary>
    internal void Register(KernelTask task)
    {
        _tasks[task.Tid] = task;
        NoteGroups(task.Group);
        if (task.RecordPa != 0)
            NoteRecord(task);
    }

    /// <summary>Nobody finds a task any more by its TID.</summary>
    internal void Unregister(KernelTask task)
    {
        if (_tasks.TryGetValue(task.Tid, out KernelTask? there) && ReferenceEquals(there, task))
            _tasks.Remove(task.Tid);
    }

    /// <summary>EL1 code will name a task by its record; idle tasks have no TID to be found by.</summary>
    internal void NoteRecord(KernelTask task) => _byRecord[El1Image.Linear(task.RecordPa)] = task;

    /// <summary>The task whose record EL1 code names.</summary>
    /// <param name="address">Kernel address of the record.</param>
    internal KernelTask WithRecord(ulong address) => _byRecord[address];

    /// <inheritdoc cref="WithRecord"/>
    /// <returns>Null: there is none.</returns>
    internal KernelTask? FindRecord(ulong address) =>
        _byRecord.TryGetValue(address, out KernelTask? task) && task.RecordPa != 0 ? task : null;
}
