using System.Text.RegularExpressions;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>An instruction body: its parameters after the Cpu, and where it is.</summary>
public sealed record Body(string Place, string[] Parameters);

/// <summary>Finds the bodies <c>public static void ROW(Cpu cpu, int field, ...)</c> in the sources of A64.</summary>
public static partial class SemanticsScanner
{
    /// <summary>Bodies by row name; problems are added to <paramref name="errors"/>.</summary>
    public static Dictionary<string, Body> Scan(string directory, IReadOnlyList<TableRow> rows, List<string> errors)
    {
        var byName = rows.ToDictionary(r => r.Name, StringComparer.Ordinal);
        var bodies = new Dictionary<string, Body>(StringComparer.Ordinal);
        if (!Directory.Exists(directory))
            return bodies;
        foreach (string file in Directory.GetFiles(directory, "*.cs").Order(StringComparer.Ordinal))
        {
            string text = File.ReadAllText(file);
            if (!ClassPattern().IsMatch(text))
                continue;
            foreach (Match match in MethodPattern().Matches(text))
            {
                string name = match.Groups[1].Value;
                if (!byName.TryGetValue(name, out TableRow? row))
                    continue;
                string place = $"{Path.GetFileName(file)}:{text.AsSpan(0, match.Index).Count('\n') + 1}";
                string[] parameters = ReadParameters(match.Groups[2].Value, place, row, errors);
                if (!bodies.TryAdd(name, new Body(place, parameters)))
                    errors.Add($"{place}: A64.{name} is declared twice, first at {bodies[name].Place}");
            }
        }
        return bodies;
    }

    /// <summary>Names of the functions <c>public static string NAME(uint ..., ulong ...)</c> of AsmFormat.</summary>
    public static HashSet<string> ScanFormats(string directory) => !Directory.Exists(directory) ? [] : Directory
        .GetFiles(directory, "AsmFormat*.cs")
        .SelectMany(f => FormatPattern().Matches(File.ReadAllText(f)))
        .Select(m => m.Groups[1].Value)
        .ToHashSet(StringComparer.Ordinal);

    private static string[] ReadParameters(string list, string place, TableRow row, List<string> errors)
    {
        var names = new List<string>();
        foreach (string parameter in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] words = parameter.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not ["int", string name])
                errors.Add($"{place}: A64.{row.Name}: parameter \"{parameter}\" is not \"int field\"");
            else if (!row.FieldsByName.ContainsKey(name.TrimStart('@')))
                errors.Add($"{place}: A64.{row.Name}: the row has no field {name} (it has {string.Join(" ", row.FieldsByName.Keys)})");
            else
                names.Add(name);
        }
        return [.. names];
    }

    [GeneratedRegex(@"\bpartial\s+class\s+A64\b")]
    private static partial Regex ClassPattern();

    [GeneratedRegex(@"\bpublic\s+static\s+void\s+(\w+)\s*\(\s*Cpu\s+cpu\s*,?([^)]*)\)")]
    private static partial Regex MethodPattern();

    [GeneratedRegex(@"\bpublic\s+static\s+string\s+(\w+)\s*\(\s*uint\s+\w+\s*,\s*ulong\s+\w+\s*\)")]
    private static partial Regex FormatPattern();
}
