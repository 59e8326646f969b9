using System.Globalization;
using System.Text;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>Register use: rows with equal operands share one case.</summary>
public sealed partial class Emitter
{
    private void EmitRegisterUse(Output output)
    {
        var shapes = new List<string> { "" };
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal) { [""] = 0 };
        var ofRow = new List<long> { 0 };
        foreach (TableRow row in _rows)
        {
            string shape = string.Concat(row.Roles.Select(EmitRole));
            if (!numbers.TryGetValue(shape, out int number))
            {
                numbers[shape] = number = shapes.Count;
                shapes.Add(shape);
            }
            ofRow.Add(number);
        }
        var text = new StringBuilder();
        text.Append("public readonly partial struct RegisterUse\n{\n");
        AppendData(text, "ushort", "Shapes", [.. ofRow], "number of the row's operand shape");
        EmitTwoLevels(text, "void", "Fill", "int shape, uint i, ref RegisterUseBuilder u", "shape, i, ref u", "shape", shapes.Count,
            n => n == 0 ? null : shapes[n] + "return;", "return;", "private");
        text.Append("}\n");
        output.Add("RegisterUse", text);
    }

    private static string EmitRole(Role role)
    {
        string number = role.Number is Expression.FieldValue f && f.Field.Width <= 5 || role.Number is Expression.Number
            ? role.Number.EmitInteger("int") : $"({role.Number.EmitInteger("int")} & 31)";
        bool single = role.Count is Expression.Number { Value: 1 };
        string mask = role.File == 'f' ? "" : single
            ? $"RegisterUseBuilder.{(role.File == 'x' ? "General" : "Any")}({number})"
            : $"RegisterUseBuilder.{(role.File == 'x' ? "GeneralRange" : "AnyRange")}({number}, {role.Count.EmitInteger("int")})";
        var text = new StringBuilder();
        if (role.When is not null)
            text.Append(CultureInfo.InvariantCulture, $"if ({role.When.EmitBoolean()}) {{ ");
        foreach (Mode mode in (Mode[])[Mode.Read, Mode.Write])
        {
            if ((role.Mode & mode) == 0)
                continue;
            string verb = mode == Mode.Read ? "Reads" : "Writes";
            text.Append(role.File switch
            {
                'f' => $"u.{verb}Flags = true; ",
                'v' => $"u.{verb}Vector |= {mask}; ",
                _ => $"u.{verb}General |= {mask}; ",
            });
        }
        if (role.When is not null)
            text.Append("} ");
        return text.ToString();
    }
}
