using System.Globalization;
using System.Reflection;

namespace ArmVdso.Lab.Tracing;

/// <summary>How an argument is printed.</summary>
/// <param name="Written">The call writes it: it is printed afterwards.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Parameter">A set, structure or argument number that belongs to the kind.</param>
internal readonly record struct ValueKind(bool Written, string Kind, string Parameter)
{
    internal static ValueKind Parse(string text)
    {
        bool written = text.StartsWith('>');
        string[] parts = text.TrimStart('>').Split(':', 2);
        return new ValueKind(written, parts[0], parts.Length > 1 ? parts[1] : "");
    }
}

/// <summary>How a system call is printed.</summary>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Result">Kind of the result; empty: a number.</param>
internal sealed record CallFormat(IReadOnlyList<ValueKind> Arguments, string Result);

/// <summary>A set of named bits or numbers.</summary>
/// <param name="IsFlags">Bits, joined by |.</param>
/// <param name="Unknown">What strace calls one without a name.</param>
/// <param name="Names">The names in strace's order.</param>
internal sealed record NameSet(bool IsFlags, string Unknown, IReadOnlyList<(string Name, ulong Value)> Names)
{
    /// <summary>Bits or a number in words.</summary>
    internal string Text(ulong value) => IsFlags ? Flags(value) : Enumerated(value);

    private string Flags(ulong value)
    {
        var words = new List<string>();
        ulong rest = value;
        foreach ((string name, ulong bits) in Names)
        {
            if (bits == 0 || (rest & bits) != bits)
                continue;
            words.Add(name);
            rest &= ~bits;
        }
        if (rest != 0)
            words.Add(words.Count > 0 ? StraceText.Hex(rest) : $"{StraceText.Hex(rest)} /* {Unknown} */");
        return words.Count > 0 ? string.Join('|', words) : Names.FirstOrDefault(n => n.Value == 0).Name ?? "0";
    }

    private string Enumerated(ulong value)
    {
        foreach ((string name, ulong number) in Names)
        {
            if (number == value)
                return name;
        }
        return Unknown.Length > 0 ? $"{StraceText.Hex(value)} /* {Unknown} */" : StraceText.Hex(value);
    }

    /// <summary>Whether a number has a name.</summary>
    internal bool Has(ulong value) => Names.Any(n => n.Value == value);
}

/// <summary>A field of a structure.</summary>
internal readonly record struct FieldFormat(string Label, int Offset, ValueKind Kind);

/// <summary>A structure.</summary>
internal sealed record StructFormat(int Size, IReadOnlyList<FieldFormat> Fields, bool More);

/// <summary>What is declared in calls.tsv, flags.tsv, structs.tsv and errors.tsv.</summary>
internal static class StraceTables
{
    private static readonly Dictionary<string, CallFormat> Calls = Rows("calls").ToDictionary(r => r[0], r => new CallFormat(
        [.. Words(r[1]).Select(ValueKind.Parse)], r.Length > 2 ? r[2] : ""));

    private static readonly Dictionary<string, NameSet> Sets = Rows("flags").ToDictionary(r => r[0], r => new NameSet(
        r[1] == "flags", r[2], [.. Words(r[3]).Select(w => w.Split('=')).Select(w => (w[0], Number(w[1])))]));

    private static readonly Dictionary<string, StructFormat> Structs = Rows("structs").ToDictionary(r => r[0], r => new StructFormat(
        int.Parse(r[1], CultureInfo.InvariantCulture), [.. Words(r[2]).Where(w => w != "...").Select(Field)],
        r[2].EndsWith("...", StringComparison.Ordinal)));

    private static readonly Dictionary<int, string> Errors =
        Rows("errors").ToDictionary(r => int.Parse(r[0], CultureInfo.InvariantCulture), r => r[1]);

    /// <summary>How a call is printed; null: nobody has said.</summary>
    internal static CallFormat? Call(string name) => Calls.GetValueOrDefault(name);

    /// <summary>Names of the calls that are declared.</summary>
    internal static IEnumerable<string> CallNames => Calls.Keys;

    /// <summary>A set of names.</summary>
    internal static NameSet Set(string name) => Sets[name];

    /// <summary>A structure.</summary>
    internal static StructFormat Struct(string name) => Structs[name];

    /// <summary>The text of an errno.</summary>
    internal static string Error(int errno) => Errors.GetValueOrDefault(errno, "Unknown error");

    private static FieldFormat Field(string word)
    {
        string[] label = word.Split('@', 2), place = label[1].Split(':', 2);
        return new FieldFormat(label[0], int.Parse(place[0], CultureInfo.InvariantCulture), ValueKind.Parse(place[1]));
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static ulong Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : (ulong)long.Parse(text, CultureInfo.InvariantCulture);

    private static IEnumerable<string[]> Rows(string table)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"strace/{table}.tsv")
            ?? throw new InvalidOperationException($"no table {table}");
        using var reader = new StreamReader(stream);
        var rows = new List<string[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
                rows.Add(line.Split('\t'));
        }
        return rows;
    }
}
