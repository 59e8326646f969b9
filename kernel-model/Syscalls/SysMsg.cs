using System.Buffers.Binary;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using static ArmVdso.Kernel.Syscalls.IpcControl;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>System V message queues (ipc/msg.c).</summary>
internal static class SysMsg
{
    private const int MaxMessage = 8192;
    private const int MsgStat = 11, MsgInfo = 12, MsgStatAny = 13;
    private const int NoWait = 0x800, NoError = 0x1000, Except = 0x2000, Copy = 0x4000;

    /// <summary>msgget(key, flags).</summary>
    public static long Get(SyscallContext c) => c.Ipc.Queues.Get(
        c.Task.Credentials, c.Timekeeper.RealtimeNs, c.Int(0), c.Int(1), _ => 0,
        now => !c.Pages.TryCharge(MessageQueue.QueueCost) ? null
            : new MessageQueue { CreatorUid = c.Task.Credentials.Euid, CreatorGid = c.Task.Credentials.Egid, ChangeTime = now },
        refusal: Errno.ENOMEM);

    private static long Queue(SyscallContext c, uint want, out MessageQueue queue)
    {
        queue = c.State as MessageQueue ?? c.Ipc.Queues.Find(c.Int(0))!;
        if (queue is null)
            return -Errno.EINVAL;
        if (queue.Removed)
            return -Errno.EIDRM;
        return queue.Allows(c.Task.Credentials, want) ? 0 : -Errno.EACCES;
    }

    /// <summary>msgsnd(id, msg, size, flags).</summary>
    public static long Send(SyscallContext c)
    {
        long result = Queue(c, 2, out MessageQueue queue);
        if (c.Long(2) is < 0 or > MaxMessage || c.Int(0) < 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(1), out long type))
            return -Errno.EFAULT;
        if (type < 1)
            return -Errno.EINVAL;
        var data = new byte[c.Int(2)];
        if (!c.Memory.Read(c.Arg(1) + 8, data))
            return -Errno.EFAULT;
        if (result < 0)
            return result;
        if (queue.Bytes + (ulong)data.Length > queue.Limit || (ulong)queue.Messages.Count + 1 > queue.Limit)
        {
            if ((c.Int(3) & NoWait) != 0)
                return -Errno.EAGAIN;
            c.State = queue;
            return c.Wait(queue.Queue, ulong.MaxValue, Errno.ERESTARTNOHAND);
        }
        if (!c.Pages.TryCharge(data.Length + MessageQueue.MessageCost))
            return -Errno.ENOMEM;
        queue.Messages.Add(new Message(type, data));
        queue.Bytes += (ulong)data.Length;
        queue.LastSender = c.Task.Group.Pid;
        queue.SendTime = Now(c);
        queue.Queue.WakeAll();
        return 0;
    }

    /// <summary>msgrcv(id, msg, size, type, flags).</summary>
    public static long Receive(SyscallContext c)
    {
        int flags = c.Int(4);
        long type = c.Long(3);
        if (c.Long(2) < 0 || c.Int(0) < 0)
            return -Errno.EINVAL;
        if ((flags & Copy) != 0)
            return (flags & Except) != 0 || (flags & NoWait) == 0 ? -Errno.EINVAL : CopyOf(c, type);
        long result = Queue(c, 4, out MessageQueue queue);
        if (result < 0)
            return result;
        int index = type switch
        {
            0 => queue.Messages.Count > 0 ? 0 : -1,
            > 0 => queue.Messages.FindIndex(m => (m.Type == type) != ((flags & Except) != 0)),
            _ => Lowest(queue, type == long.MinValue ? long.MaxValue : -type),
        };
        if (index < 0)
        {
            if ((flags & NoWait) != 0)
                return -Errno.ENOMSG;
            c.State = queue;
            return c.Wait(queue.Queue, ulong.MaxValue, Errno.ERESTARTNOHAND);
        }
        Message message = queue.Messages[index];
        if ((ulong)message.Data.Length > c.Arg(2) && (flags & NoError) == 0)
            return -Errno.E2BIG;
        queue.Messages.RemoveAt(index);
        c.Pages.Charge(-message.Data.Length - MessageQueue.MessageCost);
        queue.Bytes -= (ulong)message.Data.Length;
        queue.LastReceiver = c.Task.Group.Pid;
        queue.ReceiveTime = Now(c);
        queue.Queue.WakeAll();
        int n = (int)Math.Min((ulong)message.Data.Length, c.Arg(2));
        return c.Memory.Write(c.Arg(1), message.Type) && c.Memory.Write(c.Arg(1) + 8, message.Data.AsSpan(0, n)) ? n : -Errno.EFAULT;
    }

    /// <summary>MSG_COPY: the message at a place of the queue, which stays in it (CONFIG_CHECKPOINT_RESTORE).</summary>
    private static long CopyOf(SyscallContext c, long position)
    {
        if (Queue(c, 4, out MessageQueue queue) is < 0 and long error)
            return error;
        if (position < 0 || position >= queue.Messages.Count)
            return -Errno.ENOMSG;
        Message message = queue.Messages[(int)position];
        if ((ulong)message.Data.Length > c.Arg(2) && (c.Int(4) & NoError) == 0)
            return -Errno.E2BIG;
        int n = (int)Math.Min((ulong)message.Data.Length, c.Arg(2));
        return c.Memory.Write(c.Arg(1), message.Type) && c.Memory.Write(c.Arg(1) + 8, message.Data.AsSpan(0, n)) ? n : -Errno.EFAULT;
    }

    private static int Lowest(MessageQueue queue, long limit)
    {
        int best = -1;
        for (int i = 0; i < queue.Messages.Count; i++)
        {
            if (queue.Messages[i].Type <= limit && (best < 0 || queue.Messages[i].Type < queue.Messages[best].Type))
                best = i;
        }
        return best;
    }

    /// <summary>msgctl(id, cmd, buf).</summary>
    public static long Control(SyscallContext c)
    {
        int command = c.Int(1) & ~0x100;
        ulong buffer = c.Arg(2);
        IpcTable<MessageQueue> table = c.Ipc.Queues;
        if (command is IpcInfo or MsgInfo)
        {
            Span<int> info = [0, 0, MaxMessage, 16384, 32000, 16, 0, 0];
            if (command == MsgInfo)
            {
                info[0] = table.Count;
                info[1] = table.All.Sum(q => q.Messages.Count);
                info[6] = (int)table.All.Sum(q => (long)q.Bytes);
            }
            return c.Memory.Write(buffer, System.Runtime.InteropServices.MemoryMarshal.AsBytes(info)) ? table.HighestIndex : -Errno.EFAULT;
        }
        MessageQueue? queue = command is MsgStat or MsgStatAny ? table.At(c.Int(0)) : table.Find(c.Int(0));
        if (queue is null || command is not (IpcRmid or IpcSet or IpcStat or MsgStat or MsgStatAny))
            return -Errno.EINVAL;
        switch (command)
        {
            case IpcRmid:
                if (!queue.Owns(c.Task.Credentials))
                    return -Errno.EPERM;
                table.Remove(queue);
                c.Pages.Charge(-queue.Cost);
                return 0;
            case IpcSet:
                if (!queue.Owns(c.Task.Credentials))
                    return -Errno.EPERM;
                if (!c.Memory.Read(buffer + 88, out ulong limit) || !queue.SetFrom(c.Memory, buffer, Now(c)))
                    return -Errno.EFAULT;
                if (limit > queue.Limit && !c.Task.Credentials.Has(Capability.SysResource))
                    return -Errno.EPERM;
                queue.Limit = limit;
                queue.Queue.WakeAll();
                return 0;
            default:
                Span<byte> b = stackalloc byte[120];
                b.Clear();
                BinaryPrimitives.WriteInt64LittleEndian(b[48..], queue.SendTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[56..], queue.ReceiveTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[64..], queue.ChangeTime);
                BinaryPrimitives.WriteUInt64LittleEndian(b[72..], queue.Bytes);
                BinaryPrimitives.WriteInt64LittleEndian(b[80..], queue.Messages.Count);
                BinaryPrimitives.WriteUInt64LittleEndian(b[88..], queue.Limit);
                BinaryPrimitives.WriteInt32LittleEndian(b[96..], queue.LastSender);
                BinaryPrimitives.WriteInt32LittleEndian(b[100..], queue.LastReceiver);
                return Stat(c, queue, buffer, b, command, command == MsgStatAny);
        }
    }
}
