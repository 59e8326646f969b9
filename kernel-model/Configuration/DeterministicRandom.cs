namespace ArmVdso.Kernel.Configuration;

/// <summary>All randomness that the guest gets, from the seed of the run: SplitMix64.</summary>
public sealed class DeterministicRandom(ulong seed)
{
    private ulong _state = seed ^ 0x6A09E667F3BCC908;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Fills a buffer.</summary>
    public void Fill(Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i += 8)
        {
            ulong value = Next();
            for (int k = i; k < Math.Min(i + 8, destination.Length); k++)
            {
                destination[k] = (byte)value;
                value >>= 8;
            }
        }
    }
}
