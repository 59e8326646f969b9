using System.Globalization;
using System.Text;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>The table of bodies, and what takes the fields of a word apart for each.</summary>
public sealed partial class Emitter
{
    private void EmitDispatch(Output output)
    {
        var text = new StringBuilder("""
            /// <summary>Runs the body of a row; a row without one is UNDEFINED.</summary>
            public static unsafe partial class Dispatch
            {
                private static readonly delegate*<Cpu, uint, void>[] _bodies =
                [
                    &Undefined,
            """);
        for (int n = 0; n < _rows.Count; n++)
        {
            string name = _bodies.ContainsKey(_rows[n].Name) ? _rows[n].Name : "Undefined";
            text.Append(n % 12 == 0 ? "\n        " : " ").Append(CultureInfo.InvariantCulture, $"&{name},");
        }
        text.Append("""

                ];

                /// <summary>Executes a word that decodes as <paramref name="row"/>.</summary>
                public static void Execute(Cpu cpu, Row row, uint i) => _bodies[(int)row](cpu, i);

                private static void Undefined(Cpu cpu, uint i) => cpu.Undefined();
            }

            """);
        output.AddUnsafe("Dispatch", text);
        var adapters = new StringBuilder("public static partial class Dispatch\n{\n");
        foreach (TableRow row in _rows.Where(r => _bodies.ContainsKey(r.Name)))
        {
            var fields = _bodies[row.Name].Parameters.Select(p => $", {p}: {row.FieldsByName[p.TrimStart('@')].EmitInt()}");
            adapters.Append(CultureInfo.InvariantCulture, $"    private static void {row.Name}(Cpu cpu, uint i) =>\n");
            adapters.Append(CultureInfo.InvariantCulture, $"        A64.{row.Name}(cpu{string.Concat(fields)});\n\n");
        }
        adapters.Append("}\n");
        output.Add("Dispatch.Rows", adapters);
    }
}
