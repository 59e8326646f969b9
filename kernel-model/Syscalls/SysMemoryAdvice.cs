using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Advice on mappings, and which pages stay: madvise, mincore, mlock, msync (mm/madvise.c, mm/mincore.c, mm/mlock.c).</summary>
internal static class SysMemoryAdvice
{
    private const ulong Page = PhysicalMemory.PageSize;

    /// <summary>madvise(addr, length, advice).</summary>
    public static long Madvise(SyscallContext c) => Advise(c, c.Memory, SysMemory.Untag(c.Arg(0)), c.Arg(1), c.Int(2));

    /// <summary>process_madvise(pidfd, iovec, n, advice, flags): how many bytes were advised before the first error.</summary>
    public static long ProcessMadvise(SyscallContext c)
    {
        const int willNeed = 3, cold = 20, pageOut = 21;
        if (c.UInt(4) != 0)
            return -Errno.EINVAL;
        if (IoVector.Read(c, c.Arg(1), c.Arg(2), out var ranges) is < 0 and long error)
            return error;
        if (c.Files[c.Int(0)] is not PidFile file)
            return -Errno.EBADF;
        if (c.Int(3) is not (willNeed or cold or pageOut))
            return -Errno.EINVAL;
        if (file.Group.Leader is not { Mm: { } memory } leader)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, leader) || (memory != c.Memory && !c.Task.Credentials.Has(Capability.SysNice)))
            return -Errno.EPERM;
        long done = 0;
        foreach ((ulong address, long length) in ranges)
        {
            long result = Advise(c, memory, SysMemory.Untag(address), (ulong)length, c.Int(3));
            if (result < 0)
                return done > 0 ? done : result;
            done += length;
        }
        return done;
    }

    private static long Advise(SyscallContext c, MemoryMap mm, ulong start, ulong length, int advice)
    {
        const int dontNeed = 4, free = 8, remove = 9, dontFork = 10, doFork = 11, wipeOnFork = 18, keepOnFork = 19,
            populateRead = 22, populateWrite = 23, dontNeedLocked = 24, hwPoison = 100, softOffline = 101, dontDump = 16, doDump = 17;
        // Nothing is merged, and there are no huge pages (CONFIG_KSM, CONFIG_TRANSPARENT_HUGEPAGE): no advice on either.
        bool hint = advice is (>= 0 and <= 3) or 20 or 21;
        if (!hint && advice is not (dontNeed or free or remove or dontFork or doFork or wipeOnFork or keepOnFork
            or populateRead or populateWrite or dontNeedLocked or dontDump or doDump))
            return advice is hwPoison or softOffline && !c.Task.Credentials.Has(Capability.SysAdmin) ? -Errno.EPERM : -Errno.EINVAL;
        ulong end = start + SysMemory.PageUp(length);
        if ((start & (Page - 1)) != 0 || end < start || (length != 0 && SysMemory.PageUp(length) == 0))
            return -Errno.EINVAL;
        if (end == start)
            return 0;
        // can_modify_vma_madv: what is sealed and cannot be written is not thrown away either.
        if (advice is dontNeed or free or remove or dontFork or wipeOnFork or dontNeedLocked
            && mm.Vmas.Any(v => v.Start < end && v.End > start && IsSealedToRead(v)))
            return -Errno.EPERM;
        // Who hears that pages go hears of it before (userfaultfd_remove).
        if (mm.HasUserfaults && advice is dontNeed or free or remove or dontNeedLocked)
        {
            if (c.State is null && mm.TellRemoval(start, end))
                c.State = c.Vfs.TakeMappingChanges();
            if ((c.State as List<MappingChange>)?.Find(change => !change.IsRead) is { } unread)
                return c.WaitKillable(unread.Queue);
        }
        switch (advice)
        {
            case dontNeed when mm.Vmas.Any(v => v.Locked && v.Start < end && v.End > start):
                return -Errno.EINVAL;
            case dontNeed:
            case dontNeedLocked:
                return mm.DontNeed(start, length);
            case dontDump:
                return mm.Advise(start, length, v => v.DontDump = true);
            case doDump:
                return mm.Advise(start, length, v => v.DontDump = false);
            case free:
                return AllPrivateAnonymous(mm, start, end) ? mm.DontNeed(start, length) : -Errno.EINVAL;
            case remove:
                return Remove(mm, start, end);
            case dontFork:
                return mm.Advise(start, length, v => v.DontFork = true);
            case doFork:
                return mm.Advise(start, length, v => v.DontFork = false);
            case wipeOnFork:
                return AllPrivateAnonymous(mm, start, end) ? mm.Advise(start, length, v => v.WipeOnFork = true) : -Errno.EINVAL;
            case keepOnFork:
                return mm.Advise(start, length, v => v.WipeOnFork = false);
            case populateRead:
            case populateWrite:
                for (ulong at = start; at < end; at += Page)
                {
                    if (!mm.FaultIn(at, advice == populateWrite, out FaultSignal signal))
                        return signal == FaultSignal.MapError ? -Errno.ENOMEM : -Errno.EFAULT;
                }
                return 0;
            default:
                return mm.IsFullyMapped(start, end) ? 0 : -Errno.ENOMEM;
        }
    }

    private static bool AllPrivateAnonymous(MemoryMap mm, ulong start, ulong end)
    {
        foreach (Vma vma in mm.Vmas)
        {
            if (vma.Start < end && vma.End > start && (vma.Shared || vma.File is not null || vma.SpecialPages is not null))
                return false;
        }
        return true;
    }

    /// <summary>MADV_REMOVE: the pages of a shared mapping become zero.</summary>
    private static long Remove(MemoryMap mm, ulong start, ulong end)
    {
        if (!mm.IsFullyMapped(start, end))
            return -Errno.ENOMEM;
        foreach (Vma vma in mm.Vmas)
        {
            if (vma.Start >= end || vma.End <= start)
                continue;
            if (vma.Locked || (vma.File is null && vma.SharedAnonymous is null))
                return -Errno.EINVAL;
            if (!vma.Shared || vma.File is { CanWrite: false })
                return -Errno.EACCES;
        }
        for (ulong at = start; at < end; at += Page)
        {
            if (mm.Find(at)!.SharedPageAt(at) is not 0 and var pa)
                mm.ClearPage(pa);
        }
        return 0;
    }

    /// <summary>mincore(addr, length, vec).</summary>
    public static long Mincore(SyscallContext c)
    {
        ulong start = SysMemory.Untag(c.Arg(0)), size = SysMemory.PageUp(c.Arg(1));
        if ((start & (Page - 1)) != 0)
            return -Errno.EINVAL;
        if (start + size > c.Memory.TaskSize || start + size < start || !c.Memory.IsFullyMapped(start, start + size))
            return -Errno.ENOMEM;
        var vector = new byte[size / Page];
        for (int i = 0; i < vector.Length; i++)
        {
            ulong at = start + (ulong)i * Page;
            // A file's pages are in memory (the page cache) whether this process mapped them yet or not.
            vector[i] = c.Memory.Find(at) is { File: not null } || c.Memory.Space.Lookup(at, out _, out _) ? (byte)1 : (byte)0;
        }
        return c.Memory.Write(c.Arg(2), vector) ? 0 : -Errno.EFAULT;
    }

    /// <summary>mlock(addr, len) and mlock2(addr, len, flags).</summary>
    public static long Mlock(SyscallContext c)
    {
        const int mlock2 = 284;
        bool onFault = c.Number == mlock2 && (c.UInt(2) & 1) != 0;
        if (c.Number == mlock2 && (c.UInt(2) & ~1u) != 0)
            return -Errno.EINVAL;
        ulong start = SysMemory.Untag(c.Arg(0)) & ~(Page - 1);
        ulong size = SysMemory.PageUp(c.Arg(1) + (SysMemory.Untag(c.Arg(0)) & (Page - 1)));
        ulong limit = c.Task.Group.Rlimits[Rlimits.Memlock].Soft;
        bool privileged = c.Task.Credentials.Has(Capability.IpcLock);
        if (limit == 0 && !privileged)
            return -Errno.EPERM;
        if (start + size < start)
            return -Errno.EINVAL;
        MemoryMap mm = c.Memory;
        if (!privileged && mm.LockedBytes + size - LockedIn(mm, start, start + size) > limit)
            return -Errno.ENOMEM;
        if (mm.Lock(start, start + size, true) is < 0 and long error)
            return error;
        return onFault || MakePresent(mm, start, start + size) ? 0 : -Errno.ENOMEM;
    }

    private static ulong LockedIn(MemoryMap mm, ulong start, ulong end)
    {
        ulong total = 0;
        foreach (Vma vma in mm.Vmas)
        {
            if (vma.Locked && vma.Start < end && vma.End > start)
                total += Math.Min(end, vma.End) - Math.Max(start, vma.Start);
        }
        return total;
    }

    /// <summary>Touches every page of a range that may be accessed (mm_populate). False: one of them cannot be had.</summary>
    private static bool MakePresent(MemoryMap mm, ulong start, ulong end)
    {
        for (ulong at = start; at < end; at += Page)
        {
            if (mm.Find(at) is not { } vma || (vma.Prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC)) == 0)
                return false;
            if (!mm.FaultIn(at, !vma.Shared && (vma.Prot & Mman.PROT_WRITE) != 0, out _))
                return false;
        }
        return true;
    }

    /// <summary>munlock(addr, len).</summary>
    public static long Munlock(SyscallContext c)
    {
        ulong start = SysMemory.Untag(c.Arg(0)) & ~(Page - 1);
        ulong size = SysMemory.PageUp(c.Arg(1) + (SysMemory.Untag(c.Arg(0)) & (Page - 1)));
        return start + size < start ? -Errno.EINVAL : c.Memory.Lock(start, start + size, false);
    }

    /// <summary>mlockall(flags): MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4.</summary>
    public static long MlockAll(SyscallContext c)
    {
        int flags = c.Int(0);
        if (flags == 0 || (flags & ~7) != 0 || flags == 4)
            return -Errno.EINVAL;
        ulong limit = c.Task.Group.Rlimits[Rlimits.Memlock].Soft;
        bool privileged = c.Task.Credentials.Has(Capability.IpcLock);
        if (limit == 0 && !privileged)
            return -Errno.EPERM;
        if (!privileged && (flags & 1) != 0 && c.Memory.VirtualSize > limit)
            return -Errno.ENOMEM;
        c.Memory.LockFuture = (flags & 2) != 0;
        if ((flags & 1) == 0)
            return 0;
        foreach (Vma vma in c.Memory.Vmas)
        {
            vma.Locked = vma.SpecialPages is null;
            if (vma.Locked && (flags & 4) == 0)
                MakePresent(c.Memory, vma.Start, vma.End);
        }
        return 0;
    }

    /// <summary>munlockall().</summary>
    public static long MunlockAll(SyscallContext c)
    {
        c.Memory.LockFuture = false;
        foreach (Vma vma in c.Memory.Vmas)
            vma.Locked = false;
        return 0;
    }

    /// <summary>msync(addr, length, flags): shared pages are the file's pages, so there is nothing to write except to files of the host.
    /// </summary>
    public static long Msync(SyscallContext c)
    {
        int flags = c.Int(2);
        ulong start = SysMemory.Untag(c.Arg(0)), size = SysMemory.PageUp(c.Arg(1));
        if ((flags & ~7) != 0 || (start & (Page - 1)) != 0 || (flags & 5) == 5)
            return -Errno.EINVAL;
        if (start + size < start)
            return -Errno.ENOMEM;
        const int MS_INVALIDATE = 2, MS_SYNC = 4;
        foreach (Vma vma in c.Memory.Vmas)
        {
            if (vma.Start >= start + size || vma.End <= start)
                continue;
            if (vma.Locked && (flags & MS_INVALIDATE) != 0)
                return -Errno.EBUSY;
            if ((flags & MS_SYNC) == 0 || vma is not { Shared: true, File: OpenFile { Inode: var inode } })
                continue;
            ulong from = vma.Offset + (Math.Max(start, vma.Start) - vma.Start);
            ulong to = vma.Offset + (Math.Min(start + size, vma.End) - vma.Start);
            if (inode.SyncMapped((long)from, (long)to) is < 0 and long error)
                return error;
        }
        return c.Memory.IsFullyMapped(start, start + size) ? 0 : -Errno.ENOMEM;
    }

    private static bool IsSealedToRead(Vma v) => v.Sealed && v.File is null && !v.Shared && (v.Prot & Mman.PROT_WRITE) == 0;
}
