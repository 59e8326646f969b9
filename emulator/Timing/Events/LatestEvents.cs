namespace ArmVdso.Emulator.Timing.Events;

/// <summary>What a PE fetched and stored last. It lies where it does not move: native code looks at it too.</summary>
internal struct LatestEvents
{
    /// <summary>Line that was fetched last.</summary>
    public ulong FetchLine;

    /// <summary>Virtual page that it is in.</summary>
    public ulong FetchPage;

    /// <summary>That page's translation context.</summary>
    public ulong FetchContext;

    /// <summary>Physical address of the last store.</summary>
    public ulong StoredAddress;

    /// <summary>Its bytes.</summary>
    public int StoredBytes;

    /// <summary>Its issue cycles.</summary>
    public int StoredBeats;

    /// <summary>Line of the last store that missed.</summary>
    public ulong MissedLine;

    /// <summary>Lines in a row that stores filled.</summary>
    public int FullLines;

    /// <summary>Whether the stream of stores that <see cref="MissedLine"/> belongs to goes past L1.</summary>
    public bool MissedStreams;

    /// <summary>Whether <see cref="FetchContext"/> is that of the address space that fetches come from now.</summary>
    public bool FetchIsCurrent;
}

/// <summary>A line that stores write: which bytes so far, whether it missed L1, and whether it goes past it.</summary>
internal struct Filling
{
    public static readonly Filling None = new() { Line = Cache.NoLine };

    public ulong Line;
    public ulong Bytes;
    public bool Missed;
    public bool Streamed;
}

/// <summary>Loads at a constant step, which the prefetcher follows.</summary>
internal struct LoadStream
{
    /// <summary>The line whose access moves it on.</summary>
    public ulong Trigger;

    /// <summary>Lines from one to the next; 0: there is none.</summary>
    public long Step;

    /// <summary>Times in a row that its lines were there already.</summary>
    public int Idle;
}
