using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Kernel.Files;

/// <summary>What terminals have in common: settings, window size, session, foreground process group.</summary>
internal abstract class Terminal(Vfs vfs)
{
    // struct termios of include/uapi/asm-generic/termbits.h: four flag words, c_line, 19 control characters.
    private const uint ICRNL = 0x100, IXON = 0x400, IUTF8 = 0x4000, OPOST = 1, ONLCR = 4, CS8 = 0x30, CREAD = 0x80, B38400 = 0xF,
        ISIG = 1, ICANON = 2, ECHO = 8, ECHOE = 0x10, ECHOK = 0x20, ECHOCTL = 0x200, ECHOKE = 0x800, IEXTEN = 0x8000;

    private readonly byte[] _controlCharacters = [3, 0x1C, 0x7F, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0xF, 0x17, 0x16, 0, 0, 0];
    private uint _inputFlags = ICRNL | IXON;
    private uint _outputFlags = OPOST | ONLCR;
    private uint _controlFlags = CS8 | CREAD | B38400;
    private uint _localFlags = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
    private byte _line;

    protected Vfs Vfs => vfs;

    public int Session { get; set; }

    public int ForegroundGroup { get; set; }

    public ushort Rows { get; set; }

    public ushort Columns { get; set; }

    protected bool Canonical => (_localFlags & ICANON) != 0;

    protected bool Echo => (_localFlags & ECHO) != 0;

    protected bool Signals => (_localFlags & ISIG) != 0;

    protected bool TranslatesInput => (_inputFlags & ICRNL) != 0;

    protected bool TranslatesOutput => (_outputFlags & (OPOST | ONLCR)) == (OPOST | ONLCR);

    /// <summary>A control character: 0 INTR, 1 QUIT, 2 ERASE, 3 KILL, 4 EOF, 5 TIME, 6 MIN, 10 SUSP.</summary>
    protected byte Control(int index) => _controlCharacters[index];

    public abstract OpenFile OpenSlave(Inode inode, int flags);

    /// <summary>Throws input away (TCFLSH, TCSETSF).</summary>
    protected abstract void FlushInput();

    /// <summary>Bytes that a read would give (FIONREAD).</summary>
    protected virtual int Available => 0;

    /// <summary>ioctl requests of both ends.</summary>
    public long Ioctl(IFileUser user, uint command, ulong argument)
    {
        Span<byte> buffer = stackalloc byte[44];
        switch (command)
        {
            case IoctlNumbers.TCGETS or IoctlNumbers.TCGETS2:
                bool second = command == IoctlNumbers.TCGETS2;
                BinaryPrimitives.WriteUInt32LittleEndian(buffer, _inputFlags);
                BinaryPrimitives.WriteUInt32LittleEndian(buffer[4..], _outputFlags);
                BinaryPrimitives.WriteUInt32LittleEndian(buffer[8..], _controlFlags);
                BinaryPrimitives.WriteUInt32LittleEndian(buffer[12..], _localFlags);
                buffer[16] = _line;
                _controlCharacters.CopyTo(buffer[17..]);
                BinaryPrimitives.WriteUInt32LittleEndian(buffer[36..], 38400);
                BinaryPrimitives.WriteUInt32LittleEndian(buffer[40..], 38400);
                return user.Memory.Write(argument, buffer[..(second ? 44 : 36)]) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TCSETS or IoctlNumbers.TCSETSW or IoctlNumbers.TCSETSF or IoctlNumbers.TCSETS2 or IoctlNumbers.TCSETSW2
                or IoctlNumbers.TCSETSF2:
                if (!user.Memory.Read(argument, buffer[..36]))
                    return -Errno.EFAULT;
                if (command is IoctlNumbers.TCSETSF or IoctlNumbers.TCSETSF2)
                    FlushInput();
                _inputFlags = BinaryPrimitives.ReadUInt32LittleEndian(buffer);
                _outputFlags = BinaryPrimitives.ReadUInt32LittleEndian(buffer[4..]);
                _controlFlags = BinaryPrimitives.ReadUInt32LittleEndian(buffer[8..]);
                _localFlags = BinaryPrimitives.ReadUInt32LittleEndian(buffer[12..]);
                _line = buffer[16];
                buffer.Slice(17, 19).CopyTo(_controlCharacters);
                return 0;
            case IoctlNumbers.TIOCGWINSZ:
                BinaryPrimitives.WriteUInt16LittleEndian(buffer, Rows);
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[2..], Columns);
                return user.Memory.Write(argument, buffer[..8]) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSWINSZ:
                if (!user.Memory.Read(argument, buffer[..8]))
                    return -Errno.EFAULT;
                (ushort rows, ushort columns) =
                    (BinaryPrimitives.ReadUInt16LittleEndian(buffer), BinaryPrimitives.ReadUInt16LittleEndian(buffer[2..]));
                if ((rows, columns) != (Rows, Columns) && ForegroundGroup != 0)
                    vfs.Host?.Jobs.Signal(ForegroundGroup, Signal.SIGWINCH);
                (Rows, Columns) = (rows, columns);
                return 0;
            case IoctlNumbers.TIOCGPGRP:
                if (vfs.Devices.ControllingOf(user.Session) != this)
                    return -Errno.ENOTTY;
                return user.Memory.Write(argument, ForegroundGroup == 0 ? user.ProcessGroup : ForegroundGroup) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSPGRP:
                if (vfs.Devices.ControllingOf(user.Session) != this)
                    return -Errno.ENOTTY;
                if (!user.Memory.Read(argument, out int pgid))
                    return -Errno.EFAULT;
                if (pgid < 0)
                    return -Errno.EINVAL;
                if (vfs.Host?.Jobs.HasMember(pgid) != true)
                    return -Errno.ESRCH;
                if (vfs.Host?.Jobs.HasMember(pgid, user.Session) != true)
                    return -Errno.EPERM;
                ForegroundGroup = pgid;
                return 0;
            case IoctlNumbers.TIOCGSID:
                if (vfs.Devices.ControllingOf(user.Session) != this)
                    return -Errno.ENOTTY;
                return user.Memory.Write(argument, Session == 0 ? user.Session : Session) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSCTTY:
                return vfs.Devices.ControllingOf(user.Session) == this || vfs.Devices.AcquireControlling(this, user) ? 0 : -Errno.EPERM;
            case IoctlNumbers.TIOCNOTTY:
                vfs.Devices.DropControlling(user.Session);
                return 0;
            case IoctlNumbers.TCFLSH:
                if (argument != 1)
                    FlushInput();
                return 0;
            case IoctlNumbers.TCSBRK or IoctlNumbers.TCXONC or IoctlNumbers.TIOCEXCL:
                return 0;
            case IoctlNumbers.FIONREAD:
                return user.Memory.Write(argument, Available) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCOUTQ:
                return user.Memory.Write(argument, 0) ? 0 : -Errno.EFAULT;
            default:
                return -Errno.ENOTTY;
        }
    }
}

/// <summary>The host's terminal. The host does the echo and the editing of lines.</summary>
internal sealed class HostTerminal : Terminal
{
    public HostTerminal(Vfs vfs) : base(vfs) => (Rows, Columns) = vfs.Options.TerminalSize;

    public override OpenFile OpenSlave(Inode inode, int flags) => new HostTerminalFile(inode, flags, this);

    protected override void FlushInput()
    {
    }
}

/// <summary>An open file on the host's terminal.</summary>
internal sealed class HostTerminalFile(Inode inode, int flags, HostTerminal terminal) : OpenFile(inode, flags)
{
    public override long Read(Span<byte> buffer, long position)
    {
        try
        {
            return buffer.Length == 0 ? 0 : Inode.Fs.Vfs.Host?.In.Read(buffer) ?? 0;
        }
        catch (IOException e)
        {
            return -HostStreamFile.ErrnoOf(e, Errno.EIO);
        }
    }

    public override long Write(ReadOnlySpan<byte> data, long position) => HostStreamFile.WriteTo(Inode.Fs.Vfs, data, 1);

    public override long Ioctl(IFileUser user, uint command, ulong argument) => terminal.Ioctl(user, command, argument);
}

/// <summary>A pseudo-terminal: a line discipline between a master and a slave (drivers/tty/pty.c, n_tty.c in their basics).</summary>
internal sealed class PseudoTerminal : Terminal
{
    private const int Capacity = 65536;
    private readonly List<byte> _line = [];
    private readonly Queue<byte[]> _lines = new();
    private readonly ByteQueue _raw = new(Capacity);
    private int _taken;

    public PseudoTerminal(Vfs vfs, int number) : base(vfs) => Number = number;

    public int Number { get; }

    /// <summary>TIOCSPTLCK: the slave cannot be opened.</summary>
    public bool Locked { get; set; } = true;

    /// <summary>What the slave wrote and the master reads.</summary>
    public ByteQueue Output { get; } = new(Capacity);

    /// <summary>Wakes both ends.</summary>
    public PollSource MasterSource { get; } = new();

    /// <inheritdoc cref="MasterSource"/>
    public PollSource SlaveSource { get; } = new();

    public int Slaves { get; set; }

    /// <summary>A slave has been open at some time; the master then sees a hang-up without one.</summary>
    public bool HadSlave { get; set; }

    public bool MasterGone { get; set; }

    public override OpenFile OpenSlave(Inode inode, int flags) => new PseudoTerminalSlave(inode, flags, this);

    protected override int Available => Canonical ? (_lines.TryPeek(out byte[]? line) ? line.Length - _taken : 0) : _raw.Count;

    public bool HasInput => Canonical ? _lines.Count > 0 : _raw.Count + _lines.Count > 0;

    protected override void FlushInput()
    {
        _line.Clear();
        _lines.Clear();
        _raw.Skip(_raw.Count);
        _taken = 0;
    }

    /// <summary>The slave's read.</summary>
    public long ReadInput(Span<byte> buffer)
    {
        if (_lines.TryPeek(out byte[]? line))
        {
            int n = Math.Min(buffer.Length, line.Length - _taken);
            line.AsSpan(_taken, n).CopyTo(buffer);
            _taken += n;
            if (_taken == line.Length)
            {
                _lines.Dequeue();
                _taken = 0;
            }
            return n;
        }
        if (!Canonical && _raw.Count > 0)
            return _raw.Dequeue(buffer);
        if (MasterGone)
            return 0;
        return !Canonical && Control(6) == 0 ? 0 : -Errno.EAGAIN;
    }

    /// <summary>The master's write: what a keyboard would send.</summary>
    public int Type(ReadOnlySpan<byte> data)
    {
        foreach (byte typed in data)
        {
            byte b = typed;
            if (Signals && b != 0 && (b == Control(0) || b == Control(1) || b == Control(10)))
            {
                int signal = b == Control(0) ? 2 : b == Control(1) ? 3 : 20;
                if (Echo)
                    EchoByte(b);
                FlushInput();
                if (ForegroundGroup != 0)
                    Vfs.Host?.Jobs.Signal(ForegroundGroup, signal);
                continue;
            }
            if (b == '\r' && TranslatesInput)
                b = (byte)'\n';
            if (!Canonical)
            {
                _raw.Enqueue([b]);
                if (Echo)
                    EchoByte(b);
                continue;
            }
            if (b == Control(2) && b != 0)
            {
                if (_line.Count > 0)
                {
                    _line.RemoveAt(_line.Count - 1);
                    if (Echo)
                        Put("\b \b"u8);
                }
                continue;
            }
            if (b == Control(3) && b != 0)
            {
                _line.Clear();
                continue;
            }
            if (b == Control(4) && b != 0)
            {
                _lines.Enqueue([.. _line]);
                _line.Clear();
                continue;
            }
            _line.Add(b);
            if (Echo)
                EchoByte(b);
            if (b == '\n')
            {
                _lines.Enqueue([.. _line]);
                _line.Clear();
            }
        }
        if (HasInput)
            SlaveSource.Notify(PollBits.Readable);
        return data.Length;
    }

    private void EchoByte(byte b)
    {
        if (b < 32 && b != '\n' && b != '\t' && b != '\r')
            Put([(byte)'^', (byte)(b + 64)]);
        else
            Put([b]);
    }

    /// <summary>The slave's write, with output processing; the number of bytes of <paramref name="data"/> that fit.</summary>
    public int Put(ReadOnlySpan<byte> data)
    {
        int done = 0;
        foreach (byte b in data)
        {
            bool newline = b == '\n' && TranslatesOutput;
            if (Output.Free < (newline ? 2 : 1))
                break;
            if (newline)
                Output.Enqueue("\r\n"u8);
            else
                Output.Enqueue([b]);
            done++;
        }
        if (done > 0)
            MasterSource.Notify(PollBits.Readable);
        return done;
    }
}

/// <summary>The master side of a pseudo-terminal.</summary>
internal sealed class PseudoTerminalMaster(Inode inode, int flags, PseudoTerminal pty) : OpenFile(inode, flags)
{
    public override PollSource Source => pty.MasterSource;

    public override long Read(Span<byte> buffer, long position)
    {
        int n = pty.Output.Dequeue(buffer);
        if (n > 0)
        {
            pty.SlaveSource.Notify(PollBits.Writable);
            return n;
        }
        return pty.HadSlave && pty.Slaves == 0 ? -Errno.EIO : -Errno.EAGAIN;
    }

    public override long Write(ReadOnlySpan<byte> data, long position) => pty.Type(data);

    public override uint Poll() => PollBits.Writable
        | (pty.Output.Count > 0 ? PollBits.Readable : 0)
        | (pty.HadSlave && pty.Slaves == 0 ? PollBits.Hup : 0);

    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        switch (command)
        {
            case IoctlNumbers.TIOCGPTN:
                return user.Memory.Write(argument, pty.Number) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSPTLCK:
                if (!user.Memory.Read(argument, out int locked))
                    return -Errno.EFAULT;
                pty.Locked = locked != 0;
                return 0;
            case IoctlNumbers.TIOCGPTLCK:
                return user.Memory.Write(argument, pty.Locked ? 1 : 0) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCGPTPEER:
                Inode slave = Inode.Fs.Vfs.Devices.PtsRoot.NodeOf(pty.Number);
                OpenFile file = pty.OpenSlave(slave, (int)argument);
                long fd = user.Files.Add(file, ((int)argument & OpenFlags.O_CLOEXEC) != 0, user.MaxFiles);
                if (fd < 0)
                    file.Release();
                return fd;
            case IoctlNumbers.FIONREAD:
                return user.Memory.Write(argument, pty.Output.Count) ? 0 : -Errno.EFAULT;
            default:
                return pty.Ioctl(user, command, argument);
        }
    }

    protected override void Released()
    {
        pty.MasterGone = true;
        Vfs vfs = Inode.Fs.Vfs;
        if (pty.ForegroundGroup != 0)
            vfs.Host?.Jobs.Signal(pty.ForegroundGroup, Signal.SIGHUP);
        vfs.Devices.MasterClosed(pty);
        pty.SlaveSource.Notify(PollBits.Hup);
    }
}

/// <summary>The slave side of a pseudo-terminal.</summary>
internal sealed class PseudoTerminalSlave : OpenFile
{
    private readonly PseudoTerminal _pty;

    public PseudoTerminalSlave(Inode inode, int flags, PseudoTerminal pty) : base(inode, flags)
    {
        _pty = pty;
        pty.Slaves++;
        pty.HadSlave = true;
    }

    public override PollSource Source => _pty.SlaveSource;

    public override string Description => $"/dev/pts/{_pty.Number}";

    public override long Read(Span<byte> buffer, long position) => _pty.ReadInput(buffer);

    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (_pty.MasterGone)
            return -Errno.EIO;
        int n = _pty.Put(data);
        return n == 0 && data.Length > 0 ? -Errno.EAGAIN : n;
    }

    public override uint Poll() => (_pty.HasInput ? PollBits.Readable : 0)
        | (_pty.Output.Free > 256 ? PollBits.Writable : 0)
        | (_pty.MasterGone ? PollBits.Hup | PollBits.Err | PollBits.Readable : 0);

    public override long Ioctl(IFileUser user, uint command, ulong argument) => _pty.Ioctl(user, command, argument);

    protected override void Released()
    {
        if (--_pty.Slaves == 0)
            _pty.MasterSource.Notify(PollBits.Hup);
    }
}

/// <summary>/dev/pts: one file for each pseudo-terminal.</summary>
internal sealed class PtsDirectory(FileSystem fs) : Inode(fs, Modes.S_IFDIR | 0x1ED)
{
    private readonly Dictionary<int, DeviceInode> _nodes = [];

    public DeviceInode NodeOf(int number)
    {
        if (!_nodes.TryGetValue(number, out DeviceInode? node))
        {
            node = new DeviceInode(Fs, Modes.S_IFCHR | 0x190, (uint)(136 << 8 | number))
            {
                Gid = 5,
                Parent = this,
                Name = number.ToString()
            };
            _nodes.Add(number, node);
        }
        return node;
    }

    public override long Lookup(string name, out Inode? child)
    {
        child = null;
        if (name == "ptmx")
            return Fs.Vfs.Find(Fs.Vfs.RootCaller, Fs.Vfs.Root, "/dev/ptmx", true, out child);
        if (!int.TryParse(name, out int number) || name != number.ToString() || !Fs.Vfs.Devices.PseudoTerminals.ContainsKey(number))
            return -Errno.ENOENT;
        child = NodeOf(number);
        return 0;
    }

    public override IReadOnlyList<DirectoryEntry> List() =>
        [.. Fs.Vfs.Devices.PseudoTerminals.Keys.Select(n => new DirectoryEntry(n.ToString(), NodeOf(n).Ino, 2))];

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new DirectoryFile(this, flags);
        return 0;
    }
}
