namespace ArmVdso.Fuzz;

/// <summary>Notices that a case takes too long. Time is that of this process's CPU: a busy host is no hang.</summary>
public sealed class HangWatch : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private readonly TimeSpan _limit;
    private readonly Action<string> _stuck;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private TimeSpan _last = Environment.CpuUsage.TotalTime;
    private Action? _stop;

    /// <summary>Begins to watch.</summary>
    /// <param name="seconds">CPU seconds without a sign of life that are a hang.</param>
    /// <param name="stuck">Called when even a request to stop has not helped, after as long again.</param>
    public HangWatch(double seconds, Action<string> stuck)
    {
        _limit = TimeSpan.FromSeconds(seconds);
        _stuck = stuck;
        _timer = new Timer(_ => LookAt(), null, Look, Look);
    }

    /// <summary>Whether the case that runs now hangs.</summary>
    public bool Hangs { get; private set; }

    /// <summary>A new case, and how it can be stopped; null: it cannot.</summary>
    public void Begin(Action? stop)
    {
        lock (_lock)
        {
            (_stop, Hangs) = (stop, false);
            _last = Environment.CpuUsage.TotalTime;
        }
    }

    /// <summary>A sign of life.</summary>
    public void Alive()
    {
        lock (_lock)
            _last = Environment.CpuUsage.TotalTime;
    }

    private void LookAt()
    {
        lock (_lock)
        {
            TimeSpan silent = Environment.CpuUsage.TotalTime - _last;
            if (silent < _limit)
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
