using System.Globalization;

namespace ArmVdso.Emulator.Isa.Disassembly;

internal static partial class SystemRegisterNames
{
    private static readonly Dictionary<int, string> _names = Parse(DebugAndTrace, System);

    /// <summary>The name of a system register for MRS or MSR, or null.</summary>
    public static string? Find(int op0, int op1, int crn, int crm, int op2, bool write)
    {
        if (!_names.TryGetValue(Key(op0, op1, crn, crm, op2), out string? name))
            return null;
        int separator = name.IndexOf('<', StringComparison.Ordinal);
        if (separator >= 0)
        {
            string written = name[(separator + 1)..].TrimEnd('>');
            return !write ? name[..separator] : written.Length == 0 ? null : written;
        }
        return name[^1] != '>' ? name : write ? name[..^1] : null;
    }

    private static int Key(int op0, int op1, int crn, int crm, int op2) =>
        (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;

    private static Dictionary<int, string> Parse(params string[] tables)
    {
        var names = new Dictionary<int, string>();
        foreach (string table in tables)
        {
            foreach (string line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] words = [.. line.Split(' ').SelectMany(Names)];
                int Field(int i) => int.Parse(words[i], CultureInfo.InvariantCulture);
                for (int op2 = 0; op2 + 4 < words.Length; op2++)
                {
                    if (words[op2 + 4] != "-")
                        names.Add(Key(Field(0), Field(1), Field(2), Field(3), op2), words[op2 + 4]);
                }
            }
        }
        return names;
    }

    // NAME{0..7}_EL0 is NAME0_EL0 to NAME7_EL0.
    private static IEnumerable<string> Names(string word)
    {
        string[] parts = word.Split(["{", "..", "}"], StringSplitOptions.None);
        if (parts.Length != 4)
            return [word];
        int first = int.Parse(parts[1], CultureInfo.InvariantCulture), last = int.Parse(parts[2], CultureInfo.InvariantCulture);
        return Enumerable.Range(first, last - first + 1).Select(n => $"{parts[0]}{n}{parts[3]}");
    }
}
