using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ArmVdso.Lab.Debug;

/// <summary>The line to a debugger: a TCP port of this host alone, or a Unix socket. A thread reads it, so that a wish to stop is heard
/// while the machine runs.</summary>
public sealed class DebuggerLine : IDisposable
{
    private readonly BlockingCollection<string?> _packets = [];
    private readonly Lock _sending = new();
    private readonly Socket _listener;
    private readonly string? _path;
    private readonly string _option;
    private Socket? _socket;
    private byte[] _last = [];
    private bool _silent;
    private volatile bool _break;

    /// <summary>Listens.</summary>
    /// <param name="option">The option that says where, for messages.</param>
    /// <param name="place">A port of 127.0.0.1, or the path of a Unix socket.</param>
    /// <exception cref="LabException">It cannot be listened there.</exception>
    public DebuggerLine(string option, string place)
    {
        _option = option;
        bool isPort = place.Length > 0 && place.All(char.IsAsciiDigit);
        if (isPort && (!int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number is 0 or > 65535))
            throw new LabException($"{option}: '{place}' is not a port from 1 to 65535", LabFault.Input);
        if (place.Length == 0)
            throw new LabException($"{option}: neither a port nor the path of a socket", LabFault.Input);
        try
        {
            _listener = isPort
                ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            if (isPort)
            {
                _listener.Bind(new IPEndPoint(IPAddress.Loopback, int.Parse(place, CultureInfo.InvariantCulture)));
            }
            else
            {
                _listener.Bind(new UnixDomainSocketEndPoint(place));
                _path = place;
            }
            _listener.Listen(1);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            string where = isPort ? $"port {place}" : $"socket {place}";
            string why = e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } ? "it is in use" : e.Message;
            throw new LabException($"{option}: {where}: {why}", LabFault.Failed, e);
        }
        Command = isPort ? $"target remote localhost:{place}" : $"target remote {place}";
    }

    /// <summary>What a person tells GDB.</summary>
    public string Command { get; }

    /// <summary>Called, again and again from another thread, while a wish to stop is not yet heard.</summary>
    public Action? Stop { get; set; }

    /// <summary>Whether a wish to stop has come; it is heard by asking.</summary>
    internal bool TakeBreak()
    {
        bool come = _break;
        _break = false;
        return come;
    }

    /// <summary>Whether nobody is at the other end any more.</summary>
    internal bool Closed => _closed;

    private volatile bool _closed;

    /// <summary>Waits for the debugger.</summary>
    /// <param name="ended">Asked now and then whether to give up.</param>
    /// <returns>False: it was given up.</returns>
    public bool Accept(Func<bool> ended)
    {
        while (!_listener.Poll(PatienceUs, SelectMode.SelectRead))
        {
            if (ended())
                return false;
        }
        _socket = _listener.Accept();
        if (_socket.ProtocolType == ProtocolType.Tcp)
            _socket.NoDelay = true;
        new Thread(Read) { IsBackground = true, Name = _option }.Start();
        return true;
    }

    private const int PatienceUs = 50_000, RepeatMs = 5;

    /// <summary>The next packet; null: the other side is gone.</summary>
    internal string? Next() => _packets.Take();

    /// <summary>Sends a packet.</summary>
    internal void Send(string text)
    {
        lock (_sending)
        {
            _last = PacketReader.Frame(text);
            Put(_last);
        }
    }

    /// <summary>Nobody answers any more.</summary>
    internal void HangUp()
    {
        if (!Closed)
            _socket!.Shutdown(SocketShutdown.Send);
    }

    /// <summary>From now on packets are not acknowledged (QStartNoAckMode).</summary>
    internal void BeSilent() => _silent = true;

    private void Put(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[_socket!.Send(bytes)..];
        }
        catch (SocketException)
        {
            // Who reads finds the end too, and says so.
            _closed = true;
        }
    }

    private void Answer(char c)
    {
        if (_silent)
            return;
        lock (_sending)
            Put([(byte)c]);
    }

    private void Read()
    {
        var reader = new PacketReader();
        var buffer = new byte[4096];
        try
        {
            for (int n; (n = _socket!.Receive(buffer)) > 0;)
            {
                foreach (byte b in buffer.AsSpan(0, n))
                    Take(reader.Take(b, out string packet), packet);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // As an end of the stream.
        }
        _closed = true;
        _packets.Add(null);
        Interrupt();
    }

    private void Take(Incoming? what, string packet)
    {
        switch (what)
        {
            case Incoming.Packet:
                Answer('+');
                // A wish that came before it was for what is over.
                _break = false;
                _packets.Add(packet);
                break;
            case Incoming.TooLong:
                Answer('+');
                Send("E.the packet is too long");
                break;
            case Incoming.Damaged:
                Answer('-');
                break;
            case Incoming.Resend:
                lock (_sending)
                    Put(_last);
                break;
            case Incoming.Break:
                Interrupt();
                break;
        }
    }

    /// <summary>The machine forgets a request that comes while it begins to run, so it is repeated.</summary>
    private void Interrupt()
    {
        _break = true;
        while (_break && Running)
        {
            Stop?.Invoke();
            Thread.Sleep(RepeatMs);
        }
    }

    /// <summary>Whether the machine runs. Who sets it looks for a wish to stop afterwards: it may have come before.</summary>
    internal volatile bool Running;

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket?.Dispose();
        _listener.Dispose();
        _packets.Dispose();
        if (_path is not null)
            File.Delete(_path);
    }
}
