using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>ppoll, pselect6 and epoll (fs/select.c, fs/eventpoll.c).</summary>
internal static class SysPoll
{
    /// <summary>Absolute deadline and the signal mask to put back.</summary>
    private sealed class Sleep
    {
        public ulong Deadline = ulong.MaxValue;
        public bool HasTimeout;
        public bool MaskSet;
    }

    /// <summary>First attempt: reads the timeout and sets the temporary signal mask.</summary>
    private static long Begin(SyscallContext c, ulong timeout, bool timespec, ulong mask, ulong maskSize, out Sleep sleep)
    {
        if (c.State is Sleep known)
        {
            sleep = known;
            return 0;
        }
        sleep = new Sleep();
        if (timespec && timeout != 0)
        {
            long error = FileArguments.Timespec(c, timeout, out ulong ns);
            if (error < 0)
                return error;
            sleep.HasTimeout = true;
            sleep.Deadline = ns == 0 ? 0 : c.Timekeeper.NowNs + ns;
        }
        if (mask != 0)
        {
            if (maskSize != 8)
                return -Errno.EINVAL;
            if (!c.Memory.Read(mask, out ulong set))
                return -Errno.EFAULT;
            c.Task.Signals.SavedMask = c.Task.Signals.Blocked;
            c.Task.Signals.Blocked = set & ~(1UL << 8 | 1UL << 18);
            c.Signals.Recalculate(c.Task);
            sleep.MaskSet = true;
        }
        c.State = sleep;
        return 0;
    }

    /// <summary>The call ends: without a signal the mask is put back here; with one, after its delivery.</summary>
    private static long End(SyscallContext c, Sleep sleep, long result)
    {
        if (sleep.MaskSet && result != SyscallContext.Blocked && result != -Errno.ERESTARTNOHAND && result != -Errno.EINTR
            && c.Task.Signals.SavedMask is { } saved)
        {
            c.Task.Signals.Blocked = saved;
            c.Task.Signals.SavedMask = null;
            c.Signals.Recalculate(c.Task);
        }
        return result;
    }

    private static bool Expired(SyscallContext c, Sleep sleep) =>
        c.TimedOut || (sleep.HasTimeout && sleep.Deadline <= c.Timekeeper.NowNs);

    public static long Ppoll(SyscallContext c)
    {
        int count = c.Int(1);
        if (count < 0 || (ulong)count > FileArguments.FileLimit(c))
            return -Errno.EINVAL;
        byte[] fds = new byte[count * 8];
        if (count > 0 && !c.Memory.Read(c.Arg(0), fds))
            return -Errno.EFAULT;
        FileArguments.CallerOf(c);
        long error = Begin(c, c.Arg(2), true, c.Arg(3), c.Arg(4), out Sleep sleep);
        if (error < 0)
            return error;
        var queues = new List<WaitQueue>();
        long ready = 0;
        for (int n = 0; n < count; n++)
        {
            Span<byte> entry = fds.AsSpan(n * 8, 8);
            int fd = BinaryPrimitives.ReadInt32LittleEndian(entry);
            uint wanted = BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]);
            uint found = 0;
            if (fd >= 0)
            {
                OpenFile? file = c.Files[fd];
                found = file == null || file.IsPath ? PollBits.Nval : file.Poll() & (wanted | PollBits.Err | PollBits.Hup);
                file?.CollectQueues(queues);
            }
            BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], (ushort)found);
            if (found != 0)
                ready++;
        }
        if (ready == 0 && !Expired(c, sleep))
        {
            long result = c.Wait(queues.ToArray(), sleep.Deadline, Errno.ERESTARTNOHAND);
            return result == SyscallContext.Blocked ? result : Finish(c, sleep, c.Arg(2), result);
        }
        for (int n = 0; n < count; n++)
        {
            if (!c.Memory.Write(c.Arg(0) + (ulong)n * 8 + 6, fds.AsSpan(n * 8 + 6, 2)))
                return End(c, sleep, -Errno.EFAULT);
        }
        return Finish(c, sleep, c.Arg(2), ready);
    }

    /// <summary>The call ends: the caller finds in its timeout what is left of it, also when the call goes on after a signal
    /// (poll_select_finish).</summary>
    private static long Finish(SyscallContext c, Sleep sleep, ulong timeout, long result)
    {
        const uint stickyTimeouts = 0x4000000;
        if (sleep.HasTimeout && sleep.Deadline != 0 && (c.Task.Personality & stickyTimeouts) == 0)
        {
            ulong now = c.Timekeeper.NowNs;
            bool written = FileArguments.WriteTimespec(c, timeout, sleep.Deadline > now ? sleep.Deadline - now : 0);
            // Without the update it would wait for too long.
            if (!written && result == -Errno.ERESTARTNOHAND)
                result = -Errno.EINTR;
        }
        return End(c, sleep, result);
    }

    public static long Pselect6(SyscallContext c)
    {
        int count = c.Int(0);
        if (count < 0)
            return -Errno.EINVAL;
        count = Math.Min(count, 65536);
        ulong mask = 0, maskSize = 8;
        if (c.Arg(5) != 0 && (!c.Memory.Read(c.Arg(5), out mask) || !c.Memory.Read(c.Arg(5) + 8, out maskSize)))
            return -Errno.EFAULT;
        long error = Begin(c, c.Arg(4), true, mask, maskSize, out Sleep sleep);
        if (error < 0)
            return error;
        FileArguments.CallerOf(c);
        int bytes = (count + 63) / 64 * 8;
        byte[][] sets = new byte[3][];
        byte[][] results = new byte[3][];
        for (int s = 0; s < 3; s++)
        {
            sets[s] = new byte[bytes];
            results[s] = new byte[bytes];
            if (c.Arg(1 + s) != 0 && bytes > 0 && !c.Memory.Read(c.Arg(1 + s), sets[s]))
                return End(c, sleep, -Errno.EFAULT);
        }
        uint[] meaning =
        [
            PollBits.In | PollBits.RdNorm | PollBits.RdBand | PollBits.Hup | PollBits.Err,
            PollBits.Out | PollBits.WrNorm | PollBits.WrBand | PollBits.Err, PollBits.Pri
        ];
        var queues = new List<WaitQueue>();
        long ready = 0;
        for (int fd = 0; fd < count; fd++)
        {
            int at = fd / 8;
            byte bit = (byte)(1 << (fd % 8));
            if (((sets[0][at] | sets[1][at] | sets[2][at]) & bit) == 0)
                continue;
            if (c.Files[fd] is not { IsPath: false } file)
                return End(c, sleep, -Errno.EBADF);
            uint events = file.Poll();
            file.CollectQueues(queues);
            for (int s = 0; s < 3; s++)
            {
                if ((sets[s][at] & bit) != 0 && (events & meaning[s]) != 0)
                {
                    results[s][at] |= bit;
                    ready++;
                }
            }
        }
        if (ready == 0 && !Expired(c, sleep))
        {
            long result = c.Wait(queues.ToArray(), sleep.Deadline, Errno.ERESTARTNOHAND);
            return result == SyscallContext.Blocked ? result : Finish(c, sleep, c.Arg(4), result);
        }
        for (int s = 0; s < 3; s++)
        {
            if (c.Arg(1 + s) != 0 && bytes > 0 && !c.Memory.Write(c.Arg(1 + s), results[s]))
                return End(c, sleep, -Errno.EFAULT);
        }
        return Finish(c, sleep, c.Arg(4), ready);
    }

    public static long EpollCreate1(SyscallContext c) => (c.Int(0) & ~OpenFlags.O_CLOEXEC) != 0 ? -Errno.EINVAL
        : FileArguments.Install(c, new EpollFile(c.Vfs, 0), c.Int(0));

    public static long EpollCtl(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file || FileArguments.File(c, 2) is not { } target)
            return -Errno.EBADF;
        uint events = 0;
        ulong data = 0;
        // struct epoll_event is not packed on arm64: events at 0, data at 8.
        if (c.Int(1) != 2 && (!c.Memory.Read(c.Arg(3), out events) || !c.Memory.Read(c.Arg(3) + 8, out data)))
            return -Errno.EFAULT;
        return file is not EpollFile epoll || target == file ? -Errno.EINVAL : epoll.Control(c.Int(1), c.Int(2), target, events, data);
    }

    public static long EpollPwait(SyscallContext c)
    {
        int milliseconds = c.Int(3);
        bool first = c.State == null;
        long error = Begin(c, 0, false, c.Arg(4), c.Arg(5), out Sleep sleep);
        if (error < 0)
            return error;
        if (first && milliseconds >= 0)
        {
            sleep.HasTimeout = true;
            sleep.Deadline = milliseconds == 0 ? 0 : c.Timekeeper.NowNs + (ulong)milliseconds * 1_000_000;
        }
        return EpollWait(c, sleep);
    }

    public static long EpollPwait2(SyscallContext c)
    {
        long error = Begin(c, c.Arg(3), true, c.Arg(4), c.Arg(5), out Sleep sleep);
        return error < 0 ? error : EpollWait(c, sleep);
    }

    private static long EpollWait(SyscallContext c, Sleep sleep)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return End(c, sleep, -Errno.EBADF);
        int max = c.Int(2);
        if (file is not EpollFile epoll || max <= 0 || max > int.MaxValue / 16)
            return End(c, sleep, -Errno.EINVAL);
        FileArguments.CallerOf(c);
        List<(uint Events, ulong Data)> found = epoll.Take(max);
        if (found.Count == 0)
            return End(c, sleep, Expired(c, sleep) ? 0 : FileArguments.WaitFor(c, epoll, sleep.Deadline, Errno.EINTR));
        Span<byte> record = stackalloc byte[16];
        for (int n = 0; n < found.Count; n++)
        {
            record.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(record, found[n].Events);
            BinaryPrimitives.WriteUInt64LittleEndian(record[8..], found[n].Data);
            if (!c.Memory.Write(c.Arg(1) + (ulong)n * 16, record))
                return End(c, sleep, -Errno.EFAULT);
        }
        return End(c, sleep, found.Count);
    }
}
