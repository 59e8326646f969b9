namespace ArmVdso.Kernel.Namespaces;

/// <summary>A namespace of a kind of which there is one: every task is in it.</summary>
/// <param name="kind">Kind, as in /proc/PID/ns.</param>
/// <param name="cloneFlag">CLONE_NEW* bit.</param>
/// <param name="number">Number in nsfs.</param>
internal sealed class SoleNamespace(string kind, ulong cloneFlag, uint number) : INamespace
{
    /// <inheritdoc/>
    public string Kind => kind;

    /// <inheritdoc/>
    public ulong CloneFlag => cloneFlag;

    /// <inheritdoc/>
    public uint Number => number;

    /// <inheritdoc/>
    public UserNamespace? OwnerSpace => UserNamespace.Initial;

    /// <summary>All of them, with the numbers that Linux gives the first ones.</summary>
    internal static IReadOnlyList<SoleNamespace> All { get; } =
        [new("cgroup", CloneFlags.CLONE_NEWCGROUP, 4026531835)];
}
