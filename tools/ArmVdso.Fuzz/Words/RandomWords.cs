namespace ArmVdso.Fuzz.Words;

/// <summary>Random words that go round: instructions of every row, branches of every kind, loads and stores that mostly hit, stores to
/// code, and faults.</summary>
internal static class RandomWords
{
    private const uint Nop = 0xD503201F;

    // dc cvau, x24; dsb ish; ic ivau, x24; dsb ish; isb
    private static readonly uint[] s_maintenance = [0xD50B7B38, 0xD5033B9F, 0xD50B7538, 0xD5033B9F, 0xD5033FDF];

    private static readonly Row[] s_rows =
    [
        .. Enum.GetValues<Row>().Where(r => r != Row.Unallocated && RowInfo.HasSemantics(r) && RowInfo.Flow(r) == Flow.Plain),
    ];

    private static readonly Row[] s_common =
    [
        Row.ADD_imm, Row.SUB_imm, Row.SUBS_imm, Row.ADDS_imm, Row.ADD_shift, Row.SUBS_shift, Row.ANDS_shift, Row.ANDS_imm, Row.ORR_shift,
        Row.CSEL, Row.CSINC, Row.CSNEG, Row.CCMP_imm, Row.CCMP_reg, Row.UBFM, Row.SBFM, Row.BFM, Row.MADD, Row.UDIV, Row.SDIV, Row.MOVZ,
        Row.MOVK, Row.LDR_imm, Row.STR_imm, Row.LDP_off, Row.STP_pre, Row.LDP_post, Row.LDRB_reg, Row.STRB_post, Row.LDR_fp_imm,
        Row.STR_fp_imm, Row.FADD_s, Row.FMUL_s, Row.FCMP_s, Row.ADD_v, Row.CMEQ_v, Row.LDXR, Row.STXR,
    ];

    /// <summary>Words for a place in memory.</summary>
    /// <param name="random">What chooses.</param>
    /// <param name="code">Where they will be.</param>
    /// <param name="data">Where data are, below 4 GB.</param>
    /// <param name="dataSize">Bytes there.</param>
    /// <param name="count">How many words.</param>
    internal static uint[] Make(Random random, ulong code, ulong[] data, int dataSize, int count)
    {
        var words = new List<uint>(count + 8);
        while (words.Count < count)
            Add(words, random, code, data, dataSize, count);
        return [.. words.Take(count)];
    }

    /// <summary>The three instructions of a forward copy (0), a copy that may go backward (1) or a set (2).</summary>
    internal static uint[] Bulk(int kind, uint to, uint from, uint size)
    {
        uint first = kind switch { 0 => 0x19000400u, 1 => 0x1D000400, _ => 0x19C00400 };
        uint step = kind == 2 ? 0x4000u : 0x400000, registers = from << 16 | size << 5 | to;
        return [first | registers, (first + step) | registers, (first + 2 * step) | registers];
    }

    private static void Add(List<uint> words, Random random, ulong code, ulong[] data, int dataSize, int count)
    {
        int at = words.Count;
        switch (random.Next(40))
        {
            case 0 or 1 or 2: // b.cond, near
                words.Add(0x54000000 | Distance(Near(random, at, count), at, 19) << 5 | (uint)random.Next(16));
                break;
            case 3: // cbz, cbnz
                words.Add(
                    0x34000000 | (uint)random.Next(2) << 31 | (uint)random.Next(2) << 24 | Distance(Near(random, at, count), at, 19) << 5
                    | (uint)random.Next(32));
                break;
            case 4: // tbz, tbnz
                words.Add(
                    0x36000000 | (uint)random.Next(2) << 24 | (uint)random.Next(32) << 19 | Distance(Near(random, at, count), at, 14) << 5
                    | (uint)random.Next(32));
                break;
            case 5: // b, bl, anywhere
                words.Add((random.Next(2) == 0 ? 0x14000000u : 0x94000000) | Distance(random.Next(count), at, 26));
                break;
            case 6: // ret
                words.Add(0xD65F03C0);
                break;
            case 7 or 8: // adr x9, anywhere; br x9, blr x9 or ret x9
                words.Add(Adr(9, random.Next(count), at));
                words.Add(random.Next(3) switch { 0 => 0xD61F0120u, 1 => 0xD63F0120, _ => 0xD65F0120 });
                break;
            case 9: // copies an instruction to another place of the code
                words.Add(Adr(24, random.Next(count), at));
                words.Add(0xB9400319); // ldr w25, [x24]
                words.Add(Adr(24, random.Next(2) == 0 ? Near(random, at, count) : random.Next(count), at + 2));
                words.Add(0xB9000319); // str w25, [x24]
                if (random.Next(2) == 0)
                    words.AddRange(s_maintenance);
                break;
            case 10 or 11: // a base register is a place in the data again
                SetBase(words, (uint)random.Next(19, 24), data[random.Next(data.Length)] + (ulong)random.Next(dataSize));
                break;
            case 12 when random.Next(8) == 0: // svc, udf
                words.Add(random.Next(2) == 0 ? 0xD4000001u : 0);
                break;
            case 13: // movz x25, up to 1023; a copy or set of so many bytes
                words.Add(0xD2800019 | (uint)random.Next(1024) << 5);
                words.AddRange(Bulk(random.Next(3), (uint)random.Next(19, 22), (uint)random.Next(22, 24), 25));
                break;
            case 14 or 15 or 16:
                AddBesideEachOther(words, random, data, dataSize);
                break;
            case 17 or 18 or 19:
                AddComparisons(words, random, count);
                break;
            case 20 or 21 or 22:
                RandomFloats.Add(words, random);
                break;
            default:
                words.Add(Instruction(random));
                break;
        }
    }

    /// <summary>MOVZ and MOVK of an address below 4 GB.</summary>
    private static void SetBase(List<uint> words, uint register, ulong address)
    {
        words.Add(0xD2A00000 | (uint)(address >> 16) << 5 | register);
        words.Add(0xF2800000 | (uint)(address & 0xFFFF) << 5 | register);
    }

    // Loads and stores of 64 bits, unscaled, after and before the base changes; of pairs; of a byte and a vector.
    private static readonly uint[] s_beside =
    [
        0xF8400000, 0xF8000000, 0xF8400400, 0xF8000C00, 0xF8400C00, 0xA9400000, 0xA9000000, 0xA8C00000, 0x38400000, 0x3CC00000, 0x3C800000,
    ];

    /// <summary>Accesses off one base, often near the end of a page, with other instructions between some of them.</summary>
    private static void AddBesideEachOther(List<uint> words, Random random, ulong[] data, int dataSize)
    {
        uint @base = random.Next(5) == 0 ? 31u : (uint)random.Next(19, 24);
        if (@base != 31 && random.Next(2) == 0)
        {
            int end = random.Next(1, dataSize >> 12) * 4096;
            SetBase(words, @base, data[random.Next(data.Length)] + (ulong)(end - random.Next(200)));
        }
        for (int i = random.Next(2, 7); i > 0; i--)
        {
            uint word = s_beside[random.Next(s_beside.Length)];
            // 7 bits in units of 8 for pairs, else 9 bits.
            uint offset = (word & 0x3A000000) == 0x28000000
                ? (uint)random.Next(-8, 20) << 15 & 0x3F8000 | (uint)random.Next(31) << 10
                : (uint)(@base == 31 ? 16 * random.Next(-4, 8) : random.Next(-64, 160)) << 12 & 0x1FF000;
            words.Add(word | offset | @base << 5 | (uint)random.Next(random.Next(4) == 0 ? 31 : 19));
            switch (random.Next(8))
            {
                case 0:
                    words.Add(0x91004000 | @base << 5 | @base); // add of 16 to the base
                    break;
                case 1:
                    words.Add(Instruction(random));
                    break;
                case 2: // bic x, x, x, or add x, x, x, lsl
                    words.Add((random.Next(2) == 0 ? 0x8A200000 : 0x8B001400) | (uint)random.Next(19) << 16 | (uint)random.Next(19));
                    break;
            }
        }
    }

    // cmp x, #; cmp x, x; cmp w, w; cmn x, #; tst x, x; subs x, x, #; ands w, w, w
    private static readonly uint[] s_comparisons = [0xF100001F, 0xEB00001F, 0x6B00001F, 0xB100001F, 0xEA00001F, 0xF1000000, 0x6A000000];

    /// <summary>Comparisons that others follow, with branches, accesses and changes of what was compared in between.</summary>
    private static void AddComparisons(List<uint> words, Random random, int count)
    {
        for (int i = random.Next(2, 5); i > 0; i--)
        {
            uint word = s_comparisons[random.Next(s_comparisons.Length)];
            uint operand = (word & 0x1F000000) == 0x11000000 ? (uint)random.Next(3) << 10 : (uint)random.Next(24) << 16;
            uint left = (uint)random.Next(24);
            words.Add(word | operand | left << 5 | ((word & 31) == 0 ? (uint)random.Next(24) : 0));
            if (random.Next(4) == 0)
                words.Add(0x91000400 | left << 5 | left); // add of 1 to what was compared
            switch (random.Next(4))
            {
                case 0:
                    words.Add(0xF9400000 | (uint)random.Next(8) << 10 | (uint)random.Next(19, 24) << 5 | (uint)random.Next(19)); // ldr
                    break;
                case 1:
                    words.Add(Instruction(random));
                    break;
                case 2:
                    words.Add(0x1A800000 | (uint)random.Next(24) << 16 | (uint)random.Next(16) << 12 | (uint)random.Next(24)); // csel
                    break;
            }
            int at = words.Count;
            if (random.Next(3) != 0)
                words.Add(0x54000000 | Distance(Near(random, at, count), at, 19) << 5 | (uint)random.Next(16));
        }
    }

    private static uint Instruction(Random random)
    {
        Row row = random.Next(3) == 0 ? s_rows[random.Next(s_rows.Length)] : s_common[random.Next(s_common.Length)];
        for (int i = 0; i < 20; i++)
        {
            uint word = RowInfo.Value(row) | ((uint)random.NextInt64(1L << 32) & ~RowInfo.Mask(row));
            bool accesses = RowInfo.Class(row).ToString() is { } kind && (kind.Contains("Load") || kind.Contains("Store"));
            // A base that is in the data, most of the time, and a small offset.
            if (accesses && random.Next(8) != 0)
                word = (word & ~(31u << 5 | ~RowInfo.Mask(row) & 0x3F_0000)) | (random.Next(6) == 0 ? 31u : (uint)random.Next(19, 24)) << 5
                    | RowInfo.Value(row) & (31u << 5 | 0x3F_0000);
            if (Decoder.Decode(word) == row)
                return word;
        }
        return Nop;
    }

    private static int Near(Random random, int at, int count) => Math.Clamp(at + random.Next(-40, 60), 0, count - 1);

    private static uint Distance(int target, int at, int bits) => (uint)(target - at) & ((1u << bits) - 1);

    private static uint Adr(int register, int target, int at)
    {
        uint bytes = (uint)(4 * (target - at));
        return 0x10000000 | (bytes & 3) << 29 | (bytes >> 2 & 0x7FFFF) << 5 | (uint)register;
    }
}
