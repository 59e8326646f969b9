namespace ArmVdso.Emulator.Isa;

/// <summary>A named bit field of a row's encoding.</summary>
/// <param name="Name">Its name in the Arm ARM, in lower case.</param>
/// <param name="Lsb">Its lowest bit.</param>
/// <param name="Width">Its width in bits.</param>
public readonly record struct RowField(string Name, int Lsb, int Width);

/// <summary>What a row is for the flow of execution: the table's FLOW column.</summary>
public enum Flow : byte
{
    /// <summary>The next instruction follows, unless this one faults.</summary>
    Plain,

    /// <summary>A branch.</summary>
    Branch,

    /// <summary>Executed alone: it may change what the instructions around it rely on (exception level, PSTATE, translation, interrupts),
    /// or takes an exception. Words of the row that do not have an operation of their own, under a condition.</summary>
    Alone,
}

/// <summary>What the instruction table says of each row. The data is generated.</summary>
public static partial class RowInfo
{
    /// <summary>The row's name.</summary>
    public static string Name(Row row) => Texts.Names[(int)row];

    /// <summary>The architecture feature that has it, as the table writes it: v8.0, LSE, FP16...; empty for Unallocated.</summary>
    public static string Feature(Row row) => Texts.Features[(int)row];

    /// <summary>What it is for timing.</summary>
    public static TimingClass Class(Row row) => (TimingClass)Classes[(int)row];

    /// <summary>What it is for the flow of execution.</summary>
    public static Flow Flow(Row row) => (Flow)Flows[(int)row];

    /// <summary>Whether it uses the SIMD and floating-point registers (and so is trapped by CPACR_EL1.FPEN).</summary>
    public static bool IsFp(Row row) => (Flags[(int)row] & 1) != 0;

    /// <summary>Whether the emulator executes it; if not it is UNDEFINED.</summary>
    public static bool HasSemantics(Row row) => (Flags[(int)row] & 2) != 0;

    /// <summary>The fixed bits.</summary>
    public static uint Mask(Row row) => Masks[(int)row];

    /// <summary>The values of the fixed bits.</summary>
    public static uint Value(Row row) => Values[(int)row];

    /// <summary>Whether the word has the row's fixed bits and its condition holds. A more specific row may still claim it:
    /// <see cref="Decoder.Decode"/> decides.</summary>
    public static bool Holds(Row row, uint instruction)
    {
        if ((instruction & Masks[(int)row]) != Values[(int)row])
            return false;
        int when = Whens[(int)row];
        return when == 0 || Conditions.Holds(when, instruction);
    }

    /// <summary>The fields of the encoding, high to low.</summary>
    public static RowField[] Fields(Row row)
    {
        string[] parts = Texts.Fields[(int)row].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(parts, part =>
        {
            string[] words = part.Split(':');
            return new RowField(words[0], int.Parse(words[1]), int.Parse(words[2]));
        });
    }

    // Split on first use: most runs need none of it.
    private static class Texts
    {
        public static readonly string[] Names = Enum.GetNames<Row>();
        public static readonly string[] Features = FeatureText.Split('\n');
        public static readonly string[] Fields = FieldText.Split('\n');
    }
}
