using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>What bodies of operations call: the text of the operations is in operations.txt.</summary>
internal partial class PortableEngine
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref FastEntry Slot(ref FastEntry tlb, ulong address) =>
        ref Unsafe.Add(ref tlb, FastEntry.Index(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddFlags(Cpu cpu, ulong a, ulong b)
    {
        ulong result = a + b;
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = result < a;
        cpu.O = (long)(~(a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint AddFlags(Cpu cpu, uint a, uint b)
    {
        uint result = a + b;
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = result < a;
        cpu.O = (int)(~(a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SubFlags(Cpu cpu, ulong a, ulong b)
    {
        ulong result = a - b;
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = a >= b;
        cpu.O = (long)((a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SubFlags(Cpu cpu, uint a, uint b)
    {
        uint result = a - b;
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = a >= b;
        cpu.O = (int)((a ^ b) & (a ^ result)) < 0;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LogicFlags(Cpu cpu, ulong result)
    {
        cpu.N = (long)result < 0;
        cpu.Z = result == 0;
        cpu.C = false;
        cpu.O = false;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LogicFlags(Cpu cpu, uint result)
    {
        cpu.N = (int)result < 0;
        cpu.Z = result == 0;
        cpu.C = false;
        cpu.O = false;
        return result;
    }

    /// <summary>CCMP: compares when the condition holds, else sets the flags to <paramref name="nzcv"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CompareIf(Cpu cpu, int condition, ulong a, ulong b, int nzcv)
    {
        if (cpu.ConditionHolds(condition))
            SubFlags(cpu, a, b);
        else
            cpu.NZCV = nzcv;
    }

    /// <summary>CCMP of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CompareIf(Cpu cpu, int condition, uint a, uint b, int nzcv)
    {
        if (cpu.ConditionHolds(condition))
            SubFlags(cpu, a, b);
        else
            cpu.NZCV = nzcv;
    }

    /// <summary>ExtendReg of a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Extended(ulong value, int option, int shift)
    {
        if (option != 3)
            value = A64.Extend(value, option);
        return value << shift;
    }

    private static ulong SignedQuotient(long dividend, long divisor) =>
        (ulong)(divisor == 0 ? 0 : divisor == -1 ? unchecked(-dividend) : dividend / divisor);
}
