namespace ArmVdso.Tests.Programs;

/// <summary>Debian's ip as a guest: what it prints of a loopback is what it prints on Linux 6.12.</summary>
public sealed class NetworkProgramTests
{
    private static string Ip(params string[] commands)
    {
        string script = string.Join("; ", commands.Select(c => "ip " + c));
        return ArmVdsoCommand.Run("run", "--core", "none", "--root", DebianPrograms.PeopleRoot, "-E", "PATH=/sbin:/usr/sbin:/bin:/usr/bin",
            "bash", "-c", $"exec 2>&1; {script}").Output;
    }

    [Fact]
    public void ShowsTheLoopback()
    {
        const string expected = """
            1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
                link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
                inet 127.0.0.1/8 scope host lo
                   valid_lft forever preferred_lft forever
                inet6 ::1/128 scope host$
                   valid_lft forever preferred_lft forever
            0:	from all lookup local
            32766:	from all lookup main
            32767:	from all lookup default
            local 127.0.0.1 dev lo table local src 127.0.0.1$
                cache$
            RTNETLINK answers: Network is unreachable

            """;
        Assert.Equal(expected.Replace("$", " "), Ip("addr", "route", "rule", "route get 127.0.0.1", "route get 192.0.2.1"));
    }

    [Fact]
    public void ChangesTheLoopback()
    {
        const string expected = """
            lo               DOWN           127.0.0.1/8 10.1.2.3/24$
            lo               UNKNOWN        127.0.0.1/8 10.1.2.3/24 ::1/128$
            local 10.1.2.0/24 dev lo proto kernel scope host src 10.1.2.3$
            local 10.1.2.3 dev lo proto kernel scope host src 10.1.2.3$
            broadcast 10.1.2.255 dev lo proto kernel scope link src 10.1.2.3$
            RTNETLINK answers: Operation not supported
            RTNETLINK answers: File exists

            """;
        string printed = Ip("addr add 10.1.2.3/24 dev lo", "link set lo down", "-br addr", "link set lo up", "-br addr",
            "route show table local root 10.0.0.0/8", "link add d0 type dummy", "addr add 10.1.2.3/24 dev lo");
        Assert.Equal(expected.Replace("$", " "), printed);
    }

    /// <summary>Who is in groups of rtnetlink hears of what changes: recorded on Linux, in a network namespace of its own.</summary>
    [Fact]
    public void MonitorsTheLoopback()
    {
        const string expected = """
            1: lo: <LOOPBACK> mtu 65536 qdisc noqueue state DOWN group default$
                link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
            Deleted local ::1 dev lo table local proto kernel metric 0 pref medium
            Deleted 1: lo    inet6 ::1/128 scope host$
                   valid_lft forever preferred_lft forever
            1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default$
                link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
            broadcast 127.255.255.255 dev lo table local proto kernel scope link src 127.0.0.1$
            1: lo    inet6 ::1/128 scope host$
                   valid_lft forever preferred_lft forever
            local ::1 dev lo table local proto kernel metric 0 pref medium
            1: lo: <LOOPBACK,UP,LOWER_UP> mtu 1400 qdisc noqueue state UNKNOWN group default$
                link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
            1: lo    inet 10.1.2.3/24 scope global lo
                   valid_lft forever preferred_lft forever
            local 10.1.2.3 dev lo table local proto kernel scope host src 10.1.2.3$
            local 10.1.2.0/24 dev lo table local proto kernel scope host src 10.1.2.3$
            broadcast 10.1.2.255 dev lo table local proto kernel scope link src 10.1.2.3$
            Deleted 1: lo    inet 10.1.2.3/24 scope global lo
                   valid_lft forever preferred_lft forever
            Deleted local 10.1.2.0/24 dev lo table local proto kernel scope host src 10.1.2.3$
            Deleted broadcast 10.1.2.255 dev lo table local proto kernel scope link src 10.1.2.3$
            Deleted local 10.1.2.3 dev lo table local proto kernel scope host src 10.1.2.3$
            fd00::/64 dev lo proto kernel metric 256 pref medium
            1: lo    inet6 fd00::1/64 scope global tentative$
                   valid_lft forever preferred_lft forever
            1: lo    inet6 fd00::1/64 scope global$
                   valid_lft forever preferred_lft forever
            local fd00::1 dev lo table local proto kernel metric 0 pref medium
            Deleted 1: lo    inet6 fd00::1/64 scope global$
                   valid_lft forever preferred_lft forever
            Deleted local fd00::1 dev lo table local proto kernel metric 0 pref medium
            Deleted fd00::/64 dev lo proto kernel metric 256 pref medium

            """;
        const string script = """
            exec 2>&1
            ip monitor link address route > /tmp/heard &
            sleep 0.3
            ip link set lo down; ip link set lo up; ip link set lo mtu 1400
            ip addr add 10.1.2.3/24 dev lo; ip addr del 10.1.2.3/24 dev lo
            ip -6 addr add fd00::1/64 dev lo; ip -6 addr del fd00::1/64 dev lo
            sleep 0.3
            kill %1
            cat /tmp/heard
            """;
        Assert.Equal(expected.Replace("$", " "), ArmVdsoCommand.Run("run", "--core", "none", "--root", DebianPrograms.PeopleRoot,
            "-E", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "bash", "-c", script).Output);
    }

    /// <summary>Debian's ss lists sockets as it does on Linux; numbers of inodes and processes are the model's.</summary>
    [Theory]
    [InlineData("ss -tlnpu", """
        Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
        udp   UNCONN 0      0          127.0.0.1:5353      0.0.0.0:*    users:(("listeners",pid=100,fd=7))
        tcp   LISTEN 1      7          127.0.0.1:8080      0.0.0.0:*    users:(("listeners",pid=100,fd=3))
        tcp   LISTEN 0      8                  *:8081            *:*    users:(("listeners",pid=100,fd=4))
        """)]
    [InlineData("ss -tan", """
        State      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
        LISTEN     1      7          127.0.0.1:8080       0.0.0.0:*
        ESTAB      0      0          127.0.0.1:40001    127.0.0.1:8080
        FIN-WAIT-2 0      0          127.0.0.1:40002    127.0.0.1:8080
        ESTAB      5      0          127.0.0.1:8080     127.0.0.1:40001
        CLOSE-WAIT 1      0          127.0.0.1:8080     127.0.0.1:40002
        LISTEN     0      8                  *:8081             *:*
        """)]
    [InlineData("ss -xanp", """
        Netid State  Recv-Q Send-Q       Local Address:Port Peer Address:PortProcess
        u_str LISTEN 0      5      /tmp/listeners.sock 8199            * 0    users:(("listeners",pid=100,fd=9))
        u_dgr UNCONN 0      0               @listeners 8200            * 0    users:(("listeners",pid=100,fd=10))
        u_seq ESTAB  0      768                      * 8201            * 8202 users:(("listeners",pid=100,fd=11))
        u_seq ESTAB  4      0                        * 8202            * 8201 users:(("listeners",pid=100,fd=12))
        """)]
    [InlineData("ss -tan dst 127.0.0.1/32 and dport > :40001", """
        State      Recv-Q Send-Q Local Address:Port Peer Address:Port Process
        CLOSE-WAIT 1      0          127.0.0.1:8080    127.0.0.1:40002
        """)]
    [InlineData("ss -tn state close-wait", """
        Recv-Q Send-Q Local Address:Port Peer Address:Port Process
        1      0          127.0.0.1:8080    127.0.0.1:40002
        """)]
    public void ListsSockets(string command, string expected)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", "--root", DebianPrograms.PeopleRoot,
            "-E", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", GuestPrograms.Path("listeners"), .. command.Split(' ')]);
        Assert.Equal(expected, string.Join('\n', result.Output.TrimEnd('\n').Split('\n').Select(line => line.TrimEnd())));
    }
}
