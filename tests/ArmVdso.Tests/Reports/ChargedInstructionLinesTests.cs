using ArmVdso.Assembler;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until fe607dd: work that is charged displaces lines of the instruction cache, and the memoised timing went on with
/// what it had learned of a loop whose lines were gone.</summary>
public sealed class ChargedInstructionLinesTests
{
    /// <summary>A loop over two lines that the memo knows, charged work that takes all ways of the second, the loop again: as the naive
    /// timing says. The inner loop in the first line has the memo at work before the second is fetched.</summary>
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("cortex-a55")]
    public void AreMissedByBothTimings(string core)
    {
        (ulong Warm, ulong After) memoised = Loops(core, true);
        Assert.Equal(Loops(core, false), memoised);
        Assert.True(memoised.After < memoised.Warm, $"{memoised.Warm} instructions warm, {memoised.After} after the charged work");
    }

    private static (ulong Warm, ulong After) Loops(string core, bool memoised)
    {
        using var machine = new EngineMachine(EngineKind.Portable, core, memoised);
        machine.Load([
            .. AssemblyProgram.Parse("mov x1, #40; sub x1, x1, #1; cbnz x1, #-4; b #52").Words,
            .. new uint[12],
            .. AssemblyProgram.Parse("sub x0, x0, #1; cbnz x0, #-68; svc #0").Words,
        ]);
        // Instructions in so many cycles: the loop, then the vector's.
        ulong Run()
        {
            ulong before = machine.Cpu.Instructions;
            machine.Start();
            machine.Cpu.SetX(0, 20);
            machine.Run(3000);
            Assert.Equal(1, machine.Cpu.EL);
            return machine.Cpu.Instructions - before;
        }
        for (int i = 0; i < 3; i++)
            Run();
        ulong warm = Run();
        // The code is at the start of a way; a region's first line is 9973 lines behind the last's: 93 of them, and 256 more each time,
        // are at the second line of one.
        for (int way = 0; way < 4; way++)
            machine.Cpu.Timing.ChargeWork(new OutsideWork { InstructionLines = 1, Region = 93 + 256 * way });
        return (warm, Run());
    }
}
