using System.Numerics;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Board;

/// <summary>Arm Generic Interrupt Controller v3 with system register interface, affinity routing, one Security state
/// (GICD_CTLR.DS = 1), no LPIs (IHI 0069). Group 1 interrupts are signalled as IRQ; Group 0 ones would be FIQs and stay
/// pending.</summary>
internal sealed class Gic
{
    /// <summary>Shared interrupts, INTID 32 and up.</summary>
    private const int SharedBanks = 2;

    private const int Spurious = 1023;
    private readonly Machine _machine;
    private readonly InterruptBank[] _shared;
    private readonly GicCpuInterface[] _interfaces;

    internal Gic(Machine machine)
    {
        _machine = machine;
        _shared = [.. Enumerable.Range(0, SharedBanks).Select(_ => new InterruptBank())];
        _interfaces = [.. machine.Cpus.Select(cpu => new GicCpuInterface(this, cpu))];
        foreach (Cpu cpu in machine.Cpus)
            cpu.Interrupts = _interfaces[cpu.Index];
        Distributor = new GicDistributor(this);
        Redistributors = new GicRedistributors(this);
    }

    /// <summary>GICD.</summary>
    internal GicDistributor Distributor { get; }

    /// <summary>The GICR frames of all PEs.</summary>
    internal GicRedistributors Redistributors { get; }

    internal int Count => _interfaces.Length;

    internal InterruptBank Shared(int bank) => _shared[bank];

    internal int SharedBankCount => SharedBanks;

    internal InterruptBank Private(int pe) => _interfaces[pe].Private;

    /// <summary>Affinity of a PE as MPIDR_EL1 has it.</summary>
    internal static uint Affinity(int pe) => (uint)pe;

    /// <summary>The level of a shared peripheral interrupt.</summary>
    /// <param name="interrupt">INTID, from 32.</param>
    /// <param name="high">Asserted.</param>
    internal void SetLevel(int interrupt, bool high)
    {
        if (_shared[(interrupt >> 5) - 1].SetLevel(interrupt & 31, high))
            UpdateAll();
    }

    /// <summary>The bank of an interrupt as a PE sees it; null: no such interrupt.</summary>
    internal InterruptBank? Bank(int pe, int interrupt) => interrupt < 32
        ? Private(pe)
        : (interrupt >> 5) - 1 < SharedBanks ? _shared[(interrupt >> 5) - 1] : null;

    /// <summary>The pending interrupt of highest priority that goes to a PE.</summary>
    internal (int Interrupt, int Priority) Best(int pe)
    {
        int best = Spurious, priority = 0x100;
        Consider(Private(pe), 0, -1, ref best, ref priority);
        for (int i = 0; i < SharedBanks; i++)
            Consider(_shared[i], 32 * (i + 1), pe, ref best, ref priority);
        return (best, priority);
    }

    private void Consider(InterruptBank bank, int first, int pe, ref int best, ref int priority)
    {
        for (uint bits = bank.Candidates; bits != 0; bits &= bits - 1)
        {
            int bit = BitOperations.TrailingZeroCount(bits);
            if (bank.Priority[bit] < priority && (pe < 0 || Target(bank.Route[bit]) == pe))
                (best, priority) = (first + bit, bank.Priority[bit]);
        }
    }

    /// <summary>The PE that GICD_IROUTER names; 1 of N goes to the first.</summary>
    private int Target(ulong route) => (route & (1UL << 31)) != 0 || route >= (ulong)Count ? 0 : (int)route;

    /// <summary>Which interrupts are signalled may have changed for one PE.</summary>
    internal void Update(int pe)
    {
        Cpu cpu = _machine.Cpus[pe];
        bool asserted = Distributor.Group1Enabled && _interfaces[pe].Signals();
        if (asserted && !cpu.IrqAsserted && cpu.Waiting && !cpu.Off)
            _machine.Wake(cpu, Now);
        cpu.IrqAsserted = asserted;
    }

    /// <summary>Cycle of what is going on: that of the PE that does it.</summary>
    internal ulong Now { get; set; }

    /// <summary>As <see cref="Update"/>, for all PEs.</summary>
    internal void UpdateAll()
    {
        for (int pe = 0; pe < _interfaces.Length; pe++)
            Update(pe);
    }

    /// <summary>ICC_SGI1R_EL1: makes a software generated interrupt pending on the PEs that it names.</summary>
    internal void Generate(int from, ulong value)
    {
        Now = _machine.Cpus[from].Cycles;
        uint bit = 1u << ((int)(value >> 24) & 15);
        ulong cluster = ((value >> 48) & 0xff) << 32 | ((value >> 32) & 0xff) << 16 | ((value >> 16) & 0xff) << 8;
        int range = (int)(value >> 44) & 15;
        for (int pe = 0; pe < _interfaces.Length; pe++)
        {
            ulong affinity = Affinity(pe);
            int low = (int)(affinity & 0xff);
            bool meant = (value & (1UL << 40)) != 0
                ? pe != from
                : (affinity & ~0xffUL) == cluster && low >> 4 == range && (value & (1UL << (low & 15))) != 0;
            if (!meant)
                continue;
            Private(pe).SetPending(bit);
            Update(pe);
        }
    }
}
