namespace ArmVdso.Lab.Designs;

/// <summary>Begins a design in a folder.</summary>
internal static class DesignStart
{
    private const string Smallest = "start";

    /// <summary>Designs that can be copied.</summary>
    internal static IReadOnlyList<string> Names { get; } =
        [.. Sdk.Names("from/").Select(n => n.Split('/')[1]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Makes the folder.</summary>
    internal static IReadOnlyList<string> Make(string folder, string? from)
    {
        if (from is not null && !Names.Contains(from))
            throw new LabException($"--from: there is no design '{from}' to copy; known: {string.Join(", ", Names)}", LabFault.Input);
        if (folder.Length == 0 || folder[0] == '-')
            throw new LabException($"'{folder}' is no name of a folder", LabFault.Input);
        try
        {
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
                throw new LabException($"{folder}: there is something in it already", LabFault.Input);
            var made = new List<string>();
            string below = from is null ? $"{Smallest}/" : $"from/{from}/";
            foreach (string name in Sdk.Names(below))
            {
                Sdk.Copy(name, Path.Join(folder, name[below.Length..]));
                made.Add(name[below.Length..]);
            }
            foreach (string name in from is null ? [] : Sdk.Names("image/"))
            {
                Sdk.Copy(name, Path.Join(folder, name["image/".Length..]));
                made.Add(name["image/".Length..]);
            }
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{folder}: {e.Message}", LabFault.Failed, e);
        }
    }
}
