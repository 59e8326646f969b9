namespace ArmVdso.Lab.Workloads;

/// <summary>An SVC instruction of a mapped file.</summary>
/// <param name="File">Guest path of the file.</param>
/// <param name="Offset">Byte offset of the instruction in it.</param>
internal readonly record struct CallSite(string File, ulong Offset);

/// <summary>Counts the system calls and vDSO calls of a whole run by process and number, with cycles and call sites. It only
/// looks: the guest executes the same instructions in the same cycles as without it.</summary>
internal sealed class SyscallProfile : IMachineObserver
{
    /// <summary>A call that a task is in.</summary>
    private sealed class InFlight
    {
        internal required CallCount Count;
        internal int Cpu;
        internal ulong Cycles;
        internal ulong Charged;
    }

    private readonly LinuxKernel _kernel;
    private readonly Dictionary<KernelTask, InFlight> _calls = [];
    private readonly Dictionary<ulong, int> _vdsoFunctions = [];
    private readonly ulong _vdsoSize;
    private readonly ulong[] _vdsoBase;

    /// <summary>Processes in the order of their first call.</summary>
    internal Dictionary<int, ProcessCalls> Processes { get; } = [];

    /// <summary>For each call site in a file: how often each number was called there.</summary>
    internal Dictionary<CallSite, SortedDictionary<int, long>> Sites { get; } = [];

    /// <summary>Calls from memory that no file backs.</summary>
    internal long SitelessCalls { get; private set; }

    /// <summary>Switches between tasks, idle tasks left out.</summary>
    internal long Switches { get; private set; }

    internal SyscallProfile(LinuxKernel kernel, bool countVdso)
    {
        _kernel = kernel;
        _vdsoBase = new ulong[kernel.Machine.Cpus.Count];
        if (kernel.Vdso.Image is not { } image)
            return;
        _vdsoSize = (ulong)image.Bytes.Length;
        foreach ((string symbol, ulong offset) in image.Symbols)
        {
            // rt_sigreturn's trampoline is in the image too, and answers nothing.
            if (symbol != CallService.SymbolPrefix + "rt_sigreturn" && symbol.StartsWith(CallService.SymbolPrefix, StringComparison.Ordinal)
                && CallService.NumberOf(symbol[CallService.SymbolPrefix.Length..]) is { } number)
                _vdsoFunctions[offset] = number;
        }
        WantsInstructions = countVdso && _vdsoFunctions.Count > 0;
    }

    /// <summary>All calls by number.</summary>
    internal SortedDictionary<int, CallCount> Total()
    {
        var total = new SortedDictionary<int, CallCount>();
        foreach (ProcessCalls process in Processes.Values)
        {
            foreach ((int number, CallCount count) in process.Calls)
                Of(total, number).Add(count);
        }
        return total;
    }

    /// <inheritdoc/>
    public bool WantsInstructions { get; }

    private static CallCount Of(SortedDictionary<int, CallCount> calls, int number)
    {
        if (!calls.TryGetValue(number, out CallCount? count))
            calls[number] = count = new CallCount();
        return count;
    }

    private CallCount Of(KernelTask task, int number)
    {
        if (!Processes.TryGetValue(task.Group.Pid, out ProcessCalls? process))
            Processes[task.Group.Pid] = process = new ProcessCalls(task.Group.Pid);
        process.Name = task.Group.Leader.Comm;
        return Of(process.Counts, number);
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL != 0 || offset != 0 || cpu.ESR_EL1 >> 26 != (ulong)ExceptionClass.Svc64)
            return;
        KernelTask task = _kernel.Scheduler.Current(cpu.Index);
        int number = (int)cpu.X(8);
        CallCount count = Of(task, number);
        count.Calls++;
        _calls[task] = new InFlight { Count = count, Cpu = cpu.Index, Cycles = cpu.Cycles, Charged = cpu.Timing.ChargedCycles };
        ulong site = cpu.ELR_EL1 - 4;
        if (task.Mm is not { } memory)
            return;
        if (site - memory.VdsoBase < _vdsoSize)
        {
            if (_vdsoFunctions.ContainsValue(number))
                count.Fallbacks++;
        }
        else if (memory.Find(site) is { File: { } file } vma)
        {
            Count(new CallSite(file.Path, vma.Offset + (site - vma.Start)), number);
        }
        else
        {
            SitelessCalls++;
        }
    }

    private void Count(CallSite site, int number)
    {
        if (!Sites.TryGetValue(site, out SortedDictionary<int, long>? numbers))
            Sites[site] = numbers = [];
        numbers[number] = numbers.GetValueOrDefault(number) + 1;
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
        if (cpu.EL != 0)
            return;
        KernelTask task = _kernel.Scheduler.Current(cpu.Index);
        _vdsoBase[cpu.Index] = task.Mm?.VdsoBase ?? 0;
        if (_calls.Remove(task, out InFlight? call))
            Account(call, cpu);
    }

    private static void Account(InFlight call, Cpu cpu)
    {
        call.Count.Cycles += cpu.Cycles - call.Cycles;
        call.Count.Charged += cpu.Timing.ChargedCycles - call.Charged;
    }

    /// <summary>A switch is about to happen: the clocks of the calls that the two tasks are in stop and go on.</summary>
    internal void OnSwitch(Cpu cpu, KernelTask previous, KernelTask next)
    {
        if (previous.Tid != 0 && next.Tid != 0)
            Switches++;
        if (_calls.TryGetValue(previous, out InFlight? leaving) && leaving.Cpu == cpu.Index)
        {
            Account(leaving, cpu);
            leaving.Count.Switched++;
            leaving.Cpu = -1;
            if (previous.State is TaskState.Zombie or TaskState.Dead)
                _calls.Remove(previous);
        }
        if (_calls.TryGetValue(next, out InFlight? entering))
        {
            entering.Cpu = cpu.Index;
            entering.Cycles = cpu.Cycles;
            entering.Charged = cpu.Timing.ChargedCycles;
        }
    }

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        ulong offset = cpu.PC - _vdsoBase[cpu.Index];
        if (offset < _vdsoSize && cpu.EL == 0 && _vdsoFunctions.TryGetValue(offset, out int number))
            Of(_kernel.Scheduler.Current(cpu.Index), number).VdsoCalls++;
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
