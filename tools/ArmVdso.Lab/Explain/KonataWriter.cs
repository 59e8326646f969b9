using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Explain;

/// <summary>Collects the instructions of a window of a run and writes them as a log for the pipeline viewer Konata (Kanata 0004): stages F
/// fetch, D rename or decode, Is waiting to issue, Ex executing, Cm waiting to retire; the thread is the CPU.</summary>
public sealed class KonataWriter
{
    private const int Most = 2_000_000;

    /// <summary>A CPU's way through the run.</summary>
    private sealed class PerCpu
    {
        internal ulong Number;
        internal ulong Next;
        internal ulong Return;
        internal bool InCall;
        internal CodeRange Code;
        internal MemoryMap? Memory;
    }

    private readonly List<PipelineRecord> _records = [];
    private readonly PipelineWindow _window;
    private readonly LinuxKernel _kernel;
    private readonly CodeMap _code;

    /// <summary>Watches a session that has not run yet.</summary>
    /// <param name="session">The session.</param>
    /// <param name="window">What is kept.</param>
    /// <exception cref="LabException">The timing model has no pipeline.</exception>
    public KonataWriter(Session session, PipelineWindow window)
    {
        ArgumentNullException.ThrowIfNull(session);
        _window = window;
        _kernel = session.Kernel;
        _code = new CodeMap(_kernel);
        foreach (Cpu cpu in session.Machine.Cpus)
        {
            var state = new PerCpu();
            PipelineRecorder.Attach(cpu, record => See(cpu, state, record));
        }
    }

    private void See(Cpu cpu, PerCpu state, PipelineRecord record)
    {
        bool wanted = _window.Function is null ? InStretch(state, record) : InCall(cpu, state, record);
        state.Next = record.Pc + 4;
        if (!wanted || _records.Count >= Most)
            return;
        MemoryMap? memory = _kernel.Scheduler.Current(cpu.Index).Mm;
        if (record.Pc < state.Code.Start || record.Pc >= state.Code.End || memory != state.Memory)
            (state.Code, state.Memory) = (_code.RangeOf(memory, record.Pc), memory);
        record.Symbol = state.Code.Name;
        _records.Add(record);
    }

    private bool InStretch(PerCpu state, PipelineRecord record)
    {
        ulong at = _window.Instructions ? state.Number++ : (ulong)Math.Max(Start(record), 0);
        return at >= _window.From && at < _window.To;
    }

    /// <summary>The call that is wanted, with what it calls and what interrupts it, to where its caller goes on.</summary>
    private bool InCall(Cpu cpu, PerCpu state, PipelineRecord record)
    {
        if (state.InCall)
            return state.InCall = record.Pc != state.Return;
        // A function is entered by a branch.
        if (Calls >= _window.Call || record.Pc == state.Next || !Enters(cpu, record.Pc) || ++Calls < _window.Call)
            return false;
        state.Return = cpu.Strip(cpu.X(30), false);
        return state.InCall = true;
    }

    private bool Enters(Cpu cpu, ulong pc)
    {
        if (pc >> 63 != 0)
            return _kernel.El1.Find(_window.Function!) == pc;
        return _kernel.Scheduler.Current(cpu.Index).Mm is { } memory && _code.Find(memory, pc) is { File: { } file } place
            && file.Functions.Begins(_window.Function!, pc - place.Bias);
    }

    /// <summary>Instructions in the window; at most two million are kept.</summary>
    public int Count => _records.Count;

    /// <summary>Calls of the window's function that began, as far as they were counted.</summary>
    public ulong Calls { get; private set; }

    private static long Start(PipelineRecord r) => Math.Min(r.Fetched, r.Entered);

    /// <summary>Writes the log.</summary>
    public void Write(TextWriter output)
    {
        output.Write("Kanata\t0004\n");
        // Numbers of the file follow the order in which instructions begin.
        PipelineRecord[] order = [.. _records.OrderBy(Start).ThenBy(r => r.Cpu)];
        var events = new List<(long Cycle, int Id, int Rank, string Text)>(order.Length * 8);
        var retired = new Dictionary<PipelineRecord, int>();
        foreach (PipelineRecord r in order.OrderBy(r => r.Retired))
            retired.Add(r, retired.Count);
        for (int id = 0; id < order.Length; id++)
            Events(order[id], id, retired[order[id]], events);
        Dependencies(order, events);
        events.Sort(
            (a, b) => a.Cycle != b.Cycle ? a.Cycle.CompareTo(b.Cycle) : a.Id != b.Id ? a.Id.CompareTo(b.Id) : a.Rank.CompareTo(b.Rank));
        long now = events.Count == 0 ? 0 : events[0].Cycle;
        output.Write($"C=\t{now}\n");
        foreach ((long cycle, _, _, string text) in events)
        {
            if (cycle > now)
            {
                output.Write($"C\t{cycle - now}\n");
                now = cycle;
            }
            output.Write(text);
        }
    }

    private static void Events(PipelineRecord r, int id, int retired, List<(long Cycle, int Id, int Rank, string Text)> events)
    {
        long start = Start(r);
        string symbol = r.Symbol.Length == 0 ? "" : $" <{r.Symbol}>";
        events.Add((start, id, 0, $"I\t{id}\t{id}\t{r.Cpu}\n"));
        events.Add((start, id, 1, $"L\t{id}\t0\t{r.Pc:x}:{symbol} {Disassembler.Disassemble(r.Word, r.Pc)}\n"));
        string waits = string.Join("; ", r.Stalls.Select(s => s.Cycles > 0 ? $"{s.Cycles}: {Reason(s)}" : s.Text));
        events.Add((start, id, 2, $"L\t{id}\t1\tEL{r.EL} {r.Class} {r.Pipe} {waits}".TrimEnd() + "\n"));
        (string Stage, long At)[] stages = [("F", start), ("D", r.Entered), ("Is", r.Entered + 1), ("Ex", r.Issued), ("Cm", r.Done)];
        int rank = 3;
        string open = "";
        for (int i = 0; i < stages.Length; i++)
        {
            (string stage, long at) = stages[i];
            long until = i + 1 < stages.Length ? stages[i + 1].At : r.Retired;
            if (until <= at)
                continue;
            if (open.Length > 0)
                events.Add((at, id, rank++, $"E\t{id}\t0\t{open}\n"));
            events.Add((at, id, rank++, $"S\t{id}\t0\t{stage}\n"));
            open = stage;
        }
        if (open.Length > 0)
            events.Add((r.Retired, id, rank++, $"E\t{id}\t0\t{open}\n"));
        events.Add((r.Retired, id, rank, $"R\t{id}\t{retired}\t0\n"));
    }

    private static string Reason(Stall stall) =>
        stall.Register < 0 ? stall.Text : stall.RegisterName + (stall.Text.Length > 0 ? $" ({stall.Text})" : "");

    /// <summary>An arrow from the producer of each register that an instruction waited for.</summary>
    private void Dependencies(PipelineRecord[] order, List<(long Cycle, int Id, int Rank, string Text)> events)
    {
        var ids = new Dictionary<PipelineRecord, int>();
        for (int id = 0; id < order.Length; id++)
            ids.Add(order[id], id);
        var writers = new Dictionary<(int Cpu, int Register), PipelineRecord>();
        foreach (PipelineRecord r in _records)
        {
            foreach (Stall stall in r.Stalls)
            {
                if (stall.Register >= 0 && writers.TryGetValue((r.Cpu, stall.Register), out PipelineRecord? producer))
                    events.Add((r.Issued, ids[r], 2, $"W\t{ids[r]}\t{ids[producer]}\t0\n"));
            }
            foreach (byte register in r.Destinations)
                writers[(r.Cpu, register)] = r;
        }
    }
}
