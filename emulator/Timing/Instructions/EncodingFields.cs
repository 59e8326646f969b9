namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>What timing reads from an encoding beyond the instruction table: finer classes, kinds, roles of registers.</summary>
internal static class EncodingFields
{
    /// <summary>Add, subtract and logic with a register operand are one class or another by their shift amount.</summary>
    internal static string Refine(string className, uint encoding, bool outOfOrder)
    {
        if ((encoding & 0x1F000000) is 0x0A000000 or 0x0B000000 && (encoding & (1 << 28)) == 0)
        {
            bool extended = (encoding & 0x1F200000) == 0x0B200000;
            bool shifted = extended ? ((encoding >> 10) & 7) != 0 || ((encoding >> 13) & 3) != 3 : ((encoding >> 10) & 63) != 0;
            return shifted ? "alu_shift" : "alu";
        }
        // FMOV between the files.
        if (className != "fp_mov" || (encoding & 0x5F20FC00) != 0x1E200000 || (encoding & 0x60000) != 0x60000)
            return className;
        bool toGeneral = (encoding & (1 << 16)) == 0;
        return outOfOrder
            ? toGeneral ? "fp_to_int" : "int_to_fp"
            : toGeneral ? "fmov_to_general" : "fmov_from_general";
    }

    /// <summary>What an instruction of a class does besides computing.</summary>
    internal static TimingKind KindOf(string className, uint encoding) => className switch
    {
        "branch" => TimingKind.Branch,
        "branch_cond" or "branch_cmp" => TimingKind.Conditional,
        "branch_reg" => TimingKind.Indirect,
        "call" => TimingKind.Call,
        "call_reg" => TimingKind.IndirectCall,
        "ret" => TimingKind.Return,
        "eret" => TimingKind.ExceptionReturn,
        "barrier" => TimingKind.Barrier,
        "isb" => TimingKind.Synchronize,
        "mrs" or "msr" or "sys" => TimingKind.System,
        "div" => TimingKind.Divide,
        "mops" => TimingKind.Bulk,
        "atomic" or "prefetch" or "tag" => TimingKind.Memory,
        _ when className.StartsWith("load", StringComparison.Ordinal) => TimingKind.Memory,
        _ when className.StartsWith("store", StringComparison.Ordinal) => TimingKind.Memory,
        _ => TimingKind.Plain,
    };

    /// <summary>DC ZVA: a system instruction that stores.</summary>
    internal static bool ZeroesBlock(uint encoding) => (encoding & ~31u) == 0xD50B7420;

    /// <summary>The accumulator is a vector destination that is read too, or Ra of the three-source instructions.</summary>
    internal static bool IsAccumulator(string className, uint encoding, byte register, byte[] destinations)
    {
        if (className is "madd" or "mull")
            return register == ((encoding >> 10) & 31) && register != ((encoding >> 5) & 31) && register != ((encoding >> 16) & 31);
        if (className is "fp_fma")
            return register == InstructionTiming.V0 + ((encoding >> 10) & 31) && register != InstructionTiming.V0 + ((encoding >> 5) & 31)
                && register != InstructionTiming.V0 + ((encoding >> 16) & 31);
        // INS from a general register: the only vector source is the destination.
        if ((encoding & 0xFFE0FC00) == 0x4E001C00)
            return register >= InstructionTiming.V0;
        return destinations.Contains(register) && register != InstructionTiming.V0 + ((encoding >> 5) & 31)
            && (register != InstructionTiming.V0 + ((encoding >> 16) & 31) || (encoding & (1 << 21)) == 0);
    }

    /// <summary>The register beside the base that an address is computed from, or that is added to the base afterwards; -1 when there is
    /// none.</summary>
    internal static int OffsetRegister(string className, uint encoding) =>
        (encoding & 0x3B200C00) == 0x38200800 || className is "load_simd" or "store_simd" ? (int)(encoding >> 16) & 31 : -1;

    /// <summary>Whether a load or store writes its base register.</summary>
    internal static bool IsWriteback(uint encoding)
    {
        // Pairs: bits 25:23 are 001 or 011; single registers: bit 24 and bit 21 clear, bit 10 set; structures: bit 23 set.
        if ((encoding & 0x3A000000) == 0x28000000)
            return (encoding & (1u << 23)) != 0;
        if ((encoding & 0x3B000000) == 0x38000000)
            return (encoding & (1u << 21)) == 0 && (encoding & (1u << 10)) != 0;
        return (encoding & 0xBF000000) is 0x0C000000 or 0x0D000000 && (encoding & (1u << 23)) != 0;
    }

    /// <summary>Whether an encoding is of the load and store pairs.</summary>
    internal static bool IsPair(uint encoding) => (encoding & 0x3A000000) == 0x28000000;
}
