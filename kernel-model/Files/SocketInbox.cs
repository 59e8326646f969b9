namespace ArmVdso.Kernel.Files;

/// <summary>What travels between sockets: bytes, the sender's address, descriptors under way, the sender's identity.</summary>
internal sealed class SocketMessage
{
    public required byte[] Data { get; init; }

    /// <summary>What its buffers take of the sender's and the receiver's share (skb->truesize), in bytes.</summary>
    public required int TrueSize { get; init; }

    /// <summary>Who is told when the buffers are free again (skb->destructor); null: nobody is charged.</summary>
    public SocketFile? Charged { get; init; }

    /// <summary>The group of netlink that it was sent to; 0: none.</summary>
    public int Group { get; init; }

    public int Taken { get; set; }

    public byte[]? From { get; init; }

    public List<OpenFile>? Files { get; set; }

    public (int Pid, uint Uid, uint Gid) Sender { get; init; }

    /// <summary>When it came, in ns of CLOCK_REALTIME.</summary>
    public long ArrivedNs { get; init; }

    /// <summary>Where to, of what comes over IP.</summary>
    public System.Net.IPAddress? To { get; init; }

    /// <summary>TTL or hop limit, and TOS or traffic class, that it came with.</summary>
    public (byte HopLimit, byte TrafficClass) Header { get; init; }
}

/// <summary>What arrived at a socket and was not received yet, in order.</summary>
internal sealed class SocketInbox(Vfs vfs)
{
    /// <summary>What a message costs beside its bytes (SKB_TRUESIZE(0)).</summary>
    public const int Overhead = 768;

    private readonly Queue<SocketMessage> _messages = new();

    /// <summary>Messages, or segments of a stream.</summary>
    public int Count => _messages.Count;

    /// <summary>Bytes that are left in them.</summary>
    public int Bytes { get; private set; }

    /// <summary>Bytes that ever came.</summary>
    public long Arrived { get; private set; }

    /// <summary>Bytes of a stream that were taken: the place that is read next (copied_seq).</summary>
    public long Place => Arrived - Bytes;

    /// <summary>What their buffers take (sk_rmem_alloc), in bytes.</summary>
    public int TrueSize { get; private set; }

    /// <summary>The oldest; null: none.</summary>
    public SocketMessage? First => _messages.TryPeek(out SocketMessage? message) ? message : null;

    /// <summary>A message arrives. False: there is no memory for it.</summary>
    public bool Add(SocketMessage message)
    {
        if (!vfs.TryCharge(message.Data.Length + Overhead))
            return false;
        _messages.Enqueue(message);
        Arrived += message.Data.Length;
        Bytes += message.Data.Length;
        TrueSize += message.TrueSize;
        return true;
    }

    private void Drop()
    {
        if (!_messages.TryDequeue(out SocketMessage? message))
            return;
        TrueSize -= message.TrueSize;
        vfs.Charge(-message.Data.Length - Overhead);
        message.Charged?.Freed(message.TrueSize);
    }

    /// <summary>Takes the oldest, received or not; null: none.</summary>
    public SocketMessage? TakeFirst()
    {
        if (!_messages.TryPeek(out SocketMessage? message))
            return null;
        Drop();
        Bytes -= message.Data.Length - message.Taken;
        return message;
    }

    /// <summary>Copies what fits of the oldest message, which there must be; the rest of it is lost unless it stays
    /// (<paramref name="peek"/>). The bytes copied.</summary>
    public int CopyMessage(Span<byte> buffer, bool peek)
    {
        byte[] data = _messages.Peek().Data;
        int n = Math.Min(buffer.Length, data.Length);
        data.AsSpan(0, n).CopyTo(buffer);
        if (!peek)
            TakeFirst();
        return n;
    }

    /// <summary>Passes over a byte of a stream.</summary>
    public void Skip()
    {
        Span<byte> one = stackalloc byte[1];
        CopyStream(one, false);
    }

    /// <summary>Copies bytes of a stream, over the segments that they came in; the bytes copied.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="peek">Leaves them.</param>
    /// <param name="skip">Bytes that are passed over; only where they are left.</param>
    public int CopyStream(Span<byte> buffer, bool peek, int skip = 0)
    {
        SocketMessage first = _messages.Peek();
        int done = 0;
        foreach (SocketMessage segment in _messages.ToArray())
        {
            // Descriptors mark a boundary that one receive does not cross.
            if (segment != first && (segment.Files != null || first.Files != null))
                break;
            int passed = Math.Min(skip, segment.Data.Length - segment.Taken);
            skip -= passed;
            int n = Math.Min(buffer.Length - done, segment.Data.Length - segment.Taken - passed);
            segment.Data.AsSpan(segment.Taken + passed, n).CopyTo(buffer[done..]);
            done += n;
            if (!peek)
            {
                segment.Taken += n;
                Bytes -= n;
                if (segment.Taken == segment.Data.Length)
                    Drop();
            }
            if (done == buffer.Length)
                break;
        }
        return done;
    }
}
