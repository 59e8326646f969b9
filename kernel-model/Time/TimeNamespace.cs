using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Time;

/// <summary>A time namespace (kernel/time/namespace.c): what its tasks' CLOCK_MONOTONIC (also RAW and COARSE) and
/// CLOCK_BOOTTIME differ from the first one's, in ns. Fixed as soon as a task is in it.</summary>
public sealed class TimeNamespace : INamespace
{
    /// <summary>Largest seconds of a time (KTIME_SEC_MAX).</summary>
    internal const long MaxSeconds = long.MaxValue / 1_000_000_000;

    /// <summary>Inode number of the first namespace of this kind (PROC_TIME_INIT_INO).</summary>
    internal const uint InitialNumber = 0xEFFFFFFA;

    /// <inheritdoc/>
    public string Kind => "time";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWTIME;

    /// <inheritdoc/>
    public required uint Number { get; init; }

    /// <inheritdoc/>
    public UserNamespace? OwnerSpace { get; init; } = UserNamespace.Initial;

    /// <summary>Whether it is the one that the first process is in, without offsets.</summary>
    public bool IsInitial => Number == InitialNumber;

    /// <summary>Offset of CLOCK_MONOTONIC.</summary>
    public long MonotonicNs { get; internal set; }

    /// <summary>Offset of CLOCK_BOOTTIME.</summary>
    public long BoottimeNs { get; internal set; }

    /// <summary>A task has entered: the offsets stay.</summary>
    public bool Frozen { get; internal set; }

    /// <summary>Physical address of the page that the vDSO of its tasks sees in place of the data page; 0 until there is one.</summary>
    internal ulong VvarPage { get; set; }

    /// <summary>Physical address of the record that leads EL1 code to the offsets; 0 until there is one.</summary>
    internal ulong NsproxyPa { get; set; }

    /// <summary>Offset of a clock for tasks of this namespace, in ns.</summary>
    public long OffsetOf(int clock) => clock switch
    {
        Clocks.Monotonic or Clocks.MonotonicRaw or Clocks.MonotonicCoarse => MonotonicNs,
        Clocks.Boottime or Clocks.BoottimeAlarm => BoottimeNs,
        _ => 0,
    };

    /// <summary>A time of a clock here as the first namespace has it (timens_ktime_to_host), in ns.</summary>
    internal ulong ToHost(int clock, ulong ns)
    {
        long offset = OffsetOf(clock);
        if (offset == 0)
            return ns;
        if (offset > 0)
            return ns > (ulong)offset ? ns - (ulong)offset : 0;
        return Math.Min(long.MaxValue, Math.Min(ns, long.MaxValue) + (ulong)-offset);
    }

    /// <summary>A time of the first namespace as tasks here see it, in ns.</summary>
    internal ulong FromHost(int clock, ulong ns) => (ulong)((long)ns + OffsetOf(clock));
}
