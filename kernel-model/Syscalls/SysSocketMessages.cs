using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What sockets send and receive: bytes, addresses, descriptors, identities (net/socket.c, net/core/scm.c).</summary>
internal static class SysSocketMessages
{
    private const int MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100,
        MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
        MSG_CMSG_CLOEXEC = 0x40000000;

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
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, byte[] address, List<OpenFile>? files, int flags,
        SendOptions options = default)
    {
        if ((flags & MSG_OOB) != 0 && socket.Kind != SocketTable.SOCK_STREAM)
            return -Errno.EOPNOTSUPP;
        long total = iov.Sum(v => v.Length);
        if ((flags & MSG_OOB) != 0 && total == 0 && socket.Domain == SocketTable.AF_UNIX)
            return -Errno.EOPNOTSUPP;
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
            bool last = progress.Done + wanted == total;
            long n = socket.Send(data, address, FileArguments.CallerOf(c), files,
                options with { More = (flags & MSG_MORE) != 0, Urgent = (flags & MSG_OOB) != 0 && last });
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
        SendOptions options = default;
        // Descriptors were taken already when the send has slept after a part went out.
        if (h.Control != 0 && h.ControlLength > 0 && c.State is not SendProgress { Done: > 0 })
        {
            error = SocketControl.Read(c, socket, h.Control, h.ControlLength, out files, out options);
            if (error < 0)
                return error;
        }
        long result = SendTo(c, socket, iov, address, files, flags, options);
        // Not delivered: the references taken here go back; a send that slept takes them again.
        if (result < 0 && c.State is not SendProgress { Done: > 0 })
            files?.ForEach(f => f.Release());
        return result;
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
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, int flags, out SocketMessage? first, out int full,
        out ReturnedDatagram? returned)
    {
        (first, full, returned) = (null, 0, null);
        if ((flags & MSG_OOB) != 0 && (socket.Kind == SocketTable.SOCK_STREAM || socket.Domain == SocketTable.AF_UNIX))
            return ReceiveUrgent(c, socket, iov, flags);
        if ((flags & MSG_ERRQUEUE) != 0 && socket.Domain is SocketTable.AF_INET or SocketTable.AF_INET6)
            return ReceiveReturned(c, socket, iov, out returned);
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

    private static long ReceiveUrgent(SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, int flags)
    {
        if (socket.Kind != SocketTable.SOCK_STREAM)
            return -Errno.EOPNOTSUPP;
        byte[] one = new byte[Math.Min(iov.Sum(v => v.Length), 1)];
        long n = socket.ReceiveUrgent(one, (flags & MSG_PEEK) != 0);
        return n > 0 && IoVector.Scatter(c, iov, 0, one) < 1 ? -Errno.EFAULT : n;
    }

    /// <summary>MSG_ERRQUEUE: the bytes of a datagram that came back.</summary>
    private static long ReceiveReturned(
        SyscallContext c, SocketFile socket, (ulong Address, long Length)[] iov, out ReturnedDatagram? returned)
    {
        returned = socket.TakeReturned();
        if (returned is null)
            return -Errno.EAGAIN;
        int n = (int)Math.Min(iov.Sum(v => v.Length), returned.Data.Length);
        return IoVector.Scatter(c, iov, 0, returned.Data.AsSpan(0, n)) < n ? -Errno.EFAULT : n;
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
            c, socket!, [(c.Arg(1), (long)Math.Min(c.Arg(2), MostOfMessage))], c.Int(3), out SocketMessage? first, out int full,
            out ReturnedDatagram? returned);
        if (n < 0)
            return n;
        if (first?.Files is { } files && (c.Int(3) & MSG_PEEK) == 0)
        {
            files.ForEach(f => f.Release());
            first.Files = null;
        }
        byte[]? from = socket!.Kind == SocketTable.SOCK_STREAM ? null : returned?.To ?? first?.From;
        if (c.Arg(4) != 0 && SysSockets.GiveAddress(c, c.Arg(4), c.Arg(5), from) is < 0 and long bad)
            return bad;
        return (c.Int(3) & MSG_TRUNC) != 0 && socket.Kind != SocketTable.SOCK_STREAM && returned is null ? full : n;
    }

    public static long Recvmsg(SyscallContext c) =>
        SysSockets.Find(c, 0, out SocketFile? s) is < 0 and long e ? e : ReceiveMessage(c, s!, c.Arg(1), c.Int(2));

    private static long ReceiveMessage(SyscallContext c, SocketFile socket, ulong message, int flags)
    {
        if (ReadHeader(c, message, out Header h, out var iov) is < 0 and long error)
            return error;
        long n = ReceiveFrom(c, socket, iov, flags, out SocketMessage? first, out int full, out ReturnedDatagram? returned);
        if (n < 0)
            return n;
        int outFlags = (flags & MSG_OOB) != 0 && n > 0 ? MSG_OOB : 0;
        if (returned is not null)
            (outFlags, full) = (MSG_ERRQUEUE, returned.Data.Length);
        if (socket.Kind != SocketTable.SOCK_STREAM && full > n)
            outFlags |= MSG_TRUNC;
        if (h.Name != 0)
        {
            byte[] from = socket.Kind == SocketTable.SOCK_STREAM ? [] : returned?.To ?? first?.From ?? [];
            int length = Math.Min(Math.Max(h.NameLength, 0), from.Length);
            if (length > 0 && !c.Memory.Write(h.Name, from.AsSpan(0, length)))
                return -Errno.EFAULT;
            c.Memory.Write(message + 8, from.Length);
        }
        var control = new ControlWriter(c, h.Control, h.ControlLength);
        if (returned is not null)
            SocketControl.WriteError(control, socket, returned);
        else if (first is not null)
            SocketControl.Write(c, control, socket, first, flags);
        c.Memory.Write(message + 40, control.Used);
        c.Memory.Write(message + 48, outFlags | (control.IsCut ? MSG_CTRUNC : 0) | (flags & MSG_CMSG_CLOEXEC));
        return (flags & MSG_TRUNC) != 0 && socket.Kind != SocketTable.SOCK_STREAM && returned is null ? full : n;
    }
}
