using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Vdso;

/// <summary>The design whose words are encrypted and signed with PACGA (docs/findings.md): nothing of it is wrong, nothing can be read or
/// replayed; and each part of what seals a word is needed.</summary>
public sealed class SealedDesignTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-sealed-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Build(params (string Is, string Becomes)[] changes)
    {
        string at = Path.Join(_folder, "per-cpu-sealed"), data = Path.Join(at, "data.h");
        ArmVdsoLab.InitDesign(at, "per-cpu-sealed");
        foreach ((string text, string other) in changes)
        {
            string before = File.ReadAllText(data);
            Assert.Contains(text, before, StringComparison.Ordinal);
            File.WriteAllText(data, before.Replace(text, other));
        }
        ArmVdsoLab.BuildDesign(at);
        return at;
    }

    private static ArmVdsoLab Lab(string cpu) => new(new SessionSettings { Cpu = cpu });

    private static readonly string[] s_functions = ["getpid", "gettid", "geteuid", "getppid", "getcpu"];

    private static string[] Failing(string folder)
    {
        CheckResult result = Lab("max").Check(folder, s_functions, ["preempt", "migrate"]);
        return [.. result.Cells.Where(c => c.Failed > 0).Select(c => c.Function).Distinct()];
    }

    private const string Signature = "return sealed_mac(cipher | word << 32, value);";
    private const string Stream = "return sealed_mac(value, word) >> 32;";

    [Fact]
    public void HoldsAndAnswers()
    {
        CheckResult result = Lab("max").Check(
            Build(), s_functions,
            ["irq", "preempt", "migrate", "aba", "setresuid", "reparent", "reparent-late", "signal", "signal-twice", "moved",
                "copied-migrate", "fork", "exec", "pidns", "userns", "race", "mid-own", "mid-ids", "hook-reparent", "weak-race"]);
        Assert.DoesNotContain(result.Cells, c => c.Verdict is CheckVerdict.Failed or CheckVerdict.Vacuous);
        Assert.All(result.Cells.Where(c => c.Event == "none"), c => Assert.Equal(0, c.FellBack));
    }

    /// <summary>Without a signature another's word is taken for one's own.</summary>
    [Fact]
    public void TheSignatureIsNeeded() => Assert.Equal(s_functions, Failing(Build((Signature, "return 0 * cipher * word * value;"))));

    /// <summary>Processes of one program share the key until execve: what tells their words apart is the register's value.</summary>
    [Fact]
    public void TheRegistersValueIsNeeded() => Assert.NotEmpty(Failing(Build(
        (Signature, "return sealed_mac(cipher | word << 32, 1 + 0 * value);"), (Stream, "return sealed_mac(1 + 0 * value, word) >> 32;"))));

    [Fact]
    public void NothingCanBeReadOrReplayed()
    {
        Exposure sealedPage = Lab("max").Expose(Build()), plain = Lab("max").Expose("per-cpu-gen");
        Assert.Empty(sealedPage.Other);
        Assert.Empty(sealedPage.Past);
        Assert.Empty(sealedPage.Sibling);
        Assert.NotEmpty(plain.Other);
        Assert.StartsWith("0 words written", sealedPage.Forged, StringComparison.Ordinal);
        string[] answers = Answers(sealedPage), forged = Answers(plain);
        Assert.Equal([answers[0], answers[0], answers[0]], answers);
        Assert.Equal(3, forged.Distinct().Count());
    }

    private static string[] Answers(Exposure exposure) =>
        [.. exposure.Replayed.Split([' ', ',', '.'], StringSplitOptions.RemoveEmptyEntries).Where(w => char.IsAsciiDigit(w[0]))];

    /// <summary>A CPU without PACGA: each call asks the kernel.</summary>
    [Fact]
    public void WithoutTheInstructionTheKernelIsAsked()
    {
        CheckCell cell = Lab("cortex-a53").Check(Build(), ["getpid"], ["irq"]).Cells.First(c => c.Event == "irq");
        Assert.Equal(0, cell.Failed);
        Assert.Equal(cell.Explored, cell.FellBack);
    }
}
