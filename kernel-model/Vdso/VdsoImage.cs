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

    /// <summary>Offset of .text.</summary>
    public ulong TextStart { get; private set; }

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

    /// <summary>A file that is part of this assembly.</summary>
    internal static byte[] Resource(string name)
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
        image.Describe(VdsoObject.Parse(image.Bytes));
        return image;
    }

    /// <summary>The image of a stock kernel; it has no layout file.</summary>
    internal static VdsoImage OfStock(StockVdso stock)
    {
        var image = new VdsoImage("stock", [.. stock.Bytes]);
        image.Describe(stock.File);
        return image;
    }

    /// <summary>The image of a design in a folder, with the layout that its header gives.</summary>
    internal static VdsoImage OfFolder(string name, byte[] bytes, VdsoObject file, IReadOnlyDictionary<string, long> layout)
    {
        var image = new VdsoImage(name, [.. bytes]);
        image.Describe(file);
        foreach ((string key, long value) in layout)
            image._layout[key] = value;
        return image;
    }

    private void Describe(VdsoObject file)
    {
        foreach ((string name, ulong offset) in file.Symbols)
            Symbols[name] = offset;
        (TextStart, TextEnd) = ((ulong)file.Text.Start, (ulong)file.Text.End);
        FixupRanges = file.Fixups;
    }
}
