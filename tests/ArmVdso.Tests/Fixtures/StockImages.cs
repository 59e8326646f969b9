namespace ArmVdso.Tests.Fixtures;

/// <summary>The vDSO images of Debian's kernels, taken out of their packages with the command for that.</summary>
internal static class StockImages
{
    private static readonly Lazy<string> s_folder = new(Build);

    /// <summary>Path of the image of a kernel series, such as 6.12.</summary>
    internal static string Path(string version) => System.IO.Path.Combine(s_folder.Value, $"vdso-{version}.so");

    private static string Build()
    {
        string guests = System.IO.Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");
        string folder = System.IO.Path.Combine(guests, "build", "stock");
        foreach (string version in (string[])["6.1", "6.12"])
        {
            string package = System.IO.Path.Combine(folder, $"{version}.deb"), image = System.IO.Path.Combine(folder, $"vdso-{version}.so");
            if (File.Exists(image))
                continue;
            if (!File.Exists(package))
            {
                (int status, string output, string errors) = GuestPrograms.Run(System.IO.Path.Combine(guests, "fetch-stock.sh"), folder);
                if (status != 0)
                    throw new InvalidOperationException((output + errors).Trim());
            }
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("vdso", "extract", package, "-o", image);
            if (result.Status != 0)
                throw new InvalidOperationException(result.Output + result.Errors);
        }
        return folder;
    }
}
