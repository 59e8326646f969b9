namespace ArmVdso.Kernel.Time;

/// <summary>When the kernel's generator is seeded anew (crng_reseed in drivers/char/random.c). Here it changes no random number: all of
/// them come from the seed of the run. What matters is the generation, which the vDSO compares its keys' age with.</summary>
public sealed class RandomSeeding(Timekeeper timekeeper)
{
    /// <summary>Seconds between two seedings of the kernel's generator (CRNG_RESEED_INTERVAL).</summary>
    private const ulong ReseedSeconds = 60;

    private ulong _nextNs;

    /// <summary>How often the generator was seeded.</summary>
    public ulong Generation { get; private set; }

    /// <summary>Called with the new generation after each seeding.</summary>
    internal Action<ulong>? Seeded { get; set; }

    /// <summary>A new seeding: the vDSO's keys are too old from now on.</summary>
    internal void Reseed()
    {
        Generation++;
        _nextNs = timekeeper.NowNs + ReseedSeconds * Timekeeper.NsPerSecond;
        Seeded?.Invoke(Generation);
    }

    /// <summary>The kernel hands out random numbers: time to seed first?</summary>
    internal void Use()
    {
        if (timekeeper.NowNs >= _nextNs)
            Reseed();
    }
}
