using System.Reflection;
using System.Text;

namespace ArmVdso.Differential;

/// <summary>Files embedded in this assembly: the instruction table, the oracle's source, the list of exceptions.</summary>
public static class Resources
{
    private static readonly Assembly Self = typeof(Resources).Assembly;

    /// <summary>Names that start with <paramref name="prefix"/>, in order.</summary>
    public static IEnumerable<string> Names(string prefix) =>
        Self.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>Contents of one.</summary>
    public static byte[] Bytes(string name)
    {
        using Stream stream = Self.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"no resource {name}");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Contents of one as text.</summary>
    public static string Text(string name) => Encoding.UTF8.GetString(Bytes(name));
}
