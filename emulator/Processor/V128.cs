namespace ArmVdso.Emulator.Processor;

/// <summary>A 128-bit SIMD and floating-point register value, little-endian halves. Elements are
/// addressed as in the Arm pseudocode <c>Elem[v, e, esize]</c> (DDI0487, Shared Pseudocode).</summary>
public struct V128 : IEquatable<V128>
{
    /// <summary>Bits 63:0.</summary>
    public ulong Lo;

    /// <summary>Bits 127:64.</summary>
    public ulong Hi;

    /// <summary>Builds a register value from its two halves.</summary>
    public V128(ulong lo, ulong hi)
    {
        Lo = lo;
        Hi = hi;
    }

    /// <summary>Element <paramref name="e"/> of width <paramref name="esize"/> bits (8, 16, 32 or 64), zero-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Elem(int e, int esize)
    {
        int bit = e * esize;
        ulong half = bit < 64 ? Lo : Hi;
        return (half >> (bit & 63)) & (ulong.MaxValue >> (64 - esize));
    }

    /// <summary>Replaces element <paramref name="e"/> with the low <paramref name="esize"/> bits of <paramref name="value"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetElem(int e, int esize, ulong value)
    {
        int bit = e * esize;
        int shift = bit & 63;
        ulong mask = (ulong.MaxValue >> (64 - esize)) << shift;
        if (bit < 64)
            Lo = (Lo & ~mask) | ((value << shift) & mask);
        else
            Hi = (Hi & ~mask) | ((value << shift) & mask);
    }

    /// <inheritdoc/>
    public readonly bool Equals(V128 other) => Lo == other.Lo && Hi == other.Hi;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is V128 other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(Lo, Hi);

    /// <inheritdoc/>
    public override readonly string ToString() => $"0x{Hi:x16}{Lo:x16}";

    /// <summary>Bitwise equality.</summary>
    public static bool operator ==(V128 a, V128 b) => a.Equals(b);

    /// <summary>Bitwise inequality.</summary>
    public static bool operator !=(V128 a, V128 b) => !a.Equals(b);
}
