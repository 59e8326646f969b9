using ArmVdso.Emulator.FloatingPoint;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>
/// The floating-point library against an independent AArch64 implementation, result and FPSR, bit by bit: at least 200,000
/// records for each group of operations, 50 million with ARMVDSO_LONG=1.
/// </summary>
public sealed class FpDifferentialTests : IClassFixture<FpOracle>
{
    private const int Batch = 1 << 14;
    private readonly FpOracle _oracle;
    private readonly FpQuestion[] _questions = new FpQuestion[1 << 16];
    private readonly FpAnswer[] _answers = new FpAnswer[1 << 16];

    public FpDifferentialTests(FpOracle oracle) => _oracle = oracle;

    private static long Records => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1" ? 50_000_000 : 200_000;

    [Fact]
    public void EveryOperationOfTheOracleIsModelled() =>
        Assert.Equal(_oracle.Operations.Order(StringComparer.Ordinal), FpModel.Operations.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("fadd fsub fabd")]
    [InlineData("fmul fnmul fmulx")]
    [InlineData("fdiv")]
    [InlineData("fsqrt")]
    [InlineData("fmax fmin fmaxnm fminnm")]
    [InlineData("fcmeq fcmge fcmgt facge facgt fcmp fcmpe")]
    [InlineData("frecps frsqrts")]
    [InlineData("fabs fneg frecpe frsqrte frecpx")]
    [InlineData("frinta frinti frintm frintn frintp frintx frintz")]
    public void Arithmetic(string names)
    {
        string[] operations = [.. names.Split(' ').SelectMany(name => new[] { name + "_h", name + "_s", name + "_d" })];
        Compare(operations, (operands, name) => operands.Next(BitsOf(name), product: false));
    }

    [Fact]
    public void FusedMultiplyAdd() => Compare(
        [.. from name in new[] { "fmadd", "fmsub", "fnmadd", "fnmsub" } from type in "hsd" select $"{name}_{type}"],
        (operands, name) => operands.Next(BitsOf(name), product: true));

    [Fact]
    public void RoundToIntegerOfGivenSize() => Compare(
        [.. from name in new[] { "frint32z", "frint32x", "frint64z", "frint64x" } from type in "sd" select $"{name}_{type}"],
        (operands, name) => operands.Next(BitsOf(name), product: false));

    [Fact]
    public void BetweenFormats() => Compare(
        ["fcvt_sh", "fcvt_dh", "fcvt_hs", "fcvt_ds", "fcvt_hd", "fcvt_sd", "fcvtxn", "bfcvt", "fjcvtzs"],
        (operands, name) => operands.Next(name is "fcvtxn" or "fjcvtzs" ? 64 : name == "bfcvt" ? 32 : BitsOf(name), product: false));

    [Fact]
    public void ToIntegers() => Compare(
        [.. _oracle.Operations.Where(name => name.StartsWith("fcvt", StringComparison.Ordinal)
            && !name.StartsWith("fcvt_", StringComparison.Ordinal) && name != "fcvtxn")],
        (operands, name) => operands.Next(ToIntegerBits(name), product: false));

    [Fact]
    public void FromIntegers() => Compare(
        [.. _oracle.Operations.Where(name => name.Contains("cvtf_", StringComparison.Ordinal))],
        (operands, name) => operands.Next(0, product: false));

    [Fact]
    public void HalfPrecisionProductsAndBFloat16()
    {
        Compare(["fmlal", "fmlsl"], (operands, name) => operands.NextVector(16, 32));
        Compare(["bfmlalb", "bfmlalt", "bfdot", "bfmmla"], (operands, name) =>
            operands.NextVector(16, 32) with { A = operands.TopsOfSingles(), B = operands.TopsOfSingles() });
    }

    [Fact]
    public void UnsignedEstimates() => Compare(["urecpe", "ursqrte"], (operands, name) => operands.Next(0, product: false));

    /// <summary>All 65536 half-precision operands of everything that takes one, in every rounding mode with and without the
    /// other controls.</summary>
    [Fact]
    public void EveryHalfPrecisionOperand()
    {
        string[] rounded = ["fsqrt_h", "frinti_h", "frintx_h", "frecpe_h", "frsqrte_h", "fcvt_sh", "fcvt_dh"];
        string[] others = ["fabs_h", "fneg_h", "frecpx_h", "frinta_h", "frintm_h", "frintn_h", "frintp_h", "frintz_h"];
        ulong[] controls = [0, FpcrBits.FZ16 | FpcrBits.DN, FpcrBits.AHP | FpcrBits.FZ, FpcrBits.FZ16 | FpcrBits.AHP];
        foreach (string name in rounded)
        {
            for (int mode = 0; mode < 4; mode++)
                CompareEvery(name, ((ulong)mode << FpcrBits.RModeShift) | controls[mode]);
            CompareEvery(name, controls[1]);
            CompareEvery(name, controls[2]);
        }
        foreach (string name in others.Concat(_oracle.Operations.Where(name => name.StartsWith("fcvt", StringComparison.Ordinal)
            && TakesHalf(name))))
        {
            CompareEvery(name, 0);
            CompareEvery(name, FpcrBits.FZ16 | FpcrBits.DN | FpcrBits.RMode);
        }
    }

    private static bool TakesHalf(string name) => !name.StartsWith("fcvt_", StringComparison.Ordinal) && name != "fcvtxn"
        && ToIntegerBits(name) == 16;

    private static int BitsOf(string name) => name[^1] switch { 'h' => 16, 's' => 32, _ => 64 };

    /// <summary>Source width of names as fcvtzs_wd_13 or fcvtzs_hv.</summary>
    private static int ToIntegerBits(string name)
    {
        string registers = name.Split('_')[1];
        return registers == "hv" ? 16 : BitsOf(registers);
    }

    private void Compare(string[] operations, Func<FpOperands, string, FpQuestion> next)
    {
        long each = (Records / operations.Length) + 1;
        for (int i = 0; i < operations.Length; i++)
        {
            string name = operations[i];
            var operands = new FpOperands(name.Sum(c => c) + i);
            for (long done = 0; done < each; done += Batch)
            {
                int count = (int)Math.Min(Batch, each - done);
                for (int n = 0; n < count; n++)
                    _questions[n] = next(operands, name);
                Check(name, count);
            }
        }
    }

    private void CompareEvery(string name, ulong fpcr)
    {
        for (uint half = 0; half < 0x10000; half++)
            _questions[half] = new FpQuestion(fpcr, half, 0, 0);
        Check(name, 0x10000);
    }

    private void Check(string name, int count)
    {
        _oracle.Ask(name, _questions.AsSpan(0, count), _answers);
        FpModel.Operation model = FpModel.Operations[name];
        for (int n = 0; n < count; n++)
        {
            uint fpsr = 0, inexact = FpsrBits.IXC;
            FpAnswer answer = model(_questions[n], ref fpsr) with { Fpsr = fpsr };
            FpAnswer expected = Architected(name, _questions[n], _answers[n]);
            if (answer != expected)
                Assert.Fail($"{name}: {Text(_questions[n])}: {Text(answer)}, the oracle says {Text(expected)}");
            // With Inexact already set the host's arithmetic may be used.
            FpAnswer again = model(_questions[n], ref inexact) with { Fpsr = fpsr };
            if (again != answer || inexact != (fpsr | FpsrBits.IXC))
                Assert.Fail($"{name}: {Text(_questions[n])}: {Text(answer)}, but with FPSR.IXC set {Text(again)} FPSR 0x{inexact:x}");
        }
    }

    /// <summary>
    /// The oracle's answer, put right where qemu 7.2 deviates from the architecture:
    /// <list type="bullet">
    /// <item>FJCVTZS of a positive denormal that FPCR.FZ flushes sets Z; FPToFixedJS (DDI0487, J1.3) clears it
    /// (<c>value == 0.0 &amp;&amp; !IsZero(op&lt;51:0&gt;)</c>);</item>
    /// <item>FCVTZS (vector, fixed-point) of a half-precision scalar writes the sign into bits 31:16; the result is a 16-bit
    /// element and the rest of the register is zero (DDI0487, C7.2 "FCVTZS (vector, fixed-point)").</item>
    /// </list>
    /// </summary>
    private static FpAnswer Architected(string name, FpQuestion question, FpAnswer answer) => name switch
    {
        "fjcvtzs" when (question.Fpcr & FpcrBits.FZ) != 0 && question.A - 1 < (1UL << 52) - 1 => answer with { Nzcv = 0 },
        "fcvtzs_hv_9" => answer with { Result = (ushort)answer.Result },
        _ => answer,
    };

    private static string Text(FpQuestion q) => $"fpcr 0x{q.Fpcr:x} a 0x{q.A:x} b 0x{q.B:x} c 0x{q.C:x}";

    private static string Text(FpAnswer a) => $"0x{a.High:x}:{a.Result:x} fpsr 0x{a.Fpsr:x} nzcv {a.Nzcv}";
}
