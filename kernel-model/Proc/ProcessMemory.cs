using System.Buffers.Binary;
using System.Globalization;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/PID/mem and pagemap: a process' memory as a file (fs/proc/base.c, task_mmu.c). Who may not trace the process gets
/// EACCES.</summary>
internal sealed class ProcessMemoryInode(FileSystem fs, uint permissions, KernelTask task, Func<Inode, int, MemoryMap?, OpenFile> make)
    : Inode(fs, Modes.S_IFREG | permissions)
{
    public override long Truncate(long size) => 0;

    public override long Open(int flags, IFileUser? user, out OpenFile? file)
    {
        file = null;
        if (user is KernelTask reader && !Permissions.MayTrace(reader, task))
            return -Errno.EACCES;
        file = make(this, flags, task.Mm);
        return 0;
    }
}

/// <summary>An open /proc/PID/mem: the position is the address. Protections do not hold, as for a debugger (FOLL_FORCE); of a program
/// that has gone nothing is left to read.</summary>
internal sealed class ProcessMemoryFile(Inode inode, int flags, MemoryMap? memory) : OpenFile(inode, flags)
{
    internal override bool GivesToPipes => false;

    public override bool Seekable => true;

    public override long Read(Span<byte> buffer, long position)
    {
        if (memory is null || memory.IsGone || buffer.Length == 0)
            return 0;
        int n = memory.Peek((ulong)position, buffer);
        return n == 0 ? -Errno.EIO : n;
    }

    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (memory is null || memory.IsGone || data.Length == 0)
            return 0;
        int n = memory.Poke((ulong)position, data);
        return n == 0 ? -Errno.EIO : n;
    }
}

/// <summary>An open /proc/PID/pagemap: 64 bits for each page of the address space (Documentation/admin-guide/mm/pagemap.rst).</summary>
internal sealed class PageMapFile(Inode inode, int flags, MemoryMap? memory, bool numbers) : OpenFile(inode, flags)
{
    private const ulong Present = 1UL << 63, OfFile = 1UL << 61, Exclusive = 1UL << 56;

    internal override bool GivesToPipes => false;

    public override bool Seekable => true;

    public override long Read(Span<byte> buffer, long position)
    {
        if (memory is null || memory.IsGone)
            return 0;
        if (position % 8 != 0 || buffer.Length % 8 != 0)
            return -Errno.EINVAL;
        long end = (long)(memory.TaskSize / 4096 * 8);
        int done = 0;
        for (; done < buffer.Length && position + done < end; done += 8)
        {
            ulong va = (ulong)(position + done) / 8 * 4096, entry = 0;
            if (memory.Find(va) is { } vma && memory.Residence(va) is { } page)
            {
                // Soft-dirty bits are not there (no CONFIG_MEM_SOFT_DIRTY on arm64).
                entry = Present | (numbers ? page.Pa >> 12 : 0) | (page.References == 1 ? Exclusive : 0)
                    | (vma.File is not null || vma.Shared ? OfFile : 0);
            }
            BinaryPrimitives.WriteUInt64LittleEndian(buffer[done..], entry);
        }
        return done;
    }
}

/// <summary>/proc/PID/map_files: links from ranges of addresses to the files that are mapped there.</summary>
internal static class MapFiles
{
    private static string NameOf(Vma vma) => string.Create(CultureInfo.InvariantCulture, $"{vma.Start:x}-{vma.End:x}");

    internal static DynamicDirectory Make(FileSystem fs, KernelTask task) => new(fs, 0x140,
        name => task.Mm?.Vmas.FirstOrDefault(v => v.File is OpenFile && NameOf(v) == name) is { File: OpenFile file } vma
            ? new DynamicLink(fs, () => file.Description, () => file.Inode)
            {
                Mode = Modes.S_IFLNK | ((vma.Prot & Mman.PROT_READ) != 0 ? 0x140u : 0) | ((vma.Prot & Mman.PROT_WRITE) != 0 ? 0xC0u : 0),
            }
            : null,
        () => task.Mm?.Vmas.Where(v => v.File is OpenFile).Select(NameOf) ?? []);
}
