using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Tests.Files;

/// <summary>System call bodies on guest memory: layouts, blocking, readiness.</summary>
public sealed class VfsSyscallTests
{
    private const ulong Cwd = unchecked((ulong)-100);

    private static long Open(VfsGuest g, string path, int flags, uint mode = 0x1A4) =>
        g.Call(SysFiles.Openat, Cwd, g.Text(path), (ulong)flags, mode);

    private static (ulong Read, ulong Write) Pipe(VfsGuest g, int flags = 0)
    {
        ulong fds = g.Room(8);
        Assert.Equal(0, g.Call(SysEvents.Pipe2, fds, (ulong)flags));
        return ((ulong)g.Value<int>(fds), (ulong)g.Value<int>(fds + 4));
    }

    [Fact]
    public void StatHasTheLayoutOfArm64()
    {
        using var g = new VfsGuest();
        long fd = Open(g, "/tmp/file", OpenFlags.O_CREAT | OpenFlags.O_RDWR, 0x1FF);
        Assert.Equal(3, fd);
        Assert.Equal(5, g.Call(SysReadWrite.Write, 3, g.Text("hello"), 5));
        ulong stat = g.Room(128);
        Assert.Equal(0, g.Call(SysStat.Fstat, 3, stat));
        Assert.Equal(Modes.S_IFREG | 0x1EDu, g.Value<uint>(stat + 16)); // umask 022
        Assert.Equal(1u, g.Value<uint>(stat + 20));
        Assert.Equal(5, g.Value<long>(stat + 48));
        Assert.Equal(4096, g.Value<int>(stat + 56));
        Assert.Equal(1598313600, g.Value<long>(stat + 88));
        ulong statx = g.Room(256);
        Assert.Equal(0, g.Call(SysStat.Statx, 3, g.Text(""), OpenFlags.AT_EMPTY_PATH, 0xFFF, statx));
        Assert.Equal((ushort)(Modes.S_IFREG | 0x1ED), g.Value<ushort>(statx + 28));
        Assert.Equal(5, g.Value<long>(statx + 40));
        Assert.Equal(g.Value<ulong>(stat + 8), g.Value<ulong>(statx + 32));
        Assert.Equal(0, g.Call(SysStat.Newfstatat, Cwd, g.Text("/dev/null"), stat, 0));
        Assert.Equal(0x103UL, g.Value<ulong>(stat + 32));
        Assert.Equal(-Errno.EFAULT, g.Call(SysStat.Fstat, 3, 16));
    }

    [Fact]
    public void DirectoryRecords()
    {
        using var g = new VfsGuest();
        Assert.Equal(0, g.Call(SysDirs.Mkdirat, Cwd, g.Text("/tmp/d"), 0x1FF));
        foreach (string name in new[] { "zz", "a", "middle" })
            Assert.Equal(0, g.Call(SysDirs.Mknodat, Cwd, g.Text("/tmp/d/" + name), 0x81A4, 0));
        long fd = Open(g, "/tmp/d", OpenFlags.O_DIRECTORY);
        ulong buffer = g.Room(256);
        var names = new List<string>();
        long n;
        while ((n = g.Call(SysDirs.Getdents64, (ulong)fd, buffer, 64)) > 0)
        {
            for (ulong at = 0; at < (ulong)n; at += g.Value<ushort>(buffer + at + 16))
            {
                Assert.Equal(0UL, at % 8);
                byte[] text = g.Bytes(buffer + at + 19, 20);
                names.Add(Encoding.Latin1.GetString(text, 0, Array.IndexOf(text, (byte)0)));
                Assert.Equal(names[^1][0] == '.' ? 4 : 8, g.Value<byte>(buffer + at + 18));
            }
        }
        Assert.Equal(0, n);
        Assert.Equal([".", "..", "a", "middle", "zz"], names);
        Assert.Equal(-Errno.EINVAL, g.Call(SysReadWrite.Lseek, (ulong)fd, unchecked((ulong)-1), 0));
        Assert.Equal(0, g.Call(SysReadWrite.Lseek, (ulong)fd, 0, 0));
        Assert.Equal(-Errno.EINVAL, g.Call(SysDirs.Getdents64, (ulong)fd, buffer, 10));
    }

    [Fact]
    public void PipeBlocksReadsAndBreaks()
    {
        using var g = new VfsGuest();
        (ulong r, ulong w) = Pipe(g);
        ulong buffer = g.Room(100);
        SyscallContext read = g.Context(r, buffer, 10);
        Assert.Equal(SyscallContext.Blocked, SysReadWrite.Read(read));
        Assert.Equal(TaskState.Sleeping, g.Task.State);
        Assert.Equal(3, g.Call(SysReadWrite.Write, w, g.Text("abc"), 3));
        Assert.Equal(TaskState.Runnable, g.Task.State);
        Assert.Equal(3, SysReadWrite.Read(read));
        Assert.Equal("abc"u8.ToArray(), g.Bytes(buffer, 3));
        Assert.Equal(0, g.Call(SysFiles.Close, w));
        Assert.Equal(0, g.Call(SysReadWrite.Read, r, buffer, 10));
        (r, w) = Pipe(g);
        Assert.Equal(0, g.Call(SysFiles.Close, r));
        Assert.Equal(-Errno.EPIPE, g.Call(SysReadWrite.Write, w, buffer, 1));
        Assert.NotEqual(0UL, g.Task.Signals.Pending.Set & 1 << 12);
    }

    [Fact]
    public void PipesHoldPages()
    {
        using var g = new VfsGuest();
        (ulong r, ulong w) = Pipe(g, OpenFlags.O_NONBLOCK);
        ulong data = g.Room(70000);
        Assert.Equal(65536, g.Call(SysReadWrite.Write, w, data, 70000));
        Assert.Equal(-Errno.EAGAIN, g.Call(SysReadWrite.Write, w, data, 1));
        Assert.Equal(100, g.Call(SysReadWrite.Read, r, data, 100));
        Assert.Equal(-Errno.EAGAIN, g.Call(SysReadWrite.Write, w, data, 100));
        Assert.Equal(3996, g.Call(SysReadWrite.Read, r, data, 3996));
        Assert.Equal(4096, g.Call(SysReadWrite.Write, w, data, 5000));
        Assert.Equal(65536, g.Call(SysFiles.Fcntl, w, 1032, 0));
        Assert.Equal(-Errno.EBUSY, g.Call(SysFiles.Fcntl, w, 1031, 4096));
        Assert.Equal(131072, g.Call(SysFiles.Fcntl, w, 1031, 70000));
    }

    [Fact]
    public void LongPipeWriteSleepsAndGoesOn()
    {
        using var g = new VfsGuest();
        (ulong r, ulong w) = Pipe(g);
        ulong data = g.Room(200000);
        g.Memory.Write(data + 199999, (byte)7);
        SyscallContext write = g.Context(w, data, 200000);
        long result = SysReadWrite.Write(write);
        long total = 0;
        ulong buffer = g.Room(65536);
        while (result == SyscallContext.Blocked)
        {
            total += g.Call(SysReadWrite.Read, r, buffer, 65536);
            result = SysReadWrite.Write(write);
        }
        Assert.Equal(200000, result);
        long n = g.Call(SysReadWrite.Read, r, buffer, 65536);
        Assert.Equal(200000, total + n);
        Assert.Equal(7, g.Value<byte>(buffer + (ulong)n - 1));
    }

    [Fact]
    public void FifoOpenWaitsForTheOtherSide()
    {
        using var g = new VfsGuest();
        Assert.Equal(0, g.Call(SysDirs.Mknodat, Cwd, g.Text("/tmp/fifo"), 0x11A4, 0));
        Assert.Equal(-Errno.ENXIO, Open(g, "/tmp/fifo", OpenFlags.O_WRONLY | OpenFlags.O_NONBLOCK));
        SyscallContext reader = g.Context(Cwd, g.Text("/tmp/fifo"), OpenFlags.O_RDONLY);
        Assert.Equal(SyscallContext.Blocked, SysFiles.Openat(reader));
        long writer = Open(g, "/tmp/fifo", OpenFlags.O_WRONLY);
        Assert.True(writer >= 0);
        long fd = SysFiles.Openat(reader);
        Assert.True(fd >= 0);
        Assert.Equal(2, g.Call(SysReadWrite.Write, (ulong)writer, g.Text("hi"), 2));
        Assert.Equal(2, g.Call(SysReadWrite.Read, (ulong)fd, g.Room(8), 8));
    }

    private static int PollOne(VfsGuest g, ulong fd, short events)
    {
        byte[] entry = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(entry, (int)fd);
        BinaryPrimitives.WriteInt16LittleEndian(entry.AsSpan(4), events);
        ulong at = g.Put(entry);
        ulong zero = g.Put(new byte[16]);
        long n = g.Call(SysPoll.Ppoll, at, 1, zero, 0, 8);
        Assert.InRange(n, 0, 1);
        return g.Value<short>(at + 6);
    }

    [Fact]
    public void PollTellsReadiness()
    {
        using var g = new VfsGuest();
        (ulong r, ulong w) = Pipe(g);
        Assert.Equal(0, PollOne(g, r, 1));
        Assert.Equal(4, PollOne(g, w, 5));
        g.Call(SysReadWrite.Write, w, g.Room(1), 1);
        Assert.Equal(1, PollOne(g, r, 1));
        g.Call(SysFiles.Close, w);
        Assert.Equal(0x11, PollOne(g, r, 1));
        Assert.Equal(0x20, PollOne(g, 77, 1));
        Assert.Equal(1, PollOne(g, (ulong)Open(g, "/etc/passwd", 0), 1));
    }

    [Fact]
    public void PollSleepsUntilDataComes()
    {
        using var g = new VfsGuest();
        (ulong r, ulong w) = Pipe(g);
        ulong at = g.Put([(byte)r, 0, 0, 0, 1, 0, 0, 0]);
        SyscallContext poll = g.Context(at, 1, 0, 0, 8);
        Assert.Equal(SyscallContext.Blocked, SysPoll.Ppoll(poll));
        g.Call(SysReadWrite.Write, w, at, 1);
        Assert.Equal(TaskState.Runnable, g.Task.State);
        Assert.Equal(1, SysPoll.Ppoll(poll));
    }

    private static ulong Event(VfsGuest g, uint events, ulong data)
    {
        byte[] bytes = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, events);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), data);
        return g.Put(bytes);
    }

    [Fact]
    public void EpollLevelEdgeAndOneShot()
    {
        using var g = new VfsGuest();
        ulong epoll = (ulong)g.Call(SysPoll.EpollCreate1, 0);
        (ulong r, ulong w) = Pipe(g);
        ulong found = g.Room(64);
        long Wait() => g.Call(SysPoll.EpollPwait, epoll, found, 4, 0, 0, 8);
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, epoll, 1, r, Event(g, 1, 42)));
        Assert.Equal(-Errno.EEXIST, g.Call(SysPoll.EpollCtl, epoll, 1, r, Event(g, 1, 42)));
        Assert.Equal(-Errno.EPERM, g.Call(SysPoll.EpollCtl, epoll, 1, (ulong)Open(g, "/etc/passwd", 0), Event(g, 1, 42)));
        Assert.Equal(0, Wait());
        g.Call(SysReadWrite.Write, w, found, 2);
        Assert.Equal(1, Wait());
        Assert.Equal(1u, g.Value<uint>(found));
        Assert.Equal(42UL, g.Value<ulong>(found + 8));
        Assert.Equal(1, Wait());
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, epoll, 3, r, Event(g, 1u << 31 | 1, 43)));
        Assert.Equal(1, Wait());
        Assert.Equal(0, Wait());
        g.Call(SysReadWrite.Write, w, found, 1);
        Assert.Equal(1, Wait());
        Assert.Equal(0, Wait());
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, epoll, 3, r, Event(g, 1u << 30 | 1, 44)));
        Assert.Equal(1, Wait());
        Assert.Equal(0, Wait());
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, epoll, 3, r, Event(g, 1, 45)));
        Assert.Equal(1, Wait());
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, epoll, 2, r, 0));
        Assert.Equal(0, Wait());
    }

    [Fact]
    public void EpollForgetsClosedFilesAndNests()
    {
        using var g = new VfsGuest();
        ulong outer = (ulong)g.Call(SysPoll.EpollCreate1, 0);
        ulong inner = (ulong)g.Call(SysPoll.EpollCreate1, 0);
        ulong eventfd = (ulong)g.Call(SysEvents.Eventfd2, 1, 0);
        ulong found = g.Room(64);
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, inner, 1, eventfd, Event(g, 1, 1)));
        Assert.Equal(0, g.Call(SysPoll.EpollCtl, outer, 1, inner, Event(g, 1, 2)));
        Assert.Equal(-Errno.ELOOP, g.Call(SysPoll.EpollCtl, inner, 1, outer, Event(g, 1, 3)));
        Assert.Equal(1, g.Call(SysPoll.EpollPwait, outer, found, 4, 0, 0, 8));
        Assert.Equal(2UL, g.Value<ulong>(found + 8));
        Assert.Equal(8, g.Call(SysReadWrite.Read, eventfd, found, 8));
        SyscallContext wait = g.Context(outer, found, 4, unchecked((ulong)-1), 0, 8);
        Assert.Equal(SyscallContext.Blocked, SysPoll.EpollPwait(wait));
        ulong one = g.Put(1, 0, 0, 0, 0, 0, 0, 0);
        g.Call(SysReadWrite.Write, eventfd, one, 8);
        Assert.Equal(1, SysPoll.EpollPwait(wait));
        g.Call(SysFiles.Close, eventfd);
        Assert.Equal(0, g.Call(SysPoll.EpollPwait, outer, found, 4, 0, 0, 8));
    }

    [Fact]
    public void DescriptorsTravelThroughSockets()
    {
        using var g = new VfsGuest();
        ulong pair = g.Room(8);
        Assert.Equal(0, g.Call(SysSockets.Socketpair, 1, 1, 0, pair));
        (ulong a, ulong b) = ((ulong)g.Value<int>(pair), (ulong)g.Value<int>(pair + 4));
        (ulong r, ulong w) = Pipe(g);
        ulong data = g.Text("x");
        ulong iov = g.Put([.. BitConverter.GetBytes(data), .. BitConverter.GetBytes(1L)]);
        byte[] control = [.. BitConverter.GetBytes(20L), .. BitConverter.GetBytes(1), .. BitConverter.GetBytes(1),
            .. BitConverter.GetBytes((int)r), 0, 0, 0, 0];
        byte[] header = [.. new byte[16], .. BitConverter.GetBytes(iov), .. BitConverter.GetBytes(1L),
            .. BitConverter.GetBytes(g.Put(control)), .. BitConverter.GetBytes(24L), .. new byte[8]];
        Assert.Equal(1, g.Call(SysSocketMessages.Sendmsg, a, g.Put(header), 0));
        g.Call(SysFiles.Close, r);
        ulong room = g.Room(64);
        BitConverter.TryWriteBytes(header.AsSpan(32), room);
        BitConverter.TryWriteBytes(header.AsSpan(40), 64L);
        ulong message = g.Put(header);
        Assert.Equal(1, g.Call(SysSocketMessages.Recvmsg, b, message, 0));
        Assert.Equal(24UL, g.Value<ulong>(message + 40));
        Assert.Equal(20L, g.Value<long>(room));
        ulong received = (ulong)g.Value<int>(room + 16);
        g.Call(SysReadWrite.Write, w, data, 1);
        Assert.Equal(1, g.Call(SysReadWrite.Read, received, data, 8));
        g.Call(SysFiles.Close, a);
        Assert.Equal(0, g.Call(SysReadWrite.Read, b, data, 8));
    }

    [Fact]
    public void TcpOverLoopback()
    {
        using var g = new VfsGuest();
        byte[] Address(int port) => [2, 0, (byte)(port >> 8), (byte)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        ulong listener = (ulong)g.Call(SysSockets.Socket, 2, 1, 0);
        Assert.Equal(0, g.Call(SysSockets.Bind, listener, g.Put(Address(8080)), 16));
        Assert.Equal(0, g.Call(SysSockets.Listen, listener, 5));
        ulong client = (ulong)g.Call(SysSockets.Socket, 2, 1, 0);
        Assert.Equal(-Errno.ECONNREFUSED, g.Call(SysSockets.Connect, client, g.Put(Address(8081)), 16));
        byte[] elsewhere = Address(80);
        elsewhere[4] = 93;
        Assert.Equal(-Errno.ENETUNREACH, g.Call(SysSockets.Connect, client, g.Put(elsewhere), 16));
        SyscallContext accept = g.Context(listener, 0, 0);
        Assert.Equal(SyscallContext.Blocked, SysSockets.Accept(accept));
        Assert.Equal(0, g.Call(SysSockets.Connect, client, g.Put(Address(8080)), 16));
        ulong server = (ulong)SysSockets.Accept(accept);
        Assert.Equal(4, g.Call(SysSocketMessages.Sendto, client, g.Text("ping"), 4, 0, 0, 0));
        ulong buffer = g.Room(16);
        Assert.Equal(2, g.Call(SysSocketMessages.Recvfrom, server, buffer, 2, 0, 0, 0));
        Assert.Equal(2, g.Call(SysReadWrite.Read, server, buffer, 16));
        Assert.Equal("ng"u8.ToArray(), g.Bytes(buffer, 2));
        ulong name = g.Room(16);
        ulong length = g.Put(16, 0, 0, 0);
        Assert.Equal(0, g.Call(SysSockets.Getpeername, client, name, length));
        Assert.Equal(Address(8080), g.Bytes(name, 16));
        Assert.Equal(0, g.Call(SysSockets.Shutdown, client, 1));
        Assert.Equal(0, g.Call(SysReadWrite.Read, server, buffer, 16));
        Assert.Equal(-Errno.EADDRINUSE, g.Call(SysSockets.Bind, (ulong)g.Call(SysSockets.Socket, 2, 1, 0), g.Put(Address(8080)), 16));
    }

    [Fact]
    public void RecordLocksExcludeEachOther()
    {
        using var g = new VfsGuest();
        long a = Open(g, "/tmp/lock", OpenFlags.O_CREAT | OpenFlags.O_RDWR);
        long b = Open(g, "/tmp/lock", OpenFlags.O_RDWR);
        byte[] Lock(short type, long start, long length) =>
            [.. BitConverter.GetBytes(type), 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(start), .. BitConverter.GetBytes(length),
            .. new byte[8]];
        Assert.Equal(0, g.Call(SysFiles.Fcntl, (ulong)a, 37, g.Put(Lock(1, 0, 10))));
        Assert.Equal(-Errno.EAGAIN, g.Call(SysFiles.Fcntl, (ulong)b, 37, g.Put(Lock(0, 5, 1))));
        Assert.Equal(0, g.Call(SysFiles.Fcntl, (ulong)b, 37, g.Put(Lock(1, 10, 0))));
        ulong query = g.Put(Lock(1, 0, 0));
        Assert.Equal(0, g.Call(SysFiles.Fcntl, (ulong)b, 36, query));
        Assert.Equal((1, 10L), (g.Value<short>(query), g.Value<long>(query + 16)));
        SyscallContext wait = g.Context((ulong)b, 38, g.Put(Lock(1, 0, 5)));
        Assert.Equal(SyscallContext.Blocked, SysFiles.Fcntl(wait));
        Assert.Equal(0, g.Call(SysFiles.Fcntl, (ulong)a, 37, g.Put(Lock(2, 0, 5))));
        Assert.Equal(0, SysFiles.Fcntl(wait));
        Assert.Equal(0, g.Call(SysFiles.Flock, (ulong)a, 2));
        Assert.Equal(-Errno.EAGAIN, g.Call(SysFiles.Flock, (ulong)b, 6));
        Assert.Equal(0, g.Call(SysFiles.Close, (ulong)a));
        Assert.Equal(0, g.Call(SysFiles.Flock, (ulong)b, 6));
    }

    [Fact]
    public void ProcShowsTheTask()
    {
        using var g = new VfsGuest();
        string Read(string path)
        {
            long fd = Open(g, path, 0);
            Assert.True(fd >= 0, $"{path}: {Errno.NameOf(-fd)}");
            ulong buffer = g.Room(16384);
            long n = g.Call(SysReadWrite.Read, (ulong)fd, buffer, 16384);
            g.Call(SysFiles.Close, (ulong)fd);
            return Encoding.Latin1.GetString(g.Bytes(buffer, (int)n));
        }
        Assert.StartsWith("100 (test) R 0 100 100 ", Read("/proc/self/stat"), StringComparison.Ordinal);
        Assert.Equal(52, Read("/proc/100/stat").Split(' ').Length);
        Assert.Contains("Uid:\t0\t0\t0\t0\n", Read("/proc/self/task/100/status"), StringComparison.Ordinal);
        Assert.Contains("10000000-10800000 rw-p", Read("/proc/self/maps"), StringComparison.Ordinal);
        foreach (string name in new[] { "cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version", "filesystems", "mounts",
            "self/limits", "self/mountinfo", "self/cgroup", "sys/kernel/osrelease", "self/smaps", "self/statm" })
            Assert.NotEmpty(Read("/proc/" + name));
        Assert.Equal("0\n", Read("/sys/devices/system/cpu/online"));
        ulong buffer = g.Room(100);
        long length = g.Call(SysDirs.Readlinkat, Cwd, g.Text("/proc/self/fd/1"), buffer, 100);
        Assert.StartsWith("pipe:[", Encoding.Latin1.GetString(g.Bytes(buffer, (int)length)), StringComparison.Ordinal);
        long fd = Open(g, "/proc/self/fd/1", OpenFlags.O_WRONLY);
        Assert.Equal(3, g.Call(SysReadWrite.Write, (ulong)fd, g.Text("out"), 3));
        Assert.Equal("out", Encoding.Latin1.GetString(g.Output.ToArray()));
    }

    [Fact]
    public void SharedMappingAndFileAreOne()
    {
        using var g = new VfsGuest();
        ulong fd = (ulong)g.Call(SysEvents.MemfdCreate, g.Text("shm"), 2);
        Assert.Equal(0, g.Call(SysFileSize.Ftruncate, fd, 8192));
        Assert.Equal(4, g.Call(SysReadWrite.Pwrite64, fd, g.Text("file"), 4, 4096));
        long map = g.Memory.Map(0, 8192, 3, 1, g.Task.Files[(int)fd], 0);
        Assert.True(map > 0);
        Assert.Equal("file"u8.ToArray(), g.Bytes((ulong)map + 4096, 4));
        Assert.True(g.Memory.Write((ulong)map + 4096, "MAP!"u8));
        ulong buffer = g.Room(16);
        Assert.Equal(4, g.Call(SysReadWrite.Pread64, fd, buffer, 4, 4096));
        Assert.Equal("MAP!"u8.ToArray(), g.Bytes(buffer, 4));
        Assert.Equal(1, g.Call(SysReadWrite.Pwrite64, fd, g.Text("m"), 1, 4096));
        Assert.Equal((byte)'m', g.Value<byte>((ulong)map + 4096));
        Assert.Equal(-Errno.EBUSY, g.Call(SysFiles.Fcntl, fd, 1033, 8));
        Assert.Equal(0, g.Memory.Unmap((ulong)map, (ulong)map + 8192));
        Assert.Equal(0, g.Call(SysFiles.Fcntl, fd, 1033, 8));
        Assert.Equal(-Errno.EPERM, g.Call(SysReadWrite.Pwrite64, fd, buffer, 1, 0));
    }

    [Fact]
    public void TerminalPair()
    {
        using var g = new VfsGuest();
        ulong master = (ulong)Open(g, "/dev/ptmx", OpenFlags.O_RDWR);
        ulong unlocked = g.Put(0, 0, 0, 0);
        Assert.Equal(0, g.Call(SysFiles.Ioctl, master, 0x40045431, unlocked));
        ulong slave = (ulong)Open(g, "/dev/pts/0", OpenFlags.O_RDWR);
        ulong termios = g.Room(64);
        Assert.Equal(0, g.Call(SysFiles.Ioctl, slave, 0x5401, termios));
        Assert.Equal(-Errno.ENOTTY, g.Call(SysFiles.Ioctl, 0, 0x5401, termios));
        ulong buffer = g.Room(64);
        g.Call(SysReadWrite.Write, master, g.Text("helo\x7flo\r"), 8);
        Assert.Equal(6, g.Call(SysReadWrite.Read, slave, buffer, 64));
        Assert.Equal("hello\n", Encoding.Latin1.GetString(g.Bytes(buffer, 6)));
        Assert.Equal(11, g.Call(SysReadWrite.Read, master, buffer, 64));
        Assert.Equal("helo\b \blo\r\n", Encoding.Latin1.GetString(g.Bytes(buffer, 11)));
        g.Call(SysReadWrite.Write, slave, g.Text("x\n"), 2);
        Assert.Equal(3, g.Call(SysReadWrite.Read, master, buffer, 64));
        g.Call(SysFiles.Close, slave);
        Assert.Equal(-Errno.EIO, g.Call(SysReadWrite.Read, master, buffer, 64));
    }

    [Fact]
    public void InotifyTellsNames()
    {
        using var g = new VfsGuest();
        ulong fd = (ulong)g.Call(SysEvents.InotifyInit1, OpenFlags.O_NONBLOCK);
        Assert.Equal(1, g.Call(SysEvents.InotifyAddWatch, fd, g.Text("/tmp"), 0x3C0));
        ulong buffer = g.Room(256);
        Assert.Equal(-Errno.EAGAIN, g.Call(SysReadWrite.Read, fd, buffer, 256));
        Open(g, "/tmp/new", OpenFlags.O_CREAT | OpenFlags.O_WRONLY);
        g.Call(SysDirs.Renameat, Cwd, g.Text("/tmp/new"), Cwd, g.Text("/tmp/old"));
        g.Call(SysDirs.Unlinkat, Cwd, g.Text("/tmp/old"), 0);
        Assert.Equal(128, g.Call(SysReadWrite.Read, fd, buffer, 256));
        Assert.Equal([0x100u, 0x40u, 0x80u, 0x200u], Enumerable.Range(0, 4).Select(n => g.Value<uint>(buffer + (ulong)n * 32 + 4)));
        Assert.Equal(g.Value<uint>(buffer + 32 + 8), g.Value<uint>(buffer + 64 + 8));
        Assert.Equal("new", Encoding.Latin1.GetString(g.Bytes(buffer + 16, 3)));
    }

    [Fact]
    public void TableOfRowsIsSound()
    {
        var numbers = SyscallTable.FileRows().Select(r => r.Number).ToList();
        Assert.Equal(numbers.Order(), numbers);
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.All(SyscallTable.FileRows(), r => Assert.Equal(r.Support is SyscallSupport.Partial or SyscallSupport.Stub, r.Note.Length
            > 0));
    }
}
