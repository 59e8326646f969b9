namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Rows on branches: two branches an operation in the original, one here. X28 is all ones. X27 was one when the Cortex-A53 was
/// measured, so that what its table calls <c>cbz taken</c> is not, as its figures say too; later, for the Neoverse N1, it was
/// zero.</summary>
internal static class BranchBenches
{
    private const string Random = "full random";

    /// <summary>What a row stands for; null when the notation is not known.</summary>
    public static Bench? Find(string name, bool outOfOrder)
    {
        string[] parts = name.Split("//", StringSplitOptions.TrimEntries);
        string beside = parts.Length > 1 ? parts[1] : "";
        int adds = beside.StartsWith("add", StringComparison.Ordinal) ? beside.Contains("x 3") ? 3 : beside.Contains("x 2") ? 2 : 1 : 0;
        string head = parts[0];
        if (head.Contains(Random))
            return Unpredictable(head, adds);
        if (head is "bl-ret" or "blr-ret")
        {
            return new Bench(head == "bl-ret" ? "bl {callee}" : "blr x0")
            {
                Callee = string.Concat(Enumerable.Repeat("add x1, x1, x28;", adds)) + "ret",
                Throughput = [Rotation.Flat],
            };
        }
        if (head.StartsWith("adr -> br", StringComparison.Ordinal))
        {
            string add = adds > 0 ? "add x1, x1, x2;" : "";
            return new Bench($"{(adds > 1 ? add : "")}adr x0, #{(adds > 0 ? 12 : 8)};{add}br x0") { Throughput = [Rotation.Flat] };
        }
        int arrow = head.IndexOf("->", StringComparison.Ordinal);
        Notation n = Notation.Parse(arrow < 0 ? head : head[(arrow + 2)..].Trim().Replace("b.", "b", StringComparison.Ordinal));
        bool taken = !n.Has("not taken");
        string distance = n.Has("pc+8") ? "#8;nop" : "#4";
        string chain = string.Concat(Enumerable.Repeat("add x0, x0, x1;", adds));
        string behind = beside.StartsWith("b (", StringComparison.Ordinal) ? ";b #4" : "";
        string? op = n.Mnemonic switch
        {
            "b" when !head.Contains("->") => $"{chain}b {distance}",
            "cbz" or "cbnz" => $"{n.Mnemonic} x{Register(n.Mnemonic == "cbz", taken)}, {distance};{chain}",
            "tbz" or "tbnz" => $"{n.Mnemonic} x{Register(n.Mnemonic == "tbz", taken)}, #1, {distance};{chain}",
            _ => null,
        };
        // As many branches as in the original: target buffers have a capacity.
        if (op is not null)
            return new Bench(op.TrimEnd(';') + behind)
            {
                Registers = outOfOrder ? Seed.Zero : Seed.One,
                Constant = Seed.Ones,
                Throughput = [Rotation.Flat],
                Long = true,
            };
        if (!head.Contains("-> b."))
            return null;
        string condition = head[(head.IndexOf("-> b.", StringComparison.Ordinal) + 5)..].Split(' ')[0];
        string setter = head.Split(' ')[0];
        if (setter.StartsWith("fc", StringComparison.Ordinal))
            return new Bench($"{setter} d0, d1;b.{condition} #4;{chain}".TrimEnd(';')) { Throughput = [Rotation.Flat] };
        return new Bench($"{setter} x{(taken ? 0 : 28)}, x{(taken ? 0 : 28)}, x1;b.{condition} #4;{chain}".TrimEnd(';'))
        {
            Registers = Seed.Zero,
            Constant = Seed.Ones,
            Throughput = [Rotation.Flat],
            Long = true,
        };
    }

    // X27 has bit 1 clear and is not zero, X28 has all bits set.
    private static int Register(bool onZero, bool taken) => onZero == taken ? 27 : 28;

    /// <summary>64 branches on the bits of a word of random memory, the same word in all 144 copies of a round, another in the
    /// next.</summary>
    private static Bench? Unpredictable(string head, int adds)
    {
        string chain = string.Concat(Enumerable.Repeat("add x18, x18, x19;", adds));
        string branch = head.StartsWith("and -> ", StringComparison.Ordinal) ? head["and -> ".Length..].Split(' ')[0] : head.Split(' ')[0];
        // The table has two values under these names, for operations of which only one is known.
        if (branch is "tbz" or "tbnz")
            return null;
        var op = new System.Text.StringBuilder("ldr x17, [x16, #0]!;");
        for (int quarter = 0; quarter < 4; quarter++)
        {
            for (int bit = 0; bit < 16; bit++)
                op.Append(System.Globalization.CultureInfo.InvariantCulture, $"and x{bit}, x17, #{1 << bit};{branch} x{bit}, #4;{chain}");
            op.Append("lsr x17, x17, #16;");
        }
        return new Bench(op.ToString().TrimEnd(';'))
        {
            Count = 64,
            Constant = Seed.Pointer,
            Memory = Seed.Random,
            Start = "add x28, x28, #2; mov x16, x28",
            Throughput = [Rotation.Flat],
            Long = true,
        };
    }
}
