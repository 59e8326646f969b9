using System.Globalization;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/sys/net: of each network namespace its own, but for the sizes of buffers. Where nothing is said to the contrary a number
/// is kept and changes nothing, since no segment is ever lost or late on the loopback.</summary>
internal static class ProcSysNet
{
    /// <summary>Fills the directory in.</summary>
    internal static void Fill(DynamicDirectory net)
    {
        Vfs vfs = net.Fs.Vfs;
        SocketTable Table() => vfs.CurrentNetwork.Sockets;
        DynamicDirectory core = net.AddDirectory("core");
        ProcSys.Kept(core, "somaxconn", () => Table().MostBacklog, n => Table().MostBacklog = n, int.MaxValue, 0);
        BufferSizes sizes = vfs.BufferSizes;
        ProcSys.Kept(core, "rmem_max", () => sizes.MostReceived, n => sizes.MostReceived = n, int.MaxValue, SocketBuffers.LeastReceive);
        ProcSys.Kept(core, "wmem_max", () => sizes.MostSent, n => sizes.MostSent = n, int.MaxValue, SocketBuffers.LeastSend);
        ProcSys.Kept(core, "rmem_default", () => sizes.Received, n => sizes.Received = n, int.MaxValue, SocketBuffers.LeastReceive);
        ProcSys.Kept(core, "wmem_default", () => sizes.Sent, n => sizes.Sent = n, int.MaxValue, SocketBuffers.LeastSend);
        KeptByNetwork(core, ("optmem_max", 131072), ("netdev_max_backlog", 1000), ("busy_poll", 0), ("busy_read", 0));
        DynamicDirectory unix = net.AddDirectory("unix");
        ProcSys.Kept(unix, "max_dgram_qlen", () => Table().MostDatagrams, n => Table().MostDatagrams = n, int.MaxValue, 0);
        FillFour(vfs, Table, net.AddDirectory("ipv4"));
        DynamicDirectory six = net.AddDirectory("ipv6");
        ProcSys.Kept(six, "bindv6only", () => Table().OnlySix ? 1 : 0, n => Table().OnlySix = n != 0, 1, 0);
        KeptByNetwork(six, ("ip_nonlocal_bind", 0), ("auto_flowlabels", 1));
        DynamicDirectory conf = six.AddDirectory("conf");
        foreach (string name in (ReadOnlySpan<string>)["all", "default", "lo"])
            KeptByNetwork(conf.AddDirectory(name), ("disable_ipv6", 0), ("forwarding", 0), ("accept_ra", 1), ("accept_redirects", 1),
                ("autoconf", 1), ("hop_limit", 64), ("mtu", name == "lo" ? 65536 : 1280));
    }

    private static void FillFour(Vfs vfs, Func<SocketTable> table, DynamicDirectory four)
    {
        four.Add("ip_local_port_range", Text(four, () => $"{table().Ephemeral.First}\t{table().Ephemeral.Last}", text =>
        {
            if (Numbers(text) is not [> 0 and <= 65535 and var first, <= 65535 and var last] || first > last
                || first < table().FirstUnprivileged)
                return -Errno.EINVAL;
            table().Ephemeral = (first, last);
            return 0;
        }));
        ProcSys.Kept(four, "ip_unprivileged_port_start", () => table().FirstUnprivileged, n => table().FirstUnprivileged = n, 65535, 0);
        four.Add("tcp_congestion_control", Text(four, () => table().Congestion, text =>
        {
            if (text.Trim() is not ("cubic" or "reno"))
                return -Errno.ENOENT;
            table().Congestion = text.Trim();
            return 0;
        }));
        four.AddText("tcp_available_congestion_control", () => "reno cubic\n");
        four.AddText("tcp_allowed_congestion_control", () => "reno cubic\n");
        // A window does not grow from one size to another: what a socket has is net.core's.
        four.AddText("tcp_rmem", () => $"{SocketBuffers.LeastReceive}\t{vfs.BufferSizes.Received}\t{vfs.BufferSizes.MostReceived}\n");
        four.AddText("tcp_wmem", () => $"{SocketBuffers.LeastSend}\t{vfs.BufferSizes.Sent}\t{vfs.BufferSizes.MostSent}\n");
        KeptByNetwork(four, ("tcp_tw_reuse", 2), ("tcp_fin_timeout", 60), ("tcp_keepalive_time", 7200), ("tcp_keepalive_intvl", 75),
            ("tcp_keepalive_probes", 9), ("tcp_syncookies", 1), ("tcp_timestamps", 1), ("ip_forward", 0), ("icmp_ratelimit", 1000),
            ("icmp_ratemask", 6168), ("icmp_echo_ignore_all", 0), ("icmp_echo_ignore_broadcasts", 1), ("icmp_msgs_per_sec", 1000),
            ("icmp_msgs_burst", 50), ("ip_default_ttl", 64), ("tcp_syn_retries", 6), ("tcp_synack_retries", 5), ("tcp_retries1", 3),
            ("tcp_retries2", 15), ("tcp_orphan_retries", 0), ("tcp_max_syn_backlog", 128), ("tcp_sack", 1), ("tcp_dsack", 1),
            ("tcp_window_scaling", 1), ("tcp_ecn", 2), ("tcp_fastopen", 1), ("tcp_slow_start_after_idle", 1), ("tcp_moderate_rcvbuf", 1),
            ("tcp_mtu_probing", 0), ("tcp_no_metrics_save", 0), ("tcp_rfc1337", 0), ("tcp_stdurg", 0), ("tcp_abort_on_overflow", 0),
            ("tcp_autocorking", 1), ("tcp_low_latency", 0), ("ip_nonlocal_bind", 0), ("ip_dynaddr", 0), ("ip_no_pmtu_disc", 0));
        ProcSys.Kept(four, "tcp_max_tw_buckets", () => table().MostWaits, n => table().MostWaits = n, int.MaxValue);
        DynamicDirectory conf = four.AddDirectory("conf");
        foreach (string name in (ReadOnlySpan<string>)["all", "default", "lo"])
            KeptByNetwork(conf.AddDirectory(name), ("tag", 0), ("forwarding", 0), ("rp_filter", 0), ("accept_local", 0),
                ("accept_redirects", 1));
    }

    private static int[] Numbers(string text) => [.. text.Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries)
        .Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : -1)];

    private static TextInode Text(DynamicDirectory directory, Func<string> get, Func<string, long> set) =>
        new(directory.Fs, 0x1A4, () => get() + "\n", set);

    private static void KeptByNetwork(DynamicDirectory directory, params ReadOnlySpan<(string Name, int Value)> numbers)
    {
        Vfs vfs = directory.Fs.Vfs;
        foreach ((string name, int value) in numbers)
        {
            string key = directory.Parent?.Name + "/" + directory.Name + "/" + name;
            ProcSys.Kept(directory, name, () => vfs.CurrentNetwork.Settings.GetValueOrDefault(key, value),
                n => vfs.CurrentNetwork.Settings[key] = n, int.MaxValue);
        }
    }
}
