namespace ArmVdso.Lab.Boot;

/// <summary>What Guests/interrupted.c writes down of one call; times by system call are in ns. The order is that of its words.</summary>
/// <param name="words">The words.</param>
internal sealed class CallRecord(ReadOnlySpan<ulong> words)
{
    private const int ImageAt = 0, NameAt = 1, AnswerAt = 6, AgainAt = 15, InnerAt = 21, EarlierAt = 25, AnswerWords = 4;
    private readonly ulong[] _words = words.ToArray();

    /// <summary>How many words there are.</summary>
    internal const int Words = 31;

    /// <summary>Address of the vDSO's first byte; 0: there is none.</summary>
    internal ulong Image => _words[ImageAt];

    /// <summary>Address of the function's name.</summary>
    internal ulong Name => _words[NameAt];

    /// <summary>CLOCK_MONOTONIC before and after the call.</summary>
    internal (ulong Before, ulong After) Monotonic => (_words[2], _words[13]);

    /// <summary>CLOCK_MONOTONIC_COARSE before and after: it changes when the clocks are updated.</summary>
    internal (ulong Before, ulong After) Coarse => (_words[3], _words[12]);

    /// <summary>What the system call answered before and after.</summary>
    internal (ulong Before, ulong After) Truth => (_words[4], _words[11]);

    /// <summary>What the call returned and wrote.</summary>
    internal (ulong Result, ulong[] Answer) Call => (_words[5], Four(AnswerAt));

    /// <summary>Events that had begun when it returned.</summary>
    internal ulong Begun => _words[10];

    /// <summary>Another call, after all.</summary>
    internal (ulong Result, ulong[] Answer) Again => (_words[14], Four(AgainAt));

    /// <summary>Calls that the signal handler made, and the last of them.</summary>
    internal ulong Handled => _words[19];

    /// <inheritdoc cref="Handled"/>
    internal (ulong Result, ulong[] Answer) Inner => (_words[20], Four(InnerAt));

    /// <summary>What a call before wrote.</summary>
    internal ulong[] Earlier => Four(EarlierAt);

    /// <summary>The CPU that the thread was on afterwards.</summary>
    internal ulong Cpu => _words[29];

    private ulong[] Four(int at) => _words[at..(at + AnswerWords)];
}
