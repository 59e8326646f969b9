using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A mount namespace (struct mnt_namespace, fs/namespace.c): what is mounted where, from a root of its own.</summary>
/// <param name="number">Inode number in nsfs.</param>
/// <param name="owner">The user namespace that it was made in.</param>
public sealed class MountNamespace(uint number, UserNamespace owner) : INamespace
{
    /// <summary>Number of the first one.</summary>
    internal const uint InitialNumber = 4026531840;

    /// <inheritdoc/>
    public string Kind => "mnt";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWNS;

    /// <inheritdoc/>
    public uint Number => number;

    /// <inheritdoc/>
    public UserNamespace OwnerSpace => owner;

    /// <summary>What / is to whoever has not changed it.</summary>
    internal Inode Root { get; set; } = null!;

    /// <summary>The mounts, in the order of mounting.</summary>
    internal List<MountEntry> Entries { get; } = [];

    private int _users;

    /// <summary>A task is in it from now on, or a file keeps it.</summary>
    internal void Enter() => _users++;

    /// <summary>A task or file less; with the last one everything is unmounted (put_mnt_ns). The first namespace stays.</summary>
    internal void Leave()
    {
        if (--_users == 0 && Number != InitialNumber)
            Root.Fs.Vfs.Dissolve(this);
    }

    /// <summary>How often something was mounted, moved or taken off, and who hears of it (pollers of /proc/PID/mounts).</summary>
    internal ulong Changes { get; private set; }

    /// <inheritdoc cref="Changes"/>
    internal PollSource Changed { get; } = new();

    /// <summary>Something was (touch_mnt_namespace).</summary>
    internal void Touch()
    {
        Changes++;
        Changed.Notify(PollBits.Err | PollBits.Pri);
    }
}
