using System.Text.Json;

namespace ArmVdso.Tests.Programs;

/// <summary>A program as process 1: a whole boot by busybox's init, and what reboot(2) is inside of a container
/// (kernel/pid_namespace.c).</summary>
public sealed class BootProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-boot-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private static string[] Busybox(params string[] words) =>
        ["--core", "none", "--root", DebianPrograms.StaticRoot, .. words.Prepend("/usr/bin/busybox").ToArray()];

    /// <summary>From init to power-off, counted by class.</summary>
    [Fact]
    public void InitBootsAndPowersOff()
    {
        File.WriteAllText(Path.Join(_folder, "inittab"), """
            ::sysinit:/usr/bin/busybox mount -t proc proc /proc
            ::wait:/usr/bin/busybox ps
            ::once:/usr/bin/busybox poweroff

            """);
        string counts = Path.Join(_folder, "counts.json");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["syscalls", "--json", "-o", counts, "--no-vdso-count", "--pid", "1", "--bind", $"{_folder}/inittab:/etc/inittab",
                .. Busybox("init")]);
        Assert.Equal(130, result.Status);
        Assert.Contains(" /usr/bin/busybox init\n", result.Output, StringComparison.Ordinal);
        Assert.True(Counts(counts).Count > 20);
    }

    private static List<JsonElement> Counts(string file)
    {
        using var said = JsonDocument.Parse(File.ReadAllText(file));
        return [.. said.RootElement.GetProperty("calls").EnumerateArray().Select(c => c.Clone())];
    }

    /// <summary>Handlers return through the image, which is no answer of it.</summary>
    [Fact]
    public void AReturnFromAHandlerIsNoFallback()
    {
        string counts = Path.Join(_folder, "counts.json");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "syscalls", "--json", "-o", counts, "--vdso", "per-thread", GuestPrograms.Path("signals"));
        Assert.Equal(0, result.Status);
        JsonElement returns = Counts(counts).Single(c => c.GetProperty("name").GetString() == "rt_sigreturn");
        Assert.True(returns.GetProperty("calls").GetInt64() > 10);
        Assert.Equal(0, returns.GetProperty("vdso_fallbacks").GetInt64());
    }

    [Theory]
    [InlineData("1", "poweroff -f", 130)]
    [InlineData("1", "halt -f", 130)]
    [InlineData("1", "reboot -f", 129)]
    [InlineData("100", "poweroff -f", 1)]
    [InlineData("100", "unshare -f -p /usr/bin/busybox reboot -f", 129)]
    public void RebootEndsTheFirstProcessOfItsNamespace(string pid, string words, int status) =>
        Assert.Equal(status, ArmVdsoCommand.Run(["run", "--pid", pid, .. Busybox(words.Split(' '))]).Status);
}
