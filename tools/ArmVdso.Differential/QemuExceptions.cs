using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Differential;

/// <summary>What of a case is not compared.</summary>
[Flags]
public enum Ignore
{
    /// <summary>Everything is compared.</summary>
    None = 0,

    /// <summary>The case is not run.</summary>
    Run = 1,

    /// <summary>FPSR.</summary>
    Fpsr = 2,

    /// <summary>NZCV.</summary>
    Nzcv = 4,

    /// <summary>Registers after a fault (the architecture leaves them UNKNOWN, or qemu is less precise).</summary>
    FaultRegisters = 8,

    /// <summary>Memory.</summary>
    Memory = 16,

    /// <summary>Addresses that are unaligned or near unmapped memory are not used.</summary>
    Misaligned = 32,
}

/// <summary>One line of qemu-exceptions.txt.</summary>
/// <param name="Names">Row names; * stands for anything.</param>
/// <param name="Pattern">All of them as one expression.</param>
/// <param name="When">Conditions on the fields of the word, all of which hold.</param>
/// <param name="Ignore">What is left out.</param>
/// <param name="Reason">Why.</param>
public sealed record QemuException(
    string[] Names, Regex Pattern, IReadOnlyList<(string Field, bool Equal, uint Value)> When, Ignore Ignore, string Reason)
{
    /// <summary>Whether the line is about this word of this row, run with this FPCR.</summary>
    public bool Applies(TableRow row, uint word, ulong fpcr)
    {
        if (!Pattern.IsMatch(row.Name))
            return false;
        foreach ((string name, bool equal, uint value) in When)
        {
            uint actual = name switch
            {
                "FPCR.FZ" => (uint)(fpcr >> 24) & 1,
                "FPCR.DN" => (uint)(fpcr >> 25) & 1,
                _ => row.Field(name)?.Get(word) ?? 0,
            };
            if ((actual == value) != equal)
                return false;
        }
        return true;
    }
}

/// <summary>Rows that qemu 7.2 lacks or treats differently, and those that cannot be compared, each with its reason.</summary>
public sealed class QemuExceptions
{
    private readonly Dictionary<string, QemuException[]> _byRow = [];

    /// <summary>All lines.</summary>
    public IReadOnlyList<QemuException> Lines { get; }

    /// <summary>The committed list.</summary>
    public static QemuExceptions Committed { get; } = new(Resources.Text("qemu-exceptions.txt"));

    /// <summary>An empty list.</summary>
    public static QemuExceptions None { get; } = new("");

    /// <summary>Parses <c>ROW ; CONDITIONS ; IGNORED ; REASON</c> lines.</summary>
    /// <exception cref="FormatException">A line is malformed.</exception>
    public QemuExceptions(string text)
    {
        var lines = new List<QemuException>();
        foreach (string raw in text.Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] column = line.Split(';', 4, StringSplitOptions.TrimEntries);
            if (column.Length != 4 || column[3].Length == 0)
                throw new FormatException($"qemu-exceptions.txt: four columns wanted: {line}");
            string[] names = column[0].Split('|');
            var pattern = new Regex(string.Join('|', names.Select(n => Glob(n).ToString())));
            lines.Add(new QemuException(names, pattern, Conditions(column[1]), Enum.Parse<Ignore>(column[2], true), column[3]));
        }
        Lines = lines;
        foreach (TableRow row in IsaTable.Rows)
        {
            QemuException[] found = lines.Where(l => l.Pattern.IsMatch(row.Name)).ToArray();
            if (found.Length > 0)
                _byRow[row.Name] = found;
        }
    }

    /// <summary>The expression for a name in which * stands for anything.</summary>
    public static Regex Glob(string name) => new("^" + Regex.Escape(name).Replace("\\*", ".*", StringComparison.Ordinal) + "$");

    private static List<(string, bool, uint)> Conditions(string text)
    {
        var conditions = new List<(string, bool, uint)>();
        if (text == "*")
            return conditions;
        foreach (string part in text.Split("&&", StringSplitOptions.TrimEntries))
        {
            bool equal = part.Contains("==", StringComparison.Ordinal);
            string[] sides = part.Split(equal ? "==" : "!=", StringSplitOptions.TrimEntries);
            conditions.Add((sides[0], equal, uint.Parse(sides[1], CultureInfo.InvariantCulture)));
        }
        return conditions;
    }

    /// <summary>What is not compared for this word, run with this FPCR.</summary>
    public Ignore Find(TableRow row, uint word, ulong fpcr = 0)
    {
        Ignore ignore = Ignore.None;
        if (_byRow.TryGetValue(row.Name, out QemuException[]? found))
        {
            foreach (QemuException e in found)
            {
                if (e.Applies(row, word, fpcr))
                    ignore |= e.Ignore;
            }
        }
        return ignore;
    }

    /// <summary>Whether no word of the row is run.</summary>
    public bool SkipsRow(TableRow row) =>
        _byRow.TryGetValue(row.Name, out QemuException[]? found) && found.Any(e => e.When.Count == 0 && (e.Ignore & Ignore.Run) != 0);

    /// <summary>Whether the word is not run at all.</summary>
    public bool Skips(TableRow row, uint word) => (Find(row, word) & Ignore.Run) != 0;
}
