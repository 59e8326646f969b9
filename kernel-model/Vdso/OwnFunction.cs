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

/// <summary>An argument of a function.</summary>
/// <param name="IsBuffer">A pointer to memory of the caller.</param>
/// <param name="Value">The number, or how far into the buffer.</param>
public readonly record struct OwnArgument(bool IsBuffer, int Value)
{
    /// <summary>What is handed over.</summary>
    /// <param name="buffer">Address of the buffer.</param>
    public ulong In(ulong buffer) => IsBuffer ? buffer + (ulong)Value : (ulong)Value;
}

/// <summary>A function of an image that vdso-image/calls.tsv does not know.</summary>
/// <param name="Symbol">In the image.</param>
/// <param name="Number">The system call that says what is true; -1: none does.</param>
/// <param name="Arguments">Arguments, of the function as of the call.</param>
/// <param name="Answer">What it answers.</param>
/// <param name="Line">Line of the design file.</param>
public sealed record OwnFunction(string Symbol, int Number, IReadOnlyList<OwnArgument> Arguments, OwnAnswer Answer, int Line)
{
    private const int BufferBytes = 64, MostArguments = 5, MostBytes = 8;

    /// <summary>For <see cref="OwnAnswer.Bytes"/>: how many from the start of the buffer, 1 to 8.</summary>
    public int Bytes { get; private init; }

    /// <summary>For <see cref="OwnAnswer.Invariant"/>: the function of the hooks.</summary>
    public string Invariant { get; private init; } = "";

    /// <summary>In tables.</summary>
    public string Name => Symbol.StartsWith("__kernel_", StringComparison.Ordinal) ? Symbol[9..]
        : Symbol.StartsWith("__vdso_", StringComparison.Ordinal) ? Symbol[7..]
        : Symbol;

    /// <summary>The first argument where that is a number.</summary>
    public int First => Arguments is [{ IsBuffer: false } first, ..] ? first.Value : 0;

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
        OwnArgument[] arguments = inside.Length == 0 ? [] : [.. inside.Split(',').Select(Argument)];
        if (arguments.Length > MostArguments)
            throw new FormatException($"it has {arguments.Length} arguments; at most {MostArguments}");
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
        int number = -1;
        if (answer != OwnAnswer.Invariant)
            number = SyscallNames.NumberOf(call) ?? throw new FormatException($"there is no system call '{call}'");
        return new OwnFunction(symbol, number, arguments, answer, line)
        {
            Bytes = bytes,
            Invariant = answer == OwnAnswer.Invariant ? call : "",
        };
    }

    private static OwnArgument Argument(string text)
    {
        text = text.Trim();
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            return new OwnArgument(false, number);
        string[] parts = text.Split('+');
        int at = 0;
        return parts[0].Trim() == "buffer" && parts.Length <= 2
            && (parts.Length == 1
                || (int.TryParse(parts[1], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out at) && at < BufferBytes))
            ? new OwnArgument(true, at)
            : throw new FormatException($"its argument '{text}' is no 32-bit number, and not buffer or buffer+N (below {BufferBytes})");
    }
}
