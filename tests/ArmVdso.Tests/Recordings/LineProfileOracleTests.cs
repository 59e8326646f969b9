using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Recordings;

/// <summary>Cycles by instruction and by source line: the lines are those that addr2line gives, counts are known by the source, and the
/// sum is the run's.</summary>
public sealed partial class LineProfileOracleTests : IDisposable
{
    private const string Source = """
        static volatile int sum;
        __attribute__((noinline)) static int work(int n)
        {
            for (int i = 0; i < n; i++)
                sum += i;
            return sum;
        }
        int main(void)
        {
            work(30000);
            return work(20000) == 1;
        }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-lines").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private static string Run(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        Assert.True(status == 0, errors);
        return output;
    }

    private string Compiled(string version)
    {
        string source = Path.Join(_folder, "work.c"), program = Path.Join(_folder, "work");
        File.WriteAllText(source, Source);
        Run("aarch64-linux-gnu-gcc", "-O1", version, "-static", "-o", program, source);
        return program;
    }

    private (string[] Lines, long Cycles) Profile(string format, string program)
    {
        string file = Path.Join(_folder, "profile"), counts = Path.Join(_folder, "counts");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--profile=" + file, "--profile-format", format, "--stats=" + counts, "--json", program);
        Assert.True(result.Status == 0, result.Errors);
        return (File.ReadAllLines(file), JsonNode.Parse(File.ReadAllText(counts))!["cycles"]!.GetValue<long>());
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^ *([\d,]+) +\d+\.\d% +([\d,]+) .*\bwork\.c:(\d+)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^ *([\d,]+) +100\.0% +all \d+ lines$")]
    private static partial Regex Sum();

    [Theory]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5")]
    public void LinesAreExecutedAsTheSourceSays(string version)
    {
        (string[] lines, long cycles) = Profile("lines", Compiled(version));
        Assert.Equal(cycles, Number(Sum().Match(lines[^1]).Groups[1].Value));
        Dictionary<int, long> executed = lines.Select(l => Line().Match(l)).Where(m => m.Success)
            .ToDictionary(m => int.Parse(m.Groups[3].Value, CultureInfo.InvariantCulture), m => Number(m.Groups[2].Value));
        // Each line is some instructions, each of them executed so often.
        Assert.InRange(executed[5] % 50_000, 0, 20);
        Assert.InRange(executed[5], 50_000, 500_000);
        Assert.True(executed[6] >= 2 && executed[6] % 2 == 0);
        Assert.True(executed[10] >= 1 && executed[10] < 10);
    }

    [GeneratedRegex(@"^ *\d+\.\d% +([\d,]+) +([\d,]+) +([0-9a-f]+) +(\S+)(?: .*?([^ ]*work\.c:\d+))?")]
    private static partial Regex InstructionLine();

    [Theory]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5")]
    public void InstructionsHaveTheLinesThatAddr2lineGives(string version)
    {
        string program = Compiled(version);
        (string[] lines, _) = Profile("annotate", program);
        string symbol = Run("aarch64-linux-gnu-nm", program).Split('\n').Single(l => l.EndsWith(" work", StringComparison.Ordinal));
        ulong start = Convert.ToUInt64(symbol.Split(' ')[0], 16);
        int begin = Array.FindIndex(lines, l => l.Contains("Disassembly of work in ", StringComparison.Ordinal));
        Match[] rows = [.. lines.Skip(begin + 2).TakeWhile(l => l.Length > 0).Select(l => InstructionLine().Match(l))];
        Assert.True(rows.Length >= 6 && rows.All(r => r.Success));
        string source = "";
        foreach (Match row in rows)
        {
            source = row.Groups[5].Success ? row.Groups[5].Value : source;
            ulong address = start + Convert.ToUInt64(row.Groups[3].Value, 16);
            string expected = Run("aarch64-linux-gnu-addr2line", "-e", program, $"0x{address:x}").Trim().Split(' ')[0];
            Assert.Equal(expected[expected.LastIndexOf('/')..], "/" + source[(source.LastIndexOf('/') + 1)..]);
        }
        // The loop's body.
        Assert.Contains(rows, r => r.Groups[2].Value == "50,000" && r.Groups[4].Value == "ldr");
        string header = lines[begin];
        Assert.Equal(
            Number(Regex.Match(header, @"cycles: ([\d,]*\d)").Groups[1].Value), rows.Sum(r => Number(r.Groups[1].Value)));
    }
}
