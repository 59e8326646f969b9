namespace ArmVdso.Fuzz;

/// <summary>vDSO images that are given as those of a stock kernel: a program looks for its functions in them and calls what it
/// finds.</summary>
public sealed class VdsoFuzzer : FileFuzzer
{
    private const int Headers = 0x600;

    /// <inheritdoc/>
    public override string Name => "vdso";

    /// <inheritdoc/>
    public override ulong UsualBudget => 200;

    /// <summary>The images that are built in.</summary>
    internal static IReadOnlyList<(string Name, byte[] Bytes)> Images { get; } =
        [.. Resources.Names("vdso/").Select(n => (n["vdso/".Length..], Resources.Bytes(n)))];

    /// <inheritdoc/>
    protected override IReadOnlyList<(string Name, byte[] Bytes)> Seeds => Images;

    /// <inheritdoc/>
    protected override byte[] Mutate(byte[] bytes, Random random) => MutateBytes(bytes, random, Headers);

    /// <inheritdoc/>
    protected override string Use(string name, string path, HangWatch watch)
    {
        var settings = new SessionSettings
        {
            Cpus = 1,
            Core = "none",
            MemoryBytes = 64 << 20,
            MaxCycles = 2_000_000,
            Vdso = $"stock:{path},vvar=6.12",
        };
        return new GuestRun(watch, mayWait: true).Run(settings, FuzzGuest.Path, "vdso", "1", "1");
    }
}
