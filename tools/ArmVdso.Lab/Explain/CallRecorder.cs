namespace ArmVdso.Lab.Explain;

/// <summary>Records calls of a function, or what follows an address, on every CPU of a machine: the first, the fastest, or a chosen
/// one.</summary>
internal sealed class CallRecorder
{
    private sealed class PerCpu
    {
        internal List<PipelineRecord>? Active;
        internal ulong Return;
    }

    private readonly Machine _machine;
    private readonly IReadOnlySet<ulong> _starts;
    private readonly int _longest;
    private readonly int _wanted;
    private readonly int _enough;
    private readonly bool _prefers;
    private int _stayed;

    /// <summary>Calls seen to their end.</summary>
    internal int Calls { get; private set; }

    /// <summary>The first call.</summary>
    internal List<PipelineRecord>? First { get; private set; }

    /// <summary>The call that took the fewest cycles, the earliest of equals.</summary>
    internal List<PipelineRecord>? Fastest { get; private set; }

    /// <summary>Number of <see cref="Fastest"/>, from 1.</summary>
    internal int FastestNumber { get; private set; }

    /// <summary>The call that was asked for by its number.</summary>
    internal List<PipelineRecord>? Chosen { get; private set; }

    /// <summary>Whether <see cref="Fastest"/> and <see cref="First"/> are calls that made no system call and were not interrupted:
    /// where there are such, no others are taken.</summary>
    internal bool Stayed { get; private set; }

    /// <summary>Number of <see cref="First"/>, from 1.</summary>
    internal int FirstNumber { get; private set; }

    /// <summary>Times the calls that are wanted, all of which may make a system call before that is taken to be the rule.</summary>
    private const int Patience = 8;

    private const uint SupervisorCall = 0xD4000001;

    /// <summary>All calls that are wanted have been seen.</summary>
    internal bool Enough => _wanted > 0 ? Chosen is not null : (_prefers ? _stayed : Calls) >= _enough || Calls >= _enough * Patience;

    /// <summary>Watches a machine.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="starts">Addresses that begin a record; more may come while the machine runs.</param>
    /// <param name="longest">Instructions after which a record ends.</param>
    /// <param name="wanted">Number of the call that is wanted, from 1; 0: first and fastest.</param>
    /// <param name="enough">Calls after which the first and the fastest are taken.</param>
    /// <param name="prefers">Whether calls that make no system call are preferred.</param>
    /// <exception cref="LabException">The timing model has no pipeline.</exception>
    internal CallRecorder(Machine machine, IReadOnlySet<ulong> starts, int longest, int wanted, int enough, bool prefers)
    {
        _prefers = prefers;
        _machine = machine;
        _starts = starts;
        _longest = longest;
        _wanted = wanted;
        _enough = enough;
        foreach (Cpu cpu in machine.Cpus)
        {
            var state = new PerCpu();
            PipelineRecorder.Attach(cpu, record => See(cpu, state, record));
        }
    }

    private void See(Cpu cpu, PerCpu state, PipelineRecord record)
    {
        if (state.Active is { } active)
        {
            if (record.Pc == state.Return || active.Count >= _longest)
            {
                state.Active = null;
                Finish(active);
            }
            else
            {
                active.Add(record);
                return;
            }
        }
        if (Enough || !_starts.Contains(record.Pc))
            return;
        // Where the caller goes on; code that is not called ends at the limit. PACIASP may have put its code into X30.
        state.Return = cpu.Strip(cpu.X(30), false);
        state.Active = [record];
    }

    private void Finish(List<PipelineRecord> call)
    {
        Calls++;
        // The first one may have had its pages brought in; a later one that left its exception level was interrupted, or asked the kernel.
        bool stayed = _prefers && (Calls == 1
            ? !call.Exists(r => r.EL <= 0 && (r.Word & 0xFFE0001F) == SupervisorCall) : call.All(r => r.EL == call[0].EL));
        _stayed += stayed ? 1 : 0;
        if (stayed && !Stayed)
            (Stayed, First, Fastest) = (true, null, null);
        if (stayed == Stayed && First is null)
            (First, FirstNumber) = (call, Calls);
        if (stayed == Stayed && (Fastest is null || Cycles(call) < Cycles(Fastest)))
        {
            Fastest = call;
            FastestNumber = Calls;
        }
        if (Calls == _wanted)
            Chosen = call;
        if (Enough)
            _machine.StopRequested = true;
    }

    /// <summary>Cycles from the first instruction's entry into the window to the last one's retirement.</summary>
    internal static long Cycles(List<PipelineRecord> call) => call[^1].Retired - call[0].Entered;
}
