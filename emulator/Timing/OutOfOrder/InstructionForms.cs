using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>The forms of an encoding that a model file may time apart from its class, as suffixes after a dot: register width, number and
/// size of vector elements, shift, transferred registers.</summary>
public static class InstructionForms
{
    /// <summary>Forms of one encoding, from the general to the specific.</summary>
    public static List<string> Of(string className, in InstructionRoles roles)
    {
        uint encoding = roles.Encoding;
        var forms = new List<string>();
        switch (className)
        {
            case "alu" or "alu_shift" or "alu_flags" or "logic" or "alu_ext":
                Integer(encoding, roles, forms);
                break;
            case "extract":
                // EXTR with one register is a rotation.
                if (((encoding >> 5) & 31) == ((encoding >> 16) & 31))
                    forms.Add("ror");
                break;
            case "mul" or "div" or "crc":
                forms.Add(encoding >> 31 != 0 ? "x" : "w");
                break;
            case "madd":
                forms.Add(encoding >> 31 != 0 ? "x" : "w");
                Accumulator(encoding, forms);
                break;
            case "mull":
                Accumulator(encoding, forms);
                break;
            case "load_pair":
                forms.Add(encoding >> 30 == 0 ? "w" : encoding >> 30 == 1 ? "sw" : "x");
                break;
            case "store_pair":
                forms.Add(encoding >> 30 == 0 ? "w" : "x");
                break;
            case "load_fp" or "store_fp":
                Transfer(encoding, forms);
                break;
            case "load_simd" or "store_simd":
                Structure(encoding, forms);
                break;
            case "tbl":
                forms.Add((((encoding >> 13) & 3) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            default:
                Vector(className, encoding, roles, forms);
                break;
        }
        return forms;
    }

    // Without an accumulator: a multiplication.
    private static void Accumulator(uint encoding, List<string> forms)
    {
        if (((encoding >> 10) & 31) == 31)
            forms.Add("zero");
    }

    private static void Integer(uint encoding, in InstructionRoles roles, List<string> forms)
    {
        bool flagsIn = roles.Sources.Contains(InstructionTiming.Flags);
        bool flagsOut = roles.Destinations.Contains(InstructionTiming.Flags);
        if (flagsIn && flagsOut)
            forms.Add("carry");
        bool logic = (encoding & 0x1F000000) == 0x0A000000;
        bool add = (encoding & 0x1F200000) == 0x0B000000;
        uint amount = (encoding >> 10) & 63;
        bool shifted = (logic || add) && (amount != 0 || ((encoding >> 22) & 3) != 0);
        bool simple = !shifted || (add && ((encoding >> 22) & 3) == 0 && amount <= 4);
        if (shifted)
            forms.Add(logic ? ((encoding >> 29) & 3) == 3 ? "shift_flags" : "shift_logic" : simple ? "shift_lsl4" : "shift");
        if (flagsOut && !flagsIn && simple && (encoding & 0x1F200000) != 0x0B200000)
            forms.Add("flags");
    }

    private static void Transfer(uint encoding, List<string> forms)
    {
        int size = (int)(encoding >> 30);
        bool pair = (encoding & 0x3A000000) == 0x28000000;
        if (pair || (encoding & 0x3B000000) == 0x18000000)
        {
            forms.Add((pair ? "pair_" : "") + (size == 0 ? "s" : size == 1 ? "d" : "q"));
            return;
        }
        bool q = size == 0 && (encoding & (1 << 23)) != 0;
        forms.Add(q ? "q" : size == 0 ? "b" : size == 1 ? "h" : size == 2 ? "s" : "d");
        if ((encoding & 0x3B200C00) == 0x38200800)
            forms.Add(q || size == 1 ? "index_q" : "index");
    }

    private static void Structure(uint encoding, List<string> forms)
    {
        bool q = (encoding & (1u << 30)) != 0;
        if ((encoding & 0x01000000) == 0)
        {
            string kind = ((encoding >> 12) & 0xF) switch { 0 => "4", 2 => "1x4", 4 => "3", 6 => "1x3", 7 => "1x1", 8 => "2", _ => "1x2" };
            forms.Add(kind);
            if (q)
                forms.Add(kind + ".q");
            if (q && ((encoding >> 10) & 3) == 3)
                forms.Add(kind + ".q.d");
            return;
        }
        uint opcode = (encoding >> 13) & 7;
        uint count = ((opcode & 1) << 1) + ((encoding >> 21) & 1) + 1;
        string lane = count + "lane";
        forms.Add(lane);
        if (opcode >= 6 ? ((encoding >> 10) & 3) == 3 : opcode >= 4 && ((encoding >> 10) & 3) == 1)
            forms.Add(lane + ".d");
    }

    private static void Vector(string className, uint encoding, in InstructionRoles roles, List<string> forms)
    {
        if (className is "fp_to_int" or "int_to_fp" && roles.Mnemonic == "FMOV")
            forms.Add("move");
        bool simd = (encoding & 0x8E000000) == 0x0E000000;
        if (!simd)
        {
            // Scalar floating point: the type field.
            if ((encoding & 0x5E000000) == 0x1E000000)
                forms.Add(((encoding >> 22) & 3) switch { 0 => "s", 1 => "d", 3 => "h", _ => "" });
            return;
        }
        bool scalar = (encoding & (1u << 28)) != 0;
        bool q = !scalar && (encoding & (1u << 30)) != 0;
        string name = RowInfo.Name(roles.Row);
        bool shift = (encoding & 0x1F800400) is 0x0F000400 or 0x1F000400;
        int size = shift ? Log2(encoding >> 19 & 15) : (int)(encoding >> 22) & 3;
        bool floating = name[0] == 'F' || className.Contains("fp", StringComparison.Ordinal)
            || className.Contains("cvt", StringComparison.Ordinal);
        if (floating && !shift)
            size = name.EndsWith('h') ? 1 : (encoding & (1 << 22)) != 0 ? 3 : 2;
        if (!scalar && (encoding & 0x1F000400) == 0x0F000000)
            forms.Add("elem");
        if (scalar)
        {
            forms.Add("scalar");
            forms.Add("bhsd"[size].ToString());
            return;
        }
        if (q)
            forms.Add("q");
        // DUP and INS from a general register.
        if (className == "simd_mov" && roles.Mnemonic is ("DUP" or "INS"))
            forms.Add("general");
        // abc:defgh of the modified immediates.
        if (roles.Mnemonic == "MOVI" && (encoding & 0x000703E0) == 0)
            forms.Add("zero");
        forms.Add(((q ? 128 : 64) >> (3 + size)) + "bhsd"[size].ToString());
    }

    private static int Log2(uint immh) => immh == 0 ? 0 : System.Numerics.BitOperations.Log2(immh);
}
