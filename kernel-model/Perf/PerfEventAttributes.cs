using System.Buffers.Binary;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Perf;

/// <summary>What a perf event counts.</summary>
public enum PerfSource
{
    /// <summary>An event of the performance monitors.</summary>
    Hardware,

    /// <summary>CPU time of the task in ns (task-clock, cpu-clock).</summary>
    TaskClock,

    /// <summary>Page faults of the task's memory.</summary>
    PageFaults,

    /// <summary>Times that the task was switched out.</summary>
    ContextSwitches,

    /// <summary>Times that the task went on on another CPU.</summary>
    Migrations,

    /// <summary>Nothing (PERF_COUNT_SW_DUMMY, and kinds of faults that do not happen here).</summary>
    Nothing,
}

/// <summary>struct perf_event_attr as far as counting needs it (include/uapi/linux/perf_event.h).</summary>
/// <param name="Source">What is counted.</param>
/// <param name="Event">The hardware event; null for software.</param>
/// <param name="ReadFormat">PERF_FORMAT_* bits.</param>
/// <param name="Flags">The bit field: disabled, inherit, exclude_*, enable_on_exec.</param>
public sealed record PerfEventAttributes(PerfSource Source, PmuEvent? Event, ulong ReadFormat, ulong Flags)
{
    /// <summary>PERF_FORMAT_* bits.</summary>
    public const ulong TotalTimeEnabled = 1, TotalTimeRunning = 2, Id = 4, Group = 8, Lost = 16;

    private const int MinimumSize = 64, KnownSize = 136;
    private const uint Hardware = 0, Software = 1, HwCache = 3, Raw = 4;

    /// <summary>disabled, inherit, exclude_user, exclude_kernel, enable_on_exec.</summary>
    public bool Disabled => (Flags & 1) != 0;

    /// <inheritdoc cref="Disabled"/>
    public bool Inherit => (Flags & 2) != 0;

    /// <inheritdoc cref="Disabled"/>
    public bool ExcludeUser => (Flags & (1 << 4)) != 0;

    /// <inheritdoc cref="Disabled"/>
    public bool ExcludeKernel => (Flags & (1 << 5)) != 0;

    /// <inheritdoc cref="Disabled"/>
    public bool EnableOnExec => (Flags & (1 << 12)) != 0;

    /// <summary>Reads the structure from user memory (perf_copy_attr). 0 or -errno.</summary>
    internal static long Read(MemoryMap memory, Cpu cpu, ulong address, out PerfEventAttributes? attributes)
    {
        attributes = null;
        if (!memory.Read(address + 4, out uint size))
            return -Errno.EFAULT;
        if (size == 0)
            size = MinimumSize;
        if (size is < MinimumSize or > 4096)
        {
            return memory.Write(address + 4, (uint)KnownSize) ? -Errno.E2BIG : -Errno.EFAULT;
        }
        var bytes = new byte[Math.Max((int)size, KnownSize)];
        if (!memory.Read(address, bytes.AsSpan(0, (int)size)))
            return -Errno.EFAULT;
        if (bytes.AsSpan(KnownSize).ContainsAnyExcept((byte)0))
            return memory.Write(address + 4, (uint)KnownSize) ? -Errno.E2BIG : -Errno.EFAULT;
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        ulong config = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8));
        ulong period = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        ulong readFormat = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32));
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40));
        if ((readFormat & ~31UL) != 0)
            return -Errno.EINVAL;
        // A sample period or frequency: the monitors raise no interrupt.
        if (period != 0)
            return -Errno.EOPNOTSUPP;
        long result = type switch
        {
            Hardware => FromHardware(config, out PmuEvent? e) is var source ? Result(source, e, readFormat, flags, out attributes) : 0,
            Software => Result(FromSoftware(config), null, readFormat, flags, out attributes),
            HwCache => Result(PerfSource.Hardware, FromCache(config), readFormat, flags, out attributes),
            Raw => Result(PerfSource.Hardware, PmuEvent.Find((int)(config & 0xFFFF)), readFormat, flags, out attributes),
            _ => -Errno.ENOENT,
        };
        return result == 0 && attributes!.Event is { } hardware && !Counts(cpu, hardware) ? -Errno.ENOENT : result;
    }

    private static bool Counts(Cpu cpu, PmuEvent e) => cpu.Timing.CountsEvents || e.Number is PmuEvent.CpuCycles or PmuEvent.InstRetired;

    private static long Result(PerfSource? source, PmuEvent? e, ulong readFormat, ulong flags, out PerfEventAttributes? attributes)
    {
        attributes = source is null || (source == PerfSource.Hardware && e is null) ? null
            : new PerfEventAttributes(source.Value, e, readFormat, flags);
        return attributes is null ? -Errno.ENOENT : 0;
    }

    /// <summary>PERF_COUNT_HW_* as drivers/perf/arm_pmuv3.c maps them.</summary>
    private static PerfSource FromHardware(ulong config, out PmuEvent? e)
    {
        e = config switch
        {
            0 => PmuEvent.Find(PmuEvent.CpuCycles),
            1 => PmuEvent.Find(PmuEvent.InstRetired),
            2 => PmuEvent.Find(0x04),
            3 => PmuEvent.Find(0x03),
            4 => PmuEvent.Find(0x0C),
            5 => PmuEvent.Find(0x10),
            7 => PmuEvent.Find(0x23),
            8 => PmuEvent.Find(0x24),
            _ => null,
        };
        return PerfSource.Hardware;
    }

    private static PerfSource? FromSoftware(ulong config) => config switch
    {
        0 or 1 => PerfSource.TaskClock,
        2 or 5 => PerfSource.PageFaults,
        3 => PerfSource.ContextSwitches,
        4 => PerfSource.Migrations,
        6 or 7 or 8 or 9 => PerfSource.Nothing,
        _ => null,
    };

    /// <summary>PERF_COUNT_HW_CACHE_*: id, operation (0 read), result (0 access, 1 miss).</summary>
    private static PmuEvent? FromCache(ulong config) => (config & 0xFF, config >> 8 & 0xFF, config >> 16 & 0xFF) switch
    {
        (0, 0, 0) => PmuEvent.Find(0x04),
        (0, 0, 1) => PmuEvent.Find(0x03),
        (1, 0, 0) => PmuEvent.Find(0x14),
        (1, 0, 1) => PmuEvent.Find(0x01),
        (3, 0, 1) => PmuEvent.Find(0x05),
        (4, 0, 1) => PmuEvent.Find(0x02),
        (5, 0, 0) => PmuEvent.Find(0x12),
        (5, 0, 1) => PmuEvent.Find(0x10),
        _ => null,
    };
}
