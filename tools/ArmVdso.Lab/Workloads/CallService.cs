using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.Workloads;

/// <summary>What a vDSO could do for a system call.</summary>
public enum Service
{
    /// <summary>Changes state, moves data, waits, or needs more than the caller may see: the kernel must be entered.</summary>
    Never,

    /// <summary>Returns state of the calling task or process that changes only at points which the kernel knows; a data page
    /// for each process or thread could answer it, and no design here does.</summary>
    Candidate,

    /// <summary>A design here answers it.</summary>
    Design,

    /// <summary>Linux's own vDSO answers it.</summary>
    Stock,
}

/// <summary>Which system calls a vDSO serves, could serve, or never can. The middle group is an analysis of what each call
/// reads (Linux 6.1 sources named in the table), not a measurement.</summary>
public static class CallService
{
    /// <summary>Prefix of the vDSO's functions.</summary>
    internal const string SymbolPrefix = VdsoCall.SymbolPrefix;

    private static readonly Dictionary<string, int> Numbers = SyscallTable.All.ToDictionary(r => r.Name, r => r.Number);

    private static readonly HashSet<string> Stock = [.. VdsoCalls.All.Where(c => c.IsStock).Select(c => c.Name)];

    private static readonly HashSet<string> Designs = [.. VdsoCalls.All.Where(c => !c.IsStock).Select(c => c.Name)];

    /// <summary>Call to the reason why it is a candidate, with where Linux 6.1 reads the answer.</summary>
    private static readonly Dictionary<string, string> Candidates = new()
    {
        ["getresuid"] = "credentials (kernel/sys.c)",
        ["getresgid"] = "credentials (kernel/sys.c)",
        ["getgroups"] = "credentials, up to 65536 entries (kernel/groups.c)",
        ["getpriority"] = "of itself: changes in setpriority, nice (kernel/sys.c)",
        ["sched_getscheduler"] = "of itself (kernel/sched/core.c)",
        ["sched_getparam"] = "of itself (kernel/sched/core.c)",
        ["sched_get_priority_min"] = "constant (kernel/sched/core.c)",
        ["sched_getaffinity"] = "of itself: changes in sched_setaffinity and with hotplug (kernel/sched/core.c)",
        ["getrlimit"] = "process limits (kernel/sys.c)",
        ["uname"] = "changes in sethostname, setdomainname (kernel/sys.c)",
        ["times"] = "only with the running time of the CPU (kernel/sys.c)",
        ["get_robust_list"] = "of itself (kernel/futex/syscalls.c)",
    };

    /// <summary>Number of a system call by name, or null.</summary>
    internal static int? NumberOf(string name) => Numbers.TryGetValue(name, out int number) ? number : null;

    /// <summary>What a vDSO could do for a call.</summary>
    public static Service Of(string name) =>
        Stock.Contains(name) ? Service.Stock : Designs.Contains(name) ? Service.Design : Candidates.ContainsKey(name) ? Service.Candidate
            : Service.Never;

    /// <summary>Why a call is a candidate; empty for the others.</summary>
    public static string Reason(string name) => Candidates.GetValueOrDefault(name, "");

    /// <summary>Arguments that Linux declares (SYSCALL_DEFINE0 to 6), or -1 for a number that has no row here.</summary>
    public static int Class(int number) =>
        SyscallTable.Find(number) is { } row ? row.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length : -1;
}
