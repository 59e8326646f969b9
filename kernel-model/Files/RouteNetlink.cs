using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>NETLINK_ROUTE (net/core/rtnetlink.c, net/ipv4/devinet.c, fib_frontend.c): the loopback, its addresses, the routes that follow
/// from them and the rules, asked for and as far as they can be changed. Interfaces, routes and rules cannot be made.</summary>
internal sealed partial class RouteNetlink(NetworkNamespace network, bool mayChange, uint sequence, uint port, Action<byte[]> answer)
{
    private const ushort NewLink = 16, DeleteLink = 17, GetLink = 18, SetLink = 19, NewAddress = 20, DeleteAddress = 21, GetAddress = 22,
        NewRoute = 24, GetRoute = 26, GetNeighbour = 30, NewRule = 32, GetRule = 34, NewQdisc = 36,
        GetQdisc = 38;
    private const ushort DumpFlags = 0x300, Replace = 0x100, Exclusive = 0x200, Create = 0x400;
    private const byte InetFamily = SocketTable.AF_INET, Inet6Family = SocketTable.AF_INET6;
    private const int Loopback = 1;
    private const byte HostScope = 254, LocalTable = 255, MainTable = 254, KernelProtocol = 2;
    private bool _dumps;

    /// <summary>Carries a request out: 0 or -errno; null: it was answered to its end, with no acknowledgement (a dump).</summary>
    /// <param name="type">nlmsg_type.</param>
    /// <param name="flags">nlmsg_flags.</param>
    /// <param name="body">What comes after the header.</param>
    internal long? Do(ushort type, ushort flags, ReadOnlySpan<byte> body)
    {
        byte family = body.Length > 0 ? body[0] : (byte)0;
        // The kind of a message is its last two bits: new, delete, get, set.
        bool gets = (type & 3) == 2;
        if (!gets && !mayChange)
            return -Errno.EPERM;
        _dumps = gets && (flags & DumpFlags) != 0;
        if (_dumps && type is GetLink or GetAddress or GetRoute or GetRule or GetNeighbour or GetQdisc)
        {
            Dump(type, family, body);
            answer(new NetlinkMessage(NetlinkMessage.Done, NetlinkMessage.Multi, sequence, port).U32(0).ToArray());
            return null;
        }
        return type switch
        {
            GetLink => Link(body) is < 0 and long missing ? missing : Send(LinkMessage()),
            NewLink or SetLink => ChangeLink(type, flags, body),
            DeleteLink => Link(body) is < 0 and long missing ? missing : -Errno.EOPNOTSUPP,
            NewAddress or DeleteAddress => ChangeAddress(type == NewAddress, flags, body),
            GetRoute => OneRoute(body),
            _ => -Errno.EOPNOTSUPP,
        };
    }

    private long Send(NetlinkMessage message)
    {
        answer(message.ToArray());
        return 0;
    }

    private NetlinkMessage Begin(ushort type) => new(type, _dumps ? NetlinkMessage.Multi : (ushort)0, sequence, port);

    private void Dump(ushort type, byte family, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case GetLink:
                Send(LinkMessage());
                break;
            case GetAddress:
                // IPv4 comes first, in the order of adding; of IPv6 the widest scope, then the newest (ipv6_link_dev_addr).
                foreach ((IPAddress address, int prefix) in network.Addresses.OrderBy(a => FamilyOf(a.Address)))
                {
                    if (family == 0 || family == FamilyOf(address))
                        Send(AddressMessage(address, prefix));
                }
                break;
            case GetRoute:
                int table = body.Length >= 12 ? body[4] : 0;
                foreach (Route route in Routes())
                {
                    if ((family == 0 || family == FamilyOf(route.To)) && (table == 0 || table == route.Table))
                        Send(RouteMessage(route));
                }
                break;
            case GetRule:
                foreach (byte of in (ReadOnlySpan<byte>)[InetFamily, Inet6Family])
                {
                    if (family == 0 || family == of)
                        DumpRules(of);
                }
                break;
            case GetQdisc:
                // struct tcmsg: family, index, handle, parent (TC_H_ROOT), info.
                Send(Begin(NewQdisc).U32(0).U32(Loopback).U32(0).U32(uint.MaxValue).U32(2).Attribute(1, network.Queueing));
                break;
        }
    }

    private static byte FamilyOf(IPAddress address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
        ? Inet6Family : InetFamily;

    /// <summary>Whether a struct ifinfomsg (index 4) or its IFLA_IFNAME means the loopback: 0, -ENODEV or -EINVAL.</summary>
    private static long Link(ReadOnlySpan<byte> body)
    {
        const ushort name = 3;
        if (body.Length < 16)
            return -Errno.EINVAL;
        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        if (index != 0)
            return index == Loopback ? 0 : -Errno.ENODEV;
        return NetlinkMessage.Attributes(body, 16).TryGetValue(name, out byte[]? text)
            ? Encoding.Latin1.GetString(text).TrimEnd('\0') == "lo" ? 0 : -Errno.ENODEV
            : -Errno.EINVAL;
    }

    /// <summary>struct ifinfomsg: family, type (ARPHRD_LOOPBACK), index, flags, change; and the attributes that programs look at.</summary>
    /// <param name="change">Flags that have changed.</param>
    private NetlinkMessage LinkMessage(uint change = 0)
    {
        const ushort hardwareType = 772, address = 1, broadcast = 2, name = 3, mtu = 4, qdisc = 6, stats = 7, queueLength = 13,
            operState = 16, linkMode = 17, stats64 = 23, group = 27, promiscuity = 30, txQueues = 31, rxQueues = 32, carrier = 33;
        // struct rtnl_link_stats64 and rtnl_link_stats: packets in and out, bytes in and out; what goes out comes in.
        Span<byte> counters = stackalloc byte[200], narrow = stackalloc byte[96], zero = stackalloc byte[6];
        counters.Clear();
        narrow.Clear();
        zero.Clear();
        (ulong packets, ulong bytes) = network.Carried;
        for (int at = 0; at < 4; at++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(counters[(at * 8)..], at < 2 ? packets : bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(narrow[(at * 4)..], (uint)(at < 2 ? packets : bytes));
        }
        return Begin(NewLink).U16(0).U16(hardwareType).U32(Loopback).U32(NetworkInterface.FlagsOf(network)).U32(change)
            .Attribute(name, "lo").Attribute(queueLength, network.QueueLength)
            .Attribute(operState, [(byte)(network.IsUp ? 0 : 2)]).Attribute(linkMode, [0]).Attribute(mtu, network.Mtu)
            .Attribute(group, 0u).Attribute(promiscuity, 0u).Attribute(txQueues, 1u).Attribute(rxQueues, 1u).Attribute(carrier, [1])
            .Attribute(qdisc, network.Queueing).Attribute(address, zero).Attribute(broadcast, zero)
            .Attribute(stats64, counters).Attribute(stats, narrow);
    }

    /// <summary>Flags and the size of packets can be changed (do_setlink); no other interface can be made.</summary>
    private long ChangeLink(ushort type, ushort flags, ReadOnlySpan<byte> body)
    {
        const ushort mtu = 4, queueLength = 13;
        const uint up = 1;
        long missing = Link(body);
        // Only to set something, one must say of what.
        if (missing == -Errno.EINVAL && type == NewLink && body.Length >= 16)
            missing = -Errno.ENODEV;
        if (missing == -Errno.ENODEV && type == NewLink && (flags & Create) != 0)
            return -Errno.EOPNOTSUPP;
        if (missing < 0)
            return missing;
        if (type == NewLink && (flags & Exclusive) != 0)
            return -Errno.EEXIST;
        Dictionary<ushort, byte[]> attributes = NetlinkMessage.Attributes(body, 16);
        if (attributes.TryGetValue(mtu, out byte[]? size) && size.Length >= 4)
            network.SetMtu(BitConverter.ToUInt32(size));
        if (attributes.TryGetValue(queueLength, out byte[]? length) && length.Length >= 4)
            network.SetQueueLength(BitConverter.ToUInt32(length));
        uint wanted = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]), change = BinaryPrimitives.ReadUInt32LittleEndian(body[12..]);
        // Without a mask all of the flags are meant, if there are any (rtnl_dev_combine_flags).
        if (change == 0 ? wanted != 0 : (change & up) != 0)
            network.SetUp((wanted & up) != 0);
        return 0;
    }

    /// <summary>struct ifaddrmsg: family, prefix, flags, scope, index.</summary>
    private NetlinkMessage AddressMessage(IPAddress address, int prefix, ushort type = NewAddress, byte more = 0)
    {
        const ushort peer = 1, local = 2, label = 3, cache = 6, allFlags = 8;
        const byte permanent = 0x80;
        byte[] bytes = address.GetAddressBytes();
        byte scope = IPAddress.IsLoopback(address) ? HostScope : (byte)0;
        NetlinkMessage message = Begin(type).U8(FamilyOf(address)).U8((byte)prefix).U8((byte)(permanent | more)).U8(scope).U32(Loopback)
            .Attribute(peer, bytes);
        if (bytes.Length == 4)
            message.Attribute(local, bytes).Attribute(label, "lo");
        Span<byte> lifetimes = stackalloc byte[16];
        lifetimes[..8].Fill(0xFF);
        lifetimes[8..].Clear();
        return message.Attribute(allFlags, (uint)(permanent | more)).Attribute(cache, lifetimes);
    }

    private long ChangeAddress(bool add, ushort flags, ReadOnlySpan<byte> body)
    {
        const ushort peer = 1, local = 2;
        const int most = 1024;
        if (body.Length < 8)
            return -Errno.EINVAL;
        if (BinaryPrimitives.ReadInt32LittleEndian(body[4..]) != Loopback)
            return -Errno.ENODEV;
        Dictionary<ushort, byte[]> attributes = NetlinkMessage.Attributes(body, 8);
        if (!attributes.TryGetValue(local, out byte[]? bytes) && !attributes.TryGetValue(peer, out bytes))
            return -Errno.EINVAL;
        if (bytes.Length != (body[0] == Inet6Family ? 16 : 4) || body[0] is not (InetFamily or Inet6Family) || body[1] > bytes.Length * 8)
            return -Errno.EINVAL;
        (IPAddress Address, int Prefix) which = (new IPAddress(bytes), body[1]);
        if (!add)
            return network.Remove(which, sequence, port) ? 0 : -Errno.EADDRNOTAVAIL;
        if (network.Has(which.Address, which.Prefix))
            return (flags & (Exclusive | Replace)) == Replace ? 0 : -Errno.EEXIST;
        if (network.Addresses.Count >= most)
            return -Errno.ENOBUFS;
        network.Add(which, sequence, port);
        return 0;
    }

    /// <summary>A route of the loopback.</summary>
    /// <param name="To">First address of where it leads.</param>
    /// <param name="Bits">Bits of it that count.</param>
    /// <param name="Kind">RTN_UNICAST, RTN_LOCAL or RTN_BROADCAST.</param>
    /// <param name="Source">The address that it belongs to.</param>
    internal readonly record struct Route(IPAddress To, int Bits, byte Kind, IPAddress Source)
    {
        internal const byte Unicast = 1, Local = 2, Broadcast = 3;

        internal byte Table => Kind == Unicast ? MainTable : LocalTable;
    }

    /// <summary>All routes: those of IPv4 first.</summary>
    private IEnumerable<Route> Routes() =>
        network.Addresses.OrderBy(a => FamilyOf(a.Address)).SelectMany(a => RoutesOf(a.Address, a.Prefix)).OrderBy(r => r.Table);

    /// <summary>The routes that an address brings: its network, which is local as a whole where it is IPv4's and leads to the loopback
    /// where it is IPv6's; itself; and the broadcast address (fib_add_ifaddr, addrconf_prefix_route). While the loopback is down the
    /// last is missing, and networks that came meanwhile.</summary>
    private IEnumerable<Route> RoutesOf(IPAddress address, int prefix)
    {
        int bits = address.GetAddressBytes().Length * 8;
        bool six = bits == 128, routed = network.HasNetworkRoute(address, prefix);
        if (routed && (six || prefix < bits))
            yield return new Route(NetworkNamespace.Network(address, prefix), prefix, six ? Route.Unicast : Route.Local, address);
        yield return new Route(address, bits, Route.Local, address);
        if (routed && network.IsUp && !six && prefix < 31)
        {
            byte[] last = NetworkNamespace.Network(address, prefix).GetAddressBytes();
            for (int bit = prefix; bit < 32; bit++)
                last[bit / 8] |= (byte)(0x80 >> (bit % 8));
            yield return new Route(new IPAddress(last), 32, Route.Broadcast, address);
        }
    }

    /// <summary>struct rtmsg: family, bits of destination and source, TOS, table, protocol, scope, type, flags.</summary>
    private NetlinkMessage RouteMessage(in Route route, uint flags = 0, ushort type = NewRoute)
    {
        const ushort destination = 1, outInterface = 4, priority = 6, preferredSource = 7, tableNumber = 15, preference = 20;
        const byte linkScope = 253, unspecified = 0;
        bool inet6 = FamilyOf(route.To) == Inet6Family;
        byte scope = inet6 || flags != 0 ? (byte)0 : route.Kind == Route.Broadcast ? linkScope : HostScope;
        NetlinkMessage message = Begin(type).U8(FamilyOf(route.To)).U8((byte)route.Bits).U8(0).U8(0).U8(route.Table)
            .U8(flags != 0 ? unspecified : KernelProtocol).U8(scope).U8(route.Kind).U32(flags)
            .Attribute(tableNumber, route.Table).Attribute(destination, route.To.GetAddressBytes()).Attribute(outInterface, Loopback);
        if (!inet6 || flags != 0)
            message.Attribute(preferredSource, route.Source.GetAddressBytes());
        else
            message.Attribute(priority, route.Kind == Route.Unicast ? 256u : 0u);
        return inet6 ? message.Attribute(preference, [0]) : message;
    }

    /// <summary>Which way an address is reached: -ENETUNREACH for what is not on the loopback.</summary>
    private long OneRoute(ReadOnlySpan<byte> body)
    {
        const ushort destination = 1;
        const uint cloned = 0x200;
        if (body.Length < 12)
            return -Errno.EINVAL;
        int size = body[0] == Inet6Family ? 16 : 4;
        if (!NetlinkMessage.Attributes(body, 12).TryGetValue(destination, out byte[]? bytes) || bytes.Length != size)
            return -Errno.EINVAL;
        var to = new IPAddress(bytes);
        return network.IsLocal(to) ? Send(RouteMessage(new Route(to, size * 8, Route.Local, to), cloned)) : -Errno.ENETUNREACH;
    }

    /// <summary>The three rules that there always are: tables local, main, and for IPv4 default.</summary>
    private void DumpRules(byte family)
    {
        const byte toTable = 1, mainTable = MainTable, defaultTable = 253;
        const ushort priority = 6, tableNumber = 15;
        foreach ((uint order, byte table) in (ReadOnlySpan<(uint, byte)>)[(0, LocalTable), (32766, mainTable), (32767, defaultTable)])
        {
            if (table == defaultTable && family == Inet6Family)
                continue;
            NetlinkMessage rule = Begin(NewRule).U8(family).U8(0).U8(0).U8(0).U8(table).U8(0).U8(0).U8(toTable).U32(0)
                .Attribute(tableNumber, (uint)table);
            Send(order == 0 ? rule : rule.Attribute(priority, order));
        }
    }
}
