using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Tracing;

/// <summary>Sees calls of the vDSO's functions, with their cycles, and why one made a system call after all. Each instruction is looked at,
/// which makes a run slow; cycles stay what they are.</summary>
internal sealed class VdsoStream : IMachineObserver
{
    private readonly LinuxKernel _kernel;
    private readonly CallsInVdso _calls;

    /// <summary>Sees the calls of a kernel's tasks.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="returned">Told of each call that has returned: whose, which, its result and its cycles.</param>
    /// <param name="entered">Told of each call when it begins; null: nobody is.</param>
    internal VdsoStream(
        LinuxKernel kernel, Action<KernelTask, CallInVdso, long, ulong> returned, Action<Cpu, KernelTask, CallInVdso>? entered = null)
    {
        _kernel = kernel;
        _calls = new CallsInVdso(kernel.Vdso.Image?.Symbols ?? [], (ulong)(kernel.Vdso.Image?.Bytes.Length ?? 0))
        {
            Entered = (cpu, call) => entered?.Invoke(cpu, Current(cpu), call),
            Returned = (cpu, call, result, cycles) => returned(Current(cpu), call, result, cycles),
        };
    }

    private KernelTask Current(Cpu cpu) => _kernel.Scheduler.Current(cpu.Index);

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0)
            return;
        KernelTask task = Current(cpu);
        _calls.At(cpu, task.Tid, task.Mm?.VdsoBase ?? 0);
    }

    /// <summary>A task has made a system call: in a function of the vDSO that is its way out.</summary>
    /// <param name="task">The task.</param>
    /// <param name="back">Where the call returns to.</param>
    internal void FellBack(KernelTask task, ulong back)
    {
        if (_calls.MakingSystemCall(task.Tid, back, task.Mm?.VdsoBase ?? 0) is { } call)
            call.Reason = Reason(task, call);
    }

    private string Reason(KernelTask task, CallInVdso call)
    {
        bool clock = call.Name.StartsWith("clock_", StringComparison.Ordinal) || call.Name == "gettimeofday";
        if (clock && _kernel.Timekeeper.ClockMode == Clocks.ModeNone)
            return "the counter cannot be used";
        if (clock)
            return "no clock of the vDSO";
        if (call.Name is "getpgid" or "getsid" && call.Arguments[0] != 0)
            return "asks for another process";
        if (_kernel.Machine.Cpus[task.Cpu].TPIDRRO_EL0 == 0)
            return "TPIDRRO_EL0 names no slot for this thread";
        return "the slot did not hold during the call";
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
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
