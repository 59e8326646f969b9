using System.Numerics;

namespace ArmVdso.Kernel.Files;

/// <summary>What messages take in buffers (include/linux/skbuff.h, net/core/sock.c), in bytes.</summary>
internal static class SocketBuffers
{
    /// <summary>SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF.</summary>
    internal const int LeastSend = 4608, LeastReceive = 2304;

    private const int Page = 4096, Header = 256, SharedInfo = 320, LeastHead = 512;

    /// <summary>SKB_MAX_HEAD(0) and SKB_MAX_ALLOC: what lies in one piece of memory, of a stream and of a message.</summary>
    private const int StreamHead = Page - SharedInfo, MessageHead = 4 * Page - SharedInfo;

    /// <summary>UNIX_SKB_FRAGS_SZ.</summary>
    private const int StreamPages = 8 * Page;

    /// <summary>The most of a stream that one buffer takes (unix_stream_sendmsg).</summary>
    internal static int Segment(int sendBuffer) => Math.Min(sendBuffer / 2 - 64, MessageHead + StreamPages);

    /// <summary>skb->truesize: the descriptor, a head of a power of two, and whole pages behind it.</summary>
    internal static int TrueSize(int length, bool stream)
    {
        int pages = (Math.Max(0, length - (stream ? StreamHead : MessageHead)) + Page - 1) & ~(Page - 1);
        uint head = BitOperations.RoundUpToPowerOf2((uint)Math.Max(LeastHead, Math.Max(0, length - pages) + SharedInfo));
        return Header + (int)head + pages;
    }
}

/// <summary>How large buffers of sockets are and may be made, in bytes (net.core.rmem_default and its like).</summary>
internal sealed class BufferSizes
{
    private const int Usual = 212992;

    /// <summary>Of a new socket.</summary>
    internal int Received { get; set; } = Usual;

    /// <inheritdoc cref="Received"/>
    internal int Sent { get; set; } = Usual;

    /// <summary>The most that setsockopt gives, before it doubles it.</summary>
    internal int MostReceived { get; set; } = Usual;

    /// <inheritdoc cref="MostReceived"/>
    internal int MostSent { get; set; } = Usual;
}
