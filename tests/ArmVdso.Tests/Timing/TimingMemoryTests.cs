using ArmVdso.Assembler;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.InOrder;

namespace ArmVdso.Tests.Timing;

/// <summary>The memory side of the in-order cores: lines that move between PEs, false sharing, prefetch and streams of stores.</summary>
public sealed class TimingMemoryTests : IDisposable
{
    private const ulong Code = 0x100000;
    private const ulong Data = 0x200000;
    private readonly List<Machine> _machines = [];

    private Machine Make(string core, int cpus, string code)
    {
        var machine = new Machine(cpus, 16 << 20, CoreTimings.Of(core)) { ClockFrequency = CoreModel.Load(core).ClockFrequency };
        _machines.Add(machine);
        AddressSpace space = machine.CreateAddressSpace(39);
        space.MapLinear(0, 16 << 20, PagePermissions.KernelRead | PagePermissions.KernelWrite | PagePermissions.KernelExecute);
        uint[] words = AssemblyProgram.Parse(code).Words;
        for (int i = 0; i < words.Length; i++)
            machine.Memory.Write(Code + (4 * (ulong)i), words[i]);
        foreach (Cpu cpu in machine.Cpus)
        {
            cpu.WriteTtbr0(space.Handle);
            cpu.SPSel = true;
            cpu.Daif = 0xF;
        }
        return machine;
    }

    private static ulong Run(Cpu cpu, ulong address, int instructions, int from = 0)
    {
        ulong start = cpu.Cycles;
        cpu.EL = 1;
        cpu.PC = Code + (4 * (ulong)from);
        cpu.SetX(0, address);
        for (int i = 0; i < instructions; i++)
            cpu.Step();
        Assert.Equal(0UL, cpu.ExceptionEntries);
        return cpu.Cycles - start;
    }

    // 0: ldr, then use it; 2: str, then a barrier.
    private const string ReadAndWrite = "ldr x1, [x0]; add x2, x1, x1; str x3, [x0]; dsb sy";

    /// <summary>A slot that the kernel wrote on CPU 0 costs the task on CPU 1 a transfer, once.</summary>
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("cortex-a55")]
    public void AWrittenLineIsTransferredOnce(string core)
    {
        Machine machine = Make(core, 2, ReadAndWrite);
        (Cpu writer, Cpu reader) = (machine.Cpus[0], machine.Cpus[1]);
        for (int i = 0; i < 3; i++)
        {
            Run(reader, Data, 2);
            Run(writer, Data, 2, 2);
        }
        ulong transferred = Run(reader, Data, 2);
        ulong again = Run(reader, Data, 2);
        Assert.True(transferred >= again + 20, $"{transferred} cycles for a line of another PE, {again} for one's own");
        // Another line that the writer wrote makes no difference to the reader's own.
        Run(writer, Data + 64, 2, 2);
        Assert.Equal(again, Run(reader, Data, 2));
    }

    /// <summary>Two slots in one line: the write of one PE's slot costs the other PE, though it never touches it.</summary>
    [Fact]
    public void FalseSharingCostsBoth()
    {
        ulong Rounds(ulong distance)
        {
            Machine machine = Make("cortex-a53", 2, ReadAndWrite);
            ulong cycles = 0;
            for (int i = 0; i < 20; i++)
            {
                cycles += Run(machine.Cpus[0], Data, 2, 2);
                cycles += Run(machine.Cpus[1], Data + distance, 2, 2);
            }
            return cycles;
        }
        ulong shared = Rounds(8);
        ulong apart = Rounds(64);
        Assert.True(shared > apart + (30 * 20), $"{shared} cycles in one line, {apart} in two");
    }

    /// <summary>Loads in the order of addresses wait far less for memory than loads from page to page.</summary>
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("cortex-a55")]
    public void StreamsArePrefetched(string core)
    {
        Machine stream = Make(core, 1, string.Concat(Enumerable.Repeat("ldr x1, [x0], #64; add x2, x2, x1;", 400)));
        Machine backwards = Make(core, 1, string.Concat(Enumerable.Repeat("ldr x1, [x0], #-128; add x2, x2, x1;", 400)));
        Machine jumps = Make(core, 1, string.Concat(Enumerable.Repeat("ldr x1, [x0]; add x0, x0, #4, lsl #12; add x0, x0, #64; add x2, "
            + "x2, x1;", 400)));
        ulong forwards = Run(stream.Cpus[0], Data, 800);
        ulong down = Run(backwards.Cpus[0], Data + (1 << 20), 800);
        ulong scattered = Run(jumps.Cpus[0], Data, 1600);
        Assert.True(forwards * 3 < scattered, $"{forwards} cycles in order, {scattered} scattered");
        Assert.True(down * 3 < scattered * 2, $"{down} cycles downwards, {scattered} scattered");
    }

    /// <summary>Two streams that take turns are both followed: a line of either costs less than twice what one of a single stream does.
    /// They share buffers and memory.</summary>
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("cortex-a55")]
    [InlineData("cortex-a72")]
    [InlineData("neoverse-n1")]
    public void InterleavedStreamsArePrefetched(string core)
    {
        const int Lines = 512;
        string one = "ldr x1, [x0], #64; add x2, x2, x1;";
        string two = "ldr x1, [x0], #64; ldr x3, [x4], #64; add x2, x2, x1; add x2, x2, x3;";
        // The second time, so that the code is there; in other banks of memory, so that rows stay open.
        Machine single = Make(core, 1, string.Concat(Enumerable.Repeat(one, Lines)));
        Run(single.Cpus[0], Data + (1 << 20), 2 * Lines);
        ulong alone = Run(single.Cpus[0], Data, 2 * Lines);
        Machine pair = Make(core, 1, string.Concat(Enumerable.Repeat(two, Lines)));
        pair.Cpus[0].SetX(4, Data + (5 << 20));
        Run(pair.Cpus[0], Data + (1 << 20), 4 * Lines);
        pair.Cpus[0].SetX(4, Data + (4 << 20) + (16 << 10));
        ulong both = Run(pair.Cpus[0], Data, 4 * Lines);
        Assert.True(both * 2 < alone * 7, $"{both} cycles for two streams, {alone} for one");
    }

    private const string Fill = "1: stp x1, x2, [x0], #16; subs x4, x4, #1; b.ne 1b; ldr x1, [x3]; add x2, x1, x1";

    /// <summary>Stores that fill line after line go past L1; what was in L1 stays there. A short stream ends in L2, a long one in memory,
    /// at the pace at which memory takes lines.</summary>
    [Fact]
    public void StreamsOfStoresDoNotAllocate()
    {
        ulong Cycles(int lines, out TimingCounters counters)
        {
            Machine machine = Make("cortex-a53@s905y2", 1, Fill);
            Cpu cpu = machine.Cpus[0];
            cpu.SetX(3, Data + (8 << 20));
            Run(cpu, 0, 2, 3);
            cpu.SetX(4, (ulong)(4 * lines));
            ulong cycles = Run(cpu, Data, 3 * 4 * lines);
            Assert.True(Run(cpu, 0, 2, 3) < 30);
            counters = ((InOrderTiming)cpu.Timing).Statistics.EL1;
            return cycles;
        }
        ulong shorter = Cycles(100, out _);
        ulong longer = Cycles(1100, out _);
        ulong longest = Cycles(9100, out TimingCounters all);
        // 12 ns at 1.8 GHz are 21 cycles a line; to L2 the stores themselves take twelve.
        Assert.InRange((longest - longer) / 8000, 20UL, 23UL);
        Assert.True(shorter < 100 * 14 + 16 * 300, $"{shorter} cycles for 100 lines");
        Assert.True(all.L1DMisses > 4 * 9000, $"{all.L1DMisses} misses");
    }

    /// <summary>Lines of which only some bytes are written have to be read: they are no stream.</summary>
    [Fact]
    public void PartlyWrittenLinesAreRead()
    {
        ulong Cycles(Func<int, string> store)
        {
            string stores = string.Concat(Enumerable.Range(0, 4).Select(i => store(16 * i) + ";"));
            Machine machine = Make("cortex-a53", 1, stores + "add x0, x0, #64; subs x4, x4, #1; b.ne #-24");
            machine.Cpus[0].SetX(4, 4096);
            return Run(machine.Cpus[0], Data, 7 * 4096);
        }
        ulong whole = Cycles(i => $"stp x1, x2, [x0, #{i}]");
        ulong partly = Cycles(i => $"str w1, [x0, #{i}]");
        Assert.True(partly > whole * 2, $"{partly} cycles for parts of lines, {whole} for whole ones");
    }

    /// <summary>Lines that were written cost when they have to make room for others.</summary>
    [Theory]
    [InlineData("cortex-a53@am62x")]
    [InlineData("cortex-a55@rk3566")]
    public void WrittenLinesCostWhenTheyLeave(string core)
    {
        const int Lines = 1 << 15;
        ulong Cycles(string access)
        {
            Machine machine = Make(core, 1, $"1: {access} [x0]; add x0, x0, #64; subs x4, x4, #1; b.ne 1b;"
                + "1: ldr x1, [x0]; add x0, x0, #64; subs x4, x4, #1; b.ne 1b");
            Cpu cpu = machine.Cpus[0];
            cpu.SetX(4, Lines);
            Run(cpu, Data, 4 * Lines);
            cpu.SetX(4, Lines);
            return Run(cpu, Data + (4 << 20), 4 * Lines, 4);
        }
        ulong clean = Cycles("ldr w1,");
        ulong written = Cycles("str w1,");
        // 512 KB of L2 are a quarter of what is read.
        Assert.True(written > clean * 105 / 100, $"{written} cycles where written lines leave, {clean} where clean ones do");
    }

    /// <summary>PRFM brings a line into the level that it names, and nobody waits for it; PLI is a NOP on a Cortex-A53, and an address that
    /// cannot be read is left alone.</summary>
    [Theory]
    [InlineData("cortex-a53", "pldl1keep", "L1")]
    [InlineData("cortex-a53", "pstl1strm", "L1")]
    [InlineData("cortex-a53", "pldl2keep", "L2")]
    [InlineData("cortex-a53", "plil1keep", "memory")]
    [InlineData("neoverse-n1", "pldl1strm", "L1")]
    [InlineData("neoverse-n1", "pldl3keep", "L2")]
    [InlineData("neoverse-n1", "plil1keep", "L2")]
    public void HintsBringLinesIntoTheLevelThatTheyName(string core, string hint, string level)
    {
        // 0: the hint; 1: nothing; 2: the load and its use; 5: the hint of an address that is not there, and the load.
        Machine machine = Make(core, 1, $"prfm {hint}, [x0]; nop; ldr x1, [x0]; add x2, x1, x1; dsb sy; prfm {hint}, [x9]; ldr x1, [x0]");
        Cpu cpu = machine.Cpus[0];
        ulong Load(ulong address)
        {
            Run(cpu, address, 3, 2);
            return Run(cpu, address, 3, 2);
        }
        // Two lines of one page, so that its translation is there.
        ulong hit = Load(Data);
        ulong Missed(bool hinted, ulong line)
        {
            if (hinted)
            {
                ulong begun = Run(cpu, Data + line, 2);
                Assert.True(begun < 60, $"the hint takes {begun} cycles");
                for (int i = 0; i < 100; i++)
                    Load(Data);
            }
            return Run(cpu, Data + line, 3, 2);
        }
        ulong memory = Missed(false, 0x400), found = Missed(true, 0x800);
        Assert.True(memory > hit + 100, $"{memory} cycles from memory, {hit} from L1");
        switch (level)
        {
            case "L1": Assert.Equal(hit, found); break;
            case "L2": Assert.InRange(found, hit + 5, hit + 60); break;
            default: Assert.InRange(found, memory - 40, memory + 40); break;
        }
        cpu.SetX(9, 0x123_0000_0000);
        Run(cpu, Data, 2, 5);
    }

    /// <summary>What two PEs read at a time, they have to share.</summary>
    [Fact]
    public void MemoryIsSharedByTheCores()
    {
        const string Read = "1: ldr x1, [x0], #64; subs x4, x4, #1; b.ne 1b";
        const int Lines = 4096;
        ulong Cycles(int cpus)
        {
            Machine machine = Make("cortex-a53@s905y2", cpus, Read);
            var at = new ulong[cpus];
            for (int i = 0; i < cpus; i++)
                machine.Cpus[i].SetX(4, Lines);
            for (int i = 0; i < cpus; i++)
                at[i] = Data + ((ulong)i << 21);
            for (int part = 0; part < 3 * Lines / 48; part++)
            {
                for (int i = 0; i < cpus; i++)
                {
                    Run(machine.Cpus[i], at[i], 48);
                    at[i] = machine.Cpus[i].X(0);
                }
            }
            return machine.Cpus[0].Cycles;
        }
        ulong one = Cycles(1);
        ulong four = Cycles(4);
        Assert.InRange(four, one * 3, one * 5);
    }

    [Theory]
    [InlineData("cortex-a53@nowhere", "board nowhere: not built in; known: altra, am62x, j721e, rk3566, s905y2, or give a .json file")]
    [InlineData("neoverse-n9@altra",
        "core model neoverse-n9: not built in; known: none, cortex-a53, cortex-a55, cortex-a72, cortex-a76, neoverse-n1, neoverse-v1, "
        + "or give a .json file")]
    [InlineData("none@altra", "board altra: the core none has no memory")]
    [InlineData("cortex-a53@/no/such.json", "board /no/such.json: Could not find a part of the path '/no/such.json'.")]
    public void BoardsThatAreNotThere(string name, string message) =>
        Assert.Equal(message, Assert.Throws<CoreModelException>(() => CoreModel.Load(name)).Message);

    [Fact]
    public void BoardsReplaceParameters()
    {
        foreach (string board in CoreModel.BoardNames)
        {
            BoardModel known = CoreModel.LoadBoard(board);
            CoreModel model = CoreModel.Load($"{known.Core}@{board}");
            Assert.Equal($"{known.Core}@{board}", model.Name);
            Assert.Equal(CoreModel.Load(known.Core).Parameters.Count, model.Parameters.Count);
            Assert.All(known.Parameters, p => Assert.Contains(p, model.Parameters));
        }
        Assert.Equal(1_400_000_000UL, CoreModel.Load("cortex-a53@am62x").ClockFrequency);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Machine machine in _machines)
            machine.Dispose();
    }
}
