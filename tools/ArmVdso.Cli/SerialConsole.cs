using System.Collections.Concurrent;
using ArmVdso.Emulator.Board;

namespace ArmVdso.Cli;

/// <summary>The serial line of a board on standard input and output. On a terminal each key goes to the guest at once, and Ctrl-A x ends
/// the run, as with QEMU; Ctrl-A Ctrl-A sends Ctrl-A. What comes from a file or a pipe waits until the guest is idle, since programs
/// throw away what was typed before they ask.</summary>
internal sealed class SerialConsole : ISerialLine, IDisposable
{
    private readonly Stream _input, _output;
    private readonly BlockingCollection<byte> _received = new(1 << 16);
    private readonly byte[] _sent = new byte[4096];
    private readonly bool _person;
    private readonly EscapeKey _escape = new();
    private int _count;
    private volatile bool _quit;

    /// <summary>Starts to read.</summary>
    internal SerialConsole(Stream input, Stream output)
    {
        _input = input;
        _output = output;
        if (!Console.IsInputRedirected && OperatingSystem.IsLinux())
        {
            _person = TerminalMode.IsTerminal();
            TerminalMode.Own();
        }
        new Thread(ReadAll) { IsBackground = true, Name = "serial input" }.Start();
    }

    /// <summary>Told when the user asks for the end.</summary>
    internal Action Quit { get; set; } = () => { };

    private void ReadAll()
    {
        var buffer = new byte[256];
        try
        {
            for (int n; (n = _input.Read(buffer)) > 0;)
            {
                foreach (byte value in buffer.AsSpan(0, n))
                    Take(value);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The stream was ended: no more input, as at its end.
        }
        _received.CompleteAdding();
    }

    private void Take(byte value)
    {
        bool passes = !_person || _escape.Passes(value);
        if (_escape.Quits)
        {
            _quit = true;
            Quit();
        }
        if (passes)
            _received.Add(value);
    }

    /// <inheritdoc/>
    public void Send(byte value)
    {
        _sent[_count++] = value;
        if (value == '\n' || _count == _sent.Length)
            Flush();
    }

    /// <summary>Writes what the guest has sent.</summary>
    internal void Flush()
    {
        if (_count == 0)
            return;
        int count = _count;
        _count = 0;
        _output.Write(_sent, 0, count);
        _output.Flush();
    }

    /// <inheritdoc/>
    public int Receive(bool idle) => (idle || _person) && _received.TryTake(out byte value) ? value : -1;

    /// <inheritdoc/>
    public void Idle(TimeSpan time)
    {
        Flush();
        // A person's time passes as fast as the guest's; input from elsewhere waits for nobody.
        if (!_person)
            return;
        DateTime end = DateTime.UtcNow + time;
        while (_received.Count == 0 && !_quit && DateTime.UtcNow < end)
            Thread.Sleep(TimeSpan.FromMilliseconds(Math.Min(5, Math.Max(0.1, (end - DateTime.UtcNow).TotalMilliseconds))));
    }

    /// <inheritdoc/>
    public bool WaitForInput()
    {
        Flush();
        while (_received.Count == 0 && !_quit && !_received.IsCompleted)
            Thread.Sleep(1);
        return _received.Count > 0;
    }

    /// <summary>Puts the terminal back.</summary>
    public void Dispose()
    {
        Flush();
        TerminalMode.Leave();
    }
}
