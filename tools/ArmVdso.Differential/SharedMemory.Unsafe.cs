using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace ArmVdso.Differential;

/// <summary>A file of zeros mapped here and in the oracle; deleted at Dispose.</summary>
public sealed unsafe class SharedMemory : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _base;
    private readonly int _size;

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Makes the file, in memory where the host has a place for that.</summary>
    public SharedMemory(int size)
    {
        string folder = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(folder, $"armvdso-oracle-{Guid.NewGuid():N}");
        _size = size;
        _file = MemoryMappedFile.CreateFromFile(Path, FileMode.CreateNew, null, size);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
    }

    /// <summary>[<paramref name="offset"/>, +<paramref name="length"/>) as bytes.</summary>
    public Span<byte> Bytes(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, _size);
        return new Span<byte>(_base + offset, length);
    }

    /// <summary>The same as 64-bit words; <paramref name="count"/> of them.</summary>
    public Span<ulong> Words(int offset, int count) => MemoryMarshal.Cast<byte, ulong>(Bytes(offset, count * 8));

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        File.Delete(Path);
    }
}
