using System.Globalization;
using System.Net;
using System.Text;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/net: one interface, the loopback, and the sockets of the reader's network namespace (net/core/net-procfs.c,
/// net/ipv4/tcp_ipv4.c, net/unix/af_unix.c).</summary>
internal static class NetworkText
{
    private const int Tcp = SocketTable.IPPROTO_TCP, Udp = SocketTable.IPPROTO_UDP, UdpLite = SocketTable.IPPROTO_UDPLITE;

    internal static void Fill(DynamicDirectory net)
    {
        net.AddText("dev", () =>
            "Inter-|   Receive                                                |  Transmit\n"
            + " face |bytes    packets errs drop fifo frame compressed multicast"
            + "|bytes    packets errs drop fifo colls carrier compressed\n"
            + Carried(net.Fs.Vfs.CurrentNetwork.Carried));
        net.AddText("unix", () => Unix(Sockets()));
        IEnumerable<SocketFile> Sockets() => net.Fs.Vfs.CurrentNetwork.Sockets.All;
        const string header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        const string header6 = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr "
            + "tm->when retrnsmt   uid  timeout inode\n";
        SocketTable Table() => net.Fs.Vfs.CurrentNetwork.Sockets;
        net.AddText("tcp", () => Inet(Sockets(), header, SocketTable.AF_INET, 6, Table()));
        net.AddText("tcp6", () => Inet(Sockets(), header6, SocketTable.AF_INET6, 6, Table()));
        net.AddText("udp", () => Inet(Sockets(), "   sl" + header[4..].TrimEnd('\n') + " ref pointer drops\n", SocketTable.AF_INET, 17));
        net.AddText("udp6", () => Inet(Sockets(), header6.TrimEnd('\n') + " ref pointer drops\n", SocketTable.AF_INET6, 17));
        string lite = header[4..].TrimEnd('\n') + " ref pointer drops\n";
        net.AddText("udplite", () => Inet(Sockets(), "   sl" + lite, SocketTable.AF_INET, UdpLite));
        net.AddText("udplite6", () =>
            Inet(Sockets(), header6.TrimEnd('\n') + " ref pointer drops\n", SocketTable.AF_INET6, UdpLite));
        net.AddText("raw", () => "  sl" + header[4..].TrimEnd('\n') + " ref pointer drops\n");
        net.AddText("sockstat", () => SocketCounts(Sockets(), Table(), false));
        net.AddText("sockstat6", () => SocketCounts(Sockets(), Table(), true));
        net.AddText("snmp", () => Snmp(Sockets()));
        net.AddText("arp", () => "IP address       HW type     Flags       HW address            Mask     Device\n");
        net.AddText("if_inet6", () => string.Concat(net.Fs.Vfs.CurrentNetwork.Addresses.Where(a => a.Address.GetAddressBytes().Length == 16)
            .Select(a => $"{Convert.ToHexStringLower(a.Address.GetAddressBytes())} 01 {a.Prefix:x2} 10 80       lo\n")));
        net.AddText("route", () => "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
    }

    private static string Carried((ulong Packets, ulong Bytes) count) => string.Create(CultureInfo.InvariantCulture,
        $"    lo: {count.Bytes,7} {count.Packets,7}    0    0    0     0          0         0 "
        + $"{count.Bytes,8} {count.Packets,7}    0    0    0     0       0          0\n");

    private static string Unix(IEnumerable<SocketFile> sockets)
    {
        var text = new StringBuilder("Num       RefCount Protocol Flags    Type St Inode Path\n");
        foreach (SocketFile s in sockets.Where(s => s.Domain == SocketTable.AF_UNIX))
        {
            string name = s.Local is { } local && SocketTable.UnixName(local) is { Length: > 0 } path
                ? " " + (path[0] == '\0' ? "@" + path[1..] : path) : "";
            int state = s.State == SocketFile.Established ? 3 : 1; // SS_CONNECTED, SS_UNCONNECTED
            text.Append(CultureInfo.InvariantCulture, $"{0:x16}: {s.References + 1:x8} 00000000 {(s.IsListening ? 0x10000 : 0):x8} ")
                .Append(CultureInfo.InvariantCulture, $"{s.Kind:x4} {state:x2} {s.NumberShown,5}{name}\n");
        }
        return text.ToString();
    }

    private static string Inet(IEnumerable<SocketFile> sockets, string header, int domain, int protocol, SocketTable? waits = null)
    {
        // Lines of IPv4 are as long as each other (seq_setwidth).
        int width = domain == SocketTable.AF_INET6 ? 0 : protocol == 6 ? 149 : 127;
        var text = new StringBuilder(header.TrimEnd('\n').PadRight(width)).Append('\n');
        int n = 0;
        void Add(string line) => text.Append($"{n++,4}: {line}".PadRight(width)).Append('\n');
        foreach (SocketFile s in sockets.Where(s => s.Domain == domain && s.IsHashed && s.Protocol == protocol))
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{Address(s.Local, domain)} {Address(s.Peer, domain)} {s.State:X2} ")
                + string.Create(CultureInfo.InvariantCulture, $"{s.Queued.Out:X8}:{s.Queued.In:X8} 00:00000000 00000000 ")
                + string.Create(CultureInfo.InvariantCulture, $"{s.Credentials.Uid,5}        0 {s.NumberShown} ")
                + (protocol == 6 ? "1 0000000000000000 100 0 0 10 0" : "2 0000000000000000 0"));
        }
        // Whose socket is closed has nothing but a timer (get_timewait4_sock), in hundredths of a second.
        foreach (TimeWait w in waits?.Waits.Where(w => w.Domain == domain) ?? [])
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{Address(w.Local, domain)} {Address(w.Peer, domain)} {w.State:X2} ")
                + string.Create(CultureInfo.InvariantCulture, $"00000000:00000000 03:{waits!.LeftOf(w) / 10_000_000:X8} ")
                + "00000000     0        0 0 3 0000000000000000");
        }
        return text.ToString();
    }

    /// <summary>/proc/net/sockstat and sockstat6 (net/ipv4/proc.c).</summary>
    private static string SocketCounts(IEnumerable<SocketFile> sockets, SocketTable table, bool six)
    {
        SocketFile[] all = [.. sockets];
        int domain = six ? SocketTable.AF_INET6 : SocketTable.AF_INET;
        int Count(int protocol) => all.Count(s => s.Domain == domain && s.Protocol == protocol && s.IsHashed);
        if (six)
            return $"TCP6: inuse {Count(Tcp)}\nUDP6: inuse {Count(Udp)}\n"
                + $"UDPLITE6: inuse {Count(UdpLite)}\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n";
        int made = all.Count(s => s.Protocol == Tcp && s.Domain is SocketTable.AF_INET or SocketTable.AF_INET6);
        return $"sockets: used {all.Length}\nTCP: inuse {Count(Tcp)} orphan 0 tw {table.Waits.Count()} alloc {made} mem 0\n"
            + $"UDP: inuse {Count(Udp)} mem 0\nUDPLITE: inuse {Count(UdpLite)}\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n";
    }

    /// <summary>/proc/net/snmp: of TCP what is known; no segment is counted.</summary>
    private static string Snmp(IEnumerable<SocketFile> sockets) =>
        "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn CurrEstab\n"
        + $"Tcp: 1 200 120000 -1 {sockets.Count(s => s.Protocol == Tcp && s.State is SocketFile.Established or SocketFile.CloseWait)}\n";

    private static string Address(byte[]? socket, int domain)
    {
        (IPAddress ip, int port) = socket is null ? (domain == SocketTable.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any, 0)
            : SocketTable.Inet(socket);
        byte[] bytes = ip.GetAddressBytes();
        var text = new StringBuilder();
        for (int i = 0; i < bytes.Length; i += 4)
            text.Append(BitConverter.ToUInt32(bytes, i).ToString("X8", CultureInfo.InvariantCulture));
        return text.Append(':').Append(port.ToString("X4", CultureInfo.InvariantCulture)).ToString();
    }
}
