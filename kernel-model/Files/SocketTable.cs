using System.Buffers.Binary;
using System.Net;
using System.Text;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Names of the sockets of a network namespace: abstract Unix names, ports of its loopback and of netlink. There is no network
/// beyond.</summary>
internal sealed partial class SocketTable(Vfs vfs, NetworkNamespace network)
{
#pragma warning disable CS1591
    public const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5,
        NETLINK_SOCK_DIAG = 4, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_UDPLITE = 136;
#pragma warning restore CS1591

    private readonly Dictionary<string, SocketFile> _abstract = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Protocol, int Port), List<SocketFile>> _ports = [];
    private int _nextPort;
    private int _nextAutobind;

    /// <summary>Ports that are given to who asks for none (net.ipv4.ip_local_port_range).</summary>
    internal (int First, int Last) Ephemeral { get; set; } = (32768, 60999);

    /// <summary>The first port that needs no CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start).</summary>
    internal int FirstUnprivileged { get; set; } = 1024;

    /// <summary>Connections that may wait for accept (net.core.somaxconn).</summary>
    internal int MostBacklog { get; set; } = 4096;

    /// <summary>Messages that may wait in a Unix socket (net.unix.max_dgram_qlen), as systemd sets it.</summary>
    internal int MostDatagrams { get; set; } = 512;

    /// <summary>A new IPv6 socket is for IPv6 alone (net.ipv6.bindv6only).</summary>
    internal bool OnlySix { get; set; }

    /// <summary>What a connection controls congestion by that was told nothing (net.ipv4.tcp_congestion_control).</summary>
    internal string Congestion { get; set; } = "cubic";

    private readonly HashSet<SocketFile> _all = [];

    /// <summary>Every socket of the namespace, the oldest first.</summary>
    internal IEnumerable<SocketFile> All => _all.OrderBy(s => s.Inode.Ino);

    internal void Add(SocketFile socket) => _all.Add(socket);

    internal void Remove(SocketFile socket) => _all.Remove(socket);

    /// <summary>Sends a message to all sockets of a protocol of netlink that are in a group (nlmsg_multicast).</summary>
    internal void Multicast(int protocol, int group, byte[] message)
    {
        foreach (SocketFile socket in _all.Where(s => s.Domain == AF_NETLINK && s.Protocol == protocol && s.NetlinkGroups.Has(group))
            .OrderBy(s => s.Inode.Ino).ToArray())
            socket.FromKernel(message, group);
    }

    /// <summary>Whether anybody hears of a protocol of netlink.</summary>
    internal bool HasListeners(int protocol) =>
        _all.Any(s => s.Domain == AF_NETLINK && s.Protocol == protocol && s.NetlinkGroups.Any);

    /// <summary>Path or abstract name (with its leading NUL) of a struct sockaddr_un; null when it is unnamed.</summary>
    public static string? UnixName(ReadOnlySpan<byte> address)
    {
        ReadOnlySpan<byte> name = address.Length > 2 ? address[2..] : default;
        if (name.Length == 0)
            return null;
        if (name[0] != 0 && name.IndexOf((byte)0) is >= 0 and int end)
            name = name[..end];
        return Encoding.Latin1.GetString(name);
    }

    public static byte[] UnixAddress(string name)
    {
        bool path = name.Length > 0 && name[0] != '\0';
        byte[] address = new byte[2 + name.Length + (path ? 1 : 0)];
        address[0] = AF_UNIX;
        Encoding.Latin1.GetBytes(name, address.AsSpan(2));
        return address;
    }

    /// <summary>Binds a Unix socket: a path makes a file; no name gets an abstract one.</summary>
    public long BindUnix(SocketFile socket, string? name, in Caller caller)
    {
        name ??= "\0" + (_nextAutobind++).ToString("x5", System.Globalization.CultureInfo.InvariantCulture);
        if (name[0] == '\0')
        {
            if (!_abstract.TryAdd(name, socket))
                return -Errno.EADDRINUSE;
        }
        else
        {
            long error = vfs.Make(caller, caller.Fs.Cwd, name, Modes.S_IFSOCK | 0x1FF, 0, null);
            if (error < 0)
                return error == -Errno.EEXIST ? -Errno.EADDRINUSE : error;
            if (vfs.Find(caller, caller.Fs.Cwd, name, true, out Inode? inode) == 0 && inode!.Real is SocketInode node)
            {
                node.Bound = socket;
                socket.BoundInode = node;
            }
        }
        socket.Local = UnixAddress(name);
        return 0;
    }

    /// <summary>The socket that is bound to a Unix name.</summary>
    public long FindUnix(string name, in Caller caller, out SocketFile? socket)
    {
        socket = null;
        if (name[0] == '\0')
        {
            return !_abstract.TryGetValue(name, out socket) ? -Errno.ECONNREFUSED
                : AccessDomain.IsScoped(caller.Credentials.Domain, socket.MakersDomain, AccessDomain.AbstractSockets) ? -Errno.EPERM : 0;
        }
        long error = vfs.Find(caller, caller.Fs.Cwd, name, true, out Inode? inode);
        if (error < 0)
            return error;
        if (inode is not SocketInode node)
            return -Errno.ECONNREFUSED;
        error = Vfs.Permission(node, caller.Credentials, Modes.MAY_WRITE);
        socket = node.Bound;
        return error < 0 ? error : socket == null ? -Errno.ECONNREFUSED : 0;
    }

    public static (IPAddress Address, int Port) Inet(ReadOnlySpan<byte> address)
    {
        int port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        return address[0] == AF_INET6 ? (new IPAddress(address.Slice(8, 16)), port) : (new IPAddress(address.Slice(4, 4)), port);
    }

    public static byte[] InetAddress(int domain, IPAddress ip, int port)
    {
        if (domain == AF_INET6)
            ip = ip.MapToIPv6();
        else if (ip.IsIPv4MappedToIPv6)
            ip = ip.MapToIPv4();
        byte[] address = new byte[domain == AF_INET6 ? 28 : 16];
        address[0] = (byte)domain;
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)port);
        ip.TryWriteBytes(address.AsSpan(domain == AF_INET6 ? 8 : 4), out _);
        return address;
    }

    private static bool IsAny(IPAddress ip) =>
        ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any) || ip.Equals(IPAddress.Any.MapToIPv6());

    private readonly Dictionary<(int Protocol, uint Port), SocketFile> _netlink = [];

    /// <summary>Takes a port of a protocol of netlink. False: another socket has it.</summary>
    internal bool TakeNetlinkPort(SocketFile socket, uint port) => _netlink.TryAdd((socket.Protocol, port), socket);

    private bool IsLocal(IPAddress ip) => network.IsLocal(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip);

    /// <summary>Binds to a port; 0 picks the next free one of the ephemeral range.</summary>
    public long BindInet(SocketFile socket, IPAddress ip, int port)
    {
        if (!IsAny(ip) && !IsLocal(ip))
            return -Errno.EADDRNOTAVAIL;
        if (port == 0 && (port = FreePort(socket.Protocol, false)) == 0 && (port = FreePort(socket.Protocol, true)) == 0)
            return -Errno.EADDRINUSE;
        if (Conflicts(socket, ip, port))
            return -Errno.EADDRINUSE;
        socket.Local = InetAddress(socket.Domain, ip, port);
        Share(socket);
        return 0;
    }

    /// <summary>The socket that takes what is sent to an address: -ENETUNREACH outside of the loopback, -ECONNREFUSED for nobody.</summary>
    public long FindInet(SocketFile from, IPAddress ip, int port, out SocketFile? socket)
    {
        socket = null;
        if (!(IsAny(ip) ? network.IsUp : IsLocal(ip)))
            return -Errno.ENETUNREACH;
        if (!_ports.TryGetValue((from.Protocol, port), out List<SocketFile>? bound))
            return -Errno.ECONNREFUSED;
        foreach (SocketFile candidate in bound)
        {
            if (from.Kind == SOCK_STREAM && !candidate.IsListening)
                continue;
            (IPAddress own, _) = Inet(candidate.Local!);
            bool v4 = !(ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !ip.IsIPv4MappedToIPv6);
            bool fits = candidate.Domain == AF_INET ? v4 : !v4 || !candidate.GetFlag(41, 26);
            if (!fits || !(IsAny(own) || IsAny(ip) || own.MapToIPv6().Equals(ip.MapToIPv6())))
                continue;
            if (candidate.Peer != null && candidate.Kind == SOCK_DGRAM && Inet(candidate.Peer).Port != Inet(from.Local!).Port)
                continue;
            socket = candidate;
            return 0;
        }
        return -Errno.ECONNREFUSED;
    }

    /// <summary>A socket was closed.</summary>
    public void Forget(SocketFile socket)
    {
        _all.Remove(socket);
        if (socket.BoundInode is { } inode && inode.Bound == socket)
            inode.Bound = null;
        if (socket.Domain == AF_NETLINK)
        {
            if (_netlink.GetValueOrDefault((socket.Protocol, socket.NetlinkPort)) == socket)
                _netlink.Remove((socket.Protocol, socket.NetlinkPort));
            return;
        }
        if (socket.Local == null)
            return;
        if (socket.Domain == AF_UNIX)
        {
            if (UnixName(socket.Local) is { } name && _abstract.GetValueOrDefault(name) == socket)
                _abstract.Remove(name);
            return;
        }
        int port = Inet(socket.Local).Port;
        if (_ports.TryGetValue((socket.Protocol, port), out List<SocketFile>? bound) && bound.Remove(socket) && bound.Count == 0)
            _ports.Remove((socket.Protocol, port));
    }
}

public sealed partial class Vfs
{
    private NetworkNamespace? _network;

    /// <summary>The first network namespace.</summary>
    internal NetworkNamespace InitialNetwork =>
        _network ??= new NetworkNamespace(this, NetworkNamespace.InitialNumber, UserNamespace.Initial);

    /// <summary>The network namespace of the task of the system call.</summary>
    internal NetworkNamespace CurrentNetwork => Current?.Network ?? InitialNetwork;
}
