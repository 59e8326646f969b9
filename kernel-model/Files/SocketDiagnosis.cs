using System.Buffers.Binary;
using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>NETLINK_SOCK_DIAG (net/core/sock_diag.c, net/ipv4/inet_diag.c, net/unix/diag.c): the sockets of a network namespace, as ss asks
/// for them.</summary>
internal sealed class SocketDiagnosis(NetworkNamespace network, bool administers, uint sequence, uint port, Action<byte[]> answer)
{
    private const ushort ByFamily = 20, Destroy = 21, DumpFlags = 0x300;
    private const int SocketIdAt = 8, InetRequest = 56, UnixRequest = 24;

    /// <summary>Carries a request out: 0 or -errno; null: it was answered to its end (a dump).</summary>
    /// <param name="type">nlmsg_type.</param>
    /// <param name="flags">nlmsg_flags.</param>
    /// <param name="body">struct inet_diag_req_v2 or unix_diag_req, attributes.</param>
    internal long? Do(ushort type, ushort flags, ReadOnlySpan<byte> body)
    {
        // Sockets are destroyed by none (CONFIG_INET_DIAG_DESTROY is not set).
        if (type != ByFamily)
            return type == Destroy && body.Length >= 2 ? -Errno.EOPNOTSUPP : -Errno.EINVAL;
        if (body.Length < 2)
            return -Errno.EINVAL;
        bool dumps = (flags & DumpFlags) != 0;
        long result = body[0] switch
        {
            SocketTable.AF_UNIX => body.Length < UnixRequest ? -Errno.EINVAL : Unix(body, dumps),
            0 or SocketTable.AF_INET or SocketTable.AF_INET6 => body.Length < InetRequest ? -Errno.EINVAL : Inet(body, dumps),
            _ => -Errno.ENOENT,
        };
        if (!dumps || result < 0)
            return result;
        answer(new NetlinkMessage(NetlinkMessage.Done, NetlinkMessage.Multi, sequence, port).U32(0).ToArray());
        return null;
    }

    private NetlinkMessage Begin(bool dumps) => new(ByFamily, dumps ? NetlinkMessage.Multi : (ushort)0, sequence, port);

    private static bool IsWanted(SocketFile socket, uint states) => (states >> socket.State & 1) != 0;

    private long Inet(ReadOnlySpan<byte> request, bool dumps)
    {
        const int tcp = 6, udp = 17, udpLite = 136, raw = 255;
        int family = request[0], protocol = request[1];
        if (protocol is not (tcp or udp or udpLite or raw))
            return -Errno.ENOENT;
        ReadOnlySpan<byte> id = request.Slice(SocketIdAt, 48);
        uint states = BinaryPrimitives.ReadUInt32LittleEndian(request[4..]);
        int sourcePort = BinaryPrimitives.ReadUInt16BigEndian(id), destinationPort = BinaryPrimitives.ReadUInt16BigEndian(id[2..]);
        InetDiagFilter? filter = null;
        if (dumps && NetlinkMessage.Attributes(request, InetRequest).TryGetValue(1, out byte[]? code)
            && !InetDiagFilter.TryParse(code, out filter))
            return -Errno.EINVAL;
        IEnumerable<(byte[] Id, int Domain, int State, Func<byte[], byte, bool, NetlinkMessage> Message)> sockets = network.Sockets.All
            .Where(s => s.Domain is SocketTable.AF_INET or SocketTable.AF_INET6 && s.Protocol == protocol && s.IsHashed)
            .Select(s => (SocketId(s.Local, s.Peer, s.Inode.Ino), s.Domain, s.State,
                (Func<byte[], byte, bool, NetlinkMessage>)((own, extensions, all) => InetMessage(s, own, extensions, all))));
        if (protocol == tcp)
        {
            sockets = sockets.Concat(network.Sockets.Waits.ToArray().Select(w => (SocketId(w.Local, w.Peer, 0), w.Domain, w.State,
                (Func<byte[], byte, bool, NetlinkMessage>)((own, _, all) => WaitMessage(w, own, all)))));
        }
        foreach (var (own, domain, state, message) in sockets.Where(s => family == 0 || family == s.Domain))
        {
            if (dumps)
            {
                int ownPort = BinaryPrimitives.ReadUInt16BigEndian(own), theirPort = BinaryPrimitives.ReadUInt16BigEndian(own.AsSpan(2));
                if ((states >> state & 1) == 0 || (sourcePort != 0 && sourcePort != ownPort)
                    || (destinationPort != 0 && destinationPort != theirPort) || filter?.Takes(domain, own) == false)
                    continue;
            }
            else if (!own.AsSpan(0, 36).SequenceEqual(id[..36]))
            {
                continue;
            }
            // INET_DIAG_NOCOOKIE: whatever it is.
            else if (id[40..].ContainsAnyExcept((byte)0xFF) && !own.AsSpan(40).SequenceEqual(id[40..]))
            {
                return -Errno.ENOENT;
            }
            answer(message(own, request[2], dumps).ToArray());
            if (!dumps)
                return 0;
        }
        return dumps ? 0 : -Errno.ENOENT;
    }

    /// <summary>struct inet_diag_msg of a connection whose socket is closed (inet_twsk_diag_fill).</summary>
    private NetlinkMessage WaitMessage(TimeWait wait, byte[] id, bool dumps)
    {
        const int timeWaitTimer = 3;
        return Begin(dumps).U8((byte)wait.Domain).U8((byte)wait.State).U8(timeWaitTimer).U8(0).Bytes(id)
            .U32((uint)(network.Sockets.LeftOf(wait) / 1_000_000)).U32(0).U32(0).U32(0).U32(0);
    }

    /// <summary>struct inet_diag_sockid: ports in network order, addresses of 16 bytes, interface, cookie.</summary>
    private static byte[] SocketId(byte[]? local, byte[]? peer, ulong cookie)
    {
        byte[] id = new byte[48];
        foreach ((byte[]? address, int portAt, int at) in (ReadOnlySpan<(byte[]?, int, int)>)[(local, 0, 4), (peer, 2, 20)])
        {
            if (address is null)
                continue;
            (IPAddress ip, int number) = SocketTable.Inet(address);
            BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(portAt), (ushort)number);
            ip.TryWriteBytes(id.AsSpan(at), out _);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(id.AsSpan(40), cookie);
        return id;
    }

    /// <summary>struct inet_diag_msg and the attributes that the request's idiag_ext names (inet_sk_diag_fill).</summary>
    private NetlinkMessage InetMessage(SocketFile socket, byte[] id, byte extensions, bool dumps)
    {
        const ushort memory = 1, info = 2, congestion = 4, tos = 5, trafficClass = 6, socketMemory = 7, shutdown = 8, v6Only = 11,
            mark = 15;
        (int received, int sent) = socket.Queued;
        NetlinkMessage message = Begin(dumps).U8((byte)socket.Domain).U8((byte)socket.State).U8(0).U8(0).Bytes(id)
            .U32(0).U32((uint)received).U32((uint)sent).U32(socket.Credentials.Uid).U32((uint)socket.NumberShown)
            .Attribute(shutdown, [socket.ShutDown]);
        bool Asked(ushort attribute) => (extensions >> (attribute - 1) & 1) != 0;
        if (Asked(tos))
            message.Attribute(tos, [socket.GetOption(0, 1) is { } set ? set[0] : (byte)0]);
        if (socket.Domain == SocketTable.AF_INET6)
        {
            if (Asked(trafficClass))
                message.Attribute(trafficClass, [socket.GetOption(41, 67) is { } value ? value[0] : (byte)0]);
            if (socket.State is SocketFile.Listening or SocketFile.Closed)
                message.Attribute(v6Only, [socket.GetFlag(41, 26) ? (byte)1 : (byte)0]);
        }
        if (administers && socket.GetOption(1, 36) is { } number)
            message.Attribute(mark, number);
        (int taken, int given) = socket.Allocated;
        if (Asked(memory))
            message.Attribute(memory, Words(taken, 0, 0, given));
        if (Asked(socketMemory))
            message.Attribute(socketMemory, Words(taken, socket.ReceiveBuffer, given, socket.SendBuffer, 0, 0, 0, 0, 0));
        if (socket.Kind == SocketTable.SOCK_STREAM && Asked(info))
            message.Attribute(info, socket.TcpInfo());
        if (socket.Kind == SocketTable.SOCK_STREAM && Asked(congestion))
        {
            string name = socket.GetOption(6, 13) is { } algorithm
                ? System.Text.Encoding.Latin1.GetString(algorithm).TrimEnd('\0') : "cubic";
            message.Attribute(congestion, name);
        }
        return message;
    }

    private static byte[] Words(params ReadOnlySpan<int> words)
    {
        byte[] bytes = new byte[words.Length * 4];
        for (int n = 0; n < words.Length; n++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(n * 4), words[n]);
        return bytes;
    }

    /// <summary>struct unix_diag_req: family, protocol, pad, states, inode, show, cookie.</summary>
    private long Unix(ReadOnlySpan<byte> request, bool dumps)
    {
        if (request[1] != 0)
            return -Errno.EINVAL;
        uint states = BinaryPrimitives.ReadUInt32LittleEndian(request[4..]), show = BinaryPrimitives.ReadUInt32LittleEndian(request[12..]);
        uint number = BinaryPrimitives.ReadUInt32LittleEndian(request[8..]);
        ulong cookie = BinaryPrimitives.ReadUInt64LittleEndian(request[16..]);
        if (!dumps && number == 0)
            return -Errno.EINVAL;
        foreach (SocketFile socket in network.Sockets.All.Where(s => s.Domain == SocketTable.AF_UNIX))
        {
            if (dumps ? !IsWanted(socket, states) : socket.NumberShown != number)
                continue;
            if (!dumps && cookie != ulong.MaxValue && cookie != socket.Inode.Ino)
                return -Errno.ESTALE;
            answer(UnixMessage(socket, show, dumps).ToArray());
            if (!dumps)
                return 0;
        }
        return dumps ? 0 : -Errno.ENOENT;
    }

    /// <summary>struct unix_diag_msg and the attributes that the request's udiag_show names (sk_diag_fill).</summary>
    private NetlinkMessage UnixMessage(SocketFile socket, uint show, bool dumps)
    {
        const ushort name = 0, file = 1, peer = 2, waiting = 3, queues = 4, memory = 5, shutdown = 6, user = 7;
        NetlinkMessage message = Begin(dumps).U8(SocketTable.AF_UNIX).U8((byte)socket.Kind).U8((byte)socket.State).U8(0)
            .U32((uint)socket.NumberShown).U32((uint)socket.Inode.Ino).U32((uint)(socket.Inode.Ino >> 32));
        bool Asked(int bit) => (show >> bit & 1) != 0;
        if (Asked(0) && socket.Local is { Length: > 2 } address)
            message.Attribute(name, address.AsSpan(2));
        if (Asked(1) && socket.BoundInode is { } node)
            message.Attribute(file, Words((int)node.Ino, (int)node.Fs.KernelDevice));
        if (Asked(2) && socket.Other is { } other)
            message.Attribute(peer, (uint)other.NumberShown);
        if (Asked(3) && socket.IsListening)
            message.Attribute(waiting, Words([.. socket.Waiters.Select(w => (int)(w.Other?.NumberShown ?? 0))]));
        (int received, int sent) = socket.Queued;
        if (Asked(4))
            message.Attribute(queues, Words(received, sent));
        (int taken, int given) = socket.Allocated;
        if (Asked(5))
            message.Attribute(memory, Words(taken, socket.ReceiveBuffer, given, socket.SendBuffer, 0, 0, 0, 0, 0));
        message.Attribute(shutdown, [socket.ShutDown]);
        if (Asked(6))
            message.Attribute(user, socket.Credentials.Uid);
        return message;
    }
}
