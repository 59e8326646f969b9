using System.Globalization;

namespace ArmVdso.Kernel.Vdso;

/// <summary>What a function of a design in a folder answers.</summary>
public enum OwnAnswer
{
    /// <summary>A 32-bit value in W0 that is the task's.</summary>
    Value,

    /// <summary>The same value for everybody and for ever.</summary>
    Constant,

    /// <summary>0, and in the buffer bytes that are the task's.</summary>
    Bytes,

    /// <summary>What no system call says: a function of the hooks tells whether it is right.</summary>
    Invariant,
}

/// <summary>What an argument of a function is.</summary>
public enum OwnArgumentKind
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>A pointer to 64 bytes of the caller.</summary>
    Buffer,

    /// <summary>A pointer to a page of the caller's process.</summary>
    Page,

    /// <summary>The caller's TID.</summary>
    Tid,
}

/// <summary>An argument of a function.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The number, or how far into the buffer or the page.</param>
public readonly record struct OwnArgument(OwnArgumentKind Kind, int Value)
{
    /// <summary>Whether it points to the caller's buffer.</summary>
    public bool IsBuffer => Kind == OwnArgumentKind.Buffer;

    /// <summary>What is handed over.</summary>
    /// <param name="buffer">Address of the buffer.</param>
    /// <param name="page">Address of the page.</param>
    /// <param name="tid">The caller's TID.</param>
    public ulong In(ulong buffer, ulong page = 0, int tid = 0) => Kind switch
    {
        OwnArgumentKind.Buffer => buffer + (ulong)Value,
        OwnArgumentKind.Page => page + (ulong)Value,
        OwnArgumentKind.Tid => (ulong)tid,
        _ => (ulong)Value,
    };
}

/// <summary>A system call that a thread makes before it calls a function.</summary>
/// <param name="Number">arm64 system call.</param>
/// <param name="Arguments">Its arguments.</param>
public sealed record OwnPreparation(int Number, IReadOnlyList<OwnArgument> Arguments);

/// <summary>A function of an image that vdso-image/calls.tsv does not know.</summary>
/// <param name="Symbol">In the image.</param>
/// <param name="Number">The system call that says what is true; -1: none does.</param>
/// <param name="Arguments">Arguments, of the function as of the call.</param>
/// <param name="Answer">What it answers.</param>
/// <param name="Line">Line of the design file.</param>
public sealed record OwnFunction(string Symbol, int Number, IReadOnlyList<OwnArgument> Arguments, OwnAnswer Answer, int Line)
{
    private const int BufferBytes = 64, PageBytes = 4096, MostArguments = 5, MostBytes = 8;

    /// <summary>Made before each call; null: nothing is. (Section [before].)</summary>
    public OwnPreparation? Before { get; private init; }

    /// <summary>What the hooks have for a function that changes memory, beside its invariant (VDSO_BEFORE, VDSO_FREE, VDSO_DEAD).</summary>
    internal static IReadOnlyList<string> OfMemory { get; } = ["__before", "__free", "__dead"];

    /// <summary>Whether it has a page: it changes memory that must be made ready before each call.</summary>
    public bool ChangesMemory => Arguments.Any(a => a.Kind == OwnArgumentKind.Page);

    /// <summary>For <see cref="OwnAnswer.Bytes"/>: how many from the start of the buffer, 1 to 8.</summary>
    public int Bytes { get; private init; }

    /// <summary>For <see cref="OwnAnswer.Invariant"/>: the function of the hooks.</summary>
    public string Invariant { get; private init; } = "";

    /// <summary>In tables.</summary>
    public string Name => Symbol.StartsWith("__kernel_", StringComparison.Ordinal) ? Symbol[9..]
        : Symbol.StartsWith("__vdso_", StringComparison.Ordinal) ? Symbol[7..]
        : Symbol;

    /// <summary>The first argument where that is a number.</summary>
    public int First => Arguments is [{ Kind: OwnArgumentKind.Number } first, ..] ? first.Value : 0;

    /// <summary>Whether it can be measured beside a system call: the guest that does has a number or a buffer for the first argument, and
    /// a buffer for the second.</summary>
    public bool IsMeasured => Answer != OwnAnswer.Invariant && Arguments is [] or [_] or [_, { IsBuffer: true }];

    /// <summary>Reads CALL(ARGUMENT, ...): ANSWER.</summary>
    /// <exception cref="FormatException">It is not that; the message says why.</exception>
    internal static OwnFunction Parse(string symbol, string value, int line)
    {
        int open = value.IndexOf('('), close = value.IndexOf("):", StringComparison.Ordinal);
        if (open < 1 || close < open || symbol.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '_'))
            throw new FormatException("it is not SYMBOL = CALL(ARGUMENT, ...): ANSWER, as __kernel_getsid = getsid(0): value");
        string call = value[..open].Trim(), inside = value[(open + 1)..close].Trim();
        OwnArgument[] arguments = ReadArguments(inside);
        int bytes = 0;
        OwnAnswer answer = value[(close + 2)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["value"] => OwnAnswer.Value,
            ["constant"] => OwnAnswer.Constant,
            ["invariant"] => OwnAnswer.Invariant,
            ["bytes", var n] when int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out bytes)
                && bytes is > 0 and <= MostBytes => OwnAnswer.Bytes,
            _ => throw new FormatException(
                $"there is no answer '{value[(close + 2)..].Trim()}'; known: value, constant, bytes N (1 to {MostBytes}), invariant"),
        };
        bool buffer = arguments.Any(a => a.IsBuffer);
        if (buffer && answer is OwnAnswer.Value or OwnAnswer.Constant)
            throw new FormatException("with a buffer its answer is bytes N or invariant");
        if (!buffer && answer == OwnAnswer.Bytes)
            throw new FormatException("bytes are those of a buffer, and no argument is one");
        if (answer != OwnAnswer.Invariant && arguments.Any(a => a.Kind is OwnArgumentKind.Page or OwnArgumentKind.Tid))
            throw new FormatException("page and tid are for functions of which an invariant says what is true");
        int number = -1;
        if (answer != OwnAnswer.Invariant)
            number = SyscallNames.NumberOf(call) ?? throw new FormatException($"there is no system call '{call}'");
        return new OwnFunction(symbol, number, arguments, answer, line)
        {
            Bytes = bytes,
            Invariant = answer == OwnAnswer.Invariant ? call : "",
        };
    }

    /// <summary>With what is done before each call: CALL(ARGUMENT, ...).</summary>
    /// <exception cref="FormatException">It is not that; the message says why.</exception>
    internal OwnFunction With(string before)
    {
        if (Answer != OwnAnswer.Invariant)
            throw new FormatException("a system call says what is true of it; [before] is for functions with an invariant");
        if (Before is not null)
            throw new FormatException("it is there already");
        int open = before.IndexOf('(');
        if (open < 1 || !before.EndsWith(')'))
            throw new FormatException("it is not SYMBOL = CALL(ARGUMENT, ...), as set_robust_list(buffer, 24)");
        string call = before[..open].Trim();
        int number = SyscallNames.NumberOf(call) ?? throw new FormatException($"there is no system call '{call}'");
        return this with { Before = new OwnPreparation(number, ReadArguments(before[(open + 1)..^1].Trim())) };
    }

    private static OwnArgument[] ReadArguments(string inside)
    {
        OwnArgument[] arguments = inside.Length == 0 ? [] : [.. inside.Split(',').Select(Argument)];
        return arguments.Length <= MostArguments
            ? arguments
            : throw new FormatException($"it has {arguments.Length} arguments; at most {MostArguments}");
    }

    private static OwnArgument Argument(string text)
    {
        text = text.Trim();
        if (text == "tid")
            return new OwnArgument(OwnArgumentKind.Tid, 0);
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            return new OwnArgument(OwnArgumentKind.Number, number);
        string[] parts = text.Split('+');
        (OwnArgumentKind kind, int size) = parts[0].Trim() switch
        {
            "buffer" => (OwnArgumentKind.Buffer, BufferBytes),
            "page" => (OwnArgumentKind.Page, PageBytes),
            _ => (OwnArgumentKind.Number, 0),
        };
        int at = 0;
        bool inside = parts.Length == 1
            || (parts.Length == 2
                && int.TryParse(parts[1], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out at) && at < size);
        return size > 0 && inside
            ? new OwnArgument(kind, at)
            : throw new FormatException(
                $"its argument '{text}' is no 32-bit number, and not buffer or buffer+N (below {BufferBytes}), page or page+N "
                + $"(below {PageBytes}), or tid");
    }
}
