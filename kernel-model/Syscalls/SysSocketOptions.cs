using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>setsockopt and getsockopt (net/socket.c, net/core/sock.c, net/ipv4/tcp.c). Most options are kept without effect, as there is no
/// network below; those that do not exist are refused.</summary>
internal static class SysSocketOptions
{
    // include/uapi/asm-generic/socket.h; the timeouts have numbers of their own where time_t has 64 bits.
    private const int SOL_SOCKET = 1, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_LINGER = 13, SO_PEERCRED = 17,
        SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_BINDTODEVICE = 25, SO_DETACH_FILTER = 27, SO_TIMESTAMP = 29, SO_ACCEPTCONN = 30,
        SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_TIMESTAMPNS = 35, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_BINDTOIFINDEX = 62,
        SO_RCVTIMEO_NEW = 66, SO_SNDTIMEO_NEW = 67;

    // include/uapi/linux/in.h, tcp.h and the states of tcp_states.h.
    private const int NETLINK_ADD_MEMBERSHIP = 1, NETLINK_DROP_MEMBERSHIP = 2, NETLINK_LIST_MEMBERSHIPS = 9,
        IPPROTO_UDP = SocketTable.IPPROTO_UDP,
        UDP_SEGMENT = 103, TCP_NODELAY = 1;

    // ifindex of lo.
    private const int LoopbackIndex = 1;

    private const int UDPLITE_SEND_CSCOV = 10, UDPLITE_RECV_CSCOV = 11;

    private const int IPPROTO_IP = 0, IPPROTO_TCP = SocketTable.IPPROTO_TCP, IP_OPTIONS = 4, IP_TTL = 2, IP_ADD_MEMBERSHIP = 35,
        IP_DROP_MEMBERSHIP = 36, MCAST_JOIN_GROUP = 42, MCAST_LEAVE_GROUP = 45, TCP_MAXSEG = 2, TCP_INFO = 11, TCP_CONGESTION = 13,
        CongestionNameSize = 16;

    /// <summary>net.core.wmem_default and rmem_max, and the least that a socket takes (SOCK_MIN_SNDBUF / 2).</summary>

    public static long Setsockopt(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        int level = c.Int(1), name = c.Int(2), length = c.Int(4);
        if (length < 0)
            return -Errno.EINVAL;
        if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
            return BindToDevice(c, socket!, length);
        if (SocketOptionTable.CheckSet(socket!, level, name, socket!.Network.IsAdministeredBy(c.Task.Credentials)) is < 0 and long refused)
            return refused;
        byte[] value = new byte[Math.Min(length, 1024)];
        bool number = level != IPPROTO_IP && !(level == IPPROTO_TCP && name == TCP_CONGESTION);
        if (number && length < 4)
            return -Errno.EINVAL;
        if (value.Length > 0 && !c.Memory.Read(c.Arg(3), value))
            return -Errno.EFAULT;
        if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX)
            return BindToIndex(c, socket!, BitConverter.ToInt32(value));
        if (level == SOL_SOCKET)
            return SetSocket(socket!, name, value);
        if (level == IPPROTO_TCP && name == TCP_CONGESTION)
        {
            string wanted = System.Text.Encoding.Latin1.GetString(value).TrimEnd('\0');
            return wanted.Length == 0 ? -Errno.EINVAL : wanted is "cubic" or "reno" ? Keep(socket!, level, name, value) : -Errno.ENOENT;
        }
        if (level == IPPROTO_IP && name is IP_ADD_MEMBERSHIP or IP_DROP_MEMBERSHIP or MCAST_JOIN_GROUP or MCAST_LEAVE_GROUP)
            return Membership(socket!, name, value);
        if (level == SocketOptionTable.Netlink && name is NETLINK_ADD_MEMBERSHIP or NETLINK_DROP_MEMBERSHIP)
            return socket!.NetlinkGroups.Set(BitConverter.ToInt32(value), name == NETLINK_ADD_MEMBERSHIP);
        if (level == IPPROTO_IP && name == IP_OPTIONS)
            return length > 40 ? -Errno.EINVAL : Keep(socket!, level, name, value);
        // IP options may have one byte only.
        int set = value.Length >= 4 ? BitConverter.ToInt32(value) : value.Length > 0 ? value[0] : 0;
        if ((level == IPPROTO_IP && name == IP_TTL && (value.Length == 0 || (set != -1 && set is < 1 or > 255)))
            || (level == IPPROTO_TCP && name == TCP_MAXSEG && set != 0 && set is < 88 or > 32767))
            return -Errno.EINVAL;
        if (level == IPPROTO_IP && name == IP_TTL && set == -1)
            set = 64;
        if (level == IPPROTO_UDP && name == UDP_SEGMENT && set is < 0 or > ushort.MaxValue)
            return -Errno.EINVAL;
        // Checksums cover the header at least (udp_lib_setsockopt).
        if (level == SocketTable.IPPROTO_UDPLITE && name is UDPLITE_SEND_CSCOV or UDPLITE_RECV_CSCOV)
            set = set == 0 ? 0 : Math.Clamp(set, 8, ushort.MaxValue);
        Keep(socket!, level, name, BitConverter.GetBytes(set));
        // What was kept back goes when nobody keeps it any more.
        if ((level == IPPROTO_UDP && name == SocketFile.UDP_CORK && set == 0)
            || (level == IPPROTO_TCP && ((name == SocketFile.TCP_CORK && set == 0) || (name == TCP_NODELAY && set != 0))))
            socket!.Push();
        return 0;
    }

    /// <summary>Groups that a socket is a member of: by address, on the loopback (ip_mc_join_group).</summary>
    private static long Membership(SocketFile socket, int name, byte[] value)
    {
        bool byInterface = name is MCAST_JOIN_GROUP or MCAST_LEAVE_GROUP;
        // struct group_req: the address of a sockaddr_in at 8; struct ip_mreq: the address first.
        int at = byInterface ? 12 : 0;
        if (value.Length < (byInterface ? 136 : 8))
            return -Errno.EINVAL;
        if (value[at] is < 224 or > 239)
            return -Errno.EINVAL;
        int group = BitConverter.ToInt32(value, at);
        if (name is IP_ADD_MEMBERSHIP or MCAST_JOIN_GROUP)
            return socket.Groups.Add(group) ? 0 : -Errno.EADDRINUSE;
        return socket.Groups.Remove(group) ? 0 : -Errno.EADDRNOTAVAIL;
    }

    private static long Keep(SocketFile socket, int level, int name, byte[] value)
    {
        socket.SetOption(level, name, value);
        return 0;
    }

    private static long SetSocket(SocketFile socket, int name, byte[] value)
    {
        switch (name)
        {
            case SO_RCVTIMEO or SO_SNDTIMEO or SO_RCVTIMEO_NEW or SO_SNDTIMEO_NEW:
                if (value.Length < 16)
                    return -Errno.EINVAL;
                long seconds = BinaryPrimitives.ReadInt64LittleEndian(value);
                long micro = BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(8));
                if (micro is < 0 or >= 1_000_000)
                    return -Errno.EDOM;
                ulong ns = (ulong)Math.Clamp(seconds, 0, 9_000_000_000) * 1_000_000_000 + (ulong)micro * 1000;
                bool receive = name is SO_RCVTIMEO or SO_RCVTIMEO_NEW;
                if (receive)
                    socket.ReceiveTimeout = ns;
                else
                    socket.SendTimeout = ns;
                // Both numbers are one option.
                return Keep(socket, SOL_SOCKET, receive ? SO_RCVTIMEO : SO_SNDTIMEO, value[..16]);
            case SO_SNDBUF or SO_RCVBUF or SO_SNDBUFFORCE or SO_RCVBUFFORCE:
                // The kernel doubles the value for its book-keeping; a negative one is a large one, or none where it is forced.
                int size = BinaryPrimitives.ReadInt32LittleEndian(value);
                bool sends = name is SO_SNDBUF or SO_SNDBUFFORCE;
                BufferSizes sizes = socket.Inode.Fs.Vfs.BufferSizes;
                size = name is SO_SNDBUFFORCE or SO_RCVBUFFORCE ? Math.Clamp(size, 0, int.MaxValue / 2)
                    : (int)Math.Min(Math.Min((uint)size, (uint)(sends ? sizes.MostSent : sizes.MostReceived)), int.MaxValue / 2);
                if (sends)
                    socket.SendBuffer = Math.Max(size * 2, SocketBuffers.LeastSend);
                else
                    socket.ReceiveBuffer = Math.Max(size * 2, SocketBuffers.LeastReceive);
                return 0;
            case SO_LINGER:
                return value.Length < 8 ? -Errno.EINVAL : Keep(socket, SOL_SOCKET, name, value[..8]);
            case SO_DETACH_FILTER:
                return -Errno.ENOENT;
            case SO_TIMESTAMP or SO_TIMESTAMPNS:
                // One or the other (sock_set_timestamp).
                socket.SetOption(SOL_SOCKET, name == SO_TIMESTAMP ? SO_TIMESTAMPNS : SO_TIMESTAMP, new byte[4]);
                return Keep(socket, SOL_SOCKET, name, value[..4]);
            default:
                return Keep(socket, SOL_SOCKET, name, value[..4]);
        }
    }

    /// <summary>SO_BINDTODEVICE by name: the loopback, or none (sock_setbindtodevice).</summary>
    private static long BindToDevice(SyscallContext c, SocketFile socket, int length)
    {
        byte[] name = new byte[Math.Min(length, 15)];
        if (!c.Memory.Read(c.Arg(3), name))
            return -Errno.EFAULT;
        string wanted = System.Text.Encoding.Latin1.GetString(name).Split('\0')[0];
        return wanted is "" or "lo" ? BindToIndex(c, socket, wanted.Length == 0 ? 0 : LoopbackIndex) : -Errno.ENODEV;
    }

    /// <summary>SO_BINDTOIFINDEX: another one only with CAP_NET_RAW (sock_bindtoindex_locked).</summary>
    private static long BindToIndex(SyscallContext c, SocketFile socket, int index)
    {
        if (BoundTo(socket) != 0 && !socket.Network.Grants(c.Task.Credentials, Capability.NetRaw))
            return -Errno.EPERM;
        return index < 0 ? -Errno.EINVAL : Keep(socket, SOL_SOCKET, SO_BINDTOIFINDEX, BitConverter.GetBytes(index));
    }

    private static int BoundTo(SocketFile socket) =>
        socket.GetOption(SOL_SOCKET, SO_BINDTOIFINDEX) is { } kept ? BitConverter.ToInt32(kept) : 0;

    /// <summary>SO_BINDTODEVICE: a name with its NUL in room for any, nothing where there is none (sock_getbindtodevice).</summary>
    private static long DeviceOf(SyscallContext c, SocketFile socket, int room)
    {
        byte[] name = BoundTo(socket) == LoopbackIndex ? [(byte)'l', (byte)'o', 0] : [];
        if (name.Length != 0 && room < 16)
            return -Errno.EINVAL;
        return (name.Length == 0 || c.Memory.Write(c.Arg(3), name)) && c.Memory.Write(c.Arg(4), name.Length) ? 0 : -Errno.EFAULT;
    }

    public static long Getsockopt(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        int level = c.Int(1), name = c.Int(2);
        if (!c.Memory.Read(c.Arg(4), out int room))
            return -Errno.EFAULT;
        if (room < 0)
            return -Errno.EINVAL;
        if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
            return DeviceOf(c, socket!, room);
        if (SocketOptionTable.CheckGet(socket!, level, name, out int otherwise, out bool flag) is < 0 and long refused)
            return refused;
        if (level == SocketOptionTable.Netlink && name == NETLINK_LIST_MEMBERSHIPS)
        {
            byte[] groups = socket!.NetlinkGroups.ToArray();
            return c.Memory.Write(c.Arg(3), groups.AsSpan(0, Math.Min(room & ~3, groups.Length))) && c.Memory.Write(c.Arg(4), groups.Length)
                ? 0 : -Errno.EFAULT;
        }
        byte[] value = level == SOL_SOCKET ? GetSocket(socket!, name) : GetInet(socket!, level, name);
        if (value.Length == 0 && !(level == IPPROTO_IP && name == IP_OPTIONS))
            value = socket!.GetOption(level, name) ?? BitConverter.GetBytes(otherwise);
        if (flag)
            value = BitConverter.GetBytes(value.AsSpan().ContainsAnyExcept((byte)0) ? 1 : 0);
        int n = Math.Min(room, value.Length);
        return (n == 0 || c.Memory.Write(c.Arg(3), value.AsSpan(0, n))) && c.Memory.Write(c.Arg(4), n) ? 0 : -Errno.EFAULT;
    }

    /// <summary>Options of SOL_SOCKET that are no number that was kept; empty: such a one.</summary>
    private static byte[] GetSocket(SocketFile socket, int name)
    {
        switch (name)
        {
            case SO_TYPE:
                return BitConverter.GetBytes(socket.Kind);
            case SO_ERROR:
                return BitConverter.GetBytes(socket.TakeError());
            case SO_SNDBUF or SO_RCVBUF:
                return BitConverter.GetBytes(name == SO_SNDBUF ? socket.SendBuffer : socket.ReceiveBuffer);
            case SO_LINGER:
                return socket.GetOption(SOL_SOCKET, name) ?? new byte[8];
            case SO_PEERCRED:
                (int pid, uint uid, uint gid) = socket.IsConnected ? socket.PeerCredentials : (0, uint.MaxValue, uint.MaxValue);
                return [.. BitConverter.GetBytes(pid), .. BitConverter.GetBytes(uid), .. BitConverter.GetBytes(gid)];
            case SO_RCVTIMEO or SO_RCVTIMEO_NEW:
                return socket.GetOption(SOL_SOCKET, SO_RCVTIMEO) ?? new byte[16];
            case SO_SNDTIMEO or SO_SNDTIMEO_NEW:
                return socket.GetOption(SOL_SOCKET, SO_SNDTIMEO) ?? new byte[16];
            case SO_ACCEPTCONN:
                return BitConverter.GetBytes(socket.IsListening ? 1 : 0);
            case SO_PROTOCOL:
                return BitConverter.GetBytes(socket.Protocol);
            case SO_DOMAIN:
                return BitConverter.GetBytes(socket.Domain);
            default:
                return [];
        }
    }

    /// <inheritdoc cref="GetSocket"/>
    private static byte[] GetInet(SocketFile socket, int level, int name)
    {
        if (level == IPPROTO_IP && name == IP_OPTIONS)
            return socket.GetOption(level, name) ?? [];
        if (level != IPPROTO_TCP)
            return [];
        switch (name)
        {
            case TCP_INFO:
                return socket.TcpInfo();
            case TCP_CONGESTION:
                var algorithm = new byte[CongestionNameSize];
                byte[] set = socket.GetOption(level, name) ?? System.Text.Encoding.Latin1.GetBytes(socket.Network.Sockets.Congestion);
                set.AsSpan(0, Math.Min(set.Length, CongestionNameSize - 1)).CopyTo(algorithm);
                return algorithm;
            case TCP_MAXSEG when socket.IsConnected:
                return BitConverter.GetBytes(65483); // what the loopback's MTU of 65536 leaves after headers with time stamps
            default:
                return [];
        }
    }
}
