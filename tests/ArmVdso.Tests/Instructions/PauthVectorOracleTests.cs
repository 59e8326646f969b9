using System.Globalization;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Tests.Instructions;

/// <summary>Pointer authentication against pauth/vectors.txt: what qemu-system-aarch64 gave for known keys (qemu-user draws its
/// own). Long runs make the file anew and compare it as well.</summary>
public sealed class PauthVectorOracleTests
{
    private const ulong EnableAll = (1UL << 31) | (1UL << 30) | (1UL << 27) | (1UL << 13);

    // With x0, x1 as operands where there are any.
    private const string Words = """
        pacia dac10020 pacib dac10420 pacda dac10820 pacdb dac10c20 autia dac11020 autib dac11420
        autda dac11820 autdb dac11c20 paciza dac123e0 pacizb dac127e0 pacdza dac12be0 pacdzb dac12fe0
        autiza dac133e0 autizb dac137e0 autdza dac13be0 autdzb dac13fe0 xpaci dac143e0 xpacd dac147e0
        pacga 9ac13000 xpaclri d50320ff pacia1716 d503211f pacib1716 d503215f autia1716 d503219f autib1716 d50321df
        paciaz d503231f paciasp d503233f pacibz d503235f pacibsp d503237f autiaz d503239f autiasp d50323bf
        autibz d50323df autibsp d50323ff
        """;

    private static readonly Dictionary<string, uint> s_words = Words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Chunk(2)
        .ToDictionary(pair => pair[0], pair => uint.Parse(pair[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Instructions", "pauth");

    [Fact]
    public void EveryInstructionAgrees()
    {
        var seen = new HashSet<string>();
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.PacVariant = PacAlgorithm.Qarma5;
        cpu.PacOnFailure = PacFailure.ErrorCode;
        cpu.SCTLR_EL1 = EnableAll;
        foreach (string line in File.ReadLines(Path.Combine(Folder, "vectors.txt")).Where(l => l[0] != '#'))
        {
            string[] words = line.Split(' ');
            ulong[] n = [.. words.Skip(1).Select(w => ulong.Parse(w, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            (ulong tcr, ulong low, ulong high, ulong pointer, ulong modifier, ulong expected) = (n[0], n[1], n[2], n[3], n[4], n[5]);
            cpu.TCR_EL1 = tcr;
            for (int i = 0; i < cpu.PauthKey.Length; i += 2)
                (cpu.PauthKey[i], cpu.PauthKey[i + 1]) = (low, high);
            cpu.SetX(0, pointer);
            cpu.SetX(17, pointer);
            cpu.SetX(30, pointer);
            cpu.SetX(1, modifier);
            cpu.SetX(16, modifier);
            cpu.SP_EL0 = modifier;
            uint instruction = s_words[words[0]];
            Dispatch.Execute(cpu, Decoder.Decode(instruction), instruction);
            ulong actual = cpu.X(words[0].EndsWith("1716", StringComparison.Ordinal) ? 17 : words[0][5..] is "z" or "sp" or "ri" ? 30 : 0);
            Assert.True(expected == actual, $"{line}: 0x{actual:x16}");
            seen.Add(words[0]);
        }
        Assert.Equal(s_words.Keys.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheFileIsWhatQemuGives()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        string made = Path.GetTempFileName();
        try
        {
            (int status, string output, string errors) = GuestPrograms.Run(Path.Combine(Folder, "make-vectors.sh"), made);
            Assert.True(status == 0, output + errors);
            Assert.Equal(File.ReadLines(Path.Combine(Folder, "vectors.txt")).Skip(1), File.ReadLines(made).Skip(1));
        }
        finally
        {
            File.Delete(made);
        }
    }
}
