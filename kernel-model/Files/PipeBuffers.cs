namespace ArmVdso.Kernel.Files;

/// <summary>What is under way in a pipe: a ring of buffers of at most a page each (struct pipe_buffer, fs/pipe.c). A pipe is full when all
/// are in use, however few bytes they hold.</summary>
internal sealed class PipeBuffers(Vfs vfs, int slots)
{
    private const int Page = 4096;

    /// <summary>What a buffer costs beside its bytes.</summary>
    private const int Overhead = 64;

    private struct Buffer
    {
        public byte[] Bytes;
        public int Offset, Length;

        /// <summary>PIPE_BUF_FLAG_CAN_MERGE: a small write may be appended.</summary>
        public bool Merges;

        /// <summary>PIPE_BUF_FLAG_PACKET: a read takes it alone, and what does not fit is lost.</summary>
        public bool Packet;
    }

    private Buffer[] _ring = new Buffer[16];
    private int _first, _used;

    /// <summary>Bytes in the pipe.</summary>
    public int Count { get; private set; }

    /// <summary>Buffers that it may use.</summary>
    public int Slots { get; private set; } = slots;

    /// <summary>Buffers in use.</summary>
    public int Used => _used;

    /// <summary>Buffers that are free.</summary>
    public int Free => Math.Max(0, Slots - _used);

    /// <summary>F_SETPIPE_SZ: another number of buffers, no fewer than are in use.</summary>
    public void Resize(int slots)
    {
        Slots = slots;
        if (slots > _ring.Length)
            Grow(Math.Min(slots, Math.Max(_used, 16)));
    }

    private void Grow(int length)
    {
        var larger = new Buffer[length];
        for (int i = 0; i < _used; i++)
            larger[i] = _ring[(_first + i) % _ring.Length];
        (_ring, _first) = (larger, 0);
    }

    private ref Buffer Append()
    {
        if (_used == _ring.Length)
            Grow(_ring.Length * 2);
        return ref _ring[(_first + _used++) % _ring.Length];
    }

    /// <summary>Writes what fits and returns how much that was (pipe_write).</summary>
    public int Write(ReadOnlySpan<byte> data, bool packet)
    {
        int done = 0;
        int odd = data.Length % Page;
        if (odd != 0 && _used != 0)
        {
            ref Buffer last = ref _ring[(_first + _used - 1) % _ring.Length];
            if (last.Merges && last.Offset + last.Length + odd <= Page)
            {
                data[..odd].CopyTo(last.Bytes.AsSpan(last.Offset + last.Length));
                last.Length += odd;
                done = odd;
            }
        }
        while (done < data.Length && _used < Slots)
        {
            if (!vfs.TryCharge(Page + Overhead))
                break;
            int length = Math.Min(Page, data.Length - done);
            byte[] page = new byte[Page];
            data.Slice(done, length).CopyTo(page);
            Append() = new Buffer { Bytes = page, Length = length, Merges = !packet, Packet = packet };
            done += length;
        }
        Count += done;
        return done;
    }

    /// <summary>Adds bytes of pages of somebody else's, a buffer for each page (splice_to_pipe). What fits.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="offset">Where they begin in their pages.</param>
    public int Splice(ReadOnlySpan<byte> data, long offset)
    {
        int done = 0;
        while (done < data.Length && _used < Slots)
        {
            int length = Math.Min(Page - (int)((offset + done) & (Page - 1)), data.Length - done);
            if (!vfs.TryCharge(length + Overhead))
                break;
            Append() = new Buffer { Bytes = data.Slice(done, length).ToArray(), Length = length };
            done += length;
        }
        Count += done;
        return done;
    }

    /// <summary>Takes bytes from the front (pipe_read).</summary>
    public int Read(Span<byte> target)
    {
        int done = 0;
        while (_used != 0 && done < target.Length)
        {
            ref Buffer first = ref _ring[_first];
            int length = Math.Min(first.Length, target.Length - done);
            first.Bytes.AsSpan(first.Offset, length).CopyTo(target[done..]);
            done += length;
            bool packet = first.Packet;
            Take(packet ? first.Length : length);
            if (packet)
                break;
        }
        return done;
    }

    /// <summary>Copies bytes from the front, which stay; of a packet no more than that.</summary>
    public int Peek(Span<byte> target)
    {
        int done = 0;
        for (int i = 0; i < _used && done < target.Length; i++)
        {
            Buffer next = _ring[(_first + i) % _ring.Length];
            int length = Math.Min(next.Length, target.Length - done);
            next.Bytes.AsSpan(next.Offset, length).CopyTo(target[done..]);
            done += length;
            if (next.Packet)
                break;
        }
        return done;
    }

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    public void Skip(int count)
    {
        while (count > 0)
        {
            int length = Math.Min(count, _ring[_first].Length);
            Take(length);
            count -= length;
        }
    }

    /// <summary>Takes bytes of the first buffer.</summary>
    private void Take(int length)
    {
        ref Buffer first = ref _ring[_first];
        first.Offset += length;
        first.Length -= length;
        Count -= length;
        if (first.Length != 0)
            return;
        vfs.Charge(-first.Bytes.Length - Overhead);
        first = default;
        _first = (_first + 1) % _ring.Length;
        _used--;
    }

    /// <summary>Nobody has the pipe open any more.</summary>
    public void Clear()
    {
        while (_used != 0)
            Take(_ring[_first].Length);
    }

    /// <summary>Hands buffers on to another pipe as far as it has room, or copies them (tee). The bytes that went.</summary>
    /// <param name="to">The other pipe.</param>
    /// <param name="most">No more bytes than that.</param>
    /// <param name="keep">Leaves them here too.</param>
    public int MoveTo(PipeBuffers to, int most, bool keep)
    {
        int done = 0;
        for (int i = 0; done < most && i < _used && to.Free != 0;)
        {
            Buffer next = _ring[(_first + i) % _ring.Length];
            int length = Math.Min(next.Length, most - done);
            if (!vfs.TryCharge(length + Overhead))
                break;
            next.Bytes = next.Bytes.AsSpan(next.Offset, length).ToArray();
            next.Offset = 0;
            next.Length = length;
            next.Merges = false;
            to.Append() = next;
            to.Count += length;
            done += length;
            if (keep)
                i++;
            else
                Take(length);
        }
        return done;
    }
}
