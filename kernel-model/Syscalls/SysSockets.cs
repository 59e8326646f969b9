using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Sockets (net/socket.c) over <see cref="SocketFile"/>.</summary>
internal static class SysSockets
{
    /// <summary>The socket of a descriptor: 0, -EBADF or -ENOTSOCK.</summary>
    internal static long Find(SyscallContext c, int argument, out SocketFile? socket)
    {
        socket = null;
        if (FileArguments.File(c, argument) is not { } file)
            return -Errno.EBADF;
        socket = file as SocketFile;
        FileArguments.CallerOf(c);
        return socket == null ? -Errno.ENOTSOCK : 0;
    }

    private static long Check(SyscallContext c, out int kind)
    {
        int domain = c.Int(0), protocol = c.Int(2);
        kind = c.Int(1) & 0xF;
        if ((c.Int(1) & ~(0xF | OpenFlags.O_NONBLOCK | OpenFlags.O_CLOEXEC)) != 0)
            return -Errno.EINVAL;
        switch (domain)
        {
            case SocketTable.AF_UNIX:
                if (kind == 3)
                    kind = SocketTable.SOCK_DGRAM;
                return protocol is not (0 or 1) ? -Errno.EPROTONOSUPPORT
                    : kind is SocketTable.SOCK_STREAM or SocketTable.SOCK_DGRAM or SocketTable.SOCK_SEQPACKET ? 0 : -Errno.ESOCKTNOSUPPORT;
            case SocketTable.AF_INET or SocketTable.AF_INET6:
                if (kind == 3)
                    return c.Task.Credentials.Has(Capability.NetRaw) ? -Errno.EPROTONOSUPPORT : -Errno.EPERM;
                if (kind is not (SocketTable.SOCK_STREAM or SocketTable.SOCK_DGRAM))
                    return -Errno.ESOCKTNOSUPPORT;
                bool known = kind == SocketTable.SOCK_STREAM ? protocol is 0 or SocketTable.IPPROTO_TCP
                    : protocol is 0 or SocketTable.IPPROTO_UDP or SocketTable.IPPROTO_UDPLITE;
                return known ? 0 : -Errno.EPROTONOSUPPORT;
            case SocketTable.AF_NETLINK:
                // SOCK_RAW and SOCK_DGRAM are one here. NETLINK_ROUTE, NETLINK_SOCK_DIAG, and NETLINK_KOBJECT_UEVENT, where nothing
                // happens.
                if (kind is not (3 or SocketTable.SOCK_DGRAM))
                    return -Errno.ESOCKTNOSUPPORT;
                kind = SocketTable.SOCK_DGRAM;
                return protocol is 0 or SocketTable.NETLINK_SOCK_DIAG or 15 ? 0 : -Errno.EPROTONOSUPPORT;
            default:
                return -Errno.EAFNOSUPPORT;
        }
    }

    public static long Socket(SyscallContext c)
    {
        if (Check(c, out int kind) is < 0 and long error)
            return error;
        FileArguments.CallerOf(c);
        int protocol = c.Int(0) == SocketTable.AF_UNIX ? 0 : c.Int(0) == SocketTable.AF_NETLINK || c.Int(2) != 0 ? c.Int(2)
            : kind == SocketTable.SOCK_STREAM ? SocketTable.IPPROTO_TCP : SocketTable.IPPROTO_UDP;
        return FileArguments.Install(c, new SocketFile(c.Vfs, c.Int(0), kind, protocol, c.Int(1) & OpenFlags.O_NONBLOCK), c.Int(1));
    }

    public static long Socketpair(SyscallContext c)
    {
        if (Check(c, out int kind) is < 0 and long error)
            return error;
        if (c.Int(0) != SocketTable.AF_UNIX)
            return -Errno.EOPNOTSUPP;
        FileArguments.CallerOf(c);
        var a = new SocketFile(c.Vfs, SocketTable.AF_UNIX, kind, 0, c.Int(1) & OpenFlags.O_NONBLOCK);
        var b = new SocketFile(c.Vfs, SocketTable.AF_UNIX, kind, 0, c.Int(1) & OpenFlags.O_NONBLOCK);
        SocketFile.Pair(a, b);
        return SysEvents.InstallPair(c, a, b, c.Int(1), c.Arg(3));
    }

    /// <summary>Reads an address argument: 0, -EINVAL, -EFAULT.</summary>
    internal static long Address(SyscallContext c, ulong address, int length, out byte[] bytes)
    {
        bytes = [];
        if (length is < 0 or > 128)
            return -Errno.EINVAL;
        bytes = new byte[length];
        return length == 0 || c.Memory.Read(address, bytes) ? 0 : -Errno.EFAULT;
    }

    public static long Bind(SyscallContext c) => Find(c, 0, out SocketFile? s) is < 0 and long e ? e
        : Address(c, c.Arg(1), c.Int(2), out byte[] address) is < 0 and long bad ? bad
        : LandlockDomain.CheckPort(c.Task.Credentials, s!, address, LandlockRights.BindTcp) is < 0 and long denied ? denied
        : s!.Bind(address, FileArguments.CallerOf(c));

    public static long Listen(SyscallContext c) => Find(c, 0, out SocketFile? s) is < 0 and long e ? e : s!.Listen(c.Int(1));

    public static long Connect(SyscallContext c)
    {
        if (Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        error = Address(c, c.Arg(1), c.Int(2), out byte[] address);
        if (error == 0)
            error = LandlockDomain.CheckPort(c.Task.Credentials, socket!, address, LandlockRights.ConnectTcp);
        if (error == 0)
            error = socket!.Connect(address, FileArguments.CallerOf(c));
        if (error != -Errno.EAGAIN || socket!.NonBlocking)
            return error;
        // The listener's queue is full: look again when a millisecond has passed.
        return c.Wait([], c.Timekeeper.NowNs + 1_000_000);
    }

    public static long Accept(SyscallContext c) => Accept(c, 0);

    public static long Accept4(SyscallContext c) => Accept(c, c.Int(3));

    private static long Accept(SyscallContext c, int flags)
    {
        if ((flags & ~(OpenFlags.O_NONBLOCK | OpenFlags.O_CLOEXEC)) != 0)
            return -Errno.EINVAL;
        if (Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        // A connection that gets no number goes on waiting.
        if (FileArguments.MayInstall(c) is < 0 and long full)
            return full;
        if (socket!.Kind == SocketTable.SOCK_DGRAM)
            return -Errno.EOPNOTSUPP;
        if (!socket.IsListening)
            return -Errno.EINVAL;
        if (socket.Accept() is not { } accepted)
            return SysReadWrite.WaitToRead(c, socket, false);
        accepted.Flags |= flags & OpenFlags.O_NONBLOCK;
        long fd = FileArguments.Install(c, accepted, flags);
        if (fd >= 0 && c.Arg(1) != 0)
        {
            error = GiveAddress(c, c.Arg(1), c.Arg(2), accepted.Peer);
            if (error < 0)
            {
                c.Files.Close((int)fd);
                return error;
            }
        }
        return fd;
    }

    /// <summary>Writes an address and its length (value-result).</summary>
    internal static long GiveAddress(SyscallContext c, ulong address, ulong lengthAddress, byte[]? value)
    {
        if (!c.Memory.Read(lengthAddress, out int room))
            return -Errno.EFAULT;
        if (room < 0)
            return -Errno.EINVAL;
        value ??= [];
        int n = Math.Min(room, value.Length);
        return (n == 0 || c.Memory.Write(address, value.AsSpan(0, n))) && c.Memory.Write(lengthAddress, value.Length) ? 0 : -Errno.EFAULT;
    }

    public static long Getsockname(SyscallContext c)
    {
        if (Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        byte[] unbound = socket!.Domain switch
        {
            SocketTable.AF_UNIX => [SocketTable.AF_UNIX, 0],
            SocketTable.AF_NETLINK => socket.NetlinkName,
            SocketTable.AF_INET => SocketTable.InetAddress(SocketTable.AF_INET, System.Net.IPAddress.Any, 0),
            _ => SocketTable.InetAddress(SocketTable.AF_INET6, System.Net.IPAddress.IPv6Any, 0),
        };
        return GiveAddress(c, c.Arg(1), c.Arg(2), socket.Local ?? unbound);
    }

    private static readonly byte[] NoNetlinkPort = [SocketTable.AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>getpeername(fd, address, length); one of netlink has the kernel as its peer.</summary>
    public static long Getpeername(SyscallContext c) => Find(c, 0, out SocketFile? s) is < 0 and long e ? e
        : s!.Domain == SocketTable.AF_NETLINK ? GiveAddress(c, c.Arg(1), c.Arg(2), s.Peer ?? NoNetlinkPort)
        : s.Peer == null || !s.IsConnected ? -Errno.ENOTCONN : GiveAddress(c, c.Arg(1), c.Arg(2), s.Peer);

    public static long Shutdown(SyscallContext c) => Find(c, 0, out SocketFile? s) is < 0 and long e ? e : s!.Shutdown(c.Int(1));
}
