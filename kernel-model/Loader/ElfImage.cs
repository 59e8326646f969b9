using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Loader;

/// <summary>A segment of an ELF file (Elf64_Phdr).</summary>
/// <param name="Type">p_type.</param>
/// <param name="Flags">p_flags: 1 execute, 2 write, 4 read.</param>
/// <param name="Offset">Bytes from the start of the file.</param>
/// <param name="Va">Virtual address.</param>
/// <param name="FileSize">Bytes in the file.</param>
/// <param name="MemorySize">Bytes in memory.</param>
/// <param name="Align">Alignment.</param>
public readonly record struct ElfSegment(uint Type, uint Flags, ulong Offset, ulong Va, ulong FileSize, ulong MemorySize, ulong Align);

/// <summary>The headers of an ELF program for AArch64, checked. Anything wrong gives -ENOEXEC (or -ELIBBAD for an
/// interpreter) and one line that says what and where.</summary>
public sealed class ElfImage
{
    private const int HeaderSize = 64;
    private const int SegmentSize = 56;
    private const int MaxSegments = 512;

    /// <summary>e_entry.</summary>
    public ulong Entry { get; private init; }

    /// <summary>ET_DYN: loaded anywhere.</summary>
    public bool IsDynamic { get; private init; }

    /// <summary>e_phoff and e_phnum.</summary>
    public ulong HeaderOffset { get; private init; }

    /// <summary>All segments in file order.</summary>
    public IReadOnlyList<ElfSegment> Segments { get; private init; } = [];

    /// <summary>PT_INTERP, or null.</summary>
    public string? Interpreter { get; private set; }

    /// <summary>GNU_STACK asks for an executable stack.</summary>
    public bool ExecutableStack { get; private set; }

    /// <summary>The property note asks for BTI pages.</summary>
    public bool WantsBti { get; private set; }

    /// <summary>Lowest and highest address of PT_LOAD segments, page aligned.</summary>
    public (ulong Low, ulong High) Span { get; private set; }

    /// <summary>Reads and checks the headers.</summary>
    /// <returns>0, or -errno with one line in <paramref name="error"/>.</returns>
    public static long Read(OpenFile file, string name, out ElfImage? image, out string error)
    {
        image = null;
        error = "";
        long Bad(string what, out string text, long errno = Errno.ENOEXEC)
        {
            text = $"{name}: {what}";
            return -errno;
        }
        Span<byte> header = stackalloc byte[HeaderSize];
        long n = file.Read(header, 0);
        if (n < 0)
            return Bad($"cannot be read ({Errno.NameOf(-n)})", out error, -n);
        if (n < 4 || !header[..4].SequenceEqual("\x7f"u8.ToArray().Concat("ELF"u8.ToArray()).ToArray()))
            return Bad("not an ELF file (no magic number at offset 0)", out error);
        if (n < HeaderSize)
            return Bad($"truncated ELF header: {n} of {HeaderSize} bytes at offset 0", out error);
        if (header[4] != 2)
            return Bad("32-bit ELF (EI_CLASS at offset 4); only ELF64 runs here", out error);
        if (header[5] != 1)
            return Bad("big-endian ELF (EI_DATA at offset 5)", out error);
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(header[16..]);
        ushort machine = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        if (machine != 183)
            return Bad($"ELF for {MachineName(machine)} (e_machine {machine} at offset 18), not AArch64", out error);
        if (type is not (2 or 3))
            return Bad($"not an executable (e_type {type} at offset 16)", out error);
        ulong phoff = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        ushort phentsize = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        ushort phnum = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (phentsize != SegmentSize || phnum is 0 or > MaxSegments)
            return Bad($"bad program headers: {phnum} of {phentsize} bytes (e_phentsize at offset 54)", out error);
        var table = new byte[phnum * SegmentSize];
        if (phoff > long.MaxValue - (ulong)table.Length || file.Read(table, (long)phoff) != table.Length)
            return Bad($"truncated: program headers at offset {phoff} need {table.Length} bytes", out error);
        var segments = new List<ElfSegment>();
        for (int i = 0; i < phnum; i++)
        {
            ReadOnlySpan<byte> p = table.AsSpan(i * SegmentSize);
            segments.Add(new ElfSegment(
                BinaryPrimitives.ReadUInt32LittleEndian(p), BinaryPrimitives.ReadUInt32LittleEndian(p[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[8..]), BinaryPrimitives.ReadUInt64LittleEndian(p[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[32..]), BinaryPrimitives.ReadUInt64LittleEndian(p[40..]),
                BinaryPrimitives.ReadUInt64LittleEndian(p[48..])));
        }
        var result = new ElfImage
        {
            Entry = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
            IsDynamic = type == 3,
            HeaderOffset = phoff,
            Segments = segments,
        };
        string? problem = result.Check(file);
        if (problem is not null)
            return Bad(problem, out error);
        image = result;
        return 0;
    }

    private string? Check(OpenFile file)
    {
        ulong low = ulong.MaxValue, high = 0;
        long size = file.Inode.Size;
        for (int i = 0; i < Segments.Count; i++)
        {
            ElfSegment s = Segments[i];
            string where = $"program header {i}";
            if (s.Type is 1 or 3 or 0x6474e553 && (s.FileSize > long.MaxValue || s.Offset > long.MaxValue - s.FileSize))
                return $"{where}: offset 0x{s.Offset:x} is beyond every file";
            switch (s.Type)
            {
                case 1:
                    if (s.FileSize > s.MemorySize)
                        return $"{where}: p_filesz {s.FileSize} is more than p_memsz {s.MemorySize}";
                    if ((s.Va & 0xfff) != (s.Offset & 0xfff))
                        return $"{where}: offset 0x{s.Offset:x} and address 0x{s.Va:x} differ within the page";
                    if (s.Va + s.MemorySize < s.Va || s.Va + s.MemorySize > 1UL << 48)
                        return $"{where}: address 0x{s.Va:x} is out of range";
                    if (s.FileSize != 0 && (s.Offset + s.FileSize < s.Offset || s.Offset + s.FileSize > (ulong)size))
                        return $"truncated: {where} needs {s.FileSize} bytes at offset {s.Offset}, the file has {size}";
                    if (s.MemorySize == 0)
                        break;
                    low = Math.Min(low, s.Va & ~0xfffUL);
                    high = Math.Max(high, (s.Va + s.MemorySize + 0xfff) & ~0xfffUL);
                    break;
                case 3:
                    if (s.FileSize is < 2 or > 4096)
                        return $"{where}: PT_INTERP of {s.FileSize} bytes";
                    var text = new byte[s.FileSize];
                    if (file.Read(text, (long)s.Offset) != text.Length || text[^1] != 0)
                        return $"{where}: PT_INTERP at offset {s.Offset} is not a string";
                    Interpreter = System.Text.Encoding.Latin1.GetString(text.AsSpan(0, Array.IndexOf(text, (byte)0)));
                    break;
                case 0x6474e551:
                    ExecutableStack = (s.Flags & 1) != 0;
                    break;
                case 0x6474e553:
                    WantsBti = ReadsBti(file, s);
                    break;
            }
        }
        if (low == ulong.MaxValue)
            return "no PT_LOAD segment";
        Span = (low, high);
        return null;
    }

    /// <summary>GNU_PROPERTY_AARCH64_FEATURE_1_AND with the BTI bit in PT_GNU_PROPERTY.</summary>
    private static bool ReadsBti(OpenFile file, ElfSegment segment)
    {
        if (segment.FileSize is < 16 or > 1024)
            return false;
        var note = new byte[segment.FileSize];
        if (file.Read(note, (long)segment.Offset) != note.Length || BinaryPrimitives.ReadInt32LittleEndian(note.AsSpan(8)) != 5)
            return false;
        int end = (int)Math.Min(note.Length, 16L + BinaryPrimitives.ReadUInt32LittleEndian(note.AsSpan(4)));
        for (int at = 16; at + 12 <= end;)
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(note.AsSpan(at));
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(note.AsSpan(at + 4));
            if (type == 0xc0000000)
                return (note[at + 8] & 1) != 0;
            if (length > 1024)
                return false;
            at += 8 + (int)((length + 7) & ~7u);
        }
        return false;
    }

    private static string MachineName(ushort machine) => machine switch
    {
        3 => "x86",
        8 => "MIPS",
        20 => "PowerPC",
        21 => "PowerPC64",
        22 => "S/390",
        40 => "32-bit Arm",
        62 => "x86-64",
        243 => "RISC-V",
        258 => "LoongArch",
        _ => "another machine",
    };
}
