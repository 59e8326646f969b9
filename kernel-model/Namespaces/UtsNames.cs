namespace ArmVdso.Kernel.Namespaces;

/// <summary>The names of the machine that can be set (kernel/utsname.c): there is one UTS namespace.</summary>
public sealed class UtsNames(string host)
{
    /// <summary>nodename, changed by sethostname.</summary>
    public string Host { get; set; } = host;

    /// <summary>domainname, changed by setdomainname.</summary>
    public string Domain { get; set; } = "(none)";
}
