using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ArmVdso.Emulator;

namespace ArmVdso.Yardsticks.Programs;

/// <summary>Whole programs without a kernel, warm, beside published figures per MHz. The programs are our own and not those of the
/// figures, so that the comparison says no more than whether a core is in the right region.</summary>
public static partial class ProgramSet
{
    private const ulong Rounds = 40;
    private const double DhrystonesOfOneMips = 1757;

    /// <summary>What a program gave.</summary>
    /// <param name="Cycles">Cycles of a round.</param>
    /// <param name="Instructions">Instructions of a round.</param>
    /// <param name="Checksum">Result of the last call.</param>
    /// <param name="Prediction">What the last call's branches came to, all rounds together.</param>
    public sealed record Run(double Cycles, double Instructions, ulong Checksum, PredictionFigures Prediction);

    /// <summary>Runs a program built in (Programs/*.bin): once to warm up, then once counted.</summary>
    /// <param name="core">Core model.</param>
    /// <param name="name">As dhrystone_like-O2.</param>
    /// <param name="rounds">Rounds of each call.</param>
    /// <exception cref="InvalidOperationException">It took an exception.</exception>
    public static Run Execute(string core, string name, ulong rounds)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"programs/{name}.bin")
            ?? throw new InvalidOperationException($"no program {name}");
        var image = new byte[stream.Length];
        stream.ReadExactly(image);
        using var timer = new SnippetTimer(core);
        for (int i = 0; i < image.Length; i++)
            timer.Ram.Write(SnippetTimer.Data + (ulong)i, image[i]);
        ulong cycles = 0;
        ulong instructions = 0;
        PredictionFigures before = default;
        for (int call = 0; call < 2; call++)
        {
            timer.Restart();
            timer.Cpu.PC = SnippetTimer.Data;
            timer.Cpu.SetX(0, rounds);
            timer.Cpu.SetX(30, SnippetTimer.Code);
            timer.Cpu.SetXSP(31, SnippetTimer.Data + (8 << 20));
            cycles = timer.Cpu.Cycles;
            instructions = timer.Cpu.Instructions;
            before = PredictionFigures.Of(timer.Cpu.Timing);
            timer.RunTo(SnippetTimer.Code);
        }
        return new Run(
            (double)(timer.Cpu.Cycles - cycles) / rounds, (double)(timer.Cpu.Instructions - instructions) / rounds, timer.Cpu.X(0),
            PredictionFigures.Of(timer.Cpu.Timing) - before);
    }

    /// <summary>Compares with the rows of anchors.tsv on CoreMark and Dhrystone.</summary>
    /// <exception cref="YardstickException">The table is missing or not well formed.</exception>
    public static (List<YardstickRow> Rows, List<UnmappedRow> Unmapped) Compare(
        YardstickData data, string file, string anchorCore, string core)
    {
        var rows = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        foreach (TableRow row in data.Table(file, "what", "core", "cycles"))
        {
            bool dhrystone = row[0].StartsWith("Dhrystone", StringComparison.Ordinal);
            if (row[1] != anchorCore || (!dhrystone && !row[0].StartsWith("CoreMark", StringComparison.Ordinal)))
                continue;
            string program = dhrystone ? "dhrystone_like" : "coremark_like";
            double[] figures = [.. Figure().Matches(row[2]).Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture))];
            string[] levels = [.. Level().Matches(row[0]).Select(m => m.Value)];
            if (figures.Length != levels.Length || figures.Length == 0)
            {
                unmapped.Add(new UnmappedRow(row[0], $"{levels.Length} levels of optimisation, {figures.Length} figures"));
                continue;
            }
            for (int i = 0; i < figures.Length; i++)
            {
                Run run = Execute(core, $"{program}-{levels[i]}", dhrystone ? Rounds * 50 : Rounds);
                double perMegahertz = 1e6 / run.Cycles / (dhrystone ? DhrystonesOfOneMips : 1);
                string unit = dhrystone ? "DMIPS/MHz" : "rounds/s/MHz";
                rows.Add(new YardstickRow($"{anchorCore} {row[0]}: {program} -{levels[i]}", figures[i], perMegahertz, unit));
            }
        }
        return (rows, unmapped);
    }

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Figure();

    [GeneratedRegex(@"O[23]")]
    private static partial Regex Level();
}
