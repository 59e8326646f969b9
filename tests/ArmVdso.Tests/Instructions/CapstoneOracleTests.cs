using System.Globalization;
using ArmVdso.Emulator.Isa.Disassembly;
using Gee.External.Capstone;
using Gee.External.Capstone.Arm64;

namespace ArmVdso.Tests.Instructions;

/// <summary>The mnemonics of Armv8.0 rows against Capstone 4.0: a second opinion beside libLLVM, except for what
/// capstone-exceptions.txt lists.</summary>
public sealed class CapstoneOracleTests
{
    private const int WordsPerRow = 400;

    private sealed record Line(string Ours, string Theirs, uint Word, string Reason);

    private static List<Line> Exceptions()
    {
        var lines = new List<Line>();
        foreach (string text in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Instructions", "capstone-exceptions.txt")))
        {
            if (text.Trim() is "" or ['#', ..])
                continue;
            string[] parts = text.Split(" ; ", StringSplitOptions.TrimEntries);
            Assert.True(parts.Length == 4 && parts[3].Length > 0, $"OURS ; THEIRS ; 0xWORD ; REASON expected: {text}");
            lines.Add(new Line(parts[0], parts[1], uint.Parse(parts[2].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                parts[3]));
        }
        return lines;
    }

    private static string Mnemonic(string text) => text.Split(' ', '\t')[0];

    private static string Theirs(CapstoneArm64Disassembler capstone, uint word)
    {
        Arm64Instruction[] found = capstone.Disassemble(BitConverter.GetBytes(word), 0);
        return found.Length == 1 ? found[0].Mnemonic : "(none)";
    }

    [Fact]
    public void MnemonicsOfArmv8AgreeWithCapstone()
    {
        using CapstoneArm64Disassembler capstone = CapstoneDisassembler.CreateArm64Disassembler(Arm64DisassembleMode.LittleEndian);
        HashSet<(string, string)> accepted = [.. Exceptions().Select(l => (l.Ours, l.Theirs))];
        var random = new Random(4);
        var found = new Dictionary<(string Ours, string Theirs), (uint Word, int Count)>();
        int compared = 0;
        for (int i = 1; i < RowInfo.Count; i++)
        {
            var row = (Row)i;
            if (RowInfo.Feature(row) is not ("v8.0" or "FP" or "ASIMD" or "CRC32" or "AES" or "SHA1" or "SHA256"))
                continue;
            for (int n = 0; n < WordsPerRow; n++)
            {
                uint word = ((uint)random.NextInt64() & ~RowInfo.Mask(row)) | RowInfo.Value(row);
                if (Decoder.Decode(word) != row)
                    continue;
                compared++;
                string ours = Mnemonic(Disassembler.Disassemble(word, 0)), theirs = Theirs(capstone, word);
                if (ours == theirs || accepted.Contains((ours, theirs)))
                    continue;
                found[(ours, theirs)] = (word, found.GetValueOrDefault((ours, theirs)).Count + 1);
            }
        }
        Assert.True(compared > 100_000, $"only {compared} words compared");
        Assert.True(found.Count == 0, string.Join('\n',
            found.Select(f => $"{f.Key.Ours} ; {f.Key.Theirs} ; 0x{f.Value.Word:X8} ; {f.Value.Count} of {compared}")));
    }

    [Fact]
    public void EveryExceptionOccurs()
    {
        using CapstoneArm64Disassembler capstone = CapstoneDisassembler.CreateArm64Disassembler(Arm64DisassembleMode.LittleEndian);
        foreach (Line line in Exceptions())
        {
            string ours = Mnemonic(Disassembler.Disassemble(line.Word, 0)), theirs = Theirs(capstone, line.Word);
            Assert.True((ours, theirs) == (line.Ours, line.Theirs),
                $"0x{line.Word:X8}: {ours} and {theirs}, the file says {line.Ours} and {line.Theirs}");
        }
    }
}
