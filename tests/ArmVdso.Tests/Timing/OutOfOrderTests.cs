using ArmVdso.Assembler;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.OutOfOrder;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Timing;

/// <summary>The out-of-order model of the Neoverse N1 against cycles that were measured on hardware, and the parts of its
/// machinery.</summary>
public sealed class OutOfOrderTests(ITestOutputHelper output)
{
    private const string Core = "neoverse-n1";

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
    public void CausesSumToTheCyclesAndRunsRepeat() =>
        Assert.Equal(TimingAccount.Check<OutOfOrderTiming>(Core), TimingAccount.Check<OutOfOrderTiming>(Core));

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

    /// <summary>Branches that are always taken, in a ring: each buffer has its bubble, behind a cycle for each 32 bytes that are
    /// predicted. Where decoding takes longer than that, prediction has run ahead and no bubble is left.</summary>
    [Theory]
    [InlineData(12, 1, 1)]
    [InlineData(60, 1, 2)]
    [InlineData(200, 1, 3)]
    [InlineData(60, 12, 3)]
    [InlineData(200, 12, 4)]
    [InlineData(200, 16, 4)]
    public void TakenBranchesCostWhatTheirTargetBufferSays(int branches, int instructions, int cycles)
    {
        // A branch in a block of 64 bytes: instructions less one NOPs, then the branch to the next block.
        const uint Block = 64, Nop = 0xD503201F;
        using var timer = new SnippetTimer(Core);
        for (uint i = 0; i < branches; i++)
        {
            ulong at = SnippetTimer.Code + (Block * i);
            for (int n = 1; n < instructions; n++, at += 4)
                timer.Ram.Write(at, Nop);
            ulong target = SnippetTimer.Code + (i == branches - 1 ? 0 : Block * (i + 1));
            timer.Ram.Write(at, 0x14000000 | ((uint)((long)(target - at) >> 2) & 0x3FFFFFF));
        }
        timer.Restart();
        ulong Rounds(int count)
        {
            ulong start = timer.Cpu.Cycles;
            for (int i = 0; i < count * branches * instructions; i++)
                timer.Cpu.Step();
            return timer.Cpu.Cycles - start;
        }
        Rounds(10);
        Assert.Equal(cycles, Rounds(40) / (40.0 * branches), 0.1);
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

    /// <summary>Operations with a choice leave a port to those that have none: three a cycle and a half, not two.</summary>
    [Fact]
    public void PortsAreUsedEvenly()
    {
        using var timer = new SnippetTimer(Core);
        Assert.Equal(1.5, timer.PerCopy(AssemblyProgram.Parse("fmul s2, s0, s0; fmul s3, s0, s0; scvtf s4, s1").Words, _ => { }), 0.1);
    }

    /// <summary>Two loads issue in a cycle, but a bank of the cache reads one line: eight chains whose addresses have the same lowest bits
    /// take 7.8 cycles on 14 machines of this core (sbc-bench ramlat).</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(64, 2)]
    [InlineData(80, 1)]
    public void LoadsOfOneBankWaitForEachOther(int offset, double cycles)
    {
        using var timer = new SnippetTimer(Core);
        uint[] words = AssemblyProgram.Parse($"ldr x0, [x2]; ldr x1, [x2, #{offset}]").Words;
        Assert.Equal(cycles, timer.PerCopy(words, cpu => cpu.SetX(2, SnippetTimer.Data)), 0.1);
    }

    /// <summary>A pair of words is one access, whatever the emulator makes of it, and two slots of rename: 1.33 a cycle were measured with
    /// an addition beside each.</summary>
    [Fact]
    public void PairsOfWordsTakeOneLoadPort()
    {
        using var timer = new SnippetTimer(Core);
        uint[] words = AssemblyProgram.Parse("add x3, x4, x5; ldp w0, w1, [x2]").Words;
        Assert.Equal(0.75, timer.PerCopy(words, cpu => cpu.SetX(2, SnippetTimer.Data)), 0.05);
    }

    /// <summary>Each entry of a class with a form times some encoding: an entry that nothing has says nothing.</summary>
    [Theory]
    [InlineData("neoverse-n1")]
    [InlineData("cortex-a72")]
    [InlineData("neoverse-v1")]
    public void FormsOfClassesAreThoseOfEncodings(string core)
    {
        CoreModel model = CoreModel.Load(core);
        var random = new Random(1);
        var names = new HashSet<string>();
        for (Row row = (Row)1; (int)row < RowInfo.Count; row++)
        {
            for (int i = 0; i < 160; i++)
            {
                uint free = ~RowInfo.Mask(row);
                uint bits = (uint)random.Next() | ((uint)random.Next(2) << 31);
                // Shifts of few bits, and two times the same register, are rare among random ones.
                bits = i % 4 == 0 ? bits & 0xFFC00FFF : i % 4 == 1 ? (bits & 0xFFE0FFFF) | ((bits >> 5 & 31) << 16) : bits;
                bits = i % 8 == 3 ? bits | 31 << 10 : bits;
                uint encoding = RowInfo.Value(row) | (bits & free);
                if (Decoder.Decode(encoding) == row)
                    names.UnionWith(CoreTimings.NamesOf(model, encoding));
            }
        }
        Assert.Empty(model.Classes.Where(c => c.Contains('.')).Except(names));
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
        string text = CoreFiles.Text(Core);
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at > 0);
        string bad = text[..at] + replacement + text[(at + old.Length)..];
        Assert.EndsWith(message, Assert.Throws<CoreModelException>(() => CoreModel.Parse(bad, "x.json")).Message);
    }
}
