namespace ArmVdso.Emulator.Processor;

/// <summary>QARMA-64 with five rounds and the S-box sigma 2: ComputePACQARMA5 of the Arm pseudocode (DDI0487, Shared
/// Pseudocode; R. Avanzi, The QARMA Block Cipher Family, 2017). Cell 0 is the most significant nibble.</summary>
public static class Qarma
{
    private const ulong Alpha = 0xC0AC29B7C97C50DD;

    private static readonly ulong[] _roundConstants =
        [0, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89, 0x452821E638D01377];

    private static readonly byte[] _sub = [0xb, 0x6, 0x8, 0xf, 0xc, 0x0, 0x9, 0xe, 0x3, 0x7, 0x4, 0x5, 0xd, 0x2, 0x1, 0xa];
    private static readonly byte[] _invSub = Inverse(_sub);
    private static readonly byte[] _cellShuffle = [0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2];
    private static readonly byte[] _cellInvShuffle = Inverse(_cellShuffle);
    private static readonly byte[] _tweakShuffle = [6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11];
    private static readonly byte[] _tweakInvShuffle = Inverse(_tweakShuffle);

    /// <summary>Cells of the tweak that the linear feedback shift register changes: 0, 1, 3, 4, 8, 11, 13.</summary>
    private const int TweakCells = 0b0010_1001_0001_1011;

    /// <summary>ComputePACQARMA5: the whole 64 bits of the code for a pointer.</summary>
    /// <param name="data">The pointer with canonical extension bits.</param>
    /// <param name="modifier">The modifier (tweak).</param>
    /// <param name="key0">Bits 127:64 of the key.</param>
    /// <param name="key1">Bits 63:0 of the key.</param>
    public static ulong ComputePac(ulong data, ulong modifier, ulong key0, ulong key1)
    {
        ulong modk0 = (key0 << 63) | ((key0 >> 2) << 1) | ((key0 >> 63) ^ ((key0 >> 1) & 1));
        ulong runningMod = modifier;
        ulong working = data ^ key0;
        for (int i = 0; i <= 4; i++)
        {
            working ^= key1 ^ runningMod ^ _roundConstants[i];
            if (i > 0)
                working = Mult(Shuffle(working, _cellShuffle));
            working = Substitute(working, _sub);
            runningMod = TweakShuffle(runningMod);
        }
        working ^= modk0 ^ runningMod;
        working = Substitute(Mult(Shuffle(working, _cellShuffle)), _sub);
        working = Mult(Shuffle(working, _cellShuffle)) ^ key1;
        working = Substitute(Shuffle(working, _cellInvShuffle), _invSub);
        working = Shuffle(Mult(working), _cellInvShuffle) ^ key0 ^ runningMod;
        for (int i = 0; i <= 4; i++)
        {
            working = Substitute(working, _invSub);
            if (i < 4)
                working = Shuffle(Mult(working), _cellInvShuffle);
            runningMod = TweakInvShuffle(runningMod);
            working ^= _roundConstants[4 - i] ^ key1 ^ runningMod ^ Alpha;
        }
        return working ^ modk0;
    }

    private static ulong Cell(ulong value, int cell) => (value >> (60 - 4 * cell)) & 15;

    private static ulong Shuffle(ulong value, byte[] permutation)
    {
        ulong result = 0;
        for (int i = 0; i < 16; i++)
            result = (result << 4) | Cell(value, permutation[i]);
        return result;
    }

    private static ulong Substitute(ulong value, byte[] box)
    {
        ulong result = 0;
        for (int i = 0; i < 16; i++)
            result = (result << 4) | box[Cell(value, i)];
        return result;
    }

    /// <summary>Multiplies the 4x4 matrix of cells by circ(0, rho, rho^2, rho).</summary>
    private static ulong Mult(ulong value)
    {
        ulong once = RotateCells(value, 1);
        return RotateRows(once, 1) ^ RotateRows(RotateCells(value, 2), 2) ^ RotateRows(once, 3);
    }

    private static ulong RotateRows(ulong value, int rows) => System.Numerics.BitOperations.RotateLeft(value, 16 * rows);

    private static ulong RotateCells(ulong value, int by)
    {
        ulong low = 0x1111111111111111UL * ((1UL << by) - 1);
        return ((value << by) & ~low) | ((value >> (4 - by)) & low);
    }

    private static ulong TweakShuffle(ulong value) =>
        EachTweakCell(Shuffle(value, _tweakShuffle), c => (c >> 1) | (((c ^ (c >> 1)) & 1) << 3));

    private static ulong TweakInvShuffle(ulong value) =>
        Shuffle(EachTweakCell(value, c => ((c << 1) & 15) | (((c >> 3) ^ c) & 1)), _tweakInvShuffle);

    private static ulong EachTweakCell(ulong value, Func<ulong, ulong> change)
    {
        ulong result = 0;
        for (int i = 0; i < 16; i++)
        {
            ulong cell = Cell(value, i);
            result = (result << 4) | ((TweakCells >> i & 1) != 0 ? change(cell) : cell);
        }
        return result;
    }

    private static byte[] Inverse(byte[] permutation)
    {
        var inverse = new byte[16];
        for (int i = 0; i < 16; i++)
            inverse[permutation[i]] = (byte)i;
        return inverse;
    }
}
