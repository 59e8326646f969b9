namespace ArmVdso.Kernel.Tasks;

/// <summary>Whether EL0 may read the counter (update_cntkctl_el1 of arch/arm64/include/asm/arch_timer.h, PR_SET_TSC).</summary>
/// <param name="trapped">A timer erratum forbids it to all.</param>
public sealed class CounterAccess(bool trapped)
{
    /// <summary>CNTKCTL_EL1.EL0VCTEN: whether EL0 reads of CNTVCT_EL0 are not trapped.</summary>
    private const ulong UserCounterEnable = 2;

    /// <summary>Lets EL0 on a CPU read the counter, or not: not where the erratum or the task that it runs forbids it.</summary>
    internal void Update(Cpu cpu, KernelTask task)
    {
        if (trapped || task.CounterForbidden)
            cpu.CNTKCTL_EL1 &= ~UserCounterEnable;
        else
            cpu.CNTKCTL_EL1 |= UserCounterEnable;
    }
}
