using System.Text.RegularExpressions;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Rows on loads and stores of general registers.</summary>
internal static partial class MemoryBenches
{
    private const string Add = "add x{d}, x{d}, x28";
    private const string AddLatency = "add x{d}, x{d}, x{s}";

    /// <summary>What a row of "Scalar load" stands for.</summary>
    public static Bench? Load(string name)
    {
        Notation n = Notation.Parse(name);
        int misalign = n.Misalign();
        var pointers = new Bench("") { Registers = Seed.Pointer, Constant = Seed.Pointer, Memory = Seed.Pointer, Misalign = misalign };
        var zeros = pointers with { Memory = Seed.Zero };
        int offset = n.Number("ofs") ?? 0;
        bool full = n.Mnemonic is "ldr" or "ldur";
        string register = full || n.Mnemonic.EndsWith("sw", StringComparison.Ordinal) ? "x" : "w";
        if (n.Mnemonic is "ldp" or "ldpsw" or "ldnp")
            return Pair(n, pointers, zeros);
        if (n.Has("literal"))
            return zeros with { Op = $"{n.Mnemonic} x{{d}}, #0" };
        if (n.Has("reg"))
        {
            string shift = n.Shift() is { } s ? $", lsl #{s.Amount}" : "";
            return full
                ? zeros with { Op = $"{n.Mnemonic} x{{d}}, [x28, x{{s}}{shift}]", Registers = Seed.Zero }
                : zeros with
                {
                    Op = $"{n.Mnemonic} {register}{{d}}, [x{{s}}, x28{shift}]",
                    Registers = Seed.Zero,
                    Latency = Rotation.Chain(),
                    Throughput = Rotation.Independent(2),
                };
        }
        if (n.Has("ptr fwd."))
        {
            string access = n.Has("pre") ? $"[x{{s}}, #{offset}]!" : $"[x{{s}}], #{offset}";
            string steps = string.Concat(Enumerable.Repeat($";sub x{{d}}, x{{d}}, #{offset / 8}", 8));
            return pointers with { Op = $"{n.Mnemonic} x28, {access}{steps}", Less = steps[1..] };
        }
        if (n.Has("pre") || n.Has("post"))
        {
            string access = n.Has("pre") ? $"[x{{s}}, #{offset}]!" : $"[x{{s}}], #{offset}";
            return offset == 0
                ? pointers with
                {
                    Op = $"{n.Mnemonic} x{{d+1}}, {access}",
                    Latency = Rotation.Chain(1, 0),
                    Throughput = Rotation.Independent(3),
                }
                : pointers with { Op = $"{n.Mnemonic} x{{d}}, {access}", Latency = Rotation.Chain() };
        }
        string plain = $"{n.Mnemonic} {register}{{d}}, [x{{s}}, #{offset}]";
        Bench bench = full ? pointers with { Op = plain } : zeros with { Op = $"{plain};{Add}", Less = AddLatency };
        return n.Mnemonic[2] == 'u' ? bench : bench with { Latency = Rotation.Chain(), Throughput = Rotation.Independent(2) };
    }

    private static Bench Pair(Notation n, Bench pointers, Bench zeros)
    {
        bool second = n.Has("2nd elem");
        Rotation[] apart = Rotation.Independent(2);
        // The original rotates it as loads of one register: the second datum is the next one's address.
        if (n.Mnemonic == "ldnp")
            return pointers with { Op = "ldnp x{d}, x{d+1}, [x{s}]" };
        string register = n.Mnemonic == "ldpsw" || n.Has("x") ? "x" : "w";
        string names = second ? $"{register}{{d}}, {register}{{d+1}}" : $"{register}{{d+1}}, {register}{{d}}";
        string op = $"{n.Mnemonic} {names}, [x{{s}}]";
        Rotation chain = new(12, 2, 1);
        return register == "x" && n.Mnemonic != "ldpsw"
            ? pointers with { Op = op, Latency = chain, Throughput = apart }
            : zeros with
            {
                Op = $"add x{{s}}, x{{s}}, x28;{op}",
                Registers = Seed.Zero,
                Less = AddLatency,
                Latency = chain,
                Throughput = apart,
            };
    }

    /// <summary>What a row of "Scalar store (throughput)" stands for.</summary>
    public static Bench? Store(string name)
    {
        Notation n = Notation.Parse(name);
        var bench = new Bench("") { Registers = Seed.Pointer, Constant = Seed.Zero, Memory = Seed.Pointer, Misalign = n.Misalign() };
        string register = n.Mnemonic[^1] is 'b' or 'h' ? "w" : "x";
        if (n.Mnemonic is "stp" or "stnp")
            return bench with { Op = $"{n.Mnemonic} x{{d+1}}, x{{d}}, [x{{s}}]", Throughput = Rotation.Independent(2) };
        return bench with
        {
            Op = Access(n, $"{register}{{s}}", $"{register}{{s+1}}"),
            Throughput = Rotation.Independent(n.Has("pre") || n.Has("post") ? 2 : 1),
        };
    }

    /// <summary>A store in the addressing form that the parameters name; write-back goes back behind it.</summary>
    internal static string Access(Notation n, string data, string dataApart)
    {
        int offset = n.Number("ofs") ?? 0;
        string back = offset == 0 ? "" : $";sub x{{s}}, x{{s}}, #{offset}";
        if (n.Has("reg"))
            return $"{n.Mnemonic} {data}, [x{{s}}, x28{(n.Shift() is { } s ? $", lsl #{s.Amount}" : "")}]";
        if (n.Has("pre"))
            return $"{n.Mnemonic} {dataApart}, [x{{s}}, #{offset}]!{back}";
        if (n.Has("post"))
            return $"{n.Mnemonic} {dataApart}, [x{{s}}], #{offset}{back}";
        return $"{n.Mnemonic} {data}, [x{{s}}, #{offset}]";
    }

    /// <summary>What a row of "Scalar store-to-load" stands for.</summary>
    public static Bench? StoreToLoad(string name)
    {
        Match match = Forward().Match(name);
        if (!match.Success)
            return null;
        string store = match.Groups[1].Value;
        string load = match.Groups[2].Value;
        string parameters = match.Groups[3].Value;
        (int from, int to) = Offsets(parameters);
        var bench = new Bench("") { Registers = Seed.Pointer, Constant = Seed.Pointer, Memory = Seed.Pointer };
        if (store != "stp")
        {
            // A scaled load has no odd offsets: the table's "ofs = 1" of it is at 0.
            if (load == "ldr" && to % 8 != 0)
                to = 0;
            return bench with { Op = $"{store} x{{s}}, [x28, #{from}];{load} x{{d}}, [x28, #{to}]" };
        }
        bool swap = parameters.Contains("swap");
        string stored = from == to ? "x{d}, x{d+1}" : "x{d+1}, x{d}";
        string loaded = from == to && !swap ? "x{d}, x{d+1}" : "x{d+1}, x{d}";
        return bench with { Op = $"stp {stored}, [x28, #{from}];ldp {loaded}, [x28, #{to}]", Throughput = Rotation.Independent(2) };
    }

    private static (int From, int To) Offsets(string parameters)
    {
        int[] numbers = [
            .. Digits().Matches(parameters).Select(m => int.Parse(m.Value, System.Globalization.CultureInfo.InvariantCulture))];
        if (numbers.Length == 2)
            return (numbers[0], numbers[1]);
        // "cross-cache -> aligned": a byte before the line's end, the line's start.
        return parameters switch
        {
            "cross-cache -> aligned" => (63, 64),
            "aligned -> cross-cache" => (64, 63),
            "cross-cache -> cross-cache" => (62, 63),
            _ => (0, 0),
        };
    }

    [GeneratedRegex(@"^(\w+) -> (\w+) \((.*)\)$")]
    private static partial Regex Forward();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
