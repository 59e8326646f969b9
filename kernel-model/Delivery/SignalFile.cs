using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>signalfd: reads the pending signals of the task that reads (fs/signalfd.c).</summary>
internal sealed class SignalFile(Vfs vfs, SignalDelivery signals, ulong mask, int flags)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
{
    private const int RecordSize = 128;

    /// <summary>Signals of interest.</summary>
    public ulong Mask { get; set; } = mask;

    /// <summary>All signalfds wake when a signal is sent to anybody; each then looks at its own reader.</summary>
    public override PollSource Source => signals.Arrivals;

    public override string Description => "anon_inode:[signalfd]";

    public override string FdInfo => $"sigmask:\t{Mask:x16}\n";

    public override long Read(Span<byte> buffer, long position)
    {
        if (buffer.Length < RecordSize)
            return -Errno.EINVAL;
        if (vfs.Current is not KernelTask task)
            return -Errno.EAGAIN;
        int done = 0;
        while (done + RecordSize <= buffer.Length)
        {
            SignalInfo? info = task.Signals.Pending.Take(Mask) ?? task.Group.SharedPending.Take(Mask);
            if (info == null)
                break;
            // struct signalfd_siginfo of include/uapi/linux/signalfd.h.
            Span<byte> record = buffer.Slice(done, RecordSize);
            record.Clear();
            BinaryPrimitives.WriteInt32LittleEndian(record, info.Number);
            BinaryPrimitives.WriteInt32LittleEndian(record[4..], info.Errno);
            BinaryPrimitives.WriteInt32LittleEndian(record[8..], info.Code);
            BinaryPrimitives.WriteInt32LittleEndian(record[(info.TimerId is null ? 12 : 24)..], info.Pid);
            BinaryPrimitives.WriteUInt32LittleEndian(record[(info.TimerId is null ? 16 : 32)..], info.Uid);
            BinaryPrimitives.WriteInt32LittleEndian(record[20..], info.Poll?.Descriptor ?? 0);
            BinaryPrimitives.WriteInt32LittleEndian(record[28..], (int)(info.Poll?.Band ?? 0));
            BinaryPrimitives.WriteInt32LittleEndian(record[40..], info.Status);
            BinaryPrimitives.WriteInt32LittleEndian(record[44..], (int)info.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(record[48..], info.Value);
            BinaryPrimitives.WriteInt64LittleEndian(record[56..], info.UserTime);
            BinaryPrimitives.WriteInt64LittleEndian(record[64..], info.SystemTime);
            BinaryPrimitives.WriteUInt64LittleEndian(record[72..], info.Address);
            done += RecordSize;
        }
        if (done == 0)
            return -Errno.EAGAIN;
        signals.Recalculate(task);
        return done;
    }

    public override uint Poll() =>
        vfs.Current is KernelTask task && ((task.Signals.Pending.Set | task.Group.SharedPending.Set) & Mask) != 0 ? PollBits.In : 0;
}
