namespace ArmVdso.Differential;

/// <summary>Compares what the oracle and our engine made of a case.</summary>
public static class OutcomeComparer
{
    /// <summary>FPSR bits that are compared: QC and the cumulative exceptions.</summary>
    public const uint FpsrMask = 0x0800009F;

    private const uint FpcrMask = 0x07C80000;
    private const ulong PageMask = 0xFFF;

    /// <summary>Brings the oracle's outcome to our form: bits that mean nothing are cleared.</summary>
    public static void Normalise(Span<ulong> outcome)
    {
        outcome[StateWord.Nzcv] &= 0xF0000000;
        outcome[StateWord.Fpsr] &= FpsrMask;
        outcome[StateWord.Fpcr] &= FpcrMask;
        outcome[StateWord.Code] = 0;
        outcome[StateWord.Flags] = 0;
    }

    /// <summary>Indices of the words that differ, added to <paramref name="differences"/>.</summary>
    public static void Compare(ReadOnlySpan<ulong> oracle, ReadOnlySpan<ulong> ours, Ignore ignore, List<int> differences)
    {
        bool faulted = oracle[StateWord.Signal] != 0 && oracle[StateWord.Signal] == ours[StateWord.Signal];
        if (oracle[..StateWord.Fault].SequenceEqual(ours[..StateWord.Fault]) && !faulted)
            return;
        for (int i = 0; i < StateWord.Fault; i++)
        {
            if (oracle[i] == ours[i])
                continue;
            if (i == StateWord.Fpsr && (ignore & Ignore.Fpsr) != 0)
                continue;
            if (i == StateWord.Nzcv && (ignore & Ignore.Nzcv) != 0)
                continue;
            if (faulted && i < StateWord.PC && (ignore & Ignore.FaultRegisters) != 0)
                continue;
            differences.Add(i);
        }
        // The page of the fault address; qemu does not know addresses that the host calls non-canonical.
        ulong far = ours[StateWord.Fault];
        if (faulted && oracle[StateWord.Signal] == 11 && far < 1UL << 47 && ((oracle[StateWord.Fault] ^ far) & ~PageMask) != 0)
            differences.Add(StateWord.Fault);
    }
}
