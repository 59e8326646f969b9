using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Boot;

/// <summary>The profile of a booted kernel: by its functions at EL1, by task at EL0.</summary>
/// <param name="machine">The machine that it runs on.</param>
/// <param name="kernel">The kernel.</param>
public sealed class BootProfile(Machine machine, GuestKernel kernel) : CycleProfile(machine)
{
    /// <inheritdoc/>
    protected override Place Find(Cpu cpu, ulong pc)
    {
        if (cpu.EL == 0)
            return new Place(kernel.TaskOf(cpu), "[EL0]", 0, ulong.MaxValue);
        // Each task is seen with its stack, so that its name is known at EL0.
        kernel.NoteTask(cpu);
        (string name, ulong start, ulong end) = kernel.FunctionAt(pc);
        return new Place(name, "[EL1]", start, end);
    }
}
