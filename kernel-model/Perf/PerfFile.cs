using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Perf;

/// <summary>The descriptor of perf_event_open: read gives counts, ioctl controls them. There is no ring buffer to map.</summary>
public sealed class PerfFile(Vfs vfs, PerfEvent perfEvent) : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR)
{
    private const uint IocEnable = 0x2400, IocDisable = 0x2401, IocReset = 0x2403, IocId = 0x80082407;
    private const ulong FlagGroup = 1;

    /// <inheritdoc/>
    protected override int HostBytes => 1024;

    /// <summary>The event.</summary>
    public PerfEvent Event => perfEvent;

    /// <inheritdoc/>
    public override string Description => "anon_inode:[perf_event]";

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        ulong format = perfEvent.Attributes.ReadFormat;
        var words = new List<ulong>();
        (ulong count, ulong time) = perfEvent.Read();
        bool group = (format & PerfEventAttributes.Group) != 0;
        IReadOnlyList<PerfEvent> members = group ? perfEvent.Leader.Group : [perfEvent];
        words.Add(group ? (ulong)members.Count : count);
        if ((format & PerfEventAttributes.TotalTimeEnabled) != 0)
            words.Add(time);
        if ((format & PerfEventAttributes.TotalTimeRunning) != 0)
            words.Add(time);
        foreach (PerfEvent member in members)
        {
            if (group)
                words.Add(member.Read().Count);
            if ((format & PerfEventAttributes.Id) != 0)
                words.Add(member.Id);
            if ((format & PerfEventAttributes.Lost) != 0)
                words.Add(0);
        }
        if (buffer.Length < words.Count * 8)
            return -Errno.ENOSPC;
        for (int i = 0; i < words.Count; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[(i * 8)..], words[i]);
        return words.Count * 8;
    }

    /// <inheritdoc/>
    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        if (command == IocId)
            return user.Memory.Write(argument, perfEvent.Id) ? 0 : -Errno.EFAULT;
        IReadOnlyList<PerfEvent> events = (argument & FlagGroup) != 0 ? perfEvent.Leader.Group : [perfEvent];
        foreach (PerfEvent e in events)
        {
            switch (command)
            {
                case IocEnable:
                    e.Enable(true);
                    break;
                case IocDisable:
                    e.Enable(false);
                    break;
                case IocReset:
                    e.Reset();
                    break;
                default:
                    return -Errno.EINVAL;
            }
        }
        return 0;
    }

    /// <inheritdoc/>
    public override uint Poll() => PollBits.Hup;

    /// <inheritdoc/>
    protected override void Released() => perfEvent.Close();
}
