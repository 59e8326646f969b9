using ArmVdso.IsaGenerator.Llvm;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Instructions;

/// <summary>The decoder and disassembler against libLLVM 19 (package libllvm19): validity, mnemonic and text, except for
/// what decode-exceptions.txt lists.</summary>
public sealed class DecodeOracleTests(ITestOutputHelper output)
{
    private const int UniformWords = 4_000_000;
    private const int WordsAroundRows = 6_000_000;

    [Fact]
    public void DecodingAgreesWithLlvm()
    {
        var comparison = new DecodeComparison();
        var random = new Random(20240817);
        for (int n = 0; n < UniformWords; n++)
            comparison.Add((uint)random.NextInt64());
        Row[] rows = [.. Enum.GetValues<Row>().Where(r => r != Row.Unallocated)];
        for (int n = 0; n < WordsAroundRows; n++)
            comparison.Add(WordAround(rows[n % rows.Length], random, n / rows.Length % 3 == 2));
        Report(comparison, DecodeExceptions.Read());
    }

    [Fact]
    public void EveryExceptionOccurs()
    {
        var comparison = new DecodeComparison();
        foreach (DecodeExceptions.Line line in DecodeExceptions.Read())
        {
            DecodeDifference kind = comparison.Compare(line.Word, out Row row);
            if (line.Kind == DecodeDifference.SoftOnly)
            {
                // The C interface does not tell a soft failure from a word that is not allocated; the long run does.
                Assert.True(kind == DecodeDifference.None && row == Row.Unallocated, line.Place);
                continue;
            }
            string found = kind == DecodeDifference.None ? "" : comparison.NameOf(kind, row, line.Word);
            Assert.True(kind == line.Kind && found == line.Name,
                $"{line.Place}: {line.Kind} {line.Name} does not occur: {comparison.Describe(line.Word)}");
        }
    }

    /// <summary>Every word there is: validity and the whole text. Words that the C interface of libLLVM refuses because of a soft
    /// failure are compared as well, so that of the list of exceptions only those are left that LLVM gets wrong.</summary>
    [Fact]
    public void AllWordsAgreeWithLlvm()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
        {
            output.WriteLine("set ARMVDSO_LONG=1 to compare all 2^32 words");
            return;
        }
        string features = LlvmDisassembler.Features(Enum.GetValues<Row>().Select(RowInfo.Feature));
        var total = new DecodeComparison();
        int done = 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Parallel.For(0, 4096, () => (Llvm: new LlvmBlocks(features), Comparison: new DecodeComparison()), (block, _, mine) =>
        {
            for (uint n = 0; n < 1 << 20; n += LlvmBlocks.MostWords)
                mine.Comparison.AddBlock(mine.Llvm, ((uint)block << 20) | n, LlvmBlocks.MostWords);
            int count = Interlocked.Increment(ref done);
            if (count % 64 == 0)
                Console.Error.WriteLine($"decode oracle: {count * 100 / 4096}% of 2^32 words, {clock.Elapsed.TotalMinutes:F1} min");
            return mine;
        }, mine =>
        {
            lock (total)
                total.Merge(mine.Comparison);
        });
        Assert.Equal(1L << 32, total.Words);
        foreach (var (key, value) in total.Differences)
            output.WriteLine($"{key.Kind} {key.Name}: {value.Count} words, {total.Describe(value.Example)}");
        Report(total, [.. DecodeExceptions.Read().Where(e => e.Kind is DecodeDifference.LlvmOnly or DecodeDifference.SoftOnly)]);
    }

    private static uint WordAround(Row row, Random random, bool mutate)
    {
        uint mask = RowInfo.Mask(row);
        uint word = 0;
        for (int attempt = 0; attempt < 8; attempt++)
        {
            // Registers and immediates of all ones or all zeroes are where encodings change meaning.
            word = (uint)random.NextInt64();
            uint pick = (uint)random.NextInt64() & (uint)random.NextInt64() & (uint)random.NextInt64();
            uint byFive = 0x1Fu << (5 * random.Next(7));
            word = (word & ~pick) | (random.Next(2) == 0 ? pick & byFive : 0) | (random.Next(4) == 0 ? byFive : 0);
            word = (word & ~mask) | RowInfo.Value(row);
            if (RowInfo.Holds(row, word))
                break;
        }
        return mutate ? word ^ (1u << random.Next(32)) : word;
    }

    private void Report(DecodeComparison comparison, IReadOnlyCollection<DecodeExceptions.Line> exceptions)
    {
        long textDiffers = comparison.Differences.Where(d => d.Key.Kind == DecodeDifference.Text).Sum(d => d.Value.Count);
        output.WriteLine($"{comparison.Words} words, {comparison.Allocated} allocated, {comparison.SoftFailures} of them soft failures "
            + $"of LLVM, text differs for {textDiffers} ({100.0 * textDiffers / comparison.Allocated:F3}%)");
        var unexpected = comparison.Differences
            .Where(d => !exceptions.Any(e => e.Kind == d.Key.Kind && e.Name == d.Key.Name))
            .OrderBy(d => d.Key.Kind).ThenByDescending(d => d.Value.Count).ToList();
        foreach (var (key, value) in unexpected)
            output.WriteLine($"{key.Kind} {key.Name}: {value.Count} words, {comparison.Describe(value.Example)}");
        Assert.True(unexpected.Count == 0, $"{unexpected.Count} rows or mnemonics differ from LLVM: " +
            string.Join("; ", unexpected.Take(10).Select(d => $"{d.Key.Kind} {d.Key.Name} {comparison.Describe(d.Value.Example)}")));
    }
}
