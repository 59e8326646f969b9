using ArmVdso.Emulator.Processor;
using static System.Numerics.BitOperations;

namespace ArmVdso.Emulator.Semantics;

/// <summary>SHA-1, SHA-256 and SHA-512 steps (FIPS 180-4; Arm ARM, shared pseudocode SHA256hash and the instructions' own).</summary>
internal static class CryptoSha
{
    /// <summary>SHAchoose.</summary>
    public static uint Choose(uint x, uint y, uint z) => ((y ^ z) & x) ^ z;

    /// <summary>SHAparity.</summary>
    public static uint Parity(uint x, uint y, uint z) => x ^ y ^ z;

    /// <summary>SHAmajority.</summary>
    public static uint Majority(uint x, uint y, uint z) => (x & y) | ((x | y) & z);

    /// <summary>Four rounds of SHA-1: x holds a..d, y is e, w the schedule with the constant added.</summary>
    public static V128 Sha1Rounds(V128 x, uint y, V128 w, Func<uint, uint, uint, uint> f)
    {
        uint a = Word(x, 0), b = Word(x, 1), c = Word(x, 2), d = Word(x, 3);
        for (int e = 0; e < 4; e++)
        {
            y += RotateLeft(a, 5) + f(b, c, d) + Word(w, e);
            (a, b, c, d, y) = (y, a, RotateLeft(b, 30), c, d);
        }
        return Words(a, b, c, d);
    }

    /// <summary>SHA1SU1.</summary>
    public static V128 Sha1Schedule1(V128 d, V128 n)
    {
        uint t0 = Word(d, 0) ^ Word(n, 1), t1 = Word(d, 1) ^ Word(n, 2), t2 = Word(d, 2) ^ Word(n, 3), t3 = Word(d, 3);
        return Words(RotateLeft(t0, 1), RotateLeft(t1, 1), RotateLeft(t2, 1), RotateLeft(t3, 1) ^ RotateLeft(t0, 2));
    }

    /// <summary>SHA256hash: four rounds; x holds a..d, y e..h. Returns the new x (part1) or y.</summary>
    public static V128 Sha256Rounds(V128 x, V128 y, V128 w, bool part1)
    {
        uint a = Word(x, 0), b = Word(x, 1), c = Word(x, 2), d = Word(x, 3);
        uint e = Word(y, 0), f = Word(y, 1), g = Word(y, 2), h = Word(y, 3);
        for (int i = 0; i < 4; i++)
        {
            uint t = h + (RotateRight(e, 6) ^ RotateRight(e, 11) ^ RotateRight(e, 25)) + Choose(e, f, g) + Word(w, i);
            uint next = t + (RotateRight(a, 2) ^ RotateRight(a, 13) ^ RotateRight(a, 22)) + Majority(a, b, c);
            (a, b, c, d, e, f, g, h) = (next, a, b, c, d + t, e, f, g);
        }
        return part1 ? Words(a, b, c, d) : Words(e, f, g, h);
    }

    /// <summary>SHA256SU0.</summary>
    public static V128 Sha256Schedule0(V128 d, V128 n)
    {
        return Words(
            Word(d, 0) + Sigma(Word(d, 1)), Word(d, 1) + Sigma(Word(d, 2)),
            Word(d, 2) + Sigma(Word(d, 3)), Word(d, 3) + Sigma(Word(n, 0)));

        static uint Sigma(uint x) => RotateRight(x, 7) ^ RotateRight(x, 18) ^ (x >> 3);
    }

    /// <summary>SHA256SU1.</summary>
    public static V128 Sha256Schedule1(V128 d, V128 n, V128 m)
    {
        uint r0 = Word(d, 0) + Word(n, 1) + Sigma(Word(m, 2));
        uint r1 = Word(d, 1) + Word(n, 2) + Sigma(Word(m, 3));
        return Words(r0, r1, Word(d, 2) + Word(n, 3) + Sigma(r0), Word(d, 3) + Word(m, 0) + Sigma(r1));

        static uint Sigma(uint x) => RotateRight(x, 17) ^ RotateRight(x, 19) ^ (x >> 10);
    }

    /// <summary>SHA512H.</summary>
    public static V128 Sha512Hash(V128 w, V128 x, V128 y)
    {
        ulong high = w.Hi + Sigma(y.Hi) + ((y.Hi & x.Lo) ^ (~y.Hi & x.Hi));
        ulong t = high + y.Lo;
        return new V128(w.Lo + Sigma(t) + ((t & y.Hi) ^ (~t & x.Lo)), high);

        static ulong Sigma(ulong v) => RotateRight(v, 14) ^ RotateRight(v, 18) ^ RotateRight(v, 41);
    }

    /// <summary>SHA512H2.</summary>
    public static V128 Sha512Hash2(V128 w, V128 x, V128 y)
    {
        ulong high = w.Hi + Sigma(y.Lo) + ((x.Lo & y.Hi) ^ (x.Lo & y.Lo) ^ (y.Hi & y.Lo));
        return new V128(w.Lo + Sigma(high) + ((high & y.Lo) ^ (high & y.Hi) ^ (y.Hi & y.Lo)), high);

        static ulong Sigma(ulong v) => RotateRight(v, 28) ^ RotateRight(v, 34) ^ RotateRight(v, 39);
    }

    /// <summary>SHA512SU0.</summary>
    public static V128 Sha512Schedule0(V128 w, V128 x)
    {
        return new V128(w.Lo + Sigma(w.Hi), w.Hi + Sigma(x.Lo));

        static ulong Sigma(ulong v) => RotateRight(v, 1) ^ RotateRight(v, 8) ^ (v >> 7);
    }

    /// <summary>SHA512SU1.</summary>
    public static V128 Sha512Schedule1(V128 w, V128 x, V128 y)
    {
        return new V128(w.Lo + Sigma(x.Lo) + y.Lo, w.Hi + Sigma(x.Hi) + y.Hi);

        static ulong Sigma(ulong v) => RotateRight(v, 19) ^ RotateRight(v, 61) ^ (v >> 6);
    }

    /// <summary>Word e of a register.</summary>
    public static uint Word(V128 v, int e) => (uint)v.Elem(e, 32);

    /// <summary>A register of four words, the lowest first.</summary>
    public static V128 Words(uint w0, uint w1, uint w2, uint w3) => new(w0 | ((ulong)w1 << 32), w2 | ((ulong)w3 << 32));
}
