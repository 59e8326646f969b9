using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Element size in bits and number of elements that a vector or scalar operation works on.</summary>
internal readonly record struct Shape(int Esize, int Elements)
{
    /// <summary>Vector of 64 (q 0) or 128 (q 1) bits with elements of 8 &lt;&lt; size bits.</summary>
    public static Shape Vec(int q, int size) => new(8 << size, (8 << q) >> size);

    /// <summary>One element of 8 &lt;&lt; size bits; the rest of the destination is zeroed.</summary>
    public static Shape Scalar(int size) => new(8 << size, 1);
}

/// <summary>Element loops in the manner of the Arm pseudocode (<c>for e = 0 to elements-1 ... Elem[...]</c>). Elements
/// are sign- or zero-extended to 64 bits, results are truncated to the element; what the loop doesn't write is zero.</summary>
internal static class SimdElements
{
    /// <summary>Value of the <c>unsigned</c> parameters: elements are signed numbers.</summary>
    public const bool Signed = false;

    /// <summary>Value of the <c>unsigned</c> parameters: elements are unsigned numbers.</summary>
    public const bool Unsigned = true;

    /// <summary>FPSR.QC, the cumulative saturation bit.</summary>
    public const uint QC = 1u << 27;

    /// <summary>Element e extended to 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Int(in V128 v, int e, int esize, bool unsigned)
    {
        ulong x = v.Elem(e, esize);
        return unsigned ? (long)x : SInt(x, esize);
    }

    /// <summary>SInt: the low <paramref name="esize"/> bits as a signed number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long SInt(ulong x, int esize) => (long)(x << (64 - esize)) >> (64 - esize);

    /// <summary>Ones(esize).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Ones(int esize) => ulong.MaxValue >> (64 - esize);

    /// <summary>Half of the register that the "2" forms read: Vpart[n, part] with 64 bits.</summary>
    public static V128 Half(V128 v, int part) => new(part != 0 ? v.Hi : v.Lo, 0);

    /// <summary>Writes Vpart[rd, part]: part 0 clears the upper half, part 1 keeps the lower one.</summary>
    public static void SetHalf(Cpu cpu, int rd, int part, ulong value) =>
        cpu.SetV(rd, part != 0 ? new V128(cpu.V(rd).Lo, value) : new V128(value, 0));

    /// <summary>Writes a result of 64 (q 0) or 128 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Cpu cpu, int q, int rd, V128 value) => cpu.SetV(rd, new V128(value.Lo, q != 0 ? value.Hi : 0));

    /// <summary>All elements equal to the low esize bits of x.</summary>
    public static V128 Replicate(ulong x, int esize)
    {
        x &= Ones(esize);
        for (int w = esize; w < 64; w *= 2)
            x |= x << w;
        return new V128(x, x);
    }

    /// <summary>Each bit of abcdefgh widened to a byte of ones or zeros.</summary>
    public static ulong ExpandByteMask(int imm8)
    {
        ulong result = 0;
        for (int i = 0; i < 8; i++)
        {
            if ((imm8 >> i & 1) != 0)
                result |= 0xFFUL << (i * 8);
        }
        return result;
    }

    /// <summary>r[e] = op(a[e]).</summary>
    public static V128 Map1(Shape s, bool unsigned, V128 a, Func<long, int, long> op)
    {
        V128 r = default;
        for (int e = 0; e < s.Elements; e++)
            r.SetElem(e, s.Esize, (ulong)op(Int(a, e, s.Esize, unsigned), s.Esize));
        return r;
    }

    /// <summary>Pairs of adjacent elements of a, added to the elements of d, twice as wide.</summary>
    public static V128 LongPairs(Shape s, bool unsigned, V128 d, V128 a)
    {
        V128 r = default;
        for (int e = 0; e < s.Elements / 2; e++)
        {
            long sum = Int(a, 2 * e, s.Esize, unsigned) + Int(a, (2 * e) + 1, s.Esize, unsigned);
            r.SetElem(e, 2 * s.Esize, (ulong)sum + d.Elem(e, 2 * s.Esize));
        }
        return r;
    }

    /// <summary>An element as an exact number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Int128 Wide(ulong x, int esize, bool unsigned) => unsigned ? (Int128)x : SInt(x, esize);

    /// <summary>SatQ: saturates to esize bits and sets FPSR.QC when that changes the value.</summary>
    public static ulong SatQ(Cpu cpu, Int128 value, int esize, bool unsigned)
    {
        Int128 max = unsigned ? Ones(esize) : Ones(esize - 1);
        Int128 min = unsigned ? Int128.Zero : -max - Int128.One;
        if (value > max)
        {
            cpu.FPSR |= QC;
            return (ulong)max;
        }
        if (value < min)
        {
            cpu.FPSR |= QC;
            return unchecked((ulong)(long)min);
        }
        return unchecked((ulong)value);
    }

    /// <summary>SatQ for values that fit 64 bits and elements of at most 32 bits.</summary>
    public static ulong SatQ(Cpu cpu, long value, int esize, bool unsigned)
    {
        long max = (long)Ones(unsigned ? esize : esize - 1);
        long min = unsigned ? 0 : ~max;
        if (value <= max && value >= min)
            return (ulong)value;
        cpu.FPSR |= QC;
        return (ulong)(value > max ? max : min);
    }
}
