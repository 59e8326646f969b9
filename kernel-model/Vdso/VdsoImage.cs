using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ArmVdso.Kernel.Vdso;

/// <summary>A vDSO image and the layout of the data that it reads (vdso-image/bin).</summary>
public sealed class VdsoImage
{
    private readonly Dictionary<string, long> _layout = [];

    private VdsoImage(string name, byte[] bytes)
    {
        Name = name;
        Bytes = bytes;
    }

    /// <summary>Name of the image.</summary>
    public string Name { get; }

    /// <summary>The file.</summary>
    public byte[] Bytes { get; }

    /// <summary>Exported functions by name: offset from the start of the image.</summary>
    public Dictionary<string, ulong> Symbols { get; } = [];

    /// <summary>Ranges of instructions that a task must not be interrupted in: where they start, their length in bytes, and where the
    /// system call is made instead; offsets from the start of the image. From section .vdso_fixup.</summary>
    public IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> FixupRanges { get; private set; } = [];

    /// <summary>Offset of the end of .text.</summary>
    public ulong TextEnd { get; private set; }

    /// <summary>Offset of __kernel_rt_sigreturn.</summary>
    public ulong SigreturnOffset => Symbols["__kernel_rt_sigreturn"];

    /// <summary>Replaces instructions as the kernel does at boot.</summary>
    /// <param name="hasFeature">Whether the CPUs have a feature, by its name without FEAT_.</param>
    internal void ApplyAlternatives(Func<string, bool> hasFeature) => VdsoAlternatives.Apply(Bytes, VdsoObject.Parse(Bytes), hasFeature);

    /// <summary>A value of the image's layout file.</summary>
    /// <exception cref="KeyNotFoundException">The committed layout lacks it.</exception>
    public long Layout(string name) => _layout.TryGetValue(name, out long value)
        ? value
        : throw new KeyNotFoundException($"the layout of image '{Name}' (vdso-image/bin) has no '{name}'; run vdso-image/build.sh");

    /// <summary>A value of the layout, or another where the image's design has none.</summary>
    public long LayoutOr(string name, long other) => _layout.GetValueOrDefault(name, other);

    /// <summary>Names of the layout.</summary>
    public IEnumerable<string> LayoutNames => _layout.Keys;

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(VdsoImage).Assembly.GetManifestResourceStream(name)
            ?? throw new FileNotFoundException($"embedded resource {name} is missing");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>The image of one of our designs.</summary>
    /// <exception cref="FileNotFoundException">There is no image of that name.</exception>
    public static VdsoImage Load(string name)
    {
        var image = new VdsoImage(name, Resource($"vdso/vdso-{name}.so"));
        foreach (string line in Encoding.ASCII.GetString(Resource(name == "per-cpu" ? "vdso/layout.tsv" : $"vdso/layout-{name}.tsv"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('\t');
            if (parts.Length >= 2 && long.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
                image._layout[parts[0]] = value;
        }
        image.ReadSymbols();
        return image;
    }

    /// <summary>The image of a stock kernel; it has no layout file.</summary>
    internal static VdsoImage OfStock(StockVdso stock)
    {
        var image = new VdsoImage("stock", [.. stock.Bytes]) { TextEnd = (ulong)stock.File.Text.End };
        foreach ((string name, ulong offset) in stock.File.Symbols)
            image.Symbols[name] = offset;
        return image;
    }

    /// <summary>Reads .dynsym through the section headers, which lie inside the mapped pages.</summary>
    private void ReadSymbols()
    {
        ReadOnlySpan<byte> b = Bytes;
        ulong shoff = BinaryPrimitives.ReadUInt64LittleEndian(b[40..]);
        int shentsize = BinaryPrimitives.ReadUInt16LittleEndian(b[58..]);
        int shnum = BinaryPrimitives.ReadUInt16LittleEndian(b[60..]);
        int names = (int)BinaryPrimitives.ReadUInt64LittleEndian(
            b[((int)shoff + BinaryPrimitives.ReadUInt16LittleEndian(b[62..]) * shentsize + 24)..]);
        for (int i = 0; i < shnum; i++)
        {
            ReadOnlySpan<byte> header = b[((int)shoff + i * shentsize)..];
            // SHF_EXECINSTR: .text is the one executable section.
            if ((BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) & 4) != 0)
                TextEnd = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]) + BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            if (b[(names + BinaryPrimitives.ReadInt32LittleEndian(header))..].StartsWith(".vdso_fixup\0"u8))
            {
                ulong at = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
                ReadFixups(b.Slice(
                    (int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
                    (int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..])), at);
            }
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != 11)
                continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
            int strings = (int)BinaryPrimitives.ReadUInt64LittleEndian(b[((int)shoff + link * shentsize + 24)..]);
            int offset = (int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
            int size = (int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            for (int s = offset; s < offset + size; s += 24)
            {
                int name = strings + BinaryPrimitives.ReadInt32LittleEndian(b[s..]);
                ushort section = BinaryPrimitives.ReadUInt16LittleEndian(b[(s + 6)..]);
                string text = Encoding.ASCII.GetString(b[name..(name + b[name..].IndexOf((byte)0))]);
                if (section is not (0 or 0xfff1) && text.Length > 0)
                    Symbols[text] = BinaryPrimitives.ReadUInt64LittleEndian(b[(s + 8)..]);
            }
        }
    }

    /// <summary>Entries of start (relative to its word), length, fallback (relative to its word).</summary>
    private void ReadFixups(ReadOnlySpan<byte> table, ulong address)
    {
        var ranges = new List<(ulong, ulong, ulong)>();
        for (int i = 0; i + 12 <= table.Length; i += 12)
        {
            ranges.Add((
                address + (ulong)i + (ulong)BinaryPrimitives.ReadInt32LittleEndian(table[i..]),
                BinaryPrimitives.ReadUInt32LittleEndian(table[(i + 4)..]),
                address + (ulong)i + 8 + (ulong)BinaryPrimitives.ReadInt32LittleEndian(table[(i + 8)..])));
        }
        FixupRanges = ranges;
    }
}
