namespace ArmVdso.Emulator.Board;

/// <summary>PrimeCell Real Time Clock (PL031, Arm DDI 0224, 3.2 and 3.3). It counts the guest's seconds from the time that the board was
/// started with; the alarm is kept and never raised.</summary>
/// <param name="seconds">Seconds since 1970 at a PE's clock.</param>
internal sealed class Pl031(Func<int, ulong> seconds) : Device(0x1000)
{
    private uint _offset, _match, _mask;

    /// <inheritdoc/>
    internal override ulong Read(int pe, ulong offset, int size) => offset switch
    {
        0x000 => (uint)seconds(pe) + _offset,
        0x004 => _match,
        0x008 => (uint)seconds(pe) + _offset,
        0x00C => 1,
        0x010 => _mask,
        >= 0xFE0 => Pl011.Identification(0x00041031, offset),
        _ => 0,
    };

    /// <inheritdoc/>
    internal override void Write(int pe, ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case 0x004: _match = (uint)value; break;
            case 0x008: _offset = (uint)value - (uint)seconds(pe); break;
            case 0x010: _mask = (uint)value & 1; break;
        }
    }
}
