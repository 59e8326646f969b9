using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso explain: figures that are known from hardware, and the two outputs against each other.</summary>
public sealed class ExplainCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("explain-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Block(string text)
    {
        string file = Path.Combine(_folder, "block.s");
        File.WriteAllText(file, text.Replace(';', '\n') + "\n");
        return file;
    }

    private static List<JsonElement> Json(params string[] arguments)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["explain", "--json", .. arguments]);
        Assert.Equal("", result.Errors);
        Assert.Equal(0, result.Status);
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    /// <summary>Latencies that insn_bench_aarch64 measured on a Neoverse N1 and a Cortex-A53, and an add chain at one a cycle.</summary>
    [Theory]
    [InlineData("neoverse-n1", "mul x1, x1, x2", 4)]
    [InlineData("neoverse-n1", "umulh x1, x1, x2", 5)]
    [InlineData("neoverse-n1", "fmadd d0, d1, d2, d0", 2)]
    [InlineData("neoverse-n1", "add x1, x1, x2", 1)]
    [InlineData("cortex-a53", "mul x1, x1, x2", 4)]
    [InlineData("cortex-a53", "fadd d0, d0, d1", 4)]
    public void AChainTakesItsLatencyAndNamesItsProducer(string core, string instruction, int latency)
    {
        List<JsonElement> lines = Json("--core", core, "--iterations", "3", Block(instruction));
        Assert.Equal(latency, lines[0].GetProperty("cycles_per_round").GetDouble(), 0.1);
        Assert.Equal(4, lines.Count);
        long first = lines[1].GetProperty("issued").GetInt64();
        Assert.Equal(first + latency, lines[2].GetProperty("issued").GetInt64());
        if (latency == 1)
            return;
        JsonElement stall = lines[2].GetProperty("stalls").EnumerateArray().Single(s => s.GetProperty("kind").GetString() == "operand");
        Assert.Equal(0, stall.GetProperty("producer").GetInt32());
        Assert.Contains(stall.GetProperty("register").GetString()![1..], instruction);
    }

    private static double Cycles(string core, string file) =>
        Json("--core", core, file)[0].GetProperty("cycles_per_round").GetDouble();

    /// <summary>What a compiler writes: a function with its frame, that calls another one, and data in a section of its own.</summary>
    [Fact]
    public void AFileOfACompilerIsAFunctionThatIsCalled()
    {
        string source = Path.Combine(_folder, "sum.c"), file = Path.Combine(_folder, "sum.s");
        File.WriteAllText(source, "extern void other(void); extern long table[4]; static const double half[2] = { .5, 1.5 };\n"
            + "double sum(const double *p, long n) { double s = 0; for (long i = 0; i < n; i++) s += p[i] * half[i & 1]; other();"
            + " return s + table[1]; }\n");
        foreach ((string compiler, string[] more) in new (string, string[])[]
        {
            ("clang-19", ["--target=aarch64-linux-gnu"]), ("aarch64-linux-gnu-gcc", []),
        })
        {
            (int status, _, string errors) = GuestPrograms.Run(compiler, [.. more, "-O2", "-S", "-g0", "-o", file, source]);
            Assert.True(status == 0, errors);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("explain", "--core", "cortex-a53,neoverse-n1", file);
            Assert.True(result.Status == 0, result.Errors);
            Assert.Contains("A round is a call of it", result.Output);
            Assert.Contains("Not here, so that a call of it returns at once: ", result.Output);
            Assert.Contains("other", result.Output);
            Assert.Contains("ret", result.Output);
            Assert.Equal(["core cortex-a53", "core neoverse-n1"],
                result.Output.Split('\n').Where(l => l.StartsWith("core ", StringComparison.Ordinal)).Select(l => l.Split(',')[0]));
        }
    }

    /// <summary>Eight additions that wait for each other between a call and its return.</summary>
    [Fact]
    public void AFunctionTakesWhatItsChainTakes()
    {
        double Of(int length) =>
            Cycles("neoverse-n1", Block($"f: {string.Concat(Enumerable.Repeat("add x0, x0, x1;", length))}ret"));
        Assert.Equal(20, Of(60) - Of(40), 1.0);
    }

    [Fact]
    public void MarkersOfLlvmMcaAreBlocks()
    {
        string file = Block("mul x9, x9, x9;# LLVM-MCA-BEGIN slow;mul x1, x1, x2;# LLVM-MCA-END;nop;// LLVM-MCA-BEGIN;add x1, x1, x2;"
            + "// LLVM-MCA-END");
        JsonElement[] heads = [.. Json("--core", "neoverse-n1", file).Where(l => l.TryGetProperty("cycles_per_round", out _))];
        Assert.Equal([4, 1], heads.Select(h => Math.Round(h.GetProperty("cycles_per_round").GetDouble())));
        Assert.EndsWith(": slow", heads[0].GetProperty("block").GetString());
    }

    /// <summary>In a file with macros, too, in any comment; a marker behind an instruction on its line is behind it.</summary>
    [Fact]
    public void MarkersStandBesideMacros()
    {
        string file = Block(".set times, 3;.macro chain r, n;.rept \\n;mul \\r, \\r, x2;.endr;.endm;mul x9, x9, x9;"
            + "/* LLVM-MCA-BEGIN three */;there: chain x1, times;cbz x9, there;nop /* LLVM-MCA-END */;nop;"
            + "// LLVM-MCA-BEGIN two;chain x1, 2 // LLVM-MCA-END;mul x9, x9, x9");
        List<JsonElement> lines = Json("--core", "neoverse-n1", file);
        JsonElement[] heads = [.. lines.Where(l => l.TryGetProperty("cycles_per_round", out _))];
        Assert.Equal([12, 8], heads.Select(h => Math.Round(h.GetProperty("cycles_per_round").GetDouble())));
        Assert.EndsWith(": three", heads[0].GetProperty("block").GetString());
        Assert.EndsWith(": two", heads[1].GetProperty("block").GetString());
        Assert.Equal("there", lines[1].GetProperty("symbol").GetString());
    }

    /// <summary>A macro may call a function that is not there; the name is kept through LLVM's assembler, as that of a label is.</summary>
    [Fact]
    public void AFunctionWithMacrosKeepsItsNames()
    {
        string file = Block(
            ".macro big r, n;movz \\r, #:abs_g1:\\n;movk \\r, #:abs_g0_nc:\\n;.endm;"
            + ".macro ask f;stp x29, x30, [sp, #-16]!;bl \\f;ldp x29, x30, [sp], #16;.endm;.set alias, start;"
            + "start: ask other;big x5, 0x12345;.inst 0xd503201f;cbz x5, alias;ret");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("explain", "--core", "cortex-a53", file);
        Assert.True(result.Status == 0, result.Errors);
        Assert.Contains("Not here, so that a call of it returns at once: other", result.Output);
        Assert.Contains("A round is a call of it", result.Output);
        Assert.Contains(", #9029", result.Output);
        Assert.Contains("nop", result.Output);
    }

    /// <summary>Repetition is repeated, by LLVM's assembler where it is there; what nobody knows is refused.</summary>
    [Fact]
    public void DirectivesAreTakenOrRefusedByName()
    {
        Assert.Equal(12, Cycles("neoverse-n1", Block(".rept 3;mul x1, x1, x2;.endr")), 0.1);
        Assert.Equal(4, Cycles("neoverse-n1", Block(".if 0;mul x1, x1, x2;.endif;mul x1, x1, x2")), 0.1);
        Assert.Equal(8, Cycles("neoverse-n1", Block(".macro twice r;mul \\r, \\r, x2;mul \\r, \\r, x2;.endm;twice x1")), 0.1);
    }

    /// <summary>The letters say what the JSON output says.</summary>
    [Fact]
    public void LettersAreTheCycles()
    {
        string file = Block("ldr x1, [x2];add x5, x1, #1;mul x3, x5, x5;str x3, [x6];nop;nop;nop;nop;nop;nop;nop;nop;nop;nop");
        List<JsonElement> lines = Json("--core", "neoverse-n1", "--iterations", "2", file);
        string[] rows = [.. ArmVdsoCommand.Run("explain", "--core", "neoverse-n1", "--iterations", "2", file).Output.Split('\n')
            .Where(l => l.TrimStart().StartsWith('['))];
        Assert.Equal(28, rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            JsonElement json = lines[i + 1];
            string letters = rows[i][10..].Split("  ", StringSplitOptions.RemoveEmptyEntries)[0].Trim();
            long Cycle(string name) => json.GetProperty(name).GetInt64();
            Assert.Equal('D', letters[0]);
            Assert.Equal('R', letters[^1]);
            Assert.Equal(Cycle("retired") - Cycle("dispatched"), letters.Length - 1);
            Assert.Equal(Math.Max(0, Cycle("issued") - Cycle("dispatched") - 1), letters.Count(c => c == '='));
            if (json.GetProperty("pipe").GetString() != "")
                Assert.Equal(Cycle("done") - Cycle("issued"), letters.Count(c => c is 'e' or 'E'));
        }
    }

    [Theory]
    [InlineData("neoverse-n1", "__kernel_getpid", "TPIDRRO_EL0")]
    [InlineData("cortex-a55", "__kernel_getpid", "TPIDRRO_EL0")]
    [InlineData("cortex-a53", "invoke_syscall", "")]
    public void AFunctionIsShownColdAndWarm(string core, string function, string first)
    {
        List<JsonElement> lines = Json("--core", core, function);
        JsonElement[] calls = [.. lines.Where(l => l.TryGetProperty("cycles", out _))];
        Assert.Equal(2, calls.Length);
        Assert.StartsWith("first call", calls[0].GetProperty("state").GetString());
        Assert.True(calls[0].GetProperty("cycles").GetInt64() > calls[1].GetProperty("cycles").GetInt64());
        Assert.Contains(first, lines[1].GetProperty("instruction").GetString());
        Assert.Equal(function, lines[1].GetProperty("symbol").GetString());
        // The cold call pays for misses, and says so. On an N1 the first ones ask the kernel, which leaves TPIDRRO_EL0 at 0.
        Assert.Equal(core == "neoverse-n1" ? "first call without a system call" : "first call (cold)",
            calls[0].GetProperty("state").GetString()!.Split(',')[0]);
        if (core == "neoverse-n1")
        {
            Assert.DoesNotContain(lines, l => l.TryGetProperty("instruction", out JsonElement i) && i.GetString()!.StartsWith("svc"));
            return;
        }
        Assert.Contains(lines.TakeWhile(l => l.ToString() != calls[1].ToString()), l => l.ToString().Contains("miss"));
    }

    /// <summary>The address of return is known by which a record ends, though PACIASP has put its code into it.</summary>
    [Fact]
    public void ACallThatSignsItsReturnEndsThere()
    {
        string source = Path.Combine(_folder, "signs.c"), program = Path.Combine(_folder, "signs");
        File.WriteAllText(source, "__attribute__((noinline)) long f(long x) { __asm__ volatile(\"\" ::: \"x30\"); return x + 3; }\n"
            + "int main(void) { return f(4) != 7; }\n");
        (int status, _, string errors) = GuestPrograms.Run(
            "aarch64-linux-gnu-gcc", "-static", "-O2", "-mbranch-protection=pac-ret", "-o", program, source);
        Assert.True(status == 0, errors);
        List<JsonElement> lines = Json("--core", "neoverse-v1", "--cpu", "max", "f", program);
        string[] instructions =
        [
            .. lines.Where(l => l.TryGetProperty("instruction", out _)).Select(l => l.GetProperty("instruction").GetString()!),
        ];
        Assert.StartsWith("paciasp", instructions[0]);
        Assert.Contains(instructions[^1], (string[])["ret", "retaa"]);
        Assert.InRange(instructions.Length, 5, 16);
    }

    [Theory]
    [InlineData("no such function", "nosuch")]
    [InlineData("no pipeline", "--core", "none", "__kernel_getpid")]
    [InlineData("calls in this run", "--call", "900000", "--core", "cortex-a53", "--max-cycles", "2000000", "__kernel_getpid")]
    public void ErrorsAreOneLine(string message, params string[] arguments)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["explain", .. arguments]);
        Assert.Equal(2, result.Status);
        Assert.Equal("", result.Output);
        Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(message, result.Errors);
    }

    [Theory]
    [InlineData("frobnicate x1", "block.s")]
    [InlineData(".bogus 3;nop", "the directive .bogus is not known here")]
    [InlineData("nop;.word 5", "data among instructions: .word")]
    [InlineData(".macro m;# LLVM-MCA-BEGIN;nop;# LLVM-MCA-END;.endm;m", "a marker of llvm-mca in a macro or repetition")]
    [InlineData(".macro m;.bogus;.endm;m", "unknown directive")]
    [InlineData(".macro m;nop;.endm;m;ldr x0, =0x123456789", "data among instructions: .xword")]
    [InlineData("# LLVM-MCA-BEGIN;nop", "LLVM-MCA-BEGIN without LLVM-MCA-END")]
    [InlineData("bl other;nop", "refers to other, which is not in it")]
    [InlineData("brk #1", "takes an exception")]
    [InlineData("// nothing", "no instructions")]
    public void BadBlocksAreNamed(string text, string message)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("explain", "--core", "neoverse-n1", Block(text));
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Errors);
        Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
