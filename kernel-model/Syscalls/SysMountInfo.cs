using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>statmount and listmount (fs/namespace.c): mounts by numbers that are never used again.</summary>
internal static class SysMountInfo
{
    /// <summary>Below it are the numbers of /proc/self/mountinfo, which these calls do not take (MNT_UNIQUE_ID_OFFSET).</summary>
    private const ulong Offset = 1UL << 31;

    private const ulong RootOfAll = ulong.MaxValue;
    private const int RequestSize = 24, RecordSize = 512;

    /// <summary>stx_mnt_id with STATX_MNT_ID_UNIQUE.</summary>
    internal static ulong UniqueId(MountEntry mount) => Offset + (ulong)mount.Id;

    private static long Request(SyscallContext c, out ulong id, out ulong parameter, out MountNamespace space)
    {
        (id, parameter, space) = (0, 0, c.Task.MountNamespace);
        if (!c.Memory.Read(c.Arg(0), out uint size))
            return -Errno.EFAULT;
        if (size > 4096)
            return -Errno.E2BIG;
        if (size < RequestSize)
            return -Errno.EINVAL;
        var given = new byte[(int)size];
        if (!c.Memory.Read(c.Arg(0), given))
            return -Errno.EFAULT;
        // What newer kernels know beyond mnt_ns_id must be zero.
        if (given.Length > 32 && given.AsSpan(32).IndexOfAnyExcept((byte)0) >= 0)
            return -Errno.E2BIG;
        if (BitConverter.ToUInt32(given, 4) != 0)
            return -Errno.EINVAL;
        (id, parameter) = (BitConverter.ToUInt64(given, 8), BitConverter.ToUInt64(given, 16));
        // Another namespace than the caller's own is its administrator's to see.
        if (given.Length >= 32 && BitConverter.ToUInt64(given, 24) is not 0 and var number && number != space.Number)
        {
            if (c.Vfs.FindMounts(number) is not { } other || !other.OwnerSpace.IsGovernedBy(c.Task.Credentials))
                return -Errno.ENOENT;
            space = other;
        }
        return id <= Offset ? -Errno.EINVAL : 0;
    }

    private static MountEntry? Find(MountNamespace space, ulong id) => space.Entries.FirstOrDefault(m => UniqueId(m) == id);

    /// <summary>Where everything starts: the caller's root, or that of another namespace (grab_requested_root).</summary>
    private static Inode RootOf(SyscallContext c, MountNamespace space) =>
        ReferenceEquals(space, c.Task.MountNamespace) ? c.Task.Fs.Root : space.Root;

    /// <summary>Where a mount is from there; null: out of reach, which its namespace's administrator may see all the same.</summary>
    private static long Reach(SyscallContext c, MountNamespace space, MountEntry mount, out string? point)
    {
        point = Vfs.MountsBelow(space, RootOf(c, space)).Find(m => m.Mount == mount).Point;
        return point is null && !space.OwnerSpace.IsGovernedBy(c.Task.Credentials) ? -Errno.EPERM : 0;
    }

    /// <summary>statmount(request, buffer, size, flags).</summary>
    public static long StatMount(SyscallContext c)
    {
        const ulong superblock = 1, basic = 2, from = 4, root = 8, point = 0x10, type = 0x20, space = 0x40, options = 0x80;
        if (c.UInt(3) != 0)
            return -Errno.EINVAL;
        if (Request(c, out ulong id, out ulong wanted, out MountNamespace mounts) is < 0 and long error)
            return error;
        if (Find(mounts, id) is not { } mount)
            return -Errno.ENOENT;
        if (Reach(c, mounts, mount, out string? place) is < 0 and long beyond)
            return beyond;
        if (c.Arg(2) < RecordSize)
            return -Errno.EOVERFLOW;
        var b = new byte[RecordSize];
        var text = new StringBuilder();
        ulong mask = wanted & (superblock | basic | from);
        void Long(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(at), value);
        void Int(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(at), value);
        void String(ulong bit, int at, string value)
        {
            if ((wanted & bit) == 0 || value.Length == 0)
                return;
            Int(at, (uint)text.Length);
            text.Append(value).Append('\0');
            mask |= bit;
        }
        if ((wanted & superblock) != 0)
        {
            Int(16, mount.Fs.Device >> 8);
            Int(20, mount.Fs.Device & 0xFF);
            Long(24, (ulong)mount.Fs.Magic);
            Int(32, mount.Fs.Flags & MountFlags.MS_RDONLY);
        }
        if ((wanted & basic) != 0)
        {
            MountEntry parent = mounts.Entries.FirstOrDefault(m => m.Id == mount.ParentId) ?? mount;
            Long(40, UniqueId(mount));
            Long(48, UniqueId(parent));
            Int(56, (uint)mount.Id);
            Int(60, (uint)parent.Id);
            Long(64, SysMountApi.AttributesOf(mount.Fs));
            Long(72, mount.Fs.Peer != 0 ? MountFlags.MS_SHARED : mount.Fs.Unbindable ? MountFlags.MS_UNBINDABLE
                : mount.Fs.Master != 0 ? MountFlags.MS_SLAVE : MountFlags.MS_PRIVATE);
            Long(80, (ulong)mount.Fs.Peer);
            Long(88, (ulong)mount.Fs.Master);
        }
        if ((wanted & from) != 0)
            Long(96, (ulong)mount.Fs.Master);
        if ((wanted & space) != 0)
        {
            Long(112, mounts.Number);
            mask |= space;
        }
        String(root, 104, Vfs.PartShown(mount));
        String(point, 108, place ?? "");
        String(type, 36, mount.Fs.Type);
        String(options, 4, mount.OwnOptions(c.Task.Credentials.UserNamespace));
        if (c.Arg(2) - RecordSize < (ulong)text.Length)
            return -Errno.EOVERFLOW;
        Int(0, (uint)(RecordSize + text.Length));
        Long(8, mask);
        return c.Memory.Write(c.Arg(1), b) && c.Memory.Write(c.Arg(1) + RecordSize, Encoding.Latin1.GetBytes(text.ToString()))
            ? 0 : -Errno.EFAULT;
    }

    /// <summary>listmount(request, ids, count, flags): the mounts below one, in the order of their numbers.</summary>
    public static long ListMount(SyscallContext c)
    {
        const uint reverse = 1;
        if ((c.UInt(3) & ~reverse) != 0)
            return -Errno.EINVAL;
        if (c.Arg(2) > 1_000_000)
            return -Errno.EOVERFLOW;
        if (!UserPointer(c.Arg(1), c.Arg(2) * 8))
            return -Errno.EFAULT;
        if (Request(c, out ulong id, out ulong last, out MountNamespace mounts) is < 0 and long error)
            return error;
        if (last != 0 && last <= Offset)
            return -Errno.EINVAL;
        MountEntry? above = id == RootOfAll ? null : Find(mounts, id);
        if (above == null && id != RootOfAll)
            return -Errno.ENOENT;
        if (above is not null && Reach(c, mounts, above, out _) is < 0 and long beyond)
            return beyond;
        bool backwards = (c.UInt(3) & reverse) != 0;
        IEnumerable<ulong> ids = Vfs.MountsBelow(mounts, above?.Root ?? RootOf(c, mounts)).Where(m => m.Mount != above)
            .Select(m => UniqueId(m.Mount)).Order();
        if (backwards)
            ids = ids.Reverse();
        long count = 0;
        foreach (ulong each in ids.Where(i => last == 0 || (backwards ? i < last : i > last)).Take((int)c.Arg(2)))
        {
            if (!c.Memory.Write(c.Arg(1) + 8 * (ulong)count, each))
                return -Errno.EFAULT;
            count++;
        }
        return count;
    }

    private static bool UserPointer(ulong address, ulong length) => address + length >= address && address + length <= 1UL << 48;
}
