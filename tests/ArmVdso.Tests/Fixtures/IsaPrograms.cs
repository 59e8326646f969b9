namespace ArmVdso.Tests.Fixtures;

/// <summary>The programs of tests/guests/src/isa, built by build-isa.sh for a set of compiler options when first asked for.</summary>
internal static class IsaPrograms
{
    private static readonly Dictionary<string, string> s_built = [];

    /// <summary>Their names.</summary>
    internal static string[] Names { get; } = ["compress", "hashes", "json", "floats", "crypto", "vector", "atomics"];

    private static string Guests => System.IO.Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");

    /// <summary>The sets of compiler options, as build-isa.sh lists them.</summary>
    internal static string[] Sets { get; } = [.. File.ReadLines(System.IO.Path.Combine(Guests, "build-isa.sh"))
        .SkipWhile(line => !line.Contains("<<'SETS'", StringComparison.Ordinal)).Skip(1)
        .TakeWhile(line => line != "SETS").Select(line => line.Split(' ')[0])];

    /// <summary>The known answers of a program: its output without the lines that depend on the compiler's -march, which begin with
    /// '+'.</summary>
    internal static string Golden(string name) => File.ReadAllText(System.IO.Path.Combine(Guests, "src", "isa", name + ".out"));

    /// <summary>Host path of a built program.</summary>
    /// <exception cref="InvalidOperationException">A compiler is missing, or a program does not compile.</exception>
    internal static string Path(string set, string name)
    {
        lock (s_built)
        {
            if (!s_built.TryGetValue(set, out string? folder))
            {
                string all = System.IO.Path.Combine(Guests, "build", "isa");
                (int status, string output, string errors) = GuestPrograms.Run(System.IO.Path.Combine(Guests, "build-isa.sh"), all, set);
                if (status != 0)
                    throw new InvalidOperationException($"{output}{errors}".Trim());
                s_built[set] = folder = System.IO.Path.Combine(all, set);
            }
            return System.IO.Path.Combine(folder, name);
        }
    }
}
