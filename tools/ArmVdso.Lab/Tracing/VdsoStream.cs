using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Tracing;

/// <summary>Sees calls of the vDSO's functions, with their cycles, and why one made a system call after all. Each instruction is looked at,
/// which makes a run slow; cycles stay what they are.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="returned">Told of each call that has returned: whose, which, its result and its cycles.</param>
internal sealed class VdsoStream(LinuxKernel kernel, Action<KernelTask, VdsoStream.Call, long, ulong> returned) : IMachineObserver
{
    /// <summary>A call in progress.</summary>
    internal sealed class Call
    {
        internal required string Name { get; init; }

        internal required ulong[] Arguments { get; init; }

        internal required ulong Return { get; init; }

        internal required ulong Stack { get; init; }

        internal required ulong Cycle { get; init; }

        /// <summary>Why it made a system call; null: it did not.</summary>
        internal string? Reason { get; set; }
    }

    private readonly Dictionary<ulong, string> _functions = kernel.Vdso.Image?.Symbols
        .Where(s => s.Key.StartsWith("__kernel_", StringComparison.Ordinal) && s.Key != "__kernel_rt_sigreturn")
        .GroupBy(s => s.Value).ToDictionary(g => g.Key, g => g.First().Key["__kernel_".Length..]) ?? [];

    private const int MostNested = 16;

    /// <summary>Told of each call when it begins.</summary>
    internal Action<Cpu, KernelTask, Call>? Entered { get; init; }

    private readonly ulong _size = (ulong)(kernel.Vdso.Image?.Bytes.Length ?? 0);
    private readonly Dictionary<int, Stack<Call>> _calls = [];
    private int _open;

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0)
            return;
        KernelTask task = kernel.Scheduler.Current(cpu.Index);
        ulong pc = cpu.PC;
        Stack<Call>? calls = _open != 0 && _calls.TryGetValue(task.Tid, out Stack<Call>? found) ? found : null;
        if (calls is not null && calls.TryPeek(out Call? call) && pc == call.Return && cpu.SP_EL0 == call.Stack)
            Close(cpu, task, calls);
        if (task.Mm is not { VdsoBase: > 0 and var start } || pc - start >= _size || !_functions.TryGetValue(pc - start, out string? name))
            return;
        calls ??= _calls[task.Tid] = [];
        // A handler of a signal may call while another call is open, further down the stack; what is not, was left for ever.
        while (calls.TryPeek(out Call? left) && (cpu.SP_EL0 >= left.Stack || calls.Count >= MostNested))
        {
            left.Reason ??= "left without a return";
            Close(cpu, task, calls);
        }
        var begun = new Call
        {
            Name = name,
            Arguments = [cpu.X(0), cpu.X(1), cpu.X(2), cpu.X(3), cpu.X(4), cpu.X(5)],
            Return = cpu.X(30),
            Stack = cpu.SP_EL0,
            Cycle = cpu.Cycles,
        };
        calls.Push(begun);
        _open++;
        Entered?.Invoke(cpu, task, begun);
    }

    private void Close(Cpu cpu, KernelTask task, Stack<Call> calls)
    {
        Call call = calls.Pop();
        if (calls.Count == 0)
            _calls.Remove(task.Tid);
        _open--;
        returned(task, call, (long)cpu.X(0), cpu.Cycles - call.Cycle);
    }

    /// <summary>A task has made a system call: in a function of the vDSO that is its way out.</summary>
    /// <param name="task">The task.</param>
    /// <param name="back">Where the call returns to.</param>
    internal void FellBack(KernelTask task, ulong back)
    {
        if (_calls.TryGetValue(task.Tid, out Stack<Call>? calls) && calls.TryPeek(out Call? call)
            && back - (task.Mm?.VdsoBase ?? 0) < _size)
            call.Reason = Reason(task, call);
    }

    private string Reason(KernelTask task, Call call)
    {
        bool clock = call.Name.StartsWith("clock_", StringComparison.Ordinal) || call.Name == "gettimeofday";
        if (clock && kernel.Timekeeper.ClockMode == Clocks.ModeNone)
            return "the counter cannot be used";
        if (clock)
            return "no clock of the vDSO";
        if (call.Name is "getpgid" or "getsid" && call.Arguments[0] != 0)
            return "asks for another process";
        if (kernel.Machine.Cpus[task.Cpu].TPIDRRO_EL0 == 0)
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
