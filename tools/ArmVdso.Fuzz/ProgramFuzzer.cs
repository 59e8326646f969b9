namespace ArmVdso.Fuzz;

/// <summary>Programs as the host hands them over: loaded by the first process, with the report of a crash made of their symbols and
/// tables.</summary>
public sealed class ProgramFuzzer : FileFuzzer
{
    private const int Headers = 0x400;

    /// <inheritdoc/>
    public override string Name => "program";

    /// <inheritdoc/>
    public override ulong UsualBudget => 200;

    /// <inheritdoc/>
    protected override IReadOnlyList<(string Name, byte[] Bytes)> Seeds => s_guest.Value;

    private static readonly Lazy<IReadOnlyList<(string, byte[])>> s_guest = new(() => [("fuzz", File.ReadAllBytes(FuzzGuest.Path))]);

    /// <inheritdoc/>
    protected override byte[] Mutate(byte[] bytes, Random random)
    {
        // The section headers are at the end, and say where the symbols are.
        if (random.Next(3) != 0)
            return MutateBytes(bytes, random, Headers);
        Span<byte> end = bytes.AsSpan(bytes.Length - Math.Min(bytes.Length, 3 * Headers));
        byte[] changed = MutateBytes(end.ToArray(), random, end.Length);
        changed.CopyTo(end);
        return bytes;
    }

    /// <inheritdoc/>
    protected override string Use(string name, string path, HangWatch watch)
    {
        var settings = new SessionSettings { Cpus = 1, Core = "none", MemoryBytes = 64 << 20, MaxCycles = 400_000 };
        return new GuestRun(watch, mayWait: true).Run(settings, path, "elf", "1", "0");
    }
}
