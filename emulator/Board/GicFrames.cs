namespace ArmVdso.Emulator.Board;

/// <summary>GICD: the registers of shared interrupts (IHI 0069, 12.9).</summary>
internal sealed class GicDistributor(Gic gic) : Device(0x10000)
{
    /// <summary>GIC architecture version 3 in GICD_PIDR2 and GICR_PIDR2 (IHI 0069, 12.9.33).</summary>
    internal const uint Pidr2 = 0x3B;

    /// <summary>JEP106 code of Arm, product 0.</summary>
    internal const uint Iidr = 0x43B;

    private uint _control;

    /// <summary>GICD_CTLR.EnableGrp1.</summary>
    internal bool Group1Enabled => (_control & 2) != 0;

    /// <inheritdoc/>
    internal override ulong Read(int pe, ulong offset, int size) => offset switch
    {
        // DS, ARE.
        0x0000 => _control | 0x50,
        // RSS, No1N, A3V, ten bits of INTID, ITLinesNumber.
        0x0004 => 1u << 26 | 1u << 25 | 1u << 24 | 9u << 19 | (uint)gic.SharedBankCount,
        0x0008 => Iidr,
        >= 0x080 and < 0x400 => Bank(offset & 0x7F) is { } bank ? bank.Read(offset & 0x380) : 0,
        >= 0x400 and < 0x800 => ReadPriorities(offset - 0x400, size),
        >= 0xC00 and < 0xD00 => Bank((offset - 0xC00) / 2) is { } bank ? bank.ReadConfiguration((int)(offset >> 2) & 1) : 0,
        >= 0x6000 and < 0x8000 => RouteOf(offset) is { } place ? place.Bank.Route[place.Bit] >> (8 * (int)(offset & 4)) : 0,
        0xFFE8 => Pidr2,
        _ => 0,
    };

    /// <inheritdoc/>
    internal override void Write(int pe, ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case 0x0000:
                _control = (uint)value & 3;
                break;
            case >= 0x080 and < 0x400:
                Bank(offset & 0x7F)?.Write(offset & 0x380, (uint)value);
                break;
            case >= 0x400 and < 0x800:
                for (int i = 0; i < size; i++)
                {
                    if (gic.Bank(0, (int)(offset - 0x400) + i) is { } bank && offset - 0x400 >= 32)
                        bank.Priority[((int)offset + i) & 31] = (byte)((value >> (8 * i)) & 0xF8);
                }
                break;
            case >= 0xC00 and < 0xD00:
                Bank((offset - 0xC00) / 2)?.WriteConfiguration((int)(offset >> 2) & 1, (uint)value);
                break;
            case >= 0x6000 and < 0x8000:
                if (RouteOf(offset) is { } place)
                {
                    ref ulong route = ref place.Bank.Route[place.Bit];
                    if (size == 8)
                        route = value & 0xFF_80FF_FFFF;
                    else if ((offset & 4) == 0)
                        route = (route & ~0xFFFF_FFFFUL) | (value & 0x80FF_FFFF);
                    else
                        route = (uint)route | (value & 0xFF) << 32;
                }
                break;
            default:
                return;
        }
        gic.UpdateAll();
    }

    /// <summary>The bank of registers with a bit an interrupt; those of private interrupts are in GICR.</summary>
    private InterruptBank? Bank(ulong offset)
    {
        int bank = (int)(offset >> 2) - 1;
        return bank >= 0 && bank < gic.SharedBankCount ? gic.Shared(bank) : null;
    }

    private uint ReadPriorities(ulong offset, int size)
    {
        uint value = 0;
        for (int i = 0; i < size && i < 4; i++)
        {
            if (offset >= 32 && gic.Bank(0, (int)offset + i) is { } bank)
                value |= (uint)bank.Priority[((int)offset + i) & 31] << (8 * i);
        }
        return value;
    }

    private (InterruptBank Bank, int Bit)? RouteOf(ulong offset)
    {
        int interrupt = (int)(offset - 0x6000) / 8;
        return interrupt >= 32 && gic.Bank(0, interrupt) is { } bank ? (bank, interrupt & 31) : null;
    }
}

/// <summary>GICR: a frame of two pages of 64 KiB for each PE, one behind the other (IHI 0069, 12.11).</summary>
internal sealed class GicRedistributors : Device
{
    private const int FrameBits = 17;
    private readonly Gic _gic;
    private readonly bool[] _asleep;

    internal GicRedistributors(Gic gic)
        : base((ulong)gic.Count << FrameBits)
    {
        _gic = gic;
        _asleep = new bool[gic.Count];
        Array.Fill(_asleep, true);
    }

    /// <inheritdoc/>
    internal override ulong Read(int pe, ulong offset, int size)
    {
        int owner = (int)(offset >> FrameBits);
        InterruptBank bank = _gic.Private(owner);
        ulong register = offset & ((1UL << FrameBits) - 1);
        return register switch
        {
            0x0004 => GicDistributor.Iidr,
            0x0008 => Type(owner, size),
            0x000C => Gic.Affinity(owner),
            // ChildrenAsleep, ProcessorSleep.
            0x0014 => _asleep[owner] ? 6UL : 0,
            0xFFE8 => GicDistributor.Pidr2,
            >= 0x10080 and < 0x10400 when (register & 0x7F) == 0 => bank.Read(register & 0x380),
            >= 0x10400 and < 0x10420 => Priorities(bank, (int)register & 31, size),
            0x10C00 or 0x10C04 => bank.ReadConfiguration((int)(register >> 2) & 1),
            _ => 0,
        };
    }

    /// <summary>GICR_TYPER: affinity, number, whether it is the last frame.</summary>
    private ulong Type(int owner, int size)
    {
        ulong type = (ulong)Gic.Affinity(owner) << 32 | (ulong)owner << 8 | (owner == _gic.Count - 1 ? 1UL << 4 : 0);
        return size == 8 ? type : (uint)type;
    }

    private static uint Priorities(InterruptBank bank, int first, int size)
    {
        uint value = 0;
        for (int i = 0; i < size && i < 4; i++)
            value |= (uint)bank.Priority[first + i] << (8 * i);
        return value;
    }

    /// <inheritdoc/>
    internal override void Write(int pe, ulong offset, int size, ulong value)
    {
        int owner = (int)(offset >> FrameBits);
        InterruptBank bank = _gic.Private(owner);
        ulong register = offset & ((1UL << FrameBits) - 1);
        switch (register)
        {
            case 0x0014:
                _asleep[owner] = (value & 2) != 0;
                return;
            case >= 0x10080 and < 0x10400 when (register & 0x7F) == 0:
                bank.Write(register & 0x380, (uint)value);
                break;
            case >= 0x10400 and < 0x10420:
                for (int i = 0; i < size; i++)
                    bank.Priority[((int)register + i) & 31] = (byte)((value >> (8 * i)) & 0xF8);
                break;
            case 0x10C04:
                bank.WriteConfiguration(1, (uint)value);
                break;
            default:
                return;
        }
        _gic.Update(owner);
    }
}
