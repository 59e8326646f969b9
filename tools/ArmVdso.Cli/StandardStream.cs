using System.Runtime.InteropServices;

namespace ArmVdso.Cli;

/// <summary>A standard stream of this process as the host's kernel has it. .NET's own console streams hide that the reader of a
/// pipe has gone, which a guest must see (EPIPE, SIGPIPE), and a read there cannot be ended. Errors are IOException with the errno
/// in HResult.</summary>
internal sealed class StandardStream : SequentialStream
{
    private const int EINTR = 4, EAGAIN = 11;
    private const int F_GETFD = 1, FD_CLOEXEC = 1;
    private readonly int _fd;

    private StandardStream(int fd) => _fd = fd;

    /// <summary>Asked ten times a second while a read waits; true ends it with EINTR.</summary>
    internal Func<bool> Stopped { get; set; } = () => false;

    /// <summary>Descriptor 0, 1 or 2; a stream of nothing when it was closed at the start.</summary>
    internal static Stream Open(int fd)
    {
        if (!OperatingSystem.IsLinux())
            return fd == 0 ? Console.OpenStandardInput() : fd == 1 ? Console.OpenStandardOutput() : Console.OpenStandardError();
        return IsClosed(fd) ? Null : new StandardStream(fd);
    }

    /// <summary>Whether a descriptor was closed when the process began. The runtime may have opened a file of its own in its place,
    /// always with close-on-exec, which an inherited descriptor never has.</summary>
    internal static bool IsClosed(int fd) =>
        OperatingSystem.IsLinux() && (fcntl(fd, F_GETFD) is var flags && (flags < 0 || (flags & FD_CLOEXEC) != 0));

    /// <summary>Waits for standard input: whether a read would give something at once.</summary>
    internal static bool HasInput(int milliseconds)
    {
        var wait = new PollDescriptor { Descriptor = 0, Events = 1 };
        return poll(ref wait, 1, milliseconds) > 0;
    }

    public override bool CanRead => _fd == 0;

    public override bool CanWrite => _fd != 0;

    public override int Read(Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var wait = new PollDescriptor { Descriptor = _fd, Events = 1 };
            int ready = poll(ref wait, 1, 100);
            if (Stopped())
                throw Error(EINTR);
            if (ready == 0)
                continue;
            nint n = read(_fd, ref MemoryMarshal.GetReference(buffer), buffer.Length);
            if (n >= 0)
                return (int)n;
            if (Marshal.GetLastPInvokeError() is not (EINTR or EAGAIN) and int error)
                throw Error(error);
        }
        return 0;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint n = write(_fd, in MemoryMarshal.GetReference(buffer), buffer.Length);
            if (n >= 0)
            {
                buffer = buffer[(int)n..];
                continue;
            }
            int error = Marshal.GetLastPInvokeError();
            if (error == EAGAIN)
            {
                var wait = new PollDescriptor { Descriptor = _fd, Events = 4 };
                _ = poll(ref wait, 1, 100);
                if (Stopped())
                    throw Error(EINTR);
            }
            else if (error != EINTR)
            {
                throw Error(error);
            }
        }
    }

    private static IOException Error(int errno) => new(Marshal.GetPInvokeErrorMessage(errno), errno);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Result;
    }

    [DllImport("libc")] private static extern int fcntl(int fd, int command);
    [DllImport("libc")] private static extern int poll(ref PollDescriptor fds, nuint count, int timeout);
    [DllImport("libc", SetLastError = true)] private static extern nint read(int fd, ref byte buffer, nint count);
    [DllImport("libc", SetLastError = true)] private static extern nint write(int fd, in byte buffer, nint count);
}
