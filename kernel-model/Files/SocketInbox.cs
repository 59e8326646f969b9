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

    /// <summary>Copies bytes of a stream, over the segments that they came in; the bytes copied.</summary>
    public int CopyStream(Span<byte> buffer, bool peek)
    {
        SocketMessage first = _messages.Peek();
        int done = 0;
        foreach (SocketMessage segment in _messages.ToArray())
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
