namespace ArmVdso.Kernel.Files;

/// <summary>Requests of loop devices and of /dev/loop-control (include/uapi/linux/loop.h).</summary>
internal static class LoopRequests
{
    public const uint SetFd = 0x4C00, ClearFd = 0x4C01, SetStatus = 0x4C02, GetStatus = 0x4C03, SetStatus64 = 0x4C04, GetStatus64 = 0x4C05,
        ChangeFd = 0x4C06, SetCapacity = 0x4C07, SetDirectIo = 0x4C08, SetBlockSize = 0x4C09, Configure = 0x4C0A,
        Add = 0x4C80, Remove = 0x4C81, GetFree = 0x4C82;
}

/// <summary>The loop devices that there are, and /dev/loop-control.</summary>
internal sealed class LoopDevices
{
    /// <summary>Block device major number of loop devices, and the number of /dev/loop-control.</summary>
    public const uint Major = 7, ControlRdev = 10 << 8 | 237;

    /// <summary>CONFIG_BLK_DEV_LOOP_MIN_COUNT; and what one guest may have, a minor number each.</summary>
    private const int AtBoot = 8, Most = 256;

    private readonly SortedDictionary<int, LoopDevice> _devices = [];
    private readonly MemoryDirectory _dev;

    /// <summary>Makes the devices that are there from the start, with their names in /dev.</summary>
    public LoopDevices(MemoryDirectory dev)
    {
        _dev = dev;
        dev.Put("loop-control", Node(Modes.S_IFCHR, ControlRdev));
        for (int n = 0; n < AtBoot; n++)
            Make(n);
    }

    /// <summary>The devices by number.</summary>
    public IEnumerable<LoopDevice> All => _devices.Values;

    /// <summary>A device; null: there is none of that number.</summary>
    public LoopDevice? Find(int number) => _devices.GetValueOrDefault(number);

    private DeviceInode Node(uint type, uint rdev) => new(_dev.Fs, type | 0x1B0, rdev) { Gid = 6 };

    private LoopDevice Make(int number)
    {
        var device = new LoopDevice(this, number);
        _devices.Add(number, device);
        _dev.Put(device.DeviceName, Node(Modes.S_IFBLK, Major << 8 | (uint)number));
        return device;
    }

    private long Add(int number)
    {
        if (number >= Most || number < -1)
            return -Errno.EINVAL;
        if (number < 0)
        {
            for (number = 0; _devices.ContainsKey(number);)
                number++;
        }
        if (number >= Most)
            return -Errno.ENOSPC;
        if (_devices.ContainsKey(number))
            return -Errno.EEXIST;
        return Make(number).Number;
    }

    /// <summary>An ioctl of /dev/loop-control.</summary>
    public long Control(uint command, int number)
    {
        switch (command)
        {
            case LoopRequests.Add:
                return Add(number);
            case LoopRequests.Remove:
                if (number < 0)
                    return -Errno.EINVAL;
                if (Find(number) is not { } device)
                    return -Errno.ENODEV;
                if (!device.IsIdle)
                    return -Errno.EBUSY;
                _devices.Remove(number);
                if (_dev.Lookup(device.DeviceName, out Inode? node) == 0)
                    _dev.Remove(device.DeviceName, node!);
                return number;
            case LoopRequests.GetFree:
                return _devices.Values.FirstOrDefault(d => d.IsIdle)?.Number ?? Add(-1);
            default:
                return -Errno.ENOSYS;
        }
    }
}

/// <summary>/dev/loop-control.</summary>
internal sealed class LoopControlFile(DeviceInode inode, int flags, LoopDevices devices) : OpenFile(inode, flags)
{
    public override long Ioctl(IFileUser user, uint command, ulong argument) => devices.Control(command, (int)argument);
}

/// <summary>An open block device (block/fops.c, block/ioctl.c).</summary>
internal sealed class BlockFile(DeviceInode inode, int flags, LoopDevice device) : OpenFile(inode, flags)
{
    private const uint BLKROSET = 0x125D, BLKROGET = 0x125E, BLKRRPART = 0x125F, BLKGETSIZE = 0x1260, BLKFLSBUF = 0x1261,
        BLKRASET = 0x1262, BLKRAGET = 0x1263, BLKSECTGET = 0x1267, BLKSSZGET = 0x1268, BLKDISCARD = 0x1277, BLKIOMIN = 0x1278,
        BLKIOOPT = 0x1279, BLKALIGNOFF = 0x127A, BLKPBSZGET = 0x127B, BLKDISCARDZEROES = 0x127C, BLKROTATIONAL = 0x127E,
        BLKZEROOUT = 0x127F, BLKBSZGET = 0x80081270, BLKBSZSET = 0x40081271, BLKGETSIZE64 = 0x80081272;

    private uint _softBlock = 4096;
    private ulong _readAhead = 256;

    /// <summary>The device.</summary>
    public LoopDevice Device => device;

    public override bool Seekable => true;

    public override long EndPosition => device.Size;

    public override bool CanMap => true;

    private bool Misaligned(long position, int length) =>
        (Flags & OpenFlags.O_DIRECT) != 0 && ((position | (long)length) & (device.BlockSize - 1)) != 0;

    public override long Read(Span<byte> buffer, long position) =>
        Misaligned(position, buffer.Length) ? -Errno.EINVAL : device.Read(buffer, position);

    public override long Write(ReadOnlySpan<byte> data, long position) =>
        Misaligned(position, data.Length) ? -Errno.EINVAL : device.Write(data, position);

    public override bool ReadPage(ulong offset, Span<byte> page)
    {
        page.Clear();
        return device.Read(page, (long)offset) >= 0;
    }

    public override ulong SharedPagePa(ulong offset) => device.SharedPagePa(offset);

    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        long Put(int value) => user.Memory.Write(argument, value) ? 0 : -Errno.EFAULT;
        long PutLong(ulong value) => user.Memory.Write(argument, value) ? 0 : -Errno.EFAULT;
        switch (command)
        {
            case BLKROGET:
                return Put(device.ReadOnly ? 1 : 0);
            case BLKROSET or BLKFLSBUF or BLKRRPART or BLKRASET or BLKBSZSET when !user.Credentials.Has(Capability.SysAdmin):
                return -Errno.EACCES;
            case BLKROSET:
                if (!user.Memory.Read(argument, out int readOnly))
                    return -Errno.EFAULT;
                device.SetReadOnly(readOnly != 0);
                return 0;
            case BLKFLSBUF:
                return 0;
            case BLKRRPART:
                // There are no partitions on it, and none is looked for.
                return -Errno.EINVAL;
            case BLKGETSIZE:
                return PutLong((ulong)device.Size >> 9);
            case BLKGETSIZE64:
                return PutLong((ulong)device.Size);
            case BLKRASET:
                _readAhead = argument;
                return 0;
            case BLKRAGET:
                return PutLong(_readAhead);
            case BLKSECTGET:
                return user.Memory.Write(argument, (ushort)2560) ? 0 : -Errno.EFAULT;
            case BLKSSZGET or BLKPBSZGET or BLKIOMIN:
                return Put((int)device.BlockSize);
            case BLKIOOPT or BLKALIGNOFF or BLKDISCARDZEROES:
                return Put(0);
            case BLKROTATIONAL:
                return user.Memory.Write(argument, (ushort)0) ? 0 : -Errno.EFAULT;
            case BLKBSZGET:
                return Put((int)_softBlock);
            case BLKBSZSET:
                if (!user.Memory.Read(argument, out int size))
                    return -Errno.EFAULT;
                if (size is < 512 or > 4096 || (size & (size - 1)) != 0 || size < device.BlockSize)
                    return -Errno.EINVAL;
                _softBlock = (uint)size;
                return 0;
            case BLKDISCARD or BLKZEROOUT:
                if (!CanWrite)
                    return -Errno.EBADF;
                if (!user.Memory.Read(argument, out ulong from) || !user.Memory.Read(argument + 8, out ulong length))
                    return -Errno.EFAULT;
                if (((from | length) & 511) != 0 || from + length < from || from + length > (ulong)device.Size)
                    return -Errno.EINVAL;
                return device.Zero((long)from, (long)length);
            default:
                return device.Control(user, this, command, argument);
        }
    }

    protected override void Released() => device.Close();
}
