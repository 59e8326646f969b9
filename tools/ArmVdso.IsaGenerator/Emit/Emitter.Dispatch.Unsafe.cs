using System.Globalization;
using System.Text;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>The table of bodies, and what takes the fields of a word apart for each.</summary>
public sealed partial class Emitter
{
    private void EmitDispatch(Output output)
    {
        var text = new StringBuilder();
        text.Append("/// <summary>Runs the body of a row; a row without one is UNDEFINED.</summary>\npublic static unsafe partial class Dispatch\n{\n");
        text.Append("    private static readonly delegate*<Cpu, uint, void>[] _bodies =\n    [\n        &Undefined,");
        for (int n = 0; n < _rows.Count; n++)
            text.Append(n % 12 == 0 ? "\n        " : " ").Append(CultureInfo.InvariantCulture, $"&{(_bodies.ContainsKey(_rows[n].Name) ? _rows[n].Name : "Undefined")},");
        text.Append("\n    ];\n\n");
        text.Append("    /// <summary>Executes a word that decodes as <paramref name=\"row\"/>.</summary>\n");
        text.Append("    public static void Execute(Cpu cpu, Row row, uint i) => _bodies[(int)row](cpu, i);\n\n");
        text.Append("    private static void Undefined(Cpu cpu, uint i) => cpu.Undefined();\n}\n");
        output.AddUnsafe("Dispatch", text);
        foreach (IGrouping<string, TableRow> group in _rows.Where(r => _bodies.ContainsKey(r.Name)).GroupBy(r => r.Group))
        {
            var adapters = new StringBuilder();
            adapters.Append("public static partial class Dispatch\n{\n");
            foreach (TableRow row in group)
            {
                string arguments = string.Concat(_bodies[row.Name].Parameters.Select(p => $", {p}: {row.FieldsByName[p.TrimStart('@')].EmitInt()}"));
                adapters.Append(CultureInfo.InvariantCulture, $"    private static void {row.Name}(Cpu cpu, uint i) => A64.{row.Name}(cpu{arguments});\n\n");
            }
            adapters.Append("}\n");
            output.Add("Dispatch." + Pascal(group.Key), adapters);
        }
    }
}
