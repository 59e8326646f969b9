namespace ArmVdso.Kernel.Vdso;

/// <summary>The vDSO image of a stock Linux kernel, unmodified but for what that kernel itself replaces at boot.</summary>
public sealed class StockVdso
{
    private StockVdso(byte[] bytes, VdsoObject file, VvarLayout layout)
    {
        Bytes = bytes;
        File = file;
        Layout = layout;
    }

    /// <summary>The image as it is mapped.</summary>
    public byte[] Bytes { get; }

    /// <summary>What its headers say.</summary>
    public VdsoObject File { get; }

    /// <summary>Layout of the data that it reads.</summary>
    public VvarLayout Layout { get; }

    /// <summary>What was done with each alternative, in the order of the records.</summary>
    public IReadOnlyList<string> Applied { get; private set; } = [];

    /// <summary>Reads an image.</summary>
    /// <param name="image">The file.</param>
    /// <param name="layout">Name of the vvar layout; empty: the one that the image's kernel has.</param>
    /// <exception cref="VdsoImageException">It cannot be used.</exception>
    public static StockVdso Load(byte[] image, string layout = "")
    {
        VdsoObject file = VdsoObject.Parse(image);
        if (!file.Symbols.ContainsKey("__kernel_rt_sigreturn"))
            throw new VdsoImageException("it has no __kernel_rt_sigreturn");
        return new StockVdso([.. image], file, layout.Length > 0 ? VvarLayout.Find(layout) : VvarLayout.Probe(file, image));
    }

    /// <summary>Applies the alternatives for CPUs.</summary>
    /// <param name="hasFeature">Whether the CPUs have a feature, by its name without FEAT_.</param>
    internal void ApplyAlternatives(Func<string, bool> hasFeature) => Applied = VdsoAlternatives.Apply(Bytes, File, hasFeature);

    /// <summary>The feature that an alternative is for, or null for one that is not known here.</summary>
    public string? FeatureOf(AlternativeRecord record) => VdsoAlternatives.FeatureOf(Bytes, File, record);
}
