using ArmVdso.Emulator.Processor;
using static System.Numerics.BitOperations;
using static ArmVdso.Emulator.Semantics.CryptoSha;

namespace ArmVdso.Emulator.Semantics;

/// <summary>SM3 (GB/T 32905) and SM4 (GB/T 32907) steps, as the Arm instructions divide them.</summary>
internal static class CryptoSm
{
    // GB/T 32907, table 1.
    private static ReadOnlySpan<byte> Sbox =>
    [
        0xD6, 0x90, 0xE9, 0xFE, 0xCC, 0xE1, 0x3D, 0xB7, 0x16, 0xB6, 0x14, 0xC2, 0x28, 0xFB, 0x2C, 0x05,
        0x2B, 0x67, 0x9A, 0x76, 0x2A, 0xBE, 0x04, 0xC3, 0xAA, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
        0x9C, 0x42, 0x50, 0xF4, 0x91, 0xEF, 0x98, 0x7A, 0x33, 0x54, 0x0B, 0x43, 0xED, 0xCF, 0xAC, 0x62,
        0xE4, 0xB3, 0x1C, 0xA9, 0xC9, 0x08, 0xE8, 0x95, 0x80, 0xDF, 0x94, 0xFA, 0x75, 0x8F, 0x3F, 0xA6,
        0x47, 0x07, 0xA7, 0xFC, 0xF3, 0x73, 0x17, 0xBA, 0x83, 0x59, 0x3C, 0x19, 0xE6, 0x85, 0x4F, 0xA8,
        0x68, 0x6B, 0x81, 0xB2, 0x71, 0x64, 0xDA, 0x8B, 0xF8, 0xEB, 0x0F, 0x4B, 0x70, 0x56, 0x9D, 0x35,
        0x1E, 0x24, 0x0E, 0x5E, 0x63, 0x58, 0xD1, 0xA2, 0x25, 0x22, 0x7C, 0x3B, 0x01, 0x21, 0x78, 0x87,
        0xD4, 0x00, 0x46, 0x57, 0x9F, 0xD3, 0x27, 0x52, 0x4C, 0x36, 0x02, 0xE7, 0xA0, 0xC4, 0xC8, 0x9E,
        0xEA, 0xBF, 0x8A, 0xD2, 0x40, 0xC7, 0x38, 0xB5, 0xA3, 0xF7, 0xF2, 0xCE, 0xF9, 0x61, 0x15, 0xA1,
        0xE0, 0xAE, 0x5D, 0xA4, 0x9B, 0x34, 0x1A, 0x55, 0xAD, 0x93, 0x32, 0x30, 0xF5, 0x8C, 0xB1, 0xE3,
        0x1D, 0xF6, 0xE2, 0x2E, 0x82, 0x66, 0xCA, 0x60, 0xC0, 0x29, 0x23, 0xAB, 0x0D, 0x53, 0x4E, 0x6F,
        0xD5, 0xDB, 0x37, 0x45, 0xDE, 0xFD, 0x8E, 0x2F, 0x03, 0xFF, 0x6A, 0x72, 0x6D, 0x6C, 0x5B, 0x51,
        0x8D, 0x1B, 0xAF, 0x92, 0xBB, 0xDD, 0xBC, 0x7F, 0x11, 0xD9, 0x5C, 0x41, 0x1F, 0x10, 0x5A, 0xD8,
        0x0A, 0xC1, 0x31, 0x88, 0xA5, 0xCD, 0x7B, 0xBD, 0x2D, 0x74, 0xD0, 0x12, 0xB8, 0xE5, 0xB4, 0xB0,
        0x89, 0x69, 0x97, 0x4A, 0x0C, 0x96, 0x77, 0x7E, 0x65, 0xB9, 0xF1, 0x09, 0xC5, 0x6E, 0xC6, 0x84,
        0x18, 0xF0, 0x7D, 0xEC, 0x3A, 0xDC, 0x4D, 0x20, 0x79, 0xEE, 0x5F, 0x3E, 0xD7, 0xCB, 0x39, 0x48,
    ];

    /// <summary>Permutation P0 of SM3.</summary>
    private static uint P0(uint x) => x ^ RotateLeft(x, 9) ^ RotateLeft(x, 17);

    /// <summary>Permutation P1 of SM3.</summary>
    private static uint P1(uint x) => x ^ RotateLeft(x, 15) ^ RotateLeft(x, 23);

    /// <summary>SM3SS1: SS1 in the highest word, zeros below.</summary>
    public static V128 Sm3SS1(V128 n, V128 m, V128 a) =>
        Words(0, 0, 0, RotateLeft(RotateLeft(Word(n, 3), 12) + Word(m, 3) + Word(a, 3), 7));

    /// <summary>SM3TT1A (rounds 0 to 15) and SM3TT1B.</summary>
    public static V128 Sm3TT1(V128 d, V128 n, uint wPrime, bool early)
    {
        uint a = Word(d, 3), b = Word(d, 2), c = Word(d, 1);
        uint ss2 = Word(n, 3) ^ RotateLeft(a, 12);
        uint tt1 = (early ? Parity(a, b, c) : Majority(a, b, c)) + Word(d, 0) + ss2 + wPrime;
        return Words(c, RotateLeft(b, 9), a, tt1);
    }

    /// <summary>SM3TT2A (rounds 0 to 15) and SM3TT2B.</summary>
    public static V128 Sm3TT2(V128 d, V128 n, uint w, bool early)
    {
        uint e = Word(d, 3), f = Word(d, 2), g = Word(d, 1);
        uint tt2 = (early ? Parity(e, f, g) : Choose(e, f, g)) + Word(d, 0) + Word(n, 3) + w;
        return Words(g, RotateLeft(f, 19), e, P0(tt2));
    }

    /// <summary>SM3PARTW1.</summary>
    public static V128 Sm3PartW1(V128 d, V128 n, V128 m)
    {
        uint r0 = P1(Word(d, 0) ^ Word(n, 0) ^ RotateLeft(Word(m, 1), 15));
        uint r1 = P1(Word(d, 1) ^ Word(n, 1) ^ RotateLeft(Word(m, 2), 15));
        uint r2 = P1(Word(d, 2) ^ Word(n, 2) ^ RotateLeft(Word(m, 3), 15));
        uint r3 = P1(Word(d, 3) ^ Word(n, 3) ^ RotateLeft(r0, 15));
        return Words(r0, r1, r2, r3);
    }

    /// <summary>SM3PARTW2.</summary>
    public static V128 Sm3PartW2(V128 d, V128 n, V128 m)
    {
        uint t0 = Word(n, 0) ^ RotateLeft(Word(m, 0), 7);
        return Words(
            Word(d, 0) ^ t0,
            Word(d, 1) ^ Word(n, 1) ^ RotateLeft(Word(m, 1), 7),
            Word(d, 2) ^ Word(n, 2) ^ RotateLeft(Word(m, 2), 7),
            Word(d, 3) ^ Word(n, 3) ^ RotateLeft(Word(m, 3), 7) ^ P1(RotateLeft(t0, 15)));
    }

    /// <summary>SM4E: four rounds of encryption with the round keys in <paramref name="keys"/>.</summary>
    public static V128 Sm4Encrypt(V128 state, V128 keys) => Sm4Rounds(state, keys,
        static x => x ^ RotateLeft(x, 2) ^ RotateLeft(x, 10) ^ RotateLeft(x, 18) ^ RotateLeft(x, 24));

    /// <summary>SM4EKEY: four rounds of the key schedule with the constants in <paramref name="constants"/>.</summary>
    public static V128 Sm4Key(V128 state, V128 constants) => Sm4Rounds(state, constants,
        static x => x ^ RotateLeft(x, 13) ^ RotateLeft(x, 23));

    private static V128 Sm4Rounds(V128 state, V128 keys, Func<uint, uint> linear)
    {
        uint x0 = Word(state, 0), x1 = Word(state, 1), x2 = Word(state, 2), x3 = Word(state, 3);
        for (int i = 0; i < 4; i++)
        {
            uint t = x1 ^ x2 ^ x3 ^ Word(keys, i);
            t = Sbox[(int)(t & 255)] | ((uint)Sbox[(int)(t >> 8 & 255)] << 8)
                | ((uint)Sbox[(int)(t >> 16 & 255)] << 16) | ((uint)Sbox[(int)(t >> 24)] << 24);
            (x0, x1, x2, x3) = (x1, x2, x3, x0 ^ linear(t));
        }
        return Words(x0, x1, x2, x3);
    }
}
