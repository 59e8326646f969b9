namespace ArmVdso.Tests.Vdso;

/// <summary>The Linux kernel's own selftests of the vDSO, of time namespaces and of rseq (Debian's linux-source package),
/// static, on the emulator: with our image and with those of stock kernels.</summary>
public sealed class VdsoSelftestProgramTests
{
    private static void Run(string command, string expected, string vdso, params string[] more)
    {
        string[] words = command.Split(' ');
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["run", "--core", "none", "--vdso", vdso, .. more, Path.Combine(KernelSelftests.Folder, words[0]), .. words[1..]]);
        Assert.True(result.Status == 0, $"status {result.Status}\n{result.Output}{result.Errors}");
        Assert.Contains(expected, result.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("not ok", result.Output);
        Assert.DoesNotMatch("fail:[1-9]", result.Output);
        Assert.DoesNotContain("[FAIL]", result.Output);
    }

    [Theory]
    [InlineData("vdso_test_gettimeofday", "The time is")]
    [InlineData("vdso_test_abi", "ok 1 ")]
    [InlineData("vdso_test_getcpu-kernel", "Running on CPU")]
    [InlineData("vdso_test_clock_getres", "Pass")]
    [InlineData("vdso_test_correctness", "[OK]")]
    [InlineData("vdso_test_chacha", "chacha: PASS")]
    [InlineData("vdso_test_chacha-stock", "chacha: PASS")]
    [InlineData("vdso_test_getrandom", "pass:2")]
    [InlineData("rseq_basic_test", "testing current cpu")]
    [InlineData("rseq_basic_percpu_ops_test-short", "percpu_list")]
    [InlineData("rseq_basic_percpu_ops_mm_cid_test-short", "percpu_list")]
    [InlineData("rseq_param_test -T s -r 50 -t 12 -v", "")]
    [InlineData("rseq_param_test -T l -r 50 -t 12", "")]
    [InlineData("rseq_param_test -T b -r 50 -t 12 -M", "")]
    [InlineData("rseq_param_test -T r -r 50 -t 12", "")]
    [InlineData("rseq_param_test_compare_twice -T m -r 50 -t 12", "")]
    [InlineData("rseq_param_test_mm_cid -T i -r 50 -t 12", "")]
    [InlineData("rseq_param_test_mm_cid_compare_twice -T b -r 50 -t 12", "")]
    [InlineData("timens_timens", "pass:10")]
    [InlineData("timens_timer", "pass:3")]
    [InlineData("timens_timerfd", "pass:3")]
    [InlineData("timens_clock_nanosleep", "pass:4")]
    [InlineData("timens_procfs", "pass:2")]
    [InlineData("timens_exec", "pass:1")]
    [InlineData("timens_futex", "pass:2")]
    [InlineData("timens_vfork_exec", "pass:4")]
    public void Passes(string name, string expected) => Run(name, expected, "per-cpu");

    /// <summary>With slices of 2 us critical sections are left in the middle all the time, and EL1 code aborts them.</summary>
    [Theory]
    [InlineData("rseq_param_test -T i -r 2000 -t 8")]
    [InlineData("rseq_param_test -T s -r 2000 -t 8")]
    [InlineData("rseq_param_test -T b -r 1000 -t 8 -M")]
    public void Passes_where_EL1_code_aborts(string command) =>
        Run(command, "", "per-cpu", "--cpus", "2", "--slice", "2", "--quantum", "50", "--kernel", "kstack-random+rseq");

    /// <summary>Those that look at what the designs change, and one of each kind besides.</summary>
    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    public void Passes_on_every_design(string design)
    {
        Run("vdso_test_getcpu-kernel", "Running on CPU", design);
        Run("vdso_test_gettimeofday", "The time is", design);
        Run("vdso_test_abi", "ok 1 ", design);
        Run("vdso_test_clock_getres", "Pass", design);
        Run("vdso_test_correctness", "[OK]", design);
        Run("rseq_basic_test", "testing current cpu", design);
        Run("timens_timens", "pass:10", design);
        Run("timens_vfork_exec", "pass:4", design);
    }

    [Theory]
    [InlineData("6.1", "vdso_test_gettimeofday", "The time is")]
    [InlineData("6.1", "vdso_test_abi", "ok 1 ")]
    [InlineData("6.1", "vdso_test_clock_getres", "Pass")]
    [InlineData("6.1", "vdso_test_correctness", "[OK]")]
    [InlineData("6.1", "timens_timens", "pass:10")]
    [InlineData("6.1", "timens_exec", "pass:1")]
    [InlineData("6.12", "vdso_test_gettimeofday", "The time is")]
    [InlineData("6.12", "vdso_test_abi", "ok 1 ")]
    [InlineData("6.12", "vdso_test_clock_getres", "Pass")]
    [InlineData("6.12", "vdso_test_correctness", "[OK]")]
    [InlineData("6.12", "vdso_test_getrandom", "pass:2")]
    [InlineData("6.12", "timens_timens", "pass:10")]
    [InlineData("6.12", "timens_vfork_exec", "pass:4")]
    public void Passes_on_a_stock_image(string version, string name, string expected) => Run(name, expected, StockImages.Path(version));
}
