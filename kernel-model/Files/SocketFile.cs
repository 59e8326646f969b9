using System.Net;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Kernel.Files;

/// <summary>What travels between sockets: bytes, the sender's address, descriptors under way, the sender's identity.</summary>
internal sealed class SocketMessage
{
    public required byte[] Data { get; init; }

    public int Taken { get; set; }

    public byte[]? From { get; init; }

    public List<OpenFile>? Files { get; set; }

    public (int Pid, uint Uid, uint Gid) Sender { get; init; }
}

/// <summary>A socket: Unix (stream, datagram, seqpacket) or the guest's own TCP and UDP loopback, all in memory. Connections and
/// deliveries are immediate.</summary>
internal sealed class SocketFile : OpenFile
{
    private const int BufferSize = 212992;
    private readonly Queue<SocketMessage> _inbox = new();
    private readonly Queue<SocketFile> _backlog = new();
    private readonly Dictionary<(int Level, int Name), byte[]> _options = [];
    private SocketTable Table => Inode.Fs.Vfs.Sockets;
    private int _inboxBytes;
    private int _backlogLimit;
    private SocketFile? _other;
    private bool _wasConnected;
    private bool _peerClosed;
    private bool _readShut;
    private bool _writeShut;
    private long _error;

    public SocketFile(Vfs vfs, int domain, int kind, int protocol, int flags)
        : base(new AnonymousInode(vfs.SocketFs, Modes.S_IFSOCK | 0x1FF), OpenFlags.O_RDWR | flags)
    {
        Domain = domain;
        Kind = kind;
        Protocol = protocol;
        if (vfs.Current is { } task)
            Credentials = (task.Pid, task.Credentials.Euid, task.Credentials.Egid);
    }

    public int Domain { get; }

    /// <summary>SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.</summary>
    public int Kind { get; }

    public int Protocol { get; }

    /// <summary>Own address as struct sockaddr; null when not bound.</summary>
    public byte[]? Local { get; set; }

    /// <summary>The peer's address; null when not connected.</summary>
    public byte[]? Peer { get; private set; }

    public SocketInode? BoundInode { get; set; }

    public bool IsListening { get; private set; }

    public bool IsConnected => _other != null || _wasConnected;

    /// <summary>Who made the socket (SO_PEERCRED of the other side).</summary>
    public (int Pid, uint Uid, uint Gid) Credentials { get; set; }

    public (int Pid, uint Uid, uint Gid) PeerCredentials { get; private set; }

    /// <summary>SO_RCVTIMEO in ns; 0 is none.</summary>
    public ulong ReceiveTimeout { get; set; }

    public ulong SendTimeout { get; set; }

    public override PollSource Source { get; } = new();

    public override string Description => $"socket:[{Inode.Ino}]";

    public bool GetFlag(int level, int name) =>
        _options.TryGetValue((level, name), out byte[]? value) && value.AsSpan().ContainsAnyExcept((byte)0);

    public byte[]? GetOption(int level, int name) => _options.GetValueOrDefault((level, name));

    public void SetOption(int level, int name, byte[] value) => _options[(level, name)] = value;

    /// <summary>SO_ERROR: the pending error, positive, which is cleared.</summary>
    public int TakeError()
    {
        long error = _error;
        _error = 0;
        return (int)error;
    }

    /// <summary>Connects two fresh sockets (socketpair).</summary>
    public static void Pair(SocketFile a, SocketFile b)
    {
        (a._other, b._other) = (b, a);
        a._wasConnected = b._wasConnected = true;
        a.Peer = b.Peer = [(byte)SocketTable.AF_UNIX, 0];
        (a.PeerCredentials, b.PeerCredentials) = (b.Credentials, a.Credentials);
    }

    public long Bind(ReadOnlySpan<byte> address, in Caller caller)
    {
        if (Local != null)
            return -Errno.EINVAL;
        if (CheckAddress(address) is < 0 and long error)
            return error;
        if (Domain == SocketTable.AF_UNIX)
            return Table.BindUnix(this, SocketTable.UnixName(address), caller);
        (IPAddress ip, int port) = SocketTable.Inet(address);
        if (port is > 0 and < 1024 && !caller.Credentials.Privileged)
            return -Errno.EACCES;
        return Table.BindInet(this, ip, port);
    }

    private long CheckAddress(ReadOnlySpan<byte> address)
    {
        int least = Domain switch { SocketTable.AF_UNIX => 2, SocketTable.AF_INET => 16, _ => 24 };
        if (address.Length < least || (Domain == SocketTable.AF_UNIX && address.Length > 110))
            return -Errno.EINVAL;
        return (address[0] | address[1] << 8) == Domain ? 0 : Domain == SocketTable.AF_UNIX ? -Errno.EINVAL : -Errno.EAFNOSUPPORT;
    }

    public long Listen(int backlog)
    {
        if (Kind == SocketTable.SOCK_DGRAM)
            return -Errno.EOPNOTSUPP;
        if (IsConnected || (Local == null && Domain == SocketTable.AF_UNIX))
            return -Errno.EINVAL;
        if (Local == null
            && Table.BindInet(this, Domain == SocketTable.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any, 0) is < 0 and long error)
            return error;
        _backlogLimit = Math.Clamp(backlog, 0, 4096) + 1;
        IsListening = true;
        Source.Notify(PollBits.Writable);
        return 0;
    }

    /// <summary>connect: 0, an error, or -EAGAIN when the listener's queue is full.</summary>
    public long Connect(ReadOnlySpan<byte> address, in Caller caller)
    {
        if (Kind == SocketTable.SOCK_DGRAM && address.Length >= 2 && (address[0] | address[1] << 8) == 0)
        {
            (_other, Peer, _wasConnected) = (null, null, false);
            return 0;
        }
        if (CheckAddress(address) is < 0 and long bad)
            return bad;
        if (IsListening)
            return -Errno.EINVAL;
        if (Kind != SocketTable.SOCK_DGRAM && IsConnected)
            return -Errno.EISCONN;
        byte[] target = address.ToArray();
        long error = Resolve(target, caller, out SocketFile? found);
        if (Kind == SocketTable.SOCK_DGRAM)
        {
            if (error < 0 && (Domain == SocketTable.AF_UNIX || error != -Errno.ECONNREFUSED))
                return error;
            if (found != null && found.Kind != Kind)
                return -Errno.EPROTOTYPE;
            Peer = Domain == SocketTable.AF_UNIX ? found!.Local : target;
            _wasConnected = true;
            _other = Domain == SocketTable.AF_UNIX ? found : null;
            return 0;
        }
        if (error < 0)
            return error;
        if (found!.Kind != Kind)
            return -Errno.EPROTOTYPE;
        if (!found.IsListening)
            return -Errno.ECONNREFUSED;
        if (found._backlog.Count >= found._backlogLimit)
            return -Errno.EAGAIN;
        var server = new SocketFile(Inode.Fs.Vfs, found.Domain, Kind, Protocol, 0)
        {
            Credentials = found.Credentials,
            PeerCredentials = Credentials,
            _other = this,
            _wasConnected = true,
        };
        if (Domain == SocketTable.AF_UNIX)
        {
            server.Local = found.Local;
            server.Peer = Local ?? [(byte)SocketTable.AF_UNIX, 0];
            Peer = found.Local;
        }
        else
        {
            (IPAddress ip, int port) = SocketTable.Inet(target);
            (IPAddress own, int ownPort) = SocketTable.Inet(Local!);
            ip = Specific(ip);
            if (own.Equals(IPAddress.Any) || own.Equals(IPAddress.IPv6Any))
                Local = SocketTable.InetAddress(Domain, own = Specific(ip), ownPort);
            server.Local = SocketTable.InetAddress(found.Domain, ip, port);
            server.Peer = SocketTable.InetAddress(found.Domain, own, ownPort);
            Peer = SocketTable.InetAddress(Domain, ip, port);
        }
        PeerCredentials = found.Credentials;
        _other = server;
        _wasConnected = true;
        found._backlog.Enqueue(server);
        found.Source.Notify(PollBits.Readable);
        Source.Notify(PollBits.Writable);
        return 0;
    }

    private static IPAddress Specific(IPAddress ip) =>
        ip.Equals(IPAddress.Any) ? IPAddress.Loopback : ip.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : ip;

    /// <summary>Finds the socket with an address and gives this one a port if it has none.</summary>
    private long Resolve(byte[] address, in Caller caller, out SocketFile? found)
    {
        found = null;
        if (Domain == SocketTable.AF_UNIX)
            return SocketTable.UnixName(address) is { } name ? Table.FindUnix(name, caller, out found) : -Errno.EINVAL;
        (IPAddress ip, int port) = SocketTable.Inet(address);
        if (Local == null
            && Table.BindInet(this, Domain == SocketTable.AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any, 0) is < 0 and long error)
            return error;
        return port == 0 ? -Errno.ECONNREFUSED : Table.FindInet(this, ip, port, out found);
    }

    /// <summary>Takes a connection: null when none waits.</summary>
    public SocketFile? Accept()
    {
        if (!_backlog.TryDequeue(out SocketFile? socket))
            return null;
        Source.Notify(PollBits.Writable);
        return socket;
    }

    /// <summary>Sends bytes; the count, or -EAGAIN when the other side's buffer is full.</summary>
    public long Send(ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, in Caller caller, List<OpenFile>? files)
    {
        if (_error != 0)
            return -TakeError();
        if (_writeShut)
            return -Errno.EPIPE;
        SocketFile? target = _other;
        if (Kind == SocketTable.SOCK_DGRAM)
        {
            if (data.Length > (Domain == SocketTable.AF_UNIX ? BufferSize : 65507))
                return -Errno.EMSGSIZE;
            if (address.Length > 0 || Domain != SocketTable.AF_UNIX)
            {
                if (address.Length == 0 && Peer == null)
                    return -Errno.EDESTADDRREQ;
                if (address.Length > 0 && CheckAddress(address) is < 0 and long bad)
                    return bad;
                long error = Resolve(address.Length > 0 ? address.ToArray() : Peer!, caller, out target);
                if (error == -Errno.ECONNREFUSED && Domain != SocketTable.AF_UNIX)
                {
                    // As after an ICMP message: the next call on a connected socket fails.
                    if (Peer != null)
                        _error = Errno.ECONNREFUSED;
                    return data.Length;
                }
                if (error < 0)
                    return error;
            }
            else if (target == null)
            {
                return Peer != null ? -Errno.ECONNREFUSED : -Errno.ENOTCONN;
            }
            if (target!.Kind != Kind)
                return -Errno.EPROTOTYPE;
            if (target._inboxBytes + data.Length > BufferSize && target._inboxBytes > 0)
                return Domain == SocketTable.AF_UNIX ? -Errno.EAGAIN : data.Length;
        }
        else if (target == null || _peerClosed)
        {
            return _wasConnected ? -Errno.EPIPE : -Errno.ENOTCONN;
        }
        if (target._readShut)
            return Kind == SocketTable.SOCK_DGRAM && Domain != SocketTable.AF_UNIX ? data.Length : -Errno.EPIPE;
        if (Kind != SocketTable.SOCK_DGRAM)
        {
            int room = BufferSize - target._inboxBytes;
            if (data.Length == 0 && Kind == SocketTable.SOCK_STREAM)
                return 0;
            if (room <= 0 || (Kind == SocketTable.SOCK_SEQPACKET && room < data.Length))
                return Kind == SocketTable.SOCK_SEQPACKET && data.Length > BufferSize ? -Errno.EMSGSIZE : -Errno.EAGAIN;
            if (Kind == SocketTable.SOCK_STREAM && data.Length > room)
                data = data[..room];
        }
        byte[]? from = Domain == SocketTable.AF_UNIX ? Local
            : SocketTable.InetAddress(target.Domain, Specific(SocketTable.Inet(Local!).Address), SocketTable.Inet(Local!).Port);
        IFileUser? task = Inode.Fs.Vfs.Current;
        target._inbox.Enqueue(new SocketMessage
        {
            Data = data.ToArray(),
            From = from,
            Files = files?.Count > 0 ? files : null,
            Sender = task == null ? Credentials : (task.Pid, task.Credentials.Euid, task.Credentials.Egid),
        });
        target._inboxBytes += data.Length;
        target.Source.Notify(PollBits.Readable);
        return data.Length;
    }

    /// <summary>Receives bytes of one message, or of the stream. The count, 0 at the end, or -EAGAIN.</summary>
    /// <param name="buffer">Where they go.</param>
    /// <param name="peek">Leaves them (MSG_PEEK).</param>
    /// <param name="first">The message (or first segment) that the bytes are from.</param>
    /// <param name="full">Length of the whole message.</param>
    public long Receive(Span<byte> buffer, bool peek, out SocketMessage? first, out int full)
    {
        first = null;
        full = 0;
        if (!_inbox.TryPeek(out SocketMessage? message))
        {
            if (_error != 0)
                return -TakeError();
            if (_readShut || (Kind != SocketTable.SOCK_DGRAM && (_peerClosed || _other?._writeShut == true)))
                return 0;
            if (Kind != SocketTable.SOCK_DGRAM && !_wasConnected)
                return IsListening && Domain == SocketTable.AF_UNIX ? -Errno.EINVAL : -Errno.ENOTCONN;
            return -Errno.EAGAIN;
        }
        first = message;
        if (Kind != SocketTable.SOCK_STREAM)
        {
            full = message.Data.Length;
            int n = Math.Min(buffer.Length, full);
            message.Data.AsSpan(0, n).CopyTo(buffer);
            if (!peek)
                Take(message);
            return n;
        }
        int done = 0;
        bool taken = false;
        foreach (SocketMessage segment in _inbox.ToArray())
        {
            // Descriptors mark a boundary that one receive does not cross.
            if (segment != first && (segment.Files != null || first.Files != null))
                break;
            int n = Math.Min(buffer.Length - done, segment.Data.Length - segment.Taken);
            segment.Data.AsSpan(segment.Taken, n).CopyTo(buffer[done..]);
            done += n;
            if (!peek)
            {
                segment.Taken += n;
                _inboxBytes -= n;
                taken = true;
                if (segment.Taken == segment.Data.Length)
                    _inbox.Dequeue();
            }
            if (done == buffer.Length)
                break;
        }
        if (taken)
            _other?.Source.Notify(PollBits.Writable);
        full = done;
        return done;
    }

    private void Take(SocketMessage message)
    {
        _inbox.Dequeue();
        _inboxBytes -= message.Data.Length;
        Source.Queue.WakeAll();
        _other?.Source.Notify(PollBits.Writable);
    }

    /// <summary>shutdown: 0 reading, 1 writing, 2 both.</summary>
    public long Shutdown(int how)
    {
        if (how is < 0 or > 2)
            return -Errno.EINVAL;
        if (!IsConnected)
            return IsListening ? 0 : -Errno.ENOTCONN;
        if (how != 1)
            _readShut = true;
        if (how != 0)
            _writeShut = true;
        Source.Notify(PollBits.Readable | PollBits.RdHup);
        _other?.Source.Notify(PollBits.Readable | PollBits.RdHup | PollBits.Hup);
        return 0;
    }

    public override long Read(Span<byte> buffer, long position) =>
        Receive(buffer, false, out SocketMessage? first, out _) is var n && first?.Files != null ? DropFiles(first, n) : n;

    /// <summary>read on a socket closes descriptors that come along.</summary>
    private static long DropFiles(SocketMessage message, long result)
    {
        foreach (OpenFile file in message.Files!)
            file.Release();
        message.Files = null;
        return result;
    }

    public override long Write(ReadOnlySpan<byte> data, long position) => Send(data, [], Inode.Fs.Vfs.RootCaller, null);

    public override uint Poll()
    {
        uint events = 0;
        if (IsListening)
            return _backlog.Count > 0 ? PollBits.Readable : 0;
        if (_error != 0)
            events |= PollBits.Err;
        if (_inbox.Count > 0 || _readShut)
            events |= PollBits.Readable;
        if (Kind == SocketTable.SOCK_DGRAM)
            return events | (_other == null || _other._inboxBytes < BufferSize / 2 ? PollBits.Writable : 0);
        if (!_wasConnected)
            return events | PollBits.Hup | (Domain == SocketTable.AF_UNIX ? PollBits.Writable : PollBits.Out);
        bool theirEnd = _peerClosed || _other?._writeShut == true;
        if (theirEnd)
            events |= PollBits.Readable | PollBits.RdHup;
        if (_peerClosed || (theirEnd && _writeShut) || (_readShut && _writeShut))
            events |= PollBits.Hup;
        if (_peerClosed || _other == null || BufferSize - _other._inboxBytes > BufferSize / 3)
            events |= PollBits.Writable;
        return events;
    }

    public override long Ioctl(IFileUser user, uint command, ulong argument) => command switch
    {
        IoctlNumbers.FIONREAD => user.Memory.Write(
            argument, Kind == SocketTable.SOCK_STREAM ? _inboxBytes : _inbox.TryPeek(out SocketMessage? m) ? m.Data.Length : 0)
            ? 0 : -Errno.EFAULT,
        IoctlNumbers.TIOCOUTQ => user.Memory.Write(argument, 0) ? 0 : -Errno.EFAULT,
        >= 0x8900 and < 0x8A00 => -Errno.ENODEV,
        _ => -Errno.ENOTTY,
    };

    protected override void Released()
    {
        Table.Forget(this);
        if (_other is { } other)
        {
            if (Kind == SocketTable.SOCK_DGRAM)
            {
                if (other._other == this)
                    other._other = null;
            }
            else
            {
                if (_inbox.Count > 0)
                    other._error = Errno.ECONNRESET;
                other._peerClosed = true;
                other._other = null;
            }
            other.Source.Notify(PollBits.Readable | PollBits.Hup | PollBits.RdHup);
        }
        while (_backlog.TryDequeue(out SocketFile? waiting))
            waiting.Release();
        while (_inbox.TryDequeue(out SocketMessage? message))
        {
            if (message.Files != null)
                DropFiles(message, 0);
        }
    }
}
