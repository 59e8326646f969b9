using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Tests.Engines;

/// <summary>Blocks of random instructions of every row, by all engines in lockstep.</summary>
public sealed class PortableEngineLockstepTests
{
    [Theory]
    [InlineData("none", 6)]
    [InlineData("cortex-a53", 2)]
    public void EveryRowIsEqualOnAllEngines(string core, int rounds)
    {
        var random = new Random(20260101);
        using var machine = new EngineMachine(EngineMachine.AllChecked, core);
        int rows = 0;
        for (int r = 1; r < RowInfo.Count; r++)
        {
            var row = (Row)r;
            if (!RowInfo.HasSemantics(row))
                continue;
            rows++;
            for (int i = 0; i < rounds; i++)
                RandomBlocks.RunRow(machine, row, random);
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
                RandomBlocks.RunRow(machine, row, random);
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
            if (!RowInfo.HasSemantics(row) || HasNoResult(row) || RandomBlocks.Word(row, random) is not { } word || !Translated(row, word))
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
                RandomBlocks.RunRow(machine, row, random);
            return false;
        }
        catch (EngineMismatchException)
        {
            return true;
        }
    }
}
