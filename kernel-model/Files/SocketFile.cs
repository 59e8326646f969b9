using System.Net;
using System.Net.Sockets;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A socket: Unix (stream, datagram, seqpacket) or the guest's own TCP and UDP loopback, all in memory. Connections and
/// deliveries are immediate.</summary>
internal sealed partial class SocketFile : OpenFile
{
    private readonly SocketInbox _inbox;
    private readonly Queue<SocketFile> _backlog = new();
    private readonly Dictionary<(int Level, int Name), byte[]> _options = [];
    private SocketTable Table => Network.Sockets;
    private int _backlogLimit;
    private SocketFile? _other;
    private bool _wasConnected;
    private bool _peerClosed;
    private bool _readShut;
    private bool _writeShut;
    private bool _wasReset;
    private long _error;
    private readonly AsyncFiles _async = new();

    /// <summary>A send found no room: the next that is made is told by signal (SOCKWQ_ASYNC_NOSPACE).</summary>
    private bool _lackedRoom;

    /// <inheritdoc/>
    protected override int HostBytes => 1280;

    public SocketFile(Vfs vfs, int domain, int kind, int protocol, int flags)
        : base(new AnonymousInode(vfs.SocketFs, Modes.S_IFSOCK | 0x1FF), OpenFlags.O_RDWR | flags)
    {
        _inbox = new SocketInbox(vfs);
        (Domain, Kind, Protocol) = (domain, kind, protocol);
        Network = vfs.CurrentNetwork;
        (SendBuffer, ReceiveBuffer) = (vfs.BufferSizes.Sent, vfs.BufferSizes.Received);
        if (domain == SocketTable.AF_INET6 && Table.OnlySix)
            SetOption(IPPROTO_IPV6, IPV6_V6ONLY, [1, 0, 0, 0]);
        if (vfs.Current is { } task)
            (Credentials, MakersDomain) = ((task.Pid, task.Credentials.Euid, task.Credentials.Egid), task.Credentials.Domain);
    }

    /// <summary>The network namespace that it was made in.</summary>
    internal NetworkNamespace Network
    {
        get => _network!;
        init
        {
            _network?.Sockets.Remove(this);
            _network = value;
            value.Sockets.Add(this);
        }
    }

    private readonly NetworkNamespace? _network;

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

    /// <summary>What its maker had forbidden itself.</summary>
    internal AccessDomain? MakersDomain { get; }

    public (int Pid, uint Uid, uint Gid) PeerCredentials { get; private set; }

    /// <summary>Multicast groups that it is a member of.</summary>
    public HashSet<int> Groups { get; } = [];

    /// <summary>SO_RCVTIMEO in ns; 0 is none.</summary>
    public ulong ReceiveTimeout { get; set; }

    public ulong SendTimeout { get; set; }

    public override PollSource Source { get; } = new();

    internal override AsyncFiles ReadAsync => _async;

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

    /// <summary>Sends bytes; the count, or -EAGAIN when the other side's buffer is full.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="address">Where to; empty: to the peer.</param>
    /// <param name="caller">Who sends.</param>
    /// <param name="files">Descriptors that go along.</param>
    /// <param name="options">What else it is sent with.</param>
    public long Send(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, in Caller caller, List<OpenFile>? files, in SendOptions options = default)
    {
        if (_error != 0)
            return -TakeError();
        if (_writeShut)
            return -Errno.EPIPE;
        if (Domain == SocketTable.AF_NETLINK)
            return SendToKernel(data, address);
        if (Kind == SocketTable.SOCK_DGRAM && Domain != SocketTable.AF_UNIX
            && (_datagram is not null || options.More || GetFlag(Protocol, UDP_CORK)))
            return AddToDatagram(data, address, caller, options);
        int piece = options.Segment != 0 ? options.Segment : GetOption(Protocol, UDP_SEGMENT) is { } size ? BitConverter.ToInt32(size) : 0;
        if (Protocol == SocketTable.IPPROTO_UDP && piece > 0 && data.Length > piece)
            return SendPieces(data, address, caller, piece, options);
        return SendNow(data, address, caller, files, options);
    }

    private long SendNow(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, in Caller caller, List<OpenFile>? files, in SendOptions options)
    {
        bool more = options.More, urgent = options.Urgent;
        SocketFile? target = _other;
        if (Kind == SocketTable.SOCK_DGRAM)
        {
            if (data.Length > (Domain == SocketTable.AF_UNIX ? SendBuffer - 32 : 65507))
                return -Errno.EMSGSIZE;
            if (address.Length > 0 || Domain != SocketTable.AF_UNIX)
            {
                if (address.Length == 0 && Peer == null)
                    return -Errno.EDESTADDRREQ;
                if (address.Length > 0)
                    address = Mapped(address);
                if (address.Length > 0 && CheckAddress(address) is < 0 and long bad)
                    return bad;
                long error = Resolve(address.Length > 0 ? address.ToArray() : Peer!, caller, out target);
                if (error == -Errno.ECONNREFUSED && Domain != SocketTable.AF_UNIX)
                {
                    ComesBack(data, address.Length > 0 ? address.ToArray() : Peer!);
                    CountUnreachable(address.Length > 0 ? address : Peer, data.Length);
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
            if (Domain != SocketTable.AF_UNIX)
                CountDatagram(address.Length > 0 ? address : Peer, data.Length);
            // What comes over IP and finds no room is lost (udp_queue_rcv_skb).
            if (Domain != SocketTable.AF_UNIX && target._inbox.TrueSize > target.ReceiveBuffer)
                return data.Length;
            if (Domain == SocketTable.AF_UNIX && (_charged >= SendBuffer || IsFullFor(target)))
                return NoRoom();
        }
        else if (IsTcp && target is null && _peerClosed && !_wasReset)
        {
            // It is sent, and answered with a reset.
            ResetByRemains();
            return data.Length;
        }
        else if (target == null || _peerClosed)
        {
            return _wasConnected || Domain != SocketTable.AF_UNIX ? -Errno.EPIPE : -Errno.ENOTCONN;
        }
        if (IsTcp && target is { _readShut: true, _writeShut: true })
        {
            target.Reset();
            Reset();
            return data.Length;
        }
        if (target._readShut && !IsTcp)
            return Kind == SocketTable.SOCK_DGRAM && Domain != SocketTable.AF_UNIX ? data.Length : -Errno.EPIPE;
        if (Kind != SocketTable.SOCK_DGRAM)
        {
            if (data.Length == 0 && Kind == SocketTable.SOCK_STREAM)
                return 0;
            if (Kind == SocketTable.SOCK_SEQPACKET && data.Length > SendBuffer - 32)
                return -Errno.EMSGSIZE;
            if (RoomFor(target, data.Length) is var room && room <= 0)
                return NoRoom();
            if (Kind == SocketTable.SOCK_STREAM && data.Length > room)
            {
                data = data[..room];
                urgent = false;
            }
            if (urgent)
                PushHeld(1);
            else if (Domain != SocketTable.AF_UNIX && (more || _held.Count > 0 || GetFlag(Protocol, TCP_CORK)))
                return Hold(data, more || GetFlag(Protocol, TCP_CORK));
        }
        return Deliver(target, data, files, options with { Urgent = urgent }, address);
    }

    /// <summary>Puts bytes where the other side finds them.</summary>
    private long Deliver(
        SocketFile target, ReadOnlySpan<byte> data, List<OpenFile>? files, in SendOptions options = default,
        ReadOnlySpan<byte> address = default)
    {
        bool unix = Domain == SocketTable.AF_UNIX;
        byte[]? from = Local;
        if (!unix)
        {
            (IPAddress own, int port) = SocketTable.Inet(Local!);
            from = SocketTable.InetAddress(target.Domain, options.Source ?? Specific(own), port);
        }
        // Of a stream nobody asks which way it came.
        IPAddress? to = unix || Kind == SocketTable.SOCK_STREAM ? null
            : Specific(SocketTable.Inet(address.Length > 0 ? address : Peer).Address);
        IFileUser? task = Inode.Fs.Vfs.Current;
        int size = SocketBuffers.TrueSize(data.Length, Kind == SocketTable.SOCK_STREAM);
        bool taken = target._inbox.Add(new SocketMessage
        {
            Data = data.ToArray(),
            TrueSize = size,
            Charged = unix ? this : null,
            From = from,
            Files = files?.Count > 0 ? files : null,
            Sender = options.Sender ?? (task == null ? Credentials : (task.Pid, task.Credentials.Euid, task.Credentials.Egid)),
            ArrivedNs = Inode.Fs.Vfs.NowRealtime,
            To = to,
            Header = to is null ? default : HeaderOf(options, !to.IsIPv4MappedToIPv6 && to.AddressFamily != AddressFamily.InterNetwork),
        });
        if (!taken)
            return -Errno.ENOBUFS;
        if (unix)
            _charged += size;
        else if (Kind == SocketTable.SOCK_STREAM)
            CountSegments(data.Length);
        target.Source.Notify(PollBits.Readable);
        target._async.Tell(IoEvent.In);
        if (options.Urgent && data.Length > 0)
            target.BecomeUrgent(data[^1]);
        return data.Length;
    }

    /// <summary>What the header of IP says: TTL and TOS, or hop limit and traffic class.</summary>
    private (byte HopLimit, byte TrafficClass) HeaderOf(in SendOptions options, bool six)
    {
        const int ttl = 2, tos = 1, hops = 16, trafficClass = 67, usual = 64;
        byte Option(int name, int otherwise) =>
            GetOption(six ? IPPROTO_IPV6 : 0, name) is { Length: > 0 } value && !(value.Length == 4 && BitConverter.ToInt32(value) == -1)
                ? value[0] : (byte)otherwise;
        return (options.HopLimit ?? Option(six ? hops : ttl, usual), options.TrafficClass ?? Option(six ? trafficClass : tos, 0));
    }

    private long NoRoom()
    {
        _lackedRoom = true;
        return -Errno.EAGAIN;
    }

    /// <summary>The other side has taken something.</summary>
    private void RoomCame()
    {
        Source.Notify(PollBits.Writable);
        if (!_lackedRoom)
            return;
        _lackedRoom = false;
        _async.Tell(IoEvent.Out);
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
        int passed = PassMark(peek);
        if (_inbox.First is not { } message || (passed != 0 && passed == _inbox.Bytes))
        {
            // Of a connection whose end was read nothing else is said (SOCK_DONE).
            if (_error != 0 && !_heardEnd)
                return -TakeError();
            if (_readShut || (Kind != SocketTable.SOCK_DGRAM && (_peerClosed || _other?._writeShut == true)))
            {
                _endWasRead |= !peek;
                return 0;
            }
            if (Kind != SocketTable.SOCK_DGRAM && !_wasConnected)
                return Domain == SocketTable.AF_UNIX && Kind == SocketTable.SOCK_STREAM ? -Errno.EINVAL : -Errno.ENOTCONN;
            return -Errno.EAGAIN;
        }
        first = message;
        if (Kind != SocketTable.SOCK_STREAM)
        {
            full = message.Data.Length;
            bool wasFull = _inbox.Count > Table.MostDatagrams;
            int n = _inbox.CopyMessage(buffer, peek);
            if (!peek)
            {
                Source.Queue.WakeAll();
                if (wasFull)
                    Source.Notify(PollBits.Writable);
            }
            return n;
        }
        full = ReceiveStream(buffer, peek, passed);
        if (!peek && Domain != SocketTable.AF_UNIX)
            _other?.RoomCame();
        return full;
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
        if (_error != 0 || _returned.Count > 0)
            events |= PollBits.Err;
        if (Domain == SocketTable.AF_UNIX || Kind != SocketTable.SOCK_STREAM ? _inbox.Count > 0 : HasOrdinary)
            events |= PollBits.Readable;
        events |= UrgentEvents;
        if (_readShut)
            events |= PollBits.Readable | PollBits.RdHup;
        if (Kind == SocketTable.SOCK_DGRAM)
            return events | (IsWritable && (_other == null || !IsFullFor(_other)) ? PollBits.Writable : 0);
        if (!_wasConnected)
            return events | PollBits.Hup | (Domain == SocketTable.AF_UNIX ? PollBits.Writable : PollBits.Out);
        bool theirEnd = _peerClosed || _other?._writeShut == true;
        if (theirEnd)
            events |= PollBits.Readable | PollBits.RdHup;
        if ((IsTcp ? _wasReset : _peerClosed) || (theirEnd && _writeShut) || (_readShut && _writeShut))
            events |= PollBits.Hup;
        if (_peerClosed || _other == null || IsWritable)
            events |= PollBits.Writable;
        return events;
    }

    public override long Ioctl(IFileUser user, uint command, ulong argument) => command switch
    {
        IoctlNumbers.FIONREAD => user.Memory.Write(
            argument, Kind == SocketTable.SOCK_STREAM ? BytesToRead : _inbox.First?.Data.Length ?? 0)
            ? 0 : -Errno.EFAULT,
        IoctlNumbers.TIOCOUTQ => user.Memory.Write(argument, Waiting) ? 0 : -Errno.EFAULT,
        // SIOCOUTQNSD: what was not even sent.
        0x894B when IsTcp => user.Memory.Write(argument, _held.Count) ? 0 : -Errno.EFAULT,
        // SIOCATMARK
        0x8905 => Kind != SocketTable.SOCK_STREAM ? -Errno.ENOTTY : user.Memory.Write(argument, IsAtMark ? 1 : 0) ? 0 : -Errno.EFAULT,
        >= 0x8900 and < 0x8A00 => NetworkInterface.Ioctl(Network, user, command, argument),
        _ => -Errno.ENOTTY,
    };

    protected override void Released()
    {
        Push();
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
                if (IsTcp)
                    Leave(other);
                else if (_inbox.Count > 0)
                    (other._error, other._wasReset) = (Errno.ECONNRESET, true);
                other._peerClosed = true;
                other._other = null;
            }
            other.Source.Notify(PollBits.Readable | PollBits.Hup | PollBits.RdHup);
            bool whole = Domain == SocketTable.AF_UNIX || other is { _readShut: true, _writeShut: true };
            if (Kind != SocketTable.SOCK_DGRAM)
                other._async.Tell(whole ? IoEvent.HangUp : IoEvent.In);
        }
        else if (_remains is { } wait && IsTcp && !_wasReset && !_writeShut)
        {
            if (IsAborted || !Table.Ends(wait))
                Table.Drop(wait);
            CountFarewell();
        }
        DropReturned();
        while (_backlog.TryDequeue(out SocketFile? waiting))
            waiting.Release();
        while (_inbox.TakeFirst() is { } message)
        {
            if (message.Files != null)
                DropFiles(message, 0);
        }
    }
}
