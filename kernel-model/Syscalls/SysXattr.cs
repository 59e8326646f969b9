using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Extended attributes, kept in memory (fs/xattr.c): user.* for regular files and directories, trusted.* and security.*
/// for user 0.</summary>
internal static class SysXattr
{
    private const int MaxName = 255, MaxValue = 65536, EntryCost = 96;

    private static long ByPath(SyscallContext c, bool follow, Func<SyscallContext, Inode, long> call) =>
        FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, follow, false, out Inode? inode) is < 0 and long e ? e : call(c, inode!);

    private static long ByFile(SyscallContext c, Func<SyscallContext, Inode, long> call) =>
        FileArguments.File(c, 0) is { } file ? call(c, file.Inode) : -Errno.EBADF;

    public static long Setxattr(SyscallContext c) => ByPath(c, true, Set);

    public static long Lsetxattr(SyscallContext c) => ByPath(c, false, Set);

    public static long Fsetxattr(SyscallContext c) => ByFile(c, Set);

    public static long Getxattr(SyscallContext c) => ByPath(c, true, Get);

    public static long Lgetxattr(SyscallContext c) => ByPath(c, false, Get);

    public static long Fgetxattr(SyscallContext c) => ByFile(c, Get);

    public static long Listxattr(SyscallContext c) => ByPath(c, true, List);

    public static long Llistxattr(SyscallContext c) => ByPath(c, false, List);

    public static long Flistxattr(SyscallContext c) => ByFile(c, List);

    public static long Removexattr(SyscallContext c) => ByPath(c, true, Remove);

    public static long Lremovexattr(SyscallContext c) => ByPath(c, false, Remove);

    public static long Fremovexattr(SyscallContext c) => ByFile(c, Remove);

    private static long Name(SyscallContext c, Inode inode, bool write, out string name)
    {
        long error = c.Memory.ReadString(c.Arg(1), MaxName + 1, out name);
        if (error == -Errno.ENAMETOOLONG || (error == 0 && (name.Length == 0 || name.Length > MaxName)))
            return -Errno.ERANGE;
        if (error < 0)
            return error;
        Credentials who = c.Task.Credentials;
        if (write && inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (write && (inode.IsImmutable || inode.IsAppendOnly))
            return -Errno.EPERM;
        if (name.StartsWith("user.", StringComparison.Ordinal))
        {
            if (!inode.IsRegular && !inode.IsDirectory)
                return write ? -Errno.EPERM : -Errno.ENODATA;
            if (inode.Fs.Type is "proc" or "sysfs" or "devpts")
                return -Errno.EOPNOTSUPP;
            return Vfs.Permission(inode, who, write ? Modes.MAY_WRITE : Modes.MAY_READ);
        }
        if (name.StartsWith("trusted.", StringComparison.Ordinal))
            return who.Has(Capability.SysAdmin) ? 0 : write ? -Errno.EPERM : -Errno.ENODATA;
        if (name.StartsWith("security.", StringComparison.Ordinal))
            return !write || who.Has(Capability.SysAdmin) ? 0 : -Errno.EPERM;
        return -Errno.EOPNOTSUPP;
    }

    private static long Set(SyscallContext c, Inode inode)
    {
        if (c.Arg(3) > MaxValue)
            return -Errno.E2BIG;
        if ((c.UInt(4) & ~3u) != 0)
            return -Errno.EINVAL;
        long error = Name(c, inode, true, out string name);
        if (error < 0)
            return error;
        byte[] value = new byte[c.Arg(3)];
        if (value.Length > 0 && !c.Memory.Read(c.Arg(2), value))
            return -Errno.EFAULT;
        SortedDictionary<string, byte[]>? all = inode.Xattrs;
        bool exists = all?.ContainsKey(name) == true;
        if (exists && (c.UInt(4) & 1) != 0)
            return -Errno.EEXIST;
        if (!exists && (c.UInt(4) & 2) != 0)
            return -Errno.ENODATA;
        // What a disk has of them takes its blocks, not RAM.
        bool inMemory = inode.Real.Store is null;
        if (inMemory && !inode.TryCharge(value.Length + 2 * name.Length + EntryCost))
            return -Errno.ENOSPC;
        if (exists && inMemory)
            Discharge(inode, name, all![name]);
        (all ??= new SortedDictionary<string, byte[]>(StringComparer.Ordinal))[name] = value;
        error = inode.SetXattrs(all);
        if (error == 0)
            inode.Ctime = c.Vfs.NowRealtime;
        return error;
    }

    /// <summary>An attribute goes: what it was counted with is given back.</summary>
    private static void Discharge(Inode inode, string name, byte[] value)
    {
        long bytes = value.Length + 2 * name.Length + EntryCost;
        inode.Charged -= bytes;
        inode.Fs.Vfs.Charge(-bytes);
    }

    private static long Get(SyscallContext c, Inode inode)
    {
        long error = Name(c, inode, false, out string name);
        if (error < 0)
            return error;
        return inode.Xattrs is { } all && all.TryGetValue(name, out byte[]? value)
            ? Give(c, c.Arg(2), c.Arg(3), value) : -Errno.ENODATA;
    }

    private static long Give(SyscallContext c, ulong address, ulong size, byte[] value)
    {
        if (size == 0)
            return value.Length;
        if ((ulong)value.Length > size)
            return -Errno.ERANGE;
        return c.Memory.Write(address, value) ? value.Length : -Errno.EFAULT;
    }

    private static long List(SyscallContext c, Inode inode)
    {
        bool privileged = c.Task.Credentials.Has(Capability.SysAdmin);
        IEnumerable<string> names = inode.Xattrs?.Keys.Where(n => privileged || !n.StartsWith("trusted.", StringComparison.Ordinal)) ?? [];
        return Give(c, c.Arg(1), c.Arg(2), Encoding.Latin1.GetBytes(string.Concat(names.Select(n => n + "\0"))));
    }

    private static long Remove(SyscallContext c, Inode inode)
    {
        long error = Name(c, inode, true, out string name);
        if (error < 0)
            return error;
        SortedDictionary<string, byte[]>? all = inode.Xattrs;
        if (all?.Remove(name, out byte[]? value) != true)
            return -Errno.ENODATA;
        if (inode.Real.Store is null)
            Discharge(inode, name, value!);
        return inode.SetXattrs(all.Count == 0 ? null : all);
    }
}
