namespace ArmVdso.Tests.Fixtures;

/// <summary>The files of the built-in cores.</summary>
internal static class CoreFiles
{
    /// <summary>The text of one.</summary>
    internal static string Text(string core)
    {
        using Stream stream = typeof(CoreModel).Assembly.GetManifestResourceStream($"cores/{core}.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
