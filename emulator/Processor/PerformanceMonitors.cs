using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Processor;

/// <summary>The performance monitors of one PE (PMUv3; DDI0487, D13): a cycle counter and <see cref="Counters"/> event counters.
/// Nothing is done when an event happens: a counter's value is worked out from the timing model's counts when it is read. Overflow
/// sets its status bit by the next access; no interrupt is raised, so counting works and sampling does not.</summary>
public sealed class PerformanceMonitors(Cpu cpu)
{
    /// <summary>Event counters (PMCR_EL0.N), as a Cortex-A53 has them.</summary>
    public const int Counters = 6;

    /// <summary>Index of the cycle counter in masks.</summary>
    public const int CycleCounter = 31;

    private const ulong Implemented = (1UL << CycleCounter) | ((1UL << Counters) - 1);
    private const int SoftwareIncrement = 0;
    /// <summary>PMCR_EL0.E: counters run.</summary>
    public const ulong Enable = 1;

    /// <summary>PMCR_EL0.LC: the cycle counter overflows at 64 bits.</summary>
    public const ulong LongCycles = 1 << 6;

    private const ulong ResetEvents = 2, ResetCycles = 4;

    // The cycle counter is the last.
    private readonly ulong[] _values = new ulong[Counters + 1];
    private readonly ulong[] _since = new ulong[Counters + 1];
    private readonly ulong[] _types = new ulong[Counters + 1];
    private ulong _control;
    private ulong _enabled;
    private ulong _overflow;
    private ulong _interrupts;
    private ulong _select;

    private static int Slot(int counter) => counter == CycleCounter ? Counters : counter;

    private bool Runs(int slot) => (_control & Enable) != 0 && (_enabled >> (slot == Counters ? CycleCounter : slot) & 1) != 0;

    /// <summary>How often the event of a counter has happened at the levels that its filter lets through.</summary>
    private ulong Happened(int slot)
    {
        ulong type = _types[slot];
        PmuEvent? e = PmuEvent.Find(slot == Counters ? PmuEvent.CpuCycles : (int)(type & 0xFFFF));
        if (e is null)
            return 0;
        // PMEVTYPER.P (31) leaves EL1 out, U (30) leaves EL0 out.
        ulong sum = 0;
        if ((type >> 31 & 1) == 0)
            sum += e.Count(cpu.Timing.Counters(1));
        if ((type >> 30 & 1) == 0)
            sum += e.Count(cpu.Timing.Counters(0));
        return sum;
    }

    /// <summary>Brings all counters up to now, before anything about them changes or is read.</summary>
    private void Update()
    {
        for (int slot = 0; slot <= Counters; slot++)
        {
            ulong now = Happened(slot);
            if (Runs(slot))
                Add(slot, now - _since[slot]);
            _since[slot] = now;
        }
    }

    private void Add(int slot, ulong count)
    {
        ulong before = _values[slot];
        bool wide = slot == Counters && (_control & LongCycles) != 0;
        ulong after = before + count;
        // An event counter has 32 bits; the cycle counter always has 64 and overflows at the one that PMCR_EL0.LC says.
        bool overflow = wide ? after < before : (before & uint.MaxValue) + count > uint.MaxValue;
        _values[slot] = slot == Counters ? after : after & uint.MaxValue;
        if (overflow)
            _overflow |= 1UL << (slot == Counters ? CycleCounter : slot);
    }

    /// <summary>PMCR_EL0: Arm's implementer code, N counters, LC and E.</summary>
    public ulong Control
    {
        get => 0x41UL << 24 | (ulong)Counters << 11 | _control;
        set
        {
            Update();
            if ((value & ResetEvents) != 0)
                Array.Clear(_values, 0, Counters);
            if ((value & ResetCycles) != 0)
                _values[Counters] = 0;
            // D (a tick each 64 cycles), X and DP do nothing here and read as zero.
            _control = value & (Enable | LongCycles);
        }
    }

    /// <summary>PMCNTENSET_EL0, PMCNTENCLR_EL0.</summary>
    public ulong Enabled => _enabled;

    /// <summary>Starts or stops the counters of a mask.</summary>
    public void SetEnabled(ulong mask, bool on)
    {
        Update();
        _enabled = on ? _enabled | (mask & Implemented) : _enabled & ~mask;
    }

    /// <summary>PMOVSSET_EL0, PMOVSCLR_EL0.</summary>
    public ulong Overflow
    {
        get
        {
            Update();
            return _overflow;
        }
    }

    /// <summary>Sets or clears overflow flags.</summary>
    public void SetOverflow(ulong mask, bool on)
    {
        Update();
        _overflow = on ? _overflow | (mask & Implemented) : _overflow & ~mask;
    }

    /// <summary>PMINTENSET_EL1, PMINTENCLR_EL1; kept, no interrupt follows.</summary>
    public ulong Interrupts => _interrupts;

    /// <summary>Sets or clears interrupt enables.</summary>
    public void SetInterrupts(ulong mask, bool on) => _interrupts = on ? _interrupts | (mask & Implemented) : _interrupts & ~mask;

    /// <summary>PMSELR_EL0.SEL.</summary>
    public ulong Select
    {
        get => _select;
        set => _select = value & 31;
    }

    /// <summary>The counter that PMSELR_EL0 selects exists; accesses through it are UNDEFINED otherwise in this implementation
    /// (CONSTRAINED UNPREDICTABLE).</summary>
    public bool SelectExists(bool type) => _select < Counters || (type && _select == CycleCounter);

    /// <summary>PMEVCNTRn_EL0, or the cycle counter.</summary>
    public ulong Read(int counter)
    {
        Update();
        return _values[Slot(counter)];
    }

    /// <summary>Sets a counter.</summary>
    public void Write(int counter, ulong value)
    {
        Update();
        _values[Slot(counter)] = counter == CycleCounter ? value : value & uint.MaxValue;
    }

    /// <summary>PMEVTYPERn_EL0, or PMCCFILTR_EL0.</summary>
    public ulong ReadType(int counter) => _types[Slot(counter)];

    /// <summary>Sets the event and the filter of a counter.</summary>
    public void WriteType(int counter, ulong value)
    {
        Update();
        int slot = Slot(counter);
        _types[slot] = value & (counter == CycleCounter ? 0xF8000000UL : 0xF800FFFFUL);
        _since[slot] = Happened(slot);
    }

    /// <summary>PMSWINC_EL0: counters of event SW_INCR count.</summary>
    public void Increment(ulong mask)
    {
        Update();
        for (int slot = 0; slot < Counters; slot++)
        {
            if ((mask >> slot & 1) != 0 && Runs(slot) && (_types[slot] & 0xFFFF) == SoftwareIncrement)
                Add(slot, 1);
        }
    }

    /// <summary>PMCEID0_EL0 (<paramref name="high"/>: PMCEID1_EL0): bit n says that event n (32 + n) is counted; the upper half is for
    /// events from 0x4000 on.</summary>
    public ulong Identify(bool high)
    {
        ulong mask = high ? 0UL : 1UL;
        foreach (PmuEvent e in PmuEvent.All)
        {
            if (e.Number / 32 == (high ? 1 : 0) && (cpu.Timing.CountsEvents || e.Number is PmuEvent.InstRetired or PmuEvent.CpuCycles))
                mask |= 1UL << (e.Number % 32);
        }
        return mask;
    }
}
