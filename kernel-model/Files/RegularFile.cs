using Microsoft.Win32.SafeHandles;

namespace ArmVdso.Kernel.Files;

/// <summary>A regular file in memory, possibly over a file of the host that is only read: pages are copied when they are written,
/// so a file of any size opens at once and the host's never changes. A page that is mapped shared lives in guest RAM and all
/// reads and writes go there.</summary>
public sealed class RegularFile : Inode, IContents
{
    private const int PageSize = 4096;
    private const long MaxSize = 1L << 46;
    private readonly HostLocation? _lower;
    private readonly Dictionary<long, byte[]> _pages = [];
    private SortedDictionary<long, ulong>? _mapped;

    /// <summary>Blocks that fallocate took and that nothing was written to: zero, and a hole for SEEK_DATA.</summary>
    private HashSet<long>? _unwritten;
    private SafeFileHandle? _handle;
    private long _size;
    private long _lowerSize;
    private readonly long _lowerTime;

    /// <summary>Whether its contents are not the host's.</summary>
    internal bool IsWritten => _lower is null || Mtime != _lowerTime;

    /// <summary>An empty file.</summary>
    public RegularFile(FileSystem fs, uint permissions) : base(fs, Modes.S_IFREG | permissions)
    {
    }

    internal RegularFile(FileSystem fs, HostLocation lower, in HostStat stat) : base(fs, stat.Mode)
    {
        _lower = lower;
        _size = _lowerSize = stat.Size;
        Atime = Mtime = Ctime = _lowerTime = stat.Mtime;
    }

    /// <inheritdoc/>
    public override long Size => _size;

    /// <summary>F_SEAL_* bits of a memfd; F_SEAL_SEAL (1) when sealing is not allowed.</summary>
    public uint Seals { get; set; } = 1;

    /// <inheritdoc/>
    public override bool CanMap => true;

    /// <inheritdoc/>
    internal override bool HasFlags => true;

    /// <inheritdoc/>
    public override long Blocks => _lower != null ? base.Blocks : (long)Owned * 8;

    /// <summary>Pages that hold what the file of the host has: they can go at any time that nobody has them mapped.</summary>
    private Dictionary<long, ulong>? _clean;

    private int Owned => _pages.Count + (_mapped?.Count ?? 0) + (_unwritten?.Count ?? 0);

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new RegularOpenFile<RegularFile>(this, flags);
        return 0;
    }

    /// <summary>Reads bytes; fewer at the end of the file, 0 past it.</summary>
    public long Read(Span<byte> buffer, long position)
    {
        if (position >= _size)
            return 0;
        if (buffer.Length > _size - position)
            buffer = buffer[..(int)(_size - position)];
        int done = 0;
        while (done < buffer.Length)
        {
            long at = position + done;
            long index = at / PageSize;
            int offset = (int)(at % PageSize);
            int length = Math.Min(PageSize - offset, buffer.Length - done);
            Span<byte> target = buffer.Slice(done, length);
            if (Resident(index) is { IsEmpty: false } page)
            {
                page.Slice(offset, length).CopyTo(target);
            }
            else if (at >= _lowerSize)
            {
                target.Clear();
            }
            else
            {
                // A run of pages of the lower file in one read.
                while (done + length < buffer.Length && at + length < _lowerSize && Resident((at + length) / PageSize).IsEmpty)
                    length = Math.Min(length + PageSize, buffer.Length - done);
                target = buffer.Slice(done, length);
                long error = ReadLower(target, at);
                if (error < 0)
                    return done > 0 ? done : error;
            }
            done += length;
        }
        return done;
    }

    /// <summary>Whether somebody has written to the page at an offset in bytes, or mapped it.</summary>
    internal bool Has(long offset) => !Resident(offset / PageSize).IsEmpty || _unwritten?.Contains(offset / PageSize) == true;

    private Span<byte> Resident(long index)
    {
        if (_mapped != null && _mapped.TryGetValue(index, out ulong pa))
            return Fs.Vfs.PageBytes(pa);
        return _pages.TryGetValue(index, out byte[]? page) ? page : default;
    }

    /// <summary>Bytes of the lower file; zero past its end (as far as the guest has not cut it).</summary>
    private long ReadLower(Span<byte> target, long position)
    {
        int wanted = (int)Math.Clamp(_lowerSize - position, 0, target.Length);
        int done = 0;
        if (wanted > 0)
        {
            if (_handle == null && _lower!.Tree.OpenFile(_lower, false, out _handle) is < 0 and long error)
                return error == -Errno.EACCES ? error : -Errno.EIO;
            try
            {
                int n;
                while (done < wanted && (n = RandomAccess.Read(_handle!, target[done..wanted], position + done)) > 0)
                    done += n;
            }
            catch (IOException)
            {
                return -Errno.EIO;
            }
        }
        target[done..].Clear();
        return 0;
    }

    /// <summary>Makes sure that a page is in memory and returns it.</summary>
    private long Own(long index, bool overwrite, out Span<byte> page)
    {
        page = Resident(index);
        if (!page.IsEmpty)
            return 0;
        if (_clean is not null && _clean.ContainsKey(index))
        {
            if (!Adopt(index))
                return -Errno.ENOSPC;
            page = Resident(index);
            return 0;
        }
        bool reserved = _unwritten?.Remove(index) == true;
        if (!reserved && !Reserve())
            return -Errno.ENOSPC;
        byte[] bytes = new byte[PageSize];
        if (!overwrite && index * PageSize < _lowerSize && ReadLower(bytes, index * PageSize) is < 0 and long error)
        {
            Release(1);
            return error;
        }
        _pages[index] = bytes;
        page = bytes;
        return 0;
    }

    private bool Reserve()
    {
        if (!Fs.TakeBlocks(1))
            return false;
        if (Fs.Vfs.ReserveFilePage())
            return true;
        Fs.GiveBlocks(1);
        return false;
    }

    private void Release(int blocks)
    {
        Fs.GiveBlocks(blocks);
        Fs.Vfs.ReleaseFilePages(blocks);
    }

    private void Forget(long index)
    {
        if (_pages.Remove(index))
            Release(1);
    }

    /// <summary>Takes blocks for a range of bytes, as fallocate does: 0, or -ENOSPC with what was taken given back.</summary>
    internal override long Allocate(long position, long length)
    {
        _unwritten ??= [];
        long first = position / PageSize, end = (position + length + PageSize - 1) / PageSize;
        for (long index = first; index < end; index++)
        {
            if (!Resident(index).IsEmpty || index * PageSize < _lowerSize || !_unwritten.Add(index))
                continue;
            if (Reserve())
                continue;
            _unwritten.Remove(index);
            for (long taken = first; taken < index; taken++)
            {
                // Blocks within the file that were unwritten before look the same: they are as good as these.
                if (taken * PageSize >= _size && _unwritten.Remove(taken))
                    Release(1);
            }
            return -Errno.ENOSPC;
        }
        return 0;
    }

    private void ForgetUnwritten(long from, long end)
    {
        if (_unwritten is not { Count: > 0 } blocks)
            return;
        int before = blocks.Count;
        blocks.RemoveWhere(index => index >= from && index < end);
        Release(before - blocks.Count);
    }

    /// <summary>Writes bytes and extends the file as needed.</summary>
    public long Write(ReadOnlySpan<byte> data, long position)
    {
        if (data.Length == 0)
            return 0;
        if ((Seals & 0x18) != 0 || ((Seals & 4) != 0 && position > _size - data.Length))
            return -Errno.EPERM;
        if (position > MaxSize - data.Length)
            return -Errno.EFBIG;
        int done = 0;
        while (done < data.Length)
        {
            long index = (position + done) / PageSize;
            int offset = (int)((position + done) % PageSize);
            int length = Math.Min(PageSize - offset, data.Length - done);
            if (Own(index, length == PageSize, out Span<byte> page) is < 0 and long error)
                return done > 0 ? done : error;
            data.Slice(done, length).CopyTo(page[offset..]);
            if (_mapped != null && _mapped.TryGetValue(index, out ulong pa))
                Fs.Vfs.PageWritten(pa + (ulong)offset, length);
            done += length;
        }
        _size = Math.Max(_size, position + done);
        TouchModified();
        if (Fs.Vfs.Current?.Credentials.HasOver(Capability.Fsetid, Uid, Gid) == false)
            Mode = Modes.Unprivileged(Mode);
        return done;
    }

    /// <inheritdoc/>
    public override long Truncate(long size)
    {
        if (size > MaxSize)
            return -Errno.EFBIG;
        if (((Seals & 2) != 0 && size < _size) || ((Seals & 4) != 0 && size > _size))
            return -Errno.EPERM;
        if (size < _size)
        {
            foreach (long index in _pages.Keys.Where(i => i * PageSize >= size).ToArray())
                Forget(index);
            ForgetUnwritten((size + PageSize - 1) / PageSize, long.MaxValue);
            DropClean((size + PageSize - 1) / PageSize);
            if (size % PageSize != 0 && _clean?.ContainsKey(size / PageSize) == true && !Adopt(size / PageSize))
                return -Errno.ENOSPC;
            _lowerSize = Math.Min(_lowerSize, size);
            int tail = (int)(size % PageSize);
            if (tail != 0 && Resident(size / PageSize) is { IsEmpty: false } last)
                last[tail..].Clear();
            if (_mapped is not null || _clean is not null)
                Fs.Vfs.DropBeyond(this, size);
            foreach ((long index, ulong pa) in _mapped?.Where(m => m.Key * PageSize >= size).ToArray() ?? [])
            {
                _mapped!.Remove(index);
                Fs.Vfs.FreePage(pa);
                Fs.GiveBlocks(1);
            }
        }
        _size = size;
        TouchModified();
        return 0;
    }

    /// <summary>Zeroes a range of bytes (FALLOC_FL_PUNCH_HOLE, ZERO_RANGE).</summary>
    internal override long Zero(long position, long length)
    {
        long end = Math.Min(position + length, _size);
        ForgetUnwritten((position + PageSize - 1) / PageSize, (position + length) / PageSize);
        while (position < end)
        {
            if (position >= _lowerSize && Resident(position / PageSize).IsEmpty)
            {
                // A hole may be huge: go on at the next page that is there.
                long next = NextResident(position / PageSize);
                if (next < 0 || next * PageSize >= end)
                    break;
                position = next * PageSize;
            }
            int offset = (int)(position % PageSize);
            int count = (int)Math.Min(PageSize - offset, end - position);
            if (count == PageSize && position >= _lowerSize && _mapped?.ContainsKey(position / PageSize) != true)
            {
                Forget(position / PageSize);
            }
            else
            {
                if (Own(position / PageSize, count == PageSize, out Span<byte> page) is < 0 and long error)
                    return error;
                page.Slice(offset, count).Clear();
            }
            position += count;
        }
        TouchModified();
        return 0;
    }

    /// <summary>Next byte with data (or the next hole) at or after a position; the end counts as a hole.</summary>
    internal override long Seek(long position, bool data)
    {
        if (position < 0 || position >= _size)
            return -Errno.ENXIO;
        long index = position / PageSize;
        if (data)
        {
            if (position >= _lowerSize)
                index = NextResident(index);
            return index < 0 || index * PageSize >= _size ? -Errno.ENXIO : Math.Max(position, index * PageSize);
        }
        while (index * PageSize < _size && (index * PageSize < _lowerSize || !Resident(index).IsEmpty))
            index = index * PageSize < _lowerSize ? (_lowerSize + PageSize - 1) / PageSize : index + 1;
        return Math.Clamp(index * PageSize, position, _size);
    }

    /// <summary>How many pages of a range of bytes are in memory.</summary>
    public long PagesIn(long position, long length)
    {
        long first = position / PageSize;
        long end = length == 0 || position + length < 0 ? long.MaxValue : (position + length - 1) / PageSize + 1;
        return In(_pages.Keys) + In(_clean?.Keys) + In(_mapped?.Keys);

        long In(IEnumerable<long>? indices) => indices?.LongCount(i => i >= first && i < end) ?? 0;
    }

    /// <summary>Index of the first page in memory at or after one; -1 when there is none.</summary>
    private long NextResident(long index)
    {
        long next = long.MaxValue;
        foreach (long i in _pages.Keys)
        {
            if (i >= index && i < next)
                next = i;
        }
        foreach (long i in _mapped?.Keys ?? Enumerable.Empty<long>())
        {
            if (i >= index && i < next)
                next = i;
        }
        return next == long.MaxValue ? -1 : next;
    }

    /// <inheritdoc/>
    public override bool ReadPage(ulong offset, Span<byte> page)
    {
        page.Clear();
        return Read(page, (long)offset) >= 0;
    }

    /// <inheritdoc/>
    public override ulong SharedPagePa(ulong offset)
    {
        long index = (long)offset / PageSize;
        if (index * PageSize >= _size)
            return 0;
        _mapped ??= [];
        if (_mapped.TryGetValue(index, out ulong pa))
            return pa;
        if (_clean?.ContainsKey(index) == true)
            return Adopt(index) ? _mapped[index] : 0;
        bool owned = !Resident(index).IsEmpty || _unwritten?.Contains(index) == true;
        if (!owned && !Fs.TakeBlocks(1))
            return 0;
        pa = Fs.Vfs.AllocatePage();
        if (pa == 0)
        {
            if (!owned)
                Fs.GiveBlocks(1);
            return 0;
        }
        Span<byte> page = Fs.Vfs.PageBytes(pa);
        page.Clear();
        if (Read(page, index * PageSize) < 0)
        {
            Fs.Vfs.FreePage(pa);
            if (!owned)
                Fs.GiveBlocks(1);
            return 0;
        }
        // The block stays counted with the file system; the page of RAM is counted by its allocator from here on.
        if (_pages.Remove(index) || _unwritten?.Remove(index) == true)
            Fs.Vfs.ReleaseFilePages(1);
        _mapped[index] = pa;
        return pa;
    }

    /// <inheritdoc/>
    public override ulong CachedPagePa(ulong offset)
    {
        long index = (long)offset / PageSize;
        if (_mapped?.TryGetValue(index, out ulong mapped) == true)
            return mapped;
        if (_clean?.TryGetValue(index, out ulong clean) == true)
            return clean;
        // What the guest wrote lives in RAM once it is mapped; what the host has is kept beside it; a hole is nobody's.
        if (!Resident(index).IsEmpty)
            return SharedPagePa(offset);
        if (index * PageSize >= _lowerSize || index * PageSize >= _size)
            return 0;
        ulong pa = Fs.Vfs.AllocatePage();
        if (pa == 0)
            return 0;
        if (!ReadPage(offset, Fs.Vfs.PageBytes(pa)))
        {
            Fs.Vfs.FreePage(pa);
            return 0;
        }
        Fs.Vfs.PageWritten(pa, PageSize);
        (_clean ??= [])[index] = pa;
        Fs.Vfs.Cached(this, index);
        return pa;
    }

    /// <inheritdoc/>
    public override bool HasAsPage(ulong offset, ulong pa)
    {
        long index = (long)offset / PageSize;
        return _mapped?.GetValueOrDefault(index) == pa || _clean?.GetValueOrDefault(index) == pa;
    }

    /// <summary>Makes a clean page one of the guest's own. False: there is no block for it.</summary>
    private bool Adopt(long index)
    {
        bool owned = _unwritten?.Contains(index) == true;
        if (!owned && !Fs.TakeBlocks(1))
            return false;
        if (owned && _unwritten!.Remove(index))
            Fs.Vfs.ReleaseFilePages(1);
        (_mapped ??= [])[index] = _clean![index];
        _clean.Remove(index);
        return true;
    }

    /// <summary>Gives a clean page back that nobody has mapped. False: somebody has.</summary>
    internal bool Reclaim(long index)
    {
        if (_clean is null || !_clean.TryGetValue(index, out ulong pa))
            return true;
        if (Fs.Vfs.IsMapped(pa))
            return false;
        _clean.Remove(index);
        Fs.Vfs.FreePage(pa);
        return true;
    }

    private void DropClean(long from)
    {
        foreach ((long index, ulong pa) in _clean?.Where(c => c.Key >= from).ToArray() ?? [])
        {
            _clean!.Remove(index);
            Fs.Vfs.FreePage(pa);
        }
    }

    /// <inheritdoc/>
    protected override void LastClosed()
    {
        _handle?.Dispose();
        _handle = null;
        foreach ((long index, ulong pa) in _mapped ?? [])
        {
            if (Nlink > 0 && index * PageSize < _size)
            {
                _pages[index] = Fs.Vfs.PageBytes(pa).ToArray();
                Fs.Vfs.ReserveFilePage(true);
            }
            else
            {
                Fs.GiveBlocks(1);
            }
            Fs.Vfs.FreePage(pa);
        }
        _mapped = null;
    }

    /// <inheritdoc/>
    protected override void Freed()
    {
        DropClean(0);
        Release(_pages.Count + (_unwritten?.Count ?? 0));
        _pages.Clear();
        _unwritten = null;
    }
}

/// <summary>What a regular file has in it, wherever that lies.</summary>
internal interface IContents
{
    /// <summary>Reads bytes; fewer at the end, 0 past it, or an error.</summary>
    long Read(Span<byte> buffer, long position);

    /// <summary>Writes bytes: how many, or an error.</summary>
    long Write(ReadOnlySpan<byte> data, long position);
}

/// <summary>An open regular file.</summary>
internal sealed class RegularOpenFile<T>(T inode, int flags) : OpenFile(inode, flags) where T : Inode, IContents
{
    /// <inheritdoc/>
    public override bool Seekable => true;

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        if ((Flags & OpenFlags.O_NOATIME) == 0)
            inode.TouchAccessed();
        return inode.Read(buffer, position);
    }

    /// <inheritdoc/>
    public override long Write(ReadOnlySpan<byte> data, long position) => inode.Write(data, position);
}
