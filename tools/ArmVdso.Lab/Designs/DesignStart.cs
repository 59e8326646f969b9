namespace ArmVdso.Lab.Designs;

/// <summary>Begins a design in a folder.</summary>
internal static class DesignStart
{
    private const string Smallest = "start";

    /// <summary>Designs that can be copied.</summary>
    internal static IReadOnlyList<string> Names { get; } =
        [.. Sdk.Names("from/").Select(n => n.Split('/')[1]).Distinct().Order(StringComparer.Ordinal)];

    private static IReadOnlyList<string> MendedBy(string design, string[] fixes)
    {
        try
        {
            return FolderDesign.OfOurs(design, fixes).File.Fixed;
        }
        catch (ArgumentException e)
        {
            throw new LabException($"--from: {e.Message}", LabFault.Input, e);
        }
    }

    /// <summary>Makes the folder.</summary>
    internal static IReadOnlyList<string> Make(string folder, string? from)
    {
        string[] fixes = [];
        if (from?.Split(",fix=") is [var name, var mended])
            (from, fixes) = (name, mended.Split('+', StringSplitOptions.RemoveEmptyEntries));
        if (from is not null && !Names.Contains(from))
            throw new LabException($"--from: there is no design '{from}' to copy; known: {string.Join(", ", Names)}", LabFault.Input);
        IReadOnlyList<string> all = fixes.Length == 0 ? [] : MendedBy(from!, fixes);
        if (folder.Length == 0 || folder[0] == '-')
            throw new LabException($"'{folder}' is no name of a folder", LabFault.Input);
        try
        {
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
                throw new LabException($"{folder}: there is something in it already", LabFault.Input);
            var made = new List<string>();
            string below = from is null ? $"{Smallest}/" : $"from/{from}/";
            foreach (string file in Sdk.Names(below))
                Copy(file, file[below.Length..]);
            foreach (string file in from is null ? [] : Sdk.Names("image/"))
                Copy(file, file["image/".Length..]);
            if (from is null)
                return made;
            // What two designs have alike is one file.
            string ini = Path.Join(folder, DesignFile.FileName), text = File.ReadAllText(ini);
            foreach (string file in Sdk.Names("common/").Where(n => text.Contains(' ' + n["common/".Length..], StringComparison.Ordinal)))
                Copy(file, file["common/".Length..]);
            if (all.Count > 0)
                File.WriteAllText(ini, text.Replace("\n[fixes]", $"\nfixes          = {string.Join(' ', all)}\n\n[fixes]"));
            return made;

            void Copy(string file, string to)
            {
                Sdk.Copy(file, Path.Join(folder, to));
                made.Add(to);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{folder}: {e.Message}", LabFault.Failed, e);
        }
    }
}
