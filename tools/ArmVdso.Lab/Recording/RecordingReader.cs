using System.IO.Compression;
using System.Text;

namespace ArmVdso.Lab.Recording;

/// <summary>Reads a recording. One whose run was killed ends early, and has what was written until then.</summary>
public sealed class RecordingReader : IDisposable
{
    private const int MostHeader = 16 << 20, MostText = 1 << 20, MostPart = 1 << 29, MostValues = 4096;
    private readonly Stream _stream;
    private readonly string _file;
    private readonly List<string> _texts = [""];
    private readonly List<RecordedTask> _tasks = [RecordedTask.None];
    private readonly Dictionary<string, byte[]> _parts = [];
    private long _position;
    private bool _cut;

    /// <summary>Opens a recording.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="LabException">It is none, or of another version.</exception>
    public RecordingReader(string file)
    {
        _file = file;
        try
        {
            _stream = new BufferedStream(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1), 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{file}: {e.Message}", LabFault.NotFound, e);
        }
        try
        {
            Header = ReadHeader();
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    /// <summary>The bytes that every recording begins with, of whatever version.</summary>
    public static ReadOnlySpan<byte> FirstWord => RecordingWriter.Magic[..^3];

    /// <summary>What it is of.</summary>
    public RecordingHeader Header { get; }

    /// <summary>Whether the recording's end was read: false when its run was killed.</summary>
    public bool Complete { get; private set; }

    /// <summary>Events that the bound left out, once the end was read.</summary>
    public ulong LeftOut { get; private set; }

    private RecordingHeader ReadHeader()
    {
        ReadOnlySpan<byte> magic = RecordingWriter.Magic;
        var first = new byte[magic.Length];
        int got = _stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        int same = magic.CommonPrefixLength(first.AsSpan(0, got));
        if (same < magic.Length)
        {
            throw new LabException(
                same >= magic.Length - 2 ? $"{_file}: a recording of another version; this armvdso reads version {RecordingHeader.Version}"
                    : $"{_file}: not a recording (run --trace FILE makes one)", LabFault.Input);
        }
        _position = first.Length;
        var json = new List<byte>();
        while (json.Count < MostHeader && Byte() is var b && !_cut && b != '\n')
            json.Add(b);
        if (_cut)
            throw new LabException($"{_file}: its header is cut off", LabFault.Input);
        return RecordingHeader.Parse(_file, json.ToArray());
    }

    /// <summary>The events, in the order of the run; each CPU's cycles never go back. Read them once.</summary>
    /// <exception cref="LabException">The file is damaged.</exception>
    public IEnumerable<RecordedEvent> Events()
    {
        ulong last = 0;
        while (true)
        {
            long at = _position;
            byte kind = Byte();
            if (_cut)
                yield break;
            switch (kind)
            {
                case RecordingWriter.TextRecord:
                    ReadText(at);
                    break;
                case RecordingWriter.TaskRecord:
                    var task = new RecordedTask((int)Signed(), (int)Signed(), Text(at));
                    if (!_cut)
                        _tasks.Add(task);
                    break;
                case RecordingWriter.PartRecord:
                    string name = Text(at);
                    byte[] part = Data(at, MostPart);
                    if (!_cut)
                        _parts[name] = part;
                    break;
                case RecordingWriter.EndRecord:
                    Number();
                    LeftOut = Number();
                    Complete = !_cut;
                    yield break;
                default:
                    if (!Enum.IsDefined((RecordedKind)kind))
                        throw Damaged(at);
                    RecordedEvent next = ReadEvent((RecordedKind)kind, at, ref last);
                    if (_cut)
                        yield break;
                    yield return next;
                    break;
            }
        }
    }

    private void ReadText(long at)
    {
        byte[] bytes = Data(at, MostText);
        if (!_cut)
            _texts.Add(Encoding.UTF8.GetString(bytes));
    }

    private byte[] Data(long at, ulong most)
    {
        ulong length = Number();
        if (_cut)
            return [];
        if (length > most)
            throw Damaged(at);
        var bytes = new byte[length];
        int got = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        _position += got;
        _cut = got < bytes.Length;
        return bytes;
    }

    /// <summary>What is no event and was added under a name; null: there is none. Read it when all events have been read.</summary>
    /// <exception cref="LabException">It is damaged.</exception>
    internal byte[]? Part(string name)
    {
        if (!_parts.TryGetValue(name, out byte[]? part))
            return null;
        try
        {
            using var deflate = new DeflateStream(new MemoryStream(part), CompressionMode.Decompress);
            using var bytes = new MemoryStream();
            deflate.CopyTo(bytes);
            return bytes.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new LabException($"{_file}: its {name} is damaged", LabFault.Input, e);
        }
    }

    private RecordedEvent ReadEvent(RecordedKind kind, long at, ref ulong last)
    {
        ulong cpu = Number();
        ulong cycle = last += (ulong)Signed();
        RecordedTask task = Task(at);
        int before = Index(_tasks.Count, at);
        RecordedTask? other = before == 0 ? null : _tasks[before];
        string name = Text(at), detail = Text(at);
        ulong count = Number();
        if (!_cut && (count > MostValues || cpu >= (ulong)Header.Cpus))
            throw Damaged(at);
        var values = new long[_cut ? 0 : count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Signed();
        if (!_cut && values.Length < LeastValues(kind))
            throw Damaged(at);
        return new RecordedEvent(kind, cycle, (int)cpu, task, name, values, other, detail);
    }

    private int LeastValues(RecordedKind kind) =>
        kind == RecordedKind.Offset ? 2 : RecordedKinds.ValuesOf(kind, Header).Count;

    private int Index(int count, long at)
    {
        ulong index = Number();
        if (_cut)
            return 0;
        return index < (ulong)count ? (int)index : throw Damaged(at);
    }

    private string Text(long at) => _texts[Index(_texts.Count, at)];

    private RecordedTask Task(long at) => _tasks[Index(_tasks.Count, at)];

    private byte Byte()
    {
        int value = _stream.ReadByte();
        if (value < 0)
        {
            _cut = true;
            return 0;
        }
        _position++;
        return (byte)value;
    }

    private ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte next = Byte();
            value |= shift < 64 ? (ulong)(next & 0x7f) << shift : 0;
            if ((next & 0x80) == 0)
                return value;
        }
        throw Damaged(_position);
    }

    private long Signed()
    {
        ulong value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private LabException Damaged(long at) => new($"{_file}: damaged at byte {at}", LabFault.Input);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();
}
