using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Programs;

/// <summary>Unmodified programs of Debian: standard output and exit status must be the goldens' (from qemu-aarch64).
/// The usual run takes the first tier up to <see cref="UsualLimit"/> million instructions; ARMVDSO_LONG=1 takes all of it.</summary>
public sealed partial class GuestPoolProgramTests
{
    private const double UsualLimit = 20;

    private static string Pool => Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests", "pool");

    /// <summary>Names of the programs to run.</summary>
    public static TheoryData<string> Programs()
    {
        bool all = Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";
        var data = new TheoryData<string>();
        foreach (string line in File.ReadLines(Path.Combine(Pool, "pool.tsv")))
        {
            string[] cells = line.Split('\t');
            if (line.StartsWith('#') || cells[0] == "name" || cells[1] != "1")
                continue;
            if (all || double.Parse(cells[2], CultureInfo.InvariantCulture) <= UsualLimit)
                data.Add(cells[0]);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void GivesTheExpectedOutputAndStatus(string name)
    {
        string golden = Path.Combine(Pool, name);
        var arguments = new List<string> { "run", "--root", DebianPrograms.Root };
        if (File.Exists(golden + ".uid"))
            arguments.AddRange(["--user", File.ReadAllText(golden + ".uid").Trim(), "-E", "HOME=/tmp"]);
        if (File.Exists(golden + ".pid1"))
            arguments.AddRange(["--pid", "1"]);
        string command = File.ReadAllText(golden + ".cmd").Trim();
        const string Merge = " 2>&1";
        bool merge = command.EndsWith(Merge, StringComparison.Ordinal);
        arguments.AddRange(Words(merge ? command[..^Merge.Length] : command));
        string input = File.Exists(golden + ".stdin")
            ? File.ReadAllText(DebianPrograms.Root + File.ReadAllText(golden + ".stdin").Trim(), Encoding.Latin1) : "";
        ArmVdsoCommand.Result result = ArmVdsoCommand.RunWithInput(input, [.. arguments]);
        string expected = File.ReadAllText(golden + ".out", Encoding.Latin1);
        string output = result.Output + (merge ? result.Errors : "");
        if (File.Exists(golden + ".norm"))
        {
            foreach (string rule in File.ReadAllLines(golden + ".norm"))
                (expected, output) = (Normalise(rule, expected), Normalise(rule, output));
        }
        Assert.Equal(expected, output);
        Assert.True(result.Status.ToString(CultureInfo.InvariantCulture) == File.ReadAllText(golden + ".rc").Trim(),
            $"status {result.Status}; {result.Errors}");
    }

    private static string Normalise(string rule, string text)
    {
        string pattern = rule[(rule.IndexOf(' ') + 1)..];
        IEnumerable<string> lines = text.Split('\n');
        return rule.Split(' ')[0] switch
        {
            "keep" => string.Join('\n', lines.Where(l => Regex.IsMatch(l, pattern))),
            // Directories are listed in the order of the host's disk there, by name here.
            "sort" => string.Join('\n', lines.Order(StringComparer.Ordinal)),
            "drop" => string.Join('\n', lines.Where(l => !Regex.IsMatch(l, pattern))),
            _ => text,
        };
    }

    /// <summary>The words of a command line with single and double quotes, as a shell splits them.</summary>
    private static IEnumerable<string> Words(string line)
    {
        foreach (Match word in Word().Matches(line.Trim()))
        {
            var text = new StringBuilder();
            foreach (Match part in Part().Matches(word.Value))
            {
                string p = part.Value;
                text.Append(p[0] switch
                {
                    '\'' => p[1..^1],
                    '"' => Regex.Replace(p[1..^1], @"\\([""\\$`])", "$1"),
                    '\\' => p[1..],
                    _ => p,
                });
            }
            yield return text.ToString();
        }
    }

    [GeneratedRegex("""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""", RegexOptions.Singleline)]
    private static partial Regex Word();

    [GeneratedRegex("""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\]+""", RegexOptions.Singleline)]
    private static partial Regex Part();
}
