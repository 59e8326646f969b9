using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ArmVdso.Fuzz;

/// <summary>Files of cores, boards and CPU profiles: a program begins to run on what was not refused.</summary>
public sealed partial class CoreFuzzer : FileFuzzer
{
    /// <inheritdoc/>
    public override string Name => "core";

    /// <inheritdoc/>
    public override ulong UsualBudget => 200;

    /// <inheritdoc/>
    protected override IReadOnlyList<(string Name, byte[] Bytes)> Seeds { get; } =
    [
        .. from kind in (string[])["core", "board", "profile"]
           from name in Resources.Names(kind + "/")
           select (name.Replace('/', '-'), Resources.Bytes(name)),
    ];

    /// <inheritdoc/>
    protected override byte[] Mutate(byte[] bytes, Random random)
    {
        if (random.Next(8) == 0)
            return MutateBytes(bytes, random, bytes.Length);
        List<string> lines = [.. Encoding.UTF8.GetString(bytes).Split('\n')];
        for (int k = random.Next(1, 4); k > 0; k--)
        {
            int at = random.Next(lines.Count), other = random.Next(lines.Count);
            switch (random.Next(8))
            {
                case 0 when lines.Count > 2:
                    lines.RemoveAt(at);
                    break;
                case 1:
                    lines.Insert(at, lines[other]);
                    break;
                case 2:
                    (lines[at], lines[other]) = (lines[other], lines[at]);
                    break;
                case 3:
                    lines[at] = StringLiteral().Replace(lines[at], $"\"{Word(random)}\"", 1, random.Next(lines[at].Length + 1));
                    break;
                default:
                    lines[at] = NumberLiteral().Replace(lines[at], Number(random), 1, random.Next(lines[at].Length + 1));
                    break;
            }
        }
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private static string Word(Random random) => random.Next(6) switch
    {
        0 => "",
        1 => "0x",
        2 => "cortex-a53",
        3 => new string('x', random.Next(5000)),
        4 => "/dev/zero",
        _ => "none",
    };

    private static string Number(Random random) => random.Next(9) switch
    {
        0 => "0",
        1 => "-1",
        2 => "1e400",
        3 => "0.5",
        4 => (1L << random.Next(63)).ToString(CultureInfo.InvariantCulture),
        5 => "[]",
        6 => "null",
        7 => "\"1\"",
        _ => random.Next(1, 300).ToString(CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    protected override string Use(string name, string path, HangWatch watch)
    {
        var settings = new SessionSettings { Cpus = 1, Core = path, MemoryBytes = 64 << 20, MaxCycles = 300_000 };
        if (name.StartsWith("board", StringComparison.Ordinal))
            settings = settings with { Core = $"{CoreOf(path)}@{path}" };
        else if (name.StartsWith("profile", StringComparison.Ordinal))
            settings = settings with { Core = "none", Cpu = path };
        return new GuestRun(watch, mayWait: true).Run(settings, FuzzGuest.Path, "vdso", "1", "1");
    }

    /// <summary>The core that a board's file names, if it still does.</summary>
    private static string CoreOf(string path) =>
        Regex.Match(File.ReadAllText(path), "\"core\": \"([a-z0-9-]+)\"") is { Success: true } match
            ? match.Groups[1].Value
            : "cortex-a53";

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex StringLiteral();

    [GeneratedRegex(@"(?<![\w.])-?\d+(\.\d+)?(?![\w.])")]
    private static partial Regex NumberLiteral();
}
