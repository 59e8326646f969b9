using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>What terminals have in common: settings, window size, session, foreground process group.</summary>
internal abstract class Terminal(Vfs vfs)
{
    // struct termios of include/uapi/asm-generic/termbits.h: four flag words, c_line, 19 control characters.
    private const uint ICRNL = 0x100, IXON = 0x400, IXANY = 0x800, IUTF8 = 0x4000,
        OPOST = 1, ONLCR = 4, CS8 = 0x30, CREAD = 0x80, CLOCAL = 0x800, B38400 = 0xF,
        ISIG = 1, ICANON = 2, ECHO = 8, ECHOE = 0x10, ECHOK = 0x20, ECHOCTL = 0x200, ECHOKE = 0x800, IEXTEN = 0x8000;

    private const uint TOSTOP = 0x100;

    /// <summary>VSTART and VSTOP, and what they usually are.</summary>
    protected const int StartIndex = 8, StopIndex = 9;

    private const int ControlQ = 0x11, ControlS = 0x13;

    private readonly byte[] _controlCharacters = [3, 0x1C, 0x7F, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0xF, 0x17, 0x16, 0, 0, 0];
    private uint _inputFlags = ICRNL | IXON;
    private uint _outputFlags = OPOST | ONLCR;
    private uint _controlFlags = CS8 | CREAD | B38400;
    private uint _localFlags = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
    private byte _line;

    protected Vfs Vfs => vfs;

    /// <summary>Number of its device file (new_encode_dev).</summary>
    public virtual uint Device => 0x501;

    /// <summary>TIOCEXCL: nobody opens it any more but who may all (CAP_SYS_ADMIN).</summary>
    public bool IsExclusive { get; private set; }

    /// <summary>TCOOFF or ^S: nothing is written until TCOON or ^Q.</summary>
    public bool IsStopped { get; private set; }

    public int Session { get; set; }

    public int ForegroundGroup { get; set; }

    public ushort Rows { get; set; }

    public ushort Columns { get; set; }

    protected bool Canonical => (_localFlags & ICANON) != 0;

    /// <summary>Output of the background stops it (TOSTOP).</summary>
    public bool StopsBackground => (_localFlags & TOSTOP) != 0;

    protected bool Echo => (_localFlags & ECHO) != 0;

    protected bool Signals => (_localFlags & ISIG) != 0;

    /// <summary>^S and ^Q are for the output, and perhaps any character lets it go on.</summary>
    protected bool HasFlow => (_inputFlags & IXON) != 0;

    /// <inheritdoc cref="HasFlow"/>
    protected bool AnyStarts => (_inputFlags & IXANY) != 0;

    protected bool TranslatesInput => (_inputFlags & ICRNL) != 0;

    protected bool TranslatesOutput => (_outputFlags & (OPOST | ONLCR)) == (OPOST | ONLCR);

    /// <summary>A control character: 0 INTR, 1 QUIT, 2 ERASE, 3 KILL, 4 EOF, 5 TIME, 6 MIN, 10 SUSP.</summary>
    protected byte Control(int index) => _controlCharacters[index];

    public abstract OpenFile OpenSlave(Inode inode, int flags);

    /// <summary>Throws input away (TCFLSH, TCSETSF).</summary>
    protected abstract void FlushInput();

    /// <summary>ICANON was set or cleared: what was typed ahead stays (n_tty_set_termios).</summary>
    protected virtual void CanonicalChanged()
    {
    }

    /// <summary>^S and ^Q stop and start the output.</summary>
    protected bool StopsByKeys => (_inputFlags & IXON) != 0 && Control(StartIndex) == ControlQ && Control(StopIndex) == ControlS;

    /// <summary><see cref="StopsByKeys"/> is another than before.</summary>
    protected virtual void FlowChanged()
    {
    }

    /// <summary>Stops the output or lets it go on (stop_tty, start_tty).</summary>
    protected void Stop(bool stop)
    {
        if (stop == IsStopped)
            return;
        IsStopped = stop;
        OutputStopped(stop);
    }

    /// <summary>The output was stopped, or goes on.</summary>
    protected virtual void OutputStopped(bool stopped)
    {
    }

    /// <summary>A STOP or START character for whoever is at the other end (tty_send_xchar).</summary>
    protected virtual void SendFlow(byte character)
    {
    }

    /// <summary>TCXONC.</summary>
    private long Flow(ulong action)
    {
        const ulong outputOff = 0, outputOn = 1, inputOff = 2, inputOn = 3;
        switch (action)
        {
            case outputOff or outputOn:
                Stop(action == outputOff);
                return 0;
            case inputOff or inputOn:
                SendFlow(Control(action == inputOff ? StopIndex : StartIndex));
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>The line is gone (tty_vhangup): the session's leader is told and the session has no terminal any more; files that are open
    /// on it are at their end.</summary>
    public virtual void HangUp()
    {
        int session = Session;
        if (session == 0 || vfs.Devices.ControllingOf(session) != this)
            return;
        vfs.Host?.Jobs.SignalLeader(session, Signal.SIGHUP);
        vfs.Host?.Jobs.SignalLeader(session, Signal.SIGCONT);
        vfs.Devices.DropControlling(session);
    }

    /// <summary>Throws output away that nobody has read (TCFLSH).</summary>
    protected virtual void FlushOutput()
    {
    }

    /// <summary>Bytes that a read would give (FIONREAD).</summary>
    protected virtual int Available => 0;

    /// <summary>Whether a process may do what its terminal's foreground alone may (__tty_check_change): 0; -ERESTARTSYS with the signal on
    /// its way to the group; -EIO where that would mean nothing.</summary>
    public long CheckChange(IFileUser? user, int signal)
    {
        if (user is null || ForegroundGroup == 0 || user.ProcessGroup == ForegroundGroup
            || vfs.Devices.ControllingOf(user.Session) != this || vfs.Host is not { } host)
            return 0;
        if (user.Ignores(signal))
            return signal == Signal.SIGTTIN ? -Errno.EIO : 0;
        if (host.Jobs.IsOrphaned(user.ProcessGroup))
            return -Errno.EIO;
        host.Jobs.Signal(user.ProcessGroup, signal);
        return -Errno.ERESTARTSYS;
    }

    /// <summary>Requests that tty_check_change comes before.</summary>
    private static bool Changes(uint command) => command is IoctlNumbers.TCSETS or IoctlNumbers.TCSETSW or IoctlNumbers.TCSETSF
        or IoctlNumbers.TCSETS2 or IoctlNumbers.TCSETSW2 or IoctlNumbers.TCSETSF2 or IoctlNumbers.TCSETA or IoctlNumbers.TCSETAW
        or IoctlNumbers.TCSETAF or IoctlNumbers.TCFLSH or IoctlNumbers.TCXONC or IoctlNumbers.TCSBRK or IoctlNumbers.TIOCSPGRP;

    /// <summary>Other settings (tty_set_termios); of the control characters perhaps the first alone.</summary>
    private void Set(uint input, uint output, uint control, uint local, byte line, ReadOnlySpan<byte> characters)
    {
        bool canonical = Canonical, stops = StopsByKeys;
        (_inputFlags, _outputFlags, _controlFlags, _localFlags, _line) = (input, output, control, local, line);
        characters.CopyTo(_controlCharacters);
        if (canonical != Canonical)
            CanonicalChanged();
        if (stops != StopsByKeys)
            FlowChanged();
    }

    /// <summary>ioctl requests of both ends.</summary>
    public long Ioctl(IFileUser user, uint command, ulong argument)
    {
        Span<byte> buffer = stackalloc byte[44];
        if (Changes(command) && CheckChange(user, Signal.SIGTTOU) is < 0 and long background)
            return command == IoctlNumbers.TIOCSPGRP && background == -Errno.EIO ? -Errno.ENOTTY : background;
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
                Set(
                    BinaryPrimitives.ReadUInt32LittleEndian(buffer), BinaryPrimitives.ReadUInt32LittleEndian(buffer[4..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(buffer[8..]), BinaryPrimitives.ReadUInt32LittleEndian(buffer[12..]),
                    buffer[16], buffer.Slice(17, 19));
                return 0;
            case IoctlNumbers.TCGETA:
                // struct termio: the low halves of the flags, c_line, 8 control characters.
                BinaryPrimitives.WriteUInt16LittleEndian(buffer, (ushort)_inputFlags);
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[2..], (ushort)_outputFlags);
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[4..], (ushort)_controlFlags);
                BinaryPrimitives.WriteUInt16LittleEndian(buffer[6..], (ushort)_localFlags);
                buffer[8] = _line;
                _controlCharacters.AsSpan(0, 8).CopyTo(buffer[9..]);
                return user.Memory.Write(argument, buffer[..18]) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TCSETA or IoctlNumbers.TCSETAW or IoctlNumbers.TCSETAF:
                if (!user.Memory.Read(argument, buffer[..18]))
                    return -Errno.EFAULT;
                if (command == IoctlNumbers.TCSETAF)
                    FlushInput();
                static uint Low(uint all, ReadOnlySpan<byte> half) => (all & 0xFFFF0000) | BinaryPrimitives.ReadUInt16LittleEndian(half);
                Set(
                    Low(_inputFlags, buffer), Low(_outputFlags, buffer[2..]), Low(_controlFlags, buffer[4..]),
                    Low(_localFlags, buffer[6..]), buffer[8], buffer.Slice(9, 8));
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
                if (vfs.Devices.ControllingOf(user.Session) != this)
                    return -Errno.ENOTTY;
                // disassociate_ctty: of the others of a session, whose terminal is the session's here, none has one any more.
                if (user.Pid == user.Session && ForegroundGroup != 0)
                {
                    vfs.Host?.Jobs.Signal(ForegroundGroup, Signal.SIGHUP);
                    vfs.Host?.Jobs.Signal(ForegroundGroup, Signal.SIGCONT);
                }
                vfs.Devices.DropControlling(user.Session);
                return 0;
            case IoctlNumbers.TCFLSH:
                if (argument > 2)
                    return -Errno.EINVAL;
                if (argument != 1)
                    FlushInput();
                if (argument != 0)
                    FlushOutput();
                return 0;
            case IoctlNumbers.TCXONC:
                return Flow(argument);
            case IoctlNumbers.TIOCEXCL or IoctlNumbers.TIOCNXCL:
                IsExclusive = command == IoctlNumbers.TIOCEXCL;
                return 0;
            case IoctlNumbers.TIOCGEXCL:
                return user.Memory.Write(argument, IsExclusive ? 1 : 0) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCGETD:
                return user.Memory.Write(argument, 0) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSETD:
                // The one line discipline that is there is N_TTY.
                return !user.Memory.Read(argument, out int discipline) ? -Errno.EFAULT : discipline == 0 ? 0 : -Errno.EINVAL;
            case IoctlNumbers.TIOCGSOFTCAR:
                return user.Memory.Write(argument, (_controlFlags & CLOCAL) != 0 ? 1 : 0) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSSOFTCAR:
                if (!user.Memory.Read(argument, out int local))
                    return -Errno.EFAULT;
                _controlFlags = local != 0 ? _controlFlags | CLOCAL : _controlFlags & ~CLOCAL;
                return 0;
            case IoctlNumbers.TIOCGDEV:
                return user.Memory.Write(argument, (int)Device) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCVHANGUP:
                if (!user.Credentials.Has(Capability.SysAdmin))
                    return -Errno.EPERM;
                HangUp();
                return 0;
            case IoctlNumbers.TCSBRK or IoctlNumbers.TCSBRKP or IoctlNumbers.TIOCSBRK or IoctlNumbers.TIOCCBRK:
                // There is no line that a break could be sent on, and what was written has been taken.
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
