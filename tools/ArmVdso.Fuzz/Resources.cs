using System.Reflection;

namespace ArmVdso.Fuzz;

/// <summary>Files that are built in.</summary>
internal static class Resources
{
    private static readonly Assembly s_assembly = typeof(Resources).Assembly;

    /// <summary>Names that begin so, in order.</summary>
    internal static IEnumerable<string> Names(string prefix) => s_assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    internal static byte[] Bytes(string name)
    {
        using Stream stream = s_assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"no resource {name}");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
