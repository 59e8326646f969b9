namespace ArmVdso.Lab.Tracing;

/// <summary>What stands before a line.</summary>
public enum StraceStamp
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The guest's time of day, to the second.</summary>
    Seconds,

    /// <summary>To the microsecond.</summary>
    Microseconds,

    /// <summary>Seconds since 1970.</summary>
    Epoch,

    /// <summary>Seconds since the line before.</summary>
    Relative,
}

/// <summary>What of the system calls is shown, as strace's letters choose it.</summary>
public sealed record StraceSettings
{
    /// <summary>-s: bytes of a string or buffer.</summary>
    public int StringLength { get; init; } = 32;

    /// <summary>-y: descriptors with what they are open on.</summary>
    public bool Paths { get; init; }

    /// <summary>-T: how long each call took, in the guest's time.</summary>
    public bool Durations { get; init; }

    /// <summary>-c: a table at the end in place of lines; with <see cref="Lines"/> (-C) besides.</summary>
    public bool Summary { get; init; }

    /// <inheritdoc cref="Summary"/>
    public bool Lines { get; init; } = true;

    /// <summary>-t, -tt, -ttt, -r.</summary>
    public StraceStamp Stamp { get; init; }

    /// <summary>-e trace=: calls that are shown; null: all.</summary>
    public Func<string, bool>? Calls { get; init; }

    /// <summary>-e status=: calls with which results are shown; null: all.</summary>
    public IReadOnlySet<string>? Statuses { get; init; }

    /// <summary>-e signal=: signals that are shown; null: all.</summary>
    public Func<int, bool>? Signals { get; init; }

    /// <summary>-e vdso: whether calls of vDSO functions stand in the stream, which makes the run slow.</summary>
    public bool Vdso { get; init; }

    /// <summary>-qq: no lines of ended processes.</summary>
    public bool Quiet { get; init; }
}
