using System.Text;
using ArmVdso.Emulator.Board;

namespace ArmVdso.Lab.Boot;

/// <summary>A serial line that is read on its way: when the guest has written a text to one line of the console, somebody is
/// told.</summary>
/// <param name="line">The host's side.</param>
internal sealed class WatchedLine(ISerialLine line) : ISerialLine
{
    private const int Longest = 1024;
    private readonly StringBuilder _written = new();
    private readonly List<(string Text, Action<string> Seen)> _watched = [];

    /// <summary>Has somebody told of each line, up to there, that ends with a text.</summary>
    internal void Watch(string text, Action<string> seen) => _watched.Add((text, seen));

    /// <inheritdoc/>
    public void Send(byte value)
    {
        line.Send(value);
        if (value is (byte)'\n' or (byte)'\r')
        {
            _written.Clear();
            return;
        }
        if (_written.Length == Longest)
            _written.Remove(0, Longest / 2);
        _written.Append((char)value);
        foreach ((string text, Action<string> seen) in _watched)
        {
            if (text[^1] == (char)value && Ends(text))
                seen(_written.ToString());
        }
    }

    private bool Ends(string text)
    {
        int start = _written.Length - text.Length;
        for (int i = 0; i < text.Length; i++)
        {
            if (start < 0 || _written[start + i] != text[i])
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public int Receive(bool idle) => line.Receive(idle);

    /// <inheritdoc/>
    public void Idle(TimeSpan time) => line.Idle(time);

    /// <inheritdoc/>
    public bool WaitForInput() => line.WaitForInput();
}
