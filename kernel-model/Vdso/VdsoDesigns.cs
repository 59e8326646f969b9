namespace ArmVdso.Kernel.Vdso;

/// <summary>The designs by name.</summary>
public static class VdsoDesigns
{
    /// <summary>Our own designs that have an image, in the order of the tables: folders below El1/designs.</summary>
    public static IReadOnlyList<string> WithImage { get; } =
        ["per-cpu", "per-cpu-seq", "per-cpu-gen", "per-cpu-fixup", "per-thread", "rseq"];

    /// <summary>Names of all designs, in the order of the tables.</summary>
    public static IReadOnlyList<string> Names { get; } = ["none", .. WithImage];

    /// <summary>Makes a design of "NAME" or "NAME,fix=A+B" or "per-thread,writable=HOW", of a folder, of "stock:FILE[,vvar=LAYOUT]", an
    /// image of a stock kernel.</summary>
    /// <exception cref="ArgumentException">There is no such design, or it has no such fix; the message says what there is.</exception>
    public static VdsoDesign Create(string text)
    {
        (string name, string[] options) = text.Split(',') is [var first, .. var rest] ? (first, rest) : (text, []);
        if (!Names.Contains(name))
        {
            if (DesignFile.IsFolder(text))
                return FolderDesign.Open(text);
            if (DesignFile.IsFolder(name))
                return FolderDesign.Open(name, Options(name, options).Fixes);
            return StockDesign.TryCreate(text)
                ?? throw new ArgumentException($"there is no vDSO design '{name}'; known: {string.Join(", ", Names)}, stock:FILE");
        }
        (string[] fixes, WritablePage writable) = Options(name, options);
        if (name != "none")
            return FolderDesign.OfOurs(name, fixes, writable);
        return fixes.Length == 0 ? new NoVdso() : throw new ArgumentException($"design '{name}' has no defects to mend with fix=");
    }

    private static (string[] Fixes, WritablePage Writable) Options(string name, string[] options)
    {
        string[] fixes = [];
        WritablePage writable = WritablePage.No;
        foreach (string option in options)
        {
            if (option.StartsWith("writable=", StringComparison.Ordinal) && name == "per-thread")
            {
                writable = option[9..] switch
                {
                    "ignored" => WritablePage.Ignored,
                    "trusted" => WritablePage.CheckedThenUsed,
                    "copied" => WritablePage.TakenOnce,
                    _ => throw new ArgumentException($"'{option}': known are writable=ignored, trusted, copied"),
                };
                continue;
            }
            if (!option.StartsWith("fix=", StringComparison.Ordinal))
                throw new ArgumentException($"'{option}' is not fix=NAME+NAME");
            fixes = option[4..].Split('+', StringSplitOptions.RemoveEmptyEntries);
        }
        return (fixes, writable);
    }
}
