using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Which options a socket has, and what they are before anybody sets them (net/core/sock.c, net/ipv4/ip_sockglue.c, tcp.c, udp.c,
/// net/ipv6/ipv6_sockglue.c). What is not in here is -ENOPROTOOPT.</summary>
internal static class SocketOptionTable
{
    /// <summary>Levels: SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_IPV6, SOL_NETLINK.
    /// </summary>
    internal const int Socket = 1, Ip = 0, Tcp = SocketTable.IPPROTO_TCP, Udp = SocketTable.IPPROTO_UDP,
        UdpLite = SocketTable.IPPROTO_UDPLITE, Ipv6 = 41, Netlink = 270;

    /// <summary>What may be done with an option.</summary>
    [Flags]
    private enum Use
    {
        /// <summary>Read.</summary>
        Get = 1,

        /// <summary>Written.</summary>
        Set = 2,

        /// <summary>Both.</summary>
        Both = 3,

        /// <summary>Written with CAP_NET_ADMIN only.</summary>
        Admin = 4,

        /// <summary>0 or 1 is read, whatever was written.</summary>
        Flag = 8,
    }

    private static readonly Dictionary<(int Level, int Name), (Use Use, int Default)> s_options = new()
    {
        [(Socket, 1)] = (Use.Both | Use.Admin | Use.Flag, 0), // SO_DEBUG
        [(Socket, 2)] = (Use.Both, 0), // SO_REUSEADDR
        [(Socket, 3)] = (Use.Get, 0), // SO_TYPE
        [(Socket, 4)] = (Use.Get, 0), // SO_ERROR
        [(Socket, 5)] = (Use.Both | Use.Flag, 0), // SO_DONTROUTE
        [(Socket, 6)] = (Use.Both | Use.Flag, 0), // SO_BROADCAST
        [(Socket, 7)] = (Use.Both, 0), // SO_SNDBUF
        [(Socket, 8)] = (Use.Both, 0), // SO_RCVBUF
        [(Socket, 9)] = (Use.Both | Use.Flag, 0), // SO_KEEPALIVE
        [(Socket, 10)] = (Use.Both | Use.Flag, 0), // SO_OOBINLINE
        [(Socket, 11)] = (Use.Both | Use.Flag, 0), // SO_NO_CHECK
        [(Socket, 12)] = (Use.Both, 0), // SO_PRIORITY
        [(Socket, 13)] = (Use.Both, 0), // SO_LINGER
        [(Socket, 15)] = (Use.Both | Use.Flag, 0), // SO_REUSEPORT
        [(Socket, 16)] = (Use.Both | Use.Flag, 0), // SO_PASSCRED
        [(Socket, 17)] = (Use.Get, 0), // SO_PEERCRED
        [(Socket, 18)] = (Use.Both, 1), // SO_RCVLOWAT
        [(Socket, 19)] = (Use.Get, 1), // SO_SNDLOWAT
        [(Socket, 20)] = (Use.Both, 0), // SO_RCVTIMEO
        [(Socket, 21)] = (Use.Both, 0), // SO_SNDTIMEO
        [(Socket, 27)] = (Use.Set, 0), // SO_DETACH_FILTER: ENOENT, there is none
        [(Socket, 29)] = (Use.Both | Use.Flag, 0), // SO_TIMESTAMP
        [(Socket, 30)] = (Use.Get, 0), // SO_ACCEPTCONN
        [(Socket, 32)] = (Use.Set | Use.Admin, 0), // SO_SNDBUFFORCE
        [(Socket, 33)] = (Use.Set | Use.Admin, 0), // SO_RCVBUFFORCE
        [(Socket, 34)] = (Use.Both | Use.Flag, 0), // SO_PASSSEC
        [(Socket, 35)] = (Use.Both | Use.Flag, 0), // SO_TIMESTAMPNS
        [(Socket, 36)] = (Use.Both | Use.Admin, 0), // SO_MARK
        [(Socket, 37)] = (Use.Both, 0), // SO_TIMESTAMPING
        [(Socket, 38)] = (Use.Get, 0), // SO_PROTOCOL
        [(Socket, 39)] = (Use.Get, 0), // SO_DOMAIN
        [(Socket, 40)] = (Use.Both | Use.Flag, 0), // SO_RXQ_OVFL
        [(Socket, 42)] = (Use.Both, -1), // SO_PEEK_OFF
        [(Socket, 43)] = (Use.Both | Use.Flag, 0), // SO_NOFCS
        [(Socket, 44)] = (Use.Both | Use.Flag, 0), // SO_LOCK_FILTER
        [(Socket, 45)] = (Use.Both | Use.Flag, 0), // SO_SELECT_ERR_QUEUE
        [(Socket, 46)] = (Use.Both, 0), // SO_BUSY_POLL
        [(Socket, 47)] = (Use.Both, -1), // SO_MAX_PACING_RATE
        [(Socket, 48)] = (Use.Get, 64), // SO_BPF_EXTENSIONS
        [(Socket, 49)] = (Use.Both, -1), // SO_INCOMING_CPU
        [(Socket, 60)] = (Use.Both, 0), // SO_ZEROCOPY
        [(Socket, 62)] = (Use.Both, 0), // SO_BINDTOIFINDEX
        [(Socket, 66)] = (Use.Both, 0), // SO_RCVTIMEO_NEW
        [(Socket, 67)] = (Use.Both, 0), // SO_SNDTIMEO_NEW
        [(Socket, 72)] = (Use.Both, 0), // SO_BUF_LOCK
        [(Socket, 74)] = (Use.Both, 1), // SO_TXREHASH
        [(Ip, 1)] = (Use.Both, 0), // IP_TOS
        [(Ip, 2)] = (Use.Both, 64), // IP_TTL
        [(Ip, 4)] = (Use.Both, 0), // IP_OPTIONS: empty
        [(Ip, 6)] = (Use.Both | Use.Flag, 0), // IP_RECVOPTS
        [(Ip, 7)] = (Use.Both | Use.Flag, 0), // IP_RETOPTS
        [(Ip, 8)] = (Use.Both | Use.Flag, 0), // IP_PKTINFO
        [(Ip, 10)] = (Use.Both, 1), // IP_MTU_DISCOVER
        [(Ip, 11)] = (Use.Both | Use.Flag, 0), // IP_RECVERR
        [(Ip, 12)] = (Use.Both | Use.Flag, 0), // IP_RECVTTL
        [(Ip, 13)] = (Use.Both | Use.Flag, 0), // IP_RECVTOS
        [(Ip, 15)] = (Use.Both | Use.Flag, 0), // IP_FREEBIND
        [(Ip, 18)] = (Use.Both | Use.Flag, 0), // IP_PASSSEC
        [(Ip, 19)] = (Use.Both | Use.Flag | Use.Admin, 0), // IP_TRANSPARENT
        [(Ip, 21)] = (Use.Both, 0), // IP_MINTTL
        [(Ip, 24)] = (Use.Both | Use.Flag, 0), // IP_BIND_ADDRESS_NO_PORT
        [(Ip, 25)] = (Use.Both | Use.Flag, 0), // IP_RECVFRAGSIZE
        [(Ip, 33)] = (Use.Both, 1), // IP_MULTICAST_TTL
        [(Ip, 34)] = (Use.Both | Use.Flag, 1), // IP_MULTICAST_LOOP
        [(Ip, 35)] = (Use.Set, 0), // IP_ADD_MEMBERSHIP
        [(Ip, 36)] = (Use.Set, 0), // IP_DROP_MEMBERSHIP
        [(Ip, 42)] = (Use.Set, 0), // MCAST_JOIN_GROUP
        [(Ip, 45)] = (Use.Set, 0), // MCAST_LEAVE_GROUP
        [(Ip, 49)] = (Use.Both | Use.Flag, 1), // IP_MULTICAST_ALL
        [(Ip, 50)] = (Use.Both, 0), // IP_UNICAST_IF
        [(Tcp, 1)] = (Use.Both | Use.Flag, 0), // TCP_NODELAY
        [(Tcp, 2)] = (Use.Both, 536), // TCP_MAXSEG
        [(Tcp, 3)] = (Use.Both | Use.Flag, 0), // TCP_CORK
        [(Tcp, 4)] = (Use.Both, 7200), // TCP_KEEPIDLE
        [(Tcp, 5)] = (Use.Both, 75), // TCP_KEEPINTVL
        [(Tcp, 6)] = (Use.Both, 9), // TCP_KEEPCNT
        [(Tcp, 7)] = (Use.Both, 6), // TCP_SYNCNT
        [(Tcp, 8)] = (Use.Both, 60), // TCP_LINGER2
        [(Tcp, 9)] = (Use.Both, 0), // TCP_DEFER_ACCEPT
        [(Tcp, 10)] = (Use.Both, 0), // TCP_WINDOW_CLAMP
        [(Tcp, 11)] = (Use.Get, 0), // TCP_INFO
        [(Tcp, 12)] = (Use.Both | Use.Flag, 1), // TCP_QUICKACK
        [(Tcp, 13)] = (Use.Both, 0), // TCP_CONGESTION
        [(Tcp, 18)] = (Use.Both, 0), // TCP_USER_TIMEOUT
        [(Tcp, 23)] = (Use.Both, 0), // TCP_FASTOPEN
        [(Tcp, 24)] = (Use.Both, 0), // TCP_TIMESTAMP
        [(Tcp, 25)] = (Use.Both, -1), // TCP_NOTSENT_LOWAT
        [(Tcp, 30)] = (Use.Both | Use.Flag, 0), // TCP_FASTOPEN_CONNECT
        [(Tcp, 34)] = (Use.Both | Use.Flag, 0), // TCP_FASTOPEN_NO_COOKIE
        [(Tcp, 36)] = (Use.Both | Use.Flag, 0), // TCP_INQ
        [(Udp, 1)] = (Use.Both | Use.Flag, 0), // UDP_CORK
        [(Udp, 101)] = (Use.Both | Use.Flag, 0), // UDP_NO_CHECK6_TX
        [(Udp, 102)] = (Use.Both | Use.Flag, 0), // UDP_NO_CHECK6_RX
        [(Udp, 103)] = (Use.Both, 0), // UDP_SEGMENT
        [(Udp, 104)] = (Use.Both | Use.Flag, 0), // UDP_GRO
        [(UdpLite, 10)] = (Use.Both, 0), // UDPLITE_SEND_CSCOV
        [(UdpLite, 11)] = (Use.Both, 0), // UDPLITE_RECV_CSCOV
        [(Ipv6, 16)] = (Use.Both, 64), // IPV6_UNICAST_HOPS
        [(Ipv6, 18)] = (Use.Both, 1), // IPV6_MULTICAST_HOPS
        [(Ipv6, 19)] = (Use.Both | Use.Flag, 1), // IPV6_MULTICAST_LOOP
        [(Ipv6, 23)] = (Use.Both, 1), // IPV6_MTU_DISCOVER
        [(Ipv6, 25)] = (Use.Both | Use.Flag, 0), // IPV6_RECVERR
        [(Ipv6, 26)] = (Use.Both | Use.Flag, 0), // IPV6_V6ONLY
        [(Ipv6, 29)] = (Use.Both | Use.Flag, 1), // IPV6_MULTICAST_ALL
        [(Ipv6, 33)] = (Use.Both | Use.Flag, 0), // IPV6_FLOWINFO_SEND
        [(Ipv6, 49)] = (Use.Both | Use.Flag, 0), // IPV6_RECVPKTINFO
        [(Ipv6, 51)] = (Use.Both | Use.Flag, 0), // IPV6_RECVHOPLIMIT
        [(Ipv6, 66)] = (Use.Both | Use.Flag, 0), // IPV6_RECVTCLASS
        [(Ipv6, 67)] = (Use.Both, 0), // IPV6_TCLASS
        [(Ipv6, 70)] = (Use.Both | Use.Flag, 0), // IPV6_AUTOFLOWLABEL
        [(Ipv6, 72)] = (Use.Both, 0), // IPV6_ADDR_PREFERENCES
        [(Ipv6, 75)] = (Use.Both | Use.Flag | Use.Admin, 0), // IPV6_TRANSPARENT
        [(Ipv6, 78)] = (Use.Both | Use.Flag, 0), // IPV6_FREEBIND
        [(Netlink, 1)] = (Use.Set, 0), // NETLINK_ADD_MEMBERSHIP
        [(Netlink, 2)] = (Use.Set, 0), // NETLINK_DROP_MEMBERSHIP
        [(Netlink, 3)] = (Use.Both | Use.Flag, 0), // NETLINK_PKTINFO
        [(Netlink, 4)] = (Use.Both | Use.Flag, 0), // NETLINK_BROADCAST_ERROR
        [(Netlink, 5)] = (Use.Both | Use.Flag, 0), // NETLINK_NO_ENOBUFS
        [(Netlink, 9)] = (Use.Get, 0), // NETLINK_LIST_MEMBERSHIPS
        [(Netlink, 10)] = (Use.Both | Use.Flag, 0), // NETLINK_CAP_ACK
        [(Netlink, 11)] = (Use.Both | Use.Flag, 0), // NETLINK_EXT_ACK
        [(Netlink, 12)] = (Use.Both | Use.Flag, 0), // NETLINK_GET_STRICT_CHK
    };

    /// <summary>Whether a socket has a level at all: 0, -EOPNOTSUPP or -ENOPROTOOPT.</summary>
    private static long CheckLevel(SocketFile socket, int level)
    {
        if (level == Socket)
            return 0;
        if (socket.Domain == SocketTable.AF_UNIX)
            return -Errno.EOPNOTSUPP;
        if (socket.Domain == SocketTable.AF_NETLINK)
            return level == Netlink ? 0 : -Errno.ENOPROTOOPT;
        return level == Ip || level == socket.Protocol || (level == Udp && socket.Protocol == UdpLite)
            || (level == Ipv6 && socket.Domain == SocketTable.AF_INET6) ? 0 : -Errno.ENOPROTOOPT;
    }

    /// <summary>Whether an option may be set: 0, -ENOPROTOOPT, -EPERM.</summary>
    internal static long CheckSet(SocketFile socket, int level, int name, bool privileged)
    {
        if (CheckLevel(socket, level) is < 0 and long error)
            return error;
        if (!s_options.TryGetValue((level, name), out var option) || (option.Use & Use.Set) == 0)
            return -Errno.ENOPROTOOPT;
        return (option.Use & Use.Admin) != 0 && !privileged ? -Errno.EPERM : 0;
    }

    /// <summary>Whether an option may be read, and the number that it is where nothing was set: 0, -ENOPROTOOPT.</summary>
    internal static long CheckGet(SocketFile socket, int level, int name, out int otherwise, out bool flag)
    {
        (otherwise, flag) = (0, false);
        if (CheckLevel(socket, level) is < 0)
            return -Errno.EOPNOTSUPP;
        if (!s_options.TryGetValue((level, name), out var option) || (option.Use & Use.Get) == 0)
            return -Errno.ENOPROTOOPT;
        (otherwise, flag) = (option.Default, (option.Use & Use.Flag) != 0);
        return 0;
    }
}
