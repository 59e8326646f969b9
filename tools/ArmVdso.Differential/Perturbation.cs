namespace ArmVdso.Differential;

/// <summary>Errors that the harness can put into our side's outcome, to show that it would notice them.</summary>
public enum Perturbation
{
    /// <summary>None.</summary>
    None,

    /// <summary>One bit of a general register.</summary>
    General,

    /// <summary>One bit of a vector register.</summary>
    Vector,

    /// <summary>One of the flags.</summary>
    Flags,

    /// <summary>The cumulative floating-point exceptions.</summary>
    Fpsr,

    /// <summary>Where the instruction went: a signal that did not come, or came.</summary>
    Signal,

    /// <summary>One byte of memory.</summary>
    Memory,
}

/// <summary>Applies a <see cref="Perturbation"/>.</summary>
public static class Perturb
{
    /// <summary>Changes the outcome of case number <paramref name="number"/>.</summary>
    public static void Apply(Perturbation kind, int number, Span<ulong> outcome, Span<byte> zones)
    {
        switch (kind)
        {
            case Perturbation.General:
                outcome[number % 31] ^= 1UL << (number % 64);
                break;
            case Perturbation.Vector:
                outcome[StateWord.V + number % 64] ^= 1UL << (number % 61);
                break;
            case Perturbation.Flags:
                outcome[StateWord.Nzcv] ^= 0x10000000UL << (number % 4);
                break;
            case Perturbation.Fpsr:
                outcome[StateWord.Fpsr] ^= 1UL << (number % 5);
                break;
            case Perturbation.Signal:
                outcome[StateWord.Signal] ^= 4;
                break;
            case Perturbation.Memory:
                zones[number % zones.Length] ^= 0x10;
                break;
        }
    }
}
