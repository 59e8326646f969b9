namespace ArmVdso.Kernel.Abi;

/// <summary>Options of prctl that also other calls look at (include/uapi/linux/prctl.h).</summary>
public static class PrctlOptions
{
#pragma warning disable CS1591
    public const int PR_SET_KEEPCAPS = 8, PR_GET_TIMERSLACK = 30, PR_SET_NO_NEW_PRIVS = 38;
#pragma warning restore CS1591
}
