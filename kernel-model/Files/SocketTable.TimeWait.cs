using System.Net;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>What is left of a connection of TCP whose socket is closed, and which waits for the other end's last bytes or for old ones to
/// die out (struct inet_timewait_sock).</summary>
internal sealed class TimeWait
{
    /// <summary>What the socket was called.</summary>
    internal required byte[] Local { get; init; }

    /// <summary>What it was connected to.</summary>
    internal required byte[] Peer { get; init; }

    /// <summary>Its family.</summary>
    internal required int Domain { get; init; }

    /// <summary>Who may share its port: SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY of the socket.</summary>
    internal required (bool Address, bool Port, bool OnlySix) Sharing { get; init; }

    /// <summary>FIN_WAIT2 or TIME_WAIT.</summary>
    internal int State { get; set; }

    /// <summary>When it was last heard of, and when it ends, in ns of CLOCK_MONOTONIC.</summary>
    internal (ulong Since, ulong Until) Time { get; set; }
}

/// <summary>Connections of which one side is closed and not yet forgotten (net/ipv4/tcp_minisocks.c). They end when somebody looks.
/// </summary>
internal sealed partial class SocketTable
{
    /// <summary>TCP_TIMEWAIT_LEN, in ns.</summary>
    private const ulong WaitNs = 60_000_000_000;

    // What the host keeps for one.
    private const int WaitBytes = 512;

    private readonly LinkedList<TimeWait> _waits = new();

    private ulong NowNs => vfs.Host?.Timekeeper.NowNs ?? 0;

    /// <summary>Those that wait, the oldest first.</summary>
    internal IEnumerable<TimeWait> Waits
    {
        get
        {
            ulong now = NowNs;
            foreach (TimeWait wait in _waits.Where(w => w.Time.Until <= now).ToArray())
                Drop(wait);
            return _waits;
        }
    }

    /// <summary>ns that are left.</summary>
    internal ulong LeftOf(TimeWait wait) => wait.Time.Until - NowNs;

    private int? _mostWaits;

    /// <summary>net.ipv4.tcp_max_tw_buckets: without more said half of a hash table that has an entry for each 128 KiB of RAM.</summary>
    internal int MostWaits
    {
        get => _mostWaits ?? (int)System.Numerics.BitOperations.RoundUpToPowerOf2(vfs.RamPages / 32) / 2;
        set => _mostWaits = value;
    }

    /// <summary>A socket's connection waits from now on (tcp_time_wait). Null: too many do already.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="state">FIN_WAIT2 or TIME_WAIT.</param>
    /// <param name="ns">How long.</param>
    internal TimeWait? Wait(SocketFile socket, int state, ulong ns = WaitNs)
    {
        if (Waits.Count() >= MostWaits || !vfs.TryCharge(WaitBytes))
            return null;
        var wait = new TimeWait
        {
            Local = socket.Local!,
            Peer = socket.Peer!,
            Domain = socket.Domain,
            Sharing = (socket.GetFlag(1, 2), socket.GetFlag(1, 15), socket.IsForSixAlone),
            State = state,
            Time = (NowNs, NowNs + ns),
        };
        _waits.AddLast(wait);
        return wait;
    }

    /// <summary>The other end of one has closed, too. False: it has ended before.</summary>
    internal bool Ends(TimeWait wait)
    {
        if (!Waits.Contains(wait))
            return false;
        (wait.State, wait.Time) = (SocketFile.TimeWaiting, (NowNs, NowNs + WaitNs));
        return true;
    }

    /// <summary>Nothing is left of one: it was reset, or a new connection takes its place.</summary>
    internal void Drop(TimeWait wait)
    {
        if (_waits.Remove(wait))
            vfs.Charge(-WaitBytes);
    }

    /// <summary>The one of a connection's two names; null: none.</summary>
    internal TimeWait? FindWait(IPAddress local, int localPort, IPAddress peer, int peerPort)
    {
        return Waits.FirstOrDefault(w => Is(w.Local, local, localPort) && Is(w.Peer, peer, peerPort));

        static bool Is(byte[] name, IPAddress ip, int port) =>
            Inet(name) is var (own, ownPort) && ownPort == port && Plain(own).Equals(Plain(ip));
    }

    /// <summary>Whether a new connection may take the place of one: on the loopback that is old enough that time stamps tell both apart
    /// (tcp_twsk_unique with net.ipv4.tcp_tw_reuse of 2).</summary>
    internal bool GivesWay(TimeWait wait)
    {
        const ulong second = 1_000_000_000;
        int reuse = network.Settings.GetValueOrDefault("net/ipv4/tcp_tw_reuse", 2);
        return wait.State == SocketFile.TimeWaiting && (reuse == 1 || (reuse == 2 && IPAddress.IsLoopback(Plain(Inet(wait.Local).Address))))
            && NowNs / second > wait.Time.Since / second;
    }

    private static IPAddress Plain(IPAddress ip) => ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;

    /// <summary>Whether two names with one port stand for an address in common (inet_rcv_saddr_equal).</summary>
    private static bool Overlap(IPAddress one, bool oneForSixAlone, IPAddress other, bool otherForSixAlone)
    {
        (one, other) = (Plain(one), Plain(other));
        if (one.AddressFamily == other.AddressFamily)
            return one.Equals(other) || IsAny(one) || IsAny(other);
        return one.Equals(IPAddress.IPv6Any) ? !oneForSixAlone : other.Equals(IPAddress.IPv6Any) && !otherForSixAlone;
    }

    /// <summary>Whether somebody has a port in a way that another socket cannot share (inet_csk_bind_conflict).</summary>
    internal bool Conflicts(SocketFile socket, IPAddress ip, int port)
    {
        bool shares = socket.GetFlag(1, 2), sharesPort = socket.GetFlag(1, 15);
        foreach (SocketFile other in _ports.GetValueOrDefault((socket.Protocol, port)) ?? [])
        {
            bool together = (sharesPort && other.GetFlag(1, 15) && socket.Credentials.Uid == other.Credentials.Uid)
                || (shares && other.GetFlag(1, 2) && (socket.Kind == SOCK_DGRAM || !other.IsListening));
            if (other != socket && !together && Overlap(ip, socket.IsForSixAlone, Inet(other.Local!).Address, other.IsForSixAlone))
                return true;
        }
        return socket.Kind == SOCK_STREAM && Waits.Any(w => Inet(w.Local).Port == port && !(shares && w.Sharing.Address)
            && !(sharesPort && w.Sharing.Port) && Overlap(ip, socket.IsForSixAlone, Inet(w.Local).Address, w.Sharing.OnlySix));
    }

    /// <summary>A socket has the port of its name; one that was accepted has its listener's.</summary>
    internal void Share(SocketFile socket)
    {
        (int, int) key = (socket.Protocol, Inet(socket.Local!).Port);
        if (!_ports.TryGetValue(key, out List<SocketFile>? bound))
            _ports[key] = bound = [];
        bound.Add(socket);
    }

    /// <summary>A port of the ephemeral range that nobody has; 0: there is none.</summary>
    /// <param name="protocol">IPPROTO_*.</param>
    /// <param name="evenWaiting">One that connections wait with will do.</param>
    private int FreePort(int protocol, bool evenWaiting)
    {
        (int first, int last) = Ephemeral;
        HashSet<int> waiting = protocol == IPPROTO_TCP && !evenWaiting ? [.. Waits.Select(w => Inet(w.Local).Port)] : [];
        for (int n = first; n <= last; n++)
        {
            int port = _nextPort < first || _nextPort > last ? first : _nextPort;
            _nextPort = port == last ? first : port + 1;
            if (!_ports.ContainsKey((protocol, port)) && !waiting.Contains(port))
                return port;
        }
        return 0;
    }
}
