using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Files;

/// <summary>The running kernel as the tree of files needs it: RAM, time, random numbers, the host's streams, process groups.</summary>
internal sealed record VfsHost
{
    /// <summary>The machine whose RAM holds pages of files.</summary>
    public required Machine Machine { get; init; }

    /// <summary>Where pages come from.</summary>
    public required PageAllocator Pages { get; init; }

    /// <summary>The memories of all tasks, each once.</summary>
    public required Func<IEnumerable<MemoryMap>> Memories { get; init; }

    /// <summary>Times of files.</summary>
    public required Timekeeper Timekeeper { get; init; }

    /// <summary>What happens later.</summary>
    public required KernelTimers Timers { get; init; }

    /// <summary>Contents of /dev/random.</summary>
    public required DeterministicRandom Random { get; init; }

    /// <summary>What RNDRESEEDCRNG sets going.</summary>
    public required RandomSeeding Seeding { get; init; }

    /// <summary>Process groups, for terminals.</summary>
    public required IJobControl Jobs { get; init; }

    /// <summary>Signals of files.</summary>
    public required IFileOwners Owners { get; init; }

    /// <summary>Gives the task of the system call a descriptor of a process (pidfd): its number, -1 where there is no such process, or -2.
    /// </summary>
    public required Func<int, int> OpenProcess { get; init; }

    /// <summary>Says what went wrong outside of the guest.</summary>
    public required Action<string> Log { get; init; }

    /// <summary>The host's standard streams.</summary>
    public required Stream In { get; init; }

    /// <inheritdoc cref="In"/>
    public required Stream Out { get; init; }

    /// <inheritdoc cref="In"/>
    public required Stream Error { get; init; }
}

/// <summary>A file system that is mounted when the tree is built.</summary>
/// <param name="Point">Where: a directory.</param>
/// <param name="Type">Name in /proc/mounts.</param>
/// <param name="Magic">f_type of statfs.</param>
/// <param name="Options">Options in /proc/mounts.</param>
/// <param name="MakeRoot">Makes its root directory.</param>
internal sealed record MountedAtBoot(string Point, string Type, long Magic, string Options, Func<Vfs, FileSystem, Inode> MakeRoot);
