using System.Diagnostics;
using System.IO.Compression;
using System.Text;

namespace ArmVdso.Lab.Recording;

/// <summary>Writes a recording as it happens (docs/recording.md has the format). What is older than a fifth of a second is in the file, so
/// that one whose run was killed can be read.</summary>
public sealed class RecordingWriter : IDisposable
{
    /// <summary>The first bytes of a recording.</summary>
    internal static ReadOnlySpan<byte> Magic => "ARMVDSO RECORDING 1\n"u8;

    /// <summary>The bound where none is chosen, in bytes.</summary>
    public const ulong UsualLimit = 1UL << 30;

    /// <summary>Definitions of the file, and its end; events have the numbers of <see cref="RecordedKind"/>.</summary>
    internal const byte TextRecord = 1, TaskRecord = 2, PartRecord = 250, EndRecord = 255;

    private const int Full = 60 << 10;
    private const long EveryMs = 200;

    private readonly Stream _stream;
    private readonly string _file;
    private readonly ulong _limit;
    private readonly Dictionary<string, int> _texts = [];
    private readonly Dictionary<RecordedTask, int> _tasks = [];
    private byte[] _buffer = new byte[64 << 10];
    private int _used;
    private ulong _written, _last;
    private readonly Stopwatch _sinceFlush = Stopwatch.StartNew();
    private bool _full, _closed;

    /// <summary>Begins a recording.</summary>
    /// <param name="file">Its name, for errors.</param>
    /// <param name="stream">Where it is written.</param>
    /// <param name="header">What it is of.</param>
    /// <param name="limit">Bytes that it may have; what comes later is left out and counted.</param>
    /// <exception cref="LabException">It cannot be written.</exception>
    public RecordingWriter(string file, Stream stream, RecordingHeader header, ulong limit = UsualLimit)
    {
        (_file, _stream, _limit) = (file, stream, limit);
        Bytes(Magic);
        Bytes(Encoding.UTF8.GetBytes(header.ToJson().ToJsonString() + "\n"));
        Flush();
    }

    /// <summary>Events that it has.</summary>
    public ulong Events { get; private set; }

    /// <summary>Events that the bound left out.</summary>
    public ulong LeftOut { get; private set; }

    /// <summary>Bytes so far.</summary>
    public ulong Length => _written + (ulong)_used;

    /// <summary>Adds an event.</summary>
    /// <exception cref="LabException">The file cannot be written.</exception>
    public void Add(
        RecordedKind kind, ulong cycle, int cpu, RecordedTask task, string name, ReadOnlySpan<long> values, RecordedTask? other = null,
        string detail = "")
    {
        if (_full)
        {
            LeftOut++;
            return;
        }
        int taskId = TaskId(task), otherId = other is { } before ? TaskId(before) : 0, nameId = TextId(name), detailId = TextId(detail);
        Byte((byte)kind);
        Number((ulong)cpu);
        Signed((long)(cycle - _last));
        _last = cycle;
        Number((ulong)taskId);
        Number((ulong)otherId);
        Number((ulong)nameId);
        Number((ulong)detailId);
        Number((ulong)values.Length);
        foreach (long value in values)
            Signed(value);
        Events++;
        _full = Length >= _limit;
        if (_used >= Full || _sinceFlush.ElapsedMilliseconds >= EveryMs)
            Flush();
    }

    /// <summary>Adds what is no event, compressed (RFC 1951): the pipeline, a profile. One that the bound leaves no room for is left
    /// out.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="write">Writes it.</param>
    /// <exception cref="LabException">The file cannot be written.</exception>
    public void AddPart(string name, Action<Stream> write)
    {
        using var part = new MemoryStream();
        using (var deflate = new DeflateStream(part, CompressionLevel.Optimal, leaveOpen: true))
            write(deflate);
        if (_full || Length + (ulong)part.Length > _limit)
        {
            LeftOut++;
            return;
        }
        int id = TextId(name);
        Byte(PartRecord);
        Number((ulong)id);
        Number((ulong)part.Length);
        Bytes(part.GetBuffer().AsSpan(0, (int)part.Length));
        Flush();
    }

    /// <summary>0 is the empty text.</summary>
    private int TextId(string text)
    {
        if (text.Length == 0)
            return 0;
        if (_texts.TryGetValue(text, out int id))
            return id;
        _texts[text] = id = _texts.Count + 1;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Byte(TextRecord);
        Number((ulong)bytes.Length);
        Bytes(bytes);
        return id;
    }

    /// <summary>0 is nobody.</summary>
    private int TaskId(RecordedTask task)
    {
        if (_tasks.TryGetValue(task, out int id))
            return id;
        int name = TextId(task.Name);
        _tasks[task] = id = _tasks.Count + 1;
        Byte(TaskRecord);
        Signed(task.Tid);
        Signed(task.Pid);
        Number((ulong)name);
        return id;
    }

    private void Byte(byte value)
    {
        if (_used == _buffer.Length)
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        _buffer[_used++] = value;
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
            Byte(value);
    }

    private void Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Byte((byte)(value | 0x80));
        Byte((byte)value);
    }

    private void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

    private void Flush()
    {
        try
        {
            _stream.Write(_buffer, 0, _used);
            _stream.Flush();
        }
        catch (IOException e)
        {
            _full = _closed = true;
            throw new LabException($"{_file}: {LabException.ReasonOf(e)}", LabFault.Failed, e);
        }
        _written += (ulong)_used;
        _used = 0;
        _sinceFlush.Restart();
    }

    /// <summary>Writes the recording's end.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            Byte(EndRecord);
            Number(Events);
            Number(LeftOut);
            Flush();
        }
        _stream.Dispose();
    }
}
