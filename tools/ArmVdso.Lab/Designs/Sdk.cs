namespace ArmVdso.Lab.Designs;

/// <summary>What a design in a folder is built with, and what it is begun with: files that are part of the library.</summary>
internal static class Sdk
{
    private const string Prefix = "sdk/";

    /// <summary>Writes the headers, scripts and support code to DIR/armvdso.</summary>
    internal static void Write(string folder)
    {
        foreach (string name in Names("armvdso/"))
            Copy(name, Path.Join(folder, name));
    }

    /// <summary>Names of the files below a folder of the kit.</summary>
    internal static IEnumerable<string> Names(string below) => typeof(Sdk).Assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(Prefix + below, StringComparison.Ordinal)).Select(n => n[Prefix.Length..]).Order(StringComparer.Ordinal);

    /// <summary>Writes one of the files.</summary>
    internal static void Copy(string name, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using Stream source = typeof(Sdk).Assembly.GetManifestResourceStream(Prefix + name)
            ?? throw new FileNotFoundException($"embedded resource {Prefix}{name} is missing");
        using FileStream file = File.Create(path);
        source.CopyTo(file);
    }
}
