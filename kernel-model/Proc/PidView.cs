using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>The processes as one mount of /proc shows them: those of the PID namespace that its maker was in, by their numbers
/// there, whoever reads (proc_pid_ns in fs/proc/root.c).</summary>
/// <param name="tasks">Which tasks there are.</param>
/// <param name="space">The namespace of the mount.</param>
internal sealed class PidView(TaskTable tasks, PidNamespace space)
{
    /// <summary>The namespace that numbers are of.</summary>
    public PidNamespace Space => space;

    /// <summary>Number of a task, process group or session that the first namespace knows by another; 0: it cannot be seen here.
    /// </summary>
    public int Number(int first) => space.NumberOf(first);

    /// <inheritdoc cref="Number(int)"/>
    public int Number(ThreadGroup? group) => group is null ? 0 : space.NumberOf(group.Pid);

    /// <summary>A task by its number here; null: there is none.</summary>
    public KernelTask? Find(int number) => space.FirstOf(number) is > 0 and int first
        ? tasks.Find(first) ?? tasks.Groups.FirstOrDefault(g => g.Pid == first)?.Leader : null;

    /// <summary>Numbers of the processes that can be seen.</summary>
    public IEnumerable<int> Processes() => tasks.Groups.Select(g => Number(g)).Where(n => n != 0).Order();
}
