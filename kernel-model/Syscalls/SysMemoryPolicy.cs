namespace ArmVdso.Kernel.Syscalls;

/// <summary>Memory policies (mm/mempolicy.c) of a machine with one node.</summary>
internal static class SysMemoryPolicy
{
    private const ulong Page = PhysicalMemory.PageSize;

    /// <summary>get_mempolicy(mode, nodemask, maxnode, addr, flags): one node, the default policy.</summary>
    public static long GetMempolicy(SyscallContext c)
    {
        const ulong node = 1, address = 2, memsAllowed = 4;
        ulong flags = c.Arg(4);
        if ((flags & ~(node | address | memsAllowed)) != 0 || ((flags & memsAllowed) != 0 && (flags & (node | address)) != 0))
            return -Errno.EINVAL;
        if ((flags & address) == 0 && c.Arg(3) != 0)
            return -Errno.EINVAL;
        if ((flags & node) != 0 && (flags & address) == 0)
            return -Errno.EINVAL;
        if ((flags & address) != 0 && c.Memory.Find(SysMemory.Untag(c.Arg(3))) is null)
            return -Errno.EFAULT;
        if (c.Arg(0) != 0 && !c.Memory.Write(c.Arg(0), 0))
            return -Errno.EFAULT;
        if (c.Arg(1) == 0)
            return 0;
        if (c.Arg(2) < 1)
            return -Errno.EINVAL;
        // copy_nodes_to_user: one word of the mask is the kernel's, what the caller has more is cleared.
        ulong size = (c.Arg(2) - 1 + 63) / 64 * 8;
        if (size > Page)
            return -Errno.EINVAL;
        var mask = new byte[size];
        if (size > 0 && (flags & memsAllowed) != 0)
            mask[0] = 1;
        return c.Memory.Write(c.Arg(1), mask) ? 0 : -Errno.EFAULT;
    }

    /// <summary>set_mempolicy(mode, nodemask, maxnode), mbind(addr, len, mode, ...): everything is on node 0.</summary>
    public static long SetMempolicy(SyscallContext c)
    {
        int mode = (c.Number == 235 ? c.Int(2) : c.Int(0)) & 0xFFF;
        return mode > 6 ? -Errno.EINVAL : 0;
    }

    /// <summary>migrate_pages(pid, maxnode, old, new): nothing to move.</summary>
    public static long MigratePages(SyscallContext c) => c.Int(0) == 0 || c.FindTask(c.Int(0)) is not null ? 0 : -Errno.ESRCH;

    /// <summary>set_mempolicy_home_node(start, len, node, flags): node 0.</summary>
    public static long SetMempolicyHomeNode(SyscallContext c) =>
        (c.Arg(0) & (Page - 1)) != 0 || c.Arg(3) != 0 || c.Arg(2) != 0 ? -Errno.EINVAL : 0;
}
