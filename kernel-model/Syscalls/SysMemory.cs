using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Memory mappings (mm/mmap.c, mm/mprotect.c, mm/mremap.c).</summary>
internal static class SysMemory
{
    private const ulong Page = PhysicalMemory.PageSize;
    private const uint CharacterDevice = 0x2000, TypeMask = 0xF000, DevZero = 1 << 8 | 5;

    /// <summary>Flags that MAP_SHARED_VALIDATE takes (LEGACY_MAP_MASK). Linux lets bits of a huge page's size pass there too; without
    /// MAP_HUGETLB they mean nothing and are refused here.</summary>
    private const int LegacyFlags = Mman.MAP_TYPE | Mman.MAP_FIXED | Mman.MAP_ANONYMOUS | Mman.MAP_GROWSDOWN | Mman.MAP_LOCKED
        | Mman.MAP_POPULATE | 0x800 | 0x1000 | 0x4000 | 0x10000 | 0x20000;

    /// <summary>A number of bytes as whole pages.</summary>
    internal static ulong PageUp(ulong value) => (value + Page - 1) & ~(Page - 1);

    /// <summary>An address without its tag (untagged_addr of uaccess.h): of one that is no user's, all stays.</summary>
    internal static ulong Untag(ulong address) => address & (ulong)((long)(address << 8) >> 8);

    /// <summary>mmap(addr, length, prot, flags, fd, offset).</summary>
    public static long Mmap(SyscallContext c)
    {
        ulong length = c.Arg(1), offset = c.Arg(5);
        int prot = c.Int(2), flags = c.Int(3);
        if ((offset & (Page - 1)) != 0)
            return -Errno.EINVAL;
        OpenFile? file = null;
        bool neverWritable = false;
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
        bool shared = type is Mman.MAP_SHARED or Mman.MAP_SHARED_VALIDATE;
        if (type is not (Mman.MAP_SHARED or Mman.MAP_PRIVATE) && type != (file is null ? Mman.MAP_DROPPABLE : Mman.MAP_SHARED_VALIDATE))
            return -Errno.EINVAL;
        if ((shared || file is not null) && (flags & Mman.MAP_GROWSDOWN) != 0)
            return -Errno.EINVAL;
        ulong size = PageUp(length);
        if (size == 0 || size > c.Memory.TaskSize)
            return -Errno.ENOMEM;
        // No huge pages are reserved.
        if ((flags & Mman.MAP_HUGETLB) != 0)
            return file is null ? -Errno.ENOMEM : -Errno.EINVAL;
        if (c.Memory.VirtualSize + size > c.Task.Group.Rlimits[Rlimits.As].Soft)
            return -Errno.ENOMEM;
        if ((flags & Mman.MAP_LOCKED) != 0 || c.Memory.LockFuture)
        {
            ulong limit = c.Task.Group.Rlimits[Rlimits.Memlock].Soft;
            if (!c.Task.Credentials.Has(Capability.IpcLock) && c.Memory.LockedBytes + size > limit)
                return (flags & Mman.MAP_LOCKED) != 0 && limit == 0 ? -Errno.EPERM : -Errno.EAGAIN;
        }
        if (file is not null)
        {
            // file_mmap_ok: pages beyond the largest size of a file.
            if (offset + size < offset || (file.Inode.IsRegular && offset + size > long.MaxValue))
                return -Errno.EOVERFLOW;
            if (type == Mman.MAP_SHARED_VALIDATE && (flags & ~LegacyFlags) != 0)
                return -Errno.EOPNOTSUPP;
            if (!file.CanRead || (shared && (prot & Mman.PROT_WRITE) != 0 && !file.CanWrite))
                return -Errno.EACCES;
            if (shared && (prot & Mman.PROT_WRITE) != 0 && file.WriteSealed)
                return -Errno.EPERM;
            if ((file.Inode.Mode & TypeMask) == CharacterDevice && file.Inode.Rdev == DevZero)
                (neverWritable, file, offset) = (shared && !file.CanWrite, null, 0);
            else if (!file.CanMap)
                return -Errno.ENODEV;
        }
        long mapped = c.Memory.Map(Untag(c.Arg(0)), length, prot, flags, file, offset);
        if (mapped >= 0 && file is { Inode.IsRegular: true } && (file.Flags & OpenFlags.O_NOATIME) == 0)
            file.Inode.TouchAccessed();
        if (mapped >= 0 && neverWritable)
            c.Memory.Find((ulong)mapped)!.NeverWritable = true;
        return mapped;
    }

    /// <summary>munmap(addr, length).</summary>
    public static long Munmap(SyscallContext c)
    {
        ulong start = Untag(c.Arg(0)), size = PageUp(c.Arg(1));
        if ((start & (Page - 1)) != 0 || start > c.Memory.TaskSize || size == 0 || size > c.Memory.TaskSize - start)
            return -Errno.EINVAL;
        return c.Memory.Unmap(start, start + size);
    }

    /// <summary>mprotect(addr, len, prot).</summary>
    public static long Mprotect(SyscallContext c)
    {
        int prot = c.Int(2);
        int grows = prot & (Mman.PROT_GROWSDOWN | Mman.PROT_GROWSUP);
        ulong start = Untag(c.Arg(0)), length = c.Arg(1), size = PageUp(length);
        if (grows == (Mman.PROT_GROWSDOWN | Mman.PROT_GROWSUP) || (start & (Page - 1)) != 0)
            return -Errno.EINVAL;
        if (length == 0)
            return 0;
        if (start + size <= start)
            return -Errno.ENOMEM;
        // PROT_SEM is accepted without effect; PROT_BTI only where the CPU has it (arch_validate_prot).
        if ((prot & ~(Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC | 8
            | (HardwareCapabilities.HasBti(c.Machine) ? Mman.PROT_BTI : 0) | Mman.PROT_GROWSDOWN | Mman.PROT_GROWSUP)) != 0)
            return -Errno.EINVAL;
        if (grows != 0)
        {
            // Of the mapping at start or the next above it; none grows up here.
            if (c.Memory.FindAtOrAbove(start) is not { } vma || vma.Start >= start + size)
                return -Errno.ENOMEM;
            if (grows == Mman.PROT_GROWSUP || !vma.GrowsDown)
                return vma.Start > start && grows == Mman.PROT_GROWSUP ? -Errno.ENOMEM : -Errno.EINVAL;
            length = start + size - vma.Start;
            start = vma.Start;
        }
        return c.Memory.Protect(start, length, prot);
    }

    /// <summary>mseal(addr, len, flags) (mm/mseal.c): what is sealed can neither be unmapped, moved nor given another protection.</summary>
    public static long Mseal(SyscallContext c)
    {
        ulong start = Untag(c.Arg(0)), size = PageUp(c.Arg(1));
        if (c.Arg(2) != 0 || (start & (Page - 1)) != 0 || (c.Arg(1) != 0 && size == 0) || start + size < start)
            return -Errno.EINVAL;
        return size == 0 ? 0 : c.Memory.Seal(start, start + size);
    }

    /// <summary>pkey_mprotect(addr, len, prot, pkey): the CPUs have no permission overlays (FEAT_S1POE), so that there is key 0 at most,
    /// which every mapping has.</summary>
    public static long PkeyMprotect(SyscallContext c) =>
        c.Int(3) == -1 || (c.Int(3) == 0 && c.Memory.HasKeyZero) ? Mprotect(c) : -Errno.EINVAL;

    /// <summary>pkey_alloc(flags, rights): there is no other key to be had.</summary>
    public static long PkeyAlloc(SyscallContext c)
    {
        const ulong rights = 0xF; // PKEY_ACCESS_MASK of arm64: access, write, execute, read
        return c.Arg(0) != 0 || (c.Arg(1) & ~rights) != 0 ? -Errno.EINVAL : -Errno.ENOSPC;
    }

    /// <summary>pkey_free(key): also key 0, once.</summary>
    public static long PkeyFree(SyscallContext c)
    {
        if (c.Int(0) != 0 || !c.Memory.HasKeyZero)
            return -Errno.EINVAL;
        c.Memory.HasKeyZero = false;
        return 0;
    }

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

    /// <summary>remap_file_pages(start, size, prot, pgoff, flags), by mapping anew as Linux 4.0 and later do.</summary>
    public static long RemapFilePages(SyscallContext c)
    {
        ulong start = c.Arg(0) & ~(Page - 1), size = c.Arg(1) & ~(Page - 1), offset = c.Arg(3);
        if (c.Int(2) != 0 || start + size <= start || offset + size / Page < offset)
            return -Errno.EINVAL;
        if (c.Memory.Find(start) is not { Shared: true, SpecialPages: null } vma || start + size > vma.End)
            return -Errno.EINVAL;
        if (vma.SharedAnonymous is not null)
            return c.Memory.ShowAnonymous(vma, start, size, offset * Page);
        if (vma.File is not { } file)
            return -Errno.EINVAL;
        int prot = vma.Prot;
        file.Hold();
        long result = c.Memory.Map(start, size, prot, Mman.MAP_SHARED | Mman.MAP_FIXED, file, offset * Page);
        file.Release();
        return result < 0 ? result : 0;
    }
}
