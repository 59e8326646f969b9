using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>What came from a debugger.</summary>
public enum Incoming
{
    /// <summary>A packet with the right checksum.</summary>
    Packet,

    /// <summary>A packet with another checksum than it says: it is asked for again.</summary>
    Damaged,

    /// <summary>A packet longer than <see cref="PacketReader.Longest"/>, which was dropped.</summary>
    TooLong,

    /// <summary>The byte 3: stop the machine.</summary>
    Break,

    /// <summary>The other side wants the last packet again.</summary>
    Resend,
}

/// <summary>Takes the bytes of a debugger apart: packets of the GDB remote protocol (GDB manual, E.1 Overview), whatever comes.</summary>
public sealed class PacketReader
{
    /// <summary>Most characters of a packet, which qSupported says.</summary>
    public const int Longest = 0x10000;

    private readonly StringBuilder _text = new();
    private State _state;
    private int _sum, _said;
    private bool _escaped;

    private enum State
    {
        Between,
        Inside,
        FirstDigit,
        SecondDigit,
    }

    /// <summary>Takes one byte.</summary>
    /// <param name="value">The byte.</param>
    /// <param name="packet">A packet's text, one char a byte, escapes undone; else empty.</param>
    /// <returns>What is whole now; null: nothing.</returns>
    public Incoming? Take(byte value, out string packet)
    {
        packet = "";
        // A packet begins anew wherever its mark comes: what was before it was cut short.
        if (value == '$')
        {
            _text.Clear();
            (_state, _sum, _escaped) = (State.Inside, 0, false);
            return null;
        }
        switch (_state)
        {
            case State.Between:
                return value switch { 3 => Incoming.Break, (byte)'-' => Incoming.Resend, _ => null };
            case State.Inside when value == '#':
                _state = State.FirstDigit;
                return null;
            case State.Inside:
                _sum = (_sum + value) & 0xff;
                if (value == '}' && !_escaped)
                {
                    _escaped = true;
                    return null;
                }
                if (_text.Length <= Longest)
                    _text.Append((char)(_escaped ? value ^ 0x20 : value));
                _escaped = false;
                return null;
            case State.FirstDigit:
                _said = Digit(value) << 4;
                _state = State.SecondDigit;
                return null;
            default:
                _state = State.Between;
                if (_said < 0 || Digit(value) < 0 || (_said | Digit(value)) != _sum)
                    return Incoming.Damaged;
                if (_text.Length > Longest)
                    return Incoming.TooLong;
                packet = _text.ToString();
                return Incoming.Packet;
        }
    }

    private static int Digit(byte value) => value switch
    {
        >= (byte)'0' and <= (byte)'9' => value - '0',
        >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
        _ => -1,
    };

    /// <summary>A packet as it is sent.</summary>
    /// <param name="text">One char a byte; what must be escaped is.</param>
    public static byte[] Frame(string text)
    {
        var bytes = new List<byte>(text.Length + 4) { (byte)'$' };
        int sum = 0;
        void Add(int b)
        {
            bytes.Add((byte)b);
            sum += b;
        }

        foreach (char c in text)
        {
            if (c is '$' or '#' or '}' or '*')
            {
                Add('}');
                Add(c ^ 0x20);
            }
            else
            {
                Add(c & 0xff);
            }
        }
        bytes.AddRange(Encoding.ASCII.GetBytes($"#{sum & 0xff:x2}"));
        return [.. bytes];
    }
}
