using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>What those hear who are in groups of NETLINK_ROUTE, as ip monitor is (rtnl_notify).</summary>
internal sealed partial class RouteNetlink
{
    private const int LinkGroup = 1, AddressGroup = 5, RouteGroup = 7, Address6Group = 9, Route6Group = 11;

    private const ushort DeleteRoute = 25;

    private void Multicast(int group, NetlinkMessage message) => network.Sockets.Multicast(0, group, message.ToArray());

    /// <summary>The loopback is another.</summary>
    /// <param name="change">Flags that have changed; 0: something else.</param>
    internal void TellLink(uint change) => Multicast(LinkGroup, LinkMessage(change));

    /// <summary>The loopback is up again, with addresses of IPv4 that it had kept: routes that it had lost (fib_netdev_event).</summary>
    /// <param name="before">Those that were there while it was down.</param>
    internal void TellUp(IReadOnlyList<Route> before)
    {
        foreach (Route route in Routes().Except(before).Where(r => FamilyOf(r.To) == InetFamily))
            TellRoute(route, NewRoute);
    }

    /// <summary>The routes that are there now, for <see cref="TellUp"/>.</summary>
    internal IReadOnlyList<Route> Snapshot() => Routes().ToArray();

    /// <summary>An address came, and with it its routes: of IPv4 itself first (inet_insert_ifa, fib_add_ifaddr), of IPv6 its network first,
    /// and itself twice, since it is tentative until nobody has been asked (inet6_addr_add, addrconf_dad_begin); the loopback's own never
    /// is (add_addr).</summary>
    internal void TellNew(IPAddress address, int prefix)
    {
        const byte tentative = 0x40;
        Route[] routes = [.. RoutesOf(address, prefix)];
        if (FamilyOf(address) == Inet6Family)
        {
            foreach (Route network in routes.Where(r => r.Kind == Route.Unicast))
                TellRoute(network, NewRoute);
            if (!IPAddress.IsLoopback(address))
                TellAddress(address, prefix, NewAddress, tentative);
        }
        TellAddress(address, prefix, NewAddress);
        foreach (Route route in routes.Where(r => r.Kind != Route.Unicast).OrderBy(r => r.To.Equals(address) ? 0 : 1))
            TellRoute(route, NewRoute);
    }

    /// <summary>An address went, and its routes: of IPv4 itself last (inet_del_ifa, fib_del_ifaddr), of IPv6 first (ipv6_del_addr).
    /// </summary>
    internal void TellGone(IPAddress address, int prefix, IReadOnlyList<Route> routesBefore)
    {
        TellAddress(address, prefix, DeleteAddress);
        bool six = FamilyOf(address) == Inet6Family;
        bool IsItself(Route r) => r.To.Equals(address) && r.Kind == Route.Local;
        foreach (Route route in routesBefore.OrderBy(r => IsItself(r) == six ? 0 : 1))
            TellRoute(route, DeleteRoute);
    }

    /// <summary>The routes of an address, for <see cref="TellGone"/>.</summary>
    internal IReadOnlyList<Route> RoutesBefore(IPAddress address, int prefix) => RoutesOf(address, prefix).ToArray();

    /// <summary>The loopback is down: the routes of IPv6 go, then its addresses (addrconf_ifdown).</summary>
    internal void TellDown(IReadOnlyList<Route> before, IEnumerable<(IPAddress Address, int Prefix)> gone)
    {
        foreach (Route route in before.Where(r => FamilyOf(r.To) == Inet6Family).OrderBy(r => r.Table)
            .ThenBy(r => Convert.ToHexString(r.To.GetAddressBytes()), StringComparer.Ordinal))
            TellRoute(route, DeleteRoute);
        foreach ((IPAddress address, int prefix) in gone)
            TellAddress(address, prefix, DeleteAddress);
    }

    private void TellAddress(IPAddress address, int prefix, ushort type, byte more = 0) =>
        Multicast(FamilyOf(address) == Inet6Family ? Address6Group : AddressGroup, AddressMessage(address, prefix, type, more));

    /// <summary>Routes that follow from addresses are no request's.</summary>
    private void TellRoute(Route route, ushort type) => new RouteNetlink(network, false, 0, 0, _ => { }).Multicast(
        FamilyOf(route.To) == Inet6Family ? Route6Group : RouteGroup, RouteMessage(route, 0, type));
}
