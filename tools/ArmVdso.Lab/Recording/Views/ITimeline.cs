namespace ArmVdso.Lab.Recording.Views;

/// <summary>What a track of a timeline is of.</summary>
internal enum TrackKind
{
    /// <summary>What a CPU runs.</summary>
    Cpu,

    /// <summary>A state of a CPU, as slices.</summary>
    CpuState,

    /// <summary>A counter of a CPU.</summary>
    CpuCounter,

    /// <summary>A process.</summary>
    Process,

    /// <summary>A thread.</summary>
    Thread,
}

/// <summary>A track.</summary>
/// <param name="Id">Its number, from 1.</param>
/// <param name="Kind">What it is of.</param>
/// <param name="Name">Its name.</param>
/// <param name="Parent">The track that it belongs to; null: none.</param>
/// <param name="Cpu">The CPU that it is of.</param>
/// <param name="Task">The task that it is of.</param>
internal sealed record Track(int Id, TrackKind Kind, string Name, Track? Parent, int Cpu, RecordedTask Task);

/// <summary>A value that an event of a timeline shows; text or number.</summary>
internal readonly record struct Shown(string Name, string? Text, long Number);

/// <summary>A viewer's file: tracks with slices, instants, counters and flows. Times are cycles.</summary>
internal interface ITimeline
{
    /// <summary>A track is there, or has another name now.</summary>
    void Declare(Track track);

    /// <summary>A slice begins; its end comes before that of the one that it is in.</summary>
    void Begin(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown);

    /// <summary>The innermost slice ends.</summary>
    void End(Track track, ulong cycle, IReadOnlyList<Shown> shown);

    /// <summary>Something happens.</summary>
    void Instant(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown);

    /// <summary>A counter has a value from now on.</summary>
    void Counter(Track track, ulong cycle, long value);

    /// <summary>A thread leaves a CPU and comes to another, where its slice has just begun.</summary>
    void Flow(ulong id, Track from, ulong left, Track to, ulong came);

    /// <summary>All has been said.</summary>
    void Finish();
}
