using System.Numerics;
using System.Runtime.Intrinsics;
using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;

namespace ArmVdso.Emulator.Semantics;

/// <summary>An operation on all lanes of two vectors at once, the same for every lane type.</summary>
internal interface ILanes2
{
    /// <summary>Result of all lanes.</summary>
    static abstract Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b);
}

/// <summary>A shift of all lanes by the same amount; <c>d</c> is the old destination.</summary>
internal interface ILanesShift
{
    /// <summary>Result of all lanes; the amount is 1..esize for right shifts, 0..esize-1 for left shifts.</summary>
    static abstract Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize);
}

/// <summary>Whole-register implementations of the operations that programs execute most, on host vectors. Only
/// operations that the host computes exactly as the architecture says are here; the others are in <see cref="SimdElements"/>.</summary>
internal static class SimdLanes
{
    /// <summary>The register as a host vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Host(this V128 v) => Unsafe.BitCast<V128, Vector128<ulong>>(v);

    /// <summary>A host vector as a register value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128 Guest<T>(this Vector128<T> v) => Unsafe.BitCast<Vector128<T>, V128>(v);

    /// <summary>Applies <typeparamref name="TOp"/> to lanes of 8 &lt;&lt; size bits, signed or unsigned.</summary>
    public static V128 Apply<TOp>(int size, bool unsigned, V128 a, V128 b)
        where TOp : struct, ILanes2
    {
        Vector128<ulong> x = a.Host(), y = b.Host();
        return (unsigned ? size + 4 : size) switch
        {
            0 => TOp.Apply(x.AsSByte(), y.AsSByte()).Guest(),
            1 => TOp.Apply(x.AsInt16(), y.AsInt16()).Guest(),
            2 => TOp.Apply(x.AsInt32(), y.AsInt32()).Guest(),
            3 => TOp.Apply(x.AsInt64(), y.AsInt64()).Guest(),
            4 => TOp.Apply(x.AsByte(), y.AsByte()).Guest(),
            5 => TOp.Apply(x.AsUInt16(), y.AsUInt16()).Guest(),
            6 => TOp.Apply(x.AsUInt32(), y.AsUInt32()).Guest(),
            _ => TOp.Apply(x, y).Guest(),
        };
    }

    /// <summary>Vd = TOp(Vn, Vm).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Binary<TOp>(Cpu cpu, int q, int size, bool unsigned, int rn, int rm, int rd)
        where TOp : struct, ILanes2 =>
        Write(cpu, q, rd, Apply<TOp>(size, unsigned, cpu.V(rn), cpu.V(rm)));

    /// <summary>Vd = TSaturating(n, m); FPSR.QC when that differs from the wrapping TWrapping(n, m).</summary>
    public static void Saturate<TSaturating, TWrapping>(Cpu cpu, int q, int size, bool unsigned, V128 n, V128 m, int rd)
        where TSaturating : struct, ILanes2
        where TWrapping : struct, ILanes2
    {
        V128 result = Apply<TSaturating>(size, unsigned, n, m), wrapped = Apply<TWrapping>(size, unsigned, n, m);
        if (result.Lo != wrapped.Lo || (q != 0 && result.Hi != wrapped.Hi))
            cpu.FPSR |= QC;
        Write(cpu, q, rd, result);
    }

    /// <summary>Vd = TOp over adjacent pairs of the concatenation Vm:Vn.</summary>
    public static void Pairwise<TOp>(Cpu cpu, int q, int size, bool unsigned, int rn, int rm, int rd)
        where TOp : struct, ILanes2
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        if (size == 0 && q != 0)
        {
            // The string functions of C libraries live on this one.
            Vector128<ushort> x = n.Host().AsUInt16(), y = m.Host().AsUInt16();
            Vector128<byte> even = Vector128.Narrow(x, y), odd = Vector128.Narrow(x >>> 8, y >>> 8);
            cpu.SetV(rd, unsigned ? TOp.Apply(even, odd).Guest() : TOp.Apply(even.AsSByte(), odd.AsSByte()).Guest());
            return;
        }
        Write(cpu, q, rd, Apply<TOp>(size, unsigned, Unzip(q, size, 0, n, m), Unzip(q, size, 1, n, m)));
    }

    /// <summary>Reduces all lanes of 64 &lt;&lt; q bits to one, in lane 0, by halving; TOp is associative and commutative.</summary>
    public static ulong Reduce<TOp>(int q, int size, bool unsigned, V128 v)
        where TOp : struct, ILanes2
    {
        if (q != 0)
            v = Apply<TOp>(size, unsigned, v, new V128(v.Hi, v.Lo));
        for (int w = 32; w >= 8 << size; w >>= 1)
            v = Apply<TOp>(size, unsigned, v, new V128(v.Lo >> w, 0));
        return v.Elem(0, 8 << size);
    }

    /// <summary>Vd = TOp(Vd, Vn, shift).</summary>
    public static void Shift<TOp>(Cpu cpu, int q, int size, bool unsigned, int rn, int rd, int shift)
        where TOp : struct, ILanesShift
    {
        Vector128<ulong> d = cpu.V(rd).Host(), a = cpu.V(rn).Host();
        Write(cpu, q, rd, (unsigned ? size + 4 : size) switch
        {
            0 => TOp.Apply(d.AsSByte(), a.AsSByte(), shift, 8).Guest(),
            1 => TOp.Apply(d.AsInt16(), a.AsInt16(), shift, 16).Guest(),
            2 => TOp.Apply(d.AsInt32(), a.AsInt32(), shift, 32).Guest(),
            3 => TOp.Apply(d.AsInt64(), a.AsInt64(), shift, 64).Guest(),
            4 => TOp.Apply(d.AsByte(), a.AsByte(), shift, 8).Guest(),
            5 => TOp.Apply(d.AsUInt16(), a.AsUInt16(), shift, 16).Guest(),
            6 => TOp.Apply(d.AsUInt32(), a.AsUInt32(), shift, 32).Guest(),
            _ => TOp.Apply(d, a, shift, 64).Guest(),
        });
    }

    /// <summary>UZP1 (part 0) or UZP2 (part 1): the even or odd elements of the concatenation b:a.</summary>
    public static V128 Unzip(int q, int size, int part, V128 a, V128 b)
    {
        if (size == 3)
            return part == 0 ? new V128(a.Lo, b.Lo) : new V128(a.Hi, b.Hi);
        if (q == 0)
            a = b = new V128(a.Lo, b.Lo);
        int shift = part * (8 << size);
        return NarrowPair(size, Down(size, a, shift), Down(size, b, shift));
    }

    /// <summary>Truncates elements of 16 &lt;&lt; size bits of a (low half of the result) and b (high half).</summary>
    public static V128 NarrowPair(int size, V128 a, V128 b) => size switch
    {
        0 => Vector128.Narrow(a.Host().AsUInt16(), b.Host().AsUInt16()).Guest(),
        1 => Vector128.Narrow(a.Host().AsUInt32(), b.Host().AsUInt32()).Guest(),
        _ => Vector128.Narrow(a.Host(), b.Host()).Guest(),
    };

    /// <summary>Logical right shift of elements of 16 &lt;&lt; size bits, by less than that.</summary>
    public static V128 Down(int size, V128 a, int shift) => size switch
    {
        0 => (a.Host().AsUInt16() >>> shift).Guest(),
        1 => (a.Host().AsUInt32() >>> shift).Guest(),
        _ => (a.Host() >>> shift).Guest(),
    };

    /// <summary>Left shift of elements of 16 &lt;&lt; size bits, by less than that.</summary>
    public static V128 Up(int size, V128 a, int shift) => size switch
    {
        0 => (a.Host().AsUInt16() << shift).Guest(),
        1 => (a.Host().AsUInt32() << shift).Guest(),
        _ => (a.Host() << shift).Guest(),
    };

    /// <summary>Widens the 64 bits of <paramref name="x"/>, elements of 8 &lt;&lt; size bits, to 128 bits.</summary>
    public static V128 Widen(int size, bool unsigned, ulong x)
    {
        Vector128<ulong> v = Vector128.CreateScalar(x);
        return (unsigned ? size + 4 : size) switch
        {
            0 => Vector128.WidenLower(v.AsSByte()).Guest(),
            1 => Vector128.WidenLower(v.AsInt16()).Guest(),
            2 => Vector128.WidenLower(v.AsInt32()).Guest(),
            4 => Vector128.WidenLower(v.AsByte()).Guest(),
            5 => Vector128.WidenLower(v.AsUInt16()).Guest(),
            _ => Vector128.WidenLower(v.AsUInt32()).Guest(),
        };
    }

    internal struct Add : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => a + b;
    }

    internal struct Sub : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => a - b;
    }

    internal struct Mul : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => a * b;
    }

    internal struct Max : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Max(a, b);
    }

    internal struct Min : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Min(a, b);
    }

    internal struct Abd : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Max(a, b) - Vector128.Min(a, b);
    }

    internal struct SaturatingAdd : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.AddSaturate(a, b);
    }

    internal struct SaturatingSub : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.SubtractSaturate(a, b);
    }

    /// <summary>Absolute value of b; a is zero.</summary>
    internal struct Abs : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Max(b, a - b);
    }

    /// <summary>Saturating absolute value of b; a is zero.</summary>
    internal struct SaturatingAbs : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Max(b, Vector128.SubtractSaturate(a, b));
    }

    // Halving: a + b is (a ^ b) + 2 * (a & b), and 2 * (a | b) - (a ^ b); a - b is (a ^ b) - 2 * (~a & b).
    internal struct HalvingAdd : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => (a & b) + ((a ^ b) >> 1);
    }

    internal struct RoundingHalvingAdd : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => (a | b) - ((a ^ b) >> 1);
    }

    internal struct HalvingSub : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => ((a ^ b) >> 1) - (~a & b);
    }

    /// <summary>Polynomial product, as many low bits as the lanes have; for unsigned lanes.</summary>
    internal struct PolynomialMul : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b)
        {
            Vector128<T> r = Vector128<T>.Zero;
            for (int i = 0; i < 8; i++)
                r ^= (a << i) & (Vector128<T>.Zero - ((b >> i) & Vector128<T>.One));
            return r;
        }
    }

    internal struct CompareEQ : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.Equals(a, b);
    }

    internal struct CompareGT : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => Vector128.GreaterThan(a, b);
    }

    internal struct CompareGE : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => ~Vector128.LessThan(a, b);
    }

    internal struct Test : ILanes2
    {
        public static Vector128<T> Apply<T>(Vector128<T> a, Vector128<T> b) => ~Vector128.Equals(a & b, Vector128<T>.Zero);
    }

    /// <summary>Left shift.</summary>
    internal struct Left : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize) => a << shift;
    }

    /// <summary>Right shift, arithmetic or logical by the lane type.</summary>
    internal struct Right : ILanesShift
    {
        // Vector shift operators take the amount modulo the lane, and esize is a legal amount here: two steps.
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize) => (a >> (shift - 1)) >> 1;
    }

    /// <summary>Right shift and accumulate.</summary>
    internal struct RightAdd : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize) => d + ((a >> (shift - 1)) >> 1);
    }

    /// <summary>Rounding right shift: the last bit shifted out is added.</summary>
    internal struct RightRound : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize)
        {
            Vector128<T> x = a >> (shift - 1);
            return (x >> 1) + (x & Vector128<T>.One);
        }
    }

    /// <summary>Rounding right shift and accumulate.</summary>
    internal struct RightRoundAdd : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize) =>
            d + RightRound.Apply(d, a, shift, esize);
    }

    /// <summary>Shift left and insert: the low bits of the destination stay.</summary>
    internal struct LeftInsert : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize)
        {
            Vector128<T> mask = Vector128<T>.AllBitsSet << shift;
            return (a << shift) | (d & ~mask);
        }
    }

    /// <summary>Shift right and insert: the high bits of the destination stay. For unsigned lanes.</summary>
    internal struct RightInsert : ILanesShift
    {
        public static Vector128<T> Apply<T>(Vector128<T> d, Vector128<T> a, int shift, int esize)
        {
            Vector128<T> mask = (Vector128<T>.AllBitsSet >>> (shift - 1)) >>> 1;
            return ((a >>> (shift - 1)) >>> 1) | (d & ~mask);
        }
    }
}
