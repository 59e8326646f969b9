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

    /// <summary>Stores that fill line after line go past L1 and do not wait for the lines; what was in L1 stays there.</summary>
    [Fact]
    public void StreamsOfStoresDoNotAllocate()
    {
        Machine machine = Make("cortex-a53", 1, "1: stp x1, x2, [x0], #16; subs x4, x4, #1; b.ne 1b; ldr x1, [x3]; add x2, x1, x1");
        Cpu cpu = machine.Cpus[0];
        cpu.SetX(3, Data + (4 << 20));
        Run(cpu, 0, 2, 3);
        cpu.SetX(4, 8192);
        ulong cycles = Run(cpu, Data, 3 * 8192);
        Assert.True(cycles < 8192 * 4, $"{cycles} cycles for 128 KB");
        Assert.True(Run(cpu, 0, 2, 3) < 30);
        TimingCounters counters = ((InOrderTiming)cpu.Timing).Statistics.EL1;
        Assert.True(counters.L1DMisses > 2000);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Machine machine in _machines)
            machine.Dispose();
    }
}
