using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>struct file_handle of FILEID_INO32_GEN: an inode's number and generation.</summary>
internal static class FileHandle
{
    /// <summary>handle_bytes, handle_type and the length of the whole.</summary>
    internal const int Bytes = 8, Kind = 1, Size = 16;

    /// <summary>Writes the handle of a file.</summary>
    internal static void Write(Inode inode, Span<byte> handle)
    {
        BinaryPrimitives.WriteInt32LittleEndian(handle, Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(handle[4..], Kind);
        BinaryPrimitives.WriteUInt32LittleEndian(handle[8..], (uint)inode.Ino);
        if (inode.Fs.Whole.Disk is { } disk)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(handle[12..], disk.GenerationOf(inode.Real));
            return;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(handle[12..], (uint)(inode.Ino >> 32) ^ inode.Fs.Device);
        inode.Fs.Vfs.Handles.Remember(inode);
    }

    /// <summary>Of a file system without handles: identities, which nothing is opened by (FILEID_INO64_GEN).</summary>
    internal const int IdentityBytes = 12, IdentityKind = 0x81;

    /// <summary>Writes what identifies a file, be it a handle or not (exportfs_encode_fid); how long it is with its head.</summary>
    internal static int WriteIdentity(Inode inode, Span<byte> handle)
    {
        if (inode.Fs.IsStored)
        {
            Write(inode, handle);
            return Size;
        }
        BinaryPrimitives.WriteInt32LittleEndian(handle, IdentityBytes);
        BinaryPrimitives.WriteInt32LittleEndian(handle[4..], IdentityKind);
        BinaryPrimitives.WriteUInt64LittleEndian(handle[8..], inode.Ino);
        BinaryPrimitives.WriteInt32LittleEndian(handle[16..], 0);
        return 8 + IdentityBytes;
    }

    /// <summary>A file in fdinfo of inotify and fanotify (show_mark_fhandle).</summary>
    internal static string Text(Inode inode)
    {
        Span<byte> handle = stackalloc byte[8 + IdentityBytes];
        int length = WriteIdentity(inode, handle);
        return $"fhandle-bytes:{length - 8:x} fhandle-type:{BinaryPrimitives.ReadInt32LittleEndian(handle[4..]):x} "
            + $"f_handle:{Convert.ToHexStringLower(handle[8..length])}";
    }

    /// <summary>The file of a handle that <see cref="Write"/> has written; null: there is none any more (ESTALE).</summary>
    internal static Inode? Find(FileSystem fs, ReadOnlySpan<byte> handle)
    {
        uint low = BinaryPrimitives.ReadUInt32LittleEndian(handle[8..]);
        if (fs.Whole.Disk is { } disk)
            return disk.Find(low, BinaryPrimitives.ReadUInt32LittleEndian(handle[12..]));
        uint high = BinaryPrimitives.ReadUInt32LittleEndian(handle[12..]) ^ fs.Device;
        return fs.Vfs.Handles.Find(fs.Device, (ulong)high << 32 | low);
    }
}

/// <summary>The files that somebody has got a handle of. Those that are gone are forgotten when their number has doubled.</summary>
internal sealed class KnownHandles
{
    private const int LeastForgotten = 1 << 16;
    private readonly Dictionary<(uint Device, ulong Ino), WeakReference<Inode>> _files = [];
    private int _most = LeastForgotten;

    internal void Remember(Inode inode)
    {
        var key = (inode.Fs.Device, inode.Ino);
        if (_files.TryGetValue(key, out WeakReference<Inode>? known))
        {
            known.SetTarget(inode.Real);
            return;
        }
        if (_files.Count >= _most)
        {
            foreach (var (gone, _) in _files.Where(f => Alive(f.Value) is null).ToArray())
                _files.Remove(gone);
            _most = Math.Max(LeastForgotten, _files.Count * 2);
        }
        _files[key] = new WeakReference<Inode>(inode.Real);
    }

    internal Inode? Find(uint device, ulong ino) => _files.TryGetValue((device, ino), out WeakReference<Inode>? file) ? Alive(file) : null;

    private static Inode? Alive(WeakReference<Inode> file) =>
        file.TryGetTarget(out Inode? inode) && inode is not { Nlink: 0, OpenCount: 0 } ? inode : null;
}
