using ArmVdso.Emulator;

namespace ArmVdso.Yardsticks;

/// <summary>A block of loose instructions as a loop on a bare core.</summary>
public static class LoopBlock
{
    /// <summary>Places a block where snippets lie: once when a branch closes the loop, else copy after copy, about 144
    /// instructions.</summary>
    /// <param name="timer">The core.</param>
    /// <param name="words">The block; a branch at its end, wherever it goes, is made to go to its start.</param>
    /// <param name="closed">Whether there is such a branch.</param>
    /// <param name="end">Address behind the last copy.</param>
    /// <returns>Copies.</returns>
    public static int Place(SnippetTimer timer, Span<uint> words, out bool closed, out ulong end)
    {
        closed = Close(ref words[^1], words.Length);
        int copies = closed ? 1 : Math.Max(1, 144 / words.Length);
        end = SnippetTimer.Code;
        for (int i = 0; i < copies; i++)
        {
            foreach (uint word in words)
            {
                timer.Ram.Write(end, word);
                end += 4;
            }
        }
        return copies;
    }

    /// <summary>Registers that are offsets of loads and stores and the base of none: bit n for Xn.</summary>
    public static uint Indices(ReadOnlySpan<uint> words)
    {
        uint offsets = 0;
        foreach (uint word in words)
        {
            if (IsAccess(word) && (word & 0x3B200C00) == 0x38200800)
                offsets |= 1u << (int)((word >> 16) & 31);
        }
        return offsets & ~Bases(words);
    }

    /// <summary>Registers from which an address of a load or store comes: its base, and what that is a copy of or was added to; bit n for
    /// Xn.</summary>
    public static uint Addresses(ReadOnlySpan<uint> words)
    {
        uint addresses = Bases(words), before;
        do
        {
            before = addresses;
            foreach (uint word in words)
            {
                // What also sets flags counts.
                bool added = (word & 0xBF000000) is 0x91000000 or 0x8B000000;
                bool copied = (word & 0xFFE0FFE0) == 0xAA0003E0;
                if ((added || copied) && (addresses >> (int)(word & 31) & 1) != 0)
                    addresses |= 1u << (int)((copied ? word >> 16 : word >> 5) & 31);
            }
        }
        while (addresses != before);
        return addresses;
    }

    // Loads and stores: op0 x1x0.
    private static bool IsAccess(uint word) => (word & 0x0A000000) == 0x08000000;

    private static uint Bases(ReadOnlySpan<uint> words)
    {
        uint bases = 0;
        foreach (uint word in words)
        {
            if (IsAccess(word))
                bases |= 1u << (int)((word >> 5) & 31);
        }
        return bases;
    }

    /// <summary>Makes a branch at the end of a block go to its start.</summary>
    /// <param name="word">The last instruction of the block.</param>
    /// <param name="length">Instructions of the block.</param>
    /// <returns>False when it is no branch to an address.</returns>
    private static bool Close(ref uint word, int length)
    {
        int back = 1 - length;
        if ((word & 0xFF000010) == 0x54000000 || (word & 0x7E000000) == 0x34000000)
            word = (word & ~(0x7FFFFu << 5)) | (((uint)back & 0x7FFFF) << 5);
        else if ((word & 0x7E000000) == 0x36000000)
            word = (word & ~(0x3FFFu << 5)) | (((uint)back & 0x3FFF) << 5);
        else if ((word & 0xFC000000) == 0x14000000)
            word = (word & 0xFC000000) | ((uint)back & 0x3FFFFFF);
        else
            return false;
        return true;
    }
}
