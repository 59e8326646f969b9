using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Delivery;

/// <summary>A timer of timer_create (kernel/time/posix-timers.c). Times in ns of its clock, as the first time namespace has it;
/// timers on CPU-time clocks are armed as if the process ran alone and check the CPU time when they expire.</summary>
internal sealed class PosixTimer(LinuxKernel kernel, int id, int clock)
{
    private KernelTimer? _timer;
    private TimerBase _base;
    private ulong _deadline;
    private long _overrun;
    private bool _pending;

    /// <summary>Clock of timer_create.</summary>
    internal int Clock => clock;

    /// <summary>The process.</summary>
    internal required ThreadGroup Group { get; init; }

    /// <summary>SIGEV_THREAD_ID's thread, or null.</summary>
    internal KernelTask? Thread { get; init; }

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

    private ulong Now => CpuNow?.Invoke() ?? kernel.Timekeeper.TimeOf(_base);

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
            ulong at = kernel.Timekeeper.NowNs + Math.Max(MachineClock.TickNs, now < _deadline ? _deadline - now : 0);
            _timer = kernel.Timers.Add(at, Expired);
            return;
        }
        _timer = kernel.Timers.Add(_base, _deadline, Expired, clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm);
    }

    private void Expired(ulong monotonic)
    {
        _timer = null;
        ulong now = CpuNow?.Invoke() ?? (ulong)((long)monotonic + kernel.Timekeeper.OffsetOf(_base));
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
        PendingSignals queue = Thread?.Signals.Pending ?? Group.SharedPending;
        if (_pending && queue.HasTimer(id))
        {
            _overrun += times;
            return;
        }
        _pending = true;
        _overrun = times - 1;
        var info = new SignalInfo
        {
            Number = Signal,
            Code = Abi.Signal.SI_TIMER,
            TimerId = id,
            Pid = id,
            Uid = (uint)Overrun,
            Value = Value,
        };
        if (Thread is { } thread)
            kernel.SignalDelivery.Send(thread, info);
        else
            kernel.SignalDelivery.Send(Group, info);
    }
}
