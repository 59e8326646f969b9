namespace ArmVdso.Kernel.Files;

/// <summary>A device file; which device it is follows from its number.</summary>
public sealed class DeviceInode : Inode
{
    /// <summary>A device file with type, permissions and number.</summary>
    public DeviceInode(FileSystem fs, uint mode, uint rdev) : base(fs, mode) => Rdev = rdev;

    /// <inheritdoc/>
    public override bool CanMap => Rdev == 0x105;

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file) => OpenAt(this, flags, task, out file);

    /// <summary>Opens it where a path has led to: which terminals /dev/ptmx makes depends on what is mounted beside it.</summary>
    internal long OpenAt(Inode place, int flags, IFileUser? task, out OpenFile? file) =>
        Fs.Vfs.Devices.Open(this, place, flags, task, out file);
}

/// <summary>The character devices that exist, and the terminals.</summary>
internal sealed class DeviceTable(Vfs vfs)
{
    private readonly Dictionary<int, Terminal> _controlling = [];
    private Terminal? _hostTerminal;

    /// <summary>Block devices over files.</summary>
    public LoopDevices Loops { get; set; } = null!;

    /// <summary>Pseudo-terminals that there are, in all mounts of devpts (kernel.pty.nr).</summary>
    public int PseudoTerminals { get; private set; }

    /// <summary>The host's terminal; null when none of the standard streams is one.</summary>
    public Terminal? HostTerminal => vfs.Options.StdinIsTerminal || vfs.Options.StdoutIsTerminal || vfs.Options.StderrIsTerminal
        ? _hostTerminal ??= vfs.Options.Keyboard is null ? new HostTerminal(vfs) : new KeyboardTerminal(vfs) : null;

    public long Open(DeviceInode inode, Inode place, int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if (inode.Type == Modes.S_IFBLK)
        {
            return inode.Rdev >> 8 == LoopDevices.Major && Loops.Find((int)(inode.Rdev & 0xFF)) is { } loop
                ? loop.OpenFile(inode, flags, out file) : -Errno.ENXIO;
        }
        if (inode.Type == Modes.S_IFCHR)
        {
            switch (inode.Rdev)
            {
                case 0x103 or 0x105 or 0x107 or 0x108 or 0x109 or 0x10B:
                    file = new SimpleDeviceFile(inode, flags);
                    return 0;
                case 0x500:
                    if (task == null || ControllingOf(task.Session) is not { } terminal)
                        return -Errno.ENXIO;
                    if (Refuses(terminal, task))
                        return -Errno.EBUSY;
                    file = terminal.OpenSlave(inode, flags);
                    return 0;
                case 0x501:
                    if (HostTerminal is { } console && Refuses(console, task))
                        return -Errno.EBUSY;
                    file = HostTerminal != null ? HostTerminal.OpenSlave(inode, flags) : new HostStreamFile(inode, flags, 1);
                    return 0;
                case UserfaultDevice.Rdev:
                    file = new UserfaultDevice(inode, flags);
                    return 0;
                case LoopDevices.ControlRdev:
                    file = new LoopControlFile(inode, flags, Loops);
                    return 0;
                case 0x502:
                    return OpenMaster(inode, place, flags, task, out file);
            }
            if (PseudoTerminal.NumberOf(inode.Rdev) is not null)
            {
                // A file elsewhere with such a number is no terminal's (pts_unix98_lookup).
                if ((inode.Parent as PtsDirectory)?.TerminalOf(inode) is not { } pty || pty.Locked)
                    return -Errno.EIO;
                if (Refuses(pty, task))
                    return -Errno.EBUSY;
                file = pty.OpenSlave(inode, flags);
                if ((flags & OpenFlags.O_NOCTTY) == 0 && task != null)
                    AcquireControlling(pty, task);
                return 0;
            }
        }
        return -Errno.ENXIO;
    }

    /// <summary>TIOCEXCL (tty_reopen).</summary>
    private static bool Refuses(Terminal terminal, IFileUser? task) =>
        terminal.IsExclusive && task?.Credentials.Has(Capability.SysAdmin) == false;

    /// <summary>Pseudo-terminals that there may be (kernel.pty.max; devpts_new_index leaves one).</summary>
    public int MostPseudoTerminals { get; set; } = 4096;

    /// <summary>Those of them that only the first mount namespace may have (kernel.pty.reserve).</summary>
    public int ReservedPseudoTerminals { get; set; } = 1024;

    /// <summary>The terminals that a /dev/ptmx makes: of the devpts that it is in, or that is mounted at pts beside it (devpts_acquire):
    /// 0, -ENOENT, -ENODEV when something else is there.</summary>
    private static long FindTerminals(Inode place, out PtsDirectory? directory)
    {
        directory = place.Parent?.Real as PtsDirectory;
        if (directory is not null)
            return 0;
        if (place.Parent is not { } parent || parent.Lookup("pts", out Inode? beside) < 0)
            return -Errno.ENOENT;
        directory = Vfs.TopOf(beside!).Real as PtsDirectory;
        return directory is null ? -Errno.ENODEV : 0;
    }

    private long OpenMaster(Inode inode, Inode place, int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if (FindTerminals(place, out PtsDirectory? directory) is < 0 and long error)
            return error;
        if (PseudoTerminals + 1 >= MostPseudoTerminals - (directory!.Reserves ? 0 : ReservedPseudoTerminals)
            || directory.Take() is not { } number)
            return -Errno.ENOSPC;
        PseudoTerminals++;
        var pty = new PseudoTerminal(vfs, number, directory);
        directory.Add(pty, task?.Credentials);
        file = new PseudoTerminalMaster(inode, flags, pty);
        return 0;
    }

    /// <summary>The master of a pseudo-terminal was closed.</summary>
    public void MasterClosed(PseudoTerminal pty)
    {
        pty.Directory!.Remove(pty.Number);
        foreach (int sid in _controlling.Where(c => c.Value == pty).Select(c => c.Key).ToArray())
            _controlling.Remove(sid);
    }

    /// <summary>Both ends of a pseudo-terminal are closed.</summary>
    public void BothClosed(PseudoTerminal pty)
    {
        PseudoTerminals--;
        pty.Directory!.Free(pty.Number);
    }

    /// <summary>Controlling terminal of a session; the first session has the host's, if there is one and no other session has it.</summary>
    public Terminal? ControllingOf(int sid)
    {
        const int firstSession = 1;
        if (_controlling.TryGetValue(sid, out Terminal? terminal))
            return terminal;
        return HostTerminal is { } host && (host.Session == 0 ? sid == firstSession : host.Session == sid) ? host : null;
    }

    /// <summary>A session leader without a terminal gets this one.</summary>
    public bool AcquireControlling(Terminal terminal, IFileUser task)
    {
        if (task.Pid != task.Session || _controlling.ContainsKey(task.Session)
            || (terminal.Session != 0 && terminal.Session != task.Session))
            return false;
        _controlling[task.Session] = terminal;
        terminal.Session = task.Session;
        terminal.ForegroundGroup = task.ProcessGroup;
        return true;
    }

    /// <summary>TIOCNOTTY.</summary>
    public void DropControlling(int sid)
    {
        if (_controlling.Remove(sid, out Terminal? terminal))
            terminal.Session = terminal.ForegroundGroup = 0;
    }

    /// <summary>The file of descriptor 0, 1 or 2 at the start.</summary>
    public OpenFile OpenStandardStream(int number)
    {
        VfsOptions options = vfs.Options;
        bool terminal = number switch { 0 => options.StdinIsTerminal, 1 => options.StdoutIsTerminal, _ => options.StderrIsTerminal };
        if (terminal)
        {
            long error = vfs.Find(vfs.RootCaller, vfs.Root, "/dev/console", true, out Inode? console);
            if (error == 0)
                return HostTerminal!.OpenSlave(console!, OpenFlags.O_RDWR);
        }
        AnonymousInode? inode = null;
        inode = new AnonymousInode(vfs.PipeFs, Modes.S_IFIFO | 0x180) { Reopen = f => new HostStreamFile(inode!, f, number) };
        return new HostStreamFile(inode, number == 0 ? OpenFlags.O_RDONLY : OpenFlags.O_WRONLY, number);
    }
}

/// <summary>/dev/null, zero, full, random, urandom, kmsg.</summary>
internal sealed class SimpleDeviceFile(DeviceInode inode, int flags) : OpenFile(inode, flags)
{
    // The random devices and the log can be polled, memory cannot.
    public override bool CanPoll => inode.Rdev is 0x108 or 0x109 or 0x10B;

    public override bool Seekable => true;

    // drivers/char/mem.c, drivers/char/random.c: null only takes, full only gives, the log does neither.
    internal override bool GivesToPipes => inode.Rdev is 0x105 or 0x107 or 0x108 or 0x109;

    internal override bool TakesFromPipes => inode.Rdev is 0x103 or 0x105 or 0x108 or 0x109;

    public override bool ReadPage(ulong offset, Span<byte> page)
    {
        page.Clear();
        return inode.Rdev == 0x105;
    }

    public override long Read(Span<byte> buffer, long position)
    {
        switch (inode.Rdev)
        {
            case 0x103:
                return 0;
            case 0x105 or 0x107:
                buffer.Clear();
                return buffer.Length;
            case 0x108 or 0x109:
                if (inode.Fs.Vfs.Host is { } host)
                    host.Random.Fill(buffer);
                else
                    buffer.Clear();
                return buffer.Length;
            default:
                return -Errno.EAGAIN;
        }
    }

    public override bool LeavesBytes => inode.Rdev is 0x103 or 0x105 or 0x107;

    public override long Write(ReadOnlySpan<byte> data, long position) => inode.Rdev == 0x107 ? -Errno.ENOSPC : data.Length;

    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        if (inode.Rdev is not (0x108 or 0x109))
            return -Errno.ENOTTY;
        switch (command)
        {
            case IoctlNumbers.RNDGETENTCNT:
                return user.Memory.Write(argument, 256) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.RNDRESEEDCRNG:
                if (!user.Credentials.Has(Capability.SysAdmin))
                    return -Errno.EPERM;
                inode.Fs.Vfs.Host?.Seeding.Reseed();
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }
}

/// <summary>A standard stream of the host that is not a terminal: shown as a pipe. Reading stops the whole machine until the host
/// has input, so that what the guest sees does not depend on when it comes.</summary>
internal sealed class HostStreamFile(Inode inode, int flags, int stream) : OpenFile(inode, flags)
{
    public override string Description => $"pipe:[{Inode.Ino}]";

    public override long Read(Span<byte> buffer, long position)
    {
        if (stream != 0 || buffer.Length == 0)
            return 0;
        try
        {
            return Inode.Fs.Vfs.Host?.In.Read(buffer) ?? 0;
        }
        catch (IOException e)
        {
            return -ErrnoOf(e, Errno.EIO);
        }
    }

    /// <summary>The host's errno, which .NET keeps in HResult on Unix.</summary>
    public static long ErrnoOf(IOException e, long otherwise) => e.HResult is > 0 and < 134 ? e.HResult : otherwise;

    public override long Write(ReadOnlySpan<byte> data, long position) => WriteTo(Inode.Fs.Vfs, data, stream);

    public static long WriteTo(Vfs vfs, ReadOnlySpan<byte> data, int stream)
    {
        if (vfs.Host is not { } host)
            return data.Length;
        if (data.Length > vfs.OutputLeft)
        {
            if (vfs.OutputLeft >= 0)
                host.Log($"the guest writes more than {vfs.Options.Limits.Output} bytes: ENOSPC (--max-output makes it more)");
            vfs.OutputLeft = -1;
            return -Errno.ENOSPC;
        }
        vfs.OutputLeft -= data.Length;
        try
        {
            Stream target = stream == 2 ? host.Error : host.Out;
            target.Write(data);
            target.Flush();
            return data.Length;
        }
        catch (IOException e)
        {
            return -ErrnoOf(e, Errno.EPIPE);
        }
    }

    public override uint Poll() => CanWrite ? PollBits.Writable : PollBits.Readable;
}
