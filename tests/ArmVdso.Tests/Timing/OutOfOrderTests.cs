using System.Globalization;
using System.Runtime.CompilerServices;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Emulator.Timing.OutOfOrder;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Timing;

/// <summary>The out-of-order model of the Neoverse N1 against cycles that were measured on hardware, and the parts of its
/// machinery.</summary>
public sealed class OutOfOrderTests(ITestOutputHelper output)
{
    private const string Core = "neoverse-n1";

    // A ratchet: what the model reaches; it may only get better.
    private const double RowError = 0.01;

    private static string DataFile(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "data", name);

    private static uint[] Words(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(w => uint.Parse(w, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    [Fact]
    public void MeasuredInstructionsHaveTheirLatencyAndThroughput()
    {
        double sum = 0;
        int count = 0;
        foreach (string[] row in File.ReadLines(DataFile("n1_insn_measured.tsv")).Where(l => !l.StartsWith('#')).Skip(1)
            .Select(l => l.Split('\t')))
        {
            void Check(string kind, double measured, double model)
            {
                double error = Math.Abs(model - measured) / measured;
                sum += error;
                count++;
                if (error > 0.05)
                    output.WriteLine($"{kind} {row[1]}: measured {measured}, model {model:f2}: {row[8]}");
            }
            if (row[4].Length > 0)
                Check("latency", Number(row[2]), Time(row, Words(row[4])) - Number(row[5]));
            if (row[6].Length > 0)
                Check("throughput", Number(row[3]), Number(row[7]) / Time(row, Words(row[6])));
        }
        output.WriteLine($"mean error {sum / count:p2} of {count}");
        Assert.True(count > 1400);
        Assert.True(sum / count < RowError, $"mean error {sum / count:p2}");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static double Time(string[] row, uint[] words)
    {
        string name = row[1];
        ulong offset = name.Contains("unaligned") ? 1UL : name.Contains("cross-cache") ? 63UL : name.Contains("cross-page") ? 4095UL : 0;
        using var timer = new SnippetTimer(Core);
        bool index = row[8].Contains("[x27, x1");
        return timer.PerCopy(words, cpu =>
        {
            for (int i = 0; i < 31; i++)
            {
                ulong area = SnippetTimer.Data + (ulong)i * 0x10000 + offset;
                cpu.SetX(i, area);
                if (i == 27 && index)
                    continue;
                for (ulong at = area; at < area + 256; at += 8)
                    timer.Ram.Write(at, area);
            }
            cpu.SetX(0, name.StartsWith("cbnz", StringComparison.Ordinal) ? 1UL : 0);
            if (index)
            {
                cpu.SetX(1, 0);
                cpu.SetX(9, 0);
            }
            if (row[8].Contains("umov x27") && offset == 0)
                cpu.SetX(27, 0);
        });
    }

    /// <summary>A chain of loads over a set: L1, L2, system-level cache.</summary>
    [Theory]
    [InlineData(16 << 10, 3.92, 4.08)]
    [InlineData(128 << 10, 12.7, 15.4)]
    [InlineData(256 << 10, 14.4, 17.6)]
    [InlineData(2 << 20, 84, 101)]
    [InlineData(4 << 20, 86, 105)]
    public void PointerChasesShowTheCacheLevels(int size, double low, double high)
    {
        // Medians of 14 Neoverse N1 machines: sbc-bench ramlat (ThomasKaiser/sbc-bench@53f795f), 2% for L1, 10% beyond.
        double cycles = PointerChase.CyclesOfALoad(Core, size);
        output.WriteLine($"{size >> 10} KB: {cycles:f2}");
        Assert.InRange(cycles, low, high);
    }

    [Fact]
    public void CausesSumToTheCyclesAndRunsRepeat()
    {
        ulong Run()
        {
            using var timer = new SnippetTimer(Core);
            // ldr x1, [x2], #4096 ; add x1, x1, x3 ; mul x1, x1, x1 ; str x1, [x2, #8] ; ldp x4, x5, [x2] ; udiv x6, x1, x3 ; dsb sy ;
            // isb ; mrs x7, cntvct_el0
            uint[] words = [0xF8400441, 0x8B030021, 0x9B017C21, 0xF9000441, 0xA9401444, 0x9AC30826, 0xD5033F9F, 0xD5033FDF, 0xD53BE047];
            timer.PerCopy(words, cpu =>
            {
                cpu.SetX(2, SnippetTimer.Data);
                cpu.SetX(3, 3);
            });
            var timing = (OutOfOrderTiming)timer.Cpu.Timing;
            timing.Charge(100, 10);
            timing.AdvanceTo(timing.Cycles + 50);
            TimingStatistics statistics = timing.Statistics;
            Assert.Equal(timing.Cycles, statistics.Cycles);
            Assert.Equal(timer.Cpu.Instructions, statistics.EL0.Instructions + statistics.EL1.Instructions);
            Assert.Equal(100UL, statistics.EL1.Causes[(int)CycleCause.Charged]);
            Assert.Equal(50UL, statistics.EL1.Causes[(int)CycleCause.Waiting]);
            Assert.NotEqual(0UL, statistics.EL1.Causes[(int)CycleCause.System]);
            Assert.NotEqual(0UL, statistics.EL1.Causes[(int)CycleCause.Dram]);
            return timing.Cycles;
        }
        Assert.Equal(Run(), Run());
    }

    /// <summary>Independent work overlaps with a miss, dependent work does not; a mispredicted branch and an ISB end the overlap.</summary>
    [Fact]
    public void TheWindowHidesWhatDoesNotDepend()
    {
        double Run(params uint[] words)
        {
            using var timer = new SnippetTimer(Core);
            return timer.PerCopy(words, cpu => cpu.SetX(2, SnippetTimer.Data));
        }
        // mul x1, x1, x1 (4 cycles, a chain) with 3 independent adds, and with 3 dependent ones.
        Assert.Equal(4.0, Run(0x9B017C21, 0x8B030064, 0x8B030065, 0x8B030066), 0.2);
        Assert.Equal(7.0, Run(0x9B017C21, 0x8B030021, 0x8B030021, 0x8B030021), 0.2);
        // udiv behind isb: nothing overlaps.
        Assert.True(Run(0x9B017C21, 0xD5033FDF) > 12);
    }

    [Fact]
    public void PortsGiveTheFirstFreeCycleAndFillGaps()
    {
        var ports = new PortSchedule();
        Assert.Equal(10, ports.Take(IssuePorts.V0, 1, 10, out int port));
        Assert.Equal("V0", MicroOp.PortName(port));
        Assert.Equal(11, ports.Take(IssuePorts.V0, 1, 10, out _));
        Assert.Equal(10, ports.Take(IssuePorts.V0 | IssuePorts.V1, 1, 10, out port));
        Assert.Equal("V1", MicroOp.PortName(port));
        Assert.Equal(5, ports.Take(IssuePorts.V0, 3, 5, out _));
        Assert.Equal(12, ports.Take(IssuePorts.V0, 3, 8, out _));
        Assert.Equal(8, ports.Take(IssuePorts.V0, 2, 6, out _));
        ports.Advance(100_000);
        Assert.Equal(100_000, ports.Take(IssuePorts.V0, 1, 0, out _));
    }

    [Theory]
    [InlineData(0x1000, 8, 0x1000, 8, Forwarding.Forwarded)]
    [InlineData(0x1000, 8, 0x1001, 8, Forwarding.Blocked)]
    [InlineData(0x1000, 8, 0x1008, 8, Forwarding.None)]
    [InlineData(0x1000, 16, 0x1008, 8, Forwarding.Forwarded)]
    [InlineData(0x1000, 8, 0x1000, 16, Forwarding.Forwarded)]
    [InlineData(0x1000, 4, 0x1000, 8, Forwarding.Blocked)]
    [InlineData(0x1000, 8, 0x1004, 4, Forwarding.Forwarded)]
    public void StoresForwardWholeParts(ulong store, int storeSize, ulong load, int loadSize, Forwarding expected)
    {
        var queue = new StoreQueue(8);
        queue.Add(store, storeSize, false, 20, 40, 3);
        Assert.Equal(expected, queue.Find(load, loadSize, 10, out long cycle, out _));
        Assert.Equal(expected switch { Forwarding.Forwarded => 20, Forwarding.Blocked => queue.LastDrain, _ => 0 }, cycle);
        Assert.Equal(Forwarding.None, queue.Find(load, loadSize, queue.LastDrain, out _, out _));
    }

    [Theory]
    [InlineData("\"uops\": \"I\"", "\"uops\": \"Q\"", "uops: Q: not of the form PORT[*COUNT][:BUSY][@OFFSET] ...")]
    [InlineData("\"pipeline\": \"out-of-order\"", "\"pipeline\": \"sideways\"", "pipeline: sideways is none of in-order, out-of-order")]
    [InlineData("\"reorder_buffer\": { \"value\": 128", "\"reorder_buffer\": { \"value\": 1",
        "parameters.reorder_buffer: 1 is not in 8..1024")]
    public void BadModelFilesAreNamedWithTheKey(string old, string replacement, string message)
    {
        string text = new StreamReader(typeof(CoreModel).Assembly.GetManifestResourceStream($"cores/{Core}.json")!).ReadToEnd();
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at > 0);
        string bad = text[..at] + replacement + text[(at + old.Length)..];
        Assert.EndsWith(message, Assert.Throws<CoreModelException>(() => CoreModel.Parse(bad, "x.json")).Message);
    }
}
