namespace ArmVdso.Kernel.Namespaces;

/// <summary>A UTS namespace: the names of the machine that can be set (kernel/utsname.c).</summary>
/// <param name="number">Number in nsfs.</param>
/// <param name="owner">The user namespace that it belongs to.</param>
/// <param name="host">nodename.</param>
/// <param name="domain">domainname.</param>
public sealed class UtsNamespace(uint number, UserNamespace owner, string host, string domain) : INamespace
{
    /// <summary>Number of the first one (PROC_UTS_INIT_INO).</summary>
    internal const uint InitialNumber = 4026531838;

    /// <summary>The first one.</summary>
    internal UtsNamespace(string host) : this(InitialNumber, UserNamespace.Initial, host, "(none)")
    {
    }

    /// <inheritdoc/>
    public string Kind => "uts";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWUTS;

    /// <inheritdoc/>
    public uint Number => number;

    /// <inheritdoc/>
    public UserNamespace OwnerSpace => owner;

    /// <summary>nodename, changed by sethostname.</summary>
    public string Host { get; set; } = host;

    /// <summary>domainname, changed by setdomainname.</summary>
    public string Domain { get; set; } = domain;
}
