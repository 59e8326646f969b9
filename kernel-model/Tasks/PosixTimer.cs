using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A timer of timer_create (kernel/time/posix-timers.c). Times in ns of its clock, as the first time namespace has it;
/// timers on CPU-time clocks are armed as if the process ran alone and check the CPU time when they expire. With an interval it goes on
/// when its signal is delivered, not when it expires: a tiny interval costs no more than the deliveries.</summary>
internal sealed class PosixTimer(Timekeeper timekeeper, KernelTimers timers, int id, int clock)
{
    private KernelTimer? _timer;
    private TimerBase _base;
    private ulong _deadline;
    private long _overrun = -1;
    private int _lastOverrun;

    /// <summary>Counts settings, so that a signal of an earlier one does not restart the timer.</summary>
    private int _setting;

    /// <summary>Its signal is under way, and the timer goes on when it is delivered.</summary>
    private bool _waits;

    /// <summary>Clock of timer_create.</summary>
    internal int Clock => clock;

    /// <summary>Where its signal waits: the process, or SIGEV_THREAD_ID's thread.</summary>
    internal required PendingSignals Queue { get; init; }

    /// <summary>Sends its signal there. False: it is ignored.</summary>
    internal required Func<SignalInfo, bool> Send { get; init; }

    /// <summary>Signal, or 0 for SIGEV_NONE.</summary>
    internal int Signal { get; init; }

    /// <summary>How its end is told, and to whom, as /proc/PID/timers writes it with numbers of a PID namespace.</summary>
    internal required Func<PidNamespace, string> Notify { get; init; }

    /// <summary>sigev_value.</summary>
    internal ulong Value { get; init; }

    /// <summary>CPU time now in ns for timers on a CPU-time clock; null for the others.</summary>
    internal Func<ulong>? CpuNow { get; init; }

    /// <summary>Interval in ns; 0: one shot.</summary>
    internal ulong Interval { get; private set; }

    /// <summary>Expirations beyond the one of the last signal that was delivered.</summary>
    internal int Overrun => _lastOverrun;

    private ulong Now => CpuNow?.Invoke() ?? timekeeper.TimeOf(_base);

    /// <summary>ns until it expires; 0 when it is off.</summary>
    internal ulong Left
    {
        get
        {
            if (_deadline == 0)
                return 0;
            ulong now = Now, deadline = _deadline;
            if (Interval != 0 && deadline <= now && (_waits || Signal == 0))
                deadline += ((now - deadline) / Interval + 1) * Interval;
            return deadline > now ? deadline - now : Signal == 0 ? 0 : 1UL;
        }
    }

    internal void Disarm()
    {
        _timer?.Cancel();
        _timer = null;
        _deadline = 0;
        _waits = false;
        _setting++;
    }

    /// <summary>Arms the timer for a time of a clock (or of the CPU-time clock), in ns.</summary>
    internal void Arm(TimerBase of, ulong deadline, ulong interval)
    {
        Disarm();
        _base = of;
        Interval = interval;
        _overrun = -1;
        _lastOverrun = 0;
        _deadline = Math.Max(1, deadline);
        if (Signal != 0)
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
        int setting = _setting;
        bool sent = Queue.HasTimer(id) || Send(new SignalInfo
        {
            Number = Signal,
            Code = Abi.Signal.SI_TIMER,
            TimerId = id,
            Pid = id,
            Value = Value,
            Taken = Interval == 0 ? null : info => setting == _setting ? GoOn(info) : info,
        });
        if (Interval == 0)
        {
            _deadline = 0;
        }
        else if (sent)
        {
            _waits = true;
        }
        else
        {
            // Nobody will take the signal: the timer goes on by itself, no faster than the tick.
            _overrun += Forward(now + (Interval < MachineClock.TickNs ? MachineClock.TickNs : 0));
            Start();
        }
    }

    /// <summary>Moves the expiry beyond a time; the number of intervals (hrtimer_forward).</summary>
    private long Forward(ulong now)
    {
        if (now < _deadline)
            return 0;
        ulong times = (now - _deadline) / Interval + 1;
        _deadline += times * Interval;
        return (long)Math.Min(times, long.MaxValue / 2);
    }

    /// <summary>Its signal is delivered (posixtimer_rearm): the next expiry is the first that has not passed yet.</summary>
    private SignalInfo GoOn(SignalInfo info)
    {
        _waits = false;
        _overrun = Math.Min(_overrun + Forward(Now), int.MaxValue);
        _lastOverrun = (int)Math.Max(0, _overrun);
        _overrun = -1;
        Start();
        return info with { Uid = (uint)_lastOverrun };
    }
}
