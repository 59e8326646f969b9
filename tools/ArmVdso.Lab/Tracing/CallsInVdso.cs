namespace ArmVdso.Lab.Tracing;

/// <summary>A call of a function of the vDSO.</summary>
internal sealed class CallInVdso
{
    /// <summary>The function, without its prefix.</summary>
    internal required string Name { get; init; }

    /// <summary>X0 to X5 when it began.</summary>
    internal required ulong[] Arguments { get; init; }

    internal required ulong Return { get; init; }

    internal required ulong Stack { get; init; }

    /// <summary>The CPU's cycle when it began.</summary>
    internal required ulong Cycle { get; init; }

    /// <summary>Why it made a system call; null: it did not.</summary>
    internal string? Reason { get; set; }
}

/// <summary>The calls of a vDSO's functions that threads are in. It is told of every instruction of EL0.</summary>
/// <param name="symbols">The image's symbols and their offsets in it.</param>
/// <param name="size">Bytes of the image.</param>
internal sealed class CallsInVdso(IEnumerable<KeyValuePair<string, ulong>> symbols, ulong size)
{
    private const string Prefix = "__kernel_";
    private const int MostNested = 16;

    private readonly Dictionary<ulong, string> _functions = symbols
        .Where(s => s.Key.StartsWith(Prefix, StringComparison.Ordinal) && s.Key != "__kernel_rt_sigreturn")
        .GroupBy(s => s.Value).ToDictionary(g => g.Key, g => g.First().Key[Prefix.Length..]);

    private readonly Dictionary<int, Stack<CallInVdso>> _calls = [];

    /// <summary>Told of each call that has begun.</summary>
    internal Action<Cpu, CallInVdso>? Entered { get; init; }

    /// <summary>Told of each call that has returned, with its result and its cycles.</summary>
    internal required Action<Cpu, CallInVdso, long, ulong> Returned { get; init; }

    /// <summary>A thread executes an instruction at EL0.</summary>
    /// <param name="cpu">Where.</param>
    /// <param name="tid">The thread.</param>
    /// <param name="start">Where its process has the image; 0: nowhere.</param>
    internal void At(Cpu cpu, int tid, ulong start)
    {
        ulong pc = cpu.PC;
        Stack<CallInVdso>? calls = _calls.Count != 0 && _calls.TryGetValue(tid, out Stack<CallInVdso>? found) ? found : null;
        if (calls is not null && calls.TryPeek(out CallInVdso? call) && pc == call.Return && cpu.SP_EL0 == call.Stack)
            Close(cpu, tid, calls);
        if (start == 0 || pc - start >= size || !_functions.TryGetValue(pc - start, out string? name))
            return;
        calls ??= [];
        // A handler of a signal may call while another call is open, further down the stack; what is not, was left for ever.
        while (calls.TryPeek(out CallInVdso? left) && (cpu.SP_EL0 >= left.Stack || calls.Count >= MostNested))
        {
            left.Reason ??= "left without a return";
            Close(cpu, tid, calls);
        }
        var begun = new CallInVdso
        {
            Name = name,
            Arguments = [cpu.X(0), cpu.X(1), cpu.X(2), cpu.X(3), cpu.X(4), cpu.X(5)],
            Return = cpu.X(30),
            Stack = cpu.SP_EL0,
            Cycle = cpu.Cycles,
        };
        calls.Push(begun);
        _calls[tid] = calls;
        Entered?.Invoke(cpu, begun);
    }

    private void Close(Cpu cpu, int tid, Stack<CallInVdso> calls)
    {
        CallInVdso call = calls.Pop();
        if (calls.Count == 0)
            _calls.Remove(tid);
        Returned(cpu, call, (long)cpu.X(0), cpu.Cycles - call.Cycle);
    }

    /// <summary>A thread has made a system call: the call of the vDSO that has made it, its way out; null: none has.</summary>
    /// <param name="tid">The thread.</param>
    /// <param name="back">Where the system call returns to.</param>
    /// <param name="start">Where its process has the image.</param>
    internal CallInVdso? MakingSystemCall(int tid, ulong back, ulong start) =>
        back - start < size && _calls.TryGetValue(tid, out Stack<CallInVdso>? calls) && calls.TryPeek(out CallInVdso? call) ? call : null;
}
