using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ArmVdso.Kernel.Files;

/// <summary>What the host tells about one file, without following links.</summary>
internal readonly record struct HostStat(
    uint Mode, uint Nlink, ulong Ino, ulong Device, long Size, long Mtime, uint RdevMajor, uint RdevMinor);

/// <summary>A name under a <see cref="HostTree"/>; the parent chain (not a string) so that renames of directories move what is
/// below.</summary>
internal sealed class HostLocation(HostTree tree, HostLocation? parent, string name)
{
    public HostTree Tree { get; } = tree;

    public HostLocation? Parent { get; set; } = parent;

    public string Name { get; set; } = name;

    public HostLocation Child(string name) => new(Tree, this, name);
}

/// <summary>A folder (or one file) of the host, reached only through its own descriptor: every component is opened by itself with
/// O_NOFOLLOW, so no symbolic link of the host is ever followed, whatever changes underneath, and nothing outside can be named.
/// Names are bytes. Results are values or -errno (numbers of the generic Linux ABI, which x86-64 and arm64 hosts share).</summary>
internal sealed class HostTree : IDisposable
{
    private const int O_PATH = 0x200000, O_CLOEXEC = 0x80000;
    private const int AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, AT_REMOVEDIR = 0x200;
    private static readonly bool ArmHost = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int O_NOFOLLOW = ArmHost ? 0x8000 : 0x20000;
    private static readonly int O_DIRECTORY = ArmHost ? 0x4000 : 0x10000;

    private readonly int _root;
    private readonly string? _fileName;
    private HostLocation? _cachedDirectory;
    private int _cachedFd = -1;

    private HostTree(int root, string? fileName, bool writable)
    {
        _root = root;
        _fileName = fileName;
        Writable = writable;
        Root = new HostLocation(this, null, "");
    }

    /// <summary>The folder itself.</summary>
    public HostLocation Root { get; }

    /// <summary>Whether changes go to the host.</summary>
    public bool Writable { get; }

    /// <summary>Opens a folder or a file of the host. The path is the user's own: links in it are followed.</summary>
    /// <exception cref="IOException">The path cannot be opened, or the host is not Linux.</exception>
    public static HostTree Open(string path, bool writable)
    {
        if (!OperatingSystem.IsLinux())
            throw new IOException($"{path}: host folders need a Linux host");
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            int fd = open(Encoding.UTF8.GetBytes(full + "\0"), O_PATH | O_DIRECTORY | O_CLOEXEC);
            if (fd < 0)
                throw new IOException($"{path}: cannot open the folder (error {Errno.NameOf(Marshal.GetLastPInvokeError())})");
            return new HostTree(fd, null, writable);
        }
        if (!File.Exists(full))
            throw new FileNotFoundException($"{path}: no such file or folder");
        full = File.ResolveLinkTarget(full, true)?.FullName ?? full;
        int parent = open(Encoding.UTF8.GetBytes(Path.GetDirectoryName(full) + "\0"), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
            throw new IOException($"{path}: cannot open its folder (error {Errno.NameOf(Marshal.GetLastPInvokeError())})");
        return new HostTree(parent, Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Path.GetFileName(full))), writable);
    }

    [DllImport("libc", SetLastError = true)] private static extern int open(byte[] path, int flags);
    [DllImport("libc", SetLastError = true)] private static extern int openat(int dirfd, byte[] path, int flags, uint mode);
    [DllImport("libc", SetLastError = true)] private static extern int close(int fd);
    [DllImport("libc", SetLastError = true)] private static extern int statx(int dirfd, byte[] path, int flags, uint mask, byte[] buffer);
    [DllImport("libc", SetLastError = true)] private static extern nint readlinkat(int dirfd, byte[] path, byte[] buffer, nint size);
    [DllImport("libc", SetLastError = true)] private static extern nint getdents64(int fd, byte[] buffer, nint size);
    [DllImport("libc", SetLastError = true)] private static extern int mkdirat(int dirfd, byte[] path, uint mode);
    [DllImport("libc", SetLastError = true)] private static extern int unlinkat(int dirfd, byte[] path, int flags);
    [DllImport("libc", SetLastError = true)] private static extern int symlinkat(byte[] target, int dirfd, byte[] path);
    [DllImport("libc", SetLastError = true)]
    private static extern int linkat(int oldDir, byte[] oldPath, int newDir, byte[] newPath, int flags);
    [DllImport("libc", SetLastError = true)]
    private static extern int renameat2(int oldDir, byte[] oldPath, int newDir, byte[] newPath, uint flags);
    [DllImport("libc", SetLastError = true)] private static extern int fallocate(SafeFileHandle fd, int mode, long offset, long length);
    [DllImport("libc", SetLastError = true)] private static extern int fchmodat(int dirfd, byte[] path, uint mode, int flags);
    [DllImport("libc", SetLastError = true)] private static extern int utimensat(int dirfd, byte[] path, long[] times, int flags);

    private static byte[] Bytes(string name)
    {
        byte[] bytes = new byte[name.Length + 1];
        Encoding.Latin1.GetBytes(name, bytes);
        return bytes;
    }

    private static long Result(long value) => value >= 0 ? value : -Marshal.GetLastPInvokeError();

    /// <summary>A descriptor (O_PATH) of a directory: walks from the root. The last one of a tree that is not written is kept.</summary>
    private int OpenDirectory(HostLocation location, out bool owned)
    {
        owned = false;
        if (location.Parent == null)
            return _root;
        if (ReferenceEquals(location, _cachedDirectory))
            return _cachedFd;
        int parent = OpenDirectory(location.Parent, out bool parentOwned);
        if (parent < 0)
            return parent;
        int fd = (int)Result(openat(parent, Bytes(location.Name), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
        if (parentOwned)
            _ = close(parent);
        if (fd < 0 || Writable)
        {
            owned = fd >= 0;
            return fd;
        }
        if (_cachedFd >= 0)
            _ = close(_cachedFd);
        (_cachedDirectory, _cachedFd) = (location, fd);
        return fd;
    }

    private long At(HostLocation location, Func<int, byte[], long> action)
    {
        if (location.Parent == null)
            return _fileName != null ? Result(action(_root, Bytes(_fileName))) : Result(action(_root, [(byte)'.', 0]));
        int parent = OpenDirectory(location.Parent, out bool owned);
        if (parent < 0)
            return parent;
        long result = Result(action(parent, Bytes(location.Name)));
        if (owned)
            _ = close(parent);
        return result;
    }

    /// <summary>Attributes of a file itself (not of what a link names).</summary>
    public long Stat(HostLocation location, out HostStat stat)
    {
        byte[] buffer = new byte[256];
        long result = At(location, (fd, name) => statx(fd, name, AT_SYMLINK_NOFOLLOW, 0x7FF, buffer));
        stat = result < 0 ? default : new HostStat(
            BitConverter.ToUInt16(buffer, 28), BitConverter.ToUInt32(buffer, 16), BitConverter.ToUInt64(buffer, 32),
            (ulong)BitConverter.ToUInt32(buffer, 136) << 32 | BitConverter.ToUInt32(buffer, 140), BitConverter.ToInt64(buffer, 40),
            BitConverter.ToInt64(buffer, 112) * 1_000_000_000 + BitConverter.ToUInt32(buffer, 120),
            BitConverter.ToUInt32(buffer, 128), BitConverter.ToUInt32(buffer, 132));
        return result;
    }

    /// <summary>Names in a directory, in ordinal order, without . and ..</summary>
    public long List(HostLocation location, out SortedSet<string> names) => List(location, out names, out _);

    /// <summary>As above; also counts the directories among the names.</summary>
    public long List(HostLocation location, out SortedSet<string> names, out uint directories)
    {
        directories = 0;
        var found = new SortedSet<string>(StringComparer.Ordinal);
        names = found;
        long fd = At(location, (parent, name) => openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
        if (fd < 0)
            return fd;
        byte[] buffer = new byte[65536];
        long read;
        while ((read = Result(getdents64((int)fd, buffer, buffer.Length))) > 0)
        {
            for (int at = 0; at < read; at += BitConverter.ToUInt16(buffer, at + 16))
            {
                int end = Array.IndexOf(buffer, (byte)0, at + 19);
                string name = Encoding.Latin1.GetString(buffer, at + 19, end - at - 19);
                if (name is "." or "..")
                    continue;
                found.Add(name);
                if (buffer[at + 18] == 4)
                    directories++;
            }
        }
        _ = close((int)fd);
        return read;
    }

    /// <summary>Contents of a link.</summary>
    public long ReadLink(HostLocation location, out string target)
    {
        byte[] buffer = new byte[4096];
        long length = At(location, (fd, name) => readlinkat(fd, name, buffer, buffer.Length));
        target = length > 0 ? Encoding.Latin1.GetString(buffer, 0, (int)length) : "";
        return length;
    }

    /// <summary>Opens a regular file of the host for reading, or for both.</summary>
    public long OpenFile(HostLocation location, bool write, out SafeFileHandle? handle)
    {
        // O_NONBLOCK: should the file have become a FIFO, the open must not hang; the check of the type follows.
        long fd = At(location, (parent, name) => openat(parent, name, (write ? 2 : 0) | 0x800 | O_NOFOLLOW | O_CLOEXEC, 0));
        handle = null;
        if (fd < 0)
            return fd;
        byte[] buffer = new byte[256];
        if (statx((int)fd, [0], AT_EMPTY_PATH, 1, buffer) != 0 || (BitConverter.ToUInt16(buffer, 28) & Modes.S_IFMT) != Modes.S_IFREG)
        {
            _ = close((int)fd);
            return -Errno.EIO;
        }
        handle = new SafeFileHandle((nint)fd, true);
        return 0;
    }

    // What follows changes the host and is used by writable binds only.

    /// <summary>Takes space of the host for a range of bytes of an open file, whose size stays: 0, or the host's error.</summary>
    internal static long Allocate(SafeFileHandle handle, long position, long length)
    {
        const int FALLOC_FL_KEEP_SIZE = 1;
        return Result(fallocate(handle, FALLOC_FL_KEEP_SIZE, position, length));
    }

    public long CreateFile(HostLocation location, uint mode)
    {
        const int createExclusive = 0xC1;
        long fd = At(location, (parent, name) => openat(parent, name, createExclusive | O_NOFOLLOW | O_CLOEXEC, mode & 0x3FF));
        if (fd >= 0)
            _ = close((int)fd);
        return Math.Min(fd, 0);
    }

    public long MakeDirectory(HostLocation location, uint mode) => At(location, (fd, name) => mkdirat(fd, name, mode & 0xFFF));

    public long MakeLink(HostLocation location, string target) => At(location, (fd, name) => symlinkat(Bytes(target), fd, name));

    public long Unlink(HostLocation location, bool directory) =>
        At(location, (fd, name) => unlinkat(fd, name, directory ? AT_REMOVEDIR : 0));

    public long HardLink(HostLocation from, HostLocation to) =>
        At(from, (oldFd, oldName) => At(to, (newFd, newName) => linkat(oldFd, oldName, newFd, newName, 0)) is var r and < 0 ? Fail(r) : 0);

    public long Rename(HostLocation from, HostLocation to, bool exchange) =>
        At(from, (oldFd, oldName) =>
            At(to, (newFd, newName) => renameat2(oldFd, oldName, newFd, newName, exchange ? 2u : 0)) is var r and < 0 ? Fail(r) : 0);

    private static long Fail(long error)
    {
        Marshal.SetLastPInvokeError((int)-error);
        return -1;
    }

    public long ChangeMode(HostLocation location, uint mode) => At(location, (fd, name) => fchmodat(fd, name, HostMode(mode), 0));

    /// <summary>Permissions as a file of the host gets them: no guest makes a program of the host run as another user.</summary>
    private static uint HostMode(uint mode) => mode & ((mode & Modes.S_IFMT) == Modes.S_IFDIR ? 0xFFFu : 0x3FF);

    public long SetTimes(HostLocation location, long atime, long mtime) => At(location, (fd, name) => utimensat(fd, name,
        [atime / 1_000_000_000, atime % 1_000_000_000, mtime / 1_000_000_000, mtime % 1_000_000_000], AT_SYMLINK_NOFOLLOW));

    /// <summary>Closes the descriptors.</summary>
    public void Dispose()
    {
        _ = close(_root);
        if (_cachedFd >= 0)
            _ = close(_cachedFd);
        (_cachedFd, _cachedDirectory) = (-1, null);
    }
}
