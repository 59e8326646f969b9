using System.Text;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Lockstep;

/// <summary>The engines disagree. The message holds the block and both states.</summary>
public sealed class EngineMismatchException : Exception
{
    internal EngineMismatchException(string message)
        : base(message)
    {
    }
}

/// <summary>Runs each block twice: on the reference engine, which counts, and again from the same state on the portable engine,
/// whose registers, flags and memory writes must be equal. With a timing model the second run hands everything that the
/// timing model is told to the comparison, so equal means equal cycles; and a third run is timed by the memoised timing, a twin
/// of the model that has seen the same from the start: its cycles and counters must be equal. Instructions that blocks do not
/// hold (exceptions, system registers) are executed once.</summary>
public sealed class EngineCheck
{
    private readonly IMachine _machine;
    private readonly CodeCache _code;
    private readonly WriteJournal _journal;
    private readonly List<TimingModel> _twins = [];
    private readonly NativeCode? _native;
    private string _engine = "portable";

    /// <summary>A check of one machine, whose engines are made by <see cref="CreateEngine"/>.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="code">Its blocks.</param>
    /// <param name="native">Its native code, which is checked besides; null: none.</param>
    internal EngineCheck(IMachine machine, CodeCache code, NativeCode? native)
    {
        _native = native;
        _machine = machine;
        _code = code;
        _journal = new WriteJournal(machine.Memory);
    }

    /// <summary>The engine of one PE that is checked.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="twin">A model of the PE's core that has seen nothing, whose memoised timing is checked; null: none is.</param>
    internal ExecutionEngine CreateEngine(Cpu cpu, TimingModel? twin)
    {
        if (twin is not null)
        {
            twin.AdvanceTo(cpu.Timing.Cycles);
            cpu.Timing.Twin = twin;
            _twins.Add(twin);
        }
        bool memoised = twin is not null;
        return new LockstepEngine(
            this, cpu, _native is null ? new PortableEngine(cpu, _code, memoised) : new NativeEngine(cpu, _code, _native, memoised, 0));
    }

    /// <summary>Instructions that both engines executed.</summary>
    public ulong Compared { get; private set; }

    /// <summary>Instructions that only the reference engine executed.</summary>
    public ulong NotCompared { get; private set; }

    /// <summary>Blocks compared.</summary>
    public ulong Blocks { get; private set; }

    /// <summary>Of them, those whose timing was looked up or worked out to be looked up.</summary>
    public ulong MemoisedBlocks
    {
        get
        {
            ulong sum = 0;
            foreach (TimingModel twin in _twins)
                sum += twin.Memo?.Blocks ?? 0;
            return sum;
        }
    }

    internal void Run(Cpu cpu, PortableEngine portable, ulong limit)
    {
        while (cpu.Timing.Cycles < limit && !cpu.Waiting && !_machine.TurnEnds)
        {
            DebugAction action = _machine.Debug?.Before(cpu) ?? DebugAction.Run;
            if (action == DebugAction.Stop)
                return;
            // Blocks that access watched pages end there, which is no matter of the comparison.
            bool singly = action == DebugAction.Step || _machine.Debug is { HasWatchpoints: true };
            if (cpu.InterruptTaken || singly || portable.FindRunnable() is not { } block)
            {
                NotCompared++;
                portable.Step();
                continue;
            }
            CheckBlock(cpu, portable, block, limit);
        }
    }

    private void CheckBlock(Cpu cpu, PortableEngine portable, Block block, ulong limit)
    {
        Cpu.Snapshot before = cpu.Save();
        ulong instructions = cpu.Instructions;
        // What a timing model is told, when there is one.
        List<RetiredInstruction>? retired = cpu.Timing.GetType() == typeof(TimingModel) ? null : [];
        cpu.Journal = _journal;
        IMachineObserver? observer = _machine.Observer;
        ulong epoch = portable.FetchEpoch;
        TimingModel? twin = cpu.Timing.Twin;
        cpu.Timing.Twin = null;
        long n = 0;
        // The reference: until the block ends, or something happens that is no matter of blocks.
        while (n < block.Count && cpu.PC == block.Pc + 4 * (ulong)n && cpu.Timing.Cycles < limit && !cpu.InterruptTaken)
        {
            ulong entries = cpu.ExceptionEntries, devices = cpu.DeviceAccesses;
            Cpu.Snapshot boundary = cpu.Save();
            int written = _journal.Count;
            ulong pc = cpu.PC;
            uint instruction = _machine.Memory.Read<uint>(block.Pa + 4 * (ulong)n);
            portable.Step();
            bool excepted = cpu.ExceptionEntries != entries;
            if (excepted || cpu.DeviceAccesses != devices)
            {
                // The instruction faulted or went to a device, and the reference engine has dealt with it for both. Compare what came
                // before.
                Cpu.Snapshot after = cpu.Save();
                _journal.Truncate(written);
                Action<TimingModel> tell =
                    excepted ? static timing => timing.ExceptionEntry() : timing => TellDevice(cpu, timing, pc, block);
                Compare(cpu, portable, block, n, before, boundary, retired, observer, twin, limit, tell);
                cpu.Restore(after);
                NotCompared++;
                cpu.Journal = null;
                cpu.Timing.Twin = twin;
                return;
            }
            retired?.Add(RetiredInstruction.Make(cpu, pc, instruction));
            n++;
            if (portable.FetchEpoch != epoch)
                break;
        }
        Compared += cpu.Instructions - instructions;
        Compare(cpu, portable, block, n, before, cpu.Save(), retired, observer, twin, limit, null);
        cpu.Journal = null;
        cpu.Timing.Twin = twin;
    }

    /// <summary>Goes back, runs <paramref name="n"/> instructions on the portable engine and compares; ends in the state
    /// <paramref name="expected"/>.</summary>
    private void Compare(
        Cpu cpu, PortableEngine portable, Block block, long n, in Cpu.Snapshot before, in Cpu.Snapshot expected,
        List<RetiredInstruction>? retired, IMachineObserver? observer, TimingModel? twin, ulong limit, Action<TimingModel>? tell)
    {
        SortedDictionary<ulong, byte> writes = _journal.Written();
        _journal.Undo();
        cpu.Restore(before);
        if (n > 0)
        {
            Blocks++;
            _machine.Observer = null;
            // The block may have been dropped by its own stores; it is as it was when they are undone.
            Block again = n == block.Count && block.Valid ? block : _code.Make(block.Pc, block.Pa, block.Mode, block.Guarded, (int)n);
            // Traced code is made where it runs, by the twin's timing.
            if (portable is NativeEngine { IsTraced: false } coded && !coded.HasCode(again))
                again = _code.Make(block.Pc, block.Pa, block.Mode, block.Guarded, (int)n);
            Replay<CheckedMode>(cpu, portable, block, again, n, before, expected, writes, null, retired);
            if (cpu.Timing.GetType() != typeof(TimingModel))
            {
                _journal.Undo();
                cpu.Restore(before);
                var recorder = new RetireRecorder();
                Replay<TimedMode>(cpu, portable, block, again, n, before, expected, writes, recorder, retired);
            }
            // Traced code runs below.
            if (portable is NativeEngine { IsTraced: false } native)
                CheckNative(cpu, native, block, again, n, before, expected, writes);
            if (twin is not null)
            {
                _journal.Undo();
                cpu.Restore(before);
                TimingModel timing = cpu.SwapTiming(twin);
                cpu.DevicesDeferred = true;
                bool done = portable.RunChecked(again, n, limit);
                cpu.DevicesDeferred = false;
                cpu.SwapTiming(timing);
                Expect(cpu, block, n, before, expected, writes, done, "");
            }
            _machine.Observer = observer;
        }
        _journal.Clear();
        cpu.Restore(expected);
        if (twin is null)
            return;
        tell?.Invoke(twin);
        string counters = twin.Cycles == cpu.Timing.Cycles ? "" : $"  cycles: naive {cpu.Timing.Cycles} memoised {twin.Cycles}\n";
        counters += CounterDifferences("EL0", cpu.Timing.Counters(0), twin.Counters(0))
            + CounterDifferences("EL1", cpu.Timing.Counters(1), twin.Counters(1));
        if (counters.Length > 0)
            throw new EngineMismatchException(Describe(block, n, before, expected, expected, counters));
    }

    /// <summary>The load or store that went to a device, for a timing model that has seen the block up to it.</summary>
    private void TellDevice(Cpu cpu, TimingModel timing, ulong pc, Block block)
    {
        ulong pa = block.Pa + (pc - block.Pc);
        uint instruction = _machine.Memory.Read<uint>(pa);
        (cpu.PC, cpu.NextPC, cpu.AccessCount, cpu.BranchTaken) = (pc, pc + 4, 0, false);
        timing.Retire(cpu, Isa.Decoder.Decode(instruction), instruction, pa);
    }

    private static string CounterDifferences(string level, TimingCounters naive, TimingCounters memoised)
    {
        if (DeltaTable.AreEqual(naive, memoised))
            return "";
        var text = new StringBuilder();
        for (int i = 0; i < CauseCounters.Count; i++)
        {
            if (naive.Causes[i] != memoised.Causes[i])
                text.Append($"  {level} cycles, {(CycleCause)i}: naive {naive.Causes[i]} memoised {memoised.Causes[i]}\n");
        }
        foreach (System.Reflection.FieldInfo field in typeof(TimingCounters).GetFields())
        {
            if (field.FieldType == typeof(ulong) && !field.GetValue(naive)!.Equals(field.GetValue(memoised)))
                text.Append($"  {level} {field.Name}: naive {field.GetValue(naive)} memoised {field.GetValue(memoised)}\n");
        }
        return text.ToString();
    }

    private void Expect(
        Cpu cpu, Block block, long n, in Cpu.Snapshot before, in Cpu.Snapshot expected, SortedDictionary<ulong, byte> writes, bool done,
        string told)
    {
        Cpu.Snapshot actual = cpu.Save();
        string differences =
            Differences(expected, actual) + (done ? "" : $"  the {_engine} engine faulted\n") + Writes(writes, _journal.Written()) + told;
        if (differences.Length > 0)
            throw new EngineMismatchException(Describe(block, n, before, expected, actual, differences));
    }

    private void Replay<TMode>(
        Cpu cpu, PortableEngine portable, Block block, Block again, long n, in Cpu.Snapshot before, in Cpu.Snapshot expected,
        SortedDictionary<ulong, byte> writes, RetireRecorder? recorder, List<RetiredInstruction>? retired) where TMode : struct
    {
        TimingModel timing = cpu.SwapTiming(recorder ?? new TimingModel());
        cpu.DevicesDeferred = true;
        bool done = portable.RunBlocks<TMode>(again, n, (ulong)n);
        cpu.DevicesDeferred = false;
        cpu.SwapTiming(timing);
        bool same = recorder is null || retired!.SequenceEqual(recorder.Instructions);
        string told = same ? "" : "  what the timing model was told differs\n" + Told(retired!, recorder!.Instructions);
        Expect(cpu, block, n, before, expected, writes, done, told);
    }

    private void CheckNative(
        Cpu cpu, NativeEngine native, Block block, Block again, long n, in Cpu.Snapshot before, in Cpu.Snapshot expected,
        SortedDictionary<ulong, byte> writes)
    {
        _journal.Undo();
        cpu.Restore(before);
        TimingModel timing = cpu.SwapTiming(new TimingModel());
        cpu.DevicesDeferred = true;
        bool done = native.RunChecked(again, n, _journal);
        cpu.DevicesDeferred = false;
        cpu.SwapTiming(timing);
        _engine = "native";
        Expect(cpu, block, n, before, expected, writes, done, "");
        _engine = "portable";
    }

    private static string Told(List<RetiredInstruction> expected, List<RetiredInstruction> actual)
    {
        for (int i = 0; i < Math.Max(expected.Count, actual.Count); i++)
        {
            if (i >= expected.Count || i >= actual.Count || expected[i] != actual[i])
                return $"  reference {(i < expected.Count ? expected[i] : "-")}\n  portable  {(i < actual.Count ? actual[i] : "-")}\n";
        }
        return "";
    }

    private string Writes(SortedDictionary<ulong, byte> expected, SortedDictionary<ulong, byte> actual)
    {
        if ((expected.Count == 0 && actual.Count == 0) || expected.SequenceEqual(actual))
            return "";
        var text = new StringBuilder();
        int shown = 0;
        foreach (ulong pa in expected.Keys.Union(actual.Keys).Order())
        {
            string left = expected.TryGetValue(pa, out byte e) ? $"{e:x2}" : "--";
            string right = actual.TryGetValue(pa, out byte a) ? $"{a:x2}" : "--";
            if (left != right && shown++ < 16)
                text.Append($"  memory 0x{pa:x}: reference {left} {_engine} {right}\n");
        }
        return text.ToString();
    }

    private string Differences(in Cpu.Snapshot expected, in Cpu.Snapshot actual)
    {
        if (expected.Same(actual))
            return "";
        var text = new StringBuilder();
        foreach (((string name, string left), (_, string right)) in expected.Values().Zip(actual.Values()))
        {
            if (left != right)
                text.Append($"  {name}: reference {left} {_engine} {right}\n");
        }
        return text.ToString();
    }

    private string Describe(
        Block block, long n, in Cpu.Snapshot before, in Cpu.Snapshot expected, in Cpu.Snapshot actual, string differences)
    {
        var text = new StringBuilder($"the engines differ after {n} instructions of the block at 0x{block.Pc:x}\n");
        for (long i = 0; i < n; i++)
        {
            ulong at = 4 * (ulong)i;
            uint instruction = _machine.Memory.Read<uint>(block.Pa + at);
            text.Append($"  {block.Pc + at:x}: {instruction:x8} {Disassembler.Disassemble(instruction, block.Pc + at)}\n");
        }
        text.Append(differences);
        text.Append("state before:\n").Append(before.ToText());
        text.Append("state after, reference:\n").Append(expected.ToText());
        text.Append($"state after, {_engine}:\n").Append(actual.ToText());
        return text.ToString();
    }
}

/// <summary>What a timing model is told of one instruction.</summary>
internal readonly record struct RetiredInstruction(ulong Pc, uint Instruction, ulong Next, bool Taken, BranchType Kind, string Accesses)
{
    /// <summary>From what a PE holds right after the instruction.</summary>
    internal static RetiredInstruction Make(Cpu cpu, ulong pc, uint instruction)
    {
        string accesses = "";
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            ref MemoryAccess a = ref cpu.Accesses[i];
            accesses += $" {(a.Write ? 'w' : 'r')}{a.Size}@{a.Va:x}/{a.Pa:x}";
        }
        return new RetiredInstruction(pc, instruction, cpu.NextPC, cpu.BranchTaken, cpu.BranchTaken ? cpu.BranchKind : default, accesses);
    }
}

/// <summary>Stands in for a timing model while a block runs again.</summary>
internal sealed class RetireRecorder : TimingModel
{
    internal List<RetiredInstruction> Instructions { get; } = [];

    /// <inheritdoc/>
    public override void Retire(ProcessingElement pe, Row row, uint instruction, ulong fetchPa)
    {
        Instructions.Add(RetiredInstruction.Make((Cpu)pe, pe.PC, instruction));
        Cycles++;
    }
}
