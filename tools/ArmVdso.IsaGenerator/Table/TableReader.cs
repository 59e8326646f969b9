namespace ArmVdso.IsaGenerator.Table;

/// <summary>Reads the *.isa files of a directory. Every problem becomes a message <c>file:line: text</c>.</summary>
public sealed class TableReader
{
    /// <summary>Timing classes that rows may name.</summary>
    public static readonly string[] Classes =
        """
        alu alu_shift alu_ext alu_flags logic mov bitfield extract adr csel ccmp crc clz mul madd mull mulh div branch
        branch_cond branch_cmp branch_reg call call_reg ret exception eret hint barrier isb mrs msr sys load load_pair
        load_literal load_acquire load_excl store store_pair store_release store_excl atomic prefetch load_fp store_fp
        load_simd store_simd fp_alu fp_mul fp_fma fp_div fp_sqrt fp_cmp fp_csel fp_mov fp_cvt fp_round fp_to_int int_to_fp
        simd_alu simd_logic simd_mul simd_mla simd_shift simd_perm simd_mov simd_fp simd_fp_mul simd_fp_fma simd_fp_div
        simd_fp_sqrt simd_cvt simd_reduce simd_dot tbl crypto_aes crypto_sha pmull pauth tag mops
        """
        .Split([' ', '\n']);

    /// <summary>What rows may be for the flow of execution: the next instruction follows; a branch; executed alone, for it may change
    /// what the instructions around it rely on (exception level, PSTATE, translation, interrupts) or takes an exception.</summary>
    public static readonly string[] Flows = ["plain", "branch", "alone"];

    private static readonly Expression One = new Expression.Number(1);

    private readonly Dictionary<string, TableRow> _byName = new(StringComparer.Ordinal);
    private readonly List<(string Place, string[] Parts)> _aliases = [];

    /// <summary>All rows in the order of the files.</summary>
    public List<TableRow> Rows { get; } = [];

    /// <summary>Problems found.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Reads every *.isa file of a directory, in the order of their names.</summary>
    public static TableReader Read(string directory)
    {
        TableReader reader = Read(Directory.GetFiles(directory, "*.isa").Order(StringComparer.Ordinal)
            .Select(file => (Path.GetFileName(file), File.ReadLines(file))));
        if (reader.Rows.Count == 0)
            reader.Errors.Add($"{directory}: no rows in *.isa");
        return reader;
    }

    /// <summary>Reads tables that are held elsewhere: a file name, and its lines.</summary>
    public static TableReader Read(IEnumerable<(string Name, IEnumerable<string> Lines)> files)
    {
        var reader = new TableReader();
        foreach ((string name, IEnumerable<string> lines) in files)
        {
            int line = 0;
            foreach (string text in lines)
                reader.ReadLine($"{name}:{++line}", Path.GetFileNameWithoutExtension(name), text.Trim());
        }
        foreach ((string place, string[] parts) in reader._aliases)
            reader.Guard(place, () => reader.ReadAlias(place, parts));
        return reader;
    }

    private void ReadLine(string place, string group, string text)
    {
        if (text.Length == 0 || text[0] == '#')
            return;
        string[] parts = [.. text.Split(" ; ").Select(p => p.Trim())];
        if (parts[0].StartsWith("alias ", StringComparison.Ordinal))
            _aliases.Add((place, parts));
        else
            Guard(place, () => ReadRow(place, group, parts));
    }

    private void Guard(string place, Action action)
    {
        try
        {
            action();
        }
        catch (TableException e)
        {
            Errors.Add($"{place}: {e.Message}");
        }
    }

    private void ReadRow(string place, string group, string[] parts)
    {
        if (parts.Length is not (7 or 8))
        {
            throw new TableException("a row is NAME ; BITS ; FEATURE ; CLASS ; FLOW ; ROLES ; ASM [; when COND], 7 or 8 parts separated by"
                + $" \" ; \", here {parts.Length}");
        }
        string name = parts[0];
        if (!IsIdentifier(name))
            throw new TableException($"\"{name}\" is not a C# identifier");
        var row = new TableRow { Name = name, Group = group, Place = place, Order = Rows.Count };
        if (name is "Unallocated" || !_byName.TryAdd(name, row))
            throw new TableException(
                $"row {name} is declared twice{(_byName.TryGetValue(name, out TableRow? first) ? $", first at {first.Place}" : "")}");
        ReadBits(row, parts[1]);
        if (parts[2].Length == 0 || parts[2].Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_')))
            throw new TableException($"\"{parts[2]}\" is not a feature name");
        row.Feature = parts[2];
        if (!Classes.Contains(parts[3]))
            throw new TableException($"unknown timing class \"{parts[3]}\"");
        row.Class = parts[3];
        if (!Flows.Contains(parts[4]))
            throw new TableException($"unknown flow \"{parts[4]}\" (there are {string.Join(" ", Flows)})");
        row.Flow = parts[4];
        if (parts.Length == 8)
        {
            if (!parts[7].StartsWith("when ", StringComparison.Ordinal))
                throw new TableException($"\"when COND\" expected, not \"{parts[7]}\"");
            row.When = ExpressionParser.ParseAll(parts[7][5..], row.FieldsByName);
        }
        Rows.Add(row);
        ReadRoles(row, parts[5]);
        row.Asm = AsmTemplate.Parse(parts[6], row.FieldsByName);
    }

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static void ReadBits(TableRow row, string bits)
    {
        int at = 32;
        foreach (string token in bits.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (token.All(c => c is '0' or '1'))
            {
                foreach (char c in token)
                {
                    if (--at < 0)
                        break;
                    row.Mask |= 1u << at;
                    row.Value |= c == '1' ? 1u << at : 0;
                }
                continue;
            }
            int colon = token.IndexOf(':');
            if (colon <= 0 || !int.TryParse(token.AsSpan(colon + 1), out int width) || width is < 1 or > 31)
                throw new TableException($"bad bits \"{token}\": literal 0/1 or name:width");
            at -= width;
            string name = token[..colon];
            if (name == "_")
                continue;
            if (!IsIdentifier(name))
                throw new TableException($"\"{name}\" is not a field name");
            var field = new Field(name, at, width);
            if (!row.FieldsByName.TryAdd(name, field))
                throw new TableException($"field {name} appears twice");
            row.Fields.Add(field);
        }
        if (at != 0)
            throw new TableException($"the bits add up to {32 - at}, not 32");
    }

    private static void ReadRoles(TableRow row, string text)
    {
        if (text == "-")
            return;
        foreach (string token in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int question = token.IndexOf('?');
            Expression? when = question < 0 ? null : ExpressionParser.ParseAll(token[(question + 1)..], row.FieldsByName);
            string body = question < 0 ? token : token[..question];
            int colon = body.LastIndexOf(':');
            Mode mode = (colon < 0 ? "" : body[(colon + 1)..]) switch
            {
                "r" => Mode.Read,
                "w" => Mode.Write,
                "rw" => Mode.Read | Mode.Write,
                _ => throw new TableException($"role \"{token}\" needs :r, :w or :rw"),
            };
            row.Roles.Add(ReadOperand(row, token, body[..colon], mode, when));
        }
    }

    private static Role ReadOperand(TableRow row, string token, string operand, Mode mode, Expression? when)
    {
        if (operand == "nzcv")
            return new Role('f', new Expression.Number(0), One, mode, when);
        if (operand == "sp")
            return new Role('s', new Expression.Number(31), One, mode, when);
        if (operand.Length > 1 && operand[0] is 'x' or 'v' && int.TryParse(operand.AsSpan(1), out int number) && number is >= 0 and < 32)
            return new Role(operand[0], new Expression.Number(number), One, mode, when);
        if (operand.Length < 3 || operand[0] is not ('x' or 's' or 'v') || operand[1] != '.')
            throw new TableException($"role \"{token}\": expected x.field, s.field, v.field, xN, vN, sp or nzcv");
        string first = operand[2..];
        int dots = first.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
            return new Role(operand[0], ExpressionParser.ParseAll(first, row.FieldsByName), One, mode, when);
        int plus = first.LastIndexOf('+', dots);
        if (plus < 0 || first[(plus + 1)..dots] != "0")
            throw new TableException($"role \"{token}\": a range is field+0..last");
        Expression last = ExpressionParser.ParseAll(first[(dots + 2)..], row.FieldsByName);
        Expression count = last is Expression.Number n ? new Expression.Number(n.Value + 1) : new Expression.Binary("+", last, One);
        return new Role(operand[0], ExpressionParser.ParseAll(first[..plus], row.FieldsByName), count, mode, when);
    }

    private void ReadAlias(string place, string[] parts)
    {
        string[] head = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (head.Length != 4 || head[2] != "of" || parts.Length is not (2 or 3))
            throw new TableException("an alias is: alias NAME of ROW ; [when COND ;] ASM");
        if (!_byName.TryGetValue(head[3], out TableRow? row))
            throw new TableException($"alias of unknown row {head[3]}");
        Expression? when = null;
        if (parts.Length == 3)
        {
            if (!parts[1].StartsWith("when ", StringComparison.Ordinal))
                throw new TableException($"\"when COND\" expected, not \"{parts[1]}\"");
            when = ExpressionParser.ParseAll(parts[1][5..], row.FieldsByName);
        }
        row.Aliases.Add(new Alias(head[1], row.Name, when, AsmTemplate.Parse(parts[^1], row.FieldsByName)));
    }
}
