namespace ArmVdso.Kernel.Abi;

/// <summary>What uname and /proc say about the kernel: the ABI that is modelled.</summary>
public static class Uts
{
    /// <summary>release.</summary>
    public const string Release = "6.12.0";

    /// <summary>version.</summary>
    public const string Version = "#1 SMP ArmVdso";

    /// <summary>machine.</summary>
    public const string Machine = "aarch64";
}
