using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>The portable engine's numbers of operations, translator and switch, from its table of operations.</summary>
public sealed partial class EngineEmitter(OperationTable table, string template)
{
    /// <summary>Makes the files.</summary>
    public Output Emit()
    {
        var output = new Output(
            "emulator/Engine/Portable/operations.txt and RunBlocks.template", "ArmVdso.Emulator.Engine.Portable", "using ArmVdso.Emulator.Isa;\n\n");
        EmitCodes(output);
        EmitTranslator(output);
        EmitSwitch(output);
        return output;
    }

    private void EmitCodes(Output output)
    {
        var text = new StringBuilder();
        text.Append("#pragma warning disable CS1591 // Names say it: what is done, width of the operation, addressing form.\n\n");
        text.Append("/// <summary>What an operation does. 64 and 32 are operand widths; I takes <see cref=\"Op.Imm\"/>, Sh a shifted register,\n");
        text.Append("/// Rot a register rotated right by <see cref=\"Op.Ra\"/> and masked by Imm, which LSL, LSR and ROR are.\n");
        text.Append("/// Loads and stores: Off is base + Imm (also literals and pre-indexed forms), Post is base, Reg base + extended register.</summary>\n");
        text.Append("public enum OpCode : ushort\n{\n    /// <summary>The reference body of the row.</summary>\n    Generic,\n\n");
        text.Append("    /// <summary>End of the block without a branch.</summary>\n    End,\n\n");
        foreach (Operation operation in table.Operations)
            text.Append("    ").Append(string.Join(", ", operation.Codes)).Append(",\n");
        text.Append("}\n");
        output.Add("OpCode", text);
    }

    private void EmitTranslator(Output output)
    {
        var text = new StringBuilder();
        text.Append("internal static partial class Translator\n{\n");
        text.Append("    /// <summary>Makes the operation of an instruction; false when it has none of its own.</summary>\n");
        text.Append("    private static bool Operation(Row row, uint i, ulong pc, int sp, ref Op op)\n    {\n        switch (row)\n        {\n");
        foreach (IGrouping<TableRow, Translation> row in table.Translations.GroupBy(t => t.Row))
        {
            text.Append(CultureInfo.InvariantCulture, $"            case Row.{row.Key.Name}:\n");
            bool always = false;
            foreach (Translation t in row)
            {
                string indent = "                ";
                always = t.When is null;
                if (!always)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{indent}if ({t.When!.EmitBoolean()})\n{indent}{{\n");
                    indent += "    ";
                }
                foreach (SlotValue slot in t.Slots)
                    text.Append(CultureInfo.InvariantCulture, $"{indent}op.{slot.Slot} = {slot.Code};\n");
                string[] codes = [.. t.Operation.Codes];
                string code = t.Form != AddressForm.None ? $"OpCode.{t.Operation.Name}{t.Form}"
                    : t.Operation.Wide ? $"{t.Row.FieldsByName["sf"].EmitInt()} != 0 ? OpCode.{codes[0]} : OpCode.{codes[1]}" : $"OpCode.{codes[0]}";
                text.Append(CultureInfo.InvariantCulture, $"{indent}op.Code = {code};\n{indent}return true;\n");
                if (!always)
                    text.Append("                }\n");
            }
            if (!always)
                text.Append("                return false;\n");
        }
        text.Append("            default:\n                return false;\n        }\n    }\n}\n");
        output.Add("Translator", text);
    }

    private void EmitSwitch(Output output)
    {
        var cases = new StringBuilder();
        var accesses = new StringBuilder();
        foreach (Operation operation in table.Operations)
        {
            if (operation.Bytes != 0)
                EmitAccess(operation, cases, accesses);
            else
                EmitCases(operation, cases);
        }
        string[] halves = template.Split("@cases");
        string[] rest = halves.Length == 2 ? halves[1].Split("@accesses") : [];
        if (rest.Length != 2)
            throw new TableException("RunBlocks.template needs @cases and then @accesses, once each");
        output.AddWhole("PortableEngine.RunBlocks", halves[0] + cases.ToString().TrimEnd() + rest[0] + accesses.ToString().TrimEnd() + rest[1]);
    }

    private static void EmitCases(Operation operation, StringBuilder text)
    {
        foreach (string code in operation.Codes)
        {
            bool narrow = operation.Wide && code.EndsWith("32", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $"                case OpCode.{code}:\n");
            if (operation.Kind == OperationKind.Test)
            {
                text.Append(CultureInfo.InvariantCulture, $"                    if ({Expand(operation.Body, narrow)})\n");
                text.Append("                        goto Direct;\n                    goto NotTaken;\n");
                continue;
            }
            Statements(text, "                    ", operation.Body, narrow);
            if (operation.Kind == OperationKind.Divide)
                text.Append("                    if (memo)\n                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));\n");
            if (operation.Kind == OperationKind.Branch)
            {
                text.Append(CultureInfo.InvariantCulture, $"                    if (timed)\n                        Took(BranchType.{operation.Words[0]});\n");
                text.Append(CultureInfo.InvariantCulture, $"                    goto {operation.Words[1]};\n");
            }
            else
            {
                text.Append("                    break;\n");
            }
        }
    }

    private static void Statements(StringBuilder text, string indent, string body, bool narrow)
    {
        foreach (string part in body.Split("; "))
        {
            string statement = part;
            // The upper half of a register is cleared, whatever type the expression has.
            if (narrow && statement.StartsWith("D = ", StringComparison.Ordinal))
                statement = $"D = (uint)({statement[4..]})";
            text.Append(indent).Append(Expand(statement, narrow)).Append(";\n");
        }
    }

    /// <summary>Writes the letters of a body out.</summary>
    private static string Expand(string body, bool narrow)
    {
        string cast = narrow ? "(uint)" : "";
        return Letters().Replace(body, match => match.Value switch
        {
            "D" => match.Index == 0 && body.StartsWith("D = ", StringComparison.Ordinal) ? "Unsafe.Add(ref x, op.Rd)" : cast + "Unsafe.Add(ref x, op.Rd)",
            "A" when body.StartsWith("A = ", StringComparison.Ordinal) && match.Index == 0 => "Unsafe.Add(ref x, op.Ra)",
            "N" => cast + "Unsafe.Add(ref x, op.Rn)",
            "M" => cast + "Unsafe.Add(ref x, op.Rm)",
            "A" => cast + "Unsafe.Add(ref x, op.Ra)",
            "VD" => "Unsafe.Add(ref v, op.Rd)",
            "VA" => "Unsafe.Add(ref v, op.Ra)",
            "I" => cast + "op.Imm",
            "K" => "op.Ra",
            "L" => "op.Rm",
            "X" => "op.Extra",
            "T" => narrow ? "uint" : "ulong",
            "S" => narrow ? "int" : "long",
            "SF" => narrow ? "0" : "1",
            _ => "entry.Host + address",
        });
    }

    [GeneratedRegex(@"(?<![\w.])(?:D|N|M|A|VD|VA|I|K|L|X|T|S|SF|HOST)(?!\w)")]
    private static partial Regex Letters();

    private static void EmitAccess(Operation operation, StringBuilder cases, StringBuilder text)
    {
        foreach (AddressForm form in operation.Forms)
        {
            cases.Append(CultureInfo.InvariantCulture, $"                case OpCode.{operation.Name}{form}:\n");
            cases.Append(form switch
            {
                AddressForm.Off => "                    address = Unsafe.Add(ref x, op.Rn) + op.Imm;\n                    moved = address;\n",
                AddressForm.Post => "                    address = Unsafe.Add(ref x, op.Rn);\n                    moved = address + op.Imm;\n",
                _ => "                    address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);\n",
            });
            cases.Append(CultureInfo.InvariantCulture, $"                    if (({(form == AddressForm.Post ? "address" : "Unsafe.Add(ref x, op.Rn)")} & op.Extra) != 0)\n");
            cases.Append(CultureInfo.InvariantCulture, $"                        goto Fault;\n                    goto {operation.Name};\n");
        }
        int bytes = operation.Bytes;
        bool load = operation.Kind == OperationKind.Load;
        string[] ways = operation.Body.Split(" else ", 2);
        string last = bytes == 1 ? "address" : $"(address + {bytes - 1})";
        string plain = load ? bytes >= 16 ? "PlainWideLoad" : "PlainLoad" : "PlainStore";
        text.Append(CultureInfo.InvariantCulture, $"        {operation.Name}:\n            entry = ref Slot(ref tlb, address);\n");
        text.Append(CultureInfo.InvariantCulture, $"            if (!timed && entry.{(load ? "Read" : "Write")}Tag == ({last} & ~0xfffUL){(load ? "" : " && monitors.Unmarked")}\n");
        text.Append(CultureInfo.InvariantCulture, $"                && (!memo || m.{plain}(address, entry.Pa + address, {bytes}, ref shapes)))\n            {{\n");
        if (!load)
            text.Append(CultureInfo.InvariantCulture, $"                if (journalled)\n                    cpu.Journal!.Save(entry.Pa + address, {bytes});\n");
        Statements(text, "                ", ways[0], false);
        text.Append("                Unsafe.Add(ref x, op.Wb) = moved;\n                goto Advance;\n            }\n");
        if (ways[1] == "reference")
        {
            text.Append("            goto Reference;\n\n");
            return;
        }
        text.Append(CultureInfo.InvariantCulture, $"            if (!Slow{(load ? "Load" : "Store")}(address, {bytes}{(load ? "" : ", " + Expand(ways[1], false))}))\n                goto Fault;\n");
        if (load)
            Statements(text, "            ", ways[1], false);
        text.Append(CultureInfo.InvariantCulture, $"            Unsafe.Add(ref x, op.Wb) = moved;\n            goto {(load ? "Loaded" : "Stored")};\n\n");
    }
}
