namespace ArmVdso.Lab.Statistics;

/// <summary>Counts what the software events of perf count: switches, migrations and page faults. It only looks.</summary>
public sealed class SwitchCounter : IMachineObserver
{
    private readonly Dictionary<KernelTask, int> _last = [];

    /// <summary>context-switches: a task gives its CPU to another one, or to nobody.</summary>
    public ulong Switches { get; private set; }

    /// <summary>cpu-migrations: a task goes on on another CPU.</summary>
    public ulong Migrations { get; private set; }

    /// <summary>page-faults: aborts of EL0.</summary>
    public ulong Faults { get; private set; }

    /// <summary><see cref="KernelHooks.Switching"/>.</summary>
    public void Switched(Cpu cpu, KernelTask previous, KernelTask next)
    {
        if (previous.Tid != 0)
        {
            Switches++;
            _last[previous] = cpu.Index;
        }
        if (previous.State is TaskState.Zombie or TaskState.Dead)
            _last.Remove(previous);
        if (_last.TryGetValue(next, out int last) && last != cpu.Index)
            Migrations++;
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL == 0 && offset == 0
            && (ExceptionClass)(cpu.ESR_EL1 >> 26) is ExceptionClass.InstructionAbortLower or ExceptionClass.DataAbortLower)
            Faults++;
    }

    /// <inheritdoc/>
    public bool WantsInstructions => false;

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
    }
}
