using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>FS_IOC_FIEMAP (ioctl_fiemap of fs/ioctl.c, fs/iomap/fiemap.c): where the contents of a file lie on its disk.</summary>
internal static class FileExtents
{
    private const int HeadSize = 32, ExtentSize = 56;
    private const uint Sync = 1, Attributes = 2, Cache = 4, Most = (uint.MaxValue - HeadSize) / ExtentSize;

    /// <summary>struct fiemap: start, length, flags, mapped extents, room for extents; behind it struct fiemap_extent.</summary>
    internal static long Ioctl(SyscallContext c, Inode inode)
    {
        if (inode.Real.Store is not { } store || inode.Fs.Whole.Disk is null)
            return -Errno.EOPNOTSUPP;
        Span<byte> head = stackalloc byte[HeadSize];
        if (!c.Memory.Read(c.Arg(2), head))
            return -Errno.EFAULT;
        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(head), length = BinaryPrimitives.ReadUInt64LittleEndian(head[8..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(head[16..]), room = BinaryPrimitives.ReadUInt32LittleEndian(head[24..]);
        if (room > Most || length == 0)
            return -Errno.EINVAL;
        if (start >= long.MaxValue)
            return -Errno.EFBIG;
        long result = 0;
        uint mapped = 0;
        flags &= ~Cache;
        if ((flags & ~(Sync | Attributes)) is not 0 and uint unknown)
        {
            (flags, result) = (unknown, -Errno.EBADR);
        }
        else if ((flags & Attributes) == 0)
        {
            result = inode.Real.SyncMapped();
            if (result == 0)
                result = List(c, store, (long)start, (long)Math.Min(start + Math.Min(length, long.MaxValue - start), long.MaxValue), room,
                    out mapped);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(head[16..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(head[20..], mapped);
        return c.Memory.Write(c.Arg(2), head) ? result : -Errno.EFAULT;
    }

    private static long List(SyscallContext c, IInodeStore store, long start, long end, uint room, out uint mapped)
    {
        const uint last = 1;
        mapped = 0;
        FileExtent? before = null;
        while (start < end)
        {
            if (store.NextExtent(start, end, out FileExtent? extent) is < 0 and long error)
                return error;
            if (before is { } known && !Put(known, extent is null ? last : 0, ref mapped))
                return -Errno.EFAULT;
            if (extent is not { } found || (room != 0 && mapped >= room))
                return 0;
            before = extent;
            start = found.Logical + found.Length;
        }
        return before is { } rest && !Put(rest, last, ref mapped) ? -Errno.EFAULT : 0;

        bool Put(in FileExtent extent, uint more, ref uint count)
        {
            if (room == 0)
            {
                count++;
                return true;
            }
            Span<byte> b = stackalloc byte[ExtentSize];
            b.Clear();
            BinaryPrimitives.WriteInt64LittleEndian(b, extent.Logical);
            BinaryPrimitives.WriteInt64LittleEndian(b[8..], extent.Physical);
            BinaryPrimitives.WriteInt64LittleEndian(b[16..], extent.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(b[40..], extent.Flags | more);
            return c.Memory.Write(c.Arg(2) + HeadSize + ExtentSize * (ulong)count++, b);
        }
    }
}
