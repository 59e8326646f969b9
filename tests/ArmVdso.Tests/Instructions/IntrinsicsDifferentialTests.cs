namespace ArmVdso.Tests.Instructions;

/// <summary>All functions of the compiler's arm_neon.h, arm_fp16.h and arm_acle.h (make-intrinsics.py), each from twelve sets of
/// inputs: what qemu-aarch64 gives, on both engines. Long runs build with clang-19 too.</summary>
public sealed class IntrinsicsDifferentialTests
{
    private static readonly Lazy<string> s_folder = new(Build);

    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    private static string Build()
    {
        string guests = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");
        string folder = Path.Combine(guests, "build", "intrinsics");
        (int status, string output, string errors) = GuestPrograms.Run(
            "env", Long ? "CLANG=1" : "CLANG=", Path.Combine(guests, "build-intrinsics.sh"), folder);
        return status == 0 ? folder : throw new InvalidOperationException((output + errors).Trim());
    }

    /// <summary>Engine alone.</summary>
    public static TheoryData<string> EngineNames() => [.. KnownEngines.All];

    [Theory]
    [MemberData(nameof(EngineNames))]
    public void EveryFunctionAgrees(string engine)
    {
        foreach (string program in Long ? (string[])["acle-gcc", "acle-clang"] : ["acle-gcc"])
        {
            string path = Path.Combine(s_folder.Value, program);
            (int status, string expected, _) = GuestPrograms.Run("qemu-aarch64", "-cpu", "max", path);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--engine", engine, path);
            Assert.Equal((0, 0), (status, result.Status));
            string[] theirs = expected.Split('\n'), ours = result.Output.Split('\n');
            Assert.True(theirs.Length > 4000, $"{theirs.Length} functions");
            Assert.Equal(theirs.Length, ours.Length);
            Assert.Equal([], theirs.Except(ours).Where(line => !IsQemus(program, line)));
        }
    }

    /// <summary>clang computes it with FCVTZS of a half-precision scalar, whose 16-bit result qemu 7.2 sign-extends
    /// (qemu-exceptions.txt).</summary>
    private static bool IsQemus(string program, string line) =>
        program == "acle-clang" && line.StartsWith("vcvth_n_s32_f16 ", StringComparison.Ordinal);
}
