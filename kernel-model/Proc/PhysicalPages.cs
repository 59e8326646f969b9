using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/kpageflags and /proc/kpagecount: 64 bits for each page of RAM (fs/proc/page.c).</summary>
/// <param name="fs">proc.</param>
/// <param name="parts">The kernel.</param>
/// <param name="counts">How often each is mapped, rather than what it is.</param>
internal sealed class PhysicalPagesInode(FileSystem fs, ProcParts parts, bool counts) : Inode(fs, Modes.S_IFREG | 0x100)
{
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new PhysicalPagesFile(this, flags, parts, counts);
        return 0;
    }
}

/// <summary>One of them, open.</summary>
internal sealed class PhysicalPagesFile(Inode inode, int flags, ProcParts parts, bool counts) : OpenFile(inode, flags)
{
    // KPF_* of include/uapi/linux/kernel-page-flags.h.
    private const ulong UpToDate = 1 << 3, Dirty = 1 << 4, Lru = 1 << 5, Buddy = 1 << 10, Mapped = 1 << 11, Anonymous = 1 << 12,
        SwapBacked = 1 << 14, Reserved = 1UL << 32;

    public override bool Seekable => true;

    internal override bool GivesToPipes => false;

    public override long Read(Span<byte> buffer, long position)
    {
        if (position % 8 != 0 || buffer.Length % 8 != 0)
            return -Errno.EINVAL;
        Dictionary<ulong, (int Count, ulong Flags)> mapped = MappedPages();
        int done = 0;
        for (; done < buffer.Length && (position + done) / 8 < parts.Pages.Total; done += 8)
        {
            ulong pa = (ulong)(position + done) / 8 * PhysicalMemory.PageSize;
            (int count, ulong bits) = mapped.GetValueOrDefault(pa);
            if (parts.Pages.References(pa) == 0 && bits == 0)
                bits = Buddy;
            else
                bits |= UpToDate | (parts.Pages.Dirty.Contains(pa) ? Dirty : 0);
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[done..], counts ? (ulong)count : bits);
        }
        return done;
    }

    private Dictionary<ulong, (int Count, ulong Flags)> MappedPages()
    {
        var pages = new Dictionary<ulong, (int Count, ulong Flags)>();
        foreach ((Vma vma, ulong va, ulong pa, PagePermissions permissions) in parts.Tasks.Memories.SelectMany(ResidentPages.In))
        {
            (int count, ulong bits) = pages.GetValueOrDefault(pa);
            pages[pa] = (count + 1, bits | Mapped | Of(vma, va, pa, permissions));
        }
        return pages;
    }

    /// <summary>What a mapping says of a page: whose it is, and for file systems that write nothing back, whether it was written to.
    /// </summary>
    private static ulong Of(Vma vma, ulong va, ulong pa, PagePermissions permissions)
    {
        if (vma.IsKernelPage(va, pa))
            return Reserved;
        bool written = (permissions & PagePermissions.UserWrite) != 0;
        return ResidentPages.KindOf(vma, va, pa) switch
        {
            PageKind.Anonymous => Lru | SwapBacked | Anonymous | (written ? Dirty : 0),
            PageKind.SharedMemory => Lru | SwapBacked | Dirty,
            // A disk knows itself what it has not yet.
            _ => Lru | (written && vma.File is not OpenFile { Inode.Fs.Whole.Disk: not null } ? Dirty : 0),
        };
    }
}
