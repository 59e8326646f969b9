using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>The name of a row of the instruction tables, taken apart: <c>mnemonic.letter (parameter; parameter)</c>.</summary>
/// <param name="Mnemonic">As <c>saddl2</c>.</param>
/// <param name="Letter">Element size b, h, s, d or q; empty without.</param>
/// <param name="Parameters">What stands in the parentheses, separated by <c>;</c> or <c>,</c>.</param>
public sealed partial record Notation(string Mnemonic, string Letter, string[] Parameters)
{
    /// <summary>Takes a name apart.</summary>
    public static Notation Parse(string name)
    {
        Match match = Name().Match(name);
        string[] parameters = match.Groups[3].Success
            ? match.Groups[3].Value.Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            : [];
        return new Notation(match.Groups[1].Value, match.Groups[2].Value, parameters);
    }

    /// <summary>Whether a parameter is there.</summary>
    public bool Has(string parameter) => Parameters.Contains(parameter);

    /// <summary>The number of a parameter <c>name = number</c>.</summary>
    public int? Number(string name)
    {
        string? text = Parameters.FirstOrDefault(p => p.StartsWith(name + " =", StringComparison.Ordinal));
        return text is not null && int.TryParse(text.AsSpan(text.IndexOf('=') + 1), CultureInfo.InvariantCulture, out int n) ? n : null;
    }

    /// <summary>The shift that a parameter ends with: <c>&lt;&lt;2</c>, <c>reg&gt;&gt;17</c>, <c>0x11&lt;&lt;8</c>; null without.</summary>
    public (bool Left, int Amount)? Shift()
    {
        foreach (string parameter in Parameters)
        {
            Match match = ShiftPart().Match(parameter);
            if (match.Success)
                return (match.Groups[1].Value == "<<", int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
        }
        return null;
    }

    /// <summary>The element index in a parameter <c>[7]</c> or <c>v.h[7]</c>; null without.</summary>
    public int? Element()
    {
        foreach (string parameter in Parameters)
        {
            Match match = Index().Match(parameter);
            if (match.Success)
                return int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        }
        return null;
    }

    /// <summary>Bytes by which the row's memory is off alignment.</summary>
    public int Misalign() => Has("cross-page") ? 4095 : Has("cross-cache") ? 63 : Has("unaligned") ? 1 : 0;

    /// <summary>A condition among the parameters.</summary>
    public string? Condition() =>
        Parameters.FirstOrDefault(p => p is "eq" or "ne" or "lt" or "le" or "gt" or "ge" or "hi" or "ls" or "cs" or "cc" or "mi" or "pl");

    [GeneratedRegex(@"^([a-z0-9]+)(?:\.([bhsdq]))?[^(]*(?:\(([^)]*)\))?")]
    private static partial Regex Name();

    [GeneratedRegex(@"(<<|>>)(\d+)$")]
    private static partial Regex ShiftPart();

    [GeneratedRegex(@"^(?:v\.[bhsd])?\[(\d+)\]$")]
    private static partial Regex Index();
}
