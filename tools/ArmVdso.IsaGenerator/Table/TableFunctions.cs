using Functions = ArmVdso.Emulator.Isa.TableFunctions;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>Functions that expressions of the table may call. What they do is in the emulator's Isa/TableFunctions.cs, compiled
/// into both.</summary>
public static class TableFunctions
{
    /// <summary>A function: how many arguments it takes, its C# name in the emulator, and what it means.</summary>
    public sealed record Function(int Arity, string CSharpName, string Meaning);

    /// <summary>All functions by their name in the table.</summary>
    public static readonly IReadOnlyDictionary<string, Function> All = new SortedDictionary<string, Function>(StringComparer.Ordinal)
    {
        ["sx"] = new(2, "SignExtend", "sx(v, bits): sign-extends the low bits of v"),
        ["highbit"] = new(1, "HighestSetBit", "highbit(v): number of the highest set bit, -1 for 0"),
        ["lowbit"] = new(1, "LowestSetBit", "lowbit(v): number of the lowest set bit, 64 for 0"),
        ["ones"] = new(1, "BitCount", "ones(v): number of set bits"),
        ["bitmaskok"] = new(4, "BitMaskAllocated",
            "bitmaskok(sf, n, immr, imms): 1 if the logical immediate (N:immr:imms) is allocated for a 32 (sf=0) or 64 bit operation"),
        ["movewide"] = new(4, "MoveWidePreferred", "movewide(sf, n, imms, immr): MoveWidePreferred() of the Arm ARM"),
    };

    /// <summary>Calls a function.</summary>
    public static long Evaluate(string name, long[] a) => name switch
    {
        "sx" => Functions.SignExtend(a[0], a[1]),
        "highbit" => Functions.HighestSetBit(a[0]),
        "lowbit" => Functions.LowestSetBit(a[0]),
        "ones" => Functions.BitCount(a[0]),
        "bitmaskok" => Functions.BitMaskAllocated(a[0], a[1], a[2], a[3]),
        "movewide" => Functions.MoveWidePreferred(a[0], a[1], a[2], a[3]),
        _ => throw new ArgumentException($"no table function {name}"),
    };
}
