namespace ArmVdso.Kernel.Vdso;

/// <summary>The unmodified vDSO of a stock Linux kernel, from a file; TPIDRRO_EL0 stays 0.</summary>
public sealed class StockDesign : VdsoDesign
{
    private const string Prefix = "stock:", LayoutOption = ",vvar=";

    /// <summary>The design with an image.</summary>
    public StockDesign(StockVdso stock) => Stock = stock;

    /// <summary>The image and the layout of its data.</summary>
    public StockVdso Stock { get; }

    /// <inheritdoc/>
    public override string Name => "stock";

    /// <inheritdoc/>
    public override string Description =>
        $"the vDSO of Linux {Stock.File.LinuxVersion}, unmodified (data laid out as in {Stock.Layout.Name})";

    /// <inheritdoc/>
    public override VdsoImage? LoadImage() => VdsoImage.OfStock(Stock);

    /// <summary>The design that a text names ("stock:FILE[,vvar=LAYOUT]", or a path), or null when it names none.</summary>
    /// <exception cref="ArgumentException">The file is not there or has no image that can be used.</exception>
    internal static StockDesign? TryCreate(string text)
    {
        string layout = "";
        if (text.IndexOf(LayoutOption, StringComparison.Ordinal) is >= 0 and var at)
            (text, layout) = (text[..at], text[(at + LayoutOption.Length)..]);
        bool named = text.StartsWith(Prefix, StringComparison.Ordinal);
        if (!named && !text.Contains('/') && !text.EndsWith(".so", StringComparison.Ordinal))
            return null;
        string path = named ? text[Prefix.Length..] : text;
        try
        {
            return new StockDesign(StockVdso.Load(KernelImage.FindVdso(File.ReadAllBytes(path)), layout));
        }
        catch (VdsoImageException e)
        {
            throw new ArgumentException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArgumentException($"{path}: not found on the host", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{path}: {e.Message}", e);
        }
    }
}
