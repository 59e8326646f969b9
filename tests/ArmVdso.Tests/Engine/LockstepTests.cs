using ArmVdso.Emulator;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Portable;

namespace ArmVdso.Tests.Engine;

/// <summary>Blocks of random instructions of every row, by both engines in lockstep.</summary>
public sealed class LockstepTests
{
    private const int BlockLength = 5;

    /// <summary>Random words of a row; some rows are hidden by more specific ones for most words.</summary>
    private static uint? Word(Row row, Random random)
    {
        for (int i = 0; i < 50; i++)
        {
            uint word = RowInfo.Value(row) | ((uint)random.NextInt64(1L << 32) & ~RowInfo.Mask(row));
            if (Decoder.Decode(word) == row)
                return word;
        }
        return null;
    }

    private static void RandomState(EngineMachine machine, Random random)
    {
        Cpu cpu = machine.Cpu;
        for (int i = 0; i < 31; i++)
        {
            cpu.SetX(i, random.Next(4) switch
            {
                0 => EngineMachine.Data + 0x800 + (ulong)random.Next(0x2000),
                1 => EngineMachine.Data + 0x1000 - (ulong)random.Next(20),
                2 => (ulong)random.Next(64),
                _ => (ulong)random.NextInt64(),
            });
        }
        cpu.SP_EL0 = EngineMachine.Data + 0x1000 + (ulong)(random.Next(8) == 0 ? 8 : 16 * random.Next(64));
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128((ulong)random.NextInt64(), (ulong)random.NextInt64()));
        cpu.NZCV = random.Next(16);
        random.NextBytes(machine.DataBytes);
    }

    private static void RunRow(EngineMachine machine, Row row, Random random)
    {
        var words = new uint[BlockLength + 1];
        for (int i = 0; i < BlockLength; i++)
            words[i] = Word(row, random) ?? 0xD503201F;
        words[BlockLength] = 0x14000000;
        machine.Load(words);
        RandomState(machine, random);
        machine.Start();
        machine.Run(BlockLength + 20);
    }

    [Theory]
    [InlineData("none", 6)]
    [InlineData("cortex-a53", 2)]
    public void EveryRowIsEqualOnBothEngines(string core, int rounds)
    {
        var random = new Random(20260101);
        using var machine = new EngineMachine(EngineKind.PortableChecked, core);
        int rows = 0;
        for (int r = 1; r < RowInfo.Count; r++)
        {
            var row = (Row)r;
            if (!RowInfo.HasSemantics(row))
                continue;
            rows++;
            for (int i = 0; i < rounds; i++)
                RunRow(machine, row, random);
        }
        Assert.True(rows > 800, $"{rows} rows");
        Assert.True(machine.Machine.Check!.Compared > (ulong)(rows * rounds), $"{machine.Machine.Check.Compared} instructions compared");
    }

    [Theory]
    [InlineData(Row.ADD_imm)]
    [InlineData(Row.SUBS_shift)]
    [InlineData(Row.UBFM)]
    [InlineData(Row.CSEL)]
    [InlineData(Row.LDR_imm)]
    [InlineData(Row.STP_off)]
    [InlineData(Row.MADD)]
    public void AnInjectedBugIsNoticed(Row row)
    {
        using var machine = new EngineMachine(EngineKind.PortableChecked);
        machine.Machine.PrepareEngine();
        machine.Machine.Code!.Alteration = op =>
        {
            if (op.Row == row)
            {
                op.Imm ^= 8;
                op.Rm ^= 1;
            }
            return op;
        };
        EngineMismatchException e = Assert.Throws<EngineMismatchException>(() =>
        {
            var random = new Random(7);
            for (int i = 0; i < 100; i++)
                RunRow(machine, row, random);
        });
        Assert.Contains("the engines differ", e.Message, StringComparison.Ordinal);
        Assert.Contains("state after, reference", e.Message, StringComparison.Ordinal);
    }
}
