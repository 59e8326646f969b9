using System.Net;
using System.Net.Sockets;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A network namespace (struct net): an interface, the loopback, with its addresses, and the names of sockets. The first one's
/// loopback is up; another's is down and has no address until somebody sets it up.</summary>
public sealed class NetworkNamespace : INamespace
{
    /// <summary>Number of the first one.</summary>
    internal const uint InitialNumber = 4026531841;

    private const int UsualMtu = 65536, UsualQueue = 1000;

    internal NetworkNamespace(Vfs vfs, uint number, UserNamespace owner)
    {
        (Number, OwnerSpace) = (number, owner);
        Sockets = new SocketTable(vfs, this);
        if (number == InitialNumber)
            SetUp(true);
    }

    /// <inheritdoc/>
    public string Kind => "net";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWNET;

    /// <inheritdoc/>
    public uint Number { get; }

    /// <inheritdoc/>
    public UserNamespace OwnerSpace { get; }

    /// <summary>Names of its sockets.</summary>
    internal SocketTable Sockets { get; }

    /// <summary>IFF_UP of the loopback.</summary>
    internal bool IsUp { get; private set; }

    /// <summary>Largest packet of the loopback, in bytes, and the length of its queue.</summary>
    internal uint Mtu { get; private set; } = UsualMtu;

    /// <inheritdoc cref="Mtu"/>
    internal uint QueueLength { get; private set; } = UsualQueue;

    /// <summary>ip link set lo mtu (dev_set_mtu).</summary>
    internal void SetMtu(uint bytes)
    {
        bool changes = Mtu != bytes;
        Mtu = bytes;
        if (changes)
            TellLink();
    }

    private void TellLink()
    {
        if (Sockets.HasListeners(0))
            new RouteNetlink(this, false, 0, 0, _ => { }).TellLink(0);
    }

    /// <summary>ip link set lo txqueuelen (dev_change_tx_queue_len).</summary>
    internal void SetQueueLength(uint packets)
    {
        bool changes = QueueLength != packets;
        QueueLength = packets;
        if (changes)
            TellLink();
    }

    /// <summary>Addresses of the loopback, with the bits of their networks.</summary>
    internal List<(IPAddress Address, int Prefix)> Addresses { get; } = [];

    /// <summary>Packets and bytes that the loopback has carried: out, and in again.</summary>
    internal (ulong Packets, ulong Bytes) Carried { get; private set; }

    /// <summary>The loopback carries packets.</summary>
    /// <param name="bytes">Bytes of each, with the header of IP.</param>
    /// <param name="packets">How many.</param>
    internal void Carry(int bytes, int packets = 1) =>
        Carried = (Carried.Packets + (ulong)packets, Carried.Bytes + (ulong)((long)bytes * packets));

    /// <summary>Numbers of /proc/sys/net that somebody has written, by their path there.</summary>
    internal Dictionary<string, int> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether an identity may change it (ns_capable with CAP_NET_ADMIN).</summary>
    internal bool IsAdministeredBy(Credentials who) => Grants(who, Capability.NetAdmin);

    /// <summary>Whether an identity has a capability over it (ns_capable).</summary>
    internal bool Grants(Credentials who, int capability) =>
        who.HasInNamespace(capability) && OwnerSpace.IsWithin(who.UserNamespace);

    /// <summary>ip link set lo up or down: up, it has the addresses that every loopback has (inetdev_event, init_loopback); down, it keeps
    /// those of IPv4.</summary>
    internal void SetUp(bool up)
    {
        if (up == IsUp)
            return;
        bool heard = Sockets.HasListeners(0);
        var teller = new RouteNetlink(this, false, 0, 0, _ => { });
        IReadOnlyList<RouteNetlink.Route> before = heard ? teller.Snapshot() : [];
        IsUp = up;
        if (heard)
            teller.TellLink(1);
        if (up)
        {
            Queueing = "noqueue";
            _networkRoutes.UnionWith(Addresses);
            if (heard)
                teller.TellUp(before);
            if (!Addresses.Exists(a => a.Address.AddressFamily == AddressFamily.InterNetwork))
                Add((IPAddress.Loopback, 8), 0, 0);
            if (!Has(IPAddress.IPv6Loopback, 128))
                Add((IPAddress.IPv6Loopback, 128), 0, 0);
            return;
        }
        var gone = Addresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetworkV6).ToArray();
        Addresses.RemoveAll(a => a.Address.AddressFamily == AddressFamily.InterNetworkV6);
        _networkRoutes.ExceptWith(gone);
        if (heard)
            teller.TellDown(before, gone);
    }

    private readonly HashSet<(IPAddress Address, int Prefix)> _networkRoutes = [];

    /// <summary>Whether the network of an address has a route: it came, or stayed, while the loopback was up.</summary>
    internal bool HasNetworkRoute(IPAddress address, int prefix) => _networkRoutes.Contains((address, prefix));

    /// <summary>How packets wait: not at all, once it was up.</summary>
    internal string Queueing { get; private set; } = "noop";

    /// <summary>The loopback gets an address.</summary>
    /// <param name="which">The address, and the bits of its network.</param>
    /// <param name="sequence">nlmsg_seq and port of the request; 0: nobody's.</param>
    /// <param name="port">The same.</param>
    internal void Add((IPAddress Address, int Prefix) which, uint sequence, uint port)
    {
        bool six = which.Address.AddressFamily == AddressFamily.InterNetworkV6, own = six && IPAddress.IsLoopback(which.Address);
        // The widest scope first, and the newest first within it (ipv6_link_dev_addr).
        int before = !six || own ? -1 : Addresses.FindIndex(a => a.Address.AddressFamily == AddressFamily.InterNetworkV6);
        Addresses.Insert(before < 0 ? Addresses.Count : before, which);
        if (IsUp && !own)
            _networkRoutes.Add(which);
        if (Sockets.HasListeners(0))
            new RouteNetlink(this, false, sequence, port, _ => { }).TellNew(which.Address, which.Prefix);
    }

    /// <summary>It loses one. False: it has not got it.</summary>
    internal bool Remove((IPAddress Address, int Prefix) which, uint sequence, uint port)
    {
        var teller = new RouteNetlink(this, false, sequence, port, _ => { });
        IReadOnlyList<RouteNetlink.Route> routes = teller.RoutesBefore(which.Address, which.Prefix);
        if (!Addresses.Remove(which))
            return false;
        _networkRoutes.Remove(which);
        teller.TellGone(which.Address, which.Prefix, routes);
        return true;
    }

    /// <summary>Whether the loopback has an address already: one of IPv6 it has once, whatever its network (ipv6_add_addr).</summary>
    internal bool Has(IPAddress address, int prefix) => Addresses.Exists(a => a.Address.Equals(address)
        && (a.Prefix == prefix || address.AddressFamily == AddressFamily.InterNetworkV6));

    /// <summary>Whether what is sent to an address arrives here: the loopback is up, and the address is in a network of it. The whole of
    /// that network is local there (fib_add_ifaddr).</summary>
    internal bool IsLocal(IPAddress ip) =>
        IsUp && Addresses.Exists(a => new IPNetwork(Network(a.Address, a.Prefix), a.Prefix).Contains(ip));

    /// <summary>The first address of a network.</summary>
    internal static IPAddress Network(IPAddress address, int prefix)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = prefix; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }
}
