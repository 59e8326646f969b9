using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Arithmetic on logical address tags (FEAT_MTE). There is no storage for allocation tags here, so the rows that
/// load and store them have no semantics.</summary>
public static partial class A64
{
    private const ulong SctlrAta0 = 1UL << 42, SctlrAta = 1UL << 43;
    private const int TagShift = 56;

    public static void ADDG(Cpu cpu, int uimm6, int uimm4, int rn, int rd) =>
        AddTag(cpu, cpu.XSP(rn), (ulong)uimm6 << 4, uimm4, rd);

    public static void SUBG(Cpu cpu, int uimm6, int uimm4, int rn, int rd) =>
        AddTag(cpu, cpu.XSP(rn), 0 - ((ulong)uimm6 << 4), uimm4, rd);

    private static void AddTag(Cpu cpu, ulong address, ulong offset, int tagOffset, int rd)
    {
        int tag = AllocationTagAccessIsEnabled(cpu)
            ? ChooseNonExcludedTag(AllocationTagFromAddress(address), tagOffset, (int)cpu.GCR_EL1 & 0xffff)
            : 0;
        cpu.SetXSP(rd, AddressWithAllocationTag(address + offset, tag));
    }

    public static void IRG(Cpu cpu, int rm, int rn, int rd)
    {
        int tag = 0;
        if (AllocationTagAccessIsEnabled(cpu))
        {
            int exclude = (int)(cpu.X(rm) | cpu.GCR_EL1) & 0xffff;
            tag = exclude == 0xffff ? 0 : RandomAllocationTag(cpu, exclude);
        }
        cpu.SetXSP(rd, AddressWithAllocationTag(cpu.XSP(rn), tag));
    }

    public static void GMI(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, cpu.X(rm) | (1UL << AllocationTagFromAddress(cpu.XSP(rn))));

    public static void SUBP(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, SignExtend(cpu.XSP(rn), 56) - SignExtend(cpu.XSP(rm), 56));

    public static void SUBPS(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, AddWithCarry(cpu, 1, SignExtend(cpu.XSP(rn), 56), ~SignExtend(cpu.XSP(rm), 56), true));

    private static bool AllocationTagAccessIsEnabled(Cpu cpu) => (cpu.SCTLR_EL1 & (cpu.EL == 0 ? SctlrAta0 : SctlrAta)) != 0;

    private static int AllocationTagFromAddress(ulong address) => (int)(address >> TagShift) & 15;

    private static ulong AddressWithAllocationTag(ulong address, int tag) =>
        (address & ~(15UL << TagShift)) | ((ulong)tag << TagShift);

    private static int ChooseNonExcludedTag(int tag, int offset, int exclude)
    {
        if (exclude == 0xffff)
            return 0;
        tag = NextAllowed(tag, exclude);
        for (; offset > 0; offset--)
            tag = NextAllowed((tag + 1) & 15, exclude);
        return tag;
    }

    private static int NextAllowed(int tag, int exclude)
    {
        while ((exclude >> tag & 1) != 0)
            tag = (tag + 1) & 15;
        return tag;
    }

    /// <summary>RandomAllocationTag with GCR_EL1.RRND = 0: four steps of the shift register in RGSR_EL1.SEED.</summary>
    private static int RandomAllocationTag(Cpu cpu, int exclude)
    {
        uint lfsr = (uint)(cpu.RGSR_EL1 >> 8) & 0xffff;
        int random = 0;
        for (int i = 0; i < 4; i++)
        {
            uint top = ((lfsr >> 5) ^ (lfsr >> 3) ^ (lfsr >> 2) ^ lfsr) & 1;
            lfsr = (lfsr >> 1) | (top << 15);
            random |= (int)top << i;
        }
        int tag = ChooseNonExcludedTag((int)cpu.RGSR_EL1 & 15, random, exclude);
        cpu.RGSR_EL1 = (uint)tag | (lfsr << 8);
        return tag;
    }
}
