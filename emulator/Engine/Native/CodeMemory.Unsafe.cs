using System.Buffers.Binary;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Host memory for code. It is mapped twice, once to write and once to execute, so that no page is both.</summary>
internal sealed unsafe partial class CodeMemory : IDisposable
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int SharedAnonymousNoReserve = 0x4021;
    private const int MayMove = 1;
    private const int DoNotNeed = 4;
    private const int Often = 256 << 10;
    private readonly nuint _size;
    private byte* _writable;
    private byte* _executable;
    private int _written;

    /// <param name="size">Bytes, a multiple of the page size.</param>
    /// <exception cref="OutOfMemoryException">The host refuses.</exception>
    internal CodeMemory(int size)
    {
        _size = (nuint)size;
        nint writable = mmap(0, _size, Read | Write, SharedAnonymousNoReserve, -1, 0);
        if (writable == -1)
            throw new OutOfMemoryException($"cannot reserve {size} bytes for native code");
        _writable = (byte*)writable;
        // A shared mapping of length 0 is mapped a second time (mremap(2)).
        nint executable = mremap(writable, 0, _size, MayMove);
        if (executable == -1)
            throw new OutOfMemoryException("cannot map native code twice");
        _executable = (byte*)executable;
        if (mprotect(executable, _size, Read | Execute) != 0)
            throw new OutOfMemoryException("the host does not let native code be executed");
    }

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc")]
    private static partial nint mremap(nint address, nuint oldLength, nuint newLength, int flags);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);

    /// <summary>Where code is executed.</summary>
    internal ulong Origin => (ulong)_executable;

    /// <summary>Bytes.</summary>
    internal ulong Size => _size;

    /// <summary>Puts code where it will be executed.</summary>
    internal void Put(ulong place, ReadOnlySpan<byte> code)
    {
        code.CopyTo(Span(place, code.Length));
        _written += code.Length;
        if (_written < Often)
            return;
        _written = 0;
        // The pages stay, in the other mapping; in this one they would count a second time as memory of the process.
        _ = madvise((nint)_writable, _size, DoNotNeed);
    }

    /// <summary>Changes the distance that a jump holds.</summary>
    internal void PutDistance(ulong place, int distance) => BinaryPrimitives.WriteInt32LittleEndian(Span(place, 4), distance);

    private Span<byte> Span(ulong place, int length)
    {
        ulong at = place - Origin;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(at, _size - (ulong)length);
        return new Span<byte>(_writable + at, length);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_writable == null)
            return;
        _ = munmap((nint)_writable, _size);
        if (_executable != null)
            _ = munmap((nint)_executable, _size);
        _writable = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory of a machine that was dropped without Dispose.</summary>
    ~CodeMemory() => Dispose();
}
