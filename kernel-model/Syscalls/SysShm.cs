using System.Buffers.Binary;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using static ArmVdso.Kernel.Syscalls.IpcControl;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>System V shared memory (ipc/shm.c).</summary>
internal static class SysShm
{
    private const int ShmLock = 11, ShmUnlock = 12, ShmStat = 13, ShmInfo = 14, ShmStatAny = 15;
    private const int ShmRdonly = 0x1000, ShmRnd = 0x2000, ShmRemap = 0x4000, ShmExec = 0x8000, ShmNoReserve = 0x1000;
    private const ulong Page = 4096, MaxSegment = 1UL << 40;

    /// <summary>Attaches of a segment: the mappings that begin it, over all memories.</summary>
    private static long Attaches(SyscallContext c, SharedSegment segment)
    {
        long count = 0;
        foreach (MemoryMap mm in c.Tasks.Memories)
        {
            count += mm.Vmas.Where(v => ReferenceEquals(v.SharedAnonymous, segment.Pages)).Select(v => v.Start - v.Offset)
                .Distinct().Count();
        }
        return count;
    }

    /// <summary>Segments that were marked for removal and have lost their last attach go.</summary>
    private static void Collect(SyscallContext c)
    {
        foreach (SharedSegment segment in c.Ipc.Segments.All.Where(s => (s.Mode & SharedSegment.Destroyed) != 0).ToList())
        {
            if (Attaches(c, segment) != 0)
                continue;
            c.Ipc.Segments.Remove(segment);
            segment.Pages.Release();
        }
    }

    /// <summary>shmget(key, size, flags).</summary>
    public static long Get(SyscallContext c)
    {
        Collect(c);
        ulong size = c.Arg(1);
        // SHM_HUGETLB: there is no huge page of any size (hstate_sizelog).
        if ((c.Int(2) & 0x800) != 0)
            return -Errno.EINVAL;
        ulong pages = (size + Page - 1) / Page;
        // Nobody goes without a promise where none is broken.
        bool promised = (c.Int(2) & ShmNoReserve) == 0 || c.Pages.Commitment.Policy == Commitment.Never;
        bool refused = promised && size is > 0 and <= MaxSegment && size <= c.Ipc.LargestSegment
            && !c.Pages.Commitment.May(c.Memory, (long)pages);
        // newseg: the size of one, then of all.
        bool tooMany = size > 0 && size <= c.Ipc.LargestSegment && c.Ipc.SharedPages + pages > c.Ipc.MostSharedPages;
        return c.Ipc.Segments.Get(
            c.Task.Credentials, c.Timekeeper.RealtimeNs, c.Int(0), c.Int(2), s => size > s.Size ? -Errno.EINVAL : 0,
            now => refused || size is 0 or > MaxSegment || size > c.Ipc.LargestSegment ? null : new SharedSegment
            {
                Size = size,
                Pages = new SharedPages(c.Pages) { Promised = promised ? (long)pages : 0 },
                CreatorPid = c.Task.Group.Pid,
                ChangeTime = now,
                CreatorUid = c.Task.Credentials.Euid,
                CreatorGid = c.Task.Credentials.Egid,
            }, tooMany, refused ? Errno.ENOMEM : Errno.EINVAL);
    }

    /// <summary>shmat(id, addr, flags).</summary>
    public static long Attach(SyscallContext c)
    {
        Collect(c);
        ulong address = c.Arg(1);
        int flags = c.Int(2);
        if (address != 0 && (address & (Page - 1)) != 0)
        {
            if ((flags & ShmRnd) == 0)
                return -Errno.EINVAL;
            address &= ~(Page - 1);
        }
        if (address == 0 && (flags & ShmRemap) != 0)
            return -Errno.EINVAL;
        if (c.Int(0) < 0 || c.Ipc.Segments.Find(c.Int(0)) is not { } segment)
            return -Errno.EINVAL;
        bool write = (flags & ShmRdonly) == 0;
        if (!segment.Allows(c.Task.Credentials, write ? 6u : 4u))
            return -Errno.EACCES;
        ulong size = (segment.Size + Page - 1) & ~(Page - 1);
        MemoryMap mm = c.Memory;
        ulong start = address != 0 ? address : mm.FindFree(size);
        if (start == 0)
            return -Errno.ENOMEM;
        if (start < 0x10000 || start + size > mm.TaskSize || start + size < start)
            return -Errno.EINVAL;
        if ((flags & ShmRemap) != 0)
        {
            if (mm.Unmap(start, start + size) != 0)
                return -Errno.ENOMEM;
        }
        else if (mm.Vmas.Any(v => v.Start < start + size && v.End > start))
        {
            return -Errno.EINVAL;
        }
        mm.Add(new Vma
        {
            Start = start,
            End = start + size,
            Shared = true,
            SharedAnonymous = segment.Pages,
            Name = $"/SYSV{segment.Key:x8} (deleted)",
            Prot = Mman.PROT_READ | (write ? Mman.PROT_WRITE : 0) | ((flags & ShmExec) != 0 ? Mman.PROT_EXEC : 0),
        });
        segment.AttachTime = Now(c);
        segment.LastPid = c.Task.Group.Pid;
        return (long)start;
    }

    /// <summary>shmdt(addr).</summary>
    public static long Detach(SyscallContext c)
    {
        ulong address = c.Arg(0);
        if ((address & (Page - 1)) != 0 || c.Memory.Find(address) is not { SharedAnonymous: { } pages } first
            || first.Start - first.Offset != address)
            return -Errno.EINVAL;
        if (c.Ipc.Segments.All.FirstOrDefault(s => ReferenceEquals(s.Pages, pages)) is not { } segment)
            return -Errno.EINVAL;
        foreach (Vma vma in c.Memory.Vmas.Where(v => ReferenceEquals(v.SharedAnonymous, pages) && v.Start - v.Offset == address).ToList())
            c.Memory.Unmap(vma.Start, vma.End);
        segment.DetachTime = Now(c);
        segment.LastPid = c.Task.Group.Pid;
        Collect(c);
        return 0;
    }

    /// <summary>shmctl(id, cmd, buf).</summary>
    public static long Control(SyscallContext c)
    {
        Collect(c);
        int command = c.Int(1) & ~0x100;
        ulong buffer = c.Arg(2);
        IpcTable<SharedSegment> table = c.Ipc.Segments;
        if (command is IpcInfo or ShmInfo)
        {
            Span<byte> info = stackalloc byte[72];
            info.Clear();
            if (command == IpcInfo)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(info, c.Ipc.LargestSegment);
                BinaryPrimitives.WriteUInt64LittleEndian(info[8..], 1);
                BinaryPrimitives.WriteUInt64LittleEndian(info[16..], (ulong)table.Most);
                BinaryPrimitives.WriteUInt64LittleEndian(info[24..], (ulong)table.Most);
                BinaryPrimitives.WriteUInt64LittleEndian(info[32..], c.Ipc.MostSharedPages);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(info, table.Count);
                BinaryPrimitives.WriteUInt64LittleEndian(info[8..], c.Ipc.SharedPages);
            }
            return c.Memory.Write(buffer, command == IpcInfo ? info : info[..48]) ? table.HighestIndex : -Errno.EFAULT;
        }
        SharedSegment? segment = command is ShmStat or ShmStatAny ? table.At(c.Int(0)) : table.Find(c.Int(0));
        if (segment is null || command is not (IpcRmid or IpcSet or IpcStat or ShmLock or ShmUnlock or ShmStat or ShmStatAny))
            return -Errno.EINVAL;
        switch (command)
        {
            case IpcStat:
            case ShmStat:
            case ShmStatAny:
                Span<byte> b = stackalloc byte[112];
                b.Clear();
                BinaryPrimitives.WriteUInt64LittleEndian(b[48..], segment.Size);
                BinaryPrimitives.WriteInt64LittleEndian(b[56..], segment.AttachTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[64..], segment.DetachTime);
                BinaryPrimitives.WriteInt64LittleEndian(b[72..], segment.ChangeTime);
                BinaryPrimitives.WriteInt32LittleEndian(b[80..], segment.CreatorPid);
                BinaryPrimitives.WriteInt32LittleEndian(b[84..], segment.LastPid);
                BinaryPrimitives.WriteInt64LittleEndian(b[88..], Attaches(c, segment));
                return Stat(c, segment, buffer, b, command, command == ShmStatAny);
            case ShmLock:
            case ShmUnlock:
                if (!segment.Owns(c.Task.Credentials) && !c.Task.Credentials.Has(Capability.IpcLock))
                    return -Errno.EPERM;
                // Nothing is ever swapped: the lock shows in the mode only.
                segment.Mode &= ~SharedSegment.LockedInMemory;
                segment.Mode |= command == ShmLock ? SharedSegment.LockedInMemory : 0;
                return 0;
            case IpcSet:
                if (!segment.Owns(c.Task.Credentials))
                    return -Errno.EPERM;
                return segment.SetFrom(c.Memory, buffer, Now(c)) ? 0 : -Errno.EFAULT;
            default:
                if (!segment.Owns(c.Task.Credentials))
                    return -Errno.EPERM;
                segment.Mode |= SharedSegment.Destroyed;
                segment.Key = 0;
                Collect(c);
                return 0;
        }
    }
}
