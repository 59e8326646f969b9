using System.Globalization;
using System.Runtime.CompilerServices;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Unit;

/// <summary>The in-order model against cycles that were measured on hardware (data/*.tsv, sources in the files).</summary>
public sealed class TimingTests(ITestOutputHelper output)
{
    // Ratchets: what the model reaches; it may only get better.
    private const int ExactSequences = 54;
    private const double LatencyError = 0.02;
    private const double ThroughputError = 0.02;

    private static string DataFile(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "data", name);

    private static IEnumerable<string[]> Rows(string name) =>
        File.ReadLines(DataFile(name)).Where(l => !l.StartsWith('#')).Skip(1).Select(l => l.Split('\t'));

    private static uint[] Words(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => uint.Parse(w, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    [Fact]
    public void MeasuredSequencesTakeTheirCycles()
    {
        int exact = 0;
        int rows = 0;
        foreach (string[] row in Rows("a53_measured.tsv"))
        {
            using var timer = new SnippetTimer("cortex-a53");
            ulong cycles = timer.SingleShot(Words(row[3]), cpu =>
            {
                for (int i = 0; i < 31; i++)
                    cpu.SetX(i, 0);
                cpu.SetX(10, SnippetTimer.Data);
                cpu.SetX(14, SnippetTimer.Data + 0x400);
                cpu.SetX(13, 32);
                foreach (string pair in row[2].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    cpu.SetX(int.Parse(pair.Split('=')[0][1..], CultureInfo.InvariantCulture), ulong.Parse(pair.Split('=')[1], CultureInfo.InvariantCulture));
            });
            rows++;
            if (cycles.ToString(CultureInfo.InvariantCulture) == row[1])
                exact++;
            else
                output.WriteLine($"{row[0]}: measured {row[1]}, model {cycles}: {row[4]}");
        }
        output.WriteLine($"{exact} of {rows} exact");
        Assert.True(exact >= ExactSequences, $"{exact} of {rows} sequences are exact, {ExactSequences} were");
    }

    [Fact]
    public void MeasuredInstructionsHaveTheirLatencyAndThroughput()
    {
        double latencyError = 0;
        double throughputError = 0;
        int latencies = 0;
        int throughputs = 0;
        foreach (string[] row in Rows("a53_insn_measured.tsv"))
        {
            string name = row[1];
            ulong offset = name.Contains("unaligned") ? 1UL : name.Contains("cross-cache") ? 63UL : name.Contains("cross-page") ? 4095UL : 0;
            double Time(uint[] words)
            {
                using var timer = new SnippetTimer("cortex-a53");
                // The callees of the call rows are the timer's; the row's own RET stands for them.
                if (words.Any(w => w >> 26 == 0x25 || (w & 0xFFFFFC1F) == 0xD63F0000))
                    words = [.. words.Where(w => w != 0xD65F03C0)];
                bool index = row[8].Contains("[x27, x1");
                bool vectorBase = row[8].Contains("umov x27") && offset == 0;
                return timer.PerCopy(words, cpu =>
                {
                    for (int i = 0; i < 31; i++)
                    {
                        ulong area = SnippetTimer.Data + (ulong)i * 0x10000 + offset;
                        cpu.SetX(i, area);
                        if (i == 27 && index)
                            continue;
                        // Every aligned word of the area points to its start, so that a chain of loads stays there.
                        for (ulong at = area; at < area + 256; at += 8)
                            timer.Ram.Write(at, area);
                    }
                    cpu.SetX(0, name.StartsWith("cbnz", StringComparison.Ordinal) ? 1UL : 0);
                    if (row[8].Contains("blr"))
                        cpu.SetX(9, SnippetTimer.Returns + 0x800);
                    if (index)
                    {
                        cpu.SetX(1, 0);
                        cpu.SetX(9, 0);
                    }
                    if (vectorBase)
                        cpu.SetX(27, 0);
                });
            }
            if (row[4].Length > 0)
            {
                double measured = double.Parse(row[2], CultureInfo.InvariantCulture);
                double model = Time(Words(row[4])) - double.Parse(row[5], CultureInfo.InvariantCulture);
                double error = Math.Abs(model - measured) / measured;
                latencyError += error;
                latencies++;
                if (error > 0.05)
                    output.WriteLine($"latency {name}: measured {measured}, model {model:f2}: {row[8]}");
            }
            if (row[6].Length > 0)
            {
                double measured = double.Parse(row[3], CultureInfo.InvariantCulture);
                double model = double.Parse(row[7], CultureInfo.InvariantCulture) / Time(Words(row[6]));
                double error = Math.Abs(model - measured) / measured;
                throughputError += error;
                throughputs++;
                if (error > 0.08)
                    output.WriteLine($"throughput {name}: measured {measured}, model {model:f2}: {row[8]}");
            }
        }
        latencyError /= latencies;
        throughputError /= throughputs;
        output.WriteLine($"mean error: latency {latencyError:p2} of {latencies}, throughput {throughputError:p2} of {throughputs}");
        Assert.True(latencyError < LatencyError, $"mean latency error {latencyError:p2}");
        Assert.True(throughputError < ThroughputError, $"mean throughput error {throughputError:p2}");
    }
}
