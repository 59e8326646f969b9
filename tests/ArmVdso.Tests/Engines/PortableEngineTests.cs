namespace ArmVdso.Tests.Engines;

/// <summary>What the portable and the native engine must not be seen to do: keep stale code, miss a fault's PC, run past a limit.</summary>
public sealed class PortableEngineTests
{
    private const uint Loop = 0x14000000; // b .

    private static string Run(EngineKind engine, ulong cycles, string core, params uint[] words)
    {
        using var machine = new EngineMachine(engine, core);
        machine.Load(words);
        machine.Cpu.SetX(9, EngineMachine.Code);
        machine.Cpu.SetX(10, EngineMachine.Data);
        machine.Cpu.SP_EL0 = EngineMachine.Data + 0x1000;
        machine.Run(cycles);
        return machine.State();
    }

    private static void Equal(ulong cycles, params uint[] words)
    {
        foreach (string core in new[] { "none", "cortex-a53" })
        {
            string reference = Run(EngineKind.Reference, cycles, core, words);
            Assert.Equal(reference, Run(EngineKind.Portable, cycles, core, words));
            Assert.Equal(reference, Run(Emulator.Machine.FastestEngine, cycles, core, words));
            Assert.Equal(reference, Run(EngineMachine.AllChecked, cycles, core, words));
        }
    }

    [Fact]
    public void CodeThatChangesItselfWithMaintenance() => Equal(
        400,
        0xD2800002, // mov x2, #0
        0x52800003, // mov w3, #0
        0x11000463, // loop: add w3, w3, #1
        0x91000442, // patched: add x2, x2, #1 and so on, the immediate grows
        0xB9400D24, // ldr w4, [x9, #12]
        0x11100084, // add w4, w4, #0x400
        0xB9000D24, // str w4, [x9, #12]
        0x91003125, // add x5, x9, #12
        0xD50B7B25, // dc cvau, x5
        0xD5033B9F, // dsb ish
        0xD50B7525, // ic ivau, x5
        0xD5033B9F, // dsb ish
        0xD5033FDF, // isb
        0x7100287F, // cmp w3, #10
        0x54FFFE81, // b.ne loop
        Loop);

    [Fact]
    public void CodeThatChangesTheNextInstructionOfItsBlock() => Equal(
        100,
        0xB9401924, // ldr w4, [x9, #24]
        0x11200084, // add w4, w4, #0x800: the immediate grows by 2
        0xB9001124, // str w4, [x9, #16]
        0xD503201F, // nop
        0xD503201F, // becomes add x2, x2, #3
        Loop,
        0x91000442, // add x2, x2, #1
        Loop);

    [Fact]
    public void AFaultInTheMiddleOfABlockIsPrecise() => Equal(
        60,
        0xD2800022, // mov x2, #1
        0xA9BF0BE2, // stp x2, x2, [sp, #-16]!
        0xD2C00803, // mov x3, #0x4000000000
        0x91000842, // add x2, x2, #2
        0xF8408464, // ldr x4, [x3], #8: faults, x3 stays
        0x91001042, // add x2, x2, #4
        Loop);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(23)]
    [InlineData(250)]
    public void EveryLimitEndsAtTheSameInstruction(int cycles) => Equal(
        (ulong)cycles,
        0xD2800C82, // mov x2, #100
        0x8B020063, // loop: add x3, x3, x2
        0xF9000143, // str x3, [x10]
        0xF9400144, // ldr x4, [x10]
        0xCA040065, // eor x5, x3, x4
        0xF1000442, // subs x2, x2, #1
        0x54FFFF61, // b.ne loop
        Loop);

    [Fact]
    public void WritesBySystemSoftwareAreSeen()
    {
        foreach (EngineKind engine in new[] { EngineKind.Reference, EngineKind.Portable, Emulator.Machine.FastestEngine })
        {
            using var machine = new EngineMachine(engine);
            machine.Load(0x91000442, 0x17FFFFFF); // add x2, x2, #1; b .-4
            machine.Run(10);
            machine.Machine.Memory.Write(0x4000, 0x91000863u); // add x3, x3, #2
            machine.Machine.NotifyWrite(0x4000, 4);
            machine.Run(10);
            Assert.Equal((5UL, 10UL), (machine.Cpu.X(2), machine.Cpu.X(3)));
        }
    }
}
