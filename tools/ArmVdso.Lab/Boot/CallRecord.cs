namespace ArmVdso.Lab.Boot;

/// <summary>How the thread lives whose calls are examined (Guests/interrupted.c, enum life).</summary>
internal enum VictimLife
{
    /// <summary>As a process does.</summary>
    Plain,

    /// <summary>In a user namespace where no ID has a number.</summary>
    Unmapped,
}

/// <summary>What a kernel may have been built without (Guests/interrupted.c, enum part).</summary>
[Flags]
internal enum KernelParts
{
    /// <summary>Nothing of it.</summary>
    None = 0,

    /// <summary>User namespaces.</summary>
    UserNamespaces = 1,

    /// <summary>PID namespaces.</summary>
    PidNamespaces = 2,

    /// <summary>Time namespaces.</summary>
    TimeNamespaces = 4,
}

/// <summary>What Guests/interrupted.c writes down of one call; times by system call are in ns. The order is that of its words.</summary>
/// <param name="words">The words.</param>
internal sealed class CallRecord(ReadOnlySpan<ulong> words)
{
    private const int ImageAt = 0, NameAt = 1, LifeAt = 2, PartsAt = 3, ReturnedAt = 7, ResultAt = 8, BegunAt = 13, AgainAt = 17;
    private const int HandledAt = 22, ChildAt = 30, ChildAfterAt = 36, WrittenAt = 37, EarlierAt = 41, CpuAt = 45, AnswerWords = 4;
    private readonly ulong[] _words = words.ToArray();

    /// <summary>How many words there are.</summary>
    internal const int Words = 47;

    /// <summary>The word that the host writes.</summary>
    internal const int Order = 64;

    /// <summary>Address of the vDSO's first byte; 0: there is none.</summary>
    internal ulong Image => _words[ImageAt];

    /// <summary>Address of the function's name.</summary>
    internal ulong Name => _words[NameAt];

    /// <summary>How the thread lived before the call.</summary>
    internal VictimLife Life => (VictimLife)_words[LifeAt];

    /// <summary>What the kernel has.</summary>
    internal KernelParts Parts => (KernelParts)_words[PartsAt];

    /// <summary>The counter before and after the call, in ns: no namespace and no setting changes it.</summary>
    internal (ulong Before, ulong After) Counter => (_words[4], _words[16]);

    /// <summary>CLOCK_MONOTONIC_COARSE before and after: it changes when the clocks are updated.</summary>
    internal (ulong Before, ulong After) Coarse => (_words[5], _words[15]);

    /// <summary>What the system call answered before and after.</summary>
    internal (ulong Before, ulong After) Truth => (_words[6], _words[14]);

    /// <summary>Whether the call came back; another program may have taken its place.</summary>
    internal bool Returned => _words[ReturnedAt] != 0;

    /// <summary>What the call returned and wrote.</summary>
    internal (ulong Result, ulong[] Answer) Call => Answer(ResultAt);

    /// <summary>Events that had begun when it returned.</summary>
    internal ulong Begun => _words[BegunAt];

    /// <summary>Another call, after all.</summary>
    internal (ulong Result, ulong[] Answer) Again => Answer(AgainAt);

    /// <summary>Calls that the event led to: the signal handler's, a child's, another program's; and the last of them.</summary>
    internal ulong Handled => _words[HandledAt];

    /// <inheritdoc cref="Handled"/>
    internal (ulong Result, ulong[] Answer) Inner => Answer(HandledAt + 1);

    /// <summary>What the system call answered there before and after that call.</summary>
    internal (ulong Before, ulong After) InnerTruth => (_words[28], _words[29]);

    /// <summary>Whether a child that was made in the middle of the call came back from it, too.</summary>
    internal bool HasChild => _words[ChildAt] != 0;

    /// <summary>What the call returned and wrote in the child.</summary>
    internal (ulong Result, ulong[] Answer) Child => Answer(ChildAt + 1);

    /// <summary>What the system call answered in the child afterwards.</summary>
    internal ulong ChildAfter => _words[ChildAfterAt];

    /// <summary>What the call had written when the child was made; 0 where it had not.</summary>
    internal ulong[] Written => Four(WrittenAt);

    /// <summary>What a call before wrote.</summary>
    internal ulong[] Earlier => Four(EarlierAt);

    /// <summary>The CPU that the thread was on afterwards.</summary>
    internal ulong Cpu => _words[CpuAt];

    /// <summary>How often what events do besides running was done.</summary>
    internal ulong Done => _words[CpuAt + 1];

    private (ulong Result, ulong[] Answer) Answer(int at) => (_words[at], Four(at + 1));

    private ulong[] Four(int at) => _words[at..(at + AnswerWords)];
}
