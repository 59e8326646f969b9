using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Entry;

/// <summary>The batch of random numbers that each CPU takes stack offsets from (get_random_u16 in drivers/char/random.c).</summary>
internal sealed class RandomBatch(PhysicalMemory memory, DeterministicRandom random, CallCosts costs)
{
    /// <summary>HVC_RANDOM: fills a CPU's batch anew (_get_random_bytes).</summary>
    internal void Fill(Cpu cpu)
    {
        ulong batch = El1Image.Physical(cpu.TPIDR_EL1) + CpuRecord.BatchEntropy;
        for (ulong i = 0; i < CpuRecord.BatchEntries * 2; i += 8)
            memory.Write(batch + i, random.Next());
        CallCosts.Charge(cpu, costs.RandomBatch);
    }
}
