namespace ArmVdso.Kernel.Namespaces;

/// <summary>What a task has forbidden itself and its children, one layer on another (struct landlock_ruleset as a domain,
/// security/landlock/task.c). Immutable: a further restriction is a new domain on top of the old one.</summary>
/// <param name="parent">The layer below; null: none.</param>
/// <param name="scopes">LANDLOCK_SCOPE_* of this layer.</param>
public abstract class AccessDomain(AccessDomain? parent, ulong scopes)
{
    /// <summary>LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL.</summary>
    internal const ulong AbstractSockets = 1, Signals = 2;

    /// <summary>Layers that a domain has at most (LANDLOCK_MAX_NUM_LAYERS).</summary>
    internal const int MostLayers = 16;

    /// <summary>The layer below.</summary>
    internal AccessDomain? Parent => parent;

    /// <summary>Number of layers.</summary>
    internal int Layers { get; } = (parent?.Layers ?? 0) + 1;

    /// <summary>Whether a task may look into another (domain_scope_le): the other is as restricted as it is, or more.</summary>
    internal static bool Covers(AccessDomain? from, AccessDomain? to)
    {
        if (from is null)
            return true;
        while (to is not null && to != from)
            to = to.Parent;
        return to is not null;
    }

    /// <summary>Whether a layer keeps a task from reaching another: one that has the scope and that the other is not in
    /// (domain_is_scoped).</summary>
    internal static bool IsScoped(AccessDomain? from, AccessDomain? to, ulong scope)
    {
        for (AccessDomain? layer = from; layer is not null; layer = layer.Parent)
        {
            if ((layer.Scopes & scope) != 0 && !Covers(layer, to))
                return true;
        }
        return false;
    }

    private ulong Scopes => scopes;
}
