using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.IsaGenerator.Llvm;

namespace ArmVdso.Tests.Instructions;

/// <summary>How the decoder and libLLVM can differ on a word.</summary>
public enum DecodeDifference
{
    /// <summary>They agree, the text included.</summary>
    None,

    /// <summary>The table has the word, LLVM does not.</summary>
    OursOnly,

    /// <summary>LLVM has the word, the table does not.</summary>
    LlvmOnly,

    /// <summary>LLVM has the word as a soft failure, the table does not.</summary>
    SoftOnly,

    /// <summary>Both have it under different mnemonics.</summary>
    Mnemonic,

    /// <summary>The mnemonic is the same, the operands' text differs.</summary>
    Text,
}

/// <summary>Compares words with libLLVM, and groups the differences by kind and row (or LLVM's mnemonic if there is no row).</summary>
public sealed class DecodeComparison
{
    private readonly LlvmDisassembler _llvm = new(Enum.GetValues<Row>().Select(RowInfo.Feature));

    /// <summary>Words compared.</summary>
    public long Words { get; private set; }

    /// <summary>Words that either side decodes.</summary>
    public long Allocated { get; private set; }

    /// <summary>Count and first word of every kind of difference.</summary>
    public Dictionary<(DecodeDifference Kind, string Name), (long Count, uint Example)> Differences { get; } = [];

    /// <summary>Words that LLVM decodes with a soft failure; only <see cref="AddBlock"/> can tell.</summary>
    public long SoftFailures { get; private set; }

    /// <summary>Compares one word.</summary>
    public void Add(uint word)
    {
        DecodeDifference kind = Compare(word, out Row row);
        Count(kind, row, word);
    }

    /// <summary>Compares <paramref name="count"/> words from <paramref name="first"/>. What is a soft failure to LLVM counts as
    /// decoded, and its text is compared too.</summary>
    public void AddBlock(LlvmBlocks llvm, uint first, int count)
    {
        ReadOnlySpan<byte> records = llvm.Run(first, count);
        int at = 0;
        for (int n = 0; n < count; n++)
        {
            uint word = first + (uint)n;
            var status = (LlvmStatus)records[at];
            int length = records[at + 1];
            SoftFailures += status == LlvmStatus.SoftFail ? 1 : 0;
            ReadOnlySpan<byte> text = records.Slice(at + 2, length);
            DecodeDifference kind = Compare(word, text, out Row row);
            string? name = kind == DecodeDifference.LlvmOnly ? System.Text.Encoding.ASCII.GetString(text) : null;
            Count(name is not null && status == LlvmStatus.SoftFail ? DecodeDifference.SoftOnly : kind, row, word, name);
            at += 2 + length;
        }
    }

    private void Count(DecodeDifference kind, Row row, uint word, string? text = null)
    {
        Words++;
        if (kind == DecodeDifference.None)
            return;
        var key = (kind, text is null ? NameOf(kind, row, word) : text.Split(' ')[0]);
        (long count, uint example) = Differences.GetValueOrDefault(key, (0, word));
        Differences[key] = (count + 1, example);
    }

    /// <summary>Adds what another comparison found.</summary>
    public void Merge(DecodeComparison other)
    {
        Words += other.Words;
        Allocated += other.Allocated;
        SoftFailures += other.SoftFailures;
        foreach (var (key, value) in other.Differences)
        {
            (long count, uint example) = Differences.GetValueOrDefault(key, (0, value.Example));
            Differences[key] = (count + value.Count, example);
        }
    }

    /// <summary>One line with both texts.</summary>
    public string Describe(uint word) =>
        $"{word:x8}: ours \"{Disassembler.Disassemble(word, 0)}\", LLVM \"{_llvm.Disassemble(word, 0) ?? "-"}\"";

    /// <summary>The name that a difference is listed under: the row, or LLVM's mnemonic for words without a row.</summary>
    public string NameOf(DecodeDifference kind, Row row, uint word) =>
        kind == DecodeDifference.LlvmOnly ? _llvm.Disassemble(word, 0)!.Split(' ')[0] : RowInfo.Name(row);

    /// <summary>How one word differs.</summary>
    public DecodeDifference Compare(uint word, out Row row) => Compare(word, _llvm.Text(word, 0), out row);

    private DecodeDifference Compare(uint word, ReadOnlySpan<byte> theirs, out Row row)
    {
        row = Decoder.Decode(word);
        if (row == Row.Unallocated)
        {
            Allocated += theirs.IsEmpty ? 0 : 1;
            return theirs.IsEmpty ? DecodeDifference.None : DecodeDifference.LlvmOnly;
        }
        Allocated++;
        if (theirs.IsEmpty)
            return DecodeDifference.OursOnly;
        string ours = Disassembler.Disassemble(word, 0);
        if (System.Text.Ascii.Equals(theirs, ours))
            return DecodeDifference.None;
        ReadOnlySpan<char> oursFirst = FirstToken(ours);
        int end = theirs.IndexOf((byte)' ');
        return System.Text.Ascii.Equals(end < 0 ? theirs : theirs[..end], oursFirst) ? DecodeDifference.Text : DecodeDifference.Mnemonic;
    }

    private static ReadOnlySpan<char> FirstToken(string text)
    {
        int end = text.IndexOf(' ');
        return end < 0 ? text : text.AsSpan(0, end);
    }
}
