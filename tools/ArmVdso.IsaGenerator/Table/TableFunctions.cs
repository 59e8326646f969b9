using System.Numerics;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>Functions that expressions of the table may call. The emulator has the same ones in Isa/TableFunctions.cs.</summary>
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
        "sx" => a[0] << (int)(64 - a[1]) >> (int)(64 - a[1]),
        "highbit" => a[0] == 0 ? -1 : 63 - BitOperations.LeadingZeroCount((ulong)a[0]),
        "lowbit" => BitOperations.TrailingZeroCount((ulong)a[0]),
        "ones" => BitOperations.PopCount((ulong)a[0]),
        "bitmaskok" => BitMaskAllocated(a[0], a[1], a[3]),
        "movewide" => MoveWidePreferred(a[0], a[1], a[2], a[3]),
        _ => throw new ArgumentException($"no table function {name}"),
    };

    private static long BitMaskAllocated(long sf, long n, long imms)
    {
        if (sf == 0 && n != 0)
            return 0;
        long pattern = (n << 6) | (~imms & 63);
        if (pattern < 2)
            return 0;
        long levels = (1L << (63 - BitOperations.LeadingZeroCount((ulong)pattern))) - 1;
        return (imms & levels) != levels ? 1 : 0;
    }

    private static long MoveWidePreferred(long sf, long n, long imms, long immr)
    {
        long width = sf == 1 ? 64 : 32;
        if (sf == 1 && n != 1)
            return 0;
        if (sf == 0 && (n != 0 || (imms & 32) != 0))
            return 0;
        if (imms < 16)
            return (-immr & 15) <= 15 - imms ? 1 : 0;
        if (imms >= width - 15)
            return (immr & 15) <= imms - (width - 15) ? 1 : 0;
        return 0;
    }
}
