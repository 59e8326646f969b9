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

    /// <summary>Of them, those with an event between the first and the last instruction of the call.</summary>
    public long Inside { get; private set; }

    /// <summary>Calls that the events led to: of a handler, a child, a new program.</summary>
    public long Further { get; private set; }

    /// <summary>Of them, those that made the system call.</summary>
    public long FurtherFellBack { get; private set; }

    /// <summary>Whether a wrong answer could have been told from the right ones: one that was true before, or is of another task of the
    /// laboratory, was not allowed.</summary>
    public bool Telling { get; private set; }

    /// <summary>Why the event cannot apply; null: it can.</summary>
    public string? NotApplicable { get; internal init; }

    /// <summary>Why the design leaves the calls that the event leads to to the kernel on purpose; null: it does not.</summary>
    internal string? OnPurpose { get; init; }

    /// <summary>For schedules that were sampled: what chose them; null: the cell is complete.</summary>
    public ulong? Seed { get; internal init; }

    /// <summary>Whether the event happens before the call by its nature.</summary>
    internal bool BeforeCall { get; init; }

    /// <summary>What is known of the cell.</summary>
    public CheckVerdict Verdict => NotApplicable is not null ? CheckVerdict.NotApplicable
        : Failed > 0 ? CheckVerdict.Failed
        : Vacuous is not null ? CheckVerdict.Vacuous
        : OnPurpose is not null && AllFellBack ? CheckVerdict.Kernel
        : Seed is not null ? CheckVerdict.Sampled
        : CheckVerdict.Proved;

    /// <summary>Whether the calls that count, those that the event led to or else those that it disturbed, all made the system
    /// call.</summary>
    private bool AllFellBack => Further > 0 ? FurtherFellBack == Further : FellBack == Explored;

    /// <summary>Why the interleavings prove nothing; null: they prove something, failed, or there are none to be made.</summary>
    public string? Vacuous => NotApplicable is not null || Failed > 0 ? null
        : Explored == 0 ? "the event never happened"
        : OnPurpose is not null && AllFellBack ? null
        : FellBack == Explored ? "every call made the system call"
        : Event == "none" ? null
        : Inside == 0 && !BeforeCall ? "the event never happened inside of a call"
        : AllFellBack ? "every call that the event led to made the system call"
        : !Telling ? "no answer of another task, and none of before, would have been wrong"
        : null;

    /// <summary>ID of the shortest failing schedule; null: none failed.</summary>
    public string? Schedule { get; private set; }

    /// <summary>What was wrong there; null: none failed.</summary>
    public string? What { get; private set; }

    /// <summary>Boundary of the first event in the first interleaving that fell back; null: none did.</summary>
    public int? FirstFallback { get; private set; }

    internal void Add(Schedule schedule, Outcome outcome)
    {
        if (!outcome.Happened)
            return;
        Explored++;
        if (outcome.FellBack)
        {
            FellBack++;
            FirstFallback ??= schedule.Events.Count > 0 ? schedule.Events[0].Boundary : 0;
        }
        Inside += outcome.Inside ? 1 : 0;
        Further += outcome.Further;
        FurtherFellBack += outcome.FurtherFellBack;
        Telling |= outcome.Telling;
        if (outcome.Failure is null)
            return;
        Failed++;
        if (What is not null)
            return;
        Schedule = schedule.ToString();
        What = outcome.Failure;
    }
}

/// <summary>What is known of a cell.</summary>
public enum CheckVerdict
{
    /// <summary>Each interleaving gave an answer that the system call could have given, within the bounds of the result.</summary>
    Proved,

    /// <summary>The same of schedules that a seed chose among many more.</summary>
    Sampled,

    /// <summary>At least one did not.</summary>
    Failed,

    /// <summary>Nothing was wrong, and nothing could have been: <see cref="CheckCell.Vacuous"/> says why.</summary>
    Vacuous,

    /// <summary>The calls that the event leads to are left to the kernel by the design, on purpose, and all were.</summary>
    Kernel,

    /// <summary>The event cannot apply to the function.</summary>
    NotApplicable,
}

/// <summary>Within what a verdict holds.</summary>
/// <param name="Kernel">Configuration of the kernel.</param>
/// <param name="Cpus">CPUs of the machine.</param>
/// <param name="Tasks">Tasks of the laboratory, the one whose calls are examined among them.</param>
public sealed record CheckBounds(string Kernel, int Cpus, int Tasks)
{
    /// <summary>The bounds of a cell's verdict, in one line.</summary>
    public string Of(CheckCell cell) => $"{Events(cell)}, {Order(cell)}, {this}";

    private static string Events(CheckCell cell) => cell.Seed is { } seed
        ? FormattableString.Invariant($"3 events a call, schedules sampled with seed {seed}")
        : cell.Event == "none" ? "no event" : cell.Event.Contains('+', StringComparison.Ordinal) ? "2 events a call" : "1 event a call";

    private static string Order(CheckCell cell) => cell.Event.StartsWith("weak-", StringComparison.Ordinal)
        ? "loads of the call and stores of one update in Arm's order"
        : "program order";

    /// <summary>NUMA nodes that the CPUs are spread over.</summary>
    public int Nodes { get; init; } = 1;

    private string Machine => Nodes == 1 ? $"{Cpus} CPUs" : $"{Cpus} CPUs of {Nodes} nodes";

    /// <summary>Whether the kernel is preemptible.</summary>
    public bool Preempted { get; init; }

    /// <summary>For a kernel that was booted: what of it is explored; null: the kernel model was examined.</summary>
    public string? Booted { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Booted is null
        ? $"kernel {Kernel} {(Preempted ? "with" : "without")} preemption, {Machine}, {Tasks} tasks"
        : $"{Booted}, Linux {Kernel} as booted, {Cpus} CPUs, {Tasks} tasks";
}

/// <summary>What was found of one design. Timing models play no part.</summary>
/// <param name="Design">The design.</param>
/// <param name="Settings">Settings of the run.</param>
/// <param name="Bounds">Within what the verdicts hold.</param>
/// <param name="Cells">The cells, function by function.</param>
public sealed record CheckResult(string Design, SessionSettings Settings, CheckBounds Bounds, IReadOnlyList<CheckCell> Cells)
{
    /// <summary>Whether no interleaving gave a wrong answer, and each cell says something.</summary>
    public bool Held => Cells.All(c => c.Verdict is not (CheckVerdict.Failed or CheckVerdict.Vacuous));
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

    /// <summary>The same with whole slots that the kernel wrote for another CPU, and earlier for the same one.</summary>
    public string Replayed { get; internal set; } = "";

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
