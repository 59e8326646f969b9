using System.Net;
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
    internal uint Mtu { get; set; } = UsualMtu;

    /// <inheritdoc cref="Mtu"/>
    internal uint QueueLength { get; set; } = UsualQueue;

    /// <summary>Addresses of the loopback, with the bits of their networks.</summary>
    internal List<(IPAddress Address, int Prefix)> Addresses { get; } = [];

    /// <summary>Numbers of /proc/sys/net that somebody has written, by their path there.</summary>
    internal Dictionary<string, int> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether an identity may change it (ns_capable with CAP_NET_ADMIN).</summary>
    internal bool IsAdministeredBy(Credentials who) =>
        who.HasInNamespace(Capability.NetAdmin) && OwnerSpace.IsWithin(who.UserNamespace);

    /// <summary>ip link set lo up or down: up, it has the addresses that every loopback has (inetdev_event, init_loopback); down, it keeps
    /// those of IPv4.</summary>
    internal void SetUp(bool up)
    {
        if (up == IsUp)
            return;
        IsUp = up;
        if (up && !Addresses.Exists(a => a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork))
            Addresses.Insert(0, (IPAddress.Loopback, 8));
        if (up && !Has(IPAddress.IPv6Loopback, 128))
            Addresses.Add((IPAddress.IPv6Loopback, 128));
        if (!up)
            Addresses.RemoveAll(a => a.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6);
    }

    /// <summary>Whether the loopback has an address already: one of IPv6 it has once, whatever its network (ipv6_add_addr).</summary>
    internal bool Has(IPAddress address, int prefix) => Addresses.Exists(a => a.Address.Equals(address)
        && (a.Prefix == prefix || address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6));

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
