using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Tests.Engines;

/// <summary>Blocks of random instructions of every row, by both engines in lockstep.</summary>
public sealed class PortableEngineLockstepTests
{
    private const int BlockLength = 5;

    /// <summary>Random words of a row; some rows are hidden by more specific ones for most words.</summary>
    private static uint? Word(Row row, Random random)
    {
        for (int i = 0; i < 50; i++)
        {
            uint word = RowInfo.Value(row) | ((uint)random.NextInt64(1L << 32) & ~RowInfo.Mask(row));
            // Literals near enough to be mapped, half of the time.
            if (RowInfo.Class(row) == TimingClass.LoadLiteral && random.Next(2) == 0)
                word = (word & ~(0x7FFFFu << 5)) | ((uint)random.Next(0x600) << 5);
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
        Plant(machine, row, op =>
        {
            op.Imm ^= 8;
            op.Rm ^= 1;
            return op;
        });
        EngineMismatchException e = Assert.Throws<EngineMismatchException>(() =>
        {
            var random = new Random(7);
            for (int i = 0; i < 100; i++)
                RunRow(machine, row, random);
        });
        Assert.Contains("the engines differ", e.Message, StringComparison.Ordinal);
        Assert.Contains("state after, reference", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Rows of blocks whose operation a planted bug cannot change: no register or memory is written, or (LDRAA, LDRAB)
    /// random pointers always fail authentication, so that the reference engine takes the fault.</summary>
    private static bool HasNoResult(Row row) =>
        RowInfo.Class(row) is TimingClass.Hint or TimingClass.Barrier or TimingClass.Prefetch || row is Row.CLREX or Row.LDRAA or Row.LDRAB;

    /// <summary>One bug in each row that the portable engine executes, so in each class of instructions: other registers,
    /// another immediate, another encoding for the rows whose reference body it calls.</summary>
    [Fact]
    public void ABugInAnyRowIsNoticed()
    {
        var random = new Random(11);
        var unnoticed = new List<Row>();
        var classes = new HashSet<TimingClass>();
        for (int r = 1; r < RowInfo.Count; r++)
        {
            var row = (Row)r;
            if (!RowInfo.HasSemantics(row) || HasNoResult(row) || Word(row, random) is not { } word || !Translated(row, word))
                continue;
            classes.Add(RowInfo.Class(row));
            if (!Notices(row, random))
                unnoticed.Add(row);
        }
        Assert.True(unnoticed.Count == 0, string.Join(" ", unnoticed));
        // Left out: what no block holds (exceptions, system registers, ISB, MOPS), and what has no result.
        Assert.Equal(
            [TimingClass.Barrier, TimingClass.Eret, TimingClass.Exception, TimingClass.Hint, TimingClass.Isb, TimingClass.Mops,
                TimingClass.Mrs, TimingClass.Msr, TimingClass.Prefetch, TimingClass.Sys],
            Rows().Select(RowInfo.Class).Distinct().Except(classes).OrderBy(c => c.ToString(), StringComparer.Ordinal));
    }

    private static IEnumerable<Row> Rows() => Enum.GetValues<Row>().Where(r => r != Row.Unallocated && RowInfo.HasSemantics(r));

    private static bool Translated(Row row, uint word) =>
        Translator.Translate(row, word, EngineMachine.Code, Translator.SpEL0, out _) != Translator.Kind.Reference;

    /// <summary>Makes the portable engine execute another operation in place of those of a row.</summary>
    private static void Plant(EngineMachine machine, Row row, Func<Op, Op> bug)
    {
        machine.Machine.PrepareEngine();
        machine.Machine.Code!.Alteration = op => op.Row == row ? bug(op) : op;
    }

    private static bool Notices(Row row, Random random)
    {
        using var machine = new EngineMachine(EngineKind.PortableChecked);
        Plant(machine, row, op =>
        {
            op.Imm ^= 8;
            op.Rd ^= 1;
            op.Rn ^= 1;
            op.Instruction ^= 0x21 & ~RowInfo.Mask(row);
            // An encoding without fields: it does nothing.
            if (RowInfo.Mask(row) == uint.MaxValue)
                op.Row = Row.NOP;
            return op;
        });
        try
        {
            for (int i = 0; i < 60; i++)
                RunRow(machine, row, random);
            return false;
        }
        catch (EngineMismatchException)
        {
            return true;
        }
    }
}
