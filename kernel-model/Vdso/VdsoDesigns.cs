namespace ArmVdso.Kernel.Vdso;

/// <summary>The designs by name.</summary>
public static class VdsoDesigns
{
    private static readonly Func<IReadOnlyList<string>, VdsoDesign>[] Makers =
    [
        fixes => new NoVdso(),
        fixes => new PerCpuDesign(fixes),
        fixes => new PerCpuSequenceDesign(),
        fixes => new PerCpuGenerationDesign(),
        fixes => new PerCpuFixupDesign(),
        fixes => new PerThreadDesign(),
        fixes => new RseqDesign(),
    ];

    /// <summary>Names of all designs, in the order of the tables.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Select(make => make([]).Name)];

    /// <summary>Makes a design of "NAME" or "NAME,fix=A+B" or "per-thread,writable=HOW", of "stock:FILE[,vvar=LAYOUT]", an image of a
    /// stock kernel.</summary>
    /// <exception cref="ArgumentException">There is no such design, or it has no such fix; the message says what there is.</exception>
    public static VdsoDesign Create(string text)
    {
        if (!Names.Contains(text) && DesignFile.IsFolder(text))
            return FolderDesign.Open(text);
        if (StockDesign.TryCreate(text) is { } stock)
            return stock;
        string[] parts = text.Split(',');
        string[] fixes = [];
        WritablePage writable = WritablePage.No;
        foreach (string part in parts.Skip(1))
        {
            if (part.StartsWith("writable=", StringComparison.Ordinal) && parts[0] == "per-thread")
            {
                writable = part[9..] switch
                {
                    "ignored" => WritablePage.Ignored,
                    "trusted" => WritablePage.CheckedThenUsed,
                    "copied" => WritablePage.TakenOnce,
                    _ => throw new ArgumentException($"'{part}': known are writable=ignored, trusted, copied"),
                };
                continue;
            }
            if (!part.StartsWith("fix=", StringComparison.Ordinal))
                throw new ArgumentException($"'{part}' is not fix=NAME+NAME");
            fixes = part[4..].Split('+', StringSplitOptions.RemoveEmptyEntries);
        }
        foreach (Func<IReadOnlyList<string>, VdsoDesign> make in Makers)
        {
            if (make([]).Name != parts[0])
                continue;
            VdsoDesign design = writable == WritablePage.No ? make(fixes) : new PerThreadDesign(writable);
            if (fixes.Length > 0 && design is not PerCpuDesign)
                throw new ArgumentException($"design '{parts[0]}' has no defects to mend with fix=");
            return design;
        }
        throw new ArgumentException($"there is no vDSO design '{parts[0]}'; known: {string.Join(", ", Names)}, stock:FILE");
    }
}
