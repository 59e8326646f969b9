using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Lab.Check;

/// <summary>Everything that the system call could have answered between the entry and the return of one call.</summary>
internal sealed class TruthWindow(CheckedFunction function, KernelTask task)
{
    private readonly HashSet<long> _values = [];
    private readonly Dictionary<int, (long Low, long High)> _intervals = [];

    internal KernelTask Task => task;

    /// <summary>Adds what is true now.</summary>
    internal void Sample(CheckRig rig, ClockHistory clocks)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead || task.Mm is null)
            return;
        switch (function.Kind)
        {
            case AnswerKind.Random:
                _values.Add((long)rig.Control.RandomGeneration);
                break;
            case AnswerKind.Invariant:
                break;
            case AnswerKind.CoarseClock:
                // Another time namespace than the one in which the updates were noted.
                long shift = ReferenceEquals(task, rig.Victim) ? 0 : function.Truth(rig, task) - function.Truth(rig, rig.Victim);
                foreach ((_, long realtime, long monotonic) in clocks.Visible)
                    _values.Add((function.First == Clocks.RealtimeCoarse ? realtime : monotonic) + shift);
                break;
            case AnswerKind.Clock or AnswerKind.TimeOfDay:
                long now = function.Truth(rig, task);
                foreach ((int epoch, long value) in clocks.Values(rig, function, now))
                {
                    if (value < 0)
                    {
                        _values.Add(value);
                        continue;
                    }
                    _intervals[epoch] = _intervals.TryGetValue(epoch, out (long Low, long High) seen)
                        ? (Math.Min(seen.Low, value), Math.Max(seen.High, value))
                        : (value, value);
                }
                break;
            default:
                _values.Add(function.Truth(rig, task));
                break;
        }
    }

    /// <summary>Takes over what another window has seen (the history of a forked child begins in its parent).</summary>
    internal void Inherit(TruthWindow other)
    {
        _values.UnionWith(other._values);
        foreach ((int epoch, (long Low, long High) interval) in other._intervals)
            _intervals[epoch] = interval;
    }

    /// <summary>Whether a system call could have answered this.</summary>
    internal bool Allows(long? answer)
    {
        if (answer is not { } value)
            return false;
        // The page of an auxiliary clock has whole ns (vdso_time_update_aux), the kernel a fraction besides.
        int behind = function.IsAuxiliary ? 1 : 0;
        return _values.Contains(value) || _intervals.Values.Any(i => i.Low - behind <= value && value <= i.High);
    }

    /// <summary>Whether keys of a generation were to be used at some time during the call.</summary>
    internal bool WasCurrent(ulong generation) => _values.Contains((long)generation);

    /// <summary>The truths, for people.</summary>
    internal string Show() =>
        function.Kind == AnswerKind.Random
        ? $"bytes never given out before, of a key of generation {string.Join(" or ", _values.Order())}"
        : string.Join(" or ", _values.Order().Select(v => function.Show(v))
        .Concat(_intervals.OrderBy(i => i.Key).Select(i => $"{function.Show(i.Value.Low)} to {function.Show(i.Value.High)}")));
}

/// <summary>What the clocks were before updates whose stores are not all visible yet.</summary>
internal sealed class ClockHistory
{
    private int _epoch;
    private long _realtimeStep;
    private AuxiliaryReading _auxiliary;
    private bool _open;

    private ulong _random = 1;

    /// <summary>Another number that no earlier call gave (SplitMix64), for batches of random bytes.</summary>
    internal ulong NextRandom()
    {
        ulong z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Words of all random bytes that were given out.</summary>
    internal HashSet<ulong> Given { get; } = [];

    /// <summary>Values of the coarse clocks at the updates that a reader may see now: epoch, realtime, monotonic, in ns.</summary>
    internal List<(int Epoch, long Realtime, long Monotonic)> Visible { get; } = [];

    /// <summary>An update begins: from now to its last store, what was before may still be read.</summary>
    /// <param name="rig">The rig.</param>
    /// <param name="task">A task to ask the kernel for.</param>
    /// <param name="update">Changes the kernel's truth and holds the stores back.</param>
    internal void Begin(CheckRig rig, KernelTask task, Action update)
    {
        long before = Realtime.Truth(rig, task);
        _auxiliary = rig.Auxiliary?.Reading ?? default;
        update();
        _realtimeStep = Realtime.Truth(rig, task) - before;
        _epoch++;
        _open = true;
        Visible.Add((_epoch, RealtimeCoarse.Truth(rig, task), MonotonicCoarse.Truth(rig, task)));
    }

    /// <summary>Its last store is visible.</summary>
    internal void End()
    {
        _open = false;
        Visible.RemoveAll(v => v.Epoch < _epoch);
    }

    /// <summary>What a clock is now, in the clock's unit, and while an update is open what it is by the epoch before.</summary>
    /// <param name="rig">The rig.</param>
    /// <param name="function">The clock's function.</param>
    /// <param name="now">What the kernel says now.</param>
    internal IEnumerable<(int Epoch, long Value)> Values(CheckRig rig, CheckedFunction function, long now)
    {
        yield return (_epoch, now);
        if (!_open)
            yield break;
        bool real = function.Kind == AnswerKind.TimeOfDay || function.First is Clocks.Realtime or Clocks.Tai;
        yield return (_epoch - 1, function.IsAuxiliary
            ? _auxiliary.At(rig.Kernel.Clock.Now) ?? -Errno.ENODEV
            : real ? now - _realtimeStep / (function.Kind == AnswerKind.TimeOfDay ? 1000 : 1) : now);
    }

    private static CheckedFunction Realtime { get; } = CheckedFunction.All.First(f => f.Name == "clock_gettime_realtime");

    private static CheckedFunction RealtimeCoarse { get; } = CheckedFunction.All.First(f => f.Name == "clock_gettime_realtime_coarse");

    private static CheckedFunction MonotonicCoarse { get; } = CheckedFunction.All.First(f => f.Name == "clock_gettime_monotonic_coarse");
}
