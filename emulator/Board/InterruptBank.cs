namespace ArmVdso.Emulator.Board;

/// <summary>State of 32 interrupts with INTIDs one after another, a bit each (GICv3, IHI 0069, 4.1.2).</summary>
internal sealed class InterruptBank
{
    internal uint Group, Enabled, Active, Edge;
    private uint _latched, _level;

    /// <summary>Priorities; lower is more urgent. Only the upper five bits exist.</summary>
    internal byte[] Priority { get; } = new byte[32];

    /// <summary>Affinity values that GICD_IROUTER holds; shared interrupts only.</summary>
    internal ulong[] Route { get; } = new ulong[32];

    /// <summary>Pending interrupts: edges and SGIs that were latched, and levels that are high.</summary>
    internal uint Pending => _latched | (_level & ~Edge);

    /// <summary>Interrupts that may be signalled: pending, enabled, not active, in Group 1.</summary>
    internal uint Candidates => Pending & Enabled & ~Active & Group;

    /// <summary>GICD_ISPENDR and its like.</summary>
    internal void SetPending(uint bits) => _latched |= bits;

    /// <summary>GICD_ICPENDR and its like: a level that is high stays pending.</summary>
    internal void ClearPending(uint bits) => _latched &= ~bits;

    /// <summary>An input changed.</summary>
    /// <returns>False: it was so before.</returns>
    internal bool SetLevel(int bit, bool high)
    {
        uint mask = 1u << bit;
        if ((_level & mask) != 0 == high)
            return false;
        _level ^= mask;
        if (high)
            _latched |= mask & Edge;
        return true;
    }

    /// <summary>An interrupt was acknowledged: it is active, and pending no more unless its level is high.</summary>
    internal void Activate(int bit)
    {
        Active |= 1u << bit;
        _latched &= ~(1u << bit);
    }

    /// <summary>A register with a bit for each interrupt: offset 0x080 to 0x3FC of GICD and GICR (SGI_base).</summary>
    internal uint Read(ulong register) => register switch
    {
        0x080 => Group,
        0x100 or 0x180 => Enabled,
        0x200 or 0x280 => Pending,
        0x300 or 0x380 => Active,
        _ => 0,
    };

    /// <inheritdoc cref="Read"/>
    internal void Write(ulong register, uint value)
    {
        switch (register)
        {
            case 0x080: Group = value; break;
            case 0x100: Enabled |= value; break;
            case 0x180: Enabled &= ~value; break;
            case 0x200: SetPending(value); break;
            case 0x280: ClearPending(value); break;
            case 0x300: Active |= value; break;
            case 0x380: Active &= ~value; break;
        }
    }

    /// <summary>GICD_ICFGR and its like: two bits an interrupt, the upper one says edge.</summary>
    /// <param name="half">0: the lower 16 interrupts; 1: the upper.</param>
    internal uint ReadConfiguration(int half)
    {
        uint value = 0;
        for (int i = 0; i < 16; i++)
            value |= ((Edge >> (16 * half + i)) & 1) << (2 * i + 1);
        return value;
    }

    /// <inheritdoc cref="ReadConfiguration"/>
    internal void WriteConfiguration(int half, uint value)
    {
        for (int i = 0; i < 16; i++)
        {
            uint bit = 1u << (16 * half + i);
            Edge = (value & (2u << (2 * i))) != 0 ? Edge | bit : Edge & ~bit;
        }
    }
}
