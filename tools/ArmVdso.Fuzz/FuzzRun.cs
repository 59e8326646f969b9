using System.Globalization;
using ArmVdso.Fuzz.Words;

namespace ArmVdso.Fuzz;

/// <summary>Fuzzers, one after the other, with a seed and a budget.</summary>
public sealed class FuzzRun
{
    /// <summary>Findings of one fuzzer after which it ends.</summary>
    private const int MostFindings = 10;

    /// <summary>Seed of the first batch; each next one has the next.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Cases of each fuzzer, in its unit; null: some seconds' worth.</summary>
    public ulong? Budget { get; init; }

    /// <summary>CPU seconds without progress that are a hang.</summary>
    public double HangSeconds { get; init; } = 5;

    /// <summary>Gets a line for each finding and each fuzzer.</summary>
    public Action<string> Say { get; init; } = _ => { };

    /// <summary>Gets the cases done so far, from time to time.</summary>
    public Action<string> Progress { get; init; } = _ => { };

    /// <summary>Called when a case hangs in a way that nothing stops.</summary>
    public Action<string> Stuck { get; init; } = text => throw new FindingException(text);

    /// <summary>All fuzzers.</summary>
    /// <param name="threads">Most threads of a sequence of system calls.</param>
    public static IReadOnlyList<Fuzzer> All(int threads = 8) =>
    [
        new GuestFuzzer("elf", "mutants", 2000, 4000, threads),
        new GuestFuzzer("calls", "sequences", 2000, 4000, threads),
        new GuestFuzzer("terminal", "sessions", 500, 500, threads),
        new ProgramFuzzer(),
        new VdsoFuzzer(),
        new CoreFuzzer(),
        new WordFuzzer(),
    ];

    /// <summary>Runs a fuzzer through its budget.</summary>
    /// <returns>Findings.</returns>
    public int Run(Fuzzer fuzzer)
    {
        ulong budget = Budget ?? fuzzer.UsualBudget, done = 0, seed = Seed;
        int findings = 0;
        string name = fuzzer.Name;
        using var watch = new HangWatch(HangSeconds, text => Stuck($"{name}, seed {seed}: {text}"));
        for (; done < budget && findings < MostFindings; seed++)
        {
            ulong count = Math.Min(fuzzer.Batch, budget - done);
            try
            {
                done += fuzzer.Run(seed, count, watch);
            }
            catch (FindingException e)
            {
                findings++;
                done += count;
                Say(Text($"{name}: found with --seed {seed} --budget {count}: {e.Message}"));
            }
            Progress(Text($"{name} {done:N0} of {budget:N0}"));
        }
        Say(Text($"{name}: {done:N0} {fuzzer.Unit}, seeds {Seed} to {seed - 1}, {findings} findings; {fuzzer.Outcomes}"));
        return findings;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
