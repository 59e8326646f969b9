namespace ArmVdso.Tests.Fixtures;

/// <summary>The vDSO images of Debian's kernels, taken out of their packages with the command for that.</summary>
internal static class StockImages
{
    private static readonly Lazy<string> s_folder = new(() => Build("6.1", "6.12"));

    /// <summary>The newest kernel that Debian has a backport of.</summary>
    internal const string Newest = "new";

    private static readonly Lazy<string> s_newest = new(() => Build(Newest));

    private static readonly Lazy<string> s_auxiliary = new(BuildAuxiliary);

    /// <summary>Path of the image of that kernel's sources with auxiliary clocks, which Debian's own has not.</summary>
    internal static string Auxiliary => s_auxiliary.Value;

    /// <summary>Path of the image of a kernel series: 6.1, 6.12, or the newest.</summary>
    internal static string Path(string version) =>
        System.IO.Path.Combine((version == Newest ? s_newest : s_folder).Value, $"vdso-{version}.so");

    private static string Guests => System.IO.Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");

    private static void Run(string script, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(System.IO.Path.Combine(Guests, script), arguments);
        if (status != 0)
            throw new InvalidOperationException((output + errors).Trim());
    }

    private static string BuildAuxiliary()
    {
        string folder = System.IO.Path.Combine(Guests, "build", "stock"), image = System.IO.Path.Combine(folder, "vdso-aux.so");
        if (!File.Exists(image))
            Run("build-aux-vdso.sh", folder);
        return image;
    }

    private static string Build(params string[] series)
    {
        string folder = System.IO.Path.Combine(Guests, "build", "stock");
        foreach (string version in series)
        {
            string package = System.IO.Path.Combine(folder, $"{version}.deb"), image = System.IO.Path.Combine(folder, $"vdso-{version}.so");
            if (File.Exists(image))
                continue;
            if (!File.Exists(package))
                Run("fetch-stock.sh", [folder, .. series]);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("vdso", "extract", package, "-o", image);
            if (result.Status != 0)
                throw new InvalidOperationException(result.Output + result.Errors);
        }
        return folder;
    }
}
