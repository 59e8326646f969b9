using ArmVdso.Emulator.FloatingPoint;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>What the library says to each operation of fp/oracle.c.</summary>
public static class FpModel
{
    /// <summary>Computes one answer; exception bits are ORed into <paramref name="fpsr"/>.</summary>
    public delegate FpAnswer Operation(in FpQuestion question, ref uint fpsr);

    private delegate ulong Unary(ulong op, int bits, uint fpcr, ref uint fpsr);

    private delegate ulong Binary(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr);

    private static readonly (string Letter, int Bits)[] s_types = [("h", 16), ("s", 32), ("d", 64)];

    /// <summary>The operations by the oracle's names.</summary>
    public static Dictionary<string, Operation> Operations { get; } = Build();

    private static ulong Mask(int bits) => ulong.MaxValue >> (64 - bits);

    private static FpRounding Mode(ulong fpcr) => Fp.RoundingMode((uint)fpcr);

    private static Dictionary<string, Operation> Build()
    {
        var all = new Dictionary<string, Operation>();
        foreach ((string letter, int bits) in s_types)
        {
            void AddUnary(string name, Unary f) => all.Add($"{name}_{letter}", (in FpQuestion q, ref uint fpsr) =>
                new FpAnswer(f(q.A & Mask(bits), bits, (uint)q.Fpcr, ref fpsr), 0, 0, 0));
            void AddBinary(string name, Binary f) => all.Add($"{name}_{letter}", (in FpQuestion q, ref uint fpsr) =>
                new FpAnswer(f(q.A & Mask(bits), q.B & Mask(bits), bits, (uint)q.Fpcr, ref fpsr), 0, 0, 0));
            AddArithmetic(AddUnary, AddBinary);
            AddTernary(all, letter, bits);
            AddRounding(all, letter, bits);
            AddIntegers(all, letter, bits);
        }
        AddConversions(all);
        AddVectors(all);
        return all;
    }

    private static void AddArithmetic(Action<string, Unary> unary, Action<string, Binary> binary)
    {
        binary("fadd", Fp.Add);
        binary("fsub", Fp.Sub);
        binary("fmul", Fp.Mul);
        binary("fnmul", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) => Fp.Neg(Fp.Mul(a, b, n, fpcr, ref fpsr), n, fpcr));
        binary("fmulx", Fp.MulX);
        binary("fdiv", Fp.Div);
        binary("fabd", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) => Fp.Abs(Fp.Sub(a, b, n, fpcr, ref fpsr), n, fpcr));
        binary("fmax", Fp.Max);
        binary("fmin", Fp.Min);
        binary("fmaxnm", Fp.MaxNum);
        binary("fminnm", Fp.MinNum);
        binary("frecps", Fp.RecipStepFused);
        binary("frsqrts", Fp.RSqrtStepFused);
        binary("fcmeq", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) => Fp.CompareEQ(a, b, n, fpcr, ref fpsr) ? Mask(n) : 0);
        binary("fcmge", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) => Fp.CompareGE(a, b, n, fpcr, ref fpsr) ? Mask(n) : 0);
        binary("fcmgt", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) => Fp.CompareGT(a, b, n, fpcr, ref fpsr) ? Mask(n) : 0);
        binary("facge", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) =>
            Fp.CompareGE(Fp.Abs(a, n, fpcr), Fp.Abs(b, n, fpcr), n, fpcr, ref fpsr) ? Mask(n) : 0);
        binary("facgt", (ulong a, ulong b, int n, uint fpcr, ref uint fpsr) =>
            Fp.CompareGT(Fp.Abs(a, n, fpcr), Fp.Abs(b, n, fpcr), n, fpcr, ref fpsr) ? Mask(n) : 0);
        unary("fsqrt", Fp.Sqrt);
        unary("fabs", (ulong a, int n, uint fpcr, ref uint fpsr) => Fp.Abs(a, n, fpcr));
        unary("fneg", (ulong a, int n, uint fpcr, ref uint fpsr) => Fp.Neg(a, n, fpcr));
        unary("frecpe", Fp.RecipEstimate);
        unary("frsqrte", Fp.RSqrtEstimate);
        unary("frecpx", Fp.RecpX);
    }

    private static void AddTernary(Dictionary<string, Operation> all, string letter, int bits)
    {
        foreach ((string name, bool negateAddend, bool negateFactor) in new[] { ("fmadd", false, false), ("fmsub", false, true),
            ("fnmadd", true, true), ("fnmsub", true, false) })
        {
            all.Add($"{name}_{letter}", (in FpQuestion q, ref uint fpsr) =>
            {
                uint fpcr = (uint)q.Fpcr;
                ulong addend = q.C & Mask(bits), factor = q.A & Mask(bits);
                if (negateAddend)
                    addend = Fp.Neg(addend, bits, fpcr);
                if (negateFactor)
                    factor = Fp.Neg(factor, bits, fpcr);
                return new FpAnswer(Fp.MulAdd(addend, factor, q.B & Mask(bits), bits, fpcr, ref fpsr), 0, 0, 0);
            });
        }
        foreach ((string name, bool signal) in new[] { ("fcmp", false), ("fcmpe", true) })
        {
            all.Add($"{name}_{letter}", (in FpQuestion q, ref uint fpsr) =>
                new FpAnswer(0, 0, 0, (ulong)Fp.Compare(q.A & Mask(bits), q.B & Mask(bits), signal, bits, (uint)q.Fpcr, ref fpsr)));
        }
    }

    private static void AddRounding(Dictionary<string, Operation> all, string letter, int bits)
    {
        void Add(string name, FpRounding? mode, bool exact) => all.Add($"{name}_{letter}", (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Fp.RoundInt(q.A & Mask(bits), bits, (uint)q.Fpcr, mode ?? Mode(q.Fpcr), exact, ref fpsr), 0, 0, 0));
        Add("frintn", FpRounding.TieEven, false);
        Add("frintp", FpRounding.PosInf, false);
        Add("frintm", FpRounding.NegInf, false);
        Add("frintz", FpRounding.Zero, false);
        Add("frinta", FpRounding.TieAway, false);
        Add("frinti", null, false);
        Add("frintx", null, true);
        if (bits == 16)
            return;
        foreach (int size in new[] { 32, 64 })
        {
            all.Add($"frint{size}z_{letter}", (in FpQuestion q, ref uint fpsr) =>
                new FpAnswer(Fp.RoundIntN(q.A & Mask(bits), bits, (uint)q.Fpcr, FpRounding.Zero, size, ref fpsr), 0, 0, 0));
            all.Add($"frint{size}x_{letter}", (in FpQuestion q, ref uint fpsr) =>
                new FpAnswer(Fp.RoundIntN(q.A & Mask(bits), bits, (uint)q.Fpcr, Mode(q.Fpcr), size, ref fpsr), 0, 0, 0));
        }
    }

    private static void AddIntegers(Dictionary<string, Operation> all, string letter, int bits)
    {
        void AddTo(string name, int size, int fbits, bool unsigned, FpRounding mode) => all.Add(name, (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Fp.ToFixed(q.A & Mask(bits), bits, fbits, unsigned, size, (uint)q.Fpcr, mode, ref fpsr), 0, 0, 0));
        void AddFrom(string name, int size, int fbits, bool unsigned) => all.Add(name, (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Fp.FromFixed(q.A, size, fbits, unsigned, bits, (uint)q.Fpcr, Mode(q.Fpcr), ref fpsr), 0, 0, 0));

        foreach (bool unsigned in new[] { false, true })
        {
            string s = unsigned ? "u" : "s";
            foreach ((string register, int size) in new[] { ("w", 32), ("x", 64) })
            {
                foreach ((string mode, FpRounding rounding) in new[] { ("n", FpRounding.TieEven), ("p", FpRounding.PosInf),
                    ("m", FpRounding.NegInf), ("z", FpRounding.Zero), ("a", FpRounding.TieAway) })
                    AddTo($"fcvt{mode}{s}_{register}{letter}", size, 0, unsigned, rounding);
                AddFrom($"{s}cvtf_{letter}{register}", size, 0, unsigned);
                foreach (int fbits in size == 32 ? new[] { 1, 13, 32 } : [1, 29, 64])
                {
                    AddTo($"fcvtz{s}_{register}{letter}_{fbits}", size, fbits, unsigned, FpRounding.Zero);
                    AddFrom($"{s}cvtf_{letter}{register}_{fbits}", size, fbits, unsigned);
                }
            }
        }
        if (bits != 16)
            return;
        AddTo("fcvtzs_hv", 16, 0, false, FpRounding.Zero);
        AddTo("fcvtzu_hv", 16, 0, true, FpRounding.Zero);
        AddTo("fcvtas_hv", 16, 0, false, FpRounding.TieAway);
        AddTo("fcvtnu_hv", 16, 0, true, FpRounding.TieEven);
        AddTo("fcvtzs_hv_9", 16, 9, false, FpRounding.Zero);
        AddTo("fcvtzu_hv_16", 16, 16, true, FpRounding.Zero);
        AddFrom("scvtf_hv", 16, 0, false);
        AddFrom("ucvtf_hv", 16, 0, true);
        AddFrom("scvtf_hv_16", 16, 16, false);
        AddFrom("ucvtf_hv_9", 16, 9, true);
    }

    private static void AddConversions(Dictionary<string, Operation> all)
    {
        foreach ((string fromLetter, int from) in s_types)
        {
            foreach ((string toLetter, int to) in s_types)
            {
                if (from != to)
                {
                    all.Add($"fcvt_{toLetter}{fromLetter}", (in FpQuestion q, ref uint fpsr) =>
                        new FpAnswer(Fp.Convert(q.A & Mask(from), from, to, (uint)q.Fpcr, Mode(q.Fpcr), ref fpsr), 0, 0, 0));
                }
            }
        }
        all.Add("fcvtxn", (in FpQuestion q, ref uint fpsr) => new FpAnswer(Fp.Convert(q.A, 64, 32, (uint)q.Fpcr, FpRounding.Odd, ref fpsr),
            0, 0, 0));
        all.Add("bfcvt", (in FpQuestion q, ref uint fpsr) => new FpAnswer(Fp.ConvertBF((uint)q.A, (uint)q.Fpcr, ref fpsr), 0, 0, 0));
        all.Add("fjcvtzs", (in FpQuestion q, ref uint fpsr) =>
        {
            ulong result = Fp.ToFixedJS(q.A, (uint)q.Fpcr, ref fpsr, out bool exact);
            return new FpAnswer(result, 0, 0, exact ? 4u : 0);
        });
    }

    private static void AddVectors(Dictionary<string, Operation> all)
    {
        static ulong Pair(ulong low, ulong high) => (uint)low | (high << 32);
        all.Add("urecpe", (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Pair(Fp.UnsignedRecipEstimate((uint)q.A), Fp.UnsignedRecipEstimate((uint)(q.A >> 32))), 0, 0, 0));
        all.Add("ursqrte", (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Pair(Fp.UnsignedRSqrtEstimate((uint)q.A), Fp.UnsignedRSqrtEstimate((uint)(q.A >> 32))), 0, 0, 0));
        foreach (bool negate in new[] { false, true })
        {
            all.Add(negate ? "fmlsl" : "fmlal", (in FpQuestion q, ref uint fpsr) =>
            {
                ulong flip = negate ? 0x8000u : 0;
                ulong low = Fp.MulAddH((uint)q.C, (ushort)q.A ^ flip, (ushort)q.B, (uint)q.Fpcr, ref fpsr);
                ulong high = Fp.MulAddH(q.C >> 32, (ushort)(q.A >> 16) ^ flip, (ushort)(q.B >> 16), (uint)q.Fpcr, ref fpsr);
                return new FpAnswer(Pair(low, high), 0, 0, 0);
            });
        }
        static uint Dot(ulong addend, ulong a, ulong b, ulong fpcr) =>
            Fp.BFDotAdd((uint)addend, (ushort)a, (ushort)(a >> 16), (ushort)b, (ushort)(b >> 16), (uint)fpcr);
        all.Add("bfdot", (in FpQuestion q, ref uint fpsr) =>
            new FpAnswer(Pair(Dot(q.C, q.A, q.B, q.Fpcr), Dot(q.C >> 32, q.A >> 32, q.B >> 32, q.Fpcr)), 0, 0, 0));
        all.Add("bfmmla", (in FpQuestion q, ref uint fpsr) =>
        {
            // Both rows of either matrix are the same here, so all four sums have the same products.
            uint low = Dot(Dot(q.C, q.A, q.B, q.Fpcr), q.A >> 32, q.B >> 32, q.Fpcr);
            uint high = Dot(Dot(q.C >> 32, q.A, q.B, q.Fpcr), q.A >> 32, q.B >> 32, q.Fpcr);
            return new FpAnswer(Pair(low, high), Pair(low, high), 0, 0);
        });
        foreach (int odd in new[] { 0, 1 })
        {
            all.Add(odd == 0 ? "bfmlalb" : "bfmlalt", (in FpQuestion q, ref uint fpsr) =>
            {
                ulong sum = 0;
                for (int e = 0; e < 2; e++)
                {
                    int at = (32 * e) + (16 * odd);
                    ulong product = Fp.BFMulAdd((uint)(q.C >> (32 * e)), (ushort)(q.A >> at), (ushort)(q.B >> at), (uint)q.Fpcr, ref fpsr);
                    sum |= product << (32 * e);
                }
                return new FpAnswer(sum, sum, 0, 0);
            });
        }
    }
}
