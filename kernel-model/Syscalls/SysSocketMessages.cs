using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What sockets send and receive: bytes, addresses, descriptors, identities (net/socket.c, net/core/scm.c).</summary>
internal static class SysSocketMessages
{
    private const int MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100,
        MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
        MSG_CMSG_CLOEXEC = 0x40000000;
    private const int SOL_SOCKET = 1, SO_PASSCRED = 16, SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, NETLINK_PKTINFO = 3;

    /// <summary>MSG_DONTWAIT.</summary>
    internal const int DontWait = MSG_DONTWAIT;

    /// <summary>Bytes of a stream that are sent at a time.</summary>
    private const int MostAtOnce = 256 << 10;

    /// <summary>Bytes of the longest message: as many fragments as Linux has for one (MAX_SKB_FRAGS pieces of 32 KiB).</summary>
    internal const int MostOfMessage = 17 << 15;

    /// <summary>struct msghdr: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48.</summary>
    private struct Header
    {
        public ulong Name, Iov, IovCount, Control, ControlLength;
        public int NameLength;
    }

    private static long ReadHeader(SyscallContext c, ulong address, out Header h, out (ulong Address, long Length)[] iov)
    {
        h = default;
        iov = [];
        if (!(c.Memory.Read(address, out h.Name) && c.Memory.Read(address + 8, out h.NameLength) && c.Memory.Read(address + 16, out h.Iov)
            && c.Memory.Read(address + 24, out h.IovCount) && c.Memory.Read(address + 32, out h.Control)
            && c.Memory.Read(address + 40, out h.ControlLength)))
        {
            return -Errno.EFAULT;
        }
        if (h.Name != 0 && h.NameLength < 0)
            return -Errno.EINVAL;
        long error = IoVector.Read(c, h.Iov, h.IovCount, out iov);
        return error == -Errno.EINVAL ? -Errno.EMSGSIZE : error;
    }

    /// <summary>How far a send that slept has come.</summary>
    private sealed class SendProgress
    {
        public long Done;

        /// <summary>SO_SNDTIMEO, as a time of CLOCK_MONOTONIC in ns.</summary>
        public ulong Deadline = ulong.MaxValue;
    }

    /// <summary>Sends what an iovec has: a stream in parts, a message as a whole.</summary>
    internal static long SendTo(
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, byte[] address, List<OpenFile>? files, int flags)
    {
        if ((flags & MSG_OOB) != 0 && socket.Kind != SocketTable.SOCK_STREAM)
            return -Errno.EOPNOTSUPP;
        long total = iov.Sum(v => v.Length);
        bool isStream = socket.Kind == SocketTable.SOCK_STREAM;
        if (!isStream && total > MostOfMessage)
            return -Errno.EMSGSIZE;
        var progress = c.State as SendProgress ?? new SendProgress();
        c.State = progress;
        while (true)
        {
            int wanted = (int)Math.Min(total - progress.Done, isStream ? MostAtOnce : MostOfMessage);
            byte[] data = new byte[wanted];
            if (IoVector.Gather(c, iov, progress.Done, data) < wanted)
                return progress.Done > 0 ? progress.Done : -Errno.EFAULT;
            long n = socket.Send(data, address, FileArguments.CallerOf(c), files, (flags & MSG_MORE) != 0);
            if (n == -Errno.EAGAIN)
            {
                if (socket.NonBlocking || (flags & MSG_DONTWAIT) != 0 || c.SignalPending)
                    return progress.Done > 0 ? progress.Done
                        : c.SignalPending && !socket.NonBlocking && (flags & MSG_DONTWAIT) == 0
                            ? socket.SendTimeout != 0 ? -Errno.EINTR : -Errno.ERESTARTSYS : n;
                ulong now = c.Timekeeper.NowNs;
                if (socket.SendTimeout != 0 && progress.Deadline == ulong.MaxValue)
                    progress.Deadline = UserTime.Add(now, socket.SendTimeout);
                if (progress.Deadline <= now)
                    return progress.Done > 0 ? progress.Done : -Errno.EAGAIN;
                long restart = socket.SendTimeout != 0 ? Errno.EINTR : Errno.ERESTARTSYS;
                // Datagrams wait for the receiver, whose queue is not ours: look again soon.
                return socket.Kind == SocketTable.SOCK_DGRAM
                    ? c.Wait(socket.Source.Queue, Math.Min(progress.Deadline, now + 1_000_000), restart)
                    : FileArguments.WaitFor(c, socket, progress.Deadline, restart);
            }
            if (n == -Errno.EPIPE && (flags & MSG_NOSIGNAL) == 0 && socket.Kind != SocketTable.SOCK_DGRAM)
                c.Signals.SendOwn(c.Task, Signal.SIGPIPE);
            if (n < 0)
                return progress.Done > 0 ? progress.Done : n;
            progress.Done += n;
            files = null;
            if (progress.Done >= total || !isStream)
                return progress.Done;
        }
    }

    public static long Sendto(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        byte[] address = [];
        if (c.Arg(4) != 0 && SysSockets.Address(c, c.Arg(4), c.Int(5), out address) is < 0 and long bad)
            return bad;
        return SendTo(c, socket!, [(c.Arg(1), (long)Math.Min(c.Arg(2), 0x7FFFF000))], address, null, c.Int(3));
    }

    public static long Sendmsg(SyscallContext c) =>
        SysSockets.Find(c, 0, out SocketFile? s) is < 0 and long e ? e : SendMessage(c, s!, c.Arg(1), c.Int(2));

    private static long SendMessage(SyscallContext c, SocketFile socket, ulong message, int flags)
    {
        if (ReadHeader(c, message, out Header h, out var iov) is < 0 and long error)
            return error;
        byte[] address = [];
        if (h.Name != 0 && SysSockets.Address(c, h.Name, h.NameLength, out address) is < 0 and long bad)
            return bad;
        List<OpenFile>? files = null;
        // Descriptors were taken already when the send has slept after a part went out.
        if (h.Control != 0 && h.ControlLength > 0 && c.State is not SendProgress { Done: > 0 })
        {
            error = ReadControl(c, h, out files);
            if (error < 0)
                return error;
        }
        long result = SendTo(c, socket, iov, address, files, flags);
        // Not delivered: the references taken here go back; a send that slept takes them again.
        if (result < 0 && c.State is not SendProgress { Done: > 0 })
            files?.ForEach(f => f.Release());
        return result;
    }

    private static long ReadControl(SyscallContext c, in Header h, out List<OpenFile>? files)
    {
        files = null;
        if (h.ControlLength > 65536)
            return -Errno.ENOBUFS;
        byte[] control = new byte[h.ControlLength];
        if (!c.Memory.Read(h.Control, control))
            return -Errno.EFAULT;
        var found = new List<OpenFile>();
        for (int at = 0; at + 16 <= control.Length;)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(control.AsSpan(at));
            int level = BinaryPrimitives.ReadInt32LittleEndian(control.AsSpan(at + 8));
            int type = BinaryPrimitives.ReadInt32LittleEndian(control.AsSpan(at + 12));
            if (length < 16 || at + length > control.Length)
                return -Errno.EINVAL;
            if (level == SOL_SOCKET && type == SCM_RIGHTS)
            {
                for (int n = at + 16; n + 4 <= at + length; n += 4)
                {
                    if (c.Files[BinaryPrimitives.ReadInt32LittleEndian(control.AsSpan(n))] is not { } file)
                        return -Errno.EBADF;
                    found.Add(file);
                }
            }
            at += (int)((length + 7) & ~7);
        }
        if (found.Count > 253)
            return -Errno.EINVAL;
        found.ForEach(f => f.AddReference());
        files = found.Count > 0 ? found : null;
        return 0;
    }

    public static long Sendmmsg(SyscallContext c) => Many(c, SendMessage);

    public static long Recvmmsg(SyscallContext c)
    {
        if (c.Arg(4) != 0 && FileArguments.Timespec(c, c.Arg(4), out _) is < 0 and long error)
            return error;
        return Many(c, ReceiveMessage);
    }

    /// <summary>One call for an array of struct mmsghdr; only the first message waits.</summary>
    private static long Many(SyscallContext c, Func<SyscallContext, SocketFile, ulong, int, long> one)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        int done = 0;
        for (uint n = 0; n < Math.Min(c.UInt(2), 1024); n++)
        {
            ulong message = c.Arg(1) + n * 64;
            long result = one(c, socket!, message, c.Int(3) | (n > 0 ? MSG_DONTWAIT : 0));
            if (result < 0)
                return done > 0 ? done : result;
            c.State = null;
            c.Memory.Write(message + 56, (uint)result);
            done++;
        }
        return done;
    }

    private static long ReceiveFrom(
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, int flags, out SocketMessage? first, out int full)
    {
        (first, full) = (null, 0);
        // Urgent data is never sent, and errors are never queued.
        if ((flags & MSG_OOB) != 0 && socket.Kind == SocketTable.SOCK_STREAM)
            return -Errno.EINVAL;
        if ((flags & MSG_ERRQUEUE) != 0 && socket.Domain != SocketTable.AF_UNIX)
            return -Errno.EAGAIN;
        int wanted = (int)Math.Min(iov.Sum(v => v.Length), MostOfMessage);
        if ((flags & MSG_WAITALL) != 0 && (flags & (MSG_PEEK | MSG_DONTWAIT)) == 0
            && socket is { Kind: SocketTable.SOCK_STREAM, NonBlocking: false })
            return ReceiveAll(c, socket, iov, wanted, out first, out full);
        byte[] buffer = new byte[wanted];
        long n = socket.Receive(buffer, (flags & MSG_PEEK) != 0, out first, out full);
        if (n == -Errno.EAGAIN)
            return SysReadWrite.WaitToRead(c, socket, (flags & MSG_DONTWAIT) != 0);
        if (n > 0 && IoVector.Scatter(c, iov, 0, buffer.AsSpan(0, (int)n)) < n)
            return -Errno.EFAULT;
        return n;
    }

    private static long ReceiveAll(
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, int wanted, out SocketMessage? first, out int full)
    {
        var progress = c.State as SendProgress ?? new SendProgress();
        c.State = progress;
        full = wanted;
        first = null;
        while (progress.Done < wanted)
        {
            byte[] buffer = new byte[wanted - progress.Done];
            long n = socket.Receive(buffer, false, out first, out _);
            if (n == -Errno.EAGAIN)
                return c.SignalPending && progress.Done > 0 ? progress.Done : FileArguments.WaitFor(c, socket);
            if (n <= 0)
                return progress.Done > 0 ? progress.Done : n;
            if (IoVector.Scatter(c, iov, progress.Done, buffer.AsSpan(0, (int)n)) < n)
                return -Errno.EFAULT;
            progress.Done += n;
        }
        return progress.Done;
    }

    public static long Recvfrom(SyscallContext c)
    {
        if (SysSockets.Find(c, 0, out SocketFile? socket) is < 0 and long error)
            return error;
        long n = ReceiveFrom(
            c, socket!, [(c.Arg(1), (long)Math.Min(c.Arg(2), MostOfMessage))], c.Int(3), out SocketMessage? first, out int full);
        if (n < 0)
            return n;
        if (first?.Files is { } files && (c.Int(3) & MSG_PEEK) == 0)
        {
            files.ForEach(f => f.Release());
            first.Files = null;
        }
        byte[]? from = socket!.Kind == SocketTable.SOCK_STREAM ? null : first?.From;
        if (c.Arg(4) != 0 && SysSockets.GiveAddress(c, c.Arg(4), c.Arg(5), from) is < 0 and long bad)
            return bad;
        return (c.Int(3) & MSG_TRUNC) != 0 && socket.Kind != SocketTable.SOCK_STREAM ? full : n;
    }

    public static long Recvmsg(SyscallContext c) =>
        SysSockets.Find(c, 0, out SocketFile? s) is < 0 and long e ? e : ReceiveMessage(c, s!, c.Arg(1), c.Int(2));

    private static long ReceiveMessage(SyscallContext c, SocketFile socket, ulong message, int flags)
    {
        if (ReadHeader(c, message, out Header h, out var iov) is < 0 and long error)
            return error;
        long n = ReceiveFrom(c, socket, iov, flags, out SocketMessage? first, out int full);
        if (n < 0)
            return n;
        int outFlags = 0;
        if (socket.Kind != SocketTable.SOCK_STREAM && full > n)
            outFlags |= MSG_TRUNC;
        if (h.Name != 0)
        {
            byte[] from = socket.Kind == SocketTable.SOCK_STREAM ? [] : first?.From ?? [];
            int length = Math.Min(Math.Max(h.NameLength, 0), from.Length);
            if (length > 0 && !c.Memory.Write(h.Name, from.AsSpan(0, length)))
                return -Errno.EFAULT;
            c.Memory.Write(message + 8, from.Length);
        }
        outFlags |= WriteControl(c, socket, h, first, flags, out ulong used);
        c.Memory.Write(message + 40, used);
        c.Memory.Write(message + 48, outFlags | (flags & MSG_CMSG_CLOEXEC));
        return (flags & MSG_TRUNC) != 0 && socket.Kind != SocketTable.SOCK_STREAM ? full : n;
    }

    /// <summary>Ancillary data: identities and descriptors. Returns MSG_CTRUNC when not all fits.</summary>
    private static int WriteControl(SyscallContext c, SocketFile socket, in Header h, SocketMessage? first, int flags, out ulong used)
    {
        used = 0;
        int result = 0;
        Span<byte> head = stackalloc byte[28];
        if (socket.GetFlag(SOL_SOCKET, SO_PASSCRED) && first != null)
        {
            if (h.ControlLength < 32)
            {
                result = MSG_CTRUNC;
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(head, 28);
                BinaryPrimitives.WriteInt32LittleEndian(head[8..], SOL_SOCKET);
                BinaryPrimitives.WriteInt32LittleEndian(head[12..], SCM_CREDENTIALS);
                BinaryPrimitives.WriteInt32LittleEndian(head[16..], first.Sender.Pid);
                BinaryPrimitives.WriteUInt32LittleEndian(head[20..], first.Sender.Uid);
                BinaryPrimitives.WriteUInt32LittleEndian(head[24..], first.Sender.Gid);
                c.Memory.Write(h.Control, head);
                used = 32;
            }
        }
        if (socket.GetFlag(SocketOptionTable.Netlink, NETLINK_PKTINFO) && first != null)
        {
            // struct nl_pktinfo: the group.
            if (h.ControlLength < used + 20)
                return result | MSG_CTRUNC;
            BinaryPrimitives.WriteInt64LittleEndian(head, 20);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], SocketOptionTable.Netlink);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], NETLINK_PKTINFO);
            BinaryPrimitives.WriteInt32LittleEndian(head[16..], first.Group);
            c.Memory.Write(h.Control + used, head[..20]);
            used = Math.Min(h.ControlLength, used + 24);
        }
        if (first?.Files is not { } files)
            return result;
        int room = h.ControlLength < used + 20 ? 0 : (int)((h.ControlLength - used - 16) / 4);
        int given = 0;
        foreach (OpenFile file in files)
        {
            if (given >= room)
                break;
            long fd = c.Files.Add(file.AddReference(), (flags & MSG_CMSG_CLOEXEC) != 0, FileArguments.FileLimit(c));
            if (fd < 0)
            {
                file.Release();
                break;
            }
            c.Memory.Write(h.Control + used + 16 + (ulong)given * 4, (int)fd);
            given++;
        }
        if (given < files.Count)
            result |= MSG_CTRUNC;
        if ((flags & MSG_PEEK) == 0)
        {
            files.ForEach(f => f.Release());
            first.Files = null;
        }
        if (given > 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(head, 16 + given * 4);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], SOL_SOCKET);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], SCM_RIGHTS);
            c.Memory.Write(h.Control + used, head[..16]);
            used = Math.Min(h.ControlLength, used + (ulong)((16 + given * 4 + 7) & ~7));
        }
        return result;
    }
}
