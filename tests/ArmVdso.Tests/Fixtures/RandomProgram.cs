using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Tests.Fixtures;

/// <summary>A random program that ends: a loop over integer, floating-point, memory and branch instructions with leaf calls, and an
/// endless loop behind it. x20 points into the data, x27 counts.</summary>
internal static class RandomProgram
{
    private const int Base = 20, Index = 16, Count = 27;

    /// <summary>Encodings of a program of about <paramref name="length"/> instructions whose loop runs <paramref name="rounds"/>
    /// times.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="length">Instructions.</param>
    /// <param name="rounds">Of the loop.</param>
    /// <param name="straight">Without other branches: blocks end where they are long enough, and pairs go over their ends.</param>
    internal static uint[] Make(Random random, int length, int rounds, bool straight = false)
    {
        var code = new List<uint> { 0xD2800000u | ((uint)rounds << 5) | Count };
        int top = code.Count;
        int leaf = -1;
        while (code.Count < length)
        {
            switch (straight ? 15 : random.Next(16))
            {
                case 0:
                    // Over a few instructions, or not.
                    int over = random.Next(1, 5);
                    code.Add(Conditional(random, over + 1));
                    for (int i = 0; i < over; i++)
                        Single(code, random);
                    break;
                case 1:
                    if (leaf < 0)
                    {
                        int body = random.Next(1, 6);
                        code.Add(0x14000000u | (uint)(body + 2));
                        leaf = code.Count;
                        for (int i = 0; i < body; i++)
                            Single(code, random);
                        code.Add(0xD65F03C0);
                    }
                    code.Add(0x94000000u | ((uint)(leaf - code.Count) & 0x3FFFFFF));
                    break;
                case 2:
                    // adr x17, to the instruction behind; br x17
                    code.Add(0x10000051u);
                    code.Add(0xD61F0220u);
                    break;
                default:
                    Plain(code, random);
                    break;
            }
        }
        End(code, top);
        return [.. code];
    }

    /// <summary>A loop over pairs of blocks: the first is as long as blocks get and ends without a branch, so that what its last
    /// instruction leaves in the pipeline meets the first one of the second. What lies before it takes one slot or two.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="last">Encoding of the last instruction of the first block.</param>
    /// <param name="next">Encoding of the first instruction of the second block.</param>
    internal static uint[] Edges(Random random, uint last, uint next)
    {
        const int Pairs = 8, Rounds = 40;
        var code = new List<uint> { 0xD2800000u | (Rounds << 5) | Count };
        int top = code.Count;
        for (int pair = 0; pair < Pairs; pair++)
        {
            for (int i = 1; i < CodeCache.MaxLength; i++)
                code.Add(random.Next(2) == 0 ? Nothing : 0x8B0F01ADu); // add x13, x13, x15
            code.Add(last);
            code.Add(next);
            // A branch to the next instruction; a second one is taken, whatever the first did.
            code.Add(0x14000001);
        }
        End(code, top);
        return [.. code];
    }

    /// <summary>A loop in which blocks miss all over 8 KiB, and the blocks behind them access the same lines again, or fill the store
    /// buffer.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="rounds">Of the loop.</param>
    internal static uint[] Misses(Random random, int rounds)
    {
        const int Parts = 12;
        const uint NextBlock = 0x14000001; // b .+4
        var code = new List<uint> { 0xD2800000u | ((uint)rounds << 5) | Count, 0xD280BAA6, 0xD2860727 };
        int top = code.Count;
        for (int part = 0; part < Parts; part++)
        {
            // madd x5, x5, x6, x7; and x16, x5, #mask of multiples of 8 below 8 KiB; add x17, x20, x16; ldr x1 or str x2, [x17]
            code.AddRange([0x9B061CA5, 0x927D24B0, 0x8B100291, random.Next(2) == 0 ? 0xF9400221u : 0xF9000222u]);
            if (random.Next(2) == 0)
                code.AddRange([0x9B061CA5, 0x927D24B0, 0xF8706A81]); // the same, and ldr x1, [x20, x16]
            for (int block = random.Next(1, 4); block > 0; block--)
            {
                code.Add(NextBlock);
                if (random.Next(2) == 0)
                    code.Add(0xF9400223); // ldr x3, [x17]
                for (int i = random.Next(8); i > 0; i--)
                    code.Add(0xF9000281u | ((uint)random.Next(8) << 10)); // str x1, [x20, #up to 56]
            }
        }
        End(code, top);
        return [.. code];
    }

    /// <summary>A loop over PRFM of all kinds, loads and stores all over 8 KiB: what is asked for is sometimes what is accessed
    /// next.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="length">Instructions, about.</param>
    /// <param name="rounds">Of the loop.</param>
    internal static uint[] Hints(Random random, int length, int rounds)
    {
        // movz x6, #0x5D5; movz x7, #0x3039
        var code = new List<uint> { 0xD2800000u | ((uint)rounds << 5) | Count, 0xD280BAA6, 0xD2860727 };
        int top = code.Count;
        while (code.Count < length)
        {
            // madd x5, x5, x6, x7; and x16, x5, #8 bytes below 8 KiB; prfm #any, [x20, x16]
            code.AddRange([0x9B061CA5, 0x927D24B0]);
            if (random.Next(3) != 0)
                code.Add(0xF8B06A80u | (uint)random.Next(24));
            // ldr x1 or str x2, [x20, x16]; or prfm, ldr, str [x20, #any line]
            uint line = (uint)random.Next(64) * 8 << 10;
            code.Add(random.GetItems([0xF8706A81u, 0xF8306A82u, 0xF9800280u | line | (uint)random.Next(24), 0xF9400283u | line], 1)[0]);
            if (random.Next(4) == 0)
                Plain(code, random);
        }
        End(code, top);
        return [.. code];
    }

    /// <summary>A loop over loads and stores all over 8 KiB, some of them misaligned, some of a line, and of the same few bytes again,
    /// sometimes more of them than a block holds, and branches that go both ways. It is in two pages.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="length">Instructions.</param>
    /// <param name="rounds">Of the loop.</param>
    internal static uint[] Accesses(Random random, int length, int rounds)
    {
        // movz x6, #0x5D5; movz x7, #0x3039
        var code = new List<uint> { 0xD2800000u | ((uint)rounds << 5) | Count, 0xD280BAA6, 0xD2860727 };
        int top = code.Count;
        int half = length / 2;
        while (code.Count < length)
        {
            if (code.Count >= half && half > 0)
            {
                // To the second page: madd x5, x5, x6, x7; tbz x5, #3; b. There the same once more, for as long as the bit is 0, so that
                // the same block is come to from both pages.
                length += Page - code.Count;
                code.AddRange([0x9B061CA5, 0x36180005u | ((uint)(Page - code.Count - 1) << 5)]);
                code.Add(0x14000000u | (uint)(Page - code.Count));
                while (code.Count < Page)
                    code.Add(Nothing);
                code.AddRange([0x9B061CA5, 0x36180005u | (0x3FFFu << 5)]);
                half = 0;
            }
            switch (random.Next(10))
            {
                case 9:
                    for (int i = 0; i < 20; i++)
                        code.Add((i % 3 == 2 ? 0xF9000281u : 0xF9400283u) | ((uint)random.Next(24) << 10));
                    break;
                case 8:
                    // madd x5, x5, x6, x7; and x16, x5, #below 8 KiB; add x17, x20, x16; dc zva, x17
                    code.AddRange([0x9B061CA5, 0x924030B0, 0x8B100291, 0xD50B7431]);
                    break;
                case 7:
                    // madd x5, x5, x6, x7; and x16, x5, #below 8 KiB; ldr w1, ldr x1, ldr q1, str x2 or str q2, [x20, x16]
                    code.AddRange(
                        [0x9B061CA5, 0x924030B0, random.GetItems([0xB8706A81u, 0xF8706A81u, 0x3CF06A81u, 0xF8306A82u, 0x3CB06A82u], 1)[0]]);
                    break;
                case 6:
                    // The same, both with the same address.
                    code.AddRange([0x9B061CA5, 0x927D24B0, 0xF8706A81, 0xF8306A82]);
                    break;
                case 0 or 1:
                    // madd x5, x5, x6, x7; and x16, x5, #mask of multiples of 8 below 8 KiB; ldr x1 or str x2, [x20, x16]
                    code.AddRange([0x9B061CA5, 0x927D24B0, random.Next(2) == 0 ? 0xF8706A81 : 0xF8306A82]);
                    break;
                case 2:
                    // str x1, [x20]; ldr x3, [x20]
                    code.AddRange([0xF9000281, 0xF9400283]);
                    break;
                case 3:
                    // tbz x5, #bit, over add x13, x13, x15
                    code.AddRange([0x36000045u | ((uint)random.Next(3, 13) << 19), 0x8B0F01AD]);
                    break;
                default:
                    // ldr x3, [x20, #offset], of three pages
                    code.Add(0xF9400283u | ((uint)(random.Next(3) * 520 + random.Next(6)) << 10));
                    break;
            }
        }
        End(code, top);
        return [.. code];
    }

    private const uint Nothing = 0xD503201F;

    // Instructions of a page.
    private const int Page = 1024;

    /// <summary>The end of the loop.</summary>
    private static void End(List<uint> code, int top)
    {
        code.Add(0xF1000400u | (Count << 5) | Count);
        code.Add(0x54000001u | (((uint)(top - code.Count) & 0x7FFFF) << 5));
        code.Add(0x14000000);
    }

    private static uint Conditional(Random random, int distance)
    {
        uint imm = (uint)distance << 5;
        return random.Next(3) switch
        {
            0 => 0xB4000000u | ((uint)random.Next(2) << 24) | imm | R(random),
            1 => 0x36000000u | ((uint)random.Next(2) << 24) | ((uint)random.Next(8) << 19) | imm | R(random),
            _ => 0x54000000u | imm | (uint)random.Next(14),
        };
    }

    private static uint R(Random random) => (uint)random.Next(15);

    private static void Plain(List<uint> code, Random random)
    {
        if (random.Next(8) == 0)
        {
            // and x16, xN, #mask of multiples of 8 below 8 KiB; then an access at x20 + x16
            code.Add(0x927D2400u | (R(random) << 5) | Index);
            uint indexed = random.Next(4) switch { 0 => 0xF8206800u, 1 => 0xF8606800u, 2 => 0xB8606800u, _ => 0x3C606800u | (3u << 30) };
            code.Add(indexed | (Index << 16) | (Base << 5) | R(random));
            return;
        }
        if (random.Next(24) == 0)
        {
            // and x17, x20, #-8; add x17, x17, #imm; ldxr; ldadd or dmb ish; stxr
            code.Add(0x927DF011u | (Base << 5));
            code.Add(0x91000231u | ((uint)random.Next(64) << 13));
            code.Add(0xC85F7C00u | (17u << 5) | R(random));
            code.Add(random.Next(3) == 0 ? 0xD5033BBFu : 0xF8200000u | (R(random) << 16) | (17u << 5) | R(random));
            code.Add(0xC8007C00u | (18u << 16) | (17u << 5) | R(random));
            return;
        }
        Single(code, random);
    }

    private static void Single(List<uint> code, Random random)
    {
        uint d = R(random), n = R(random), m = R(random), imm = (uint)random.Next(0x200);
        uint word = random.Next(30) switch
        {
            0 or 1 => 0x8B000000u | (m << 16) | (n << 5) | d,
            2 => 0xCB000000u | (m << 16) | (n << 5) | d,
            3 => 0xCA000000u | (m << 16) | ((uint)random.Next(64) << 10) | (n << 5) | d,
            4 => 0xEB000000u | (m << 16) | (n << 5) | d,
            5 => 0x91000000u | (imm << 10) | (n << 5) | d,
            6 => 0x9A800000u | (m << 16) | ((uint)random.Next(14) << 12) | (n << 5) | d,
            7 => 0x9B000000u | (m << 16) | (R(random) << 10) | (n << 5) | d,
            8 => 0x9AC00800u | ((uint)random.Next(2) << 10) | (m << 16) | (n << 5) | d,
            9 => 0x9AC02000u | (m << 16) | (n << 5) | d,
            10 or 11 or 12 => 0xF9400000u | (imm << 10) | (Base << 5) | d,
            13 or 14 => 0xF9000000u | (imm << 10) | (Base << 5) | d,
            15 => 0x39400000u | (imm << 10) | (Base << 5) | d,
            16 => 0x39000000u | (imm << 10) | (Base << 5) | d,
            17 => 0xA9400000u | ((imm & 0x3F) << 15) | (19u << 10) | (Base << 5) | d,
            18 => 0xA9000000u | ((imm & 0x3F) << 15) | (m << 10) | (Base << 5) | d,
            19 => 0xF8400000u | ((imm & 0xFF) << 12) | (Base << 5) | d,
            20 => 0xF8000000u | ((imm & 0xFF) << 12) | (Base << 5) | d,
            21 => 0x3DC00000u | ((imm & 0xFF) << 10) | (Base << 5) | d,
            22 => 0x3D800000u | ((imm & 0xFF) << 10) | (Base << 5) | d,
            23 => 0xAD400000u | ((imm & 0x1F) << 15) | (19u << 10) | (Base << 5) | d,
            24 => 0x1E602800u | (m << 16) | (n << 5) | d,
            25 => 0x1E600800u | (m << 16) | (n << 5) | d,
            26 => 0x1E601800u | (m << 16) | (n << 5) | d,
            27 => 0x4E20C400u | (m << 16) | (n << 5) | d,
            28 => 0x4C407000u | (Base << 5) | d,
            _ => Nothing,
        };
        code.Add(word);
    }
}
