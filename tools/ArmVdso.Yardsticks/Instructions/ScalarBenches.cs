using System.Globalization;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Rows on general registers: moves, arithmetic, shifts, flags, hashes, atomics.</summary>
internal static class ScalarBenches
{
    /// <summary>What a row stands for; null when the notation is not known.</summary>
    public static Bench? Find(string section, string name)
    {
        Notation n = Notation.Parse(name);
        if (section.StartsWith("Scalar nop and move", StringComparison.Ordinal))
            return Move(n, name);
        if (section.StartsWith("Scalar integer compare", StringComparison.Ordinal))
            return Compare(n);
        if (section.StartsWith("Scalar condtional", StringComparison.Ordinal)
            || section.StartsWith("Scalar conditional", StringComparison.Ordinal))
            return Conditional(n);
        if (section.StartsWith("Atomic", StringComparison.Ordinal))
            return Atomic(n);
        return Arithmetic(n);
    }

    private static string Shifted(Notation n, bool forRotate = true)
    {
        if (n.Shift() is not { } shift)
            return "";
        string kind = shift.Left ? "lsl" : n.Has("signed") ? "asr" : n.Has("rotate") && forRotate ? "ror" : "lsr";
        return $", {kind} #{shift.Amount}";
    }

    private static Bench? Move(Notation n, string name)
    {
        bool chain = n.Has("chain");
        if (n.Mnemonic == "nop")
            return new Bench("nop");
        if (name.StartsWith("mov (x -> x", StringComparison.Ordinal))
            return new Bench("mov x{d}, x{s}") { Throughput = chain ? [Rotation.Flat] : Rotation.Independent(1) };
        if (name.StartsWith("mov (v.", StringComparison.Ordinal))
            return new Bench("mov v{d}.16b, v{s}.16b") { Throughput = chain ? [Rotation.Flat] : Rotation.Independent(1) };
        if (n.Has("clearing idiom") || n.Has("zeroing idiom"))
        {
            return n.Letter.Length > 0
                ? new Bench(
                    $"{n.Mnemonic} v{{d}}.{VectorShapes.Full(n.Letter)}, v{{s}}.{VectorShapes.Full(n.Letter)}, "
                    + $"v{{s}}.{VectorShapes.Full(n.Letter)}")
                : new Bench($"{n.Mnemonic} x{{d}}, x{{s}}, x{{s}}");
        }
        // The last parameter is the immediate.
        string? immediate = n.Parameters.LastOrDefault(
            p => p.StartsWith("0x", StringComparison.Ordinal) || p.StartsWith("mask imm", StringComparison.Ordinal));
        if (immediate is null)
            return null;
        string number = immediate.Split(' ')[^1].Split("<<")[0];
        string mnemonic = name.StartsWith("mov / ", StringComparison.Ordinal) ? name["mov / ".Length..].Split(' ')[0] : n.Mnemonic;
        if (n.Has("mask imm"))
            mnemonic = "mov";
        string lsl = n.Shift() is { } shift ? $", lsl #{shift.Amount}" : "";
        return new Bench($"{mnemonic} x{{d}}, #{number}{lsl}");
    }

    private static Bench? Compare(Notation n)
    {
        string? body = n.Mnemonic switch
        {
            "ccmn" or "ccmp" => $"{n.Mnemonic} x{{s}}, {(n.Has("imm") ? "#17" : "x28")}, #15, {n.Condition()}",
            "tst" or "cmp" or "cmn" =>
                n.Has("imm")
                ? $"{n.Mnemonic} x{{s}}, #{(n.Mnemonic == "tst" ? "0x1ffc" : "17")}"
                : $"{n.Mnemonic} x{{s}}, x{{s}}{Shifted(n)}",
            "rmif" => "rmif x{d}, #17, #15",
            "setf8" or "setf16" => $"{n.Mnemonic} w{{d}}",
            "cfinv" or "axflag" or "xaflag" => n.Mnemonic,
            _ => null,
        };
        return body is null ? null : Flags(body);
    }

    /// <summary>What reads or writes flags: a chain through them; the best of one to eight behind an instruction that ends one.</summary>
    private static Bench Flags(string body) => new($"adcs x{{s}}, x{{s}}, x28; {body}")
    {
        Less = "adcs x{s}, x{s}, x28",
        ThroughputOp = body,
        SweepBehind = "adds x{s}, x{s}, x28",
    };

    private static Bench? Conditional(Notation n)
    {
        if (n.Condition() is not { } condition)
            return null;
        return n.Mnemonic switch
        {
            "cset" or "csetm" => new Bench($"{n.Mnemonic} x{{s}}, {condition}"),
            "cinc" or "cinv" or "cneg" => new Bench($"{n.Mnemonic} x{{d}}, x{{s}}, {condition}"),
            _ => new Bench($"{n.Mnemonic} x{{d}}, x{{d}}, x{{s}}, {condition}"),
        };
    }

    private static Bench? Atomic(Notation n)
    {
        string size = n.Mnemonic[^1] is 'b' or 'h' ? "w" : "x";
        string op = n.Mnemonic.StartsWith("casp", StringComparison.Ordinal)
            ? $"{n.Mnemonic} x{{d}}, x{{d+1}}, x{{d+2}}, x{{d+3}}, [x28]"
            : $"{n.Mnemonic} {size}{{d}}, {size}{{s}}, [x28]";
        return new Bench(op)
        {
            Registers = Seed.Zero,
            Constant = Seed.Pointer,
            Memory = Seed.Zero,
            Throughput = n.Mnemonic.StartsWith("casp", StringComparison.Ordinal) ? Rotation.Independent(4) : Rotation.Independent(1),
        };
    }

    private static Bench? Arithmetic(Notation n)
    {
        string mnemonic = n.Mnemonic;
        string shift = Shifted(n);
        if (n.Has("imm") || n.Parameters.Any(p => p.StartsWith("imm<<", StringComparison.Ordinal)) || n.Has("mask imm"))
        {
            if (mnemonic == "extr")
                return new Bench($"extr x{{d}}, x{{d}}, x{{s}}, #{n.Shift()?.Amount ?? 17}");
            if (mnemonic is "lsl" or "lsr" or "asr" or "ror")
                return new Bench($"{mnemonic} x{{d}}, x{{s}}, #17");
            return n.Has("mask imm")
                ? new Bench($"{mnemonic} x{{d}}, x{{s}}, #0x1ffc")
                : new Bench($"{mnemonic} x{{d}}, x{{s}}, #1{(n.Shift() is null ? "" : ", lsl #12")}");
        }
        return mnemonic switch
        {
            "adr" => new Bench("adr x{d}, #0"),
            "adrp" => new Bench("adrp x{d}, #0"),
            "neg" or "negs" or "mvn" => new Bench($"{mnemonic} x{{d}}, x{{s}}{shift}"),
            "adcs" or "sbcs" => Flags($"{mnemonic} x{{s}}, x{{s}}, x28"),
            "ngcs" => Flags("ngcs x{s}, x{s}"),
            "ngc" or "clz" or "cls" or "rbit" or "abs" or "cnt" or "ctz" => new Bench($"{mnemonic} x{{d}}, x{{s}}"),
            "rev" => new Bench($"{(n.Parameters.FirstOrDefault() is { } form && form != "rev64" ? form : "rev")} x{{d}}, x{{s}}"),
            "rev16" or "rev32" => new Bench($"{mnemonic} x{{d}}, x{{s}}"),
            "madd" or "msub" => new Bench($"{mnemonic} x{{d}}, x{{s}}, x{{s}}, x{{d}}"),
            "smaddl" or "smsubl" or "umaddl" or "umsubl" => new Bench($"{mnemonic} x{{d}}, w{{s}}, w{{s}}, x{{d}}"),
            "smull" or "smnegl" or "umull" or "umnegl" => new Bench($"{mnemonic} x{{d}}, w{{d}}, w{{s}}"),
            "sxtb" or "sxth" or "sxtw" => new Bench($"{mnemonic} x{{d}}, w{{s}}"),
            "uxtb" or "uxth" => new Bench($"{mnemonic} w{{d}}, w{{s}}"),
            "bfc" => new Bench("bfc x{d}, #17, #11"),
            "bfi" or "bfm" or "bfxil" or "sbfm" or "sbfx" or "sbfiz" or "ubfm" or "ubfx" or "ubfiz" =>
                new Bench($"{mnemonic} x{{d}}, x{{s}}, #17, #11"),
            _ when mnemonic.StartsWith("crc32", StringComparison.Ordinal) =>
                new Bench($"{mnemonic} w{{d}}, w{{d}}, {(mnemonic[^1] == 'x' ? "x" : "w")}{{s}}"),
            _ => new Bench($"{mnemonic} x{{d}}, x{{d}}, x{{s}}{shift}"),
        };
    }

}
