namespace ArmVdso.Emulator.Isa;

/// <summary>Finds the row of an instruction word: a few table look-ups on adjacent bits of the word, then a check of the
/// one or few rows that are left. The tables are generated.</summary>
public static partial class Decoder
{
    /// <summary>The row of the word, <see cref="Row.Unallocated"/> if there is none.</summary>
    public static Row Decode(uint instruction)
    {
        // An entry is base << 9 | shift << 4 | width; a leaf has width 0 and the start of a list.
        ReadOnlySpan<uint> entries = Entries;
        uint entry = Root;
        while ((entry & 15) != 0)
            entry = entries[(int)((entry >> 9) + ((instruction >> (int)((entry >> 4) & 31)) & ((1u << (int)(entry & 15)) - 1)))];
        ReadOnlySpan<ushort> lists = Lists;
        for (int at = (int)(entry >> 9); ; at++)
        {
            int row = lists[at];
            if (row == 0 || RowInfo.Holds((Row)row, instruction))
                return (Row)row;
        }
    }
}
