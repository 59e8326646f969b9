namespace ArmVdso.Differential;

/// <summary>SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).</summary>
public struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number below <paramref name="bound"/>.</summary>
    public uint Below(uint bound) => (uint)(((Next() >> 32) * bound) >> 32);

    /// <summary>True once in <paramref name="n"/>.</summary>
    public bool OneIn(uint n) => Below(n) == 0;
}

/// <summary>Register contents that find errors: extremes, small numbers, and floating-point numbers of all kinds and widths.</summary>
public static class Values
{
    private const int Size = 4096;
    private static readonly ulong[] Integers = Make(1, InterestingInteger);
    private static readonly ulong[] Vectors = Make(2, InterestingVector);

    /// <summary>A general register value.</summary>
    public static ulong General(ref SplitMix64 random)
    {
        ulong r = random.Next();
        return (r >> 60) < 5 ? random.Next() : Integers[(int)(r & (Size - 1))];
    }

    /// <summary>Half a vector register.</summary>
    public static ulong Vector(ref SplitMix64 random)
    {
        ulong r = random.Next();
        return (r >> 60) < 2 ? random.Next() : Vectors[(int)(r & (Size - 1))];
    }

    private delegate ulong Maker(ref SplitMix64 random);

    private static ulong[] Make(ulong seed, Maker maker)
    {
        var random = new SplitMix64(seed);
        var pool = new ulong[Size];
        foreach (ref ulong value in pool.AsSpan())
            value = maker(ref random);
        return pool;
    }

    private static ulong InterestingInteger(ref SplitMix64 random)
    {
        switch (random.Below(8))
        {
            case 0:
                return (ulong)((long)random.Below(130) - 65);
            case 1:
                return (1UL << (int)random.Below(64)) + random.Below(3) - 1;
            case 2:
                return 0 - ((1UL << (int)random.Below(64)) + random.Below(3) - 1);
            case 3:
                // 32-bit extremes with something in the upper half.
                uint low = random.Below(4) switch { 0 => 0x80000000, 1 => 0x7FFFFFFF, 2 => 0xFFFFFFFF, _ => 0 };
                return (random.Next() << 32) | low;
            case 4:
                return random.Below(4) switch { 0 => 0, 1 => ulong.MaxValue, 2 => 1UL << 63, _ => long.MaxValue };
            case 5:
                return random.Next() >> (int)random.Below(64);
            case 6:
                return Repeat(random.Next(), 8 << (int)random.Below(3));
            default:
                return random.Next();
        }
    }

    private static ulong Repeat(ulong value, int width)
    {
        ulong mask = (1UL << width) - 1;
        ulong result = 0;
        for (int i = 0; i < 64; i += width)
            result |= (value & mask) << i;
        return result;
    }

    private static ulong InterestingVector(ref SplitMix64 random)
    {
        int width = 8 << (int)random.Below(4);
        if (width == 8)
        {
            ulong bytes = 0;
            for (int i = 0; i < 64; i += 8)
                bytes |= (random.Below(8) switch { 0 => 0UL, 1 => 0xFF, 2 => 0x80, 3 => 0x7F, 4 => 1, _ => random.Next() & 0xFF }) << i;
            return bytes;
        }
        ulong result = 0;
        bool same = random.OneIn(8);
        ulong element = 0;
        for (int i = 0; i < 64; i += width)
        {
            if (i == 0 || !same)
                element = random.OneIn(6) ? InterestingInteger(ref random) : Float(ref random, width);
            result |= (width == 64 ? element : element & ((1UL << width) - 1)) << i;
        }
        return result;
    }

    /// <summary>A floating-point number of 16, 32 or 64 bits.</summary>
    private static ulong Float(ref SplitMix64 random, int width)
    {
        int fractionBits = width switch { 16 => 10, 32 => 23, _ => 52 };
        int exponentBits = width - 1 - fractionBits;
        ulong bias = (1UL << (exponentBits - 1)) - 1;
        ulong top = (1UL << exponentBits) - 1;
        ulong fractionMask = (1UL << fractionBits) - 1;
        ulong quiet = 1UL << (fractionBits - 1);
        ulong sign = random.Next() & 1;
        ulong fraction = random.Below(8) switch
        {
            0 => 0,
            1 => fractionMask,
            2 => 1,
            3 => quiet,
            4 => (random.Next() << (int)random.Below((uint)fractionBits)) & fractionMask,
            5 => fractionMask >> (int)random.Below((uint)fractionBits),
            _ => random.Next() & fractionMask,
        };
        ulong exponent;
        switch (random.Below(16))
        {
            case 0:
                (exponent, fraction) = (0, 0);
                break;
            case 1:
                (exponent, fraction) = (top, 0);
                break;
            case 2:
                (exponent, fraction) = (top, fraction | quiet);
                break;
            case 3:
                (exponent, fraction) = (top, (fraction & ~quiet) | 1);
                break;
            case 4:
                exponent = 0;
                break;
            case 5:
                exponent = 1 + random.Below(3);
                break;
            case 6:
                exponent = top - 1 - random.Below(2);
                break;
            case 7:
            case 8:
                // Near the largest integers: conversions and rounding to integral.
                exponent = Math.Min(
                    top - 1, bias + (random.Below(4) switch { 0 => 14u, 1 => 30u, 2 => 62u, _ => (uint)fractionBits }) + random.Below(3));
                break;
            case 9:
                exponent = random.Next() & top;
                break;
            default:
                exponent = bias + random.Below(9) - 4;
                break;
        }
        return (sign << (width - 1)) | ((exponent & top) << fractionBits) | fraction;
    }
}
