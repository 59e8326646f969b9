namespace ArmVdso.Kernel.Configuration;

/// <summary>How much of the host a guest may take beyond its RAM.</summary>
public sealed record GuestLimits
{
    /// <summary>Tasks at a time (kernel.threads-max): clone gives EAGAIN beyond.</summary>
    public int Tasks { get; init; } = 30000;

    /// <summary>Descriptors at a time, of all processes: opening gives ENFILE beyond.</summary>
    public int Files { get; init; } = 1 << 20;

    /// <summary>Bytes written to the standard streams in all: writing gives ENOSPC beyond.</summary>
    public long Output { get; init; } = 4L << 30;
}
