using System.Globalization;

namespace ArmVdso.Lab.Explain;

/// <summary>The part of a run whose pipeline is kept: a stretch of each CPU's cycles or instructions, or one call of a function.</summary>
public sealed record PipelineWindow
{
    /// <summary>Begin of the stretch, in cycles or instructions.</summary>
    public ulong From { get; init; }

    /// <summary>End of the stretch, which does not belong to it.</summary>
    public ulong To { get; init; }

    /// <summary>Whether the stretch counts instructions of each CPU, not its cycles.</summary>
    public bool Instructions { get; init; }

    /// <summary>The function of a program, a library, the vDSO or EL1 code whose call is kept; null: the stretch.</summary>
    public string? Function { get; init; }

    /// <summary>Which of the function's calls in this run, from 1.</summary>
    public ulong Call { get; init; }

    /// <summary>Reads FROM:TO (cycles), FROM:TOi (instructions) or FUNCTION[:N].</summary>
    /// <returns>Null where the text is none of them.</returns>
    public static PipelineWindow? Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        bool instructions = text.EndsWith('i');
        string[] ends = (instructions ? text[..^1] : text).Split(':');
        if (ends.Length == 2 && Number(ends[0], out ulong from))
            return Number(ends[1], out ulong to) && from < to ? new() { From = from, To = to, Instructions = instructions } : null;
        string[] parts = text.Split(':');
        ulong call = 1;
        bool named = parts[0].Length > 0 && !char.IsAsciiDigit(parts[0][0])
            && (parts.Length == 1 || (parts.Length == 2 && Number(parts[1], out call) && call > 0));
        return named ? new() { Function = parts[0], Call = call } : null;
    }

    private static bool Number(string text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
