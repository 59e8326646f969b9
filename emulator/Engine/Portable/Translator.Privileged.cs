using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>Instructions that are alone in their block for the sake of timing. Without a timing model they may be inside one: they
/// change nothing that a block rests on, and read no clock.</summary>
internal static partial class Translator
{
    private static readonly HashSet<int> s_readable = Keys(
        "SP_EL0", "CurrentEL", "DAIF", "NZCV", "FPCR", "FPSR", "ELR_EL1", "SPSR_EL1", "ESR_EL1", "FAR_EL1", "PAR_EL1", "TPIDR_EL1",
        "CONTEXTIDR_EL1", "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "SCTLR_EL1", "VBAR_EL1", "CPACR_EL1", "MPIDR_EL1");

    private static readonly HashSet<int> s_writable = Keys(
        "SP_EL0", "ELR_EL1", "SPSR_EL1", "ESR_EL1", "FAR_EL1", "TPIDR_EL0", "TPIDR_EL1", "CONTEXTIDR_EL1", "NZCV");

    private static HashSet<int> Keys(params string[] names) =>
        [.. SystemRegisters.All.Where(r => names.Contains(r.Name)).Select(r => r.Key)];

    /// <summary>Whether an instruction that <see cref="Translate"/> leaves to the reference engine may be in a block when nothing is
    /// timed.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="i">The encoding.</param>
    /// <param name="mode">EL and stack pointer, as <see cref="Block.Mode"/> has them.</param>
    /// <param name="op">Its operation.</param>
    internal static bool IsPlainWithoutTiming(Row row, uint i, int mode, ref Op op)
    {
        // A copy that names itself as the next instruction ends the execution of its block.
        if (RowInfo.Class(row) == TimingClass.Mops)
            return RowInfo.HasSemantics(row);
        if (mode == 0)
            return false;
        // op0 is 2 or 3: bit 20 is set, bit 19 is the rest of it.
        int key = SystemRegisters.Key((int)(i >> 19) & 3, (int)(i >> 16) & 7, (int)(i >> 12) & 15, (int)(i >> 8) & 15, (int)(i >> 5) & 7);
        switch (row)
        {
            case Row.ISB:
            case Row.MSR_DAIFSet:
                return true;
            case Row.MSR_reg:
                return s_writable.Contains(key);
            case Row.MRS:
                if (key == SystemRegisters.Key(3, 0, 4, 1, 0))
                    Is(ref op, OpCode.MovReg64, rd: Destination((int)i & 31), rm: SpEL0);
                return s_readable.Contains(key);
            default:
                return false;
        }
    }
}
