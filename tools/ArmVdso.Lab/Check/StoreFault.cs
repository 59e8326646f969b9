using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Check;

/// <summary>Stands beside every step of a rig's CPUs.</summary>
internal abstract class RigProbe
{
    /// <summary>A CPU is about to execute an instruction or to take an interrupt.</summary>
    internal abstract void Before(Cpu cpu);

    /// <summary>It has.</summary>
    internal abstract void After(Cpu cpu);
}

/// <summary>What goes wrong with a store.</summary>
internal enum StoreFaultKind
{
    /// <summary>It does not happen.</summary>
    Dropped,

    /// <summary>It happens when the CPU has returned to EL0, or sleeps.</summary>
    Delayed,

    /// <summary>It goes to the same place of another slot.</summary>
    Misdirected,

    /// <summary>It happens twice: again when the CPU has returned to EL0, or sleeps.</summary>
    Doubled,
}

/// <summary>A store of EL1 code to a data page goes wrong, whenever it is executed.</summary>
/// <param name="rig">The rig.</param>
/// <param name="pc">Kernel address of the instruction.</param>
/// <param name="kind">How it goes wrong.</param>
internal sealed class StoreFault(CheckRig rig, ulong pc, StoreFaultKind kind) : RigProbe
{
    private readonly List<(int Cpu, ulong Pa, byte[] Value)> _later = [];
    private Dictionary<ulong, byte[]>? _before;
    private ulong _instructions;

    /// <summary>How often the store was executed.</summary>
    internal long Executed { get; private set; }

    /// <summary>How often that left something else in memory than what should be there.</summary>
    internal long Changed { get; private set; }

    internal override void Before(Cpu cpu)
    {
        _instructions = cpu.Instructions;
        _before = cpu.EL == 1 && cpu.PC == pc ? rig.SaveData() : null;
    }

    internal override void After(Cpu cpu)
    {
        // An interrupt came instead of the instruction: it is still to come.
        if (_before is { } before && cpu.Instructions != _instructions)
        {
            _before = null;
            for (int i = 0; i < cpu.AccessCount; i++)
            {
                MemoryAccess a = cpu.Accesses[i];
                if (a.Write && before.TryGetValue(a.Pa & ~0xfffUL, out byte[]? page))
                    Spoil(cpu, a.Pa, page.AsSpan((int)(a.Pa & 0xfff), a.Size));
            }
        }
        if (_later.Count > 0 && (cpu.EL == 0 || cpu.Waiting))
        {
            foreach ((int at, ulong pa, byte[] value) in _later)
            {
                if (at != cpu.Index)
                    continue;
                Span<byte> memory = rig.Machine.Memory.Span(pa, value.Length);
                Changed += kind == StoreFaultKind.Doubled && !memory.SequenceEqual(value) ? 1 : 0;
                value.CopyTo(memory);
            }
            _later.RemoveAll(l => l.Cpu == cpu.Index);
        }
    }

    private void Spoil(Cpu cpu, ulong pa, Span<byte> old)
    {
        Span<byte> memory = rig.Machine.Memory.Span(pa, old.Length);
        byte[] value = memory.ToArray();
        Executed++;
        if (kind is StoreFaultKind.Delayed or StoreFaultKind.Doubled)
            _later.Add((cpu.Index, pa, value));
        if (kind == StoreFaultKind.Doubled)
            return;
        Changed += memory.SequenceEqual(old) ? 0 : 1;
        old.CopyTo(memory);
        if (kind == StoreFaultKind.Misdirected && rig.OtherSlot(cpu, pa) is { } other)
            value.CopyTo(rig.Machine.Memory.Span(other, value.Length));
    }
}
