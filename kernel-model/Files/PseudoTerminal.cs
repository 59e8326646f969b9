namespace ArmVdso.Kernel.Files;

/// <summary>A pseudo-terminal: a line discipline between a master and a slave (drivers/tty/pty.c, n_tty.c in their basics).</summary>
internal class PseudoTerminal : Terminal
{
    private const int Capacity = 65536;
    private const byte PacketFlushRead = 1, PacketFlushWrite = 2, PacketNoStop = 16, PacketDoStop = 32;
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

    /// <summary>Who hears by signal of what can be read.</summary>
    public AsyncFiles MasterAsync { get; } = new();

    /// <inheritdoc cref="MasterAsync"/>
    public AsyncFiles SlaveAsync { get; } = new();

    private void Arrived()
    {
        SlaveSource.Notify(PollBits.Readable);
        SlaveAsync.Tell(IoEvent.In);
    }

    public int Slaves { get; set; }

    /// <summary>A slave has been open at some time; the master then sees a hang-up without one.</summary>
    public bool HadSlave { get; set; }

    public bool MasterGone { get; set; }

    public override OpenFile OpenSlave(Inode inode, int flags) => new PseudoTerminalSlave(inode, flags, this);

    protected override int Available => Canonical ? (_lines.TryPeek(out byte[]? line) ? line.Length - _taken : 0) : _raw.Count;

    /// <summary>Whether a poll says so: in raw mode without a time only when there is as much as a read waits for.</summary>
    public bool HasInput =>
        _lines.Count > 0 || (!Canonical && _raw.Count >= (Control(TimeIndex) == 0 ? Math.Max(1, (int)Control(MinIndex)) : 1));

    /// <summary>Bytes that were typed in raw mode.</summary>
    public int Typed => _raw.Count;

    /// <summary>VTIME in ns: of a read without VMIN from its beginning, else from each byte on; 0: there is none.</summary>
    public ulong ReadTime =>
        Canonical || (Control(MinIndex) != 0 && _raw.Count == 0) ? 0 : Control(TimeIndex) * 100_000_000UL;

    private const int TimeIndex = 5, MinIndex = 6;

    protected override void CanonicalChanged()
    {
        if (Canonical && _raw.Count > 0)
        {
            var typed = new byte[_raw.Count];
            _raw.Dequeue(typed);
            _lines.Enqueue(typed);
        }
        else if (!Canonical && _line.Count > 0)
        {
            _raw.Enqueue([.. _line]);
            _line.Clear();
        }
        if (_lines.Count > 0 || (!Canonical && _raw.Count > 0))
            Arrived();
    }

    protected override void FlushInput()
    {
        _line.Clear();
        _lines.Clear();
        _raw.Skip(_raw.Count);
        _taken = 0;
        Tell(PacketFlushRead);
    }

    protected override void FlushOutput()
    {
        Output.Skip(Output.Count);
        Tell(PacketFlushWrite);
    }

    protected override void FlowChanged()
    {
        PacketStatus &= unchecked((byte)~(PacketDoStop | PacketNoStop));
        Tell(StopsByKeys ? PacketDoStop : PacketNoStop);
    }

    /// <summary>TIOCPKT: the master's reads begin with a byte that says what the slave has done, or 0 and data (tty_ioctl(4)).</summary>
    public bool Packet { get; private set; }

    /// <summary>TIOCPKT_* that the master has not read yet.</summary>
    public byte PacketStatus { get; private set; }

    /// <summary>Packet mode on or off (pty_set_pktmode).</summary>
    public void SetPacket(bool on)
    {
        if (on && !Packet)
            PacketStatus = 0;
        Packet = on;
    }

    /// <summary>What the master reads in packet mode; 0: nothing.</summary>
    public int ReadPacket(Span<byte> buffer)
    {
        if (buffer.Length == 0 || (PacketStatus == 0 && Output.Count == 0))
            return 0;
        buffer[0] = PacketStatus;
        PacketStatus = 0;
        return buffer[0] != 0 ? 1 : 1 + Output.Dequeue(buffer[1..]);
    }

    private void Tell(byte status)
    {
        if (!Packet)
            return;
        PacketStatus |= status;
        MasterSource.Notify(PollBits.Readable | PollBits.Pri);
    }

    /// <summary>The slave's read.</summary>
    /// <param name="buffer">Where it goes.</param>
    /// <param name="takes">Takes what there is rather than wait (O_NONBLOCK).</param>
    /// <param name="late">The time of VTIME has passed.</param>
    public long ReadInput(Span<byte> buffer, bool takes, bool late)
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
        // n_tty_read: VMIN bytes, or as many as were asked for.
        int least = Math.Clamp(buffer.Length, 1, Math.Max(1, (int)Control(MinIndex)));
        if (!Canonical && _raw.Count > 0 && (_raw.Count >= least || takes || late || MasterGone))
            return _raw.Dequeue(buffer);
        if (MasterGone)
            return 0;
        return !Canonical && Control(MinIndex) == 0 && (Control(TimeIndex) == 0 || late) ? 0 : -Errno.EAGAIN;
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
                Erase(1);
                continue;
            }
            if (b == Control(3) && b != 0)
            {
                Erase(_line.Count);
                continue;
            }
            if (b == Control(14) && b != 0)
            {
                Erase(LastWord());
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
        if (_lines.Count > 0 || (!Canonical && _raw.Count > 0))
            Arrived();
        return data.Length;
    }

    /// <summary>Bytes from the last word of the line to its end (eraser in drivers/tty/n_tty.c).</summary>
    private int LastWord()
    {
        int at = _line.Count;
        while (at > 0 && _line[at - 1] is (byte)' ' or (byte)'\t')
            at--;
        while (at > 0 && _line[at - 1] is not ((byte)' ' or (byte)'\t'))
            at--;
        return _line.Count - at;
    }

    /// <summary>Takes bytes off the end of the line, and what was echoed for them.</summary>
    private void Erase(int bytes)
    {
        for (int i = 0; i < bytes && _line.Count > 0; i++)
        {
            byte last = _line[^1];
            _line.RemoveAt(_line.Count - 1);
            // What goes on a character of UTF-8 has no column of its own; a control character has two.
            if (!Echo || (last & 0xc0) == 0x80)
                continue;
            Put(last is < 32 and not (byte)'\t' ? "\b \b\b \b"u8 : "\b \b"u8);
        }
    }

    private void EchoByte(byte b)
    {
        if (b < 32 && b != '\n' && b != '\t' && b != '\r')
            Put([(byte)'^', (byte)(b + 64)]);
        else
            Put([b]);
    }

    /// <summary>The slave's write, with output processing; the number of bytes of <paramref name="data"/> that fit.</summary>
    public virtual int Put(ReadOnlySpan<byte> data)
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
        {
            MasterSource.Notify(PollBits.Readable);
            MasterAsync.Tell(IoEvent.In);
        }
        return done;
    }
}
