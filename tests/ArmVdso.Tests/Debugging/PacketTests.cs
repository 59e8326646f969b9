using System.Net.Sockets;
using System.Text;
using ArmVdso.Lab.Debug;

namespace ArmVdso.Tests.Debugging;

/// <summary>Packets of the GDB remote protocol, whoever sends them.</summary>
public sealed class PacketTests
{
    private static List<(Incoming What, string Text)> Read(params IEnumerable<byte> bytes)
    {
        var reader = new PacketReader();
        var found = new List<(Incoming, string)>();
        foreach (byte b in bytes)
        {
            if (reader.Take(b, out string packet) is { } what)
                found.Add((what, packet));
        }
        return found;
    }

    private static List<(Incoming What, string Text)> Read(string text) => Read(Encoding.Latin1.GetBytes(text));

    [Theory]
    [InlineData("$m0,4#fd", "m0,4")]
    [InlineData("+++$?#3f", "?")]
    [InlineData("$m0,4$m0,8#01", "m0,8")]
    [InlineData("$a}\u0003b#43", "a#b")]
    [InlineData("$}]#da", "}")]
    [InlineData("$#00", "")]
    public void IsRead(string bytes, string packet) => Assert.Equal([(Incoming.Packet, packet)], Read(bytes));

    [Theory]
    [InlineData("$m0,4#00")]
    [InlineData("$m0,4#zz")]
    [InlineData("$m0,4#f")]
    [InlineData("$m0,4")]
    [InlineData("#fd")]
    [InlineData("m0,4#fd")]
    public void IsNoPacket(string bytes) => Assert.DoesNotContain(Read(bytes), f => f.What == Incoming.Packet);

    [Fact]
    public void DamagedOnesAreAskedForAgain()
    {
        Assert.Equal([(Incoming.Damaged, ""), (Incoming.Packet, "?")], Read("$m0,4#00$?#3f"));
        Assert.Equal([(Incoming.Damaged, "")], Read("$m0,4#xx"));
    }

    [Fact]
    public void WhatIsTooLongIsDroppedAndTheNextIsRead()
    {
        string text = new('a', PacketReader.Longest + 1);
        Assert.Equal([(Incoming.TooLong, ""), (Incoming.Packet, "?")], Read([.. PacketReader.Frame(text), .. PacketReader.Frame("?")]));
        Assert.Equal([(Incoming.Packet, text[1..])], Read(PacketReader.Frame(text[1..])));
    }

    [Fact]
    public void BetweenPacketsTheByte3Stops()
    {
        Assert.Equal([(Incoming.Break, ""), (Incoming.Resend, "")], Read("\u0003-"));
        Assert.Equal([(Incoming.Packet, "a\u0003")], Read("$a\u0003#64"));
    }

    /// <summary>What is framed is read again, for all bytes.</summary>
    [Fact]
    public void FramesAreRead()
    {
        string all = string.Concat(Enumerable.Range(0, 256).Select(i => (char)i));
        Assert.Equal([(Incoming.Packet, all)], Read(PacketReader.Frame(all)));
    }

    // Each packet, and how its answer begins.
    private static readonly (string Packet, string Answer)[] s_answers =
    [
        ("vMustReplyEmpty", ""), ("qUnheardOf:1", ""), ("!", ""), ("R00", ""), ("\u00ff", ""), ("m", "E"), ("m1", "E"), ("m,", "E"),
        ("mzz,4", "E"), ("m0,4", "E14"), ("m0,ffffffffffffffff", "E14"), ("M0,4:00", "E"), ("M0,4", "E"), ("X0,1:", "E"), ("p", "E"),
        ("pffffffff", "E"), ("p48", "E01"), ("P0=00", "E"), ("P", "E"), ("P46=0000000000000000", "E01"), ("Gzz", "E"),
        ("H", "E"), ("Hgzz", "E"), ("Hgp1.1", "E01"), ("Tzz", "E"), ("T1", "E01"), ("Z", "E"), ("Z0,0", "E"), ("Z9,0,4", ""),
        ("Z2,0,0", "E"), ("z0,0,4", "OK"), ("vCont;", "E"), ("vCont;x", "E"), ("vCont;r1", "E"), ("vCont;Czz", "E"),
        ("vFile:open:zz,0,0", "E"), ("vFile:open", "F-1"),
        ("vFile:pread:7,4,0", "F-1,9"), ("vFile:close:7", "F-1,9"), ("vFile:open:2f,1,0", "F-1,1e"), ("vFile:open:2f,0,0", "F-1,2"),
        ("vFile:mystery:", ""), ("qXfer:features:read:other.xml:0,100", "E00"), ("qXfer:features:read:target.xml:ffffff,100", "l"),
        ("qXfer:features:read:target.xml:0", "E"), ("qXfer:features:read", ""), ("qXfer:auxv:write::0,1", ""), ("QCatchSyscalls:1;zz", "E"),
        ("qRcmd,zz", "E"), ("qThreadExtraInfo,zz", "E"), ("bx", ""), ("b", ""), ("qSupported:", "PacketSize="), ("?", "T05"),
    ];

    [Fact]
    public async Task HostilePacketsAreAnswered()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, GuestPrograms.Path("hello"));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(run.Socket));
        Task<int> end = Task.Run(() => run.Serve(() => false));
        socket.Send(Encoding.Latin1.GetBytes("garbage+++#\u0003$cut short$?#00"));
        Assert.Equal("-", Receive(socket, 1));
        foreach ((string packet, string answer) in s_answers)
        {
            socket.Send(PacketReader.Frame(packet));
            string text = Answer(socket);
            Assert.True(answer.Length == 0 ? text.Length == 0 : text.StartsWith(answer, StringComparison.Ordinal), $"{packet}: {text}");
        }
        socket.Send(PacketReader.Frame(new string('m', PacketReader.Longest + 1)));
        Assert.StartsWith("E.", Answer(socket), StringComparison.Ordinal);
        socket.Send(Encoding.Latin1.GetBytes("-"));
        Assert.StartsWith("E.", Payload(socket), StringComparison.Ordinal);
        // Who is cut off leaves the program to itself.
        socket.Close();
        Assert.Equal(0, await end);
        Assert.NotEqual("", run.Output);
    }

    private static string Receive(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int n = socket.Receive(bytes, at, count - at, SocketFlags.None);
            Assert.True(n > 0, "the line was closed");
            at += n;
        }
        return Encoding.Latin1.GetString(bytes);
    }

    private static string Answer(Socket socket)
    {
        Assert.Equal("+", Receive(socket, 1));
        return Payload(socket);
    }

    private static string Payload(Socket socket)
    {
        var reader = new PacketReader();
        while (true)
        {
            if (reader.Take((byte)Receive(socket, 1)[0], out string packet) is { } what)
            {
                Assert.Equal(Incoming.Packet, what);
                socket.Send("+"u8);
                return packet;
            }
        }
    }
}
