namespace ArmVdso.Kernel.Files;

/// <summary>The master side of a pseudo-terminal.</summary>
internal sealed class PseudoTerminalMaster(Inode inode, int flags, PseudoTerminal pty) : OpenFile(inode, flags)
{
    private bool _isExclusive;

    public override PollSource Source => pty.MasterSource;

    internal override AsyncFiles ReadAsync => pty.MasterAsync;

    internal override Terminal Terminal => pty;

    public override long Read(Span<byte> buffer, long position)
    {
        int n = pty.Packet ? pty.ReadPacket(buffer) : pty.Output.Dequeue(buffer);
        if (n > 0)
        {
            pty.SlaveSource.Notify(PollBits.Writable);
            return n;
        }
        return pty.HadSlave && pty.Slaves == 0 ? -Errno.EIO : -Errno.EAGAIN;
    }

    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        int n = pty.Type(data);
        return n == 0 && data.Length > 0 ? -Errno.EAGAIN : n;
    }

    // Both queues, when they are full.
    protected override int HostBytes => 88 << 10;

    public override uint Poll() => (pty.HasRoom ? PollBits.Writable : 0)
        | (pty.Output.Count > 0 ? PollBits.Readable : 0)
        | (pty is { Packet: true, PacketStatus: not 0 } ? PollBits.Readable | PollBits.Pri : 0)
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
                Inode slave = pty.Directory!.NodeOf(pty.Number);
                OpenFile file = pty.OpenSlave(slave, (int)argument);
                long fd = user.Files.Add(file, ((int)argument & OpenFlags.O_CLOEXEC) != 0, user.MaxFiles);
                if (fd < 0)
                    file.Release();
                return fd;
            case IoctlNumbers.TIOCEXCL or IoctlNumbers.TIOCNXCL:
                // Nobody else opens this end.
                _isExclusive = command == IoctlNumbers.TIOCEXCL;
                return 0;
            case IoctlNumbers.TIOCGEXCL:
                return user.Memory.Write(argument, _isExclusive ? 1 : 0) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.TIOCSIG:
                if ((int)argument is not (Signal.SIGINT or Signal.SIGQUIT or Signal.SIGTSTP))
                    return -Errno.EINVAL;
                if (pty.ForegroundGroup != 0)
                    Inode.Fs.Vfs.Host?.Jobs.Signal(pty.ForegroundGroup, (int)argument);
                return 0;
            case IoctlNumbers.TIOCPKT:
                if (!user.Memory.Read(argument, out int packets))
                    return -Errno.EFAULT;
                pty.SetPacket(packets != 0);
                return 0;
            case IoctlNumbers.TIOCGPKT:
                return user.Memory.Write(argument, pty.Packet ? 1 : 0) ? 0 : -Errno.EFAULT;
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
        if (pty.Slaves == 0)
            vfs.Devices.BothClosed(pty);
        pty.SlaveSource.Notify(PollBits.Hup);
    }
}

/// <summary>The slave side of a pseudo-terminal.</summary>
internal class PseudoTerminalSlave : OpenFile
{
    private readonly PseudoTerminal _pty;

    public PseudoTerminalSlave(Inode inode, int flags, PseudoTerminal pty) : base(inode, flags)
    {
        _pty = pty;
        pty.Slaves++;
        pty.HadSlave = true;
        pty.Open.Add(this);
    }

    /// <summary>The line was hung up since it was opened: reads give nothing, and nothing else is possible (hung_up_tty_fops).</summary>
    public bool IsHungUp { get; set; }

    public override PollSource Source => _pty.SlaveSource;

    internal override AsyncFiles ReadAsync => _pty.SlaveAsync;

    internal override Terminal Terminal => _pty;

    /// <summary>Reads; a process in the background is stopped instead (job_control in drivers/tty/n_tty.c).</summary>
    public override long Read(Span<byte> buffer, long position)
    {
        if (IsHungUp)
            return 0;
        bool late = TimeIsUp;
        TimeIsUp = false;
        long stopped = _pty.CheckChange(Inode.Fs.Vfs.Current, Signal.SIGTTIN);
        return stopped < 0 ? stopped : _pty.ReadInput(buffer, NonBlocking, late);
    }

    /// <summary>How long a read waits from now on, in ns; 0: for ever (VTIME).</summary>
    public ulong ReadTime => _pty.ReadTime;

    /// <summary>Bytes that are there.</summary>
    public int Typed => _pty.Typed;

    /// <summary>That time has passed: the next read takes what there is.</summary>
    public bool TimeIsUp { get; set; }

    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (_pty.MasterGone || IsHungUp)
            return -Errno.EIO;
        if (_pty.StopsBackground && _pty.CheckChange(Inode.Fs.Vfs.Current, Signal.SIGTTOU) is < 0 and long stopped)
            return stopped;
        int n = _pty.IsStopped ? 0 : _pty.Put(data);
        return n == 0 && data.Length > 0 ? -Errno.EAGAIN : n;
    }

    public override uint Poll() => IsHungUp ? PollBits.Readable | PollBits.Writable | PollBits.Err | PollBits.Hup
        : (_pty.HasInput ? PollBits.Readable : 0)
        | (_pty.Output.Free > 256 && !_pty.IsStopped ? PollBits.Writable : 0)
        | (_pty.MasterGone ? PollBits.Hup | PollBits.Err | PollBits.Readable : 0);

    public override long Ioctl(IFileUser user, uint command, ulong argument) =>
        !IsHungUp ? _pty.Ioctl(user, command, argument) : command == IoctlNumbers.TIOCSPGRP ? -Errno.ENOTTY : -Errno.EIO;

    protected override void Released()
    {
        _pty.Open.Remove(this);
        if (--_pty.Slaves != 0)
            return;
        _pty.MasterSource.Notify(PollBits.Hup);
        if (_pty.MasterGone)
            Inode.Fs.Vfs.Devices.BothClosed(_pty);
    }
}
