using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A timer of timer_create (kernel/time/posix-timers.c). Times in ns of its clock, as the first time namespace has it;
/// timers on CPU-time clocks are armed as if the process ran alone and check the CPU time when they expire.</summary>
internal sealed class PosixTimer(Timekeeper timekeeper, KernelTimers timers, int id, int clock)
{
    private KernelTimer? _timer;
    private TimerBase _base;
    private ulong _deadline;
    private long _overrun;
    private bool _pending;

    /// <summary>Clock of timer_create.</summary>
    internal int Clock => clock;

    /// <summary>Where its signal waits: the process, or SIGEV_THREAD_ID's thread.</summary>
    internal required PendingSignals Queue { get; init; }

    /// <summary>Sends its signal there.</summary>
    internal required Action<SignalInfo> Send { get; init; }

    /// <summary>Signal, or 0 for SIGEV_NONE.</summary>
    internal int Signal { get; init; }

    /// <summary>sigev_value.</summary>
    internal ulong Value { get; init; }

    /// <summary>CPU time now in ns for timers on a CPU-time clock; null for the others.</summary>
    internal Func<ulong>? CpuNow { get; init; }

    /// <summary>Interval in ns; 0: one shot.</summary>
    internal ulong Interval { get; private set; }

    /// <summary>Expirations that no signal was queued for since the last one.</summary>
    internal int Overrun => (int)Math.Min(_overrun, int.MaxValue);

    private ulong Now => CpuNow?.Invoke() ?? timekeeper.TimeOf(_base);

    /// <summary>ns until it expires; 0 when it is off.</summary>
    internal ulong Left => _deadline == 0 ? 0 : Math.Max(1, _deadline - Math.Min(_deadline, Now));

    internal void Disarm()
    {
        _timer?.Cancel();
        _timer = null;
        _deadline = 0;
    }

    /// <summary>Arms the timer for a time of a clock (or of the CPU-time clock), in ns.</summary>
    internal void Arm(TimerBase of, ulong deadline, ulong interval)
    {
        Disarm();
        _base = of;
        Interval = interval;
        _overrun = 0;
        _pending = false;
        _deadline = Math.Max(1, deadline);
        Start();
    }

    private void Start()
    {
        if (CpuNow is { } cpu)
        {
            ulong now = cpu();
            ulong at = timekeeper.NowNs + Math.Max(MachineClock.TickNs, now < _deadline ? _deadline - now : 0);
            _timer = timers.Add(at, Expired);
            return;
        }
        _timer = timers.Add(_base, _deadline, Expired, clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm);
    }

    private void Expired(ulong monotonic)
    {
        _timer = null;
        ulong now = CpuNow?.Invoke() ?? (ulong)((long)monotonic + timekeeper.OffsetOf(_base));
        if (now < _deadline)
        {
            Start();
            return;
        }
        long times = 1;
        if (Interval != 0)
        {
            times += (long)((now - _deadline) / Interval);
            _deadline += (ulong)times * Interval;
            Start();
        }
        else
        {
            _deadline = 0;
        }
        if (Signal == 0)
            return;
        if (_pending && Queue.HasTimer(id))
        {
            _overrun += times;
            return;
        }
        _pending = true;
        _overrun = times - 1;
        Send(new SignalInfo
        {
            Number = Signal,
            Code = Abi.Signal.SI_TIMER,
            TimerId = id,
            Pid = id,
            Uid = (uint)Overrun,
            Value = Value,
        });
    }
}
