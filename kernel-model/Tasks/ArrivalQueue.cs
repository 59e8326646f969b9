namespace ArmVdso.Kernel.Tasks;

/// <summary>One queue for all CPUs in the order of arrival, equal slices, no weights. A task may so move to another CPU each time it is
/// preempted, which is what finds races of designs.</summary>
/// <param name="sliceNs">Length of a slice.</param>
internal sealed class ArrivalQueue(ulong sliceNs) : IRunQueues
{
    private readonly List<KernelTask> _queue = [];

    public IReadOnlyList<KernelTask> Waiting => _queue;

    public int Count => _queue.Count;

    public bool Contains(KernelTask task) => _queue.Contains(task);

    public int Add(KernelTask task, int idle)
    {
        _queue.Add(task);
        return idle;
    }

    public bool Remove(KernelTask task) => _queue.Remove(task);

    public bool WaitsFor(int cpu)
    {
        foreach (KernelTask task in _queue)
        {
            if (task.MayRunOn(cpu))
                return true;
        }
        return false;
    }

    public KernelTask? Next(int cpu, KernelTask previous, bool stays)
    {
        for (int i = 0; i < _queue.Count; i++)
        {
            if (_queue[i] is var task && task.MayRunOn(cpu))
            {
                _queue.RemoveAt(i);
                return task;
            }
        }
        return stays ? previous : null;
    }

    public ulong BeginSlice(KernelTask task, ulong now) => now + sliceNs;

    public ulong? SliceEnded(KernelTask task, ulong now) => WaitsFor(task.Cpu) ? null : now + sliceNs;

    public ulong Refresh(KernelTask task, ulong now) => task.SliceEnd;

    public ulong RequestOf(KernelTask task) => 0;

    public ulong IntervalOf(KernelTask task) => sliceNs;

    public bool Yield(KernelTask task) => WaitsFor(task.Cpu);

    public void Settle(KernelTask task)
    {
    }

    public int Changed(KernelTask task) => -1;

    public IEnumerable<int> Balance() => [];
}
