using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;
using static ArmVdso.Tests.Vdso.VdsoElf;

namespace ArmVdso.Tests.Vdso;

/// <summary>The committed images of the designs beside the talk's: what loaders rely on, and what each protocol promises of its code.
/// The disassembly is LLVM's.</summary>
public sealed class VdsoVariantTests
{
    private static readonly string s_bin = Path.Combine(GuestPrograms.RepositoryRoot, "vdso-image", "bin");

    private static VdsoElf Elf(string design) => new(File.ReadAllBytes(Path.Combine(s_bin, $"vdso-{design}.so")));

    private static readonly VdsoCall[] s_getters = [.. VdsoCalls.All.Where(c => c.Answer == VdsoAnswer.Id)];
    private static readonly string[] s_identity = [.. s_getters.Select(c => c.Name)];

    /// <summary>Instructions of each function by name: mnemonic and operands, without the address.</summary>
    private static Dictionary<string, List<(ulong Address, string Text)>> Disassemble(string design)
    {
        (int status, string output, string errors) =
            GuestPrograms.Run("llvm-objdump-19", "-d", "--no-show-raw-insn", Path.Combine(s_bin, $"vdso-{design}.so"));
        Assert.True(status == 0, output + errors);
        var functions = new Dictionary<string, List<(ulong, string)>>();
        List<(ulong, string)>? current = null;
        foreach (string line in output.Split('\n'))
        {
            if (Regex.Match(line, @"^[0-9a-f]+ <(.+)>:$") is { Success: true } head)
                functions[head.Groups[1].Value] = current = [];
            else if (Regex.Match(line, @"^ +([0-9a-f]+):\s+(\S.*)$") is { Success: true } instruction)
                current?.Add((ulong.Parse(instruction.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    instruction.Groups[2].Value.Replace('\t', ' ')));
        }
        return functions;
    }

    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    public void IsLaidOutAsTheTalksImageIs(string design)
    {
        VdsoElf elf = Elf(design), talk = Elf("per-cpu");
        Assert.Equal(talk.Segments().Select(s => (s.Type, s.Flags)), elf.Segments().Select(s => (s.Type, s.Flags)));
        Segment load = Assert.Single(elf.Segments(), s => s.Type == PT_LOAD);
        Assert.Equal((0ul, 0ul, (ulong)elf.Bytes.Length, (ulong)elf.Bytes.Length),
            (load.Offset, load.Address, load.FileSize, load.MemorySize));
        Assert.All(elf.Sections(), s =>
        {
            Assert.True((s.Flags & 1) == 0, s.Name);
            Assert.DoesNotMatch(@"^\.(data|bss|got|plt|rel|init|fini|tdata|tbss)", s.Name);
        });
        IEnumerable<string> exported = elf.Symbols().Select(s => s.Name);
        IEnumerable<string> expected = talk.Symbols().Select(s => s.Name);
        if (design == "rseq")
            expected = expected.Where(n => !s_identity.Contains(n["__kernel_".Length..])).Append("__kernel_mm_cid");
        Assert.Equal(expected.Order(), exported.Order());
        foreach (string name in exported)
        {
            Assert.Equal(name, elf.SymbolName(elf.LookUpSysV(name)));
            Assert.Equal(name, elf.SymbolName(elf.LookUpGnu(name)));
        }
        Assert.Equal(exported.Order(), VdsoImage.Load(design).Symbols.Keys.Order());
    }

    /// <summary>Each identity function: no call, no store, one load of its field; the right number in front of SVC.</summary>
    [Theory]
    [InlineData("per-cpu-seq", 2, 2, 3)]
    [InlineData("per-cpu-gen", 2, 0, 1)]
    [InlineData("per-cpu-fixup", 1, 0, 1)]
    [InlineData("per-thread", 1, 0, 1)]
    public void GettersDoWhatTheirProtocolSays(string design, int registerReads, int barriers, int loads)
    {
        Dictionary<string, List<(ulong Address, string Text)>> functions = Disassemble(design);
        for (int i = 0; i < s_identity.Length; i++)
        {
            string[] code = [.. functions["__kernel_" + s_identity[i]].Select(c => c.Text).TakeWhile(t => t != "nop")];
            Assert.Equal(registerReads, code.Count(t => Regex.IsMatch(t, @"^mrs x\d+, TPIDRRO_EL0$")));
            Assert.Equal(barriers, code.Count(t => t == "dmb ishld"));
            Assert.Equal(loads, code.Count(t => t.StartsWith("ldr ", StringComparison.Ordinal)));
            Assert.DoesNotContain(code, t => Regex.IsMatch(t, @"^(st|bl|br|blr)\b"));
            int svc = Array.IndexOf(code, "svc #0");
            Assert.Matches($@"^mov w8, #0x{s_getters[i].Number:x}\b", code[svc - 1]);
            // No branch backwards: nothing can spin.
            Assert.All(functions["__kernel_" + s_identity[i]], c =>
            {
                if (Regex.Match(c.Text, @"^(?:b|b\.\w+|cbn?z|tbn?z)\b.* 0x([0-9a-f]+) ") is { Success: true } branch)
                    Assert.True(ulong.Parse(branch.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) > c.Address,
                        c.Text);
            });
        }
    }

    /// <summary>In per-cpu-seq the register is read again before the sequence is: the other order takes the answer of a task that ran
    /// between the two.</summary>
    [Fact]
    public void SequenceIsTheLastThingLookedAt()
    {
        foreach (string name in s_identity)
        {
            List<string> code = [.. Disassemble("per-cpu-seq")["__kernel_" + name].Select(c => c.Text)];
            int register = code.FindLastIndex(t => t.Contains("TPIDRRO_EL0", StringComparison.Ordinal));
            int sequence = code.FindLastIndex(t => Regex.IsMatch(t, $@"^ldr w\d+, \[x\d+, #0x{VdsoSlot.Seq:x}\]"));
            Assert.True(register >= 0 && sequence > register);
        }
    }

    /// <summary>Ranges of per-cpu-fixup: from MRS to behind the load; nothing inside writes what its start needs; the fallback is
    /// where the system call is made.</summary>
    [Fact]
    public void FixupRangesCoverFindingAndReadingTheSlot()
    {
        VdsoImage image = VdsoImage.Load("per-cpu-fixup");
        Dictionary<ulong, string> code = Disassemble("per-cpu-fixup").Values.SelectMany(f => f).ToDictionary(c => c.Address, c => c.Text);
        Assert.Equal(s_identity.Append("getcpu").Count(), image.FixupRanges.Count);
        foreach ((ulong start, ulong length, ulong fallback) in image.FixupRanges)
        {
            Assert.Equal(12ul, length);
            string register = Regex.Match(code[start], @"^mrs (x\d+), TPIDRRO_EL0$").Groups[1].Value;
            Assert.Matches($@"^cbz {register}, 0x{fallback:x} ", code[start + 4]);
            Match load = Regex.Match(code[start + 8], $@"^ldr [wx](\d+), \[(x\d+), {register}\]$");
            Assert.True(load.Success, code[start + 8]);
            Assert.NotEqual("x" + load.Groups[1].Value, load.Groups[2].Value);
            // An argument that was kept goes back to its place first.
            ulong call = code[fallback].StartsWith("sxtw x0, w", StringComparison.Ordinal) ? fallback + 4 : fallback;
            Assert.StartsWith("mov w8, #", code[call]);
            Assert.Equal("svc #0", code[call + 4]);
        }
        Assert.Equal(image.FixupRanges.Count, code.Values.Count(t => t.EndsWith("TPIDRRO_EL0", StringComparison.Ordinal)));
    }

    /// <summary>CPU and node come from one load where nothing is looked at twice.</summary>
    [Theory]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    public void GetcpuReadsOneDoubleword(string design)
    {
        IEnumerable<string> loads = Disassemble(design)["__kernel_getcpu"].Select(c => c.Text)
            .Where(t => t.StartsWith("ldr", StringComparison.Ordinal));
        Assert.StartsWith("ldr x", Assert.Single(loads));
    }
}
