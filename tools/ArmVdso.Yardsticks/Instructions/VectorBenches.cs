namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Rows on SIMD and floating-point registers that touch no memory.</summary>
internal static class VectorBenches
{
    private const string ToGeneral = "mov x{d}, v{d}.d[0]";

    /// <summary>What a row stands for; null when no shape of its operands is an instruction.</summary>
    /// <param name="section">Section of the table.</param>
    /// <param name="name">The row.</param>
    /// <param name="moveToGeneral">Cycles that the table's author takes for a move from a vector to a general register.</param>
    public static Bench? Find(string section, string name, double moveToGeneral)
    {
        Notation n = Notation.Parse(name);
        if (section.StartsWith("Vector element move", StringComparison.Ordinal) && Elements(n, name) is { } move)
            return move;
        if (section.StartsWith("Vector permute", StringComparison.Ordinal) && Permute(n) is { } permute)
            return permute;
        if (section.StartsWith("Floating point convert", StringComparison.Ordinal) && Convert(n, name, moveToGeneral) is { } convert)
            return convert;
        if (section.StartsWith("Floating point compare", StringComparison.Ordinal) && Flags(n) is { } flags)
            return flags;
        if (n.Condition() is { } condition)
            return Made(VectorShapes.FirstThatAssembles([$"{n.Mnemonic} {n.Letter}{{d}}, {n.Letter}{{d}}, {n.Letter}{{s}}, {condition}"]));
        if (section.StartsWith("Hash", StringComparison.Ordinal))
            return Made(VectorShapes.FirstThatAssembles(Hashes(n)));
        if (n.Letter.Length == 0)
            return null;
        return Plain(n);
    }

    private static Bench? Made(string? op) => op is null ? null : new Bench(op);

    private static Bench? Plain(Notation n)
    {
        string m = n.Mnemonic;
        string tail = n.Has("zero") ? m[0] == 'f' ? ", #0.0" : ", #0" : n.Number("deg") is { } degrees ? $", #{degrees}" : "";
        if (n.Shift() is { } shift && !n.Has("reg"))
            tail = $", #{shift.Amount}";
        // SHLL shifts by the size of its element.
        if (m is "shll" or "shll2")
            tail = n.Letter switch { "b" => ", #8", "h" => ", #16", _ => ", #32" };
        bool forward = n.Has("acc. fwd.");
        string[] shapes = m is "fmadd" or "fmsub" or "fnmadd" or "fnmsub"
            ? [forward
                ? $"{m} {n.Letter}{{d}}, {n.Letter}28, {n.Letter}28, {n.Letter}{{s}}"
                : $"{m} {n.Letter}{{d}}, {n.Letter}{{d}}, {n.Letter}{{s}}, {n.Letter}28"]
            : n.Element() is { } element ? [.. VectorShapes.ByElement(m, n.Letter, element, tail)]
            : n.Has("scl") ? [.. VectorShapes.Scalar(m, n.Letter, tail)]
            : m is "sxtl" or "sxtl2" or "uxtl" or "uxtl2"
                ? [.. VectorShapes.Vector($"{m[0]}shll{(m.EndsWith('2') ? "2" : "")}", n.Letter, ", #0")]
            : m is "orr" or "bic"
                ? [$"{m} v{{d}}.{VectorShapes.Full(n.Letter)}, v{{d}}.{VectorShapes.Full(n.Letter)}, v{{s}}.{VectorShapes.Full(n.Letter)}",
                    $"{m} v{{d}}.{VectorShapes.Full(n.Letter)}, #17{tail.Replace(",", ", lsl", StringComparison.Ordinal)}"]
            : [.. VectorShapes.Vector(m, n.Letter, tail), .. VectorShapes.Scalar(m, n.Letter, tail)];
        string? op = VectorShapes.FirstThatAssembles(shapes);
        if (op is null)
            return null;
        // Forwarding of the accumulator: only it is in the chain.
        if (forward && m[..2] is not ("fm" or "fn")
            || (forward && !m.EndsWith("add", StringComparison.Ordinal) && !m.EndsWith("sub", StringComparison.Ordinal)))
        {
            int comma = op.IndexOf(',');
            op = op[..comma] + op[comma..].Replace("{d}", "28", StringComparison.Ordinal).Replace("{s}", "29", StringComparison.Ordinal);
        }
        // Elements of half words are in V0 to V15 only.
        return n.Letter == "h" && n.Element() is not null
            ? new Bench(op) { Throughput = [new Rotation(12, 1, 0), new Rotation(12, 1, 0, 6, 2)] }
            : new Bench(op);
    }

    private static Bench? Elements(Notation n, string name)
    {
        if (name.Contains("<->"))
        {
            // "umov.h (v.h[0] <-> w)": there by INS (or FMOV), back by the row's instruction.
            string lane = n.Parameters[0].Split(' ')[0].Replace("v.", "", StringComparison.Ordinal);
            string back = n.Parameters[0].Split(' ')[^1];
            string there = lane[0] == 'd' ? "x" : "w";
            if (n.Mnemonic == "fmov")
            {
                string form = lane.EndsWith("[1]", StringComparison.Ordinal) ? $"v{{d}}.{lane}" : $"{lane[..1]}{{d}}";
                return new Bench($"fmov {form}, {there}{{s}};fmov {there}{{d}}, {form}");
            }
            return new Bench($"mov v{{d}}.{lane}, {there}{{s}};{n.Mnemonic} {back}{{d}}, v{{d}}.{lane}");
        }
        string full = n.Letter.Length > 0 ? VectorShapes.Full(n.Letter) : "";
        if (n.Mnemonic == "dup" && n.Has("elem"))
        {
            return new Bench($"dup v{{d}}.{full}, {(n.Letter == "d" ? "x" : "w")}{{s}}")
            {
                Collect = ToGeneral,
                Less = "mov v{d}.d[0], x{s};mov x{d}, v{d}.d[0]",
                LessFactor = 0.5,
            };
        }
        if (n.Mnemonic == "dup" && n.Number("lane") is { } number)
            return new Bench($"dup v{{d}}.{full}, v{{s}}.{n.Letter}[{number}]");
        string? immediate = n.Parameters.FirstOrDefault(p => p.StartsWith("0x", StringComparison.Ordinal) || char.IsAsciiDigit(p[0]));
        if (immediate is null)
            return null;
        string value = immediate.Split("<<")[0];
        string lsl = n.Shift() is { } shift ? $", lsl #{shift.Amount}" : "";
        // A byte of ones in every place of the 64-bit form.
        string wide = value == "0xff" ? "0xffffffffffffffff" : value;
        string start = $"{n.Mnemonic} v{{d}}.{full}, ";
        return Made(VectorShapes.FirstThatAssembles([$"{start}#{value}{lsl}", $"{start}#{wide}", $"{start}#{value}.0"]));
    }

    private static Bench? Permute(Notation n)
    {
        if (n.Mnemonic is "tbl" or "tbx")
        {
            static int? Length(string p) => p.StartsWith("len == ", StringComparison.Ordinal) && int.TryParse(p[7..], out int l) ? l : null;
            int? length = n.Parameters.Select(Length).FirstOrDefault(l => l is not null);
            if (length is null)
                return null;
            string list = string.Join(", ", Enumerable.Range(28, length.Value).Select(i => $"v{i & 31}.16b"));
            return new Bench($"{n.Mnemonic} v{{d}}.16b, {{{list}}}, v{{s}}.16b");
        }
        if (n.Mnemonic == "ext")
            return new Bench($"ext v{{d}}.16b, v{{d}}.16b, v{{s}}.16b, #{n.Shift()?.Amount ?? 1}");
        return null;
    }

    private static Bench? Convert(Notation n, string name, double moveToGeneral)
    {
        string m = n.Mnemonic;
        if (name.Contains("scl -> reg"))
            return new Bench($"{m} x{{d}}, {n.Letter}{{s}}") { Collect = "mov v{d}.d[0], x{d}", LessCycles = moveToGeneral };
        if (m is "fjcvtzs")
            return new Bench("fjcvtzs w{d}, d{s}") { Collect = "mov v{d}.s[0], w{d}", LessCycles = moveToGeneral };
        if (m is "scvtf" or "ucvtf" && n.Has("scl"))
        {
            string general = n.Letter == "d" ? "x" : "w";
            string tail = n.Shift() is { } shift ? $", #{shift.Amount}" : "";
            return new Bench($"{m} {n.Letter}{{d}}, {general}{{s}}{tail}") { Collect = $"fmov x{{d}}, d{{d}}", LessCycles = moveToGeneral };
        }
        string? change = n.Parameters.FirstOrDefault(p => p.Contains("->"));
        if (change is not null && change.Split("->", StringSplitOptions.TrimEntries) is [[_] from, [_] to])
        {
            bool upper = m.EndsWith('2');
            return Made(VectorShapes.FirstThatAssembles(
            [
                $"{m} {to}{{d}}, {from}{{s}}",
                $"{m} v{{d}}.{VectorShapes.Full(to)}, v{{s}}.{(upper ? VectorShapes.Full(from) : VectorShapes.Half(from))}",
                $"{m} v{{d}}.{(upper ? VectorShapes.Full(to) : VectorShapes.Half(to))}, v{{s}}.{VectorShapes.Full(from)}",
            ]));
        }
        if (m is "fcvtxn" or "fcvtxn2" && n.Letter.Length == 0)
            return new Bench($"{m} v{{d}}.{(m.EndsWith('2') ? "4s" : "2s")}, v{{s}}.2d");
        return null;
    }

    private static Bench? Flags(Notation n)
    {
        string t = n.Letter;
        bool compare = n.Mnemonic is "fcmp" or "fcmpe";
        if (!compare && n.Mnemonic is not ("fccmp" or "fccmpe"))
            return null;
        string op = compare
            ? $"{n.Mnemonic} {t}{{s}}, {(n.Has("zero") ? "#0.0" : $"{t}{{s}}")}"
            : $"{n.Mnemonic} {t}{{s}}, {t}{{s}}, #15, {n.Condition()}";
        string select = compare ? $"fcsel {t}{{d}}, {t}{{d}}, {t}{{s}}, eq" : "fcsel d{d}, d{d}, d{s}, eq";
        return new Bench(op) { Collect = select, Less = "fcsel d{d}, d{d}, d{s}, eq", SweepBehind = compare ? "" : "adds x{s}, x{s}, x28" };
    }

    private static IEnumerable<string> Hashes(Notation n)
    {
        string m = n.Mnemonic;
        int element = n.Element() ?? 0;
        yield return $"{m} v{{d}}.16b, v{{s}}.16b";
        yield return $"{m} q{{d}}, s{{s}}, v{{s}}.4s";
        yield return $"{m} q{{d}}, q{{s}}, v{{s}}.4s";
        yield return $"{m} q{{d}}, q{{s}}, v{{s}}.2d";
        yield return $"{m} s{{d}}, s{{s}}";
        yield return $"{m} v{{d}}.4s, v{{d}}.4s, v{{s}}.4s";
        yield return $"{m} v{{d}}.4s, v{{s}}.4s, v{{s}}.4s, v{{s}}.4s";
        yield return $"{m} v{{d}}.4s, v{{s}}.4s, v{{s}}.s[{element}]";
        yield return $"{m} v{{d}}.2d, v{{d}}.2d, v{{s}}.2d";
        yield return $"{m} v{{d}}.4s, v{{s}}.4s";
        yield return $"{m} v{{d}}.2d, v{{s}}.2d";
    }
}
