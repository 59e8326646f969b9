using ArmVdso.Emulator;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Explore;

namespace ArmVdso.Kernel;

/// <summary>CLOCK_* numbers (include/uapi/linux/time.h).</summary>
public static class Clocks
{
#pragma warning disable CS1591
    public const int Realtime = 0, Monotonic = 1, ProcessCputime = 2, ThreadCputime = 3, MonotonicRaw = 4, RealtimeCoarse = 5,
        MonotonicCoarse = 6, Boottime = 7, RealtimeAlarm = 8, BoottimeAlarm = 9, Tai = 11;
#pragma warning restore CS1591
}

/// <summary>Keeps the time: the kernel's own record that EL1 code reads, and the vDSO data of user space (update_vsyscall),
/// both in the layout of Linux 6.1's struct vdso_data, refreshed at every tick (250 Hz).</summary>
public sealed class Timekeeper
{
    private const uint Shift = 24;
    private const ulong NsPerSecond = 1_000_000_000;
    private static readonly ulong Raw = El1Image.Value("VD_RAW");
    private readonly LinuxKernel _kernel;
    private readonly OrderedStores _memory;
    private readonly List<ulong> _pages = [];
    private readonly uint _mult;
    private long _realtimeOffsetNs;
    private int _minutesWest;
    private int _dstTime;

    internal Timekeeper(LinuxKernel kernel, long epochSeconds)
    {
        _kernel = kernel;
        _memory = new OrderedStores(kernel.Machine.Memory);
        _realtimeOffsetNs = epochSeconds * (long)NsPerSecond;
        _mult = (uint)(((UInt128)NsPerSecond << (int)Shift) / kernel.Machine.CounterFrequency);
    }

    /// <summary>Where the stores to the vvar pages go through.</summary>
    internal OrderedStores Stores => _memory;

    /// <summary>CLOCK_REALTIME minus CLOCK_MONOTONIC, in ns.</summary>
    public long RealtimeOffsetNs => _realtimeOffsetNs;

    /// <summary>settimeofday's time zone.</summary>
    public (int MinutesWest, int DstTime) TimeZone => (_minutesWest, _dstTime);

    /// <summary>CLOCK_TAI minus CLOCK_REALTIME, in seconds; 0 as on a machine whose NTP did not set it.</summary>
    public int TaiOffset { get; private set; }

    /// <summary>Updates so far (seq / 2).</summary>
    public long Updates { get; private set; }

    /// <summary>Adds a copy of the data (the kernel's record or a vvar page) that every update writes.</summary>
    internal void AddPage(ulong pa)
    {
        _pages.Add(pa);
        Write(pa, _kernel.NowCounter());
    }

    /// <summary>The timer tick: update_vsyscall.</summary>
    internal void Tick(ulong nowNs)
    {
        Updates++;
        ulong counter = _kernel.CounterOfNs(nowNs);
        foreach (ulong page in _pages)
            Write(page, counter);
    }

    /// <summary>clock_settime(CLOCK_REALTIME).</summary>
    public void SetRealtime(long ns)
    {
        _realtimeOffsetNs = ns - (long)_kernel.NowNs;
        Tick(_kernel.NowNs);
    }

    /// <summary>settimeofday's time zone: update_vsyscall_tz.</summary>
    public void SetTimeZone(int minutesWest, int dstTime)
    {
        _minutesWest = minutesWest;
        _dstTime = dstTime;
        foreach (ulong page in _pages)
        {
            _memory.Write(page + El1Image.Value("VD_TZ_MINUTESWEST"), minutesWest);
            _memory.Write(page + El1Image.Value("VD_TZ_MINUTESWEST") + 4, dstTime);
        }
    }

    private void Write(ulong page, ulong counter)
    {
        ulong monotonic = _kernel.NsOfCounter(counter);
        ulong real = (ulong)(_realtimeOffsetNs + (long)monotonic);
        for (ulong entry = page; entry <= page + Raw; entry += Raw)
        {
            bool raw = entry != page;
            uint seq = _memory.Read<uint>(entry + El1Image.Value("VD_SEQ"));
            _memory.Write(entry + El1Image.Value("VD_SEQ"), seq + 1);
            _memory.WriteBarrier();
            _memory.Write(entry + El1Image.Value("VD_SEQ") + 4, 1);
            _memory.Write(entry + El1Image.Value("VD_CYCLE_LAST"), counter);
            _memory.Write(entry + El1Image.Value("VD_MASK"), 0x00FF_FFFF_FFFF_FFFFUL);
            _memory.Write(entry + El1Image.Value("VD_MULT"), _mult);
            _memory.Write(entry + El1Image.Value("VD_SHIFT"), Shift);
            if (raw)
            {
                Base(entry, Clocks.MonotonicRaw, monotonic, true);
            }
            else
            {
                Base(entry, Clocks.Realtime, real, true);
                Base(entry, Clocks.Monotonic, monotonic, true);
                Base(entry, Clocks.Boottime, monotonic, true);
                Base(entry, Clocks.Tai, real + (ulong)TaiOffset * NsPerSecond, true);
                Base(entry, Clocks.RealtimeCoarse, real, false);
                Base(entry, Clocks.MonotonicCoarse, monotonic, false);
                _memory.Write(entry + El1Image.Value("VD_TZ_MINUTESWEST"), _minutesWest);
                _memory.Write(entry + El1Image.Value("VD_TZ_MINUTESWEST") + 4, _dstTime);
            }
            _memory.Write(entry + El1Image.Value("VD_HRTIMER_RES"), 1u);
            _memory.WriteBarrier();
            _memory.Write(entry + El1Image.Value("VD_SEQ"), seq + 2);
        }
        _kernel.Machine.NotifyWrite(page, 4096);
    }

    private void Base(ulong entry, int clock, ulong ns, bool shifted)
    {
        ulong at = entry + El1Image.Value("VD_BASETIME") + (ulong)clock * 16;
        _memory.Write(at, ns / NsPerSecond);
        _memory.Write(at + 8, shifted ? (ns % NsPerSecond) << (int)Shift : ns % NsPerSecond);
    }
}
