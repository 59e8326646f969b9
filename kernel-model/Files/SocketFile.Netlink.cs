using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>Sockets of AF_NETLINK (net/netlink/af_netlink.c): what is sent goes to the kernel, which answers into the socket's own queue.
/// </summary>
internal sealed partial class SocketFile
{
    private const int NetlinkAddressSize = 12, NETLINK_NO_ENOBUFS = 5;

    private static uint GroupMask(int group) => group is > 0 and <= 32 ? 1u << (group - 1) : 0;

    /// <summary>Its own address (netlink_getname).</summary>
    internal byte[] NetlinkName => NetlinkAddress(NetlinkPort, NetlinkGroups.Mask);

    /// <summary>Its port in its namespace; 0: none yet.</summary>
    internal uint NetlinkPort { get; private set; }

    /// <summary>Groups of NETLINK_ROUTE (RTNLGRP_MAX), NETLINK_SOCK_DIAG (SKNLGRP_MAX) and NETLINK_KOBJECT_UEVENT; at least 32.</summary>
    internal NetlinkGroups NetlinkGroups => _netlinkGroups ??= new NetlinkGroups(Protocol == 0 ? 36 : 32);

    private NetlinkGroups? _netlinkGroups;

    /// <summary>The port that connect named, which what has no address goes to; 0: the kernel's.</summary>
    private uint _netlinkPeer;

    private static byte[] NetlinkAddress(uint port, uint groups)
    {
        byte[] address = new byte[NetlinkAddressSize];
        address[0] = SocketTable.AF_NETLINK;
        BinaryPrimitives.WriteUInt32LittleEndian(address.AsSpan(4), port);
        BinaryPrimitives.WriteUInt32LittleEndian(address.AsSpan(8), groups);
        return address;
    }

    /// <summary>bind with struct sockaddr_nl: port 4, groups 8. Port 0 is one that the kernel chooses: the process's number, or another.
    /// </summary>
    private long BindNetlink(ReadOnlySpan<byte> address)
    {
        if (!IsNetlink(address))
            return -Errno.EINVAL;
        uint port = BinaryPrimitives.ReadUInt32LittleEndian(address[4..]), groups = BinaryPrimitives.ReadUInt32LittleEndian(address[8..]);
        if (NetlinkPort != 0 && port != NetlinkPort)
            return -Errno.EINVAL;
        if (NetlinkPort == 0)
        {
            if (port != 0 ? !Table.TakeNetlinkPort(this, port) : !ChoosePort(out port))
                return -Errno.EADDRINUSE;
            NetlinkPort = port;
        }
        NetlinkGroups.Mask = groups;
        return 0;
    }

    /// <summary>connect with struct sockaddr_nl, or without a family to undo it (netlink_connect).</summary>
    private long ConnectNetlink(ReadOnlySpan<byte> address)
    {
        if (address.Length < 2)
            return -Errno.EINVAL;
        if ((address[0] | address[1] << 8) == 0)
        {
            (_netlinkPeer, Peer, _wasConnected) = (0, null, false);
            return 0;
        }
        if (!IsNetlink(address))
            return -Errno.EINVAL;
        if (address.Slice(4, 8).ContainsAnyExcept((byte)0) && !MaySendToOthers)
            return -Errno.EPERM;
        if (BindWhereUnbound() is < 0 and long error)
            return error;
        (_netlinkPeer, _wasConnected) = (BinaryPrimitives.ReadUInt32LittleEndian(address[4..]), true);
        uint groups = BinaryPrimitives.ReadUInt32LittleEndian(address[8..]);
        Peer = NetlinkAddress(_netlinkPeer, groups & (0 - groups));
        return 0;
    }

    private static bool IsNetlink(ReadOnlySpan<byte> address) =>
        address.Length >= NetlinkAddressSize && (address[0] | address[1] << 8) == SocketTable.AF_NETLINK;

    /// <summary>Whether what it sends may go to others than the kernel (netlink_allowed of NETLINK_ROUTE, NL_CFG_F_NONROOT_SEND).</summary>
    private bool MaySendToOthers => Inode.Fs.Vfs.Current is { } task && Network.IsAdministeredBy(task.Credentials);

    private long BindWhereUnbound() => NetlinkPort != 0 ? 0 : BindNetlink(NetlinkAddress(0, NetlinkGroups.Mask));

    private bool ChoosePort(out uint port)
    {
        port = (uint)(Inode.Fs.Vfs.Current?.Pid ?? 0);
        if (port != 0 && Table.TakeNetlinkPort(this, port))
            return true;
        for (port = unchecked((uint)-4097); port > uint.MaxValue / 2; port--)
        {
            if (Table.TakeNetlinkPort(this, port))
                return true;
        }
        return false;
    }

    /// <summary>Messages for the kernel, one behind the other: what each asks for, and an acknowledgement if it wants one or has failed
    /// (netlink_rcv_skb).</summary>
    private long SendToKernel(ReadOnlySpan<byte> data, ReadOnlySpan<byte> address)
    {
        const ushort request = 1, acknowledge = 4, firstType = 16;
        const int skbOverhead = 32;
        if (data.Length == 0)
            return -Errno.ENODATA;
        uint to = _netlinkPeer;
        if (address.Length > 0)
        {
            if (!IsNetlink(address))
                return -Errno.EINVAL;
            if (address.Slice(4, 8).ContainsAnyExcept((byte)0) && !MaySendToOthers)
                return -Errno.EPERM;
            to = BinaryPrimitives.ReadUInt32LittleEndian(address[4..]);
        }
        if (BindWhereUnbound() is < 0 and long error)
            return error;
        if (data.Length > SendBuffer - skbOverhead)
            return -Errno.EMSGSIZE;
        // Another process's socket: nobody listens but the kernel.
        if (to != 0)
            return -Errno.ECONNREFUSED;
        int sent = data.Length;
        while (data.Length >= NetlinkMessage.HeaderSize)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (length < NetlinkMessage.HeaderSize || length > data.Length)
                break;
            ReadOnlySpan<byte> message = data[..(int)length];
            ushort type = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(message[6..]);
            uint sequence = BinaryPrimitives.ReadUInt32LittleEndian(message[8..]);
            long? answer = 0;
            if ((flags & request) != 0 && type >= firstType)
            {
                bool mayChange = Inode.Fs.Vfs.Current is { } task && Network.IsAdministeredBy(task.Credentials);
                ReadOnlySpan<byte> body = message[NetlinkMessage.HeaderSize..];
                answer = Protocol switch
                {
                    0 => new RouteNetlink(Network, mayChange, sequence, NetlinkPort, FromKernel).Do(type, flags, body),
                    SocketTable.NETLINK_SOCK_DIAG => new SocketDiagnosis(Network, mayChange, sequence, NetlinkPort, FromKernel)
                        .Do(type, flags, body),
                    _ => -Errno.ECONNREFUSED,
                };
            }
            if (answer is { } number && (number != 0 || (flags & acknowledge) != 0))
            {
                // Of a request that was carried out the header is enough.
                FromKernel(new NetlinkMessage(NetlinkMessage.Error, 0, sequence, NetlinkPort).U32((uint)number)
                    .Bytes(number == 0 ? message[..NetlinkMessage.HeaderSize] : message).ToArray());
            }
            data = data[Math.Min((int)((length + 3) & ~3u), data.Length)..];
        }
        return sent;
    }

    /// <summary>The kernel sends a datagram: to one that does not read it is lost, and the next read says so.</summary>
    internal void FromKernel(byte[] data) => FromKernel(data, 0);

    /// <summary>The same, because it is in a group.</summary>
    internal void FromKernel(byte[] data, int group)
    {
        int size = SocketBuffers.TrueSize(data.Length, false);
        if (_inbox.TrueSize > ReceiveBuffer
            || !_inbox.Add(new SocketMessage { Data = data, TrueSize = size, From = NetlinkAddress(0, GroupMask(group)), Group = group }))
        {
            if (!GetFlag(270, NETLINK_NO_ENOBUFS))
                _error = Errno.ENOBUFS;
            return;
        }
        Source.Notify(PollBits.Readable);
        _async.Tell(IoEvent.In);
    }
}
