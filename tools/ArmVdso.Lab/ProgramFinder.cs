using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab;

/// <summary>Where the program that the user named is: inside the guest's root, or a file of the host.</summary>
internal static class ProgramFinder
{
    private const string Fetch = "tests/guests/fetch-guests.sh";

    /// <summary>Finds a program.</summary>
    /// <returns>The host path (null when it is inside the root), the guest path, and the root folder (null: none).</returns>
    /// <exception cref="LabException">It is not found.</exception>
    internal static (string? HostPath, string GuestPath, string? Root) Find(SessionSettings settings, string program)
    {
        if (program.Length == 0)
            throw new LabException("the name of the program is empty", LabFault.Input);
        bool isPath = program.Contains('/');
        string? root = settings.Root;
        if (settings.Binds.Any(b => Shows(b, program)))
            return (null, program, root);
        if (root is not null)
        {
            if (isPath)
            {
                string inside = program.StartsWith('/') ? program : Path.Join(settings.Cwd, program);
                if (ExistsInside(root, inside) || !File.Exists(program))
                    return (null, inside, root);
            }
            else if (SearchPath(settings, root, program) is { } found)
            {
                return (null, found, root);
            }
        }
        if (File.Exists(program) || Directory.Exists(program))
        {
            string full = Path.GetFullPath(program);
            if (Directory.Exists(full))
                throw new LabException($"{program}: is a directory", LabFault.NotExecutable);
            try
            {
                using FileStream _ = File.OpenRead(full);
            }
            catch (UnauthorizedAccessException)
            {
                throw new LabException($"{program}: permission denied", LabFault.NotExecutable);
            }
            catch (IOException e)
            {
                throw new LabException($"{program}: {e.Message}", LabFault.NotExecutable);
            }
            return (full, full, root);
        }
        if (!isPath && root is null && settings.FallbackRoot is { } fetched && SearchPath(settings, fetched, program) is { } there)
            return (null, there, fetched);
        string where = root is null
            ? isPath
                ? ""
                : $" here, nor in the fetched guests ({Fetch} fetches Debian packages: {Fetch} tests/guests/root busybox-static "
                + $"bash-static)"
            : isPath ? "" : " in the PATH of the guest's root, nor here";
        throw new LabException($"{program}: not found{where}", LabFault.NotFound);
    }

    /// <summary>Whether a bind is at a guest path, or has a file of its folder there.</summary>
    private static bool Shows(Bind bind, string guestPath) => bind.GuestPath == guestPath
        || (guestPath.StartsWith(bind.GuestPath.TrimEnd('/') + "/", StringComparison.Ordinal)
            && ExistsInside(bind.HostPath, guestPath[bind.GuestPath.TrimEnd('/').Length..]));

    /// <summary>Whether a guest path exists in the root, with links followed as the guest follows them: never out of the root.</summary>
    private static bool ExistsInside(string root, string guestPath, int depth = 0)
    {
        if (depth > 40)
            return false;
        var at = new List<string>();
        string[] parts = guestPath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i] == ".")
                continue;
            if (parts[i] == "..")
            {
                if (at.Count > 0)
                    at.RemoveAt(at.Count - 1);
                continue;
            }
            string path = Path.Join([root, .. at, parts[i]]);
            var info = new FileInfo(path);
            if (info.LinkTarget is { } target)
            {
                string rest = string.Join('/', parts[(i + 1)..]);
                string start = target.StartsWith('/') ? "" : string.Join('/', at) + "/";
                return ExistsInside(root, $"{start}{target}/{rest}", depth + 1);
            }
            if (!info.Exists && !Directory.Exists(path))
                return false;
            at.Add(parts[i]);
        }
        return true;
    }

    private static string? SearchPath(SessionSettings settings, string root, string program)
    {
        string path = settings.Environment.FirstOrDefault(v => v.StartsWith("PATH=", StringComparison.Ordinal))?[5..] ?? "";
        foreach (string directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (ExistsInside(root, directory + "/" + program))
                return directory + "/" + program;
        }
        return null;
    }

    /// <summary>The bytes of a program; none when it cannot be read.</summary>
    internal static byte[] Bytes(SessionSettings settings, string program)
    {
        (string? hostPath, string guestPath, string? root) = Find(settings, program);
        string? path = hostPath ?? (root is null ? null : Path.Join(root, guestPath));
        try
        {
            return path is null ? [] : File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
