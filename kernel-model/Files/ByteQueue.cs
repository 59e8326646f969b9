namespace ArmVdso.Kernel.Files;

/// <summary>A queue of bytes with a fixed capacity.</summary>
public sealed class ByteQueue(int capacity)
{
    private byte[] _ring = [];
    private int _head;

    /// <summary>Bytes in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Most bytes that fit.</summary>
    public int Capacity { get; set; } = capacity;

    /// <summary>Bytes that still fit.</summary>
    public int Free => Math.Max(0, Capacity - Count);

    /// <summary>Adds what fits and returns how much that was.</summary>
    public int Enqueue(ReadOnlySpan<byte> data)
    {
        int length = Math.Min(data.Length, Free);
        if (Count + length > _ring.Length)
        {
            byte[] larger = new byte[Math.Max(Count + length, Math.Min(Capacity, Math.Max(4096, _ring.Length * 2)))];
            int count = Peek(larger);
            _ring = larger;
            (_head, Count) = (0, count);
        }
        if (length == 0)
            return 0;
        int tail = (_head + Count) % _ring.Length;
        int first = Math.Min(length, _ring.Length - tail);
        data[..first].CopyTo(_ring.AsSpan(tail));
        data[first..length].CopyTo(_ring);
        Count += length;
        return length;
    }

    /// <summary>Copies bytes from the front without taking them.</summary>
    public int Peek(Span<byte> target)
    {
        int length = Math.Min(target.Length, Count);
        int first = Math.Min(length, _ring.Length - _head);
        _ring.AsSpan(_head, first).CopyTo(target);
        _ring.AsSpan(0, length - first).CopyTo(target[first..]);
        return length;
    }

    /// <summary>Drops bytes from the front.</summary>
    public void Skip(int count)
    {
        Count -= count;
        _head = Count == 0 ? 0 : (_head + count) % _ring.Length;
    }

    /// <summary>Takes bytes from the front.</summary>
    public int Dequeue(Span<byte> target)
    {
        int length = Peek(target);
        if (length > 0)
            Skip(length);
        return length;
    }
}
