using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Disk;

/// <summary>A regular file of a disk (fs/ext4/inode.c, file.c). Pages that are mapped shared live in guest RAM: reads and writes go there,
/// and they are written to the disk by sync, and when nobody has the file open any more.</summary>
internal sealed class DiskFile : Inode, IContents
{
    private const int PageSize = 4096, MostAtOnce = 2048, MostRuns = 1 << 22;

    private readonly InodeRecord _record;
    private SortedDictionary<long, ulong>? _mapped;

    /// <summary>Of those pages: which were written to through a mapping since the disk got them.</summary>
    private readonly SortedSet<long> _dirty = [];

    public DiskFile(InodeRecord record, uint mode) : base(record.Volume.Fs, mode) => _record = record;

    private Volume Volume => _record.Volume;

    private int BlockSize => Volume.BlockSize;

    public override long Size => _record.Size;

    public override long Blocks => _record.Sectors;

    public override bool CanMap => true;

    internal override bool HasFlags => true;

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new RegularOpenFile<DiskFile>(this, flags);
        return 0;
    }

    /// <summary>Reads bytes; fewer at the end of the file, 0 past it.</summary>
    public long Read(Span<byte> buffer, long position)
    {
        if (position >= Size)
            return 0;
        buffer = buffer[..(int)Math.Min(buffer.Length, Size - position)];
        for (int done = 0; done < buffer.Length;)
        {
            long at = position + done;
            int length = Math.Min(buffer.Length - done, _mapped is null ? int.MaxValue : PageSize - (int)(at % PageSize));
            if (_mapped is not null && _mapped.TryGetValue(at / PageSize, out ulong pa))
                Fs.Vfs.PageBytes(pa).Slice((int)(at % PageSize), length).CopyTo(buffer[done..]);
            else if (ReadDisk(buffer.Slice(done, length), at, out length) is < 0 and long error)
                return done > 0 ? done : error;
            done += length;
        }
        return buffer.Length;
    }

    /// <summary>Reads what lies in a row.</summary>
    private long ReadDisk(Span<byte> buffer, long position, out int length)
    {
        length = 0;
        long error = _record.Map.Find(position / BlockSize, out BlockState state, out long physical, out long count);
        if (error < 0)
            return error;
        int offset = (int)(position % BlockSize);
        length = (int)Math.Min(buffer.Length, Math.Min(count, int.MaxValue / BlockSize) * BlockSize - offset);
        buffer = buffer[..length];
        if (state != BlockState.Written)
        {
            buffer.Clear();
            return 0;
        }
        return Volume.Read(physical, offset, buffer);
    }

    /// <summary>Writes bytes and extends the file as needed.</summary>
    public long Write(ReadOnlySpan<byte> data, long position)
    {
        if (data.Length == 0)
            return 0;
        if (position >= _record.Map.MaxSize)
            return -Errno.EFBIG;
        data = data[..(int)Math.Min(data.Length, _record.Map.MaxSize - position)];
        if (AllowSize(position + data.Length) is < 0 and long large)
            return large;
        int done = 0;
        long error = 0;
        while (done < data.Length && (error = WriteDisk(data[done..], position + done, out int length)) == 0)
        {
            if (_mapped is not null)
                CopyToMapped(data.Slice(done, length), position + done);
            done += length;
        }
        if (done == 0)
        {
            // Blocks may have been taken before the one that there was none for.
            _record.Save(this);
            return error;
        }
        if (position + done > Size)
            Extend(position + done);
        TouchModified();
        if (Fs.Vfs.Current?.Credentials.HasOver(Capability.Fsetid, Uid, Gid) == false)
            Mode = Modes.Unprivileged(Mode);
        return done;
    }

    /// <summary>A file beyond 2 GiB is a feature of the file system: 0, or -EFBIG where it has none.</summary>
    private long AllowSize(long size)
    {
        if (size <= int.MaxValue || Volume.Super.HasLargeFiles)
            return 0;
        if (!Volume.Super.AllowLargeFiles())
            return -Errno.EFBIG;
        Volume.WriteSuper();
        return 0;
    }

    /// <summary>Writes what lies in a row, with blocks taken for holes.</summary>
    private long WriteDisk(ReadOnlySpan<byte> data, long position, out int length)
    {
        length = 0;
        long logical = position / BlockSize;
        int offset = (int)(position % BlockSize);
        long error = _record.Map.Find(logical, out BlockState state, out long physical, out long count);
        if (error < 0)
            return error;
        int wanted = (int)Math.Min(Math.Min((offset + (long)data.Length + BlockSize - 1) / BlockSize, count), MostAtOnce);
        if (state == BlockState.Hole)
        {
            error = _record.Map.Allocate(logical, wanted, false, out physical, out int got);
            if (error < 0)
                return error;
            wanted = got;
        }
        length = (int)Math.Min(data.Length, (long)wanted * BlockSize - offset);
        if (state != BlockState.Written)
        {
            // What the new blocks had before is nobody's to read.
            int tail = (offset + length) % BlockSize;
            if (offset != 0)
                error = Volume.Clear(physical, 1);
            if (error == 0 && tail != 0 && (offset == 0 || wanted > 1))
                error = Volume.Clear(physical + wanted - 1, 1);
        }
        if (error == 0)
            error = Volume.Write(physical, offset, data[..length]);
        if (error == 0 && state == BlockState.Unwritten)
            error = _record.Map.MarkWritten(logical, wanted);
        return error;
    }

    private void CopyToMapped(ReadOnlySpan<byte> data, long position)
    {
        for (int done = 0; done < data.Length;)
        {
            long at = position + done;
            int offset = (int)(at % PageSize), length = Math.Min(PageSize - offset, data.Length - done);
            if (_mapped!.TryGetValue(at / PageSize, out ulong pa))
            {
                data.Slice(done, length).CopyTo(Fs.Vfs.PageBytes(pa)[offset..]);
                Fs.Vfs.PageWritten(pa + (ulong)offset, length);
            }
            done += length;
        }
    }

    public override long Truncate(long size)
    {
        if (size > _record.Map.MaxSize)
            return -Errno.EFBIG;
        if (AllowSize(size) is < 0 and long large)
            return large;
        long old = Size;
        if (size < old)
        {
            long error = ZeroPart(size, (size + BlockSize - 1) / BlockSize * BlockSize);
            if (error == 0)
                error = _record.Map.Truncate((size + BlockSize - 1) / BlockSize);
            if (error < 0)
                return error;
            ClearMapped(size, long.MaxValue);
            ForgetMapped((size + PageSize - 1) / PageSize);
        }
        Extend(size);
        TouchModified();
        return 0;
    }

    /// <summary>Another size. Where the last page gets blocks that it had not, the next write to it asks for them
    /// (pagecache_isize_extended).</summary>
    private void Extend(long size)
    {
        long old = Size, last = old / PageSize;
        _record.Size = size;
        if (size > old && _dirty.Contains(last) && (old + BlockSize - 1) / BlockSize * BlockSize % PageSize != 0)
            Fs.Vfs.MakeClean(this, new HashSet<long> { last });
    }

    private void ForgetMapped(long from)
    {
        if (_mapped is null)
            return;
        Fs.Vfs.DropBeyond(this, from * PageSize);
        foreach ((long index, ulong pa) in _mapped.Where(m => m.Key >= from).ToArray())
        {
            Clean(index);
            _mapped.Remove(index);
            Fs.Vfs.FreePage(pa);
        }
    }

    private void Clean(long index)
    {
        if (_dirty.Remove(index))
            Fs.Vfs.Host!.Pages.Dirty.Remove(_mapped![index]);
    }

    /// <summary>ext4_page_mkwrite: the blocks of a page that is written to are taken before.</summary>
    internal override long PageWillBeWritten(long offset)
    {
        long index = offset / PageSize, end = (Math.Min(Size, (index + 1) * PageSize) + BlockSize - 1) / BlockSize;
        if (_mapped is null || !_mapped.TryGetValue(index, out ulong pa))
            return -Errno.EIO;
        for (long at = index * PageSize / BlockSize; at < end;)
        {
            long error = _record.Map.Find(at, out BlockState state, out long physical, out long count);
            if (error == 0 && state == BlockState.Hole)
            {
                bool unwritten = _record.Map.CanReserve;
                error = _record.Map.Allocate(at, (int)Math.Min(count, end - at), unwritten, out physical, out int got);
                if (error == 0 && !unwritten)
                    error = Volume.Clear(physical, got);
                count = got;
            }
            if (error < 0)
            {
                _record.Save(this);
                return error;
            }
            at += count;
        }
        _record.Save(this);
        _dirty.Add(index);
        Fs.Vfs.Host!.Pages.Dirty.Add(pa);
        return 0;
    }

    internal override long Allocate(long position, long length)
    {
        if (!_record.Map.CanReserve)
            return -Errno.EOPNOTSUPP;
        if (position + length > _record.Map.MaxSize)
            return -Errno.EFBIG;
        long end = (position + length + BlockSize - 1) / BlockSize;
        for (long at = position / BlockSize; at < end;)
        {
            long error = _record.Map.Find(at, out BlockState state, out _, out long count);
            if (error == 0 && state == BlockState.Hole)
            {
                error = _record.Map.Allocate(at, (int)Math.Min(Math.Min(count, end - at), int.MaxValue), true, out _, out int got);
                count = got;
            }
            if (error < 0)
            {
                _record.Save(this);
                return error;
            }
            at += count;
        }
        Ctime = Fs.Vfs.NowRealtime;
        return 0;
    }

    internal override long Zero(long position, long length)
    {
        long end = Math.Min(position + length, Math.Max(Size, position));
        long firstWhole = (position + BlockSize - 1) / BlockSize;
        long endWhole = end >= Size ? (end + BlockSize - 1) / BlockSize : end / BlockSize;
        long error = 0;
        if (firstWhole >= endWhole && firstWhole * BlockSize > end)
        {
            error = ZeroPart(position, end);
        }
        else
        {
            if (position < firstWhole * BlockSize)
                error = ZeroPart(position, Math.Min(firstWhole * BlockSize, end));
            if (error == 0 && end > endWhole * BlockSize)
                error = ZeroPart(Math.Max(endWhole * BlockSize, position), end);
            if (error == 0 && firstWhole < endWhole)
                error = _record.Map.Punch(firstWhole, endWhole);
        }
        ClearMapped(position, end);
        TouchModified();
        return error;
    }

    /// <summary>Clears a range of bytes in the pages that are mapped.</summary>
    private void ClearMapped(long first, long end)
    {
        foreach ((long index, ulong pa) in _mapped ?? [])
        {
            int from = (int)Math.Clamp(first - index * PageSize, 0, PageSize), to = (int)Math.Clamp(end - index * PageSize, 0, PageSize);
            if (from < to)
            {
                Fs.Vfs.PageBytes(pa)[from..to].Clear();
                Fs.Vfs.PageWritten(pa + (ulong)from, to - from);
            }
        }
    }

    /// <summary>Zeroes bytes of one block.</summary>
    private long ZeroPart(long from, long to)
    {
        if (from >= to)
            return 0;
        long error = _record.Map.Find(from / BlockSize, out BlockState state, out long physical, out _);
        return error < 0 || state != BlockState.Written ? error
            : Volume.Write(physical, (int)(from % BlockSize), new byte[(int)(to - from)]);
    }

    internal override long Seek(long position, bool data)
    {
        if (position < 0 || position >= Size)
            return -Errno.ENXIO;
        SyncMapped();
        int steps = 0;
        for (long at = position; at < Size;)
        {
            // A tree that goes in circles has no end.
            if (++steps > MostRuns)
                return Volume.Corrupt("a file's blocks");
            if (_record.Map.Find(at / BlockSize, out BlockState state, out _, out long count) is < 0 and long error)
                return error;
            if (state == BlockState.Written == data)
                return at;
            at = (at / BlockSize + Math.Min(count, long.MaxValue / BlockSize - at / BlockSize)) * BlockSize;
        }
        return data ? -Errno.ENXIO : Size;
    }

    public override bool ReadPage(ulong offset, Span<byte> page)
    {
        page.Clear();
        return Read(page, (long)offset) >= 0;
    }

    public override ulong SharedPagePa(ulong offset)
    {
        long index = (long)offset / PageSize;
        if (index * PageSize >= Size)
            return 0;
        if (_mapped?.TryGetValue(index, out ulong known) == true)
            return known;
        ulong pa = Fs.Vfs.AllocatePage();
        if (pa == 0)
            return 0;
        if (!ReadPage((ulong)index * PageSize, Fs.Vfs.PageBytes(pa)))
        {
            Fs.Vfs.FreePage(pa);
            return 0;
        }
        (_mapped ??= [])[index] = pa;
        Volume.Hold(_record.Number, this);
        return pa;
    }

    /// <summary>Writes the mapped pages that are dirty, which are clean from then on.</summary>
    internal override long SyncMapped(long from = 0, long to = long.MaxValue)
    {
        if (_dirty.Count == 0 || Volume.ReadOnly)
            return 0;
        long first = 0;
        var written = new HashSet<long>();
        foreach (long index in _dirty.ToArray())
        {
            if ((index + 1) * PageSize <= from || index * PageSize >= to)
                continue;
            long error = WriteBack(index);
            first = first == 0 ? error : first;
            Clean(index);
            written.Add(index);
        }
        Fs.Vfs.MakeClean(this, written);
        _record.Save(this);
        return first;
    }

    private long WriteBack(long index)
    {
        Span<byte> page = Fs.Vfs.PageBytes(_mapped![index]);
        int length = (int)Math.Clamp(Size - index * PageSize, 0, PageSize);
        for (int done = 0; done < length; done += BlockSize)
        {
            Span<byte> part = page.Slice(done, Math.Min(BlockSize, length - done));
            long at = index * PageSize + done, error = _record.Map.Find(at / BlockSize, out BlockState state, out _, out _);
            // A block that the file has got since the page was written to stays a hole.
            if (error == 0 && (state != BlockState.Hole || part.ContainsAnyExcept((byte)0)))
                error = WriteDisk(part, at, out _);
            if (error < 0)
                return error;
        }
        return 0;
    }

    protected override void LastClosed()
    {
        if (_mapped is null)
            return;
        if (Nlink > 0 && SyncMapped() is < 0 and long error)
            Volume.Failed(error);
        foreach ((long index, ulong pa) in _mapped)
        {
            Clean(index);
            Fs.Vfs.FreePage(pa);
        }
        _mapped = null;
        Volume.Hold(_record.Number, null);
    }
}
