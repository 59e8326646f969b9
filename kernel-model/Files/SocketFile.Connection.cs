using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>How sockets find and leave each other: addresses, listeners, connections.</summary>
internal sealed partial class SocketFile
{
    /// <summary>Connects two fresh sockets (socketpair).</summary>
    public static void Pair(SocketFile a, SocketFile b)
    {
        (a._other, b._other) = (b, a);
        a._wasConnected = b._wasConnected = true;
        a.Peer = b.Peer = [(byte)SocketTable.AF_UNIX, 0];
        (a.PeerCredentials, b.PeerCredentials) = (b.Credentials, a.Credentials);
    }

    public long Bind(ReadOnlySpan<byte> address, in Caller caller)
    {
        if (Domain == SocketTable.AF_NETLINK)
            return BindNetlink(address);
        if (Local != null)
            return -Errno.EINVAL;
        if (CheckAddress(address) is < 0 and long error)
            return error;
        if (Domain == SocketTable.AF_UNIX)
            return Table.BindUnix(this, SocketTable.UnixName(address), caller);
        (IPAddress ip, int port) = SocketTable.Inet(address);
        if (port > 0 && port < Table.FirstUnprivileged && !caller.Credentials.Has(Capability.NetBindService))
            return -Errno.EACCES;
        return Table.BindInet(this, ip, port);
    }

    private long CheckAddress(ReadOnlySpan<byte> address)
    {
        int least = Domain switch { SocketTable.AF_UNIX => 2, SocketTable.AF_INET => 16, _ => 24 };
        if (address.Length < least || (Domain == SocketTable.AF_UNIX && address.Length > 110))
            return -Errno.EINVAL;
        return (address[0] | address[1] << 8) == Domain ? 0 : Domain == SocketTable.AF_UNIX ? -Errno.EINVAL : -Errno.EAFNOSUPPORT;
    }

    /// <summary>An IPv6 socket that is not for IPv6 alone takes an IPv4 address as a mapped one (ip6_datagram_connect).</summary>
    private ReadOnlySpan<byte> Mapped(ReadOnlySpan<byte> address)
    {
        const int IPPROTO_IPV6 = 41, IPV6_V6ONLY = 26;
        if (Domain != SocketTable.AF_INET6 || Kind != SocketTable.SOCK_DGRAM || address.Length < 16
            || (address[0] | address[1] << 8) != SocketTable.AF_INET || GetFlag(IPPROTO_IPV6, IPV6_V6ONLY))
            return address;
        (IPAddress ip, int port) = SocketTable.Inet(address);
        return SocketTable.InetAddress(SocketTable.AF_INET6, ip.MapToIPv6(), port);
    }

    public long Listen(int backlog)
    {
        if (Kind == SocketTable.SOCK_DGRAM)
            return -Errno.EOPNOTSUPP;
        if (IsConnected || (Local == null && Domain == SocketTable.AF_UNIX))
            return -Errno.EINVAL;
        if (Local == null
            && Table.BindInet(this, Domain == SocketTable.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any, 0) is < 0 and long error)
            return error;
        if (IsTcp && !IsListening && SocketTable.Inet(Local!) is var (ip, port) && Table.Conflicts(this, ip, port))
            return -Errno.EADDRINUSE;
        _backlogLimit = (int)Math.Min((uint)backlog, (uint)Table.MostBacklog) + 1;
        IsListening = true;
        Source.Notify(PollBits.Writable);
        return 0;
    }

    /// <summary>Addresses of a socket of datagrams once it has one to send to: the way there says its own, which is the wildcard again
    /// when it is disconnected (ip4_datagram_connect, ip6_datagram_connect).</summary>
    private void ConnectDatagrams(byte[] target)
    {
        (IPAddress ip, int port) = SocketTable.Inet(target);
        (IPAddress own, int ownPort) = SocketTable.Inet(Local!);
        ip = Specific(ip);
        Peer = SocketTable.InetAddress(Domain, ip, port);
        if (!own.Equals(IPAddress.Any) && !own.Equals(IPAddress.IPv6Any))
            return;
        _localBefore ??= Local;
        Local = SocketTable.InetAddress(Domain, ip, ownPort);
    }

    /// <summary>The wildcard address that connecting took the place of; null: none.</summary>
    private byte[]? _localBefore;

    /// <summary>connect: 0, an error, or -EAGAIN when the listener's queue is full.</summary>
    public long Connect(ReadOnlySpan<byte> address, in Caller caller)
    {
        if (Domain == SocketTable.AF_NETLINK)
            return ConnectNetlink(address);
        if (Kind == SocketTable.SOCK_DGRAM && address.Length >= 2 && (address[0] | address[1] << 8) == 0)
        {
            (_other, Peer, _wasConnected) = (null, null, false);
            (Local, _localBefore) = (_localBefore ?? Local, null);
            return 0;
        }
        address = Mapped(address);
        if (CheckAddress(address) is < 0 and long bad)
            return bad;
        if (IsListening)
            return -Errno.EINVAL;
        if (Kind != SocketTable.SOCK_DGRAM && IsConnected)
            return -Errno.EISCONN;
        byte[] target = address.ToArray();
        long error = Resolve(target, caller, out SocketFile? found);
        if (Kind == SocketTable.SOCK_DGRAM)
        {
            if (error < 0 && (Domain == SocketTable.AF_UNIX || error != -Errno.ECONNREFUSED))
                return error;
            if (found != null && found.Kind != Kind)
                return -Errno.EPROTOTYPE;
            _wasConnected = true;
            if (Domain == SocketTable.AF_UNIX)
                (Peer, _other) = (found!.Local, found);
            else
                ConnectDatagrams(target);
            return 0;
        }
        if (error == -Errno.ECONNREFUSED && IsTcp)
            CountGreeting(target, false);
        if (error < 0)
            return error;
        if (found!.Kind != Kind)
            return -Errno.EPROTOTYPE;
        if (!found.IsListening)
            return -Errno.ECONNREFUSED;
        if (found._backlog.Count >= found._backlogLimit)
            return -Errno.EAGAIN;
        if (IsTcp && TakePlace(target) is < 0 and long taken)
            return taken;
        var server = new SocketFile(Inode.Fs.Vfs, found.Domain, Kind, Protocol, 0)
        {
            Network = found.Network,
            Credentials = found.Credentials,
            PeerCredentials = Credentials,
            _other = this,
            _wasConnected = true,
            _isEmbryo = true,
        };
        if (Domain == SocketTable.AF_UNIX)
        {
            server.Local = found.Local;
            server.Peer = Local ?? [(byte)SocketTable.AF_UNIX, 0];
            Peer = found.Local;
        }
        else
        {
            (IPAddress ip, int port) = SocketTable.Inet(target);
            (IPAddress own, int ownPort) = SocketTable.Inet(Local!);
            ip = Specific(ip);
            if (own.Equals(IPAddress.Any) || own.Equals(IPAddress.IPv6Any))
                Local = SocketTable.InetAddress(Domain, own = Specific(ip), ownPort);
            server.Local = SocketTable.InetAddress(found.Domain, ip, port);
            server.Peer = SocketTable.InetAddress(found.Domain, own, ownPort);
            Peer = SocketTable.InetAddress(Domain, ip, port);
            CountGreeting(Peer, true);
            server.Inherit(found);
            Table.Share(server);
        }
        PeerCredentials = found.Credentials;
        _other = server;
        _wasConnected = true;
        found._backlog.Enqueue(server);
        found.Source.Notify(PollBits.Readable);
        found._async.Tell(IoEvent.In);
        Source.Notify(PollBits.Writable);
        if (Domain != SocketTable.AF_UNIX)
            _async.Tell(IoEvent.Out);
        return 0;
    }

    private static IPAddress Specific(IPAddress ip)
    {
        if (ip.IsIPv4MappedToIPv6 && ip.MapToIPv4().Equals(IPAddress.Any))
            return IPAddress.Loopback.MapToIPv6();
        return ip.Equals(IPAddress.Any) ? IPAddress.Loopback : ip.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : ip;
    }

    /// <summary>Finds the socket with an address and gives this one a port if it has none.</summary>
    private long Resolve(byte[] address, in Caller caller, out SocketFile? found)
    {
        found = null;
        if (Domain == SocketTable.AF_UNIX)
        {
            if (SocketTable.UnixName(address) is not { } name)
                return -Errno.EINVAL;
            long error = Table.FindUnix(name, caller, out found);
            // What it was connected to before its task restricted itself it still reaches (hook_unix_may_send).
            return error == -Errno.EPERM && found == _other ? 0 : error;
        }
        (IPAddress ip, int port) = SocketTable.Inet(address);
        if (Local == null
            && Table.BindInet(this, Domain == SocketTable.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any, 0) is < 0 and long bad)
            return bad;
        return port == 0 ? -Errno.ECONNREFUSED : Table.FindInet(this, ip, port, out found);
    }

    /// <summary>Takes a connection: null when none waits.</summary>
    public SocketFile? Accept()
    {
        if (!_backlog.TryDequeue(out SocketFile? socket))
            return null;
        socket._isEmbryo = false;
        Source.Notify(PollBits.Writable);
        return socket;
    }

    /// <summary>shutdown: 0 reading, 1 writing, 2 both.</summary>
    public long Shutdown(int how)
    {
        if (how is < 0 or > 2)
            return -Errno.EINVAL;
        if (!IsConnected)
            return IsListening ? 0 : -Errno.ENOTCONN;
        if (how != 1)
            _readShut = true;
        if (how != 0 && !_writeShut)
        {
            Push();
            if (IsTcp)
                SendEnd();
            _writeShut = true;
            if (IsTcp)
                CountFarewell();
        }
        Source.Notify(PollBits.Readable | PollBits.RdHup);
        _other?.Source.Notify(PollBits.Readable | PollBits.RdHup | PollBits.Hup);
        if (how == 2 && Domain == SocketTable.AF_UNIX)
            _other?._async.Tell(IoEvent.HangUp);
        else if (how != 0)
            _other?._async.Tell(IoEvent.In);
        return 0;
    }
}
