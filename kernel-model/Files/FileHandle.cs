using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>struct file_handle of FILEID_INO32_GEN: an inode's number and generation.</summary>
internal static class FileHandle
{
    /// <summary>handle_bytes, handle_type and the length of the whole.</summary>
    internal const int Bytes = 8, Kind = 1, Size = 16;

    /// <summary>Handles that are known before those of files that are gone are forgotten.</summary>
    private const int MostKnown = 1 << 16;

    /// <summary>Whether files of a file system have handles.</summary>
    internal static bool IsIn(FileSystem fs) => (fs.Shows ?? fs).Type is "overlay" or "tmpfs" or "hostfs" or "devtmpfs";

    /// <summary>Writes the handle of a file.</summary>
    internal static void Write(Inode inode, Span<byte> handle)
    {
        BinaryPrimitives.WriteInt32LittleEndian(handle, Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(handle[4..], Kind);
        BinaryPrimitives.WriteUInt32LittleEndian(handle[8..], (uint)inode.Ino);
        BinaryPrimitives.WriteUInt32LittleEndian(handle[12..], (uint)(inode.Ino >> 32) ^ inode.Fs.Device);
        Dictionary<(uint Device, ulong Ino), WeakReference<Inode>> known = inode.Fs.Vfs.Handles;
        if (known.Count >= MostKnown)
        {
            foreach ((var key, WeakReference<Inode> reference) in known.ToArray())
            {
                if (!reference.TryGetTarget(out Inode? target) || target is { Nlink: 0, OpenCount: 0 })
                    known.Remove(key);
            }
        }
        known[(inode.Fs.Device, inode.Ino)] = new WeakReference<Inode>(inode.Real);
    }
}
