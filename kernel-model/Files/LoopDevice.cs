using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>One block device over a file of the guest (drivers/block/loop.c). What is written to it is in the file at once; the buffer
/// cache of a real kernel is not modelled.</summary>
internal sealed class LoopDevice(LoopDevices table, int number)
{
    private const uint ReadOnlyFlag = 1, AutoClear = 4, PartitionScan = 8, DirectIo = 16;
    private const int NameSize = 64, OldInfoSize = 160, InfoSize = 232, ConfigSize = 304;

    private readonly byte[] _name = new byte[NameSize];
    private readonly byte[] _cryptName = new byte[NameSize];
    private OpenFile? _backing;
    private ulong _offset, _sizeLimit;
    private uint _flags, _blockSize = 512;
    private int _openers;
    private bool _rundown;

    /// <summary>Minor number.</summary>
    public int Number => number;

    /// <summary>Whether a file is bound.</summary>
    public bool IsBound => _backing != null && !_rundown;

    /// <summary>Whether LOOP_CTL_REMOVE may take it away.</summary>
    public bool IsIdle => _backing == null && _openers == 0;

    /// <summary>Size in bytes: whole sectors, as LOOP_SET_FD, LOOP_SET_STATUS and LOOP_SET_CAPACITY found it.</summary>
    public long Size { get; private set; }

    /// <summary>Bytes of a logical block.</summary>
    public uint BlockSize => _blockSize;

    /// <summary>Writes fail with EPERM: the file cannot be written, or BLKROSET.</summary>
    public bool ReadOnly { get; private set; }

    /// <summary>Sectors read and written, for /sys/block/loopN/stat.</summary>
    public (long Reads, long ReadSectors, long Writes, long WrittenSectors) Counts { get; private set; }

    /// <summary>Ticks of the kernel's clock in which something was read or written, in ms (update_io_ticks).</summary>
    public long BusyMs { get; private set; }

    private ulong _busyTick = ulong.MaxValue;

    private void Busy(OpenFile file)
    {
        const ulong msOfTick = 1000 / Time.MachineClock.Hz;
        ulong tick = (file.Inode.Fs.Vfs.Host?.Timekeeper.NowNs ?? 0) / (msOfTick * 1_000_000);
        if (tick == _busyTick)
            return;
        _busyTick = tick;
        BusyMs += (long)msOfTick;
    }

    /// <summary>An opener more; false (ENXIO): the device is being unbound.</summary>
    public bool Open()
    {
        if (_rundown)
            return false;
        _openers++;
        return true;
    }

    /// <summary>An opener less; the last one unbinds what was to be unbound (lo_release).</summary>
    public void Close()
    {
        if (--_openers == 0 && _backing != null && (_rundown || (_flags & AutoClear) != 0))
            Clear();
    }

    private void Clear()
    {
        _backing!.Release();
        _backing = null;
        _name.AsSpan().Clear();
        _cryptName.AsSpan().Clear();
        (_offset, _sizeLimit, _flags, _blockSize, Size) = (0, 0, 0, 512, 0);
        ReadOnly = _rundown = false;
    }

    /// <summary>Reads; nothing past the end.</summary>
    public long Read(Span<byte> buffer, long position)
    {
        if (position >= Size || _backing is not { } file)
            return 0;
        buffer = buffer[..(int)Math.Min(buffer.Length, Size - position)];
        long n = file.Read(buffer, (long)_offset + position);
        if (n < 0)
            return n;
        // A file that became shorter reads as zeros.
        buffer[(int)n..].Clear();
        Busy(file);
        Counts = Counts with { Reads = Counts.Reads + 1, ReadSectors = Counts.ReadSectors + Sectors(buffer.Length) };
        return buffer.Length;
    }

    /// <summary>Writes as far as the device goes; ENOSPC past the end.</summary>
    public long Write(ReadOnlySpan<byte> data, long position)
    {
        if (ReadOnly)
            return -Errno.EPERM;
        if (data.Length == 0)
            return 0;
        if (position >= Size || _backing is not { } file)
            return -Errno.ENOSPC;
        data = data[..(int)Math.Min(data.Length, Size - position)];
        long n = file.Write(data, (long)_offset + position);
        Busy(file);
        if (n > 0)
            Counts = Counts with { Writes = Counts.Writes + 1, WrittenSectors = Counts.WrittenSectors + Sectors((int)n) };
        return n;
    }

    private static long Sectors(int bytes) => (bytes + 511) / 512;

    /// <summary>Zeroes a range: BLKZEROOUT, BLKDISCARD.</summary>
    public long Zero(long position, long length)
    {
        if (ReadOnly)
            return -Errno.EPERM;
        if (_backing?.Inode is RegularFile file)
            return file.Zero((long)_offset + position, length);
        var zeros = new byte[4096];
        for (long done = 0; done < length; done += zeros.Length)
        {
            if (Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - done)), position + done) is < 0 and long error)
                return error;
        }
        return 0;
    }

    /// <summary>Physical page of a shared mapping, where pages of the file and of the device coincide; 0 elsewhere.</summary>
    public ulong SharedPagePa(ulong offset) =>
        _backing != null && (_offset & 4095) == 0 && (long)offset < Size ? _backing.SharedPagePa(_offset + offset) : 0;

    /// <summary>A text of /sys/block/loopN/loop.</summary>
    public string Text(string attribute) => attribute switch
    {
        "backing_file" => _backing?.Description ?? "",
        "offset" => $"{_offset}",
        "sizelimit" => $"{_sizeLimit}",
        "autoclear" => Bit(AutoClear),
        "partscan" => Bit(PartitionScan),
        _ => Bit(DirectIo),
    };

    private string Bit(uint flag) => (_flags & flag) != 0 ? "1" : "0";

    private long Resize()
    {
        long size = _backing!.EndPosition - (long)_offset;
        if (_sizeLimit > 0 && (ulong)Math.Max(size, 0) > _sizeLimit)
            size = (long)_sizeLimit;
        Size = Math.Max(size, 0) & ~511L;
        return 0;
    }

    /// <summary>BLKROSET.</summary>
    public void SetReadOnly(bool readOnly) => ReadOnly = readOnly || (_flags & ReadOnlyFlag) != 0;

    /// <summary>The requests of loop devices; -ENOTTY for others.</summary>
    /// <param name="user">Who asks.</param>
    /// <param name="opened">The device as it was opened.</param>
    /// <param name="command">LOOP_*.</param>
    /// <param name="argument">Address or value.</param>
    public long Control(IFileUser user, OpenFile opened, uint command, ulong argument)
    {
        bool allowed = opened.CanWrite || user.Credentials.Has(Capability.SysAdmin);
        switch (command)
        {
            case LoopRequests.SetFd:
                return Configure(user, opened, (int)argument, 0, null);
            case LoopRequests.Configure:
                var config = new byte[ConfigSize];
                return user.Memory.Read(argument, config)
                    ? Configure(user, opened, BinaryPrimitives.ReadInt32LittleEndian(config), BitConverter.ToUInt32(config, 4),
                        config.AsSpan(8, InfoSize).ToArray())
                    : -Errno.EFAULT;
            case LoopRequests.ChangeFd:
                return ChangeFile(user, (int)argument);
            case LoopRequests.ClearFd:
                if (!IsBound)
                    return -Errno.ENXIO;
                _flags |= AutoClear;
                _rundown = _openers == 1;
                return 0;
            case LoopRequests.SetStatus or LoopRequests.SetStatus64:
                if (!allowed)
                    return -Errno.EPERM;
                var info = new byte[InfoSize];
                bool old = command == LoopRequests.SetStatus;
                var given = new byte[old ? OldInfoSize : InfoSize];
                if (!user.Memory.Read(argument, given))
                    return -Errno.EFAULT;
                if (old)
                    FromOld(given, info);
                return SetStatus(old ? info : given);
            case LoopRequests.GetStatus or LoopRequests.GetStatus64:
                if (!IsBound)
                    return -Errno.ENXIO;
                byte[] status = Status();
                return user.Memory.Write(argument, command == LoopRequests.GetStatus ? ToOld(status) : status) ? 0 : -Errno.EFAULT;
            case LoopRequests.SetCapacity:
                return !allowed ? -Errno.EPERM : IsBound ? Resize() : -Errno.ENXIO;
            case LoopRequests.SetDirectIo:
                if (!allowed || !IsBound)
                    return allowed ? -Errno.ENXIO : -Errno.EPERM;
                if (argument != 0 && _offset % _blockSize != 0)
                    return -Errno.EINVAL;
                _flags = argument != 0 ? _flags | DirectIo : _flags & ~DirectIo;
                return 0;
            case LoopRequests.SetBlockSize:
                if (!allowed || !IsBound)
                    return allowed ? -Errno.ENXIO : -Errno.EPERM;
                if (!ValidBlockSize(argument))
                    return -Errno.EINVAL;
                _blockSize = (uint)argument;
                return 0;
            default:
                return -Errno.ENOTTY;
        }
    }

    private static bool ValidBlockSize(ulong size) => size is >= 512 and <= 4096 && (size & (size - 1)) == 0;

    private long Backing(IFileUser user, int fd, out OpenFile? file)
    {
        file = user.Files[fd] is { IsPath: false } found ? found : null;
        if (file == null)
            return -Errno.EBADF;
        if (file is BlockFile block)
            return block.Device == this || !block.Device.IsBound ? -Errno.EINVAL : 0;
        return file.Inode.IsRegular ? 0 : -Errno.EINVAL;
    }

    private long Configure(IFileUser user, OpenFile opened, int fd, uint blockSize, byte[]? info)
    {
        if (Backing(user, fd, out OpenFile? file) is < 0 and long error)
            return error;
        if (_backing != null)
            return -Errno.EBUSY;
        uint flags = info == null ? 0 : BitConverter.ToUInt32(info, 52);
        if ((flags & ~(ReadOnlyFlag | AutoClear | PartitionScan | DirectIo)) != 0 || (blockSize != 0 && !ValidBlockSize(blockSize)))
            return -Errno.EINVAL;
        if (info != null && SetInfo(info) is < 0 and long bad)
            return bad;
        _blockSize = blockSize == 0 ? 512 : blockSize;
        _flags = flags | (file!.CanWrite && opened.CanWrite ? 0 : ReadOnlyFlag);
        return Bind(file);
    }

    /// <summary>Binds a file.</summary>
    internal long Bind(OpenFile file)
    {
        _backing = file.AddReference();
        ReadOnly = (_flags & ReadOnlyFlag) != 0;
        return Resize();
    }

    private long ChangeFile(IFileUser user, int fd)
    {
        if (!IsBound)
            return -Errno.ENXIO;
        if ((_flags & ReadOnlyFlag) == 0)
            return -Errno.EINVAL;
        if (Backing(user, fd, out OpenFile? file) is < 0 and long error)
            return error;
        if (file!.EndPosition != _backing!.EndPosition)
            return -Errno.EINVAL;
        _backing.Release();
        _backing = file.AddReference();
        return 0;
    }

    private long SetStatus(byte[] info)
    {
        if (!IsBound)
            return -Errno.ENXIO;
        if (SetInfo(info) is < 0 and long error)
            return error;
        const uint settable = AutoClear | PartitionScan, clearable = AutoClear;
        uint flags = BitConverter.ToUInt32(info, 52);
        _flags = (flags & settable) | (_flags & ~settable) | (_flags & settable & ~clearable);
        if (_offset % _blockSize != 0)
            _flags &= ~DirectIo;
        return Resize();
    }

    private long SetInfo(byte[] info)
    {
        ulong offset = BitConverter.ToUInt64(info, 24);
        // No encryption (loop_set_status_from_info), and nothing beyond loff_t.
        if (BitConverter.ToUInt32(info, 44) != 0)
            return -Errno.EINVAL;
        if (offset > long.MaxValue || BitConverter.ToUInt64(info, 32) > long.MaxValue)
            return -Errno.EOVERFLOW;
        (_offset, _sizeLimit) = (offset, BitConverter.ToUInt64(info, 32));
        info.AsSpan(56, NameSize).CopyTo(_name);
        info.AsSpan(120, NameSize).CopyTo(_cryptName);
        _name[^1] = _cryptName[^1] = 0;
        return 0;
    }

    /// <summary>struct loop_info64 (include/uapi/linux/loop.h).</summary>
    private byte[] Status()
    {
        var info = new byte[InfoSize];
        Inode inode = _backing!.Inode;
        BitConverter.TryWriteBytes(info, (ulong)inode.Fs.Device);
        BitConverter.TryWriteBytes(info.AsSpan(8), inode.Ino);
        BitConverter.TryWriteBytes(info.AsSpan(16), (ulong)inode.Rdev);
        BitConverter.TryWriteBytes(info.AsSpan(24), _offset);
        BitConverter.TryWriteBytes(info.AsSpan(32), _sizeLimit);
        BitConverter.TryWriteBytes(info.AsSpan(40), number);
        BitConverter.TryWriteBytes(info.AsSpan(52), _flags);
        _name.CopyTo(info.AsSpan(56));
        _cryptName.CopyTo(info.AsSpan(120));
        return info;
    }

    /// <summary>struct loop_info of LOOP_SET_STATUS.</summary>
    private static void FromOld(ReadOnlySpan<byte> old, Span<byte> info)
    {
        BitConverter.TryWriteBytes(info[24..], (long)BinaryPrimitives.ReadInt32LittleEndian(old[20..]));
        old.Slice(24, 4).CopyTo(info[44..]);
        old.Slice(32, 4).CopyTo(info[52..]);
        old.Slice(36, NameSize).CopyTo(info[56..]);
    }

    private static byte[] ToOld(ReadOnlySpan<byte> info)
    {
        var old = new byte[OldInfoSize];
        info.Slice(40, 4).CopyTo(old);
        info[..4].CopyTo(old.AsSpan(4));
        info.Slice(8, 8).CopyTo(old.AsSpan(8));
        info.Slice(16, 4).CopyTo(old.AsSpan(16));
        info.Slice(24, 4).CopyTo(old.AsSpan(20));
        info.Slice(52, 4).CopyTo(old.AsSpan(32));
        info.Slice(56, NameSize).CopyTo(old.AsSpan(36));
        return old;
    }

    /// <summary>Opens the device.</summary>
    public long OpenFile(DeviceInode inode, int flags, out OpenFile? file)
    {
        file = Open() ? new BlockFile(inode, flags, this) : null;
        return file == null ? -Errno.ENXIO : 0;
    }

    /// <summary>Name in /dev and /sys/block.</summary>
    public string DeviceName => $"loop{number}";

    /// <summary>The table that it is in.</summary>
    public LoopDevices Table => table;
}
