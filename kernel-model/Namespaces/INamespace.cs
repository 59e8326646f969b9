namespace ArmVdso.Kernel.Namespaces;

/// <summary>A namespace of any kind, as nsfs shows it.</summary>
public interface INamespace
{
    /// <summary>Kind, as in /proc/PID/ns: pid, user, time...</summary>
    string Kind { get; }

    /// <summary>CLONE_NEW* bit of the kind.</summary>
    ulong CloneFlag { get; }

    /// <summary>Number in nsfs.</summary>
    uint Number { get; }

    /// <summary>The user namespace that it belongs to; null: that of the first user namespace, which belongs to none.</summary>
    UserNamespace? OwnerSpace { get; }
}
