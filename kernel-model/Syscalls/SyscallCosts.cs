using ArmVdso.Emulator;

namespace ArmVdso.Kernel;

/// <summary>What bodies in C# are charged: modelled cycles, from instruction counts of a stock kernel's system calls.
/// Source: dynamic EL1 instruction counts of Debian's 6.1 arm64 kernel on a Cortex-A53 configuration without KPTI, less the
/// 345 instructions of an unknown call (entry and exit, which are executed here). Cycles per instruction are assumed.</summary>
public static class SyscallCosts
{
    /// <summary>Assumed cycles per instruction of the charged part, in tenths. An assumption, not a measurement.</summary>
    public const int CyclesPerInstructionTenths = 15;

    /// <summary>Instructions and data lines charged for a class.</summary>
    public static (int Instructions, int Lines) Of(CostClass cost) => cost switch
    {
        CostClass.Trivial => (48, 5),
        CostClass.Descriptor => (160, 8),
        CostClass.Transfer => (900, 45),
        CostClass.FileTransfer => (1300, 55),
        CostClass.Stat => (1095, 50),
        CostClass.Path => (3190, 100),
        CostClass.Open => (4258, 135),
        CostClass.Close => (1293, 60),
        CostClass.Map => (4808, 150),
        CostClass.Unmap => (11400, 250),
        CostClass.Futex => (228, 12),
        CostClass.Signal => (1500, 50),
        CostClass.Fork => (36000, 700),
        CostClass.Exec => (150000, 2500),
        CostClass.Exit => (29000, 500),
        CostClass.Wait => (1200, 50),
        _ => (0, 0),
    };

    /// <summary>A batch of random numbers: what getrandom of so many bytes costs there (crng_make_state and ChaCha20 blocks).</summary>
    internal static void ChargeRandomBatch(Cpu cpu) => cpu.Timing.Charge(3600 * CyclesPerInstructionTenths / 10, 20);

    /// <summary>Charges a call's body to the CPU that runs it.</summary>
    internal static void Charge(Cpu cpu, SyscallRow? row)
    {
        if (row is null)
            return;
        (int instructions, int lines) = Of(row.Cost);
        cpu.Timing.Charge((ulong)(instructions * CyclesPerInstructionTenths / 10), lines);
    }
}
