namespace ArmVdso.Fuzz.Words;

/// <summary>Floating point and vectors on a few registers, so that one instruction has the results of others: exact numbers, zeros of both
/// signs, numbers that are too small or too large, and what is no number.</summary>
internal static class RandomFloats
{
    private const int Registers = 6;

    private static readonly Row[] s_common =
    [
        Row.FADD_s, Row.FSUB_s, Row.FMUL_s, Row.FNMUL_s, Row.FDIV_s, Row.FSQRT_s, Row.FMADD_s, Row.FMSUB_s, Row.FNMADD_s, Row.FNMSUB_s,
        Row.FMAX_s, Row.FMIN_s, Row.FMAXNM_s, Row.FMINNM_s, Row.FABS_s, Row.FNEG_s, Row.FCSEL_s, Row.FMOV_s, Row.FMOV_imm_s, Row.FCVT_ds,
        Row.FCVT_sd, Row.FCMP_s, Row.FCMPE_s, Row.FCMP_zero_s, Row.FCCMP_s, Row.FCCMPE_s, Row.FRINTN_s, Row.FRINTM_s, Row.FRINTP_s,
        Row.FRINTZ_s, Row.FRINTX_s, Row.FRINTI_s, Row.SCVTF_gen_s, Row.UCVTF_gen_s, Row.SCVTF_ss, Row.FCVTZS_gen_s, Row.FCVTZU_gen_s,
        Row.FCVTNS_gen_s, Row.FCVTMS_gen_s, Row.FCVTPS_gen_s, Row.FCVTAS_gen_s, Row.FRINTA_s, Row.FADD_v, Row.FSUB_v, Row.FMUL_v,
        Row.FDIV_v, Row.FMLA_v, Row.FMLS_v, Row.FMUL_elt, Row.FMLA_elt, Row.FMLS_elt, Row.FABS_v, Row.FNEG_v, Row.SCVTF_v, Row.DUP_gen,
        Row.DUP_elt, Row.DUP_s, Row.INS_gen,
        Row.INS_elt, Row.UMOV, Row.FMOV_dx, Row.FMOV_xd, Row.FMOV_topx, Row.MOVI_d, Row.EXT, Row.ORR_v, Row.ADD_v,
    ];

    private static readonly Row[] s_all =
    [
        .. Enum.GetValues<Row>().Where(r => r != Row.Unallocated && RowInfo.HasSemantics(r) && RowInfo.IsFp(r)
            && RowInfo.Flow(r) == Flow.Plain && !RowInfo.Class(r).ToString().Contains("Load")
            && !RowInfo.Class(r).ToString().Contains("Store")),
    ];

    // 0, 1, the smallest and the largest normal number, half of the smallest, infinity, quiet and signalling NaN.
    private static readonly ulong[] s_doubles =
        [0, 0x3FF0000000000000, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 1, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FF0000000000001];

    private static readonly uint[] s_singles = [0, 0x3F800000, 0x00800000, 0x7F7FFFFF, 1, 0x7F800000, 0x7FC00000, 0x7F800001];

    /// <summary>Adds 3 to 16 instructions.</summary>
    internal static void Add(List<uint> words, Random random)
    {
        if (random.Next(6) == 0)
            words.Add(0xD51B443F); // msr fpsr, xzr
        for (int i = random.Next(3, 17); i > 0; i--)
        {
            switch (random.Next(8))
            {
                case 0:
                    AddNumber(words, random);
                    break;
                case 1: // ldr or str, of 32 to 128 bits, off x19 to x23
                    uint kind = random.Next(6) switch
                    {
                        0 => 0xBD400000u,
                        1 => 0xFD400000,
                        2 => 0x3DC00000,
                        3 => 0xBD000000,
                        4 => 0xFD000000,
                        _ => 0x3D800000,
                    };
                    words.Add(kind | (uint)random.Next(16) << 10 | (uint)random.Next(19, 24) << 5 | (uint)random.Next(Registers));
                    break;
                case 2: // ldp or stp of 64 or 128 bits
                    uint pair = random.Next(4) switch { 0 => 0x6D400000u, 1 => 0xAD400000, 2 => 0x6D000000, _ => 0xAD000000 };
                    words.Add(
                        pair | (uint)random.Next(16) << 15 | (uint)random.Next(Registers) << 10 | (uint)random.Next(19, 24) << 5
                        | (uint)random.Next(Registers));
                    break;
                default:
                    words.Add(Instruction(random));
                    break;
            }
        }
    }

    /// <summary>A vector, or a part of one, gets a number that is something special.</summary>
    private static void AddNumber(List<uint> words, Random random)
    {
        uint to = (uint)random.Next(Registers);
        bool isDouble = random.Next(2) == 0;
        int which = random.Next(random.Next(2) == 0 ? 2 : s_doubles.Length);
        ulong value = isDouble ? s_doubles[which] : s_singles[which];
        if (random.Next(2) == 0)
            value |= isDouble ? 1UL << 63 : 1UL << 31;
        words.Add(0xD2800010 | (uint)(value & 0xFFFF) << 5); // movz x16
        for (uint part = 1; part < 4; part++)
        {
            if ((value >> (int)(16 * part) & 0xFFFF) is not 0 and ulong bits)
                words.Add(0xF2800010 | part << 21 | (uint)bits << 5);
        }
        // fmov d, x16 or s, w16; dup of it
        words.Add(random.Next(3) != 0
            ? (isDouble ? 0x9E670200u : 0x1E270200) | to
            : (isDouble ? 0x4E080E00u : 0x4E040E00) | to);
    }

    private static uint Instruction(Random random)
    {
        Row row = random.Next(4) == 0 ? s_all[random.Next(s_all.Length)] : s_common[random.Next(s_common.Length)];
        for (int i = 0; i < 20; i++)
        {
            uint word = RowInfo.Value(row) | ((uint)random.NextInt64(1L << 32) & ~RowInfo.Mask(row));
            foreach (int field in (ReadOnlySpan<int>)[0, 5, 10, 16])
            {
                uint register = (uint)random.Next(Registers) << field, bits = 31U << field;
                // Where it is no register, or only a part of the field is one, it is left.
                if ((RowInfo.Mask(row) & bits) == 0 && (field < 10 || random.Next(4) != 0))
                    word = (word & ~bits) | register;
            }
            if (Decoder.Decode(word) == row)
                return word;
        }
        return 0xD503201F;
    }
}
