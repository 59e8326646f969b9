using System.Globalization;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>What an operation of the portable engine is.</summary>
public enum OperationKind
{
    /// <summary>Computes registers or flags.</summary>
    Op,

    /// <summary>An integer division.</summary>
    Divide,

    /// <summary>A branch that is always taken.</summary>
    Branch,

    /// <summary>A direct branch under a condition.</summary>
    Test,

    /// <summary>A load.</summary>
    Load,

    /// <summary>A store.</summary>
    Store,
}

/// <summary>How an address is made.</summary>
public enum AddressForm
{
    /// <summary>No address.</summary>
    None,

    /// <summary>Base and immediate; write-back of the address, or none.</summary>
    Off,

    /// <summary>The base, to which the immediate is added afterwards.</summary>
    Post,

    /// <summary>Base and extended register.</summary>
    Reg,
}

/// <summary>An operation.</summary>
/// <param name="Place"><c>file:line</c> for messages.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name, without width or form.</param>
/// <param name="Words">What stands between its name and its body.</param>
/// <param name="Body">What it does.</param>
public sealed record Operation(string Place, OperationKind Kind, string Name, string[] Words, string Body)
{
    /// <summary>Whether it exists for 64 and for 32 bits.</summary>
    public bool Wide => Kind is OperationKind.Op or OperationKind.Divide or OperationKind.Test && Words.Length != 0;

    /// <summary>Bytes that are accessed.</summary>
    public int Bytes => Kind is OperationKind.Load or OperationKind.Store ? int.Parse(Words[0], CultureInfo.InvariantCulture) : 0;

    /// <summary>Address forms that some row has.</summary>
    public SortedSet<AddressForm> Forms { get; } = [];

    /// <summary>Its numbers' names, in the order of the switch.</summary>
    public IEnumerable<string> Codes => Bytes != 0 ? Forms.Select(f => Name + f) : Wide ? [Name + "64", Name + "32"] : [Name];
}

/// <summary>A value for a field of the decoded operation.</summary>
/// <param name="Slot">The field.</param>
/// <param name="Code">C# of the value, over <c>i</c>, <c>pc</c> and <c>sp</c>.</param>
public sealed record SlotValue(string Slot, string Code);

/// <summary>A row that becomes an operation under a condition.</summary>
public sealed record Translation(TableRow Row, Operation Operation, AddressForm Form, Expression? When, List<SlotValue> Slots);

/// <summary>The operations of the portable engine and the rows that become them: operations.txt.</summary>
public sealed class OperationTable
{
    private static readonly Dictionary<string, string> s_slots = new(StringComparer.Ordinal)
    {
        ["d"] = "Rd",
        ["n"] = "Rn",
        ["m"] = "Rm",
        ["a"] = "Ra",
        ["wb"] = "Wb",
        ["extra"] = "Extra",
        ["imm"] = "Imm",
    };

    private readonly Dictionary<string, TableRow> _rows;

    /// <summary>All operations in the order of the file.</summary>
    public List<Operation> Operations { get; } = [];

    /// <summary>All translations; of those of one row the first whose condition holds counts.</summary>
    public List<Translation> Translations { get; } = [];

    /// <summary>Problems found.</summary>
    public List<string> Errors { get; } = [];

    private OperationTable(IEnumerable<TableRow> rows) => _rows = rows.ToDictionary(r => r.Name, StringComparer.Ordinal);

    /// <summary>Reads the file. <paramref name="rows"/> are those of the instruction table; <paramref name="bodies"/> the names of rows
    /// that have semantics.</summary>
    public static OperationTable Read(string name, IEnumerable<string> lines, IReadOnlyList<TableRow> rows, IReadOnlySet<string> bodies)
    {
        var table = new OperationTable(rows);
        int number = 0;
        foreach (string line in lines)
        {
            string place = $"{name}:{++number}", text = line.Trim();
            if (text.Length == 0 || text[0] == '#')
                continue;
            try
            {
                if (line[0] == ' ')
                    table.ReadRows(place, text, bodies);
                else
                    table.ReadOperation(place, text);
            }
            catch (TableException e)
            {
                table.Errors.Add($"{place}: {e.Message}");
            }
        }
        foreach (Operation operation in table.Operations.Where(o => !table.Translations.Any(t => t.Operation == o)))
            table.Errors.Add($"{operation.Place}: no row becomes operation {operation.Name}");
        return table;
    }

    private static (string Head, string Tail) Split(string text, string separator, string meaning)
    {
        int at = text.IndexOf(separator, StringComparison.Ordinal);
        return at < 0 ? throw new TableException($"\"{separator.Trim()}\" expected: {meaning}")
            : (text[..at].Trim(), text[(at + separator.Length)..].Trim());
    }

    private void ReadOperation(string place, string text)
    {
        (string head, string body) = Split(text, " : ", "KIND NAME ... : BODY");
        string[] words = head.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || !Enum.TryParse(words[0], true, out OperationKind kind) || words[0] != words[0].ToLowerInvariant())
            throw new TableException(
                $"\"{head}\" is not KIND NAME ... (kinds: {string.Join(" ", Enum.GetNames<OperationKind>()).ToLowerInvariant()})");
        string[] more = words[2..];
        bool right = kind switch
        {
            OperationKind.Branch => more.Length == 2,
            OperationKind.Load or OperationKind.Store =>
                more is ["1" or "2" or "4" or "8" or "16" or "32"] && body.Contains(" else ", StringComparison.Ordinal),
            _ => more is [] or ["64", "32"],
        };
        if (!right)
            throw new TableException($"operation {words[1]} of kind {words[0]} cannot have \"{string.Join(" ", more)}\"");
        if (Operations.FirstOrDefault(o => o.Name == words[1]) is { } first)
            throw new TableException($"operation {words[1]} is declared twice, first at {first.Place}");
        Operations.Add(new Operation(place, kind, words[1], more, body));
    }

    private void ReadRows(string place, string text, IReadOnlySet<string> bodies)
    {
        if (Operations.Count == 0)
            throw new TableException("a row before the first operation");
        Operation operation = Operations[^1];
        (string head, string slots) = Split(text, " : ", "ROW... [? CONDITION] : SLOT=VALUE...");
        string? when = null;
        if (head.Contains('?', StringComparison.Ordinal))
            (head, when) = Split(head, " ? ", "ROW... ? CONDITION");
        foreach (string name in head.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!_rows.TryGetValue(name, out TableRow? row))
                throw new TableException($"operation {operation.Name}: the table has no row {name}");
            if (!bodies.Contains(name))
                throw new TableException($"operation {operation.Name}: row {name} has no semantics to compare with");
            if (operation.Kind is OperationKind.Branch or OperationKind.Test != (row.Flow == "branch"))
            {
                string kind = operation.Kind.ToString().ToLowerInvariant();
                throw new TableException($"operation {operation.Name} is of kind {kind}, but the FLOW of row {name} is {row.Flow}");
            }
            if (row.Flow == "alone" && when is null)
                throw new TableException($"the FLOW of row {name} is alone: {operation.Name} needs a condition for words that are not");
            if (Translations.FirstOrDefault(t => t.Row == row && t.When is null) is { } always)
                throw new TableException($"row {name} always becomes {always.Operation.Name}: this line is never reached");
            if (operation.Wide && !row.FieldsByName.ContainsKey("sf"))
                throw new TableException($"operation {operation.Name} has two widths, but row {name} has no field sf");
            Expression? condition = when is null ? null : ExpressionParser.ParseAll(when, row.FieldsByName);
            var values = new List<SlotValue>();
            AddressForm form = operation.Bytes != 0 ? Address(row, operation.Bytes, values) : AddressForm.None;
            operation.Forms.Add(form);
            foreach (string part in SplitSlots(slots))
                values.Add(ReadSlot(row, part));
            Translations.Add(new Translation(row, operation, form, condition, values));
        }
    }

    // Expressions have spaces only in parentheses.
    private static IEnumerable<string> SplitSlots(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] is '(' or ')')
                depth += text[i] == '(' ? 1 : -1;
            if (i < text.Length && (text[i] != ' ' || depth > 0))
                continue;
            if (i > start)
                yield return text[start..i];
            start = i + 1;
        }
    }

    private static SlotValue ReadSlot(TableRow row, string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || !s_slots.TryGetValue(text[..equals], out string? slot))
            throw new TableException($"\"{text}\" is not SLOT=VALUE (slots: {string.Join(" ", s_slots.Keys)})");
        string value = text[(equals + 1)..];
        string type = slot == "Imm" ? "ulong" : "byte";
        if (value.StartsWith('!'))
            return new SlotValue(slot, $"({type}){value[1..]}(i)");
        foreach ((string prefix, string start) in new[] { ("pc+", "pc"), ("page+", "(pc & ~0xfffUL)") })
        {
            if (value.StartsWith(prefix, StringComparison.Ordinal))
            {
                Expression offset = ExpressionParser.ParseAll(value[prefix.Length..], row.FieldsByName);
                return new SlotValue(slot, $"{start} + (ulong){offset.EmitInteger("long")}");
            }
        }
        if (Register(row, slot, value) is { } register)
            return new SlotValue(slot, register);
        return new SlotValue(
            slot, $"({type}){ExpressionParser.ParseAll(value, row.FieldsByName).EmitInteger(slot == "Imm" ? "long" : "int")}");
    }

    // A field that the row's roles know as a register: a result prefers the role that writes, a source the one that reads.
    private static string? Register(TableRow row, string slot, string name)
    {
        if (!row.FieldsByName.TryGetValue(name, out Field? field))
            return null;
        var roles = row.Roles.Where(r => r.File != 'f' && r.Number is Expression.FieldValue f && f.Field == field).ToList();
        if (roles.Count == 0)
            return null;
        Mode wanted = slot == "Rd" ? Mode.Write : Mode.Read;
        Role role = roles.FirstOrDefault(r => (r.Mode & wanted) != 0) ?? roles[0];
        return role.File switch
        {
            's' => $"Base({field.EmitInt()}, sp)",
            'x' when (role.Mode & wanted & Mode.Write) != 0 || role.Mode == Mode.Write => $"Destination({field.EmitInt()})",
            _ => $"(byte){field.EmitInt()}",
        };
    }

    /// <summary>Slots of an address, by the fields that the row has.</summary>
    private static AddressForm Address(TableRow row, int bytes, List<SlotValue> values)
    {
        if (row.FieldsByName.TryGetValue("imm19", out Field? literal))
        {
            values.Add(new SlotValue("Rn", "31"));
            values.Add(ReadSlot(row, $"imm=pc+(sx({literal.Name},19)<<2)"));
            return AddressForm.Off;
        }
        if (!row.FieldsByName.TryGetValue("rn", out Field? rn))
            throw new TableException($"row {row.Name} has no address: it needs imm19, or rn with imm12, imm9, imm7 or rm");
        values.Add(ReadSlot(row, "n=rn"));
        values.Add(new SlotValue("Extra", $"(byte)({rn.EmitInt()} == 31 ? 15 : 0)"));
        if (row.Roles.Any(r => r.Number is Expression.FieldValue f && f.Field == rn && r.Mode == (Mode.Read | Mode.Write)))
            values.Add(ReadSlot(row, "wb=rn"));
        bool pair = row.FieldsByName.ContainsKey("rt2");
        int scale = int.Log2(pair ? bytes / 2 : bytes);
        if (row.FieldsByName.ContainsKey("rm"))
        {
            foreach (string slot in (string[])["m=rm", "a=option", $"imm=s*{scale}"])
                values.Add(ReadSlot(row, slot));
            return AddressForm.Reg;
        }
        string? immediate = row.FieldsByName.ContainsKey("imm12") ? $"imm12<<{scale}" : row.FieldsByName.ContainsKey("imm9") ? "sx(imm9,9)"
            : row.FieldsByName.ContainsKey("imm7") ? $"sx(imm7,7)<<{scale}" : null;
        if (immediate is null)
            throw new TableException($"row {row.Name} has no address: it needs imm19, or rn with imm12, imm9, imm7 or rm");
        values.Add(ReadSlot(row, "imm=" + immediate));
        return row.Name.EndsWith("_post", StringComparison.Ordinal) ? AddressForm.Post : AddressForm.Off;
    }
}
