using System.Runtime.InteropServices;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Differential;

/// <summary>What to run.</summary>
public sealed record RunOptions
{
    /// <summary>Rows to choose from.</summary>
    public required IReadOnlyList<TableRow> Rows { get; init; }

    /// <summary>Cases wanted; rounded up to whole batches.</summary>
    public long Cases { get; init; } = 100_000;

    /// <summary>Seed of the run.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>States that each word is run from.</summary>
    public int StatesPerWord { get; init; } = 8;

    /// <summary>Oracle processes.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Most mismatches kept for each row.</summary>
    public int KeepPerRow { get; init; } = 3;

    /// <summary>Exceptions to apply.</summary>
    public QemuExceptions Exceptions { get; init; } = QemuExceptions.Committed;

    /// <summary>Error to put into our outcomes.</summary>
    public Perturbation Perturbation { get; init; }

    /// <summary>Runs just this slot: its seed and place.</summary>
    public (ulong Seed, int Index)? Only { get; init; }
}

/// <summary>Counts of one row.</summary>
public sealed class RowCounts
{
    /// <summary>Cases run.</summary>
    public long Cases;

    /// <summary>Cases that ended in no signal on the oracle.</summary>
    public long Completed;

    /// <summary>Cases that ended in SIGILL on the oracle.</summary>
    public long Illegal;

    /// <summary>Cases whose outcomes differ.</summary>
    public long Mismatches;

    /// <summary>Reports of the first of them.</summary>
    public List<string> Reports { get; } = [];

    /// <summary>Slots for which no encoding could be found.</summary>
    public long NoEncoding;
}

/// <summary>Runs cases on the oracle and on our engine and compares.</summary>
public sealed class DifferentialRun(RunOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Row, RowCounts> _counts = options.Rows.ToDictionary(r => r.Row, _ => new RowCounts());
    private long _nextBatch;

    /// <summary>Counts by row.</summary>
    public IReadOnlyDictionary<Row, RowCounts> Counts => _counts;

    /// <summary>Cases run.</summary>
    public long TotalCases => _counts.Values.Sum(c => c.Cases);

    /// <summary>Mismatches of all rows.</summary>
    public long TotalMismatches => _counts.Values.Sum(c => c.Mismatches);

    /// <summary>Runs everything.</summary>
    public void Execute()
    {
        if (options.Rows.Count == 0)
            return;
        int perBatch = OracleLayout.MaxSlots * options.StatesPerWord;
        long batches = options.Only is null ? (options.Cases + perBatch - 1) / perBatch : 1;
        int workers = (int)Math.Min(options.Workers, batches);
        Task[] tasks = Enumerable.Range(0, workers).Select(_ => Task.Factory.StartNew(() => Work(batches), TaskCreationOptions.LongRunning))
            .ToArray();
        Task.WaitAll(tasks);
    }

    private void Work(long batches)
    {
        using var worker = new BatchWorker(options, _counts, _lock);
        while (true)
        {
            long batch = Interlocked.Increment(ref _nextBatch) - 1;
            if (batch >= batches)
                return;
            worker.Run(batch);
        }
    }
}

/// <summary>One oracle process with the machine that is compared to it.</summary>
internal sealed class BatchWorker : IDisposable
{
    private readonly RunOptions _options;
    private readonly Dictionary<Row, RowCounts> _counts;
    private readonly Lock _lock;
    private readonly QemuOracle _oracle = new();
    private readonly EmulatedMachine _machine = new();
    private readonly ulong[] _ours;
    private readonly byte[] _zones;
    private readonly ulong[] _scratch = new ulong[StateWord.Count];
    private readonly List<int> _differences = [];
    private readonly List<Slot> _slots = [];

    public BatchWorker(RunOptions options, Dictionary<Row, RowCounts> counts, Lock @lock)
    {
        _options = options;
        _counts = counts;
        _lock = @lock;
        int cases = OracleLayout.MaxSlots * options.StatesPerWord;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cases, OracleLayout.MaxCases);
        _ours = new ulong[cases * StateWord.Count];
        _zones = new byte[cases * OracleLayout.ZoneBytes];
        CaseGenerator.Template.CopyTo(_oracle.Shared.Bytes(OracleLayout.TemplateOffset, OracleLayout.ZoneBytes));
        CaseGenerator.RestoreZones(_oracle.Shared.Bytes(OracleLayout.WindowOffset, OracleLayout.WindowBytes));
        CaseGenerator.RestoreZones(_machine.Window);
    }

    public void Run(long batch)
    {
        Layout(batch);
        FillStates();
        RunBatch(0, _slots.Count * _options.StatesPerWord);
    }

    /// <summary>Chooses the instructions and puts them into both code areas.</summary>
    private void Layout(long batch)
    {
        _slots.Clear();
        if (_options.Only is (ulong seed, int index))
        {
            _slots.Add(new Slot { Row = _options.Rows[0], Seed = seed, Index = index });
            if (!CaseGenerator.ChooseWords(_slots[0], _options.Exceptions))
                _slots.Clear();
        }
        else
        {
            long next = batch * OracleLayout.MaxSlots;
            for (int i = 0; i < OracleLayout.MaxSlots; i++, next++)
            {
                TableRow row = _options.Rows[(int)(next % _options.Rows.Count)];
                var random = new SplitMix64(_options.Seed * 0x9E3779B97F4A7C15 + (ulong)next);
                var slot = new Slot { Row = row, Seed = random.Next(), Index = _slots.Count };
                if (CaseGenerator.ChooseWords(slot, _options.Exceptions))
                    _slots.Add(slot);
                else
                    Interlocked.Increment(ref _counts[row.Row].NoEncoding);
            }
        }
        Span<uint> code = MemoryMarshal.Cast<byte, uint>(_machine.Code);
        code.Fill(OracleLayout.Filler);
        foreach (Slot slot in _slots)
        {
            int at = slot.Index * OracleLayout.SlotBytes / 4;
            code[at++] = OracleLayout.SlotEntry;
            if (slot.Before != 0)
                code[at++] = slot.Before;
            code[at++] = slot.Word;
            long back = (long)_oracle.SlotEnd - (long)(OracleLayout.CodeVa + (ulong)at * 4);
            code[at] = 0x14000000 | ((uint)(back >> 2) & 0x03FFFFFF);
        }
        _machine.Code.CopyTo(_oracle.Shared.Bytes(OracleLayout.CodeOffset, OracleLayout.CodeBytes));
        _machine.CodeChanged();
    }

    private Span<ulong> Before(int i) => _oracle.Shared.Words(OracleLayout.InOffset + i * StateWord.Count * 8, StateWord.Count);

    private Span<ulong> Theirs(int i) => _oracle.Shared.Words(OracleLayout.OutOffset + i * StateWord.Count * 8, StateWord.Count);

    private Span<ulong> Ours(int i) => _ours.AsSpan(i * StateWord.Count, StateWord.Count);

    private Slot SlotOf(int i) => _slots[i / _options.StatesPerWord];

    private void FillStates()
    {
        for (int i = 0; i < _slots.Count * _options.StatesPerWord; i++)
            CaseGenerator.FillState(SlotOf(i), i % _options.StatesPerWord, Before(i), _machine, _scratch);
    }

    private void RunBatch(int first, int count)
    {
        Span<ulong> header = _oracle.Shared.Words(0, 3);
        header[OracleLayout.CountOffset / 8] = (ulong)count;
        header[OracleLayout.CodeBytesOffset / 8] = OracleLayout.CodeBytes;
        if (count == 0)
            return;
        _oracle.Start();
        for (int i = first; i < count; i++)
            RunOurs(i);
        if (!_oracle.Wait())
        {
            int at = (int)_oracle.Shared.Words(OracleLayout.CurrentOffset, 1)[0];
            Report(at, "the oracle died or hung");
            RestoreOracleWindow();
            return;
        }
        for (int i = first; i < count; i++)
            Compare(i);
        CompareWindow();
    }

    private void RunOurs(int i)
    {
        Slot slot = SlotOf(i);
        Span<ulong> ours = Ours(i);
        _machine.Run(Before(i), slot.Words, ours);
        Span<byte> zones = Span<byte>.Empty;
        if (slot.Memory)
        {
            zones = Zones(i);
            _machine.Window.Slice(OracleLayout.ZoneA, OracleLayout.ZoneABytes).CopyTo(zones);
            _machine.Window.Slice(OracleLayout.ZoneB, OracleLayout.ZoneBBytes).CopyTo(zones[OracleLayout.ZoneABytes..]);
            CaseGenerator.RestoreZones(_machine.Window);
        }
        if (_options.Perturbation != Perturbation.None && (slot.Memory || _options.Perturbation != Perturbation.Memory))
            Perturb.Apply(_options.Perturbation, i, ours, zones);
    }

    private Span<byte> Zones(int i) => _zones.AsSpan(i * OracleLayout.ZoneBytes, OracleLayout.ZoneBytes);

    private void Compare(int i)
    {
        Slot slot = SlotOf(i);
        Span<ulong> theirs = Theirs(i);
        OutcomeComparer.Normalise(theirs);
        Ignore ignore = _options.Exceptions.Find(slot.Row, slot.Word, Before(i)[StateWord.Fpcr]);
        _differences.Clear();
        OutcomeComparer.Compare(theirs, Ours(i), ignore, _differences);
        RowCounts counts = _counts[slot.Row.Row];
        Interlocked.Increment(ref counts.Cases);
        if (theirs[StateWord.Signal] == 0)
            Interlocked.Increment(ref counts.Completed);
        else if (theirs[StateWord.Signal] == 4)
            Interlocked.Increment(ref counts.Illegal);
        int memory = -1;
        // After a fault part of a store may have been made (DDI0487, B2.2): memory is not compared.
        if (slot.Memory && theirs[StateWord.Signal] == 0 && (ignore & Ignore.Memory) == 0)
            memory = Zones(i).CommonPrefixLength(TheirZones(i));
        if ((ignore & Ignore.Run) != 0)
            return;
        if (_differences.Count > 0 || (memory >= 0 && memory < OracleLayout.ZoneBytes))
            Report(i, null, memory);
    }

    private Span<byte> TheirZones(int i) =>
        _oracle.Shared.Bytes(OracleLayout.ZonesOffset + i * OracleLayout.ZoneBytes, OracleLayout.ZoneBytes);

    private void Report(int i, string? what, int memory = -1)
    {
        Slot slot = SlotOf(i);
        RowCounts counts = _counts[slot.Row.Row];
        lock (_lock)
        {
            counts.Mismatches++;
            if (counts.Reports.Count < _options.KeepPerRow)
            {
                int state = i % _options.StatesPerWord;
                counts.Reports.Add(
                    CaseReport.Write(slot, state, Before(i), Theirs(i), Ours(i), _differences, memory, Zones(i), TheirZones(i), what));
            }
        }
    }

    /// <summary>No case may have written outside the zones.</summary>
    private void CompareWindow()
    {
        Span<byte> theirs = _oracle.Shared.Bytes(OracleLayout.WindowOffset, OracleLayout.WindowBytes);
        int at = theirs.CommonPrefixLength(_machine.Window);
        if (at == OracleLayout.WindowBytes)
            return;
        lock (_lock)
        {
            RowCounts counts = _counts[_slots[0].Row.Row];
            counts.Mismatches++;
            int start = Math.Min(at & ~15, OracleLayout.WindowBytes - 32);
            counts.Reports.Add(
                $"batch: outside the zones the window differs at offset 0x{at:x}; at 0x{start:x}: qemu "
                + $"{Convert.ToHexString(theirs.Slice(start, 32))} ours {Convert.ToHexString(_machine.Window.Slice(start, 32))}; touched "
                + $"by {Touching(at)}");
        }
        RestoreOracleWindow();
    }

    /// <summary>Cases whose general registers point near an offset of the window.</summary>
    private string Touching(int at)
    {
        var names = new List<string>();
        for (int i = 0; i < _slots.Count * _options.StatesPerWord; i++)
        {
            Slot slot = SlotOf(i);
            if (!slot.Memory || _machine.FirstAddressOf(Before(i), slot.Words, _scratch) is not ulong first)
                continue;
            if (first - (OracleLayout.WindowVa + (ulong)at - 64) < 80)
                names.Add(
                    $"{slot.Row.Name}:0x{slot.Seed:x}:{slot.Index} (state {i % _options.StatesPerWord}) at 0x{first:x} signal "
                    + $"{Theirs(i)[StateWord.Signal]}");
        }
        return names.Count == 0 ? "no case we know" : string.Join(", ", names);
    }

    private void RestoreOracleWindow()
    {
        Span<byte> theirs = _oracle.Shared.Bytes(OracleLayout.WindowOffset, OracleLayout.WindowBytes);
        theirs.Clear();
        _machine.Window.Clear();
        CaseGenerator.RestoreZones(theirs);
        CaseGenerator.RestoreZones(_machine.Window);
    }

    public void Dispose()
    {
        _oracle.Dispose();
        _machine.Dispose();
    }
}
