namespace ArmVdso.IsaGenerator.Table;

/// <summary>A named bit field of an encoding.</summary>
public sealed record Field(string Name, int Lsb, int Width)
{
    /// <summary>The field's bits in the word.</summary>
    public uint Mask => (uint)(((1UL << Width) - 1) << Lsb);

    /// <summary>The field's value in a word.</summary>
    public uint Extract(uint instruction) => (instruction >> Lsb) & (uint)((1UL << Width) - 1);

    /// <summary>C# text of the field's value, an int, over a variable <c>i</c>.</summary>
    public string EmitInt() => Lsb == 0
        ? $"(int)(i & {(1UL << Width) - 1})"
        : Lsb + Width == 32 ? $"(int)(i >> {Lsb})" : $"(int)((i >> {Lsb}) & {(1UL << Width) - 1})";
}

/// <summary>Whether an operand is read, written or both.</summary>
[Flags]
public enum Mode
{
    /// <summary>The instruction reads it.</summary>
    Read = 1,

    /// <summary>The instruction writes it.</summary>
    Write = 2,
}

/// <summary>One register operand for timing: file 'x' (31 is zero), 's' (31 is SP), 'v', or 'f' (the flags).</summary>
/// <param name="File">The register file.</param>
/// <param name="Number">Number of the first register, taken modulo 32.</param>
/// <param name="Count">How many consecutive registers.</param>
/// <param name="Mode">Read, written or both.</param>
/// <param name="When">Only if it holds; null for always.</param>
public sealed record Role(char File, Expression Number, Expression Count, Mode Mode, Expression? When);

/// <summary>A preferred disassembly of a row under a condition.</summary>
public sealed record Alias(string Name, string Row, Expression? When, AsmTemplate Asm);

/// <summary>One row of the table: one encoding.</summary>
public sealed class TableRow
{
    /// <summary>Its name, unique over all files.</summary>
    public required string Name { get; init; }

    /// <summary>File name without directory or extension.</summary>
    public required string Group { get; init; }

    /// <summary><c>file:line</c> for messages.</summary>
    public required string Place { get; init; }

    /// <summary>Order over all files.</summary>
    public required int Order { get; init; }

    /// <summary>Fixed bits.</summary>
    public uint Mask { get; set; }

    /// <summary>Values of the fixed bits.</summary>
    public uint Value { get; set; }

    /// <summary>Fields, high to low.</summary>
    public List<Field> Fields { get; } = [];

    /// <summary>Fields by name.</summary>
    public Dictionary<string, Field> FieldsByName { get; } = new(StringComparer.Ordinal);

    /// <summary>Architecture feature that has it.</summary>
    public string Feature { get; set; } = "";

    /// <summary>Timing class.</summary>
    public string Class { get; set; } = "";

    /// <summary>What it is for the flow of execution: one of <see cref="TableReader.Flows"/>.</summary>
    public string Flow { get; set; } = "";

    /// <summary>Register operands.</summary>
    public List<Role> Roles { get; } = [];

    /// <summary>Its own disassembly.</summary>
    public AsmTemplate Asm { get; set; } = AsmTemplate.Empty;

    /// <summary>Preferred disassemblies, tried in order.</summary>
    public List<Alias> Aliases { get; } = [];

    /// <summary>Condition on the fields; null for always.</summary>
    public Expression? When { get; set; }

    /// <summary>Whether a word is this row, other rows aside.</summary>
    public bool Matches(uint instruction) =>
        (instruction & Mask) == Value && (When is null || When.Evaluate(instruction) != 0);

    /// <summary>Whether some word has both rows' fixed bits.</summary>
    public bool Touches(TableRow other) => ((Value ^ other.Value) & Mask & other.Mask) == 0;

    /// <summary>Whether the row's patterns are a proper subset of the other's.</summary>
    public bool MoreSpecificThan(TableRow other) => Touches(other) && (other.Mask & ~Mask) == 0 && Mask != other.Mask;
}
