using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>A datagram that came back (struct sock_extended_err): what was sent, where to, and who said no.</summary>
/// <param name="Data">Its bytes.</param>
/// <param name="To">Its address, as struct sockaddr.</param>
/// <param name="Offender">Who could not take it.</param>
internal sealed record ReturnedDatagram(byte[] Data, byte[] To, IPAddress Offender);

/// <summary>The queue of errors of a datagram socket: with IP_RECVERR or IPV6_RECVERR what nobody took comes back (ip_icmp_error,
/// ip_recv_error in net/ipv4/ip_sockglue.c).</summary>
internal sealed partial class SocketFile
{
    private const int IP_RECVERR = 11, IPV6_RECVERR = 25;

    private readonly Queue<ReturnedDatagram> _returned = new();

    private bool WantsErrors => GetFlag(Domain == SocketTable.AF_INET6 ? IPPROTO_IPV6 : 0, Domain == SocketTable.AF_INET6
        ? IPV6_RECVERR : IP_RECVERR);

    /// <summary>Nobody has the port: the next call fails, of a socket that is connected or wants to know.</summary>
    private void ComesBack(ReadOnlySpan<byte> data, byte[] to)
    {
        if (Peer is not null || WantsErrors)
            _error = Errno.ECONNREFUSED;
        if (WantsErrors && Inode.Fs.Vfs.TryCharge(data.Length + SocketInbox.Overhead))
            _returned.Enqueue(new ReturnedDatagram(data.ToArray(), to, Specific(SocketTable.Inet(to).Address)));
        Source.Notify(PollBits.Err);
    }

    /// <summary>recv with MSG_ERRQUEUE; null: nothing came back.</summary>
    internal ReturnedDatagram? TakeReturned()
    {
        if (!_returned.TryDequeue(out ReturnedDatagram? datagram))
            return null;
        Inode.Fs.Vfs.Charge(-datagram.Data.Length - SocketInbox.Overhead);
        _error = _returned.Count > 0 ? Errno.ECONNREFUSED : 0;
        return datagram;
    }

    /// <summary>Nobody will ask any more.</summary>
    private void DropReturned()
    {
        while (TakeReturned() is not null)
        {
        }
    }
}
