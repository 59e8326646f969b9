using System.Text;
using ArmVdso.Emulator.Board;

namespace ArmVdso.Lab.Boot;

/// <summary>A console that is kept; bytes come in when somebody has them.</summary>
internal sealed class KeptLine : ISerialLine
{
    private readonly StringBuilder _text = new();
    private readonly Queue<byte> _waiting = new();

    /// <summary>What the guest has written.</summary>
    internal string Text => _text.ToString();

    /// <summary>The last line that is not empty.</summary>
    internal string LastLine => Text.ReplaceLineEndings("\n").TrimEnd().Split('\n')[^1];

    /// <summary>A byte for the guest, in place of those that it has not read.</summary>
    internal void Offer(byte value)
    {
        _waiting.Clear();
        _waiting.Enqueue(value);
    }

    /// <inheritdoc/>
    public void Send(byte value) => _text.Append((char)value);

    /// <inheritdoc/>
    public int Receive(bool idle) => _waiting.TryDequeue(out byte value) ? value : -1;

    /// <inheritdoc/>
    public void Idle(TimeSpan time)
    {
    }

    /// <inheritdoc/>
    public bool WaitForInput() => false;
}
