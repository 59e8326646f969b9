using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>What the loopback carries for a socket, in packets as IP has them (loopback_xmit of drivers/net/loopback.c counts them on the
/// way out and in). Of TCP it is a model: each segment is acknowledged at once.</summary>
internal sealed partial class SocketFile
{
    private const int UdpHeader = 8, TcpHeader = 20, TcpTimeStamps = 12, SynOptions = 20, IcmpHeader = 8;

    private static bool IsSix(ReadOnlySpan<byte> address) =>
        address[0] == SocketTable.AF_INET6 && !new IPAddress(address.Slice(8, 16)).IsIPv4MappedToIPv6;

    private static int IpHeader(ReadOnlySpan<byte> address) => IsSix(address) ? 40 : 20;

    private int PlainSegment => IpHeader(Peer) + TcpHeader + TcpTimeStamps;

    /// <summary>A datagram, in as many fragments as the interface needs.</summary>
    private void CountDatagram(ReadOnlySpan<byte> to, int length)
    {
        const int fragmentHeader = 8;
        int header = IpHeader(to), payload = length + UdpHeader;
        long mtu = Network.Mtu;
        if (header + payload <= mtu)
        {
            Network.Carry(header + payload);
            return;
        }
        header += IsSix(to) ? fragmentHeader : 0;
        int most = (int)Math.Max(8, (mtu - header) & ~7);
        for (int left = payload; left > 0; left -= most)
            Network.Carry(header + Math.Min(left, most));
    }

    /// <summary>A datagram for nobody, and the ICMP message that says so with its first bytes (icmp_send, icmp6_send).</summary>
    private void CountUnreachable(ReadOnlySpan<byte> to, int length)
    {
        CountDatagram(to, length);
        int header = IpHeader(to), most = (IsSix(to) ? 1280 : 576) - header - IcmpHeader;
        Network.Carry(header + IcmpHeader + Math.Min(most, header + UdpHeader + length));
    }

    private void CountSegments(int length)
    {
        for (int left = length; left > 0; left -= LargestSegment)
            Network.Carry(PlainSegment + Math.Min(left, LargestSegment));
        Network.Carry(PlainSegment, (length + LargestSegment - 1) / LargestSegment);
    }

    /// <summary>SYN, SYN and ACK, ACK; or SYN and RST.</summary>
    private void CountGreeting(ReadOnlySpan<byte> to, bool accepted)
    {
        int header = IpHeader(to) + TcpHeader;
        Network.Carry(header + SynOptions, accepted ? 2 : 1);
        Network.Carry(accepted ? header + TcpTimeStamps : header);
    }

    /// <summary>FIN and its acknowledgement; or RST where bytes were not read.</summary>
    private void CountFarewell() => Network.Carry(PlainSegment, References == 0 && IsAborted ? 1 : 2);
}
