namespace ArmVdso.Lab.Boot;

/// <summary>One write of TPIDRRO_EL0 by a booted kernel.</summary>
/// <param name="Cycle">Cycle of the CPU at which it was written.</param>
/// <param name="Cpu">CPU.</param>
/// <param name="Function">The kernel's function that wrote it.</param>
/// <param name="Task">The task that the CPU executes, as name[pid]; ? before the kernel said so.</param>
/// <param name="Old">Old value.</param>
/// <param name="New">New value.</param>
public sealed record BootOffsetWrite(ulong Cycle, int Cpu, string Function, string Task, ulong Old, ulong New);

/// <summary>Sees every write of TPIDRRO_EL0 of a booted kernel.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="sink">Takes the writes, in the order of the run.</param>
public sealed class BootTrace(GuestKernel kernel, Action<BootOffsetWrite> sink) : IMachineObserver
{
    /// <inheritdoc/>
    public bool WantsInstructions => false;

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        string function = kernel.FunctionAt(cpu.PC).Name;
        sink(new BootOffsetWrite(cpu.Cycles, cpu.Index, function, kernel.TaskOf(cpu), oldValue, newValue));
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
    }
}
