using System.Globalization;
using System.Runtime.CompilerServices;
using ArmVdso.Assembler;
using ArmVdso.Emulator.Isa.Disassembly;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Instructions;

/// <summary>The assembler made of the instruction table, against llvm-mc's words and against the disassembler.</summary>
public sealed class AssemblerTests(ITestOutputHelper output)
{
    private static string Sequences([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "llvm", "sequences.tsv");

    /// <summary>The words in llvm/sequences.tsv are llvm-mc 19's.</summary>
    [Fact]
    public void SequencesAreTheWordsOfLlvm()
    {
        string[][] rows = [.. File.ReadLines(Sequences()).Where(l => !l.StartsWith('#')).Skip(1).Select(l => l.Split('\t'))];
        foreach (string[] row in rows)
        {
            uint[] words = [.. row[0].Split(' ').Select(w => uint.Parse(w, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            Assert.Equal(words, AssemblyProgram.Parse(row[1]).Words);
        }
        Assert.Equal(54, rows.Length);
    }

    /// <summary>What the disassembler prints for words of every row, the assembler takes, and its word prints the same.</summary>
    [Fact]
    public void DisassemblyAssembles()
    {
        ulong random = 7;
        int words = 0;
        var failures = new List<string>();
        for (int row = 1; row < RowInfo.Count; row++)
        {
            for (int trial = 0; trial < 3; trial++)
            {
                random = (random * 6364136223846793005) + 1442695040888963407;
                uint word = ((uint)(random >> 32) & ~RowInfo.Mask((Row)row)) | RowInfo.Value((Row)row);
                if (Decoder.Decode(word) != (Row)row)
                    continue;
                string text = Disassembler.Disassemble(word, 0);
                words++;
                if (TableAssembler.Instance.TryAssemble(text) is not { } made)
                    failures.Add($"{text}: not assembled ({(Row)row})");
                else if (Disassembler.Disassemble(made, 0) != text)
                    failures.Add($"{text}: became {Disassembler.Disassemble(made, 0)}");
            }
        }
        foreach (string failure in failures.Take(100))
            output.WriteLine(failure);
        output.WriteLine($"{failures.Count} of {words}");
        Assert.Empty(failures);
    }

    [Theory]
    [InlineData("fadd.4s v0, v1, v2", "fadd v0.4s, v1.4s, v2.4s")]
    [InlineData("ld1.4s {v0-v3}, [x1]", "ld1 { v0.4s, v1.4s, v2.4s, v3.4s }, [x1]")]
    [InlineData("mov x0, 0x12345", null)]
    [InlineData("mov x0, #0x12340000", "mov x0, #305397760")]
    [InlineData("mov w3, #-1", "mov w3, #-1")]
    [InlineData("mov x3, #0x5555555555555555", "mov x3, #6148914691236517205")]
    [InlineData("add x1, x2, -4", "sub x1, x2, #4")]
    [InlineData("ldr x0, [x1, #1]", "ldur x0, [x1, #1]")]
    [InlineData("b.cs #8", "b.hs #8")]
    [InlineData("cset w0, cc", "cset w0, lo")]
    [InlineData("fmov d0, #1.0", "fmov d0, #1.00000000")]
    [InlineData("fmov d2, #1.0e+00", "fmov d2, #1.00000000")]
    [InlineData("fmov v3.2d, #-2.5e-1", "fmov v3.2d, #-0.25000000")]
    [InlineData("fmov s1, 2e0", "fmov s1, #2.00000000")]
    [InlineData("fmov d0, #3", "fmov d0, #3.00000000")]
    [InlineData("fmov d0, #1.0e+10", null)]
    [InlineData("fcmp d0, #0", "fcmp d0, #0.0")]
    [InlineData("fcmgt v0.4s, v1.4s, #0.0e+00", "fcmgt v0.4s, v1.4s, #0.0")]
    [InlineData("uxtl v1.4s, v0.4h", "ushll v1.4s, v0.4h, #0")]
    [InlineData("uxtl2 v1.2d, v0.4s", "ushll2 v1.2d, v0.4s, #0")]
    [InlineData("sxtl v1.8h, v0.8b", "sshll v1.8h, v0.8b, #0")]
    [InlineData("sxtl2.8h v1, v0", null)]
    [InlineData("fcmle v0.4s, v1.4s, v2.4s", "fcmge v0.4s, v2.4s, v1.4s")]
    [InlineData("cmlo d0, d1, d2", "cmhi d0, d2, d1")]
    [InlineData("cmle v0.4s, v1.4s, #0", "cmle v0.4s, v1.4s, #0")]
    [InlineData("faclt s0, s1, s2", "facgt s0, s2, s1")]
    [InlineData("bic w0, w1, #15", "and w0, w1, #0xfffffff0")]
    [InlineData("orn x0, x1, #-256", "orr x0, x1, #0xff")]
    [InlineData("mrs x0, CNTVCT_EL0", "mrs x0, CNTVCT_EL0")]
    [InlineData("dsb ish", "dsb ish")]
    [InlineData("add x0, x1", null)]
    [InlineData("frobnicate x0", null)]
    public void OtherSpellings(string text, string? printed)
    {
        uint? word = TableAssembler.Instance.TryAssemble(text);
        Assert.Equal(printed, word is { } w ? Disassembler.Disassemble(w, 0) : null);
    }

    [Fact]
    public void LabelsGoToTheirInstructions()
    {
        AssemblyProgram program = AssemblyProgram.Parse("0: add x0, x0, #1 // one\n cbz x0, 1f\n b 0b; nop\n1:\nret /* end */");
        Assert.Equal(["add x0, x0, #1", "cbz x0, #12", "b #-8", "nop", "ret"], program.Words.Select(w => Disassembler.Disassemble(w, 0)));
        Assert.StartsWith("line 2: not an instruction",
            Assert.Throws<AssemblerException>(() => AssemblyProgram.Parse("nop\nb nowhere")).Message);
    }
}
