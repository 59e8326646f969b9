using System.Net;

namespace ArmVdso.Kernel.Files;

/// <summary>What a message is sent with beside its bytes: flags of the call, and control messages (struct ipcm_cookie, scm_cookie).
/// </summary>
internal readonly record struct SendOptions
{
    /// <summary>MSG_MORE: what follows belongs to it.</summary>
    internal bool More { get; init; }

    /// <summary>MSG_OOB: its last byte is urgent.</summary>
    internal bool Urgent { get; init; }

    /// <summary>IP_TTL, IPV6_HOPLIMIT; null: the socket's.</summary>
    internal byte? HopLimit { get; init; }

    /// <summary>IP_TOS, IPV6_TCLASS; null: the socket's.</summary>
    internal byte? TrafficClass { get; init; }

    /// <summary>IP_PKTINFO, IPV6_PKTINFO: from which address; null: the socket's.</summary>
    internal IPAddress? Source { get; init; }

    /// <summary>UDP_SEGMENT: bytes of each datagram; 0: the socket's.</summary>
    internal int Segment { get; init; }

    /// <summary>SCM_CREDENTIALS: who the sender says it is; null: who it is.</summary>
    internal (int Pid, uint Uid, uint Gid)? Sender { get; init; }
}
