using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Memory policies (mm/mempolicy.c, mm/migrate.c) of a machine whose first node has all memory.</summary>
internal static class SysMemoryPolicy
{
    private const ulong Page = PhysicalMemory.PageSize;

    private const uint MoveOwn = 2, MoveAll = 4;

    /// <summary>get_mempolicy(mode, nodemask, maxnode, addr, flags).</summary>
    public static long GetMempolicy(SyscallContext c)
    {
        const ulong node = 1, address = 2, memsAllowed = 4;
        ulong flags = c.Arg(4), at = SysMemory.Untag(c.Arg(3));
        if ((flags & ~(node | address | memsAllowed)) != 0 || ((flags & memsAllowed) != 0 && (flags & (node | address)) != 0)
            || ((flags & address) == 0 && at != 0) || (c.Arg(1) != 0 && c.Arg(2) < (ulong)c.Scheduler.Nodes))
            return -Errno.EINVAL;
        MemoryPolicy? policy = c.Task.MemoryPolicy;
        if ((flags & address) != 0)
        {
            if (c.Memory.Find(at) is not { } vma)
                return -Errno.EFAULT;
            policy = vma.Policy;
            // The page is made for it to have a node (lookup_node).
            if ((flags & node) != 0 && !c.Memory.FaultIn(at, false, out _))
                return -Errno.EFAULT;
        }
        else if ((flags & node) != 0 && policy?.Mode is not (MemoryPolicy.Interleave or MemoryPolicy.WeightedInterleave))
        {
            return -Errno.EINVAL;
        }
        int mode = (flags & (node | memsAllowed)) != 0 ? 0 : policy is null ? MemoryPolicy.Default : policy.Mode | policy.Flags;
        if (c.Arg(0) != 0 && !c.Memory.Write(c.Arg(0), mode))
            return -Errno.EFAULT;
        if (c.Arg(1) == 0)
            return 0;
        // copy_nodes_to_user: one word of the mask is the kernel's, what the caller has more is cleared.
        ulong size = (c.Arg(2) - 1 + 63) / 64 * 8;
        if (size > Page)
            return -Errno.EINVAL;
        var mask = new byte[size];
        if (size > 0)
            BitConverter.TryWriteBytes(mask, (flags & memsAllowed) != 0 ? MemoryPolicy.WithMemory : policy?.Told ?? 0);
        return c.Memory.Write(c.Arg(1), mask) ? 0 : -Errno.EFAULT;
    }

    /// <summary>The nodes that a mask names (get_nodes): 0; -EFAULT; -EINVAL for such as cannot be.</summary>
    private static long Nodes(SyscallContext c, ulong mask, ulong count, out ulong nodes)
    {
        nodes = 0;
        if (--count == 0 || mask == 0)
            return 0;
        if (count > Page * 8)
            return -Errno.EINVAL;
        for (ulong at = (count + 63) / 64; at-- > 0;)
        {
            if (!c.Memory.Read(mask + at * 8, out ulong word))
                return -Errno.EFAULT;
            if (at == count / 64)
                word &= (1UL << (int)(count % 64)) - 1;
            if (at != 0 && word != 0)
                return -Errno.EINVAL;
            nodes = word;
        }
        return 0;
    }

    /// <summary>set_mempolicy(mode, nodemask, maxnode).</summary>
    public static long SetMempolicy(SyscallContext c)
    {
        if (MemoryPolicy.CheckMode(c.Int(0)) is < 0 and var unknown)
            return unknown;
        if (Nodes(c, c.Arg(1), c.Arg(2), out ulong nodes) is < 0 and var bad)
            return bad;
        if (MemoryPolicy.Make(c.Int(0), nodes, out MemoryPolicy? policy) is < 0 and var error)
            return error;
        c.Task.MemoryPolicy = policy;
        return 0;
    }

    /// <summary>mbind(addr, len, mode, nodemask, maxnode, flags): nothing has to be moved.</summary>
    public static long Mbind(SyscallContext c)
    {
        const uint strict = 1;
        ulong start = SysMemory.Untag(c.Arg(0)), end = start + SysMemory.PageUp(c.Arg(1));
        if (MemoryPolicy.CheckMode(c.Int(2)) is < 0 and var unknown)
            return unknown;
        if (Nodes(c, c.Arg(3), c.Arg(4), out ulong nodes) is < 0 and var bad)
            return bad;
        if ((c.UInt(5) & ~(strict | MoveOwn | MoveAll)) != 0)
            return -Errno.EINVAL;
        if ((c.UInt(5) & MoveAll) != 0 && !c.Task.Credentials.Has(Capability.SysNice))
            return -Errno.EPERM;
        if ((start & (Page - 1)) != 0 || end < start)
            return -Errno.EINVAL;
        if (end == start)
            return 0;
        if (MemoryPolicy.Make(c.Int(2), nodes, out MemoryPolicy? policy) is < 0 and var error)
            return error;
        return !c.Memory.IsFullyMapped(start, end) ? -Errno.EFAULT : c.Memory.Advise(start, end - start, v => v.Policy = policy);
    }

    /// <summary>migrate_pages(pid, maxnode, old, new): nothing to move.</summary>
    public static long MigratePages(SyscallContext c)
    {
        if (Nodes(c, c.Arg(2), c.Arg(1), out _) is < 0 and var bad)
            return bad;
        if (Nodes(c, c.Arg(3), c.Arg(1), out ulong target) is < 0 and var badTarget)
            return badTarget;
        if ((c.Int(0) == 0 ? c.Task : c.FindTask(c.Int(0))) is not { } task)
            return -Errno.ESRCH;
        bool elsewhere = (target & ~MemoryPolicy.WithMemory) != 0;
        if (!Permissions.MayTrace(c.Task, task) || (elsewhere && !c.Task.Credentials.Has(Capability.SysNice)))
            return -Errno.EPERM;
        return (target & MemoryPolicy.WithMemory) == 0 ? -Errno.EINVAL : 0;
    }

    /// <summary>move_pages(pid, count, pages, nodes, status, flags): where pages are; they are already where they can be.</summary>
    public static long MovePages(SyscallContext c)
    {
        if ((c.UInt(5) & ~(MoveOwn | MoveAll)) != 0)
            return -Errno.EINVAL;
        if ((c.UInt(5) & MoveAll) != 0 && !c.Task.Credentials.Has(Capability.SysNice))
            return -Errno.EPERM;
        if ((c.Int(0) == 0 ? c.Task : c.FindTask(c.Int(0))) is not { } task)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, task))
            return -Errno.EPERM;
        if (task.Mm is not { } memory)
            return -Errno.EINVAL;
        for (ulong i = 0; i < c.Arg(1); i++)
        {
            if (!c.Memory.Read(c.Arg(2) + i * 8, out ulong address))
                return -Errno.EFAULT;
            if (c.Arg(3) != 0)
            {
                if (!c.Memory.Read(c.Arg(3) + i * 4, out int node))
                    return -Errno.EFAULT;
                if (node != 0)
                    return -Errno.ENODEV;
            }
            ulong at = SysMemory.Untag(address);
            ulong page = at & ~(Page - 1);
            long status = memory.Find(at) is null ? -Errno.EFAULT : memory.Space.Pages(page, page + Page).Any() ? 0 : -Errno.ENOENT;
            if (!c.Memory.Write(c.Arg(4) + i * 4, (int)status))
                return -Errno.EFAULT;
        }
        return 0;
    }

    /// <summary>set_mempolicy_home_node(start, len, node, flags).</summary>
    public static long SetMempolicyHomeNode(SyscallContext c)
    {
        ulong start = SysMemory.Untag(c.Arg(0)), end = start + SysMemory.PageUp(c.Arg(1));
        if ((start & (Page - 1)) != 0 || c.Arg(3) != 0 || c.Arg(2) >= (ulong)c.Scheduler.Nodes || end < start)
            return -Errno.EINVAL;
        if (start == end)
            return 0;
        long result = -Errno.ENOENT;
        foreach (Vma vma in c.Memory.Vmas.Where(v => v.Start < end && v.End > start && v.Policy is not null).ToArray())
        {
            if (vma.Policy!.Mode is not (MemoryPolicy.Bind or MemoryPolicy.PreferredMany))
                return -Errno.EOPNOTSUPP;
            ulong from = Math.Max(start, vma.Start);
            MemoryPolicy policy = vma.Policy with { Home = (int)c.Arg(2) };
            result = c.Memory.Advise(from, Math.Min(end, vma.End) - from, v => v.Policy = policy);
        }
        return result;
    }
}
