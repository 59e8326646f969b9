using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Control messages of sockets: what goes along with bytes and what is said of them (net/core/scm.c, net/core/sock.c,
/// net/ipv4/ip_sockglue.c, net/ipv6/datagram.c).</summary>
internal static class SocketControl
{
    private const int SOL_SOCKET = 1, SO_PASSCRED = 16, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SO_TIMESTAMP = 29, SO_TIMESTAMPNS = 35,
        SO_TIMESTAMPING = 37, NETLINK_PKTINFO = 3, SO_MARK = 36;

    private const int SOL_IP = 0, IP_TOS = 1, IP_TTL = 2, IP_RETOPTS = 7, IP_PKTINFO = 8, IP_RECVERR = 11, IP_RECVTTL = 12, IP_RECVTOS = 13;

    private const int SOL_IPV6 = 41, IPV6_RECVERR = 25, IPV6_RECVPKTINFO = 49, IPV6_PKTINFO = 50, IPV6_RECVHOPLIMIT = 51,
        IPV6_HOPLIMIT = 52, IPV6_RECVTCLASS = 66, IPV6_TCLASS = 67;

    private const int SOL_UDP = 17, UDP_SEGMENT = 103;

    /// <summary>Index of the loopback.</summary>
    private const int Loopback = 1;

    private const int MostFiles = 253;

    /// <summary>What a message is sent with (__scm_send, ip_cmsg_send, ip6_datagram_send_ctl): 0, -EINVAL, -EBADF, -EPERM.</summary>
    /// <param name="c">The call.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="address">The control messages.</param>
    /// <param name="length">Their bytes.</param>
    /// <param name="files">Descriptors that go along, with a reference each.</param>
    /// <param name="options">Everything else.</param>
    internal static long Read(
        SyscallContext c, SocketFile socket, ulong address, ulong length, out List<OpenFile>? files, out SendOptions options)
    {
        (files, options) = (null, default);
        if (length > 65536)
            return -Errno.ENOBUFS;
        byte[] control = new byte[length];
        if (!c.Memory.Read(address, control))
            return -Errno.EFAULT;
        bool passes = socket.Domain is SocketTable.AF_UNIX or SocketTable.AF_NETLINK;
        var found = new List<OpenFile>();
        for (int at = 0; at + ControlWriter.HeaderSize <= control.Length;)
        {
            long size = BinaryPrimitives.ReadInt64LittleEndian(control.AsSpan(at));
            int level = BinaryPrimitives.ReadInt32LittleEndian(control.AsSpan(at + 8));
            int type = BinaryPrimitives.ReadInt32LittleEndian(control.AsSpan(at + 12));
            if (size < ControlWriter.HeaderSize || at + size > control.Length)
                return -Errno.EINVAL;
            ReadOnlySpan<byte> data = control.AsSpan(at + ControlWriter.HeaderSize, (int)size - ControlWriter.HeaderSize);
            long error = passes ? level != SOL_SOCKET ? 0 : Pass(c, type, data, found, ref options)
                : socket.Kind != SocketTable.SOCK_STREAM ? OfDatagram(level, type, data, ref options)
                : level == SOL_SOCKET ? OfSocket(type) : 0;
            if (error < 0)
                return error;
            at += (int)((size + 7) & ~7);
        }
        if (found.Count > MostFiles)
            return -Errno.EINVAL;
        if (socket.Domain != SocketTable.AF_UNIX)
            return found.Count > 0 ? -Errno.EINVAL : 0;
        found.ForEach(f => f.AddReference());
        files = found.Count > 0 ? found : null;
        return 0;
    }

    /// <summary>Descriptors, and who the sender says it is.</summary>
    private static long Pass(SyscallContext c, int type, ReadOnlySpan<byte> data, List<OpenFile> found, ref SendOptions options)
    {
        switch (type)
        {
            case SCM_RIGHTS:
                for (int n = 0; n + 4 <= data.Length; n += 4)
                {
                    if (c.Files[BinaryPrimitives.ReadInt32LittleEndian(data[n..])] is not { } file)
                        return -Errno.EBADF;
                    found.Add(file);
                }
                return 0;
            case SCM_CREDENTIALS:
                if (data.Length != 12)
                    return -Errno.EINVAL;
                int pid = BinaryPrimitives.ReadInt32LittleEndian(data);
                uint uid = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]), gid = BinaryPrimitives.ReadUInt32LittleEndian(data[8..]);
                Credentials who = c.Task.Credentials;
                // scm_check_creds
                bool allowed = (pid == c.Task.OwnPid || who.HasInNamespace(Capability.SysAdmin))
                    && (uid == who.Uid || uid == who.Euid || uid == who.Suid || who.HasInNamespace(Capability.Setuid))
                    && (gid == who.Gid || gid == who.Egid || gid == who.Sgid || who.HasInNamespace(Capability.Setgid));
                if (!allowed)
                    return -Errno.EPERM;
                if (pid != c.Task.OwnPid && c.FindTask(pid) is null)
                    return -Errno.ESRCH;
                options = options with { Sender = (pid, uid, gid) };
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>__sock_cmsg_send: marks and time stamps are taken, and change nothing here.</summary>
    private static long OfSocket(int type) => type is SCM_RIGHTS or SCM_CREDENTIALS or SO_MARK or SO_TIMESTAMPING ? 0 : -Errno.EINVAL;

    private static long OfDatagram(int level, int type, ReadOnlySpan<byte> data, ref SendOptions options)
    {
        int number = data.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(data) : data.Length >= 1 ? data[0] : -1;
        switch (level, type)
        {
            case (SOL_SOCKET, _):
                return OfSocket(type);
            case (SOL_UDP, UDP_SEGMENT):
                if (data.Length != 2)
                    return -Errno.EINVAL;
                options = options with { Segment = BinaryPrimitives.ReadUInt16LittleEndian(data) };
                return 0;
            case (SOL_IP, IP_RETOPTS):
                return 0;
            case (SOL_IP, IP_PKTINFO):
                if (data.Length != 12)
                    return -Errno.EINVAL;
                options = options with { Source = SourceOf(data.Slice(4, 4)) };
                return 0;
            case (SOL_IP, IP_TTL):
                if (data.Length != 4 || number is < 1 or > 255)
                    return -Errno.EINVAL;
                options = options with { HopLimit = (byte)number };
                return 0;
            case (SOL_IP, IP_TOS):
                if (data.Length is not (1 or 4) || number is < 0 or > 255)
                    return -Errno.EINVAL;
                options = options with { TrafficClass = (byte)number };
                return 0;
            case (SOL_IPV6, IPV6_PKTINFO):
                if (data.Length < 20)
                    return -Errno.EINVAL;
                options = options with { Source = SourceOf(data[..16]) };
                return 0;
            case (SOL_IPV6, IPV6_HOPLIMIT):
                if (data.Length != 4 || number is < -1 or > 255)
                    return -Errno.EINVAL;
                options = options with { HopLimit = number < 0 ? null : (byte)number };
                return 0;
            case (SOL_IPV6, IPV6_TCLASS):
                if (data.Length != 4 || number is < -1 or > 255)
                    return -Errno.EINVAL;
                options = options with { TrafficClass = number < 0 ? null : (byte)number };
                return 0;
            default:
                return level is SOL_IP or SOL_IPV6 or SOL_UDP ? -Errno.EINVAL : 0;
        }
    }

    private static IPAddress? SourceOf(ReadOnlySpan<byte> address) => address.ContainsAnyExcept((byte)0) ? new IPAddress(address) : null;

    /// <summary>What is said of a message that was received: when, from whom, which way; and descriptors that came along.</summary>
    internal static void Write(SyscallContext c, ControlWriter writer, SocketFile socket, SocketMessage message, int flags)
    {
        if (socket.Domain != SocketTable.AF_UNIX || socket.Kind == SocketTable.SOCK_DGRAM)
            PutTime(writer, socket, message.ArrivedNs);
        if (socket.Domain is SocketTable.AF_INET or SocketTable.AF_INET6)
        {
            if (socket.Kind == SocketTable.SOCK_DGRAM)
                PutWay(writer, socket, message);
            return;
        }
        if (socket.GetFlag(SOL_SOCKET, SO_PASSCRED))
        {
            Span<byte> who = stackalloc byte[12];
            BinaryPrimitives.WriteInt32LittleEndian(who, message.Sender.Pid);
            BinaryPrimitives.WriteUInt32LittleEndian(who[4..], message.Sender.Uid);
            BinaryPrimitives.WriteUInt32LittleEndian(who[8..], message.Sender.Gid);
            writer.Put(SOL_SOCKET, SCM_CREDENTIALS, who);
        }
        // struct nl_pktinfo: the group.
        if (socket.GetFlag(SocketOptionTable.Netlink, NETLINK_PKTINFO))
            writer.Put(SocketOptionTable.Netlink, NETLINK_PKTINFO, message.Group);
        if (message.Files is { } files)
            PutFiles(c, writer, message, files, flags);
    }

    /// <summary>Installs descriptors, as many as there is room for (scm_detach_fds).</summary>
    private static void PutFiles(SyscallContext c, ControlWriter writer, SocketMessage message, List<OpenFile> files, int flags)
    {
        const int MSG_PEEK = 2, MSG_CMSG_CLOEXEC = 0x40000000;
        var numbers = new List<byte>();
        int most = writer.Room / 4, given = 0;
        for (; given < files.Count && given < most; given++)
        {
            long fd = c.Files.Add(files[given].AddReference(), (flags & MSG_CMSG_CLOEXEC) != 0, FileArguments.FileLimit(c));
            if (fd < 0)
            {
                files[given].Release();
                break;
            }
            numbers.AddRange(BitConverter.GetBytes((int)fd));
        }
        if (given < files.Count)
            writer.Cut();
        if ((flags & MSG_PEEK) == 0)
        {
            files.ForEach(f => f.Release());
            message.Files = null;
        }
        if (given > 0)
            writer.Put(SOL_SOCKET, SCM_RIGHTS, numbers.ToArray());
    }

    /// <summary>SO_TIMESTAMP, SO_TIMESTAMPNS and the software stamps of SO_TIMESTAMPING (__sock_recv_timestamp).</summary>
    private static void PutTime(ControlWriter writer, SocketFile socket, long ns)
    {
        const int received = 1 << 3, software = 1 << 4;
        Span<byte> time = stackalloc byte[48];
        BinaryPrimitives.WriteInt64LittleEndian(time, ns / 1_000_000_000);
        BinaryPrimitives.WriteInt64LittleEndian(time[8..], ns % 1_000_000_000);
        if (socket.GetFlag(SOL_SOCKET, SO_TIMESTAMPNS))
        {
            writer.Put(SOL_SOCKET, SO_TIMESTAMPNS, time[..16]);
        }
        else if (socket.GetFlag(SOL_SOCKET, SO_TIMESTAMP))
        {
            Span<byte> micro = stackalloc byte[16];
            time[..8].CopyTo(micro);
            BinaryPrimitives.WriteInt64LittleEndian(micro[8..], ns % 1_000_000_000 / 1000);
            writer.Put(SOL_SOCKET, SO_TIMESTAMP, micro);
        }
        int wanted = socket.GetOption(SOL_SOCKET, SO_TIMESTAMPING) is { Length: >= 4 } value ? BitConverter.ToInt32(value) : 0;
        if ((wanted & (received | software)) == (received | software))
            writer.Put(SOL_SOCKET, SO_TIMESTAMPING, time);
    }

    /// <summary>Which way a datagram came: address, TTL, TOS (ip_cmsg_recv_offset; ip6_datagram_recv_ctl).</summary>
    private static void PutWay(ControlWriter writer, SocketFile socket, SocketMessage message)
    {
        if (message.To is not { } to)
            return;
        bool six = !to.IsIPv4MappedToIPv6 && to.AddressFamily == AddressFamily.InterNetworkV6;
        if (socket.Domain == SocketTable.AF_INET6 && socket.GetFlag(SOL_IPV6, IPV6_RECVPKTINFO))
        {
            Span<byte> info = stackalloc byte[20];
            to.MapToIPv6().TryWriteBytes(info, out _);
            BinaryPrimitives.WriteInt32LittleEndian(info[16..], Loopback);
            writer.Put(SOL_IPV6, IPV6_PKTINFO, info);
        }
        if (six)
        {
            if (socket.GetFlag(SOL_IPV6, IPV6_RECVHOPLIMIT))
                writer.Put(SOL_IPV6, IPV6_HOPLIMIT, message.Header.HopLimit);
            if (socket.GetFlag(SOL_IPV6, IPV6_RECVTCLASS))
                writer.Put(SOL_IPV6, IPV6_TCLASS, message.Header.TrafficClass);
            return;
        }
        if (socket.GetFlag(SOL_IP, IP_PKTINFO))
        {
            Span<byte> info = stackalloc byte[12];
            BinaryPrimitives.WriteInt32LittleEndian(info, Loopback);
            to.MapToIPv4().TryWriteBytes(info[4..], out _);
            info.Slice(4, 4).CopyTo(info[8..]);
            writer.Put(SOL_IP, IP_PKTINFO, info);
        }
        if (socket.GetFlag(SOL_IP, IP_RECVTTL))
            writer.Put(SOL_IP, IP_TTL, message.Header.HopLimit);
        if (socket.GetFlag(SOL_IP, IP_RECVTOS))
            writer.Put(SOL_IP, IP_TOS, [message.Header.TrafficClass]);
    }

    /// <summary>What is said of a datagram that came back: struct sock_extended_err and who could not take it.</summary>
    internal static void WriteError(ControlWriter writer, SocketFile socket, ReturnedDatagram returned)
    {
        const byte icmp = 2, icmp6 = 3, unreachable = 3, port = 3, unreachable6 = 1, port6 = 4;
        bool six = socket.Domain == SocketTable.AF_INET6 && !returned.Offender.IsIPv4MappedToIPv6;
        byte[] error = new byte[16 + (six ? 28 : 16)];
        BinaryPrimitives.WriteInt64LittleEndian(error, Errno.ECONNREFUSED);
        (error[4], error[5], error[6]) = six ? (icmp6, unreachable6, port6) : (icmp, unreachable, port);
        SocketTable.InetAddress(six ? SocketTable.AF_INET6 : SocketTable.AF_INET, returned.Offender, 0).CopyTo(error, 16);
        writer.Put(six ? SOL_IPV6 : SOL_IP, six ? IPV6_RECVERR : IP_RECVERR, error);
    }
}
