namespace ArmVdso.Kernel.Tasks;

/// <summary>What counts while a task runs, and hears of its life: a perf event (kernel/events/core.c).</summary>
internal interface ITaskCounter
{
    /// <summary>A CPU is about to run the task.</summary>
    void SwitchIn(Cpu cpu);

    /// <summary>A CPU is about to run another.</summary>
    void SwitchOut(Cpu cpu);

    /// <summary>The task has a child (perf_event_init_task).</summary>
    void Forked(KernelTask child);

    /// <summary>The task has started a program (perf_event_exec).</summary>
    void Executed();

    /// <summary>The task ends (perf_event_exit_task).</summary>
    void Exited();

    /// <summary>The task counts or does not (PR_TASK_PERF_EVENTS_ENABLE, _DISABLE).</summary>
    void Enable(bool on);
}
