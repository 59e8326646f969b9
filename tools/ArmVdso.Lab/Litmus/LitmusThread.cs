using ArmVdso.Emulator.Engine.Reference;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.MemoryModel;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Litmus;

/// <summary>Where the threads of litmus tests are executed: a PE at EL0 without system software. A thread runs alone, instruction by
/// instruction; what its loads find is decided by the caller.</summary>
internal sealed class LitmusMachine : IDisposable
{
    /// <summary>Instructions that a thread may execute.</summary>
    private const int Patience = 200;

    private const ulong Code = 0x10000, Data = 0x20000, Size = 1 << 20, LocationBytes = 256, LineBytes = 64;
    private readonly Machine _machine;
    private readonly Cpu _cpu;
    private readonly ulong[] _registers = new ulong[31];

    internal LitmusMachine()
    {
        _machine = new Machine(1, Size, CoreTimings.Of("none")) { Engine = EngineKind.Reference };
        _cpu = _machine.Cpus[0];
        AddressSpace space = _machine.CreateAddressSpace(39);
        space.MapLinear(0, Size, PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute);
        _cpu.SetX(0, space.Handle);
        _cpu.WriteSystemRegister(3, 0, 2, 0, 0, 0); // TTBR0_EL1
        _cpu.SetX(0, 25 | (25 << 16));
        _cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0); // TCR_EL1
        _cpu.CPACR_EL1 = 3UL << 20;
    }

    /// <summary>Physical address of a location.</summary>
    internal static ulong AddressOf(int location) => Data + LineBytes * (ulong)location;

    /// <summary>The values that bytes can have for a thread that has these events by now, none twice.</summary>
    internal delegate IReadOnlyList<byte[]> ValuesOf(ulong address, int size, IReadOnlyList<MemoryEvent> before);

    /// <summary>A thread that has ended.</summary>
    /// <param name="Events">Its events.</param>
    /// <param name="Registers">Its general registers.</param>
    internal sealed record Ended(IReadOnlyList<MemoryEvent> Events, ulong[] Registers);

    /// <summary>Executes a thread for every value that its loads can have.</summary>
    /// <param name="words">Its instructions; it ends behind the last.</param>
    /// <param name="values">The values of some bytes.</param>
    internal IEnumerable<Ended> Run(uint[] words, ValuesOf values)
    {
        for (int i = 0; i < words.Length; i++)
            _machine.Memory.Write(Code + 4 * (ulong)i, words[i]);
        _machine.InvalidateCode(Code, 4 * (ulong)words.Length);
        // Depth first: for each load, in the order in which they are executed, which of its values it has.
        List<(int Chosen, int Count)> choices = [];
        do
        {
            yield return RunOnce(words, values, choices);
            while (choices.Count > 0 && choices[^1].Chosen + 1 == choices[^1].Count)
                choices.RemoveAt(choices.Count - 1);
            if (choices.Count > 0)
                choices[^1] = (choices[^1].Chosen + 1, choices[^1].Count);
        }
        while (choices.Count > 0);
    }

    private Ended RunOnce(uint[] words, ValuesOf values, List<(int Chosen, int Count)> choices)
    {
        Restart();
        var recorder = new ThreadRecorder();
        ulong end = Code + 4 * (ulong)words.Length;
        int used = 0;
        var accesses = new List<ObservedAccess>();
        for (int steps = 0; _cpu.PC != end; steps++)
        {
            if (steps == Patience)
                throw new LabException("litmus: a thread does not end", LabFault.Input);
            uint word = _machine.Memory.Read<uint>(_cpu.PC);
            Row row = Decoder.Decode(word);
            int condition = InstructionOrder.ConditionOf(row, word);
            bool held = condition < 0 || _cpu.ConditionHolds(condition);
            Step((at, size) => values(at, size, recorder.Events), choices, ref used, accesses);
            recorder.Execute(row, word, held, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(accesses));
        }
        return new Ended(recorder.Events, [.. Enumerable.Range(0, 31).Select(_cpu.X)]);
    }

    /// <summary>One instruction. What it loads is put into memory and it is executed once more, as its address is known only
    /// then.</summary>
    private void Step(
        Func<ulong, int, IReadOnlyList<byte[]>> values, List<(int Chosen, int Count)> choices, ref int used,
        List<ObservedAccess> accesses)
    {
        for (int i = 0; i < 31; i++)
            _registers[i] = _cpu.X(i);
        (ulong pc, ulong sp, int flags) = (_cpu.PC, _cpu.SP_EL0, _cpu.NZCV);
        Execute();
        if (_cpu.Accesses[..Math.Min(_cpu.AccessCount, 1)] is [{ Write: false }, ..])
        {
            for (int i = 0; i < _cpu.AccessCount; i++)
            {
                MemoryAccess a = _cpu.Accesses[i];
                if (a.Write)
                    continue;
                IReadOnlyList<byte[]> possible = values(a.Pa, a.Size);
                if (used == choices.Count)
                    choices.Add((0, possible.Count));
                possible[choices[used++].Chosen].CopyTo(_machine.Memory.Span(a.Pa, a.Size));
            }
            for (int i = 0; i < 31; i++)
                _cpu.SetX(i, _registers[i]);
            (_cpu.PC, _cpu.NextPC, _cpu.SP_EL0, _cpu.NZCV) = (pc, pc, sp, flags);
            Dictionary<ulong, byte[]> loaded = [];
            for (int i = 0; i < _cpu.AccessCount; i++)
            {
                if (!_cpu.Accesses[i].Write)
                    loaded[_cpu.Accesses[i].Pa] = _machine.Memory.Span(_cpu.Accesses[i].Pa, _cpu.Accesses[i].Size).ToArray();
            }
            Execute();
            Collect(accesses, loaded);
            return;
        }
        Collect(accesses, []);
    }

    private void Collect(List<ObservedAccess> accesses, Dictionary<ulong, byte[]> loaded)
    {
        accesses.Clear();
        for (int i = 0; i < _cpu.AccessCount; i++)
        {
            MemoryAccess a = _cpu.Accesses[i];
            byte[] value = a.Write ? _machine.Memory.Span(a.Pa, a.Size).ToArray() : loaded[a.Pa];
            accesses.Add(new ObservedAccess(a.Pa, a.Write, value));
        }
    }

    private void Execute()
    {
        ulong exceptions = _cpu.ExceptionEntries, pc = _cpu.PC;
        _cpu.Step();
        if (_cpu.ExceptionEntries != exceptions)
            throw new LabException($"litmus: instruction {(pc - Code) / 4} of a thread took an exception", LabFault.Input);
    }

    private void Restart()
    {
        _machine.Memory.Span(Data, (int)LocationBytes).Clear();
        (_cpu.EL, _cpu.PC, _cpu.NextPC, _cpu.NZCV, _cpu.SP_EL0) = (0, Code, Code, 0, Data + LocationBytes);
        for (int i = 0; i < 31; i++)
            _cpu.SetX(i, 0);
        foreach ((int register, int location) in LitmusTest.AddressRegisters)
            _cpu.SetX(register, AddressOf(location));
    }

    public void Dispose() => _machine.Dispose();
}
