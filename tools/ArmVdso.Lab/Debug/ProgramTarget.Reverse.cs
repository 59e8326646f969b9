using System.Reflection;

namespace ArmVdso.Lab.Debug;

/// <summary>Going backwards: the machine is put back to a checkpoint in memory and executes again up to the place that is wanted. What a
/// run takes from outside (input, decisions about signals) is kept and given again; what it writes is written once.</summary>
public sealed partial class ProgramTarget
{
    private const int MostMoments = 32;

    /// <summary>Cycles between checkpoints at first; twice as many each time that there are too many of them.</summary>
    private const ulong FirstSpan = 1 << 25;

    /// <summary>Instructions before a place at which a checkpoint is made on the way to it: steps backwards come in numbers.</summary>
    private const ulong Near = 100_000;

    /// <summary>The run at some time.</summary>
    /// <param name="Checkpoint">The machine and the kernel.</param>
    /// <param name="Total">Instructions and exceptions of all CPUs.</param>
    /// <param name="Instructions">Instructions of each CPU.</param>
    /// <param name="Cycle">The cycle of the pause that it was made in; null: it was made at a stop.</param>
    /// <param name="Place">The place that it was made at.</param>
    private sealed record Moment(MachineCheckpoint Checkpoint, ulong Total, ulong[] Instructions, ulong? Cycle, Place Place);

    private readonly List<Moment> _moments = [];
    private readonly List<int> _decisions = [];
    private readonly List<byte[]> _input = [];
    private readonly long[] _shown = new long[3];
    private Moment? _near;
    private ulong _span = FirstSpan;
    private bool _replays, _changed;
    private (DebugStop Stop, Place Place)? _passed;
    private Place _end;

    /// <inheritdoc/>
    public override bool CanReverse => !_everybody && MachineCheckpoint.IsSupported && Kernel.Hooks is { Keyboard: null, SystemCall: null }
        && ReferenceEquals(Machine.Observer, _offsets) && Machine.Engine is not (EngineKind.PortableChecked or EngineKind.NativeChecked);

    private ulong Total()
    {
        ulong total = 0;
        foreach (Cpu cpu in Machine.Cpus)
            total += cpu.Instructions + cpu.ExceptionEntries;
        return total;
    }

    private Place Here => new(_stoppedCpu, Machine.Cpus[_stoppedCpu].Instructions);

    // All but the machine, its kernel and what is known of the run is the host's.
    private static bool IsOutside(Type type)
    {
        Assembly assembly = type.Assembly;
        if (assembly == typeof(Machine).Assembly || assembly == typeof(LinuxKernel).Assembly)
            return typeof(KernelHooks).IsAssignableFrom(type);
        return type != typeof(Known) && assembly != typeof(object).Assembly
            && assembly.GetName().Name?.StartsWith("System.", StringComparison.Ordinal) != true;
    }

    private Moment Make() => new(
        MachineCheckpoint.Take(Machine, new object[] { Kernel, _known }, IsOutside, (_near ?? _moments.LastOrDefault())?.Checkpoint),
        Total(), [.. Machine.Cpus.Select(c => c.Instructions)], Machine.Paused ? Machine.NextCycle : null, Here);

    /// <summary>Keeps the run as it stands.</summary>
    private void Remember()
    {
        if (_moments.Count == MostMoments)
        {
            _span *= 2;
            int i = 0;
            _moments.RemoveAll(_ => i++ % 2 == 1);
        }
        _moments.Add(Make());
    }

    private void PauseNext() => Machine.PauseAt = Machine.NextCycle is ulong.MaxValue ? ulong.MaxValue : Machine.NextCycle + _span;

    /// <summary>What comes from here on will not be what it was: somebody has changed something, or decides anew.</summary>
    private void ForgetFuture()
    {
        if (_moments.Count == 0)
            return;
        ulong total = Total();
        bool decides = _decisions.Count > _known.Decisions;
        if (!_changed && !decides)
            return;
        _moments.RemoveAll(m => m.Total > total);
        _near = null;
        _decisions.RemoveRange(_known.Decisions, _decisions.Count - _known.Decisions);
        _input.RemoveRange(_known.Reads, _input.Count - _known.Reads);
        if (!_changed)
            return;
        _changed = false;
        _known.Written.CopyTo(_shown, 0);
        Remember();
    }

    private void Restore(Moment moment)
    {
        moment.Checkpoint.Restore();
        _stops.Clear();
        _steps.Clear();
        _changed = false;
        Machine.PauseAt = ulong.MaxValue;
    }

    /// <summary>Executes again to where a goal or a pause was set.</summary>
    private void Replay(Func<bool> wanted)
    {
        _replays = true;
        _unit.IsThere = false;
        try
        {
            _ = _session.RunUntil(() => _unit.IsThere || Machine.Paused || wanted());
        }
        finally
        {
            _replays = false;
            _unit.RunTo(null, 0);
            Machine.PauseAt = ulong.MaxValue;
        }
    }

    /// <summary>Goes to a place that the run has been at.</summary>
    private void Go(Place place)
    {
        static bool Never() => false;
        Moment from = Moments().Last(m => m.Instructions[place.Cpu] < place.Instructions || ReferenceEquals(m, _moments[0]));
        Restore(from);
        Cpu cpu = Machine.Cpus[place.Cpu];
        if (cpu.Instructions + 2 * Near < place.Instructions)
        {
            _stoppedCpu = place.Cpu;
            _unit.RunTo(cpu, place.Instructions - Near);
            Replay(Never);
            _near = Make();
        }
        _unit.RunTo(cpu, place.Instructions);
        Replay(Never);
        _stoppedCpu = place.Cpu;
    }

    private IEnumerable<Moment> Moments() => (_near is null ? _moments : _moments.Append(_near)).OrderBy(m => m.Total);

    /// <summary>Something was passed, going forwards, that stops who goes backwards.</summary>
    private void Pass(DebugStop stop, Place place)
    {
        if (place != _end)
            _passed = (stop, place);
    }

    /// <inheritdoc/>
    public override DebugStop Reverse(ThreadId? thread, Func<bool> wanted)
    {
        _actions = [];
        Breakpoints.Changed = true;
        Apply();
        return thread is { } stepping ? StepBack(stepping) : ContinueBack(wanted);
    }

    /// <summary>To the instruction of a thread before the one that it is at.</summary>
    private DebugStop StepBack(ThreadId thread)
    {
        KernelTask? task = Find(thread);
        ulong pc = task is null ? 0 : General(task, CpuOf(task), Pc);
        while (task is not null)
        {
            if (CpuOf(task) is { EL: 0 } cpu)
            {
                if (cpu.Instructions == 0 || Moments().First() is var first && cpu.Instructions <= first.Instructions[cpu.Index])
                    break;
                Go(new Place(cpu.Index, cpu.Instructions - 1));
                if (Find(thread) is { } same && CpuOf(same) is { EL: 0 } there && there.Index == cpu.Index)
                    return new DebugStop(StopKind.Step, thread);
            }
            // The kernel did something in between. What it interrupted, the thread has not executed yet.
            task = Find(thread);
            if (task is null || !_known.Departures.TryGetValue(task, out Departure left))
                break;
            Go(left.Place);
            task = Find(thread);
            if (left.Pc != pc)
                return new DebugStop(StopKind.Step, thread);
        }
        return new DebugStop(StopKind.NoHistory, thread);
    }

    private DebugStop ContinueBack(Func<bool> wanted)
    {
        _end = Here;
        ulong total = Total();
        bool stop = false;
        Moment? next = null;
        foreach (Moment moment in Moments().Where(m => m.Total < total).Reverse().ToList())
        {
            Restore(moment);
            _passed = null;
            if (next is { Cycle: { } cycle })
                Machine.PauseAt = cycle;
            else
                _unit.RunTo(Machine.Cpus[(next?.Place ?? _end).Cpu], (next?.Place ?? _end).Instructions);
            Replay(() => stop = wanted());
            if (stop)
                return new DebugStop(StopKind.Interrupt, Running());
            if (_passed is { } passed)
            {
                Go(passed.Place);
                return passed.Stop;
            }
            next = moment;
        }
        if (next is not null)
        {
            Restore(next);
            _stoppedCpu = next.Place.Cpu;
        }
        return new DebugStop(StopKind.NoHistory, Running());
    }

    /// <summary>A standard stream that a run writes to; what was written before it went backwards is not written again.</summary>
    private sealed class WrittenOnce(ProgramTarget target, int number, Stream inner) : SequentialStream
    {
        public override bool CanWrite => true;

        public override void Flush() => inner.Flush();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            ref long written = ref target._known.Written[number];
            ref long shown = ref target._shown[number];
            int known = (int)Math.Clamp(shown - written, 0, buffer.Length);
            inner.Write(buffer[known..]);
            written += buffer.Length;
            shown = Math.Max(shown, written);
        }
    }

    /// <summary>Standard input, which is the same again.</summary>
    private sealed class ReadOnce(ProgramTarget target, Stream inner) : SequentialStream
    {
        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            if (target._known.Reads == target._input.Count)
            {
                int n = inner.Read(buffer);
                target._input.Add(buffer[..n].ToArray());
            }
            byte[] bytes = target._input[target._known.Reads++];
            bytes.CopyTo(buffer);
            return bytes.Length;
        }
    }
}
