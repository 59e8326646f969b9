using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Board;

/// <summary>The host's side of a serial line.</summary>
[NotState("the host's")]
public interface ISerialLine
{
    /// <summary>The guest has sent a byte.</summary>
    void Send(byte value);

    /// <summary>The next byte for the guest; -1: there is none now.</summary>
    /// <param name="idle">Every PE waits: the guest has nothing else to do.</param>
    int Receive(bool idle);

    /// <summary>Every PE waits, and the next timer is that far away: may wait as long for input, or come back at once.</summary>
    /// <param name="time">Time of the guest.</param>
    void Idle(TimeSpan time);

    /// <summary>Every PE waits and no timer is armed: waits for input.</summary>
    /// <returns>False: there will be none.</returns>
    bool WaitForInput();
}

/// <summary>PrimeCell UART (PL011), revision r1p5 (Arm DDI 0183, 3.2 and 3.3). Bytes take no time to send; the rates are kept and mean
/// nothing. Modem lines are not connected.</summary>
/// <param name="line">The host's side.</param>
/// <param name="interrupt">Told the level of UARTINTR.</param>
internal sealed class Pl011(ISerialLine line, Action<bool> interrupt) : Device(0x1000)
{
    private const int Depth = 32;
    private const uint ReceiveInterrupt = 1 << 4, TransmitInterrupt = 1 << 5, TimeoutInterrupt = 1 << 6;
    private const uint ReceiveEmpty = 1 << 4, ReceiveFull = 1 << 6, TransmitEmpty = 1 << 7;
    private const uint Enable = 1, TransmitEnable = 1 << 8, ReceiveEnable = 1 << 9;
    private readonly Queue<byte> _received = new();
    private uint _integerRate, _fractionRate, _lineControl, _control = TransmitEnable | ReceiveEnable, _levels = 0x12, _mask, _raw;

    /// <summary>Takes bytes from the line as far as the FIFO has room; the host's input enters here.</summary>
    /// <param name="idle">Every PE waits.</param>
    internal void Poll(bool idle)
    {
        if ((_control & (Enable | ReceiveEnable)) != (Enable | ReceiveEnable))
            return;
        while (_received.Count < Depth && line.Receive(idle) is >= 0 and int value)
            _received.Enqueue((byte)value);
        if (_received.Count > 0)
            Raise(ReceiveInterrupt | TimeoutInterrupt);
    }

    private void Raise(uint bits)
    {
        _raw |= bits;
        interrupt((_raw & _mask) != 0);
    }

    private void Clear(uint bits)
    {
        _raw &= ~bits;
        interrupt((_raw & _mask) != 0);
    }

    /// <inheritdoc/>
    internal override ulong Read(int pe, ulong offset, int size) => offset switch
    {
        0x000 => ReceiveByte(),
        0x018 => TransmitEmpty | (_received.Count == 0 ? ReceiveEmpty : 0) | (_received.Count == Depth ? ReceiveFull : 0),
        0x024 => _integerRate,
        0x028 => _fractionRate,
        0x02C => _lineControl,
        0x030 => _control,
        0x034 => _levels,
        0x038 => _mask,
        0x03C => _raw,
        0x040 => _raw & _mask,
        >= 0xFE0 => Identification(0x00341011, offset),
        _ => 0,
    };

    /// <summary>The eight bytes of a PrimeCell's identification, a word each: the peripheral's, then 0xB105F00D.</summary>
    internal static uint Identification(uint peripheral, ulong offset) =>
        (byte)((offset < 0xFF0 ? peripheral : 0xB105F00D) >> (int)(8 * ((offset >> 2) & 3)));

    private uint ReceiveByte()
    {
        if (!_received.TryDequeue(out byte value))
            return 0;
        if (_received.Count == 0)
            Clear(ReceiveInterrupt | TimeoutInterrupt);
        Poll(false);
        return value;
    }

    /// <inheritdoc/>
    internal override void Write(int pe, ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case 0x000:
                line.Send((byte)value);
                Raise(TransmitInterrupt);
                break;
            case 0x024: _integerRate = (uint)value & 0xFFFF; break;
            case 0x028: _fractionRate = (uint)value & 0x3F; break;
            case 0x02C: _lineControl = (uint)value & 0xFF; break;
            case 0x030: _control = (uint)value & 0xFFFF; break;
            case 0x034: _levels = (uint)value & 0x3F; break;
            case 0x038:
                _mask = (uint)value & 0x7FF;
                Raise(0);
                break;
            case 0x044: Clear((uint)value & 0x7FF); break;
        }
    }
}
