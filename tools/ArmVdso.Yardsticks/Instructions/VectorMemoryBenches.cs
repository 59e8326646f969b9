using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Rows on loads and stores of SIMD and floating-point registers.</summary>
internal static partial class VectorMemoryBenches
{
    /// <summary>What a row of "Vector load" stands for: the datum goes to a general register and into the next address; the table's
    /// author subtracts half of the way there and back.</summary>
    public static Bench? Load(string name, double forward)
    {
        Notation n = Notation.Parse(name);
        var bench = new Bench("")
        {
            Registers = Seed.Pointer,
            Constant = Seed.Pointer,
            Memory = Seed.Zero,
            Misalign = n.Misalign(),
            LessCycles = forward,
        };
        if (n.Mnemonic is "ldr" or "ldur")
        {
            return bench with
            {
                Op = $"{n.Mnemonic} {n.Letter}{{d}}, [x{{s}}, #{n.Number("ofs") ?? 0}]",
                Collect = Back(0, "d[0]"),
                Latency = Rotation.Chain(),
            };
        }
        if (n.Mnemonic is "ldp" or "ldnp")
        {
            string pair = n.Has("2nd elem") ? $"{n.Letter}{{d}}, {n.Letter}{{d+1}}" : $"{n.Letter}{{d+1}}, {n.Letter}{{d}}";
            return bench with
            {
                Op = $"{n.Mnemonic} {pair}, [x{{s}}]",
                Collect = Back(1, "d[0]", 1),
                Latency = new(12, 2, 1),
                // The original rotates LDNP as loads of one register.
                Throughput = Rotation.Independent(n.Mnemonic == "ldnp" ? 1 : 2),
            };
        }
        Match match = Structure().Match(n.Mnemonic);
        if (!match.Success || n.Letter.Length == 0)
            return null;
        int registers = Registers(n);
        bool single = n.Has("single");
        string list = List(registers, single ? n.Letter : VectorShapes.Full(n.Letter));
        string index = single ? $"[{n.Element()}]" : "";
        return bench with
        {
            Op = $"{n.Mnemonic} {list}{index}, [x{{s}}]",
            Collect = Back(registers - 1, single ? $"{n.Letter}[{n.Element()}]" : "d[0]"),
            Latency = Rotation.Flat,
            Throughput = Rotation.Independent(registers),
        };
    }

    /// <summary>A datum to the address register of the next copy.</summary>
    private static string Back(int register, string lane, int to = 0)
    {
        string move = lane[0] is 'b' or 'h' ? "umov w" : lane[0] == 's' ? "mov w" : "mov x";
        string target = to == 0 ? "{d}" : $"{{d+{to}}}";
        string sign = to == 0 ? "~" : "+";
        return $"{move}{target}, v{(register == 0 ? "{d}" : $"{{d{sign}{register}}}")}.{lane};add x{target}, x{target}, x28";
    }

    /// <summary>What a row of "Vector store (throughput)" stands for.</summary>
    public static Bench? Store(string name)
    {
        Notation n = Notation.Parse(name);
        // The rows called unaligned use the aligned memory too.
        var bench = new Bench("") { Registers = Seed.Pointer, Constant = Seed.Pointer, Memory = Seed.Pointer };
        if (n.Mnemonic is "str" or "stur")
            return bench with { Op = MemoryBenches.Access(n, $"{n.Letter}{{d}}", $"{n.Letter}{{d}}") };
        if (n.Mnemonic is "stp" or "stnp")
            return bench with { Op = $"{n.Mnemonic} {n.Letter}{{d+1}}, {n.Letter}{{d}}, [x{{s}}]" };
        if (!Structure().IsMatch(n.Mnemonic) || n.Letter.Length == 0)
            return null;
        bool single = n.Has("single");
        int registers = n.Mnemonic[2] - '0';
        return bench with
        {
            Op = $"{n.Mnemonic} {List(registers, single ? n.Letter : VectorShapes.Full(n.Letter))}{(single ? $"[{n.Element()}]" : "")}, "
                + $"[x{{s}}]",
        };
    }

    /// <summary>What a row of "Vector store-to-load" stands for.</summary>
    public static Bench? StoreToLoad(string name)
    {
        string[] parts = name.Split("->", 2, StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || !parts[1].StartsWith("ldr.q (", StringComparison.Ordinal))
            return null;
        Notation store = Notation.Parse(parts[0]);
        string what = parts[1]["ldr.q (".Length..].TrimEnd(')');
        int misalign = what.Contains("cross-cache") ? 128 - 15 : what.Contains("unaligned") ? 1 : 0;
        var bench = new Bench("") { Registers = Seed.Pointer, Constant = Seed.Pointer, Memory = Seed.Pointer, Misalign = misalign };
        int[] offsets = [.. Offset().Matches(what).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];
        int? register = Ordinal().Match(what) is { Success: true } ordinal ? ordinal.Groups[1].Value[0] - '1' : null;
        bool falsely = what.Contains("false dep.");
        if (store.Mnemonic == "str")
        {
            int from = offsets.ElementAtOrDefault(0);
            int to = offsets.ElementAtOrDefault(1);
            return bench with
            {
                Op = $"{(from % 16 == 0 ? "str" : "stur")} q{{s}}, [x28, #{from}];{(to % 16 == 0 ? "ldr" : "ldur")} q{{s}}, [x28, #{to}]",
            };
        }
        if (store.Mnemonic == "stp")
        {
            bool second = register == 1 || falsely;
            int to = falsely ? 0 : offsets.ElementAtOrDefault(0);
            return bench with
            {
                Op = $"stp {store.Letter}{{s}}, {store.Letter}{{s+1}}, [x28];ldr q{{s{(second ? "+1" : "")}}}, [x28, #{to}]",
                Throughput = Rotation.Independent(1),
            };
        }
        if (!Structure().IsMatch(store.Mnemonic) || store.Letter.Length == 0)
            return null;
        bool single = store.Has("single");
        int registers = Registers(store);
        string element = single ? $"[{store.Letter switch { "b" => 15, "h" => 7, "s" => 3, _ => 1 }}]" : "";
        string list = List(registers, single ? store.Letter : VectorShapes.Full(store.Letter), "s");
        int loaded;
        int at;
        if (register is { } wanted && !falsely)
            (loaded, at) = (wanted, 16 * wanted);
        else if (falsely && misalign != 0)
            (loaded, at) = (register ?? 0, 0);
        else if (falsely)
            (loaded, at) = (0, register is > 0 ? 16 * register.Value : offsets.ElementAtOrDefault(0));
        else
            (loaded, at) = (0, offsets.ElementAtOrDefault(0));
        string load = $"ldr q{{s{(loaded == 0 ? "" : $"~{loaded}")}}}, [x28, #{at}]";
        return bench with { Op = $"{store.Mnemonic} {list}{element}, [x28];{load}", Throughput = Rotation.Independent(registers) };
    }

    private static int Registers(Notation n)
    {
        string? count = n.Parameters.FirstOrDefault(
            p => p.EndsWith(" reg", StringComparison.Ordinal) || p.EndsWith(" regs", StringComparison.Ordinal));
        return count is not null ? count[0] - '0' : n.Mnemonic[2] - '0';
    }

    private static string List(int registers, string suffix, string role = "d") =>
        "{" + string.Join(
            ", ", Enumerable.Range(0, registers).Select(i => i == 0 ? $"v{{{role}}}.{suffix}" : $"v{{{role}~{i}}}.{suffix}")) + "}";

    [GeneratedRegex(@"^(?:ld|st)[1-4]r?$")]
    private static partial Regex Structure();

    [GeneratedRegex(@"ofs = (\d+)")]
    private static partial Regex Offset();

    [GeneratedRegex(@"(\d)(?:st|nd|rd|th) reg")]
    private static partial Regex Ordinal();
}
