using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>How connections of TCP end (tcp_close, tcp_shutdown, tcp_reset of net/ipv4/tcp.c and tcp_input.c): with two ends, of which the
/// first that was said leaves something behind, or with a reset.</summary>
internal sealed partial class SocketFile
{
    private const int SO_LINGER = 13, TCP_LINGER2 = 8, IPV6_V6ONLY = 26, IPPROTO_IPV6 = 41;

    /// <summary>What is left of the other side, which was closed first; null: nothing.</summary>
    private TimeWait? _remains;

    /// <summary>The other side has said that nothing more comes (SOCK_DONE).</summary>
    private bool _heardEnd;

    /// <summary>An IPv6 socket that takes no IPv4 (IPV6_V6ONLY).</summary>
    internal bool IsForSixAlone => Domain == SocketTable.AF_INET6 && GetFlag(IPPROTO_IPV6, IPV6_V6ONLY);

    /// <summary>Whether closing it resets the connection: nobody has read what came, nobody has accepted it, or SO_LINGER is 0 s.</summary>
    private bool IsAborted => _inbox.Count > 0 || _isEmbryo
        || (GetOption(1, SO_LINGER) is { } linger && BitConverter.ToInt32(linger) != 0 && BitConverter.ToInt32(linger, 4) == 0);

    /// <summary>How long a side that was closed waits for the other's end, in ns; null: not at all (tcp_fin_time).</summary>
    private ulong? LongestWait
    {
        get
        {
            int set = GetOption(6, TCP_LINGER2) is { } value ? BitConverter.ToInt32(value) : 0;
            int usual = Network.Settings.GetValueOrDefault("net/ipv4/tcp_fin_timeout", 60);
            return set < 0 ? null : (ulong)Math.Max(set != 0 ? set : usual, 1) * 1_000_000_000;
        }
    }

    /// <summary>A reset has come.</summary>
    private void Reset()
    {
        if (!_wasReset)
            _error = _heardEnd ? Errno.EPIPE : Errno.ECONNRESET;
        (_wasReset, _peerClosed) = (true, true);
        Source.Notify(PollBits.Readable | PollBits.Hup | PollBits.RdHup | PollBits.Err);
    }

    /// <summary>What is left of the other side answers with a reset, and is gone.</summary>
    private void ResetByRemains()
    {
        if (_remains is { } wait)
            Table.Drop(wait);
        _remains = null;
        Reset();
    }

    /// <summary>The end is said. Where the other side has said it before, that one waits.</summary>
    private void SendEnd()
    {
        if (_wasReset)
            return;
        if (_other is { } other)
        {
            other._heardEnd = true;
            if (other._writeShut)
                Table.Wait(other, TimeWaiting);
        }
        else if (_remains is { } wait)
        {
            Table.Ends(wait);
        }
    }

    /// <summary>The last descriptor of a connected socket is closed.</summary>
    private void Leave(SocketFile other)
    {
        // Both ends were said, or it was reset: nothing is left to say.
        if (_wasReset || (_writeShut && other._writeShut))
            return;
        if (!_writeShut || IsAborted)
            CountFarewell();
        if (IsAborted)
        {
            other.Reset();
            return;
        }
        if (other._writeShut)
        {
            SendEnd();
            return;
        }
        other._heardEnd = true;
        if (LongestWait is { } ns)
            other._remains = Table.Wait(this, FinWait2, ns);
        else
            other.Reset();
    }

    /// <summary>A listener's options are those of its connections (sk_clone_lock).</summary>
    private void Inherit(SocketFile listener)
    {
        foreach (var (key, value) in listener._options)
            _options[key] = value;
        (SendBuffer, ReceiveBuffer) = (listener.SendBuffer, listener.ReceiveBuffer);
        (SendTimeout, ReceiveTimeout) = (listener.SendTimeout, listener.ReceiveTimeout);
    }

    /// <summary>A connection of the same two names that waits gives way, or the new one cannot be made (-EADDRNOTAVAIL).</summary>
    private long TakePlace(byte[] target)
    {
        (IPAddress ip, int port) = SocketTable.Inet(target);
        (IPAddress own, int ownPort) = SocketTable.Inet(Local!);
        (ip, own) = (Specific(ip), Specific(own.Equals(IPAddress.Any) || own.Equals(IPAddress.IPv6Any) ? ip : own));
        if (Table.FindWait(own, ownPort, ip, port) is { } mine)
        {
            if (!Table.GivesWay(mine))
                return -Errno.EADDRNOTAVAIL;
            Table.Drop(mine);
        }
        // What waits on the other side hears of a new connection and is gone (TCP_TW_SYN).
        if (Table.FindWait(ip, port, own, ownPort) is { } its)
            Table.Drop(its);
        return 0;
    }
}
