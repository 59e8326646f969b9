namespace ArmVdso.Tests.Programs;

/// <summary>Real static programs, by two compilers and many options, on each engine: the answers must be the known ones, and the
/// whole output that of <c>qemu-aarch64 -cpu max</c>. The usual run takes two sets of options; ARMVDSO_LONG=1 takes all.</summary>
public sealed class IsaProgramTests
{
    private static readonly string[] s_usual = ["gcc-O2-llsc", "clang-O3-v85"];

    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    /// <summary>Engine, set of options, program.</summary>
    public static TheoryData<string, string, string> Programs()
    {
        var data = new TheoryData<string, string, string>();
        foreach (string engine in KnownEngines.All)
            foreach (string set in Long ? IsaPrograms.Sets : s_usual)
                foreach (string name in IsaPrograms.Names)
                    data.Add(engine, set, name);
        return data;
    }

    /// <summary>Engine alone.</summary>
    public static TheoryData<string> EngineNames() => [.. KnownEngines.All];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Gives_the_known_answers(string engine, string set, string name)
    {
        string program = IsaPrograms.Path(set, name);
        (int status, string expected, _) = GuestPrograms.Run("qemu-aarch64", "-cpu", "max", program);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--engine", engine, "--core", "none", program);

        Assert.Equal((0, 0), (status, result.Status));
        Assert.Equal(expected, result.Output);
        Assert.DoesNotContain("FAILED", result.Output, StringComparison.Ordinal);
        // With fused multiply-add the last bits of results are others: there qemu alone is the oracle.
        if (!(name == "floats" && set.EndsWith("-fma", StringComparison.Ordinal)))
            Assert.Equal(IsaPrograms.Golden(name),
                string.Concat(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.StartsWith("+ ", StringComparison.Ordinal)).Select(line => line + "\n")));
    }

    /// <summary>With caches, branch predictor and a pipeline: the same answers, in other orders of the threads.</summary>
    [Theory]
    [MemberData(nameof(EngineNames))]
    public void Timing_does_not_change_the_answers(string engine)
    {
        foreach (string core in new[] { "cortex-a53", "cortex-a55" })
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--engine", engine, "--core", core, "--cpus", "4", "--slice", "50",
                IsaPrograms.Path("gcc-O2-llsc", "atomics"));
            Assert.Equal(IsaPrograms.Golden("atomics"), result.Output);
        }
    }

    /// <summary>A wrong answer in a program would be seen: one flipped bit of a published vector fails.</summary>
    [Fact]
    public void A_changed_known_answer_is_noticed()
    {
        string copy = Path.Combine(Path.GetTempPath(), $"hashes-{Environment.ProcessId}");
        string program = IsaPrograms.Path("gcc-O2-llsc", "hashes");
        int at = File.ReadAllBytes(program).AsSpan().IndexOf("900150983cd24fb0"u8);
        Assert.True(at > 0);
        File.Copy(program, copy, true);
        using (FileStream file = File.OpenWrite(copy))
        {
            file.Position = at;
            file.WriteByte((byte)'8');
        }
        try
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", copy);
            Assert.Equal(1, result.Status);
            Assert.Contains("FAILED md5 of abc\n", result.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(copy);
        }
    }
}
