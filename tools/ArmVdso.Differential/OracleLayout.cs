namespace ArmVdso.Differential;

/// <summary>Where things are in the shared file and in the guest's memory. Guest/oracle.S has the same numbers.</summary>
public static class OracleLayout
{
    /// <summary>Virtual address of the code area; far from the powers of two that registers often hold.</summary>
    public const ulong CodeVa = 0x25_4321_0000;

    /// <summary>Virtual address of the data window: two pages, unmapped memory before and after.</summary>
    public const ulong WindowVa = 0x25_4329_0000;

    /// <summary>Where the oracle program itself is linked; no case may jump there.</summary>
    public const ulong ProgramVa = 0x25_4921_0000;

    /// <summary>Bytes kept free of branch targets at <see cref="ProgramVa"/>.</summary>
    public const ulong ProgramBytes = 0x40_0000;

    /// <summary>Bytes of the code area.</summary>
    public const int CodeBytes = 0x10000;

    /// <summary>Bytes of the data window.</summary>
    public const int WindowBytes = 0x2000;

    /// <summary>First zone of the window, around its page boundary; offset in the window.</summary>
    public const int ZoneA = 0x1000 - 384;

    /// <summary>Bytes of the first zone.</summary>
    public const int ZoneABytes = 768;

    /// <summary>Second zone, the end of the window (unmapped memory follows); offset in the window.</summary>
    public const int ZoneB = 0x2000 - 256;

    /// <summary>Bytes of the second zone.</summary>
    public const int ZoneBBytes = 256;

    /// <summary>Bytes of both zones.</summary>
    public const int ZoneBytes = ZoneABytes + ZoneBBytes;

    /// <summary>Bytes from one slot to the next; all that is not a slot is <see cref="Filler"/>.</summary>
    public const int SlotBytes = 64;

    /// <summary>Slots of a batch.</summary>
    public const int MaxSlots = 256;

    /// <summary>Most cases of a batch.</summary>
    public const int MaxCases = 2048;

    /// <summary>BRK #0xdead.</summary>
    public const uint Filler = 0xD4200000 | (0xDEAD << 5);

    /// <summary>MRS X0, TPIDR_EL0: the first word of a slot.</summary>
    public const uint SlotEntry = 0xD53BD040;

    /// <summary>Offsets in the shared file.</summary>
    public const int CountOffset = 0, CodeBytesOffset = 8, CurrentOffset = 16, CodeOffset = 0x1000, TemplateOffset = 0x11000,
        WindowOffset = 0x12000, InOffset = 0x20000, OutOffset = 0x200000, ZonesOffset = 0x400000, SharedBytes = 0x600000;
}

/// <summary>Indices of the 64-bit words of a state. X0..X30 are 0..30, Vn is at <see cref="V"/> + 2n (low half first).</summary>
public static class StateWord
{
#pragma warning disable CS1591 // The names say it.
    public const int SP = 31, V = 32, Nzcv = 96, Fpcr = 97, Fpsr = 98, PC = 99, Signal = 100, Code = 101, Fault = 102, Flags = 103;
    public const int Count = 104;
#pragma warning restore CS1591

    /// <summary>A name for word <paramref name="i"/>, as reports print it.</summary>
    public static string Name(int i) => i switch
    {
        < 31 => $"x{i}",
        SP => "sp",
        < Nzcv => $"v{(i - V) / 2}.{((i & 1) == 0 ? "lo" : "hi")}",
        Nzcv => "nzcv",
        Fpcr => "fpcr",
        Fpsr => "fpsr",
        PC => "pc",
        Signal => "signal",
        Code => "si_code",
        Fault => "fault",
        _ => "flags",
    };
}
