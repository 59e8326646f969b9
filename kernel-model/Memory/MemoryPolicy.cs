namespace ArmVdso.Kernel.Memory;

/// <summary>From which nodes a task or mapping gets its pages (struct mempolicy, mm/mempolicy.c). Node 0 alone has memory, so that a policy
/// decides nothing; it is kept, checked and told.</summary>
/// <param name="Mode">MPOL_*, without flags.</param>
/// <param name="Flags">MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES, MPOL_F_NUMA_BALANCING.</param>
/// <param name="Given">The nodes that the caller named.</param>
/// <param name="Home">Node that is tried first (set_mempolicy_home_node); -1: none.</param>
public sealed record MemoryPolicy(int Mode, int Flags, ulong Given, int Home = -1)
{
#pragma warning disable CS1591 // Names are those of include/uapi/linux/mempolicy.h.
    internal const int Default = 0, Preferred = 1, Bind = 2, Interleave = 3, Local = 4, PreferredMany = 5, WeightedInterleave = 6;
    internal const int StaticNodes = 0x8000, RelativeNodes = 0x4000, Balancing = 0x2000;
#pragma warning restore CS1591

    /// <summary>Nodes with memory.</summary>
    internal const ulong WithMemory = 1;

    /// <summary>What get_mempolicy says: what was named, where that stays as it is, else what is there of it.</summary>
    internal ulong Told => Mode == Local ? 0 : (Flags & (StaticNodes | RelativeNodes)) != 0 ? Given : WithMemory;

    /// <summary>A policy (mpol_new, mpol_set_nodemask): 0, or -EINVAL; null is the default.</summary>
    /// <param name="mode">Mode and flags that <see cref="CheckMode"/> lets pass.</param>
    /// <param name="nodes">Nodes.</param>
    /// <param name="made">The policy.</param>
    internal static long Make(int mode, ulong nodes, out MemoryPolicy? made)
    {
        const int fixedNodes = StaticNodes | RelativeNodes;
        made = null;
        int flags = mode & (fixedNodes | Balancing);
        mode &= ~flags;
        if (mode == Default)
            return nodes != 0 ? -Errno.EINVAL : 0;
        if (mode == Local || (mode == Preferred && nodes == 0))
        {
            if (nodes != 0 || (flags & fixedNodes) != 0)
                return -Errno.EINVAL;
            mode = Local;
        }
        // Relative nodes are counted among those that there are, which is one.
        else if (nodes == 0 || ((flags & RelativeNodes) == 0 && (nodes & WithMemory) == 0))
        {
            return -Errno.EINVAL;
        }
        made = new MemoryPolicy(mode, flags, nodes);
        return 0;
    }

    /// <summary>Whether there are such a mode and flags (sanitize_mpol_flags).</summary>
    internal static long CheckMode(int mode)
    {
        int flags = mode & (StaticNodes | RelativeNodes | Balancing);
        mode &= ~flags;
        return (uint)mode > WeightedInterleave || (flags & (StaticNodes | RelativeNodes)) == (StaticNodes | RelativeNodes)
            || ((flags & Balancing) != 0 && mode is not (Bind or PreferredMany)) ? -Errno.EINVAL : 0;
    }

    /// <summary>As /proc/PID/numa_maps has it (mpol_to_str).</summary>
    internal static string Text(MemoryPolicy? policy)
    {
        if (policy is null)
            return "default";
        string name = policy.Mode switch
        {
            Preferred => "prefer",
            Bind => "bind",
            Interleave => "interleave",
            Local => "local",
            PreferredMany => "prefer (many)",
            _ => "weighted interleave",
        };
        string flags = (policy.Flags & (StaticNodes | RelativeNodes)) switch { 0 => "", StaticNodes => "=static", _ => "=relative" };
        if ((policy.Flags & Balancing) != 0)
            flags += (flags.Length == 0 ? "=" : "|") + "balancing";
        return name + flags + (policy.Mode == Local ? "" : ":0");
    }
}
