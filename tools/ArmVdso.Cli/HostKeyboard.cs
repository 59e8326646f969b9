using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Cli;

/// <summary>Ctrl-A x ends the run, as with QEMU; Ctrl-A Ctrl-A sends Ctrl-A.</summary>
internal sealed class EscapeKey
{
    private const byte Escape = 1;
    private bool _escaped;

    /// <summary>The user asked for the end.</summary>
    internal bool Quits { get; private set; }

    /// <summary>Whether a key is the guest's.</summary>
    internal bool Passes(byte key)
    {
        if (!_escaped && key != Escape)
            return true;
        Quits |= _escaped && key is (byte)'x' or (byte)'X';
        bool literal = _escaped && key == Escape;
        _escaped = !_escaped;
        return literal;
    }
}

/// <summary>The terminal on standard input for a guest that owns it: raw from the constructor on, and as it was before after
/// <see cref="Dispose"/>, at the end of the process, and while the process is stopped.</summary>
internal sealed class HostKeyboard : IKeyboard, IDisposable
{
    private const int SliceMs = 50, MostKeys = 1 << 16;
    private readonly Stream _input = StandardStream.Open(0);
    private readonly Queue<byte> _keys = [];
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _came = new(false);
    private readonly EscapeKey _escape = new();
    private readonly PosixSignalRegistration _resized;
    private bool _sizeChanged;
    private volatile bool _disposed;

    [SupportedOSPlatform("linux")]
    private HostKeyboard()
    {
        Size = TerminalMode.Size();
        _resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Resize());
        TerminalMode.Own();
        new Thread(ReadAll) { IsBackground = true, Name = "keyboard" }.Start();
    }

    /// <summary>The keyboard, when standard input is a terminal whose mode can be set; null: none.</summary>
    internal static HostKeyboard? Open() =>
        Console.IsInputRedirected || !OperatingSystem.IsLinux() || !TerminalMode.IsTerminal() ? null : new HostKeyboard();

    /// <summary>Called from another thread when something has come, while the machine may be busy.</summary>
    internal Action Came { get; set; } = () => { };

    /// <summary>Called when the user asks for the end.</summary>
    internal Action Quit { get; set; } = () => { };

    public (ushort Rows, ushort Columns) Size { get; private set; }

    public bool Ended { get; private set; }

    private bool _endTaken;

    public bool Pending
    {
        get
        {
            lock (_gate)
                return _keys.Count > 0 || _sizeChanged || (Ended && !_endTaken);
        }
    }

    public byte[] Take()
    {
        lock (_gate)
        {
            byte[] keys = [.. _keys];
            _keys.Clear();
            _sizeChanged = false;
            _endTaken = Ended;
            return keys;
        }
    }

    public TimeSpan Wait(TimeSpan? most, Func<bool> stopped)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!Pending && !stopped() && !(most is { } limit && clock.Elapsed >= limit))
        {
            double left = most is { } end ? (end - clock.Elapsed).TotalMilliseconds : SliceMs;
            if (left < 1)
                Thread.Sleep(0);
            else
                _came.WaitOne((int)Math.Min(left, SliceMs));
        }
        return clock.Elapsed;
    }

    private void Resize()
    {
        lock (_gate)
        {
            Size = TerminalMode.Size();
            _sizeChanged = true;
        }
        Tell();
    }

    private void Tell()
    {
        _came.Set();
        Came();
    }

    private void ReadAll()
    {
        var buffer = new byte[256];
        try
        {
            while (!_disposed)
            {
                if (!StandardStream.HasInput(SliceMs))
                {
                    // The machine forgets a request that comes while it begins to run.
                    if (Pending)
                        Came();
                    continue;
                }
                int n = _input.Read(buffer);
                if (n <= 0)
                    break;
                lock (_gate)
                {
                    foreach (byte key in buffer.AsSpan(0, n))
                    {
                        if (_escape.Passes(key) && _keys.Count < MostKeys)
                            _keys.Enqueue(key);
                    }
                }
                if (_escape.Quits)
                    Quit();
                Tell();
            }
        }
        catch (IOException)
        {
            // The terminal has gone: the end of input.
        }
        lock (_gate)
            Ended = true;
        Tell();
    }

    /// <summary>Puts the terminal back.</summary>
    public void Dispose()
    {
        _disposed = true;
        _resized.Dispose();
        TerminalMode.Leave();
    }
}
