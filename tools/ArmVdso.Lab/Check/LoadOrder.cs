using ArmVdso.Emulator.Isa;

namespace ArmVdso.Lab.Check;

/// <summary>Which loads of one execution path must be satisfied after which, by the Arm memory model (DDI0487 B2.3, "locally
/// ordered before"), as earliest times: a load cannot be satisfied before anything that is ordered before it.</summary>
/// <remarks>Ordered are: loads before and after DMB or DSB (of loads or of everything); later accesses after a load-acquire;
/// a load after the load that its address depends on; loads behind an ISB after those that a branch (or an address) before
/// the ISB depends on. A control dependency alone orders no loads. Dependencies through memory (a spilled register) are not
/// followed: that allows more, never less.</remarks>
internal sealed class LoadOrder
{
    private readonly int[] _general = new int[32];
    private int _flags;
    private int _latest;
    private int _barrier;
    private int _decided;

    /// <summary>Earliest time at which a load of this instruction can be satisfied.</summary>
    internal int Earliest(Row row, uint instruction) => Math.Max(_barrier, Taint(AddressRegisters(row, instruction)));

    /// <summary>An instruction that loads was executed.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="instruction">Its word.</param>
    /// <param name="time">When its last load was satisfied.</param>
    internal void Loaded(Row row, uint instruction, int time)
    {
        _latest = Math.Max(_latest, time);
        _decided = Math.Max(_decided, Taint(AddressRegisters(row, instruction)));
        RegisterUse use = RegisterUse.Get(row, instruction);
        string name = RowInfo.Name(row);
        bool writesBack = name.Contains("post", StringComparison.OrdinalIgnoreCase)
            || name.Contains("pre", StringComparison.OrdinalIgnoreCase);
        int baseRegister = (int)(instruction >> 5) & 31;
        for (int r = 0; r < 32; r++)
        {
            if ((use.WritesGeneral >> r & 1) != 0 && !(writesBack && r == baseRegister))
                _general[r] = time;
        }
        if (name.StartsWith("LDA", StringComparison.OrdinalIgnoreCase))
            _barrier = Math.Max(_barrier, time);
    }

    /// <summary>Any other instruction was executed.</summary>
    internal void Executed(Row row, uint instruction)
    {
        if (IsLoadBarrier(instruction))
        {
            _barrier = Math.Max(_barrier, _latest);
            return;
        }
        if (instruction == 0xd5033fdf)
        {
            _barrier = Math.Max(_barrier, _decided);
            return;
        }
        RegisterUse use = RegisterUse.Get(row, instruction);
        int taint = Math.Max(Taint(use.ReadsGeneral), use.ReadsFlags ? _flags : 0);
        if (RowInfo.Class(row).ToString().Contains("Branch", StringComparison.Ordinal))
            _decided = Math.Max(_decided, taint);
        for (int r = 0; r < 32; r++)
        {
            if ((use.WritesGeneral >> r & 1) != 0)
                _general[r] = taint;
        }
        if (use.WritesFlags)
            _flags = taint;
    }

    private int Taint(uint registers)
    {
        int taint = 0;
        for (int r = 0; r < 32; r++)
        {
            if ((registers >> r & 1) != 0)
                taint = Math.Max(taint, _general[r]);
        }
        return taint;
    }

    private static uint AddressRegisters(Row row, uint instruction) => RegisterUse.Get(row, instruction).ReadsGeneral;

    /// <summary>DMB or DSB that orders loads with loads: CRm with the type bits "all" or "loads".</summary>
    internal static bool IsLoadBarrier(uint instruction) => IsBarrier(instruction) && (instruction >> 8 & 3) is (1 or 3);

    /// <summary>DMB or DSB that orders stores with stores.</summary>
    internal static bool IsStoreBarrier(uint instruction) => IsBarrier(instruction) && (instruction >> 8 & 3) is (2 or 3);

    private static bool IsBarrier(uint instruction) => (instruction & 0xfffff0ff) is 0xd50330bf or 0xd503309f;

    /// <summary>Bytes of one element of a pair load or store; 0 for other instructions. The elements are separate accesses.</summary>
    internal static int PairElement(uint instruction)
    {
        if ((instruction & 0x3a000000) != 0x28000000)
            return 0;
        bool vector = (instruction >> 26 & 1) != 0;
        int opc = (int)(instruction >> 30);
        return vector ? 4 << opc : opc == 2 ? 8 : 4;
    }
}
