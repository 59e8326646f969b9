using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>A filter of sockets that comes with a request (struct inet_diag_bc_op, inet_diag_bc_run of net/ipv4/inet_diag.c): operations
/// that go on by one distance when they hold and by another when they do not. Its end takes the socket, anything beyond refuses it.
/// </summary>
internal sealed class InetDiagFilter
{
    private const byte Nop = 0, Jump = 1, SourceAtLeast = 2, SourceAtMost = 3, DestinationAtLeast = 4, DestinationAtMost = 5, Automatic = 6,
        Source = 7, Destination = 8, Device = 9, SourceIs = 11, DestinationIs = 12;

    private readonly byte[] _code;

    private InetDiagFilter(byte[] code) => _code = code;

    /// <summary>False: an operation that there is not, or a distance that leads nowhere (inet_diag_bc_audit).</summary>
    internal static bool TryParse(byte[] code, out InetDiagFilter? filter)
    {
        filter = null;
        if (code.Length == 0 || code.Length % 4 != 0)
            return false;
        var places = new HashSet<int>();
        var targets = new List<int>();
        for (int at = 0; at < code.Length;)
        {
            places.Add(at);
            int yes = code[at + 1], no = BinaryPrimitives.ReadUInt16LittleEndian(code.AsSpan(at + 2)), least = 4;
            switch (code[at])
            {
                case Source or Destination:
                    if (at + 12 > code.Length)
                        return false;
                    least = 12 + AddressSize(code[at + 4]);
                    if (at + least > code.Length)
                        return false;
                    break;
                case Device or SourceAtLeast or SourceAtMost or DestinationAtLeast or DestinationAtMost or SourceIs or DestinationIs:
                    least = 8;
                    if (at + least > code.Length)
                        return false;
                    break;
                case Nop or Jump or Automatic:
                    break;
                default:
                    return false;
            }
            if (yes < least || yes > code.Length - at + 4 || (yes & 3) != 0)
                return false;
            if (code[at] != Nop && (no < 4 || no > code.Length - at + 4 || (no & 3) != 0))
                return false;
            if (code[at] != Nop && at + no < code.Length)
                targets.Add(at + no);
            at += yes;
        }
        if (!targets.TrueForAll(places.Contains))
            return false;
        filter = new InetDiagFilter(code);
        return true;
    }

    private static int AddressSize(byte family) => family switch { SocketTable.AF_INET => 4, SocketTable.AF_INET6 => 16, _ => 0 };

    /// <summary>Whether a socket passes.</summary>
    /// <param name="family">AF_INET or AF_INET6.</param>
    /// <param name="id">struct inet_diag_sockid.</param>
    internal bool Takes(int family, ReadOnlySpan<byte> id)
    {
        int source = BinaryPrimitives.ReadUInt16BigEndian(id), destination = BinaryPrimitives.ReadUInt16BigEndian(id[2..]);
        int at = 0;
        while (at < _code.Length)
        {
            int yes = _code[at + 1], no = BinaryPrimitives.ReadUInt16LittleEndian(_code.AsSpan(at + 2));
            // The port of a comparison is the distance of the operation behind it.
            int operand = at + 8 <= _code.Length ? BinaryPrimitives.ReadUInt16LittleEndian(_code.AsSpan(at + 6)) : 0;
            bool holds = _code[at] switch
            {
                Jump => false,
                SourceAtLeast => source >= operand,
                SourceAtMost => source <= operand,
                SourceIs => source == operand,
                DestinationAtLeast => destination >= operand,
                DestinationAtMost => destination <= operand,
                DestinationIs => destination == operand,
                // Nobody has chosen the port (SOCK_BINDPORT_LOCK); which one that is nobody keeps.
                Automatic => source is >= 32768 and < 61000,
                Source => Fits(_code.AsSpan(at + 4), family, id[4..], source),
                Destination => Fits(_code.AsSpan(at + 4), family, id[20..], destination),
                // Only of a socket that is bound to it.
                Device => BinaryPrimitives.ReadUInt32LittleEndian(_code.AsSpan(at + 4)) == 0,
                _ => true,
            };
            at += holds ? yes : no;
        }
        return at == _code.Length;
    }

    /// <summary>struct inet_diag_hostcond: family, bits of the network, port (-1: any), address.</summary>
    private static bool Fits(ReadOnlySpan<byte> condition, int family, ReadOnlySpan<byte> address, int port)
    {
        int wanted = BinaryPrimitives.ReadInt32LittleEndian(condition[4..]);
        if (wanted != -1 && wanted != port)
            return false;
        byte of = condition[0], bits = condition[1];
        if (of != 0 && of != family)
        {
            // An IPv4 address fits a mapped one.
            if (of != SocketTable.AF_INET || address[..10].ContainsAnyExcept((byte)0) || address[10] != 0xFF || address[11] != 0xFF)
                return false;
            address = address[12..];
        }
        ReadOnlySpan<byte> network = condition.Slice(8, AddressSize(of));
        for (int bit = 0; bit < Math.Min(bits, network.Length * 8); bit++)
        {
            if (((address[bit / 8] ^ network[bit / 8]) & (0x80 >> (bit % 8))) != 0)
                return false;
        }
        return true;
    }
}
