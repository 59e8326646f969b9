using System.Globalization;
using System.Reflection;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Differential;

/// <summary>A named field of an instruction word.</summary>
/// <param name="Name">Name in the table.</param>
/// <param name="Lsb">Lowest bit.</param>
/// <param name="Width">Bits.</param>
public readonly record struct Field(string Name, int Lsb, int Width)
{
    /// <summary>Extracts the field.</summary>
    public uint Get(uint word) => (word >> Lsb) & Mask;

    /// <summary>Replaces the field.</summary>
    public uint Set(uint word, uint value) => (word & ~(Mask << Lsb)) | ((value & Mask) << Lsb);

    private uint Mask => (uint)((1UL << Width) - 1);
}

/// <summary>A row of the instruction table as the case generator needs it.</summary>
public sealed class TableRow
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>The emulator's row.</summary>
    public required Row Row { get; init; }

    /// <summary>Fixed bits.</summary>
    public required uint Mask { get; init; }

    /// <summary>Values of the fixed bits.</summary>
    public required uint Value { get; init; }

    /// <summary>Bits that are ignored.</summary>
    public required uint Ignored { get; init; }

    /// <summary>Named fields.</summary>
    public required Field[] Fields { get; init; }

    /// <summary>Feature column.</summary>
    public required string Feature { get; init; }

    /// <summary>Class column.</summary>
    public required string Class { get; init; }

    /// <summary>Operand roles column.</summary>
    public required string Roles { get; init; }

    /// <summary>Writes its base register.</summary>
    public bool Writeback => Roles.Contains("s.rn:rw", StringComparison.Ordinal);

    /// <summary>Its data registers are general ones.</summary>
    public bool GeneralData => Roles.Contains("x.rt", StringComparison.Ordinal);

    /// <summary>The emulator has a body for it.</summary>
    public required bool HasSemantics { get; init; }

    /// <summary>Loads, stores, atomics and what else has an address in Xn.</summary>
    public bool IsMemory => Class.StartsWith("load", StringComparison.Ordinal) || Class.StartsWith("store", StringComparison.Ordinal)
        || Class is "atomic" or "prefetch" or "mops";

    /// <summary>A load with a PC-relative address.</summary>
    public bool IsLiteral => Field("imm19") is not null && !IsBranch;

    /// <summary>Branches.</summary>
    public bool IsBranch => Class is "branch" or "branch_cond" or "branch_cmp" or "branch_reg" or "call" or "call_reg" or "ret";

    /// <summary>Finds a field.</summary>
    public Field? Field(string name)
    {
        foreach (Field f in Fields)
        {
            if (f.Name == name)
                return f;
        }
        return null;
    }
}

/// <summary>Reads the instruction table (emulator/Isa/Table/*.isa), independently of the generator that makes the decoder from it.
/// Whether an encoding belongs to its row (the table's conditions) is asked of the decoder.</summary>
public static class IsaTable
{
    /// <summary>All rows that the emulator knows, in the order of the table.</summary>
    public static IReadOnlyList<TableRow> Rows { get; } = Load();

    private static List<TableRow> Load()
    {
        var rows = new List<TableRow>();
        foreach (string file in Resources.Names("table/"))
        {
            foreach (string line in Resources.Text(file).Split('\n'))
            {
                string text = line.Trim();
                if (text.Length == 0 || text[0] == '#' || text.StartsWith("alias ", StringComparison.Ordinal))
                    continue;
                string[] column = text.Split(" ; ", StringSplitOptions.TrimEntries);
                if (column.Length >= 5 && Enum.TryParse(column[0], out Row row))
                    rows.Add(Parse(column, row));
            }
        }
        return rows;
    }

    private static TableRow Parse(string[] column, Row row)
    {
        int bit = 32;
        uint mask = 0, value = 0, ignored = 0;
        var fields = new List<Field>();
        foreach (string token in column[1].Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = token.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                foreach (char c in token)
                {
                    bit--;
                    mask |= 1u << bit;
                    value |= (uint)(c - '0') << bit;
                }
                continue;
            }
            int width = int.Parse(token[(colon + 1)..], CultureInfo.InvariantCulture);
            bit -= width;
            if (token[0] == '_')
                ignored |= (uint)((1UL << width) - 1) << bit;
            else
                fields.Add(new Field(token[..colon], bit, width));
        }
        if (bit != 0)
            throw new InvalidDataException($"row {column[0]} has {32 - bit} bits");
        return new TableRow
        {
            Name = column[0],
            Row = row,
            Mask = mask,
            Value = value,
            Ignored = ignored,
            Fields = [.. fields],
            Feature = column[2],
            Class = column[3],
            Roles = column[4],
            HasSemantics = typeof(A64).GetMember(column[0], BindingFlags.Public | BindingFlags.Static).Length > 0,
        };
    }
}
