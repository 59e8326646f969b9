namespace ArmVdso.Emulator.Isa.Disassembly;

/// <summary>Text of instruction words, as LLVM writes it. The rows' texts are generated from the table.</summary>
public static partial class Disassembler
{
    /// <summary>Text of one word. Branch targets and literals are offsets from the instruction, as LLVM prints them without
    /// symbols (<c>b #16</c>). A word that is not allocated is <c>.inst 0x........</c>.</summary>
    /// <param name="instruction">The word.</param>
    /// <param name="pc">Its address.</param>
    public static string Disassemble(uint instruction, ulong pc) => Format(Decoder.Decode(instruction), instruction, pc);

    private static string Unallocated(uint instruction) => $".inst 0x{instruction:x8}";
}
