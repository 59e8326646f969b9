namespace ArmVdso.Lab.Workloads;

/// <summary>Standard input that several runs read: what the first run read is kept for the next ones; nothing is read that no run
/// asked for.</summary>
internal sealed class ReplayInput(Stream source)
{
    private readonly MemoryStream _read = new();

    /// <summary>A stream over the input from its start.</summary>
    internal Stream Open() => new View(this);

    private int ReadAt(long position, Span<byte> buffer)
    {
        if (position < _read.Length)
        {
            _read.Position = position;
            return _read.Read(buffer);
        }
        int n = source.Read(buffer);
        _read.Position = _read.Length;
        _read.Write(buffer[..n]);
        return n;
    }

    private sealed class View(ReplayInput input) : SequentialStream
    {
        private long _position;

        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            int n = input.ReadAt(_position, buffer);
            _position += n;
            return n;
        }
    }
}
