using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Landlock (security/landlock/syscalls.c), ABI 6, and the calls about security modules (security/lsm_syscalls.c).</summary>
internal static class SysLandlock
{
    private const int Version = 6;

    /// <summary>LSM_ID_CAPABILITY and LSM_ID_LANDLOCK, in the order of /sys/kernel/security/lsm.</summary>
    private static readonly ulong[] Modules = [100, 110];

    /// <summary>landlock_create_ruleset(attr, size, flags).</summary>
    public static long CreateRuleset(SyscallContext c)
    {
        ulong size = c.Arg(1);
        if (c.UInt(2) != 0)
            return c.UInt(2) == 1 && c.Arg(0) == 0 && size == 0 ? Version : -Errno.EINVAL;
        if (c.Arg(0) == 0)
            return -Errno.EFAULT;
        if (size < 8)
            return -Errno.EINVAL;
        if (size > PhysicalMemory.PageSize)
            return -Errno.E2BIG;
        Span<byte> bytes = new byte[Math.Max(size, 24)];
        if (!c.Memory.Read(c.Arg(0), bytes[..(int)size]))
            return -Errno.EFAULT;
        if (bytes[24..].ContainsAnyExcept((byte)0))
            return -Errno.E2BIG;
        ulong files = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        ulong ports = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        ulong scopes = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        if ((files & ~LandlockRights.All) != 0 || (ports & ~LandlockRights.AllOfNet) != 0
            || (scopes & ~(AccessDomain.AbstractSockets | AccessDomain.Signals)) != 0)
            return -Errno.EINVAL;
        if ((files | ports | scopes) == 0)
            return -Errno.ENOMSG;
        return FileArguments.Install(c, new LandlockRuleset(c.Vfs, files, ports, scopes), OpenFlags.O_CLOEXEC);
    }

    private static long Find(SyscallContext c, out LandlockRuleset? ruleset)
    {
        OpenFile? file = c.Files[c.Int(0)];
        ruleset = file as LandlockRuleset;
        return file is null or { IsPath: true } ? -Errno.EBADF : ruleset is null ? -Errno.EBADFD : 0;
    }

    /// <summary>landlock_add_rule(ruleset, type, attr, flags).</summary>
    public static long AddRule(SyscallContext c)
    {
        if (c.UInt(3) != 0)
            return -Errno.EINVAL;
        if (Find(c, out LandlockRuleset? ruleset) is < 0 and long error)
            return error;
        const int beneath = 1, port = 2;
        return c.Int(1) switch
        {
            beneath => AddPath(c, ruleset!),
            port => AddPort(c, ruleset!),
            _ => -Errno.EINVAL,
        };
    }

    /// <summary>struct landlock_path_beneath_attr: allowed_access u64 @0, parent_fd s32 @8, packed.</summary>
    private static long AddPath(SyscallContext c, LandlockRuleset ruleset)
    {
        if (!c.Memory.Read(c.Arg(2), out ulong allowed) || !c.Memory.Read(c.Arg(2) + 8, out int descriptor))
            return -Errno.EFAULT;
        if (allowed == 0)
            return -Errno.ENOMSG;
        if ((allowed & ~ruleset.Files) != 0)
            return -Errno.EINVAL;
        if (c.Files[descriptor] is not { } file)
            return -Errno.EBADF;
        Inode inode = file.Place ?? file.Inode;
        if (inode.Fs.HasNoPaths)
            return -Errno.EBADFD;
        if (!inode.IsDirectory && (allowed & ~LandlockRights.OfFiles) != 0)
            return -Errno.EINVAL;
        return ruleset.Allow(inode.Real, allowed);
    }

    /// <summary>struct landlock_net_port_attr: allowed_access u64 @0, port u64 @8.</summary>
    private static long AddPort(SyscallContext c, LandlockRuleset ruleset)
    {
        if (!c.Memory.Read(c.Arg(2), out ulong allowed) || !c.Memory.Read(c.Arg(2) + 8, out ulong port))
            return -Errno.EFAULT;
        if (allowed == 0)
            return -Errno.ENOMSG;
        if ((allowed & ~ruleset.Ports) != 0 || port > ushort.MaxValue)
            return -Errno.EINVAL;
        return ruleset.Allow((int)port, allowed);
    }

    /// <summary>landlock_restrict_self(ruleset, flags).</summary>
    public static long RestrictSelf(SyscallContext c)
    {
        Credentials who = c.Task.Credentials;
        if (!c.Task.ProcessControls.ContainsKey(PrctlOptions.PR_SET_NO_NEW_PRIVS) && !who.HasInNamespace(Capability.SysAdmin))
            return -Errno.EPERM;
        if (c.UInt(1) != 0)
            return -Errno.EINVAL;
        if (Find(c, out LandlockRuleset? ruleset) is < 0 and long error)
            return error;
        if (who.Domain is { Layers: >= AccessDomain.MostLayers })
            return -Errno.E2BIG;
        c.Task.Credentials = who with { Domain = new LandlockDomain(who.Domain as LandlockDomain, ruleset!) };
        return 0;
    }

    /// <summary>lsm_list_modules(ids, size, flags).</summary>
    public static long ListModules(SyscallContext c)
    {
        if (c.UInt(2) != 0)
            return -Errno.EINVAL;
        uint all = (uint)Modules.Length * 8;
        if (!c.Memory.Read(c.Arg(1), out uint size) || !c.Memory.Write(c.Arg(1), all))
            return -Errno.EFAULT;
        if (size < all)
            return -Errno.E2BIG;
        for (int n = 0; n < Modules.Length; n++)
        {
            if (!c.Memory.Write(c.Arg(0) + (ulong)n * 8, Modules[n]))
                return -Errno.EFAULT;
        }
        return Modules.Length;
    }

    /// <summary>lsm_get_self_attr(attr, ctx, size, flags): no module that is there has attributes.</summary>
    public static long GetSelfAttribute(SyscallContext c)
    {
        const uint single = 1;
        if (c.UInt(0) == 0 || c.Arg(2) == 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(2), out uint _))
            return -Errno.EFAULT;
        if (c.UInt(3) != 0)
        {
            if (c.UInt(3) != single || c.Arg(1) == 0)
                return -Errno.EINVAL;
            Span<byte> context = stackalloc byte[32];
            if (!c.Memory.Read(c.Arg(1), context))
                return -Errno.EFAULT;
            if (BinaryPrimitives.ReadUInt64LittleEndian(context) == 0)
                return -Errno.EINVAL;
        }
        return c.Memory.Write(c.Arg(2), 0u) ? -Errno.EOPNOTSUPP : -Errno.EFAULT;
    }
}
