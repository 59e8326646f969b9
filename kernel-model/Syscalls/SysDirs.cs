using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Names and directories (fs/namei.c, fs/open.c, fs/readdir.c, fs/d_path.c).</summary>
internal static class SysDirs
{
    public static long Mkdirat(SyscallContext c) => Make(c, Modes.S_IFDIR | (c.UInt(2) & 0x3FF), 0);

    public static long Mknodat(SyscallContext c)
    {
        uint mode = c.UInt(2);
        if ((mode & Modes.S_IFMT) == 0)
            mode |= Modes.S_IFREG;
        return (mode & Modes.S_IFMT) switch
        {
            Modes.S_IFREG or Modes.S_IFIFO or Modes.S_IFSOCK or Modes.S_IFCHR or Modes.S_IFBLK =>
                Make(c, mode & (Modes.S_IFMT | 0xFFF), c.UInt(3)),
            Modes.S_IFDIR => -Errno.EPERM,
            _ => -Errno.EINVAL,
        };
    }

    private static long Make(SyscallContext c, uint mode, uint rdev) =>
        FileArguments.PathAt(c, 0, out Inode start, out string path) is < 0 and long error ? error
            : c.Vfs.Make(FileArguments.CallerOf(c), start, path, mode, rdev, null);

    public static long Symlinkat(SyscallContext c)
    {
        long error = FileArguments.Path(c, 0, out string target);
        if (error < 0)
            return error;
        if (target.Length == 0)
            return -Errno.ENOENT;
        error = FileArguments.PathAt(c, 1, out Inode start, out string path);
        return error < 0 ? error : c.Vfs.Make(FileArguments.CallerOf(c), start, path, Modes.S_IFLNK | 0x1FF, 0, target);
    }

    public static long Linkat(SyscallContext c)
    {
        int flags = c.Int(4);
        if ((flags & ~(OpenFlags.AT_SYMLINK_FOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_FOLLOW) != 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? node);
        if (error < 0)
            return error;
        error = FileArguments.PathAt(c, 2, out Inode start, out string path);
        return error < 0 ? error : c.Vfs.Link(FileArguments.CallerOf(c), node!, start, path);
    }

    public static long Unlinkat(SyscallContext c)
    {
        int flags = c.Int(2);
        if ((flags & ~OpenFlags.AT_REMOVEDIR) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.PathAt(c, 0, out Inode start, out string path);
        if (error < 0)
            return error;
        Caller caller = FileArguments.CallerOf(c);
        return flags != 0 ? c.Vfs.RemoveDirectory(caller, start, path) : c.Vfs.Unlink(caller, start, path);
    }

    public static long Renameat(SyscallContext c) => Rename(c, 0);

    public static long Renameat2(SyscallContext c) => Rename(c, c.UInt(4));

    private static long Rename(SyscallContext c, uint flags)
    {
        long error = FileArguments.PathAt(c, 0, out Inode start, out string path);
        if (error < 0)
            return error;
        error = FileArguments.PathAt(c, 2, out Inode newStart, out string newPath);
        return error < 0 ? error : c.Vfs.Rename(FileArguments.CallerOf(c), start, path, newStart, newPath, flags);
    }

    public static long Readlinkat(SyscallContext c)
    {
        if (c.Int(3) <= 0)
            return -Errno.EINVAL;
        long error = FileArguments.Path(c, 1, out string path);
        if (error < 0)
            return error;
        error = FileArguments.Find(c, c.Int(0), 1, false, true, out Inode? inode);
        if (error < 0)
            return error;
        error = inode!.ReadLink(out string target);
        if (error < 0)
            return path.Length == 0 ? -Errno.ENOENT : error;
        byte[] bytes = Encoding.Latin1.GetBytes(target);
        int length = Math.Min(bytes.Length, c.Int(3));
        return c.Memory.Write(c.Arg(2), bytes.AsSpan(0, length)) ? length : -Errno.EFAULT;
    }

    public static long Chdir(SyscallContext c)
    {
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? inode);
        return error < 0 ? error : EnterDirectory(c, inode!);
    }

    public static long Fchdir(SyscallContext c) => c.Files[c.Int(0)] is { } file ? EnterDirectory(c, file.Inode) : -Errno.EBADF;

    private static long EnterDirectory(SyscallContext c, Inode inode)
    {
        if (!inode.IsDirectory)
            return -Errno.ENOTDIR;
        long error = Vfs.Permission(inode, c.Task.Credentials, Modes.MAY_EXEC);
        if (error == 0)
            c.Task.Fs.Cwd = inode;
        return error;
    }

    public static long Chroot(SyscallContext c)
    {
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? inode);
        if (error < 0)
            return error;
        if (!inode!.IsDirectory)
            return -Errno.ENOTDIR;
        error = Vfs.Permission(inode, c.Task.Credentials, Modes.MAY_EXEC);
        if (error < 0)
            return error;
        if (!c.Task.Credentials.Has(Capability.SysChroot))
            return -Errno.EPERM;
        c.Task.Fs.Root = inode;
        return 0;
    }

    public static long Getcwd(SyscallContext c)
    {
        FsContext fs = c.Task.Fs;
        if (fs.Cwd.Nlink == 0)
            return -Errno.ENOENT;
        byte[] bytes = Encoding.Latin1.GetBytes(c.Vfs.PathOf(fs.Cwd, fs.Root) + "\0");
        if (bytes.Length > 4096)
            return -Errno.ENAMETOOLONG;
        if ((ulong)bytes.Length > c.Arg(1))
            return -Errno.ERANGE;
        return c.Memory.Write(c.Arg(0), bytes) ? bytes.Length : -Errno.EFAULT;
    }

    public static long Umask(SyscallContext c)
    {
        uint old = c.Task.Fs.Umask;
        c.Task.Fs.Umask = c.UInt(0) & 0x1FF;
        return old;
    }

    /// <summary>struct linux_dirent64: d_ino u64, d_off s64, d_reclen u16, d_type u8, d_name; records are aligned to 8 bytes.</summary>
    public static long Getdents64(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (file is not DirectoryFile directory)
            return -Errno.ENOTDIR;
        if (directory.Inode.Nlink == 0)
            return -Errno.ENOENT;
        if (!file.IsSilent && SysFanotify.Ask(c, Fan.ACCESS_PERM, directory.Inode) is not 0 and long waits)
            return waits;
        FileArguments.CallerOf(c);
        if (directory.Entries is not { } entries)
            return -Errno.ENOMEM;
        int room = (int)Math.Min(c.UInt(2), 1u << 20);
        byte[] buffer = new byte[Math.Min(room, 65536)];
        int used = 0;
        long position = directory.Position;
        while (position < entries.Count)
        {
            DirectoryEntry entry = entries[(int)position];
            int length = (19 + entry.Name.Length + 1 + 7) / 8 * 8;
            if (used + length > buffer.Length)
            {
                if (used == 0)
                    return -Errno.EINVAL;
                break;
            }
            Span<byte> record = buffer.AsSpan(used, length);
            BinaryPrimitives.WriteUInt64LittleEndian(record, entry.Ino);
            BinaryPrimitives.WriteInt64LittleEndian(record[8..], position + 1);
            BinaryPrimitives.WriteUInt16LittleEndian(record[16..], (ushort)length);
            record[18] = entry.Type;
            Encoding.Latin1.GetBytes(entry.Name, record[19..]);
            used += length;
            position++;
        }
        if (!c.Memory.Write(c.Arg(1), buffer.AsSpan(0, used)))
            return -Errno.EFAULT;
        directory.Position = position;
        directory.Inode.TouchAccessed();
        SysReadWrite.Notify(c, directory, InotifyBits.IN_ACCESS);
        return used;
    }
}
