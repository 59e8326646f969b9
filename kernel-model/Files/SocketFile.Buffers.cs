namespace ArmVdso.Kernel.Files;

/// <summary>How much a socket may have under way. A Unix socket's sender is charged for the buffers that its receiver has not emptied
/// (sock_alloc_send_pskb, unix_writable of net/unix/af_unix.c). A connection of TCP takes the sender's buffer and the receiver's
/// window together, without segments: a model.</summary>
internal sealed partial class SocketFile
{
    /// <summary>Bytes of buffers that others have not taken yet (sk_wmem_alloc); of Unix sockets.</summary>
    private int _charged;

    /// <summary>SO_SNDBUF, doubled as the kernel has it, in bytes.</summary>
    public int SendBuffer { get; set; }

    /// <summary>SO_RCVBUF, doubled as the kernel has it, in bytes.</summary>
    public int ReceiveBuffer { get; set; }

    /// <summary>What was sent and not taken yet, as SIOCOUTQ counts it.</summary>
    private int Waiting => Domain == SocketTable.AF_UNIX ? _charged
        : Kind == SocketTable.SOCK_STREAM && _other is { } other ? other._inbox.Bytes + _held.Count : 0;

    private int Window(SocketFile target) => SendBuffer / 2 + target.ReceiveBuffer / 2;

    /// <summary>POLLOUT (unix_writable; sk_stream_is_writable).</summary>
    private bool IsWritable => Domain == SocketTable.AF_UNIX ? _charged <= SendBuffer / 4
        : Kind == SocketTable.SOCK_DGRAM || _other is null || Window(_other) - _other._inbox.Bytes > Window(_other) / 3;

    /// <summary>Whether a socket of datagrams has as many as it may have of those who are not its peer (unix_recvq_full).</summary>
    private bool IsFullFor(SocketFile target) =>
        Domain == SocketTable.AF_UNIX && target != this && target._other != this && target._inbox.Count > target.Table.MostDatagrams;

    /// <summary>How many bytes of a stream, or of one message, can be sent now; 0: none.</summary>
    private int RoomFor(SocketFile target, int wanted)
    {
        if (Domain != SocketTable.AF_UNIX)
            return Math.Max(0, Window(target) - target._inbox.Bytes - _held.Count);
        return _charged >= SendBuffer ? 0
            : Kind == SocketTable.SOCK_STREAM ? Math.Min(wanted, SocketBuffers.Segment(SendBuffer)) : wanted;
    }

    /// <summary>A receiver has emptied buffers of this socket (sock_wfree, unix_write_space).</summary>
    internal void Freed(int size)
    {
        _charged -= size;
        if (IsWritable)
            RoomCame();
    }
}
