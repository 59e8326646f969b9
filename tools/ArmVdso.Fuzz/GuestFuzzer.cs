using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Fuzz;

/// <summary>What a program of the guest does to the kernel below it: the guest makes the cases, and must live to the end.</summary>
/// <param name="name">Name, and the guest's first argument.</param>
/// <param name="unit">What is counted.</param>
/// <param name="batch">Cases of a batch.</param>
/// <param name="usual">Cases without another budget.</param>
/// <param name="threads">Most threads of a case.</param>
public sealed partial class GuestFuzzer(string name, string unit, ulong batch, ulong usual, int threads) : Fuzzer
{
    private const int MostCpus = 4;

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Unit => unit;

    /// <inheritdoc/>
    public override ulong Batch => batch;

    /// <inheritdoc/>
    public override ulong UsualBudget => usual;

    /// <inheritdoc/>
    public override ulong Run(ulong seed, ulong count, HangWatch watch)
    {
        var settings = new SessionSettings
        {
            Cpus = 1 + (int)(seed % MostCpus),
            Core = "none",
            MemoryBytes = 256 << 20,
            Scheduler = seed % 3 == 0 ? SchedulerKind.Eevdf : SchedulerKind.Arrival,
            SliceNs = seed % 2 == 0 ? SessionSettings.UsualSliceNs : SessionSettings.ShortSliceNs,
            Seed = seed,
            Binds = [new Bind(FuzzGuest.Disk, "/disk", true)],
        };
        var run = new GuestRun(watch, mayWait: false);
        string outcome = run.Run(settings, FuzzGuest.Path, name, Text(seed), Text(count), Text((ulong)threads));
        Match last = LastLine().Match(run.Output);
        if (outcome != "ended" || !last.Success)
            throw new FindingException($"the guest {outcome}, status {run.Status}: {run.Output.Trim('.')}");
        string[] words = last.Value.Split(' ');
        for (int i = 2; i + 1 < words.Length; i += 2)
            Outcomes.Add(words[i], ulong.Parse(words[i + 1], CultureInfo.InvariantCulture));
        return Math.Max(1, ulong.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"cases \d+( \w+ \d+)*$", RegexOptions.Multiline)]
    private static partial Regex LastLine();
}
