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

    internal static uint[] Make(Random random, ulong code, ulong data, int dataSize, int count)
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

    private static void Add(List<uint> words, Random random, ulong code, ulong data, int dataSize, int count)
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
                int register = random.Next(19, 24);
                words.Add(0xD2A00000 | (uint)(data >> 16) << 5 | (uint)register);
                words.Add(0xF2800000 | (uint)random.Next(dataSize) << 5 | (uint)register);
                break;
            case 12 when random.Next(8) == 0: // svc, udf
                words.Add(random.Next(2) == 0 ? 0xD4000001u : 0);
                break;
            case 13: // movz x25, up to 1023; a copy or set of so many bytes
                words.Add(0xD2800019 | (uint)random.Next(1024) << 5);
                words.AddRange(Bulk(random.Next(3), (uint)random.Next(19, 22), (uint)random.Next(22, 24), 25));
                break;
            default:
                words.Add(Instruction(random));
                break;
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
