namespace ArmVdso.Fuzz;

/// <summary>Notices that a case takes too long. Where a guest runs, that is so many of its instructions without a sign of life, or so much
/// time of this process's CPU in which it executes none; elsewhere the time alone. A busy host is no hang.</summary>
public sealed class HangWatch : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private readonly TimeSpan _limit;
    private readonly Action<string> _stuck;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private TimeSpan _last = Environment.CpuUsage.TotalTime;
    private Action? _stop;
    private Func<ulong>? _progress;
    private ulong _seen, _atSign;

    /// <summary>Instructions without a sign of life that are a hang: some ten times what a batch of any guest has between two.</summary>
    private const ulong MostSilent = 4_000_000_000;

    /// <summary>Begins to watch.</summary>
    /// <param name="seconds">CPU seconds without progress that are a hang.</param>
    /// <param name="stuck">Called when even a request to stop has not helped, after as long again.</param>
    public HangWatch(double seconds, Action<string> stuck)
    {
        _limit = TimeSpan.FromSeconds(seconds);
        _stuck = stuck;
        _timer = new Timer(_ => LookAt(), null, Look, Look);
    }

    /// <summary>Whether the case that runs now hangs.</summary>
    public bool Hangs { get; private set; }

    /// <summary>A new case.</summary>
    /// <param name="stop">How it can be stopped; null: it cannot.</param>
    /// <param name="progress">How many instructions it has executed; null: it is none of a guest.</param>
    public void Begin(Action? stop, Func<ulong>? progress = null)
    {
        lock (_lock)
        {
            (_stop, _progress, _seen, _atSign, Hangs) = (stop, progress, 0, 0, false);
            _last = Environment.CpuUsage.TotalTime;
        }
    }

    /// <summary>A sign of life.</summary>
    public void Alive()
    {
        lock (_lock)
        {
            _last = Environment.CpuUsage.TotalTime;
            _atSign = _progress?.Invoke() ?? 0;
        }
    }

    private void LookAt()
    {
        lock (_lock)
        {
            TimeSpan now = Environment.CpuUsage.TotalTime;
            ulong done = _progress?.Invoke() ?? 0;
            if (done != _seen)
                (_seen, _last) = (done, now);
            TimeSpan silent = now - _last;
            if (silent < _limit && (done < _atSign || done - _atSign < MostSilent))
                return;
            Hangs = true;
            _stop?.Invoke();
            if (silent >= 2 * _limit)
                _stuck($"no sign of life for {silent.TotalSeconds:F1} s of CPU time, and no end when asked");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
