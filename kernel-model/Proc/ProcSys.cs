using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/sys (kernel/sysctl.c and its like): what programs read of it.</summary>
internal static class ProcSys
{
    /// <summary>Fills the directory in.</summary>
    public static void Fill(ProcParts parts, DynamicDirectory sys)
    {
        DynamicDirectory directory = sys.AddDirectory("kernel");
        directory.AddText("osrelease", () => Uts.Release + "\n");
        directory.AddText("hostname", () => parts.Uts.Host + "\n");
        directory.AddText("domainname", () => parts.Uts.Domain + "\n");
        directory.AddText("ostype", () => "Linux\n");
        directory.AddText("version", () => Uts.Version + "\n");
        directory.AddText("pid_max", () => "32768\n");
        directory.AddText("threads-max", () => "15640\n");
        directory.AddText("ngroups_max", () => "65536\n");
        directory.AddText("cap_last_cap", () => "40\n");
        directory.AddText("core_pattern", () => "core\n");
        directory.AddText("core_uses_pid", () => "0\n");
        directory.AddText("randomize_va_space", () => "0\n");
        directory.AddText("overflowuid", () => "65534\n");
        directory.AddText("overflowgid", () => "65534\n");
        directory.AddText("perf_event_paranoid", () => "2\n");
        directory.AddText("sched_rt_runtime_us", () => "950000\n");
        directory.AddText("shmmax", () => "18446744073692774399\n");
        directory.AddText("shmall", () => "18446744073692774399\n");
        directory.AddText("shmmni", () => "4096\n");
        directory.AddText("sem", () => "32000\t1024000000\t500\t32000\n");
        directory.AddText("msgmax", () => "8192\n");
        directory.AddText("msgmnb", () => "16384\n");
        directory.AddText("msgmni", () => "32000\n");
        DynamicDirectory random = directory.AddDirectory("random");
        random.AddText("uuid", () => Uuid(parts) + "\n");
        string? bootId = null;
        random.AddText("boot_id", () => (bootId ??= Uuid(parts)) + "\n");
        random.AddText("entropy_avail", () => "256\n");
        random.AddText("poolsize", () => "256\n");
        DynamicDirectory vm = sys.AddDirectory("vm");
        vm.AddText("overcommit_memory", () => "0\n");
        vm.AddText("overcommit_ratio", () => "50\n");
        vm.AddText("max_map_count", () => "65530\n");
        vm.AddText("mmap_min_addr", () => "65536\n");
        vm.AddText("nr_hugepages", () => "0\n");
        vm.AddText("swappiness", () => "60\n");
        DynamicDirectory files = sys.AddDirectory("fs");
        files.AddText("file-max", () => "9223372036854775807\n");
        files.AddText("file-nr", () => "128\t0\t9223372036854775807\n");
        files.AddText("nr_open", () => "1048576\n");
        files.AddText("pipe-max-size", () => "1048576\n");
        DynamicDirectory inotify = files.AddDirectory("inotify");
        inotify.AddText("max_user_watches", () => "65536\n");
        inotify.AddText("max_user_instances", () => "128\n");
        inotify.AddText("max_queued_events", () => "16384\n");
        DynamicDirectory net = sys.AddDirectory("net");
        DynamicDirectory core = net.AddDirectory("core");
        core.AddText("somaxconn", () => "4096\n");
        core.AddText("rmem_max", () => "212992\n");
        core.AddText("wmem_max", () => "212992\n");
        DynamicDirectory ipv4 = net.AddDirectory("ipv4");
        ipv4.AddText("ip_local_port_range", () => "32768\t60999\n");
        ipv4.AddText("tcp_fin_timeout", () => "60\n");
    }

    private static string Uuid(ProcParts parts)
    {
        Span<byte> b = stackalloc byte[16];
        parts.Random.Fill(b);
        b[6] = (byte)((b[6] & 0xF) | 0x40);
        b[8] = (byte)((b[8] & 0x3F) | 0x80);
        string hex = Convert.ToHexStringLower(b);
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }
}
