namespace ArmVdso.Tests.Board;

/// <summary>tests/guests/board/bare.S, which needs no kernel: translation, faults, TLB maintenance, exceptions, software step, interrupts,
/// timers and PSCI as lines. bare.out is what qemu-system-aarch64 7.2 prints (record.sh).</summary>
public sealed class BareImageOracleTests
{
    private static readonly string s_folder = Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests", "board");

    private static readonly Lazy<string> s_image = new(() =>
    {
        string build = Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests", "build", "board");
        (int status, string output, string errors) = GuestPrograms.Run(Path.Join(s_folder, "build.sh"), build);
        return status == 0 ? Path.Join(build, "bare.img") : throw new InvalidOperationException(output + errors);
    });

    /// <summary>The image.</summary>
    internal static string Image => s_image.Value;

    [Theory]
    [InlineData("--engine", "reference")]
    [InlineData("--engine", "portable")]
    [InlineData("--check-engine")]
    [InlineData("--core", "cortex-a53")]
    [InlineData("--core", "neoverse-n1", "--check-engine")]
    [InlineData("--cpus", "3")]
    public void PrintsWhatQemuPrints(params string[] options)
    {
        string[] core = options.Contains("--core") ? [] : ["--core", "none", "--cpu", "cortex-a53"];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["boot", "--kernel", s_image.Value, "--mem", "64M", .. core, .. options]);
        Assert.Equal("", result.Errors);
        Assert.Equal(File.ReadAllText(Path.Join(s_folder, "bare.out")), result.Output);
        Assert.Equal(0, result.Status);
    }
}
