using System.Buffers.Binary;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Memory;

/// <summary>Guest RAM: one region of host memory, physical addresses 0 to <see cref="Size"/> - 1, zero at reset.
/// Host pages are taken lazily. All addresses here are physical; callers have translated and checked them,
/// and each access is checked again against the size (an out-of-range one is a bug of ours and throws).</summary>
[NotState("its pages are saved by themselves")]
public sealed unsafe class PhysicalMemory : IDisposable
{
    /// <summary>Size of a page and of every mapping unit, in bytes.</summary>
    public const int PageSize = 4096;

    private const int MapPrivateAnonymousNoReserve = 0x4022;
    private byte* _base;

    /// <summary>Bytes of RAM.</summary>
    public ulong Size { get; }

    /// <summary>Reserves <paramref name="size"/> bytes (a multiple of the page size).</summary>
    /// <exception cref="OutOfMemoryException">The host refuses the reservation.</exception>
    public PhysicalMemory(ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(size % PageSize, 0UL);
        Size = size;
        if (OperatingSystem.IsLinux())
        {
            nint p = mmap(0, (nuint)size, 3, MapPrivateAnonymousNoReserve, -1, 0);
            if (p == -1)
                throw new OutOfMemoryException($"cannot reserve {size} bytes of guest RAM");
            _base = (byte*)p;
        }
        else
        {
            _base = (byte*)NativeMemory.AllocZeroed((nuint)size);
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern nint mmap(nint addr, nuint length, int prot, int flags, int descriptor, long offset);

    [DllImport("libc")]
    private static extern int munmap(nint addr, nuint length);

    /// <summary>Host address of physical address 0.</summary>
    internal ulong HostAddress => (ulong)_base;

    /// <summary>The bytes [<paramref name="pa"/>, <paramref name="pa"/> + <paramref name="length"/>).</summary>
    public Span<byte> Span(ulong pa, int length)
    {
        Check(pa, length);
        return new Span<byte>(_base + pa, length);
    }

    /// <summary>Whether [<paramref name="pa"/>, <paramref name="pa"/> + <paramref name="length"/>) is RAM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(ulong pa, int length) => pa <= Size - (ulong)length;

    /// <summary>Reads a little-endian value of type T (1 to 16 bytes) at a physical address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Read<T>(ulong pa) where T : unmanaged
    {
        Check(pa, sizeof(T));
        return Unsafe.ReadUnaligned<T>(_base + pa);
    }

    /// <summary>Writes a little-endian value of type T at a physical address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write<T>(ulong pa, T value) where T : unmanaged
    {
        Check(pa, sizeof(T));
        Unsafe.WriteUnaligned(_base + pa, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Check(ulong pa, int length)
    {
        if (pa > Size - (ulong)length)
            Bad(pa);
    }

    private void Bad(ulong pa) =>
        throw new InvalidOperationException($"physical address 0x{pa:x} is outside RAM of 0x{Size:x} bytes");

    /// <summary>Saves all pages that are not zero.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    internal void Save(Stream stream)
    {
        Span<byte> at = stackalloc byte[8];
        for (ulong pa = 0; pa < Size; pa += PageSize)
        {
            Span<byte> page = Span(pa, PageSize);
            if (!page.ContainsAnyExcept((byte)0))
                continue;
            BinaryPrimitives.WriteUInt64LittleEndian(at, pa);
            stream.Write(at);
            stream.Write(page);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(at, Size);
        stream.Write(at);
    }

    /// <summary>Restores what was saved into RAM of the same size that nothing was written to.</summary>
    /// <exception cref="StateException">A page lies outside.</exception>
    /// <exception cref="EndOfStreamException">There is not enough.</exception>
    internal void Restore(Stream stream)
    {
        Span<byte> at = stackalloc byte[8];
        while (true)
        {
            stream.ReadExactly(at);
            ulong pa = BinaryPrimitives.ReadUInt64LittleEndian(at);
            if (pa == Size)
                return;
            if (pa > Size || pa % PageSize != 0)
                throw new StateException($"a page at 0x{pa:x} is not in RAM of 0x{Size:x} bytes");
            stream.ReadExactly(Span(pa, PageSize));
        }
    }

    /// <summary>Copies of all pages that are not zero.</summary>
    /// <param name="known">Copies made earlier: one that is still right is used again. Null: there are none.</param>
    internal Dictionary<ulong, byte[]> Copy(Dictionary<ulong, byte[]>? known)
    {
        var copies = new Dictionary<ulong, byte[]>();
        foreach (ulong pa in Touched())
        {
            Span<byte> page = Span(pa, PageSize);
            if (known is not null && known.TryGetValue(pa, out byte[]? there) && page.SequenceEqual(there))
                copies.Add(pa, there);
            else if (page.ContainsAnyExcept((byte)0))
                copies.Add(pa, page.ToArray());
        }
        return copies;
    }

    /// <summary>Makes RAM what it was when it was copied.</summary>
    internal void Restore(Dictionary<ulong, byte[]> copies)
    {
        foreach (ulong pa in Touched())
        {
            Span<byte> page = Span(pa, PageSize);
            if (!copies.TryGetValue(pa, out byte[]? copy))
                page.Clear();
            else if (!page.SequenceEqual(copy))
                copy.CopyTo(page);
        }
    }

    /// <summary>Pages that the host has given memory for: the others are zero. All of them where the host does not tell.</summary>
    private List<ulong> Touched()
    {
        var pages = new List<ulong>();
        const int entry = 8, present = 0x80, swapped = 0x40;
        var entries = new byte[Size / PageSize * entry];
        bool told = false;
        if (OperatingSystem.IsLinux() && Environment.SystemPageSize == PageSize)
        {
            // Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swapped.
            using var map = new FileStream("/proc/self/pagemap", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
            map.Position = (long)((ulong)_base / PageSize * entry);
            told = map.ReadAtLeast(entries, entries.Length, throwOnEndOfStream: false) == entries.Length;
        }
        for (ulong pa = 0; pa < Size; pa += PageSize)
        {
            if (!told || (entries[pa / PageSize * entry + entry - 1] & (present | swapped)) != 0)
                pages.Add(pa);
        }
        return pages;
    }

    /// <summary>Gives the host memory back.</summary>
    public void Dispose()
    {
        if (_base == null)
            return;
        if (OperatingSystem.IsLinux())
            _ = munmap((nint)_base, (nuint)Size);
        else
            NativeMemory.Free(_base);
        _base = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the region of a machine that was dropped without Dispose.</summary>
    ~PhysicalMemory() => Dispose();
}
