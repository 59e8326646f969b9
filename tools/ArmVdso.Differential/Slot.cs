namespace ArmVdso.Differential;

/// <summary>An instruction (or two) to be run from several states. All of it follows from the row, the seed and the slot's place.</summary>
public sealed class Slot
{
    /// <summary>Row under test.</summary>
    public required TableRow Row { get; init; }

    /// <summary>Seed of the words and states.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Place in the code area.</summary>
    public required int Index { get; init; }

    /// <summary>The instruction under test.</summary>
    public uint Word { get; set; }

    /// <summary>An instruction before it (the load-exclusive of a store-exclusive), or 0.</summary>
    public uint Before { get; set; }

    /// <summary>Instructions in the slot.</summary>
    public int Words => Before == 0 ? 1 : 2;

    /// <summary>Address of the slot's entry.</summary>
    public ulong Va => OracleLayout.CodeVa + (ulong)(Index * OracleLayout.SlotBytes);

    /// <summary>Address of the instruction under test.</summary>
    public ulong PC => Va + 4 * (ulong)Words;

    /// <summary>Only aligned addresses of mapped memory are used.</summary>
    public bool AlignedOnly { get; set; }

    /// <summary>Whether memory is compared.</summary>
    public bool Memory { get; set; }
}
