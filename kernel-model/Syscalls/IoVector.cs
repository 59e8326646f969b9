namespace ArmVdso.Kernel.Syscalls;

/// <summary>Arrays of struct iovec: places in the guest that one call transfers to or from (lib/iov_iter.c).</summary>
internal static class IoVector
{
    /// <summary>Bytes that travel at once.</summary>
    public const int ChunkSize = 256 << 10;

    /// <summary>Most bytes that one call transfers (MAX_RW_COUNT).</summary>
    public const long MaxCount = 0x7FFFF000;

    /// <summary>Length of a part that does not lie where user memory may be.</summary>
    internal const long NoUserRange = -1;

    /// <summary>Reads an array of struct iovec: 0, -EINVAL, -EFAULT. The total is cut to what one call transfers. All parts must lie where
    /// user memory may be (__import_iovec), but for those of another process.</summary>
    public static long Read(
        SyscallContext c, ulong address, ulong count, out (ulong Address, long Length)[] iov, long most = MaxCount, bool foreign = false)
    {
        iov = [];
        if (count > 1024)
            return -Errno.EINVAL;
        iov = new (ulong, long)[count];
        long total = 0;
        bool outside = false;
        for (ulong n = 0; n < count; n++)
        {
            if (!c.Memory.Read(address + n * 16, out ulong start) || !c.Memory.Read(address + n * 16 + 8, out ulong length))
                return -Errno.EFAULT;
            if (length > long.MaxValue)
                return -Errno.EINVAL;
            long part = (long)Math.Min(length, (ulong)(most - total));
            outside |= !foreign && !c.Memory.IsUserRange(start, count == 1 ? (ulong)part : length);
            total += part;
            iov[n] = (start, part);
        }
        return outside ? -Errno.EFAULT : 0;
    }

    /// <summary>Bytes of all parts; -EFAULT when one is no place of a user's.</summary>
    public static long Total((ulong Address, long Length)[] iov)
    {
        long total = 0;
        foreach ((_, long length) in iov)
        {
            if (length == NoUserRange)
                return -Errno.EFAULT;
            total += length;
        }
        return total;
    }

    /// <summary>Copies bytes into the guest from <paramref name="skip"/> bytes into the vector; the count that could be written.</summary>
    public static int Scatter(SyscallContext c, (ulong Address, long Length)[] iov, long skip, ReadOnlySpan<byte> data)
    {
        int done = 0;
        foreach ((ulong address, int length) in new Parts(iov, skip, data.Length))
        {
            if (!c.Memory.Write(address, data.Slice(done, length)))
                break;
            done += length;
        }
        return done;
    }

    /// <summary>Copies bytes out of the guest; the count that could be read.</summary>
    public static int Gather(SyscallContext c, (ulong Address, long Length)[] iov, long skip, Span<byte> data)
    {
        int done = 0;
        foreach ((ulong address, int length) in new Parts(iov, skip, data.Length))
        {
            if (!c.Memory.Read(address, data.Slice(done, length)))
                break;
            done += length;
        }
        return done;
    }

    /// <summary>The parts of a vector that hold <paramref name="length"/> bytes from <paramref name="skip"/> on, none of them empty.
    /// </summary>
    private struct Parts((ulong Address, long Length)[] iov, long skip, int length)
    {
        private int _next;

        /// <summary>The part that the enumeration stands at.</summary>
        public (ulong Address, int Length) Current { get; private set; }

        public readonly Parts GetEnumerator() => this;

        public bool MoveNext()
        {
            for (; length > 0 && _next < iov.Length; _next++)
            {
                (ulong address, long room) = iov[_next];
                if (skip >= room)
                {
                    skip -= room;
                    continue;
                }
                int n = (int)Math.Min(room - skip, length);
                Current = (address + (ulong)skip, n);
                skip = 0;
                length -= n;
                _next++;
                return true;
            }
            return false;
        }
    }
}
