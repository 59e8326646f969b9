using System.Text.RegularExpressions;
using ArmVdso.Emulator.Isa.Disassembly;

namespace ArmVdso.Tests.Instructions;

/// <summary>The ROLES column against the registers that the disassembly shows. The decode oracle compares that text with
/// libLLVM's, so the two columns check each other.</summary>
public sealed partial class RegisterUseTests
{
    // Rows whose text leaves registers out or shows one that is neither read nor written.
    private static readonly Regex _implicit = ImplicitPattern();

    [Fact]
    public void RolesNameTheRegistersOfTheText()
    {
        var random = new Random(99);
        var problems = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Row row in Enum.GetValues<Row>().Where(r => r != Row.Unallocated))
        {
            for (int n = 0; n < 400; n++)
            {
                uint word = ((uint)random.NextInt64() & ~RowInfo.Mask(row)) | RowInfo.Value(row);
                if (Decoder.Decode(word) != row)
                    continue;
                RegisterUse use = RegisterUse.Get(row, word);
                string text = Disassembler.Disassemble(word, 0);
                (uint general, uint vector) = Mentioned(text);
                uint usedGeneral = use.ReadsGeneral | use.WritesGeneral;
                uint usedVector = use.ReadsVector | use.WritesVector;
                bool extra = !_implicit.IsMatch(RowInfo.Name(row)) && ((usedGeneral & ~general) != 0 || (usedVector & ~vector) != 0);
                if ((general & ~usedGeneral) != 0 || (vector & ~usedVector) != 0 || extra)
                    problems.TryAdd(RowInfo.Name(row), $"{text}: general 0x{usedGeneral:x}, vector 0x{usedVector:x}");
            }
        }
        Assert.True(problems.Count == 0, $"{problems.Count} rows: " + string.Join("\n", problems.Take(60)));
    }

    [Theory]
    [InlineData(0x910003E0u, 1u << 31, 1u, false, false)] // mov x0, sp
    [InlineData(0xF100083Fu, 0b10u, 0u, false, true)] // cmp x1, #2
    [InlineData(0x9A820020u, 0b110u, 1u, true, false)] // csel x0, x1, x2, eq
    [InlineData(0x94000001u, 0u, 1u << 30, false, false)] // bl
    public void Examples(uint word, uint reads, uint writes, bool readsFlags, bool writesFlags)
    {
        RegisterUse use = RegisterUse.Get(Decoder.Decode(word), word);
        Assert.Equal((reads, writes, readsFlags, writesFlags), (use.ReadsGeneral, use.WritesGeneral, use.ReadsFlags, use.WritesFlags));
        Assert.Equal(0u, use.ReadsVector | use.WritesVector);
    }

    private static (uint General, uint Vector) Mentioned(string text)
    {
        uint general = 0;
        uint vector = 0;
        int operands = text.IndexOf(' ');
        if (operands < 0)
            return (0, 0);
        foreach (Match range in RangePattern().Matches(text))
        {
            int last = int.Parse(range.Groups[2].ValueSpan);
            for (int n = int.Parse(range.Groups[1].ValueSpan); n != last; n = (n + 1) & 31)
                vector |= 1u << n;
        }
        foreach (Match match in RegisterPattern().Matches(text, operands))
        {
            if (match.Value is "sp" or "wsp")
                general |= 1u << 31;
            else if (match.Value[0] is 'x' or 'w')
                general |= 1u << int.Parse(match.ValueSpan[1..]);
            else
                vector |= 1u << int.Parse(match.ValueSpan[1..]);
        }
        return (general, vector);
    }

    [GeneratedRegex(@"\b(?:[xwbhsdqv]\d+|w?sp)\b")]
    private static partial Regex RegisterPattern();

    [GeneratedRegex(@"\bv(\d+)\.\w+ - v(\d+)\.")]
    private static partial Regex RangePattern();

    [GeneratedRegex("^(BL|BLR.*|RET.*|AUT.*SP.*|PAC.*SP.*|AUTI.*|PACI.*|XPACLRI|ERET.*|PAC.*1716|ST64B.*|LD64B|CASP.*|GCS.*)$")]
    private static partial Regex ImplicitPattern();
}
