namespace ArmVdso.Kernel.Files;

/// <summary>Urgent data of streams: one byte, out of band unless SO_OOBINLINE, and the mark where it is in the stream (tcp_check_urg,
/// tcp_recv_urg in net/ipv4/tcp.c; unix_stream_recv_urg, manage_oob in net/unix/af_unix.c).</summary>
internal sealed partial class SocketFile
{
    private const int SOL_SOCKET = 1, SO_OOBINLINE = 10;

    private enum Urgency
    {
        /// <summary>There is no mark.</summary>
        None,

        /// <summary>Its byte was not received.</summary>
        Waits,

        /// <summary>Its byte was received out of band, the mark is still there.</summary>
        Taken,
    }

    private Urgency _urgency;
    private long _mark;
    private byte _urgentByte;

    private bool IsInline => GetFlag(SOL_SOCKET, SO_OOBINLINE);

    /// <summary>SIOCATMARK: what is read next is the urgent byte.</summary>
    private bool IsAtMark => _urgency != Urgency.None && _inbox.Place == _mark;

    /// <summary>The last byte that came is urgent: its owner gets SIGURG.</summary>
    private void BecomeUrgent(byte value)
    {
        // One that nobody has taken and that would be next is lost; elsewhere it is a byte like others from now on.
        if (_urgency == Urgency.Waits && IsAtMark && !IsInline)
            _inbox.Skip();
        (_urgency, _mark, _urgentByte) = (Urgency.Waits, _inbox.Arrived - 1, value);
        Inode.Fs.Vfs.Host?.Owners.TellUrgent(this);
        _async.Tell(IoEvent.Urgent);
        Source.Notify(PollBits.Pri | PollBits.RdBand);
    }

    /// <summary>recv with MSG_OOB: 1, 0 at the end, -EINVAL where there is none.</summary>
    /// <param name="buffer">Room for it; none: it is received all the same.</param>
    /// <param name="peek">Leaves it.</param>
    internal long ReceiveUrgent(Span<byte> buffer, bool peek)
    {
        if (_urgency != Urgency.Waits || IsInline)
            return -Errno.EINVAL;
        if (!peek)
            _urgency = Urgency.Taken;
        if (buffer.Length == 0)
            return 0;
        buffer[0] = _urgentByte;
        return 1;
    }

    /// <summary>At the mark who receives passes over the urgent byte, unless that is in line, and leaves the mark behind.</summary>
    /// <param name="peek">It only looks.</param>
    /// <returns>Bytes that who only looks has to pass over.</returns>
    private int PassMark(bool peek)
    {
        if (!IsAtMark)
            return 0;
        int passed = IsInline ? 0 : 1;
        if (peek)
            return passed;
        if (passed != 0)
            _inbox.Skip();
        _urgency = Urgency.None;
        return 0;
    }

    /// <summary>Receives bytes of a stream, none over a mark that is still ahead.</summary>
    private int ReceiveStream(Span<byte> buffer, bool peek, int passed)
    {
        if (_urgency != Urgency.None && !IsAtMark && _mark - _inbox.Place < buffer.Length)
            buffer = buffer[..(int)(_mark - _inbox.Place)];
        return _inbox.CopyStream(buffer, peek, passed);
    }

    /// <summary>FIONREAD of a stream: up to the mark, when what is there is out of band.</summary>
    private int BytesToRead => _urgency == Urgency.None || IsInline ? _inbox.Bytes : (int)(_mark - _inbox.Place);

    /// <summary>POLLPRI: an urgent byte waits.</summary>
    private uint UrgentEvents => _urgency == Urgency.Waits ? PollBits.Pri : 0;

    /// <summary>Whether a stream has something that an ordinary receive takes.</summary>
    private bool HasOrdinary => _inbox.Bytes > (IsAtMark && !IsInline ? 1 : 0);
}
