using System.IO.Compression;
using System.Text;

namespace ArmVdso.Kernel.Abi;

/// <summary>/proc/config.gz and /boot/config-RELEASE: what of Linux is modelled here, as options of its configuration
/// (CONFIG_IKCONFIG_PROC).</summary>
internal static class KernelConfig
{
    private static readonly string[] Set =
    [
        "64BIT", "ADVISE_SYSCALLS", "AIO", "ARM64", "ARM64_4K_PAGES", "ARM64_PTR_AUTH", "ARM64_BTI", "ARM64_TAGGED_ADDR_ABI",
        "BINFMT_ELF", "BINFMT_SCRIPT", "BLK_DEV_LOOP", "BLOCK", "BUG", "CROSS_MEMORY_ATTACH", "DEVTMPFS", "DNOTIFY", "EPOLL", "EVENTFD",
        "FANOTIFY", "FANOTIFY_ACCESS_PERMISSIONS", "FILE_LOCKING", "FUTEX", "FUTEX_PI", "GENERIC_VDSO_TIME_NS", "HIGH_RES_TIMERS",
        "IKCONFIG", "IKCONFIG_PROC", "INET", "INOTIFY_USER", "IPV6", "KCMP", "IPC_NS", "KEYS", "MEMBARRIER", "MEMFD_CREATE", "MMU",
        "MULTIUSER", "NAMESPACES", "NET", "NET_NS", "NO_HZ_IDLE", "PERF_EVENTS", "PID_NS", "POSIX_MQUEUE", "POSIX_TIMERS",
        "PRINTK", "PROC_FS", "PROC_PAGE_MONITOR", "PROC_SYSCTL", "RSEQ", "SHMEM", "SIGNALFD", "SMP", "SYSCTL",
        "SYSFS", "SYSVIPC", "SYSVIPC_SYSCTL", "TIMERFD", "TIME_NS", "TMPFS", "TMPFS_XATTR", "TTY", "UNIX", "UNIX98_PTYS", "USER_NS",
        "HAVE_ARCH_USERFAULTFD_WP", "USERFAULTFD", "UTS_NS", "CHECKPOINT_RESTORE", "FHANDLE", "SECCOMP", "SECCOMP_FILTER",
        "SECURITY", "SECURITY_LANDLOCK", "NUMA",
    ];

    private static readonly string[] NotSet =
    [
        "ARM64_MTE", "ARM64_SVE", "ASYMMETRIC_KEY_TYPE", "AUDIT", "BPF_SYSCALL", "BSD_PROCESS_ACCT", "CGROUPS", "COMPAT",
        "HUGETLBFS", "IO_URING", "KALLSYMS", "KEXEC", "KSM", "MODULES", "QUOTA", "SWAP",
        "TRANSPARENT_HUGEPAGE",
    ];

    /// <summary>The configuration as text.</summary>
    /// <param name="preempt">CONFIG_PREEMPT in place of CONFIG_PREEMPT_VOLUNTARY.</param>
    /// <param name="auxiliaryClocks">CONFIG_POSIX_AUX_CLOCKS, of a newer Linux: without, the option is not there.</param>
    internal static string Text(bool preempt, bool auxiliaryClocks = false)
    {
        var text = new StringBuilder($"#\n# Linux/arm64 {Uts.Release} Kernel Configuration, as far as it is modelled\n#\n");
        foreach (string option in Set.Append(preempt ? "PREEMPT" : "PREEMPT_VOLUNTARY")
            .Concat(auxiliaryClocks ? ["POSIX_AUX_CLOCKS"] : []))
            text.Append($"CONFIG_{option}=y\n");
        text.Append("CONFIG_HZ_250=y\nCONFIG_HZ=250\nCONFIG_NR_CPUS=64\nCONFIG_ARM64_VA_BITS=48\n");
        foreach (string option in NotSet.Append(preempt ? "PREEMPT_VOLUNTARY" : "PREEMPT"))
            text.Append($"# CONFIG_{option} is not set\n");
        return text.ToString();
    }

    /// <summary>A text compressed; a byte a char.</summary>
    internal static string Compressed(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, true))
            gzip.Write(Encoding.ASCII.GetBytes(text));
        return Encoding.Latin1.GetString(bytes.ToArray());
    }
}
