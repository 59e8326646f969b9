using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Memory mappings (mm/mmap.c, mm/madvise.c, mm/mlock.c, mm/process_vm_access.c).</summary>
internal static class SysMemory
{
    private const ulong Page = PhysicalMemory.PageSize;
    private const uint CharacterDevice = 0x2000, TypeMask = 0xF000, DevZero = 1 << 8 | 5;

    private static ulong PageUp(ulong value) => (value + Page - 1) & ~(Page - 1);

    private static ulong Untag(ulong address) => (ulong)((long)(address << 8) >> 8);

    /// <summary>mmap(addr, length, prot, flags, fd, offset).</summary>
    public static long Mmap(SyscallContext c)
    {
        ulong length = c.Arg(1), offset = c.Arg(5);
        int prot = c.Int(2), flags = c.Int(3);
        if ((offset & (Page - 1)) != 0)
            return -Errno.EINVAL;
        OpenFile? file = null;
        if ((flags & Mman.MAP_ANONYMOUS) == 0)
        {
            file = c.Files[c.Int(4)];
            if (file is null || file.IsPath)
                return -Errno.EBADF;
        }
        else
        {
            offset = 0;
        }
        if (length == 0)
            return -Errno.EINVAL;
        int type = flags & Mman.MAP_TYPE;
        if (type is not (Mman.MAP_SHARED or Mman.MAP_PRIVATE or Mman.MAP_SHARED_VALIDATE) && !(type == Mman.MAP_DROPPABLE && file is null))
            return -Errno.EINVAL;
        ulong size = PageUp(length);
        if (size == 0 || size > c.Memory.TaskSize)
            return -Errno.ENOMEM;
        // No huge pages are reserved.
        if ((flags & Mman.MAP_HUGETLB) != 0)
            return file is null ? -Errno.ENOMEM : -Errno.EINVAL;
        if (c.Memory.VirtualSize + size > c.Task.Group.Rlimits[Rlimits.As].Soft)
            return -Errno.ENOMEM;
        if (file is not null)
        {
            if (offset + size < offset)
                return -Errno.EOVERFLOW;
            bool shared = type is Mman.MAP_SHARED or Mman.MAP_SHARED_VALIDATE;
            if (!file.CanRead || (shared && (prot & Mman.PROT_WRITE) != 0 && !file.CanWrite))
                return -Errno.EACCES;
            if ((file.Inode.Mode & TypeMask) == CharacterDevice && file.Inode.Rdev == DevZero)
                (file, offset) = (null, 0);
            else if (!file.CanMap)
                return -Errno.ENODEV;
        }
        return c.Memory.Map(Untag(c.Arg(0)), length, prot, flags, file, offset);
    }

    /// <summary>munmap(addr, length).</summary>
    public static long Munmap(SyscallContext c)
    {
        ulong start = Untag(c.Arg(0)), size = PageUp(c.Arg(1));
        if ((start & (Page - 1)) != 0 || start > c.Memory.TaskSize || size == 0 || size > c.Memory.TaskSize - start)
            return -Errno.EINVAL;
        c.Memory.Unmap(start, start + size);
        return 0;
    }

    /// <summary>mprotect(addr, len, prot).</summary>
    public static long Mprotect(SyscallContext c)
    {
        int prot = c.Int(2);
        int grows = prot & (Mman.PROT_GROWSDOWN | Mman.PROT_GROWSUP);
        if (grows == (Mman.PROT_GROWSDOWN | Mman.PROT_GROWSUP) || grows == Mman.PROT_GROWSUP)
            return -Errno.EINVAL;
        // PROT_SEM is accepted without effect; PROT_BTI only where the CPU has it (arch_validate_prot).
        if ((prot & ~(Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC | 8
            | (HardwareCapabilities.HasBti(c.Kernel.Machine) ? Mman.PROT_BTI : 0) | Mman.PROT_GROWSDOWN)) != 0)
            return -Errno.EINVAL;
        ulong start = Untag(c.Arg(0)), length = c.Arg(1);
        if (grows != 0 && c.Memory.Find(start) is { GrowsDown: true } stack && start > stack.Start)
        {
            length += start - stack.Start;
            start = stack.Start;
        }
        return c.Memory.Protect(start, length, prot);
    }

    /// <summary>pkey_mprotect(addr, len, prot, pkey): only without a key.</summary>
    public static long PkeyMprotect(SyscallContext c) => c.Int(3) == -1 ? Mprotect(c) : -Errno.EINVAL;

    /// <summary>mremap(old, oldlen, newlen, flags, new).</summary>
    public static long Mremap(SyscallContext c)
    {
        ulong old = PageUp(c.Arg(1)), size = PageUp(c.Arg(2));
        if (size > old && c.Memory.VirtualSize + (size - old) > c.Task.Group.Rlimits[Rlimits.As].Soft)
            return -Errno.ENOMEM;
        return c.Memory.Remap(Untag(c.Arg(0)), c.Arg(1), c.Arg(2), c.Int(3), c.Arg(4));
    }

    /// <summary>brk(addr): the break, never an error.</summary>
    public static long Brk(SyscallContext c) => (long)c.Memory.SetBrk(c.Arg(0), c.Task.Group.Rlimits[Rlimits.Data].Soft);

    /// <summary>madvise(addr, length, advice).</summary>
    public static long Madvise(SyscallContext c) => Advise(c, c.Memory, Untag(c.Arg(0)), c.Arg(1), c.Int(2));

    /// <summary>process_madvise(pidfd, iovec, n, advice, flags): hints only, for other processes.</summary>
    public static long ProcessMadvise(SyscallContext c)
    {
        if (c.UInt(4) != 0)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not PidFile file)
            return -Errno.EBADF;
        if (c.Int(3) is not (3 or 20 or 21 or 25))
            return -Errno.EINVAL;
        return !Permissions.MayTrace(c.Task, file.Group.Leader) ? -Errno.EPERM : Total(c, c.Arg(1), c.Arg(2));
    }

    private static long Total(SyscallContext c, ulong vectors, ulong count)
    {
        if (count > 1024)
            return -Errno.EINVAL;
        long total = 0;
        for (ulong i = 0; i < count; i++)
        {
            if (!c.Memory.Read(vectors + i * 16 + 8, out long length))
                return -Errno.EFAULT;
            total += length;
        }
        return total;
    }

    private static long Advise(SyscallContext c, MemoryMap mm, ulong start, ulong length, int advice)
    {
        const int dontNeed = 4, free = 8, remove = 9, dontFork = 10, doFork = 11, mergeable = 12, wipeOnFork = 18, keepOnFork = 19,
            populateRead = 22, populateWrite = 23, dontNeedLocked = 24, hwPoison = 100, softOffline = 101;
        bool hint = advice is (>= 0 and <= 3) or (>= mergeable and <= 17) or 20 or 21 or 25;
        if (!hint && advice is not (dontNeed or free or remove or dontFork or doFork or wipeOnFork or keepOnFork
            or populateRead or populateWrite or dontNeedLocked))
            return advice is hwPoison or softOffline && !c.Task.Credentials.Privileged ? -Errno.EPERM : -Errno.EINVAL;
        ulong end = start + PageUp(length);
        if ((start & (Page - 1)) != 0 || end < start || (length != 0 && PageUp(length) == 0))
            return -Errno.EINVAL;
        if (end == start)
            return 0;
        switch (advice)
        {
            case dontNeed:
            case dontNeedLocked:
                return mm.DontNeed(start, length);
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
            if (vma.Start < end && vma.End > start && (!vma.Shared || (vma.Prot & Mman.PROT_WRITE) == 0))
                return vma.Shared ? -Errno.EACCES : -Errno.EINVAL;
        }
        for (ulong at = start; at < end; at += Page)
        {
            if (!mm.Write(at, new byte[Page]))
                return -Errno.EINVAL;
        }
        return 0;
    }

    /// <summary>mincore(addr, length, vec).</summary>
    public static long Mincore(SyscallContext c)
    {
        ulong start = Untag(c.Arg(0)), size = PageUp(c.Arg(1));
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
        if (c.Number == 284 && (c.UInt(2) & ~1u) != 0)
            return -Errno.EINVAL;
        ulong start = Untag(c.Arg(0)) & ~(Page - 1);
        ulong size = PageUp(c.Arg(1) + (Untag(c.Arg(0)) & (Page - 1)));
        ulong limit = c.Task.Group.Rlimits[Rlimits.Memlock].Soft;
        if (limit == 0 && !c.Task.Credentials.Privileged)
            return -Errno.EPERM;
        if (size > limit && !c.Task.Credentials.Privileged)
            return -Errno.ENOMEM;
        if (start + size < start)
            return -Errno.EINVAL;
        if (!c.Memory.IsFullyMapped(start, start + size))
            return -Errno.ENOMEM;
        if (c.Number == 284 && (c.UInt(2) & 1) != 0)
            return 0;
        for (ulong at = start; at < start + size; at += Page)
        {
            bool write = c.Memory.Find(at) is { Shared: false } vma && (vma.Prot & Mman.PROT_WRITE) != 0;
            if (!c.Memory.FaultIn(at, write, out _))
                return -Errno.ENOMEM;
        }
        return 0;
    }

    /// <summary>munlock(addr, len).</summary>
    public static long Munlock(SyscallContext c)
    {
        ulong start = Untag(c.Arg(0)) & ~(Page - 1);
        ulong size = PageUp(c.Arg(1) + (Untag(c.Arg(0)) & (Page - 1)));
        if (start + size < start)
            return -Errno.EINVAL;
        return c.Memory.IsFullyMapped(start, start + size) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>mlockall(flags).</summary>
    public static long MlockAll(SyscallContext c)
    {
        int flags = c.Int(0);
        if (flags == 0 || (flags & ~7) != 0 || flags == 4)
            return -Errno.EINVAL;
        if (c.Task.Credentials.Privileged)
            return 0;
        ulong limit = c.Task.Group.Rlimits[Rlimits.Memlock].Soft;
        if (limit == 0)
            return -Errno.EPERM;
        return (flags & 1) != 0 && c.Memory.VirtualSize > limit ? -Errno.ENOMEM : 0;
    }

    /// <summary>munlockall().</summary>
    public static long MunlockAll(SyscallContext c) => 0;

    /// <summary>msync(addr, length, flags): shared pages are the file's pages, so there is nothing to write.</summary>
    public static long Msync(SyscallContext c)
    {
        int flags = c.Int(2);
        ulong start = Untag(c.Arg(0)), size = PageUp(c.Arg(1));
        if ((flags & ~7) != 0 || (start & (Page - 1)) != 0 || (flags & 5) == 5)
            return -Errno.EINVAL;
        if (start + size < start)
            return -Errno.ENOMEM;
        return c.Memory.IsFullyMapped(start, start + size) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>remap_file_pages(start, size, prot, pgoff, flags), by mapping anew as Linux 4.0 and later do.</summary>
    public static long RemapFilePages(SyscallContext c)
    {
        ulong start = c.Arg(0) & ~(Page - 1), size = c.Arg(1) & ~(Page - 1), offset = c.Arg(3);
        if (c.Int(2) != 0 || start + size <= start || offset + size / Page < offset)
            return -Errno.EINVAL;
        if (c.Memory.Find(start) is not { Shared: true, File: { } file } vma || start + size > vma.End)
            return -Errno.EINVAL;
        int prot = vma.Prot;
        file.Hold();
        long result = c.Memory.Map(start, size, prot, Mman.MAP_SHARED | Mman.MAP_FIXED, file, offset * Page);
        file.Release();
        return result < 0 ? result : 0;
    }

    /// <summary>get_mempolicy(mode, nodemask, maxnode, addr, flags): one node, the default policy.</summary>
    public static long GetMempolicy(SyscallContext c)
    {
        const ulong node = 1, address = 2, memsAllowed = 4;
        ulong flags = c.Arg(4);
        if ((flags & ~(node | address | memsAllowed)) != 0 || ((flags & memsAllowed) != 0 && (flags & (node | address)) != 0))
            return -Errno.EINVAL;
        if ((flags & address) == 0 && c.Arg(3) != 0)
            return -Errno.EINVAL;
        if ((flags & node) != 0 && (flags & address) == 0)
            return -Errno.EINVAL;
        if ((flags & address) != 0 && c.Memory.Find(Untag(c.Arg(3))) is null)
            return -Errno.EFAULT;
        if (c.Arg(0) != 0 && !c.Memory.Write(c.Arg(0), 0))
            return -Errno.EFAULT;
        if (c.Arg(1) == 0)
            return 0;
        if (c.Arg(2) < 1)
            return -Errno.EINVAL;
        var mask = new byte[(int)Math.Min((c.Arg(2) + 63) / 64 * 8, 128)];
        mask[0] = (flags & memsAllowed) != 0 ? (byte)1 : (byte)0;
        return c.Memory.Write(c.Arg(1), mask) ? 0 : -Errno.EFAULT;
    }

    /// <summary>set_mempolicy(mode, nodemask, maxnode), mbind(addr, len, mode, ...): everything is on node 0.</summary>
    public static long SetMempolicy(SyscallContext c)
    {
        int mode = (c.Number == 235 ? c.Int(2) : c.Int(0)) & 0xFFF;
        return mode > 6 ? -Errno.EINVAL : 0;
    }

    /// <summary>migrate_pages(pid, maxnode, old, new): nothing to move.</summary>
    public static long MigratePages(SyscallContext c) => c.Int(0) == 0 || c.FindTask(c.Int(0)) is not null ? 0 : -Errno.ESRCH;

    /// <summary>process_vm_readv(pid, local, nl, remote, nr, flags).</summary>
    public static long ProcessVmRead(SyscallContext c) => Transfer(c, false);

    /// <summary>process_vm_writev(pid, local, nl, remote, nr, flags).</summary>
    public static long ProcessVmWrite(SyscallContext c) => Transfer(c, true);

    private static long ReadVectors(SyscallContext c, ulong at, ulong count, out List<(ulong Address, ulong Length)> vectors)
    {
        vectors = [];
        if (count > 1024)
            return -Errno.EINVAL;
        for (ulong i = 0; i < count; i++)
        {
            if (!c.Memory.Read(at + i * 16, out ulong address) || !c.Memory.Read(at + i * 16 + 8, out long length))
                return -Errno.EFAULT;
            if (length < 0)
                return -Errno.EINVAL;
            vectors.Add((address, (ulong)length));
        }
        return 0;
    }

    private static long Transfer(SyscallContext c, bool write)
    {
        if (c.Arg(5) != 0)
            return -Errno.EINVAL;
        long result = ReadVectors(c, c.Arg(1), c.Arg(2), out List<(ulong Address, ulong Length)> local);
        if (result < 0 || (result = ReadVectors(c, c.Arg(3), c.Arg(4), out List<(ulong Address, ulong Length)> remote)) < 0)
            return result;
        if (c.FindTask(c.Int(0)) is not { Mm: { } other } task)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, task))
            return -Errno.EPERM;
        var buffer = new byte[Page];
        long done = 0;
        int l = 0;
        ulong inLocal = 0;
        foreach ((ulong address, ulong length) in remote)
        {
            for (ulong at = 0; at < length;)
            {
                while (l < local.Count && inLocal == local[l].Length)
                    (l, inLocal) = (l + 1, 0);
                if (l >= local.Count)
                    return done;
                ulong here = address + at, mine = local[l].Address + inLocal;
                ulong n = Math.Min(Math.Min(length - at, local[l].Length - inLocal), Page - (here & (Page - 1)));
                n = Math.Min(n, Page - (mine & (Page - 1)));
                Span<byte> part = buffer.AsSpan(0, (int)n);
                bool ok = write ? c.Memory.Read(mine, part) && other.Write(here, part)
                    : other.Read(here, part) && c.Memory.Write(mine, part);
                if (!ok)
                    return done > 0 ? done : -Errno.EFAULT;
                done += (long)n;
                at += n;
                inLocal += n;
            }
        }
        return done;
    }

    /// <summary>membarrier(cmd, flags, cpu): every access of a CPU is complete before another CPU runs, so barriers are free.</summary>
    public static long Membarrier(SyscallContext c)
    {
        const int query = 0, global = 1, globalExpedited = 2, registerGlobal = 4, privateExpedited = 8, registerPrivate = 16, syncCore = 32,
            registerSyncCore = 64, rseq = 128, registerRseq = 256, getRegistrations = 512;
        const int all = global | globalExpedited | registerGlobal | privateExpedited | registerPrivate | syncCore | registerSyncCore | rseq
            | registerRseq | getRegistrations;
        int command = c.Int(0);
        if (c.UInt(1) != 0 && !(command == rseq && c.UInt(1) == 1))
            return -Errno.EINVAL;
        MemoryMap mm = c.Memory;
        switch (command)
        {
            case query:
                return all;
            case global:
            case globalExpedited:
                return 0;
            case registerGlobal:
            case registerPrivate:
            case registerSyncCore:
            case registerRseq:
                mm.MembarrierRegistrations |= command;
                return 0;
            case privateExpedited:
            case syncCore:
            case rseq:
                if ((mm.MembarrierRegistrations & (command << 1)) == 0)
                    return -Errno.EPERM;
                if (command == rseq)
                    RestartSequences(c);
                return 0;
            case getRegistrations:
                return mm.MembarrierRegistrations;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ: running threads of the process leave their critical sections.</summary>
    private static void RestartSequences(SyscallContext c)
    {
        foreach (KernelTask thread in c.Task.Group.Threads)
        {
            if (!thread.OnCpu || thread.Rseq == 0)
                continue;
            thread.RseqEvent = true;
            c.Kernel.SignalDelivery.RequestWork(thread);
            c.Kernel.Scheduler.KickTask(thread);
        }
    }

    /// <summary>set_mempolicy_home_node(start, len, node, flags): node 0.</summary>
    public static long SetMempolicyHomeNode(SyscallContext c) =>
        (c.Arg(0) & (Page - 1)) != 0 || c.Arg(3) != 0 || c.Arg(2) != 0 ? -Errno.EINVAL : 0;
}
