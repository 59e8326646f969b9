namespace ArmVdso.Kernel.Files;

/// <summary>A pseudo-terminal: a line discipline between a master and a slave (drivers/tty/pty.c, n_tty.c in their basics).</summary>
internal class PseudoTerminal : Terminal
{
    private const int Capacity = 65536;

    /// <summary>Bytes that the line discipline keeps for reads (N_TTY_BUF_SIZE, less one), and that wait for it.</summary>
    private const int MostTyped = 4095, MostWaiting = 16384;

    private const byte PacketFlushRead = 1, PacketFlushWrite = 2, PacketStop = 4, PacketStart = 8, PacketNoStop = 16, PacketDoStop = 32;
    private readonly List<byte> _line = [];
    private readonly Queue<byte[]> _lines = new();
    private readonly ByteQueue _raw = new(MostTyped + 1);
    private readonly ByteQueue _waiting = new(MostWaiting);
    private readonly List<byte> _heldEcho = [];
    private int _taken;

    /// <summary>Bytes of whole lines that nobody has read.</summary>
    private int _ready;

    public PseudoTerminal(Vfs vfs, int number, PtsDirectory? directory = null) : base(vfs) => (Number, Directory) = (number, directory);

    public int Number { get; }

    /// <summary>The devpts that it is in; null for the terminal of a person.</summary>
    public PtsDirectory? Directory { get; }

    /// <inheritdoc/>
    public override uint Device => DeviceOf(Number);

    /// <summary>Number of a slave's device file: 136 and its own (new_encode_dev).</summary>
    public static uint DeviceOf(int number) => (uint)((number & 0xFF) | (136 << 8) | ((number & ~0xFF) << 12));

    /// <summary>Which slave a device number names, or null.</summary>
    public static int? NumberOf(uint device) => ((device >> 8) & 0xFFF) == 136 ? (int)((device & 0xFF) | ((device >> 12) & ~0xFFu)) : null;

    /// <summary>Files that are open on the slave.</summary>
    public List<PseudoTerminalSlave> Open { get; } = [];

    /// <inheritdoc/>
    public override void HangUp()
    {
        foreach (PseudoTerminalSlave file in Open)
            file.IsHungUp = true;
        base.HangUp();
        SlaveSource.Notify(PollBits.Hup);
    }

    /// <summary>Whether something can be typed.</summary>
    public bool HasRoom => _waiting.Free > 0;

    private int Held => _ready + _line.Count + _raw.Count;

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
            Finish(typed);
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
        _waiting.Skip(_waiting.Count);
        Forget();
        MasterSource.Notify(PollBits.Writable);
    }

    /// <summary>What the line discipline has is gone (reset_buffer_flags); what waits before it is not.</summary>
    private void Forget()
    {
        _line.Clear();
        _lines.Clear();
        _raw.Skip(_raw.Count);
        _taken = _ready = 0;
        Tell(PacketFlushRead);
    }

    private void Finish(byte[] line)
    {
        _lines.Enqueue(line);
        _ready += line.Length;
    }

    /// <inheritdoc/>
    protected override void OutputStopped(bool stopped)
    {
        PacketStatus &= unchecked((byte)~(PacketStop | PacketStart));
        Tell(stopped ? PacketStop : PacketStart);
        if (stopped)
            return;
        Put([.. _heldEcho]);
        _heldEcho.Clear();
        SlaveSource.Notify(PollBits.Writable);
    }

    /// <inheritdoc/>
    protected override void SendFlow(byte character)
    {
        if (character != 0 && Output.Enqueue([character]) > 0)
            MasterSource.Notify(PollBits.Readable);
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
        long n = ReadReady(buffer, takes, late);
        if (n > 0 && _waiting.Count > 0)
        {
            var waiting = new byte[_waiting.Count];
            _waiting.Peek(waiting);
            _waiting.Skip(Interpret(waiting));
            MasterSource.Notify(PollBits.Writable);
        }
        return n;
    }

    private long ReadReady(Span<byte> buffer, bool takes, bool late)
    {
        if (_lines.TryPeek(out byte[]? line))
        {
            int n = Math.Min(buffer.Length, line.Length - _taken);
            line.AsSpan(_taken, n).CopyTo(buffer);
            _taken += n;
            _ready -= n;
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

    /// <summary>The master's write: what a keyboard would send. How many bytes there was room for.</summary>
    public int Type(ReadOnlySpan<byte> data)
    {
        int taken = _waiting.Count == 0 ? Interpret(data) : 0;
        return taken + _waiting.Enqueue(data[taken..]);
    }

    /// <summary>What the line discipline makes of it (n_tty_receive_buf): how many bytes there was room for. An unfinished line takes all,
    /// and keeps as much as there is room for.</summary>
    private int Interpret(ReadOnlySpan<byte> data)
    {
        int taken = 0;
        foreach (byte typed in data)
        {
            bool full = Held >= MostTyped;
            if (full && !(Canonical && _lines.Count == 0))
                break;
            taken++;
            Interpret(typed, full);
        }
        if (_lines.Count > 0 || (!Canonical && _raw.Count > 0))
            Arrived();
        return taken;
    }

    private void Interpret(byte typed, bool full)
    {
        byte b = typed;
        if (HasFlow && b != 0 && (b == Control(StartIndex) || b == Control(StopIndex)))
        {
            Stop(b != Control(StartIndex));
            return;
        }
        if (Signals && b != 0 && (b == Control(0) || b == Control(1) || b == Control(10)))
        {
            int signal = b == Control(0) ? 2 : b == Control(1) ? 3 : 20;
            if (HasFlow)
                Stop(false);
            if (Echo)
                EchoByte(b);
            Forget();
            if (ForegroundGroup != 0)
                Vfs.Host?.Jobs.Signal(ForegroundGroup, signal);
            return;
        }
        if (HasFlow && AnyStarts)
            Stop(false);
        if (b == '\r' && TranslatesInput)
            b = (byte)'\n';
        if (!Canonical)
        {
            _raw.Enqueue([b]);
            if (Echo)
                EchoByte(b);
            return;
        }
        if (b == Control(2) && b != 0)
        {
            Erase(1);
            return;
        }
        if (b == Control(3) && b != 0)
        {
            Erase(_line.Count);
            return;
        }
        if (b == Control(14) && b != 0)
        {
            Erase(LastWord());
            return;
        }
        if (b == Control(4) && b != 0)
        {
            Finish([.. _line]);
            _line.Clear();
            return;
        }
        if (!full || b == '\n')
            _line.Add(b);
        if (Echo)
            EchoByte(b);
        if (b != '\n')
            return;
        Finish([.. _line]);
        _line.Clear();
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
            PutEcho(last is < 32 and not (byte)'\t' ? "\b \b\b \b"u8 : "\b \b"u8);
        }
    }

    private void EchoByte(byte b)
    {
        if (b < 32 && b != '\n' && b != '\t' && b != '\r')
            PutEcho([(byte)'^', (byte)(b + 64)]);
        else
            PutEcho([b]);
    }

    /// <summary>While the output is stopped, what is echoed waits, too (ECHO_BUF: a page of it).</summary>
    private void PutEcho(ReadOnlySpan<byte> data)
    {
        if (!IsStopped)
            Put(data);
        else if (_heldEcho.Count + data.Length <= 4096)
            _heldEcho.AddRange(data);
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
