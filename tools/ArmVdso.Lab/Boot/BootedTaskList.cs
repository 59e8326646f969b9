namespace ArmVdso.Lab.Boot;

/// <summary>The lists of tasks of a booted kernel (Linux, include/linux/sched.h, sched/signal.h): processes are a ring through
/// task_struct.tasks, the threads of each a ring through thread_node with its head in signal_struct.</summary>
internal sealed class BootedTaskList
{
    private const int MostTasks = 1 << 16;
    private readonly ulong _stack, _tasks, _signal, _threadNode, _threadHead;
    private readonly Func<Cpu, ulong, ulong?> _read;

    private BootedTaskList(ulong[] offsets, Func<Cpu, ulong, ulong?> read) =>
        (_stack, _tasks, _signal, _threadNode, _threadHead, _read) = (offsets[0], offsets[1], offsets[2], offsets[3], offsets[4], read);

    /// <summary>The lists; null: the kernel's types do not say where they are.</summary>
    /// <param name="types">The kernel's types.</param>
    /// <param name="read">Reads 8 bytes of its memory by the tables of a CPU.</param>
    internal static BootedTaskList? Of(KernelTypes types, Func<Cpu, ulong, ulong?> read)
    {
        int?[] offsets =
        [
            .. ((string[])["stack", "tasks", "signal", "thread_node"]).Select(m => types.OffsetOf("task_struct", m)),
            types.OffsetOf("signal_struct", "thread_head"),
        ];
        return offsets.Contains(null) ? null : new BootedTaskList([.. offsets.Select(o => (ulong)o!.Value)], read);
    }

    /// <summary>The stack of a task: its first byte; null: it cannot be read.</summary>
    internal ulong? StackOf(Cpu cpu, ulong task) => _read(cpu, task + _stack);

    /// <summary>The task that has a stack; null: none in the lists.</summary>
    /// <param name="cpu">A CPU that has the kernel's tables.</param>
    /// <param name="first">The first task, which is in the ring of processes for ever.</param>
    /// <param name="stack">The stack's first byte.</param>
    internal ulong? Find(Cpu cpu, ulong first, ulong stack)
    {
        int left = MostTasks;
        ulong process = first;
        do
        {
            if (StackOf(cpu, process) == stack)
                return process;
            ulong head = _read(cpu, process + _signal) is { } signal and not 0 ? signal + _threadHead : 0;
            for (ulong? node = head == 0 ? null : _read(cpu, head); node is { } at && at != head && --left > 0; node = _read(cpu, at))
            {
                if (StackOf(cpu, at - _threadNode) == stack)
                    return at - _threadNode;
            }
            if (_read(cpu, process + _tasks) is not { } next || next == 0)
                return null;
            process = next - _tasks;
        }
        while (process != first && --left > 0);
        return null;
    }
}
