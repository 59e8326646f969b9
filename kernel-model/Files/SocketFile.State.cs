using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>What the outside sees of a socket: /proc/net, sock_diag, TCP_INFO.</summary>
internal sealed partial class SocketFile
{
    /// <summary>States of include/net/tcp_states.h, which sockets of all families have.</summary>
    internal const int Established = 1, FinWait2 = 5, TimeWaiting = 6, Closed = 7, CloseWait = 8, Listening = 10;

    private const int TcpInfoSize = 104;

    /// <summary>sk_state. What is in TIME_WAIT has no socket any more (<see cref="TimeWait"/>).</summary>
    internal int State
    {
        get
        {
            if (IsListening)
                return Listening;
            if (!IsConnected || _wasReset)
                return Closed;
            if (!IsTcp)
                return Established;
            bool theirEnd = _peerClosed || _other?._writeShut == true;
            return _writeShut ? theirEnd ? Closed : FinWait2 : theirEnd ? CloseWait : Established;
        }
    }

    /// <summary>Whether the tables of its protocol have it: a bound datagram socket, a TCP socket that listens or is connected.</summary>
    internal bool IsHashed => Local is not null && (Kind != SocketTable.SOCK_STREAM || State != Closed);

    /// <summary>The FIN was read, which takes a place of the stream until then.</summary>
    private bool _endWasRead;

    /// <summary>Nobody has accepted it yet (it has no file).</summary>
    private bool _isEmbryo;

    /// <summary>Its inode number; 0 while nobody has accepted it.</summary>
    internal ulong NumberShown => _isEmbryo ? 0 : Inode.Ino;

    /// <summary>What waits to be received, and what was sent and not taken; of one that listens: connections that wait, and how many may.
    /// </summary>
    internal (int In, int Out) Queued => IsListening ? (_backlog.Count, _backlogLimit - 1)
        : Kind == SocketTable.SOCK_STREAM
            ? (_inbox.Bytes + (IsTcp && State == CloseWait && !_endWasRead ? 1 : 0), Domain == SocketTable.AF_UNIX ? _charged : _held.Count)
        : Domain == SocketTable.AF_UNIX ? (_inbox.First?.Data.Length ?? 0, _charged) : (_inbox.TrueSize, 0);

    /// <summary>RCV_SHUTDOWN 1, SEND_SHUTDOWN 2.</summary>
    internal byte ShutDown => (byte)((_readShut ? 1 : 0) | (_writeShut ? 2 : 0));

    /// <summary>The other end of a Unix socket, and those that wait to be accepted.</summary>
    internal SocketFile? Other => _other;

    /// <inheritdoc cref="Other"/>
    internal IEnumerable<SocketFile> Waiters => _backlog;

    /// <summary>Buffers in use: received (sk_rmem_alloc), sent (sk_wmem_alloc).</summary>
    internal (int In, int Out) Allocated => (_inbox.TrueSize, _charged);

    /// <summary>struct tcp_info: state, sizes of segments and windows; nothing is measured.</summary>
    internal byte[] TcpInfo()
    {
        byte[] info = new byte[TcpInfoSize];
        info[0] = (byte)State;
        void Put(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(at), value);
        const int initialWindow = 10, reordering = 3;
        Put(80, initialWindow);
        Put(88, reordering);
        if (IsListening)
        {
            // Those that wait, and how many may.
            (int waiting, int most) = Queued;
            Put(24, waiting);
            Put(28, most);
        }
        else if (IsConnected)
        {
            Put(16, LargestSegment); // snd_mss
            Put(20, LargestSegment); // rcv_mss
        }
        return info;
    }
}
