namespace ArmVdso.Kernel.Namespaces;

/// <summary>A cgroup namespace: below which control group paths begin (kernel/cgroup/namespace.c). All tasks are in the root group, so
/// that paths are the same in all of them.</summary>
/// <param name="number">Number in nsfs.</param>
/// <param name="owner">The user namespace that it belongs to.</param>
public sealed class CgroupNamespace(uint number, UserNamespace owner) : INamespace
{
    /// <summary>Number of the first one (PROC_CGROUP_INIT_INO).</summary>
    internal const uint InitialNumber = 4026531835;

    /// <inheritdoc/>
    public string Kind => "cgroup";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWCGROUP;

    /// <inheritdoc/>
    public uint Number => number;

    /// <inheritdoc/>
    public UserNamespace OwnerSpace => owner;
}
