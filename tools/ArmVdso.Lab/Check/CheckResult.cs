namespace ArmVdso.Lab.Check;

/// <summary>What was found for one function and one event (or pair of events).</summary>
public sealed class CheckCell
{
    internal CheckCell(string function, string @event)
    {
        Function = function;
        Event = @event;
    }

    /// <summary>The function.</summary>
    public string Function { get; }

    /// <summary>The event; "none": the undisturbed call; two joined by +.</summary>
    public string Event { get; }

    /// <summary>Interleavings explored: each was executed.</summary>
    public long Explored { get; private set; }

    /// <summary>Of them, wrong or livelocked.</summary>
    public long Failed { get; private set; }

    /// <summary>Of them, calls that made the system call.</summary>
    public long FellBack { get; private set; }

    /// <summary>Why the event cannot apply; null: it can.</summary>
    public string? NotApplicable { get; internal init; }

    /// <summary>ID of the shortest failing schedule; null: none failed.</summary>
    public string? Schedule { get; private set; }

    /// <summary>What was wrong there; null: none failed.</summary>
    public string? What { get; private set; }

    /// <summary>Boundary of the first event in the first interleaving that fell back; null: none did.</summary>
    public int? FirstFallback { get; private set; }

    internal void Add(Schedule schedule, Outcome outcome)
    {
        Explored++;
        if (outcome.FellBack)
        {
            FellBack++;
            FirstFallback ??= schedule.Events.Count > 0 ? schedule.Events[0].Boundary : 0;
        }
        if (outcome.Failure is null)
            return;
        Failed++;
        if (What is not null)
            return;
        Schedule = schedule.ToString();
        What = outcome.Failure;
    }
}

/// <summary>What was found of one design. Timing models play no part.</summary>
/// <param name="Design">The design.</param>
/// <param name="Settings">Settings of the run.</param>
/// <param name="Cells">The cells, function by function.</param>
public sealed record CheckResult(string Design, SessionSettings Settings, IReadOnlyList<CheckCell> Cells)
{
    /// <summary>Whether no interleaving gave a wrong answer.</summary>
    public bool Held => Cells.All(c => c.Failed == 0);
}

/// <summary>Whether a planted fault was found.</summary>
/// <param name="Design">The design.</param>
/// <param name="Mutant">The fault.</param>
/// <param name="Places">Places at which it was planted.</param>
/// <param name="Harmless">Why it changes no answer in this design; null: it must be found.</param>
/// <param name="FoundBy">Events that find it.</param>
/// <param name="Functions">Functions that fail with it, and do not without.</param>
/// <param name="Schedule">ID of the shortest failing schedule; null: not found.</param>
public sealed record MutantResult(
    string Design, string Mutant, int Places, string? Harmless, IReadOnlyList<string> FoundBy, IReadOnlyList<string> Functions,
    string? Schedule)
{
    /// <summary>Whether something failed.</summary>
    public bool Found => Functions.Count > 0;

    /// <summary>Whether that is as it has to be: found, or harmless and not found.</summary>
    public bool AsExpected => Found == (Harmless is null);
}

/// <summary>A name that the checker knows, with one line about it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Meaning">One line.</param>
public sealed record CheckName(string Name, string Meaning);

/// <summary>What a process can learn of others from the data pages of a design, and whether it can change them. Every answer is an access
/// that a guest task really made.</summary>
/// <param name="Design">The design.</param>
public sealed record Exposure(string Design)
{
    /// <summary>Words of the data pages that were read.</summary>
    public int Words { get; internal set; }

    /// <summary>Fields of a process of another user that runs on another CPU.</summary>
    public IReadOnlyList<string> Other { get; internal set; } = [];

    /// <summary>Fields of a process that ran and runs no more.</summary>
    public IReadOnlyList<string> Past { get; internal set; } = [];

    /// <summary>Fields of another thread of the reader's process.</summary>
    public IReadOnlyList<string> Sibling { get; internal set; } = [];

    /// <summary>Pages of [vvar] and [vdso].</summary>
    public int Pages { get; internal set; }

    /// <summary>Of them, those whose write ended the writer with SIGSEGV.</summary>
    public int PagesThatFault { get; internal set; }

    /// <summary>The signal that ends a process which writes TPIDRRO_EL0; 0: none.</summary>
    public int RegisterWriteSignal { get; internal set; }

    /// <summary>The experiment, in one sentence: what another process' geteuid answered after a word was written to a page made
    /// writable.</summary>
    public string Forged { get; internal set; } = "";

    /// <summary>Functions that answer IDs or the CPU.</summary>
    public int Functions { get; internal set; }

    /// <summary>Of them, those whose undisturbed call no tracer, filter or audit rule of system calls sees.</summary>
    public int UnseenFunctions { get; internal set; }

    /// <summary>Instructions inside the image at which a stopped getpid can stand.</summary>
    public int InstructionsInside { get; internal set; }

    /// <summary>Whether no page and not the register can be written from EL0 (the write ends in SIGSEGV, SIGILL).</summary>
    public bool TamperProof => PagesThatFault == Pages && RegisterWriteSignal == Sigill;

    internal const int Sigill = 4;
}
