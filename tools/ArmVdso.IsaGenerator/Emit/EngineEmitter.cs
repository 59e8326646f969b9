using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ArmVdso.IsaGenerator.Table;

namespace ArmVdso.IsaGenerator.Emit;

/// <summary>The portable engine's numbers of operations, translator and switch, from its table of operations.</summary>
public sealed partial class EngineEmitter(OperationTable table, string template)
{
    private const int Columns = 140;

    /// <summary>Makes the files.</summary>
    public Output Emit()
    {
        const string sources = "emulator/Engine/Portable/operations.txt and RunBlocks.template";
        var output = new Output(sources, "ArmVdso.Emulator.Engine.Portable", "");
        EmitCodes(output);
        EmitTranslator(output);
        EmitSwitch(output);
        return output;
    }

    private void EmitCodes(Output output)
    {
        var text = new StringBuilder("""
            #pragma warning disable CS1591 // Names say it: what is done, width of the operation, addressing form.

            /// <summary>What an operation does. 64 and 32 are operand widths; I takes <see cref="Op.Imm"/>, Sh a shifted register,
            /// Rot a register rotated right by <see cref="Op.Ra"/> and masked by Imm, which LSL, LSR and ROR are.
            /// Loads and stores: Off is base + Imm (also literals and pre-indexed forms), Post is base, Reg base + extended
            /// register.</summary>
            public enum OpCode : ushort
            {
                /// <summary>The reference body of the row.</summary>
                Generic,

                /// <summary>End of the block without a branch.</summary>
                End,


            """);
        foreach (Operation operation in table.Operations)
            text.Append("    ").Append(string.Join(", ", operation.Codes)).Append(",\n");
        text.Append("}\n");
        output.Add("OpCode", text);
    }

    private void EmitTranslator(Output output)
    {
        var text = new StringBuilder("""
            internal static partial class Translator
            {
                /// <summary>Makes the operation of an instruction; false when it has none of its own.</summary>
                private static bool Operation(Row row, uint i, ulong pc, int sp, ref Op op)
                {
                    switch (row)
                    {

            """);
        const string indent = "                ";
        foreach (IGrouping<TableRow, Translation> row in table.Translations.GroupBy(t => t.Row))
        {
            text.Append(CultureInfo.InvariantCulture, $"            case Row.{row.Key.Name}:\n");
            foreach (Translation t in row)
            {
                if (t.When is not null)
                    text.Append(CultureInfo.InvariantCulture, $"{indent}if ({t.When.EmitBoolean()})\n");
                EmitOperation(text, t.When is null ? indent : indent + "    ", t);
            }
            if (row.Last().When is not null)
                text.Append(indent).Append("return false;\n");
        }
        text.Append("            default:\n                return false;\n        }\n    }\n}\n");
        output.Add("Translator", text);
    }

    private static void EmitOperation(StringBuilder text, string indent, Translation t)
    {
        string[] codes = [.. t.Operation.Codes];
        string code = t.Form != AddressForm.None ? $"OpCode.{t.Operation.Name}{t.Form}"
            : t.Operation.Wide ? $"{t.Row.FieldsByName["sf"].EmitInt()} != 0 ? OpCode.{codes[0]} : OpCode.{codes[1]}"
            : $"OpCode.{codes[0]}";
        text.Append(indent).Append("return Is(ref op, ").Append(code);
        int column = indent.Length + "return Is(ref op, ".Length + code.Length;
        foreach (SlotValue slot in t.Slots)
        {
            string argument = $"{slot.Slot.ToLowerInvariant()}: {slot.Code}";
            bool fits = column + argument.Length + 4 <= Columns;
            text.Append(fits ? ", " : ",\n    " + indent).Append(argument);
            column = (fits ? column + 2 : indent.Length + 4) + argument.Length;
        }
        text.Append(");\n");
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
        string text = halves[0] + cases.ToString().TrimEnd() + rest[0] + accesses.ToString().TrimEnd() + rest[1];
        output.AddWhole("PortableEngine.RunBlocks", text);
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
            {
                text.Append("""
                                    if (memo)
                                        m.Divided(op.Instruction, Unsafe.Add(ref x, (nint)(op.Instruction & 31)));

                """);
            }
            if (operation.Kind == OperationKind.Branch)
            {
                text.Append(CultureInfo.InvariantCulture, $$"""
                                    if (timed)
                                        Took(BranchType.{{operation.Words[0]}});
                                    goto {{operation.Words[1]}};

                """);
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
            "D" when match.Index == 0 && body.StartsWith("D = ", StringComparison.Ordinal) => "Unsafe.Add(ref x, op.Rd)",
            "A" when match.Index == 0 && body.StartsWith("A = ", StringComparison.Ordinal) => "Unsafe.Add(ref x, op.Ra)",
            "D" => cast + "Unsafe.Add(ref x, op.Rd)",
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
            EmitAddress(operation, form, cases);
        int bytes = operation.Bytes;
        bool load = operation.Kind == OperationKind.Load;
        string[] ways = operation.Body.Split(" else ", 2);
        string last = bytes == 1 ? "address" : $"(address + {bytes - 1})";
        string plain = load ? bytes >= 16 ? "PlainWideLoad" : "PlainLoad" : "PlainStore";
        (string tag, string unmarked) = load ? ("Read", "") : ("Write", " && monitors.Unmarked");
        string question = $"m.{plain}(address, entry.Pa + address, {bytes}, ref shapes)";
        bool reference = ways[1] == "reference";
        string asked = reference ? $" && (!memo || {question})" : "";
        text.Append(CultureInfo.InvariantCulture, $$"""
                    {{operation.Name}}:
                        entry = ref Slot(ref tlb, address);
                        if (!timed && entry.{{tag}}Tag == ({{last}} & ~0xfffUL){{unmarked}}{{asked}})
                        {

            """);
        if (!load)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""
                                if (journalled)
                                    cpu.Journal!.Save(entry.Pa + address, {{bytes}});

                """);
        }
        Statements(text, "                ", ways[0], false);
        text.Append("                Unsafe.Add(ref x, op.Wb) = moved;\n");
        if (!reference)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""
                                if (memo && !{{question}})
                                {
                                    cpu.Note(address, entry.Pa + address, {{bytes}}, {{(load ? "false" : "true")}});
                                    goto {{(load ? "Loaded" : "Stored")}};
                                }

                """);
        }
        text.Append("                goto Advance;\n            }\n");
        if (reference)
        {
            text.Append("            goto Reference;\n\n");
            return;
        }
        string call = load ? $"SlowLoad(address, {bytes})" : $"SlowStore(address, {bytes}, {Expand(ways[1], false)})";
        text.Append(CultureInfo.InvariantCulture, $"            if (!{call})\n                goto Fault;\n");
        if (load)
            Statements(text, "            ", ways[1], false);
        text.Append("            Unsafe.Add(ref x, op.Wb) = moved;\n");
        text.Append(CultureInfo.InvariantCulture, $"            goto {(load ? "Loaded" : "Stored")};\n\n");
    }

    private static void EmitAddress(Operation operation, AddressForm form, StringBuilder text)
    {
        string[] statements = form switch
        {
            AddressForm.Off => ["address = Unsafe.Add(ref x, op.Rn) + op.Imm;", "moved = address;"],
            AddressForm.Post => ["address = Unsafe.Add(ref x, op.Rn);", "moved = address + op.Imm;"],
            _ => ["address = Unsafe.Add(ref x, op.Rn) + Extended(Unsafe.Add(ref x, op.Rm), op.Ra, (int)op.Imm);"],
        };
        string checkedBase = form == AddressForm.Post ? "address" : "Unsafe.Add(ref x, op.Rn)";
        const string indent = "                    ";
        text.Append(CultureInfo.InvariantCulture, $"                case OpCode.{operation.Name}{form}:\n");
        foreach (string statement in statements)
            text.Append(indent).Append(statement).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"{indent}if (({checkedBase} & op.Extra) != 0)\n");
        text.Append(CultureInfo.InvariantCulture, $"{indent}    goto Fault;\n{indent}goto {operation.Name};\n");
    }
}
