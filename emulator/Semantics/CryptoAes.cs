using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>The steps of AES (FIPS 197) that AESE, AESD, AESMC and AESIMC are made of. A state is a register whose byte
/// 4c+r is row r of column c.</summary>
internal static class CryptoAes
{
    private static readonly byte[] s_sbox = MakeSbox();
    private static readonly byte[] s_inverseSbox = Invert(s_sbox);

    // Where each byte of the result of ShiftRows and InvShiftRows comes from.
    private static ReadOnlySpan<byte> ShiftRows => [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];

    private static ReadOnlySpan<byte> InverseShiftRows => [0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3];

    /// <summary>AESSubBytes(AESShiftRows(state)).</summary>
    public static V128 Encrypt(V128 state) => Substitute(state, ShiftRows, s_sbox);

    /// <summary>AESInvSubBytes(AESInvShiftRows(state)).</summary>
    public static V128 Decrypt(V128 state) => Substitute(state, InverseShiftRows, s_inverseSbox);

    /// <summary>AESMixColumns: each column times {03}x^3 + {01}x^2 + {01}x + {02}.</summary>
    public static V128 MixColumns(V128 state) => new(MixTwo(state.Lo), MixTwo(state.Hi));

    /// <summary>AESInvMixColumns: the forward step on columns multiplied by {04}x^2 + {05} first.</summary>
    public static V128 InverseMixColumns(V128 state) => new(MixTwo(Premultiply(state.Lo)), MixTwo(Premultiply(state.Hi)));

    private static V128 Substitute(V128 state, ReadOnlySpan<byte> source, byte[] box)
    {
        ulong lo = 0, hi = 0;
        for (int i = 7; i >= 0; i--)
        {
            lo = (lo << 8) | box[(int)state.Elem(source[i], 8)];
            hi = (hi << 8) | box[(int)state.Elem(source[i + 8], 8)];
        }
        return new V128(lo, hi);
    }

    /// <summary>Eight bytes times {02} in GF(2^8).</summary>
    private static ulong Double(ulong x) => ((x & 0x7F7F7F7F7F7F7F7F) << 1) ^ (((x >> 7) & 0x0101010101010101) * 0x1B);

    /// <summary>The bytes of both columns rotated down: byte r takes byte r+n of its column.</summary>
    private static ulong Rotate(ulong x, int n)
    {
        ulong low = uint.RotateRight((uint)x, 8 * n), high = uint.RotateRight((uint)(x >> 32), 8 * n);
        return low | (high << 32);
    }

    private static ulong MixTwo(ulong x)
    {
        ulong all = x ^ Rotate(x, 1);
        return Double(all) ^ Rotate(x, 1) ^ Rotate(all, 2);
    }

    private static ulong Premultiply(ulong x) => x ^ Double(Double(x ^ Rotate(x, 2)));

    private static byte[] MakeSbox()
    {
        // p runs through all non-zero elements as powers of {03}, inverse through their inverses.
        var box = new byte[256];
        byte p = 1, inverse = 1;
        do
        {
            p = (byte)(p ^ (p << 1) ^ ((p & 0x80) != 0 ? 0x1B : 0));
            inverse ^= (byte)(inverse << 1);
            inverse ^= (byte)(inverse << 2);
            inverse ^= (byte)(inverse << 4);
            if ((inverse & 0x80) != 0)
                inverse ^= 0x09;
            box[p] = (byte)(inverse ^ byte.RotateLeft(inverse, 1) ^ byte.RotateLeft(inverse, 2)
                ^ byte.RotateLeft(inverse, 3) ^ byte.RotateLeft(inverse, 4) ^ 0x63);
        }
        while (p != 1);
        box[0] = 0x63;
        return box;
    }

    private static byte[] Invert(byte[] box)
    {
        var inverse = new byte[256];
        for (int i = 0; i < 256; i++)
            inverse[box[i]] = (byte)i;
        return inverse;
    }
}
