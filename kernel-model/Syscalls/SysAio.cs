using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>io_setup and its relatives (fs/aio.c). A request is carried out when it is submitted; where it would sleep it waits, and is
/// tried again by io_getevents.</summary>
internal static class SysAio
{
    private const int RequestSize = 64, EventSize = 32;
    private const int Read = 0, Write = 1, Sync = 2, DataSync = 3, Poll = 5, Nothing = 6, ReadVector = 7, WriteVector = 8;

    /// <summary>fs.aio-max-nr.</summary>
    private const uint MostEvents = 65536;

    /// <summary>io_setup(events, context).</summary>
    public static long Setup(SyscallContext c)
    {
        uint size = c.UInt(0);
        if (!c.Memory.Read(c.Arg(1), out ulong there))
            return -Errno.EFAULT;
        if (there != 0 || size == 0 || size > 0x10000000 / EventSize)
            return -Errno.EINVAL;
        if (size > MostEvents)
            return -Errno.EAGAIN;
        // The address of the ring is the context's name. libaio looks into it; without the magic number it asks the kernel.
        ulong start = c.Memory.FindFree(4096);
        if (start == 0)
            return -Errno.ENOMEM;
        c.Memory.Add(new Vma { Start = start, End = start + 4096, Name = "/[aio] (deleted)", Prot = Mman.PROT_READ | Mman.PROT_WRITE });
        if (!c.Memory.Write(c.Arg(1), start))
        {
            c.Memory.Unmap(start, start + 4096);
            return -Errno.EFAULT;
        }
        c.Task.Group.AioContexts[start] = new AioContext(size);
        return 0;
    }

    private static AioContext? Find(SyscallContext c) => c.Task.Group.AioContexts.GetValueOrDefault(c.Arg(0));

    /// <summary>io_destroy(context).</summary>
    public static long Destroy(SyscallContext c)
    {
        if (!c.Task.Group.AioContexts.Remove(c.Arg(0), out AioContext? context))
            return -Errno.EINVAL;
        context.Destroy();
        c.Memory.Unmap(c.Arg(0), c.Arg(0) + 4096);
        return 0;
    }

    /// <summary>io_submit(context, count, requests): how many were taken.</summary>
    public static long Submit(SyscallContext c)
    {
        if (c.Long(1) < 0 || Find(c) is not { } context)
            return -Errno.EINVAL;
        FileArguments.CallerOf(c);
        long done = 0;
        for (; done < c.Long(1); done++)
        {
            long error = !c.Memory.Read(c.Arg(2) + 8 * (ulong)done, out ulong address) ? -Errno.EFAULT : SubmitOne(c, context, address);
            if (error < 0)
                return done > 0 ? done : error;
        }
        return done;
    }

    private static long SubmitOne(SyscallContext c, AioContext context, ulong address)
    {
        const uint resultFlag = 1;
        var b = new byte[RequestSize];
        if (!c.Memory.Read(address, b))
            return -Errno.EFAULT;
        int operation = BitConverter.ToUInt16(b, 16);
        ulong length = BitConverter.ToUInt64(b, 32);
        uint flags = BitConverter.ToUInt32(b, 56);
        if (BitConverter.ToUInt64(b, 48) != 0 || (long)length < 0)
            return -Errno.EINVAL;
        if (context.Pending.Count + context.Done.Count >= context.Size)
            return -Errno.EAGAIN;
        if (c.Files[BitConverter.ToInt32(b, 20)] is not { IsPath: false } file)
            return -Errno.EBADF;
        OpenFile? told = null;
        if ((flags & resultFlag) != 0)
        {
            told = c.Files[BitConverter.ToInt32(b, 60)];
            if (told is not EventFile)
                return told == null ? -Errno.EBADF : -Errno.EINVAL;
        }
        // IOCB_KEY: 0.
        if (!c.Memory.Write(address + 8, 0))
            return -Errno.EFAULT;
        long bad = operation switch
        {
            Read or ReadVector => file.CanRead ? 0 : -Errno.EBADF,
            Write or WriteVector => file.CanWrite ? 0 : -Errno.EBADF,
            Sync or DataSync => file.Inode.IsRegular || file.Inode.IsDirectory || file.Inode.Type == Modes.S_IFBLK ? 0 : -Errno.EINVAL,
            Poll => BitConverter.ToUInt64(b, 24) > 0xFFFF || length != 0 || BitConverter.ToInt64(b, 40) != 0 || !file.CanPoll
                ? -Errno.EINVAL : 0,
            _ => -Errno.EINVAL,
        };
        if (bad < 0)
            return bad;
        var request = new AioRequest(file.AddReference(), operation, address, BitConverter.ToUInt64(b), BitConverter.ToUInt64(b, 24),
            length, BitConverter.ToInt64(b, 40), told?.AddReference());
        long result = Carry(c, request);
        bool dontWait = (BitConverter.ToUInt32(b, 12) & SysReadWrite.RWF_NOWAIT) != 0 && operation is not Poll;
        if (result == -Errno.EAGAIN && !file.NonBlocking && !dontWait)
        {
            context.Pending.Add(request);
            return 0;
        }
        if (result is -Errno.EINVAL or -Errno.EFAULT or -Errno.EBADF && operation is not Poll)
        {
            AioContext.Release(request);
            return result;
        }
        context.Complete(request, result);
        return 0;
    }

    /// <summary>Carries a request out: its result, or -EAGAIN where it would sleep.</summary>
    private static long Carry(SyscallContext c, AioRequest request)
    {
        OpenFile file = request.File;
        switch (request.Operation)
        {
            case Sync or DataSync or Nothing:
                return 0;
            case Poll:
                uint ready = file.Poll() & ((uint)request.Buffer | PollBits.Err | PollBits.Hup);
                return ready != 0 ? ready : -Errno.EAGAIN;
        }
        bool vector = request.Operation is ReadVector or WriteVector, read = request.Operation is Read or ReadVector;
        (ulong Address, long Length)[] iov = [(request.Buffer, (long)Math.Min(request.Length, IoVector.MaxCount))];
        if (vector && IoVector.Read(c, request.Buffer, request.Length, out iov) is < 0 and long error)
            return error;
        if (file.Seekable && request.Offset < 0)
            return -Errno.EINVAL;
        long total = IoVector.Total(iov), at = request.Offset, done = 0;
        if (total < 0)
            return total;
        if (!read && (file.Flags & OpenFlags.O_APPEND) != 0 && file.Inode.IsRegular)
            at = file.Inode.Size;
        do
        {
            Span<byte> chunk = c.Chunk.AsSpan(0, (int)Math.Min(total - done, IoVector.ChunkSize));
            int gathered = read ? 0 : IoVector.Gather(c, iov, done, chunk);
            if (!read && gathered < chunk.Length)
                return done > 0 ? done : -Errno.EFAULT;
            long n = read ? file.Read(chunk, at + done) : file.Write(chunk, at + done);
            if (n < 0)
                return done > 0 ? done : n;
            if (read && IoVector.Scatter(c, iov, done, chunk[..(int)n]) < n)
                return done > 0 ? done : -Errno.EFAULT;
            done += n;
            if (n < chunk.Length)
                break;
        }
        while (done < total && file.IsStreamOfBytes);
        return done;
    }

    /// <summary>io_cancel(context, request, event): requests that wait are given up, their event comes by io_getevents.</summary>
    public static long Cancel(SyscallContext c)
    {
        if (!c.Memory.Read(c.Arg(1) + 8, out uint key))
            return -Errno.EFAULT;
        if (key != 0 || Find(c) is not { } context || context.Pending.Find(r => r.Address == c.Arg(1)) is not { } request)
            return -Errno.EINVAL;
        context.Pending.Remove(request);
        context.Complete(request, -Errno.ECANCELED);
        return -Errno.EINPROGRESS;
    }

    private sealed class Fetch
    {
        public long Count;
        public ulong Deadline = ulong.MaxValue;
    }

    /// <summary>io_getevents(context, least, most, events, timeout).</summary>
    public static long GetEvents(SyscallContext c)
    {
        long least = c.Long(1), most = c.Long(2);
        ulong timeout = 0;
        if (c.State == null && c.Arg(4) != 0 && FileArguments.Timespec(c, c.Arg(4), out timeout) is < 0 and long bad)
            return bad;
        if (Find(c) is not { } context || least < 0 || most < 0 || least > most)
            return -Errno.EINVAL;
        Fetch fetch = c.State as Fetch ?? new Fetch { Deadline = c.Arg(4) == 0 ? ulong.MaxValue : c.Timekeeper.NowNs + timeout };
        c.State = fetch;
        FileArguments.CallerOf(c);
        foreach (AioRequest request in context.Pending.ToArray())
        {
            if (Carry(c, request) is var result && result != -Errno.EAGAIN)
            {
                context.Pending.Remove(request);
                context.Complete(request, result);
            }
        }
        Span<byte> b = stackalloc byte[EventSize];
        b.Clear();
        while (fetch.Count < most && context.Done.TryPeek(out (ulong Data, ulong Request, long Result) next))
        {
            BitConverter.TryWriteBytes(b, next.Data);
            BitConverter.TryWriteBytes(b[8..], next.Request);
            BitConverter.TryWriteBytes(b[16..], next.Result);
            if (!c.Memory.Write(c.Arg(3) + EventSize * (ulong)fetch.Count, b))
                return fetch.Count > 0 ? fetch.Count : -Errno.EFAULT;
            context.Done.Dequeue();
            fetch.Count++;
        }
        if (fetch.Count >= least || c.TimedOut || c.Timekeeper.NowNs >= fetch.Deadline)
            return fetch.Count;
        var queues = new List<WaitQueue>();
        foreach (AioRequest request in context.Pending)
            request.File.CollectQueues(queues);
        long slept = c.Wait(queues.ToArray(), fetch.Deadline, Errno.EINTR);
        return slept != SyscallContext.Blocked && fetch.Count > 0 ? fetch.Count : slept;
    }
}
