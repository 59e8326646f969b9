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
}
