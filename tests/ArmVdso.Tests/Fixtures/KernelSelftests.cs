namespace ArmVdso.Tests.Fixtures;

/// <summary>The Linux kernel's own selftests, built static from Debian's linux-source package when they are first asked for.</summary>
internal static class KernelSelftests
{
    private static readonly Lazy<string> s_folder = new(() => Build("build-selftests.sh"));

    private static readonly Lazy<string> s_arm64 = new(() =>
    {
        // The package is fetched once: by the script for the others.
        _ = s_folder.Value;
        return Build("build-selftests-arm64.sh");
    });

    /// <summary>Where those of the vDSO, of rseq, of time namespaces, of futexes, timers and signal stacks are.</summary>
    internal static string Folder => s_folder.Value;

    /// <summary>Where those of the architecture are: the same folder.</summary>
    internal static string Arm64 => s_arm64.Value;

    private static string Build(string script)
    {
        string guests = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");
        string folder = Path.Combine(guests, "build", "selftests");
        // A file of ours and none of the programs: a build that was interrupted has some of them, and one of an older
        // script others.
        string done = Path.Combine(folder, script + ".done");
        if (File.GetLastWriteTimeUtc(done) > File.GetLastWriteTimeUtc(Path.Combine(guests, script)))
            return folder;
        (int status, string output, string errors) = GuestPrograms.Run(Path.Combine(guests, script), folder);
        if (status != 0)
            throw new InvalidOperationException((output + errors).Trim());
        File.WriteAllText(done, "");
        return folder;
    }
}
