namespace ArmVdso.Tests.Fixtures;

/// <summary>Guest roots of Debian's arm64 packages in tests/guests, fetched when they are not there.</summary>
internal static class DebianPrograms
{
    private static readonly Lazy<string> s_root = new(Fetch), s_static = new(FetchStatic), s_debug = new(FetchDebug),
        s_people = new(FetchPeople), s_disk = new(FetchDisk);

    /// <summary>Host folder of the root with the programs of the first tier.</summary>
    /// <exception cref="InvalidOperationException">The packages cannot be fetched.</exception>
    internal static string Root => s_root.Value;

    /// <summary>Host folder of the root with static programs alone.</summary>
    /// <exception cref="InvalidOperationException">The packages cannot be fetched.</exception>
    internal static string StaticRoot => s_static.Value;

    /// <summary>Host folder of the root with gdb.</summary>
    /// <exception cref="InvalidOperationException">The packages cannot be fetched.</exception>
    internal static string DebugRoot => s_debug.Value;

    /// <summary>Host folder of the root with what people have on a screen: vim, less, top, htop, screen, tmux; and strace, ip.</summary>
    /// <exception cref="InvalidOperationException">The packages cannot be fetched.</exception>
    internal static string PeopleRoot => s_people.Value;

    /// <summary>Host folder of the root with mke2fs, e2fsck, debugfs, mount and losetup.</summary>
    /// <exception cref="InvalidOperationException">The packages cannot be fetched.</exception>
    internal static string DiskRoot => s_disk.Value;

    private static string Guests => Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");

    private static string Fetch()
    {
        string root = Path.Combine(Guests, "root");
        string done = Path.Combine(Guests, "root.fetch", "complete");
        if (File.Exists(done))
            return root;
        Must(Path.Combine(Guests, "fetch-guests.sh"), "-e", "-f", Path.Combine(Guests, "tier1.packages"), root, "musl-dev",
            "busybox-static");
        Must("python3", Path.Combine(Guests, "mkdata.py"), root);
        Must("bash", Path.Combine(Guests, "build-pool-c.sh"), root);
        File.WriteAllText(done, "");
        return root;
    }

    private static string FetchStatic()
    {
        string root = Path.Combine(Guests, "root-static");
        if (!File.Exists(Path.Combine(root, "usr/sbin/e2fsck.static")) || !File.Exists(Path.Combine(root, "usr/bin/zsh-static")))
            Must(Path.Combine(Guests, "fetch-guests.sh"), "-n", "-F", root, "zsh-static", "sash", "bash-static", "busybox-static",
                "e2fsck-static");
        return root;
    }

    private static string FetchDebug()
    {
        string root = Path.Combine(Guests, "root-debug");
        if (!File.Exists(Path.Combine(root, "usr/bin/gdb")))
            Must(Path.Combine(Guests, "fetch-guests.sh"), "-e", root, "gdb");
        return root;
    }

    private static string FetchPeople()
    {
        string root = Path.Combine(Guests, "root-people");
        if (!File.Exists(Path.Combine(root, "usr/bin/htop")) || !File.Exists(Path.Combine(root, "usr/bin/ip")))
            Must(Path.Combine(Guests, "fetch-guests.sh"), "-f", Path.Combine(Guests, "people.packages"), root);
        return root;
    }

    private static string FetchDisk()
    {
        string root = Path.Combine(Guests, "root-disk");
        if (!File.Exists(Path.Combine(root, "usr/sbin/losetup")) || !File.Exists(Path.Combine(root, "usr/sbin/mke2fs")))
            Must(Path.Combine(Guests, "fetch-guests.sh"), "-e", root, "e2fsprogs", "mount");
        return root;
    }

    private static void Must(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        if (status != 0)
            throw new InvalidOperationException($"{program} ended with {status}: {(output + errors).Trim()}");
    }
}
