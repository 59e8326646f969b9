using System.Globalization;
using System.Text;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>Writes the C# of the emulator that follows from the table.</summary>
/// <remarks>The JIT optimises a method only below 60 000 bytes of IL and 2 000 basic blocks, so every switch over rows is
/// in two levels: groups of <see cref="GroupSize"/>, then the rows of a group.</remarks>
public sealed partial class Emitter
{
    private const int GroupSize = 64, Columns = 140;
    private const string Source = "emulator/Isa/Table";
    private readonly IReadOnlyList<TableRow> _rows;
    private readonly IReadOnlyDictionary<string, Body> _bodies;
    private readonly IReadOnlySet<string> _formats;
    private readonly List<string> _conditions = [];
    private readonly Dictionary<string, int> _conditionNumbers = new(StringComparer.Ordinal);

    /// <summary>An emitter for a table without errors.</summary>
    /// <param name="rows">The rows; numbers start at 1.</param>
    /// <param name="bodies">Instruction bodies by row.</param>
    /// <param name="formats">AsmFormat functions that exist.</param>
    public Emitter(IReadOnlyList<TableRow> rows, IReadOnlyDictionary<string, Body> bodies, IReadOnlySet<string> formats)
    {
        _formats = formats;
        _rows = rows;
        _bodies = bodies;
        Tree = new DecisionTree(rows);
    }

    /// <summary>What runs the bodies: it lies with them.</summary>
    public Output EmitDispatch()
    {
        var output = new Output(Source, "ArmVdso.Emulator.Semantics", "using ArmVdso.Emulator.Processor;\n\n");
        EmitDispatch(output);
        return output;
    }

    /// <summary>The text of every row; it lies with the functions that it calls.</summary>
    public Output EmitDisassembly()
    {
        var output = new Output(Source, "ArmVdso.Emulator.Isa.Disassembly", "");
        EmitDisassembly(output);
        return output;
    }

    /// <summary>All files of the table itself.</summary>
    public Output EmitTable()
    {
        var output = new Output(Source, "ArmVdso.Emulator.Isa", "");
        EmitRow(output);
        EmitRowInfo(output);
        EmitDecoder(output);
        EmitConditions(output);
        EmitRegisterUse(output);
        return output;
    }

    /// <summary>The decision tree that the decoder gets.</summary>
    public DecisionTree Tree { get; }

    private void EmitRow(Output output)
    {
        var text = new StringBuilder();
        text.Append("""
            /// <summary>An encoding of the A64 instruction set: a row of the instruction table.</summary>
            public enum Row : ushort
            {
                /// <summary>No row: the word is not allocated.</summary>
                Unallocated,

            """);
        text.AppendJoin(",\n", _rows.Select(r => "    " + r.Name)).Append(",\n}\n");
        output.Add("Row", text);
    }

    private void EmitRowInfo(Output output)
    {
        var text = new StringBuilder();
        text.Append("public static partial class RowInfo\n{\n");
        text.Append("    /// <summary>Number of rows, Unallocated included.</summary>\n");
        text.Append(CultureInfo.InvariantCulture, $"    public const int Count = {_rows.Count + 1};\n\n");
        AppendData(text, "byte", "Classes", [0, .. _rows.Select(r => (long)Array.IndexOf(TableReader.Classes, r.Class))], "timing class");
        AppendData(text, "byte", "Flows", [0, .. _rows.Select(r => (long)Array.IndexOf(TableReader.Flows, r.Flow))], "flow");
        long[] flags = [0, .. _rows.Select(r => (long)((IsFp(r) ? 1 : 0) | (_bodies.ContainsKey(r.Name) ? 2 : 0)))];
        AppendData(text, "byte", "Flags", flags, "bit 0: uses SIMD and FP registers, bit 1: has semantics");
        AppendData(text, "uint", "Masks", [0, .. _rows.Select(r => (long)r.Mask)], "fixed bits", true);
        AppendData(text, "uint", "Values", [1, .. _rows.Select(r => (long)r.Value)], "values of the fixed bits", true);
        long[] whens = [0, .. _rows.Select(r => (long)ConditionNumber(r.When))];
        AppendData(text, "ushort", "Whens", whens, "number of the row's condition, 0 for none");
        AppendText(text, "FeatureText", ["", .. _rows.Select(r => r.Feature)]);
        AppendText(text, "FieldText", ["", .. _rows.Select(r => string.Join(" ", r.Fields.Select(f => $"{f.Name}:{f.Lsb}:{f.Width}")))]);
        text.Append("}\n\n/// <summary>What a row is for timing. The table's CLASS column.</summary>\npublic enum TimingClass : byte\n{\n");
        foreach (string name in TableReader.Classes)
            text.Append(CultureInfo.InvariantCulture, $"    {Pascal(name)},\n");
        text.Append("}\n");
        output.Add("RowInfo", text);
    }

    private static bool IsFp(TableRow row) => row.Roles.Any(r => r.File == 'v');

    private static string Pascal(string name) =>
        string.Concat(name.Split('_').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));

    private void EmitDecoder(Output output)
    {
        var text = new StringBuilder();
        text.Append("public static partial class Decoder\n{\n");
        text.Append(CultureInfo.InvariantCulture, $"    private const uint Root = 0x{Tree.Root:x};\n\n");
        AppendData(text, "uint", "Entries", [.. Tree.Entries.Select(e => (long)e)], "the decision tree", true);
        AppendData(text, "ushort", "Lists", [.. Tree.Lists.Select(e => (long)e)], "candidate rows of the leaves, each list ended by 0");
        text.Append("}\n");
        output.Add("Decoder", text);
    }

    private int ConditionNumber(Expression? when)
    {
        if (when is null)
            return 0;
        string text = when.EmitBoolean();
        if (!_conditionNumbers.TryGetValue(text, out int number))
        {
            _conditions.Add(text);
            _conditionNumbers[text] = number = _conditions.Count;
        }
        return number;
    }

    private void EmitConditions(Output output)
    {
        var text = new StringBuilder();
        text.Append("/// <summary>The conditions of rows, numbered; equal ones share a number.</summary>\n");
        text.Append("internal static class Conditions\n{\n");
        text.Append("    /// <summary>Whether condition <paramref name=\"number\"/> holds for the word.</summary>\n");
        EmitTwoLevels(text, "bool", "Holds", "int number, uint i", "number, i", "number", _conditions.Count + 1,
            n => n == 0 ? null : $"return {_conditions[n - 1]};", "return true;");
        text.Append("}\n");
        output.Add("Conditions", text);
    }

    private void EmitDisassembly(Output output)
    {
        var text = new StringBuilder();
        text.Append("public static partial class Disassembler\n{\n");
        text.Append("    // Text of a word that decodes as the row.\n");
        EmitTwoLevels(text, "string", "Format", "Row row, uint i, ulong pc", "row, i, pc", "(int)row", _rows.Count + 1,
            n => n > 0 ? $"return {_rows[n - 1].Name}(i, pc);" : null, "return Unallocated(i);", "private");
        text.Append("}\n");
        output.Add("Disassembly", text);
        var rows = new StringBuilder("public static partial class Disassembler\n{\n");
        foreach (TableRow row in _rows)
            EmitText(rows, row);
        rows.Append("}\n");
        output.Add("Disassembly.Rows", rows);
    }

    // The method that makes the text of a row; the first alias whose condition holds counts.
    private void EmitText(StringBuilder text, TableRow row)
    {
        text.Append(CultureInfo.InvariantCulture, $"    private static string {row.Name}(uint i, ulong pc)");
        if (row.Aliases.Count == 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" =>\n        {row.Asm.Emit(_formats)};\n\n");
            return;
        }
        text.Append("\n    {\n");
        bool always = false;
        foreach (Alias alias in row.Aliases.TakeWhile(_ => !always))
        {
            always = alias.When is null;
            if (alias.When is not null)
                text.Append(CultureInfo.InvariantCulture, $"        if ({alias.When.EmitBoolean()})\n    ");
            text.Append(CultureInfo.InvariantCulture, $"        return {alias.Asm.Emit(_formats)};\n");
        }
        if (!always)
            text.Append(CultureInfo.InvariantCulture, $"        return {row.Asm.Emit(_formats)};\n");
        text.Append("    }\n\n");
    }

    // A method NAME(parameters) that switches on key in two levels. null from body means the default.
    private static void EmitTwoLevels(
        StringBuilder text, string type, string name, string parameters, string arguments, string key, int count,
        Func<int, string?> body, string otherwise, string access = "public")
    {
        int groups = (count + GroupSize - 1) / GroupSize;
        (string before, string after) = type == "void" ? ("", " return;") : ("return ", "");
        Open(text, $"{access} static {type} {name}({parameters})", $"{key} >> 6");
        for (int g = 0; g < groups; g++)
            text.Append(CultureInfo.InvariantCulture, $"            case {g}: {before}{name}{g}({arguments});{after}\n");
        Close(text, otherwise);
        for (int g = 0; g < groups; g++)
        {
            Open(text, $"private static {type} {name}{g}({parameters})", key);
            for (int n = g * GroupSize; n < Math.Min(count, (g + 1) * GroupSize); n++)
            {
                if (body(n) is string statement)
                    text.Append(CultureInfo.InvariantCulture, $"            case {n}: {statement}\n");
            }
            Close(text, otherwise);
        }
    }

    private static void Open(StringBuilder text, string method, string key) =>
        text.Append(CultureInfo.InvariantCulture, $"    {method}\n    {{\n        switch ({key})\n        {{\n");

    private static void Close(StringBuilder text, string otherwise) =>
        text.Append(CultureInfo.InvariantCulture, $"            default: {otherwise}\n        }}\n    }}\n\n");

    private static void AppendData(StringBuilder text, string type, string name, long[] values, string meaning, bool hex = false)
    {
        text.Append(CultureInfo.InvariantCulture, $"    // {char.ToUpperInvariant(meaning[0])}{meaning[1..]}.\n");
        text.Append(CultureInfo.InvariantCulture, $"    private static ReadOnlySpan<{type}> {name} =>\n    [");
        int column = Columns;
        foreach (long value in values)
        {
            string item = string.Format(CultureInfo.InvariantCulture, hex ? " 0x{0:x}," : " {0},", value);
            if (column + item.Length > Columns)
            {
                text.Append("\n       ");
                column = 7;
            }
            text.Append(item);
            column += item.Length;
        }
        text.Append("\n    ];\n\n");
    }

    private static void AppendText(StringBuilder text, string name, IEnumerable<string> lines)
    {
        text.Append(CultureInfo.InvariantCulture, $"    // One line for each row.\n    private const string {name} =\n");
        text.Append(string.Join(" +\n", lines.Select(l => $"        \"{l}\\n\""))).Append(";\n\n");
    }
}
