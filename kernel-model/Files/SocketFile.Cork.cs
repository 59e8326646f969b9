namespace ArmVdso.Kernel.Files;

/// <summary>What a sender keeps back because more is to come: MSG_MORE, UDP_CORK, TCP_CORK (udp_sendmsg of net/ipv4/udp.c, tcp_push of
/// net/ipv4/tcp.c). Unix sockets keep nothing back.</summary>
internal sealed partial class SocketFile
{
    internal const int UDP_CORK = 1, TCP_CORK = 3, UDP_SEGMENT = 103;

    /// <summary>Bytes of the largest datagram, and of the largest segment on the loopback.</summary>
    internal const int LargestDatagram = 65507, LargestSegment = 65483;

    /// <summary>TCP_RTO_MIN: what was kept back so long is sent by the probe timer, in ns.</summary>
    private const ulong LongestHold = 200_000_000;

    private List<byte>? _datagram;
    private byte[] _datagramTo = [];
    private SendOptions _datagramOptions;
    private readonly List<byte> _held = [];
    private Time.KernelTimer? _holdTimer;

    private bool IsTcp => Kind == SocketTable.SOCK_STREAM && Domain is SocketTable.AF_INET or SocketTable.AF_INET6;

    /// <summary>A part of a datagram, which goes where its first part was to go.</summary>
    private long AddToDatagram(ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, in Caller caller, in SendOptions options)
    {
        if (_datagram is null)
        {
            if (address.Length > 0)
                address = Mapped(address);
            if (address.Length == 0 && Peer == null)
                return -Errno.EDESTADDRREQ;
            if (address.Length > 0 && CheckAddress(address) is < 0 and long bad)
                return bad;
            byte[] to = address.Length > 0 ? address.ToArray() : Peer!;
            if (Resolve(to, caller, out _) is < 0 and not -Errno.ECONNREFUSED and long error)
                return error;
            (_datagram, _datagramTo, _datagramOptions) = ([], to, options with { More = false });
        }
        // What does not fit takes with it what was there (udp_flush_pending_frames).
        long refused = _datagram.Count + data.Length > LargestDatagram ? -Errno.EMSGSIZE
            : Inode.Fs.Vfs.TryCharge(data.Length) ? 0 : -Errno.ENOBUFS;
        if (refused < 0)
        {
            DropDatagram();
            return refused;
        }
        _datagram.AddRange(data);
        if (options.More || GetFlag(Protocol, UDP_CORK))
            return data.Length;
        return SendDatagram(caller) is < 0 and long failed ? failed : data.Length;
    }

    private long SendDatagram(in Caller caller)
    {
        byte[] whole = [.. _datagram!];
        byte[] to = _datagramTo;
        DropDatagram();
        return SendNow(whole, to, caller, null, _datagramOptions);
    }

    /// <summary>UDP_SEGMENT: one call sends datagrams of a size (udp_send_skb).</summary>
    private long SendPieces(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> address, in Caller caller, int piece, in SendOptions options)
    {
        const int mostPieces = 128;
        if (data.Length > (long)piece * mostPieces)
            return -Errno.EINVAL;
        if (data.Length > LargestDatagram)
            return -Errno.EMSGSIZE;
        for (int at = 0; at < data.Length; at += piece)
        {
            if (SendNow(data.Slice(at, Math.Min(piece, data.Length - at)), address, caller, null, options) is < 0 and long error)
                return error;
        }
        return data.Length;
    }

    private void DropDatagram()
    {
        Inode.Fs.Vfs.Charge(-(_datagram?.Count ?? 0));
        _datagram = null;
    }

    /// <summary>Bytes of a stream that are sent in full segments only, until nobody keeps them back.</summary>
    private long Hold(ReadOnlySpan<byte> data, bool keeps)
    {
        if (!Inode.Fs.Vfs.TryCharge(data.Length))
            return -Errno.ENOBUFS;
        _held.AddRange(data);
        PushHeld(keeps ? LargestSegment : 1);
        return data.Length;
    }

    /// <summary>Sends what was kept back: nobody keeps it any more (TCP_CORK off, TCP_NODELAY, shutdown, close), or it was kept long
    /// enough.</summary>
    internal void Push()
    {
        if (_datagram is not null)
        {
            // A closed socket's is lost.
            if (References == 0)
                DropDatagram();
            else
                SendDatagram(Inode.Fs.Vfs.RootCaller);
        }
        PushHeld(1);
    }

    private void PushHeld(int least)
    {
        while (_held.Count >= least)
        {
            byte[] segment = [.. _held[..Math.Min(_held.Count, LargestSegment)]];
            Inode.Fs.Vfs.Charge(-segment.Length);
            _held.RemoveRange(0, segment.Length);
            if (_other is not { _readShut: false } target || _peerClosed)
                continue;
            if (Deliver(target, segment, null) >= 0 || References == 0)
                continue;
            // There is no memory: later.
            _held.InsertRange(0, segment);
            Inode.Fs.Vfs.Charge(segment.Length);
            break;
        }
        if (_held.Count == 0)
        {
            _holdTimer?.Cancel();
            _holdTimer = null;
        }
        else if (_holdTimer is null && Inode.Fs.Vfs.Host is { } host)
        {
            _holdTimer = host.Timers.Add(host.Timekeeper.NowNs + LongestHold, _ =>
            {
                _holdTimer = null;
                PushHeld(1);
            });
        }
    }
}
