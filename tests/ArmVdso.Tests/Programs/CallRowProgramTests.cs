using System.Text.Json;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Tests.Programs;

/// <summary>What armvdso syscalls says of a call. data/calls.tsv names for each that is called full a guest program that makes it and
/// judges the answer; the programs themselves are held by other tests, here they must have made the calls.</summary>
public sealed class CallRowProgramTests
{
    private static readonly Dictionary<string, string> s_judges = File.ReadLines(
            Path.Combine(GuestPrograms.RepositoryRoot, "tests/ArmVdso.Tests/Programs/data/calls.tsv"))
        .Select(line => line.Split('\t')).ToDictionary(cells => cells[0], cells => cells[1]);

    /// <summary>The programs of the table.</summary>
    public static TheoryData<string> Judges() => [.. s_judges.Values.Distinct().Order(StringComparer.Ordinal)];

    private static HashSet<string> Full => [.. SyscallTable.All.Where(r => r.Support == SyscallSupport.Full).Select(r => r.Name)];

    [Fact]
    public void EachFullRowHasItsProgram() => Assert.Equal(Full.Order(StringComparer.Ordinal), s_judges.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void MostCallsAreThere() =>
        Assert.InRange(SyscallTable.All.Count(r => r.Support is SyscallSupport.Full or SyscallSupport.Partial), 290, 400);

    /// <summary>What is missing of a row is said.</summary>
    [Fact]
    public void EachPartialRowSaysWhatIsMissing() =>
        Assert.DoesNotContain(SyscallTable.All, r => r.Support is SyscallSupport.Partial or SyscallSupport.Stub && r.Note.Length == 0);

    [Theory]
    [MemberData(nameof(Judges))]
    public void TheProgramMakesTheCalls(string command)
    {
        string file = Path.GetTempFileName();
        try
        {
            string[] words = command.Split(' ');
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
                ["syscalls", "--json", "-o", file, "--core", "none", GuestPrograms.Path(words[0]), .. words[1..]]);
            Assert.True(result.Status == 0, result.Output + result.Errors);
            using var said = JsonDocument.Parse(File.ReadAllText(file));
            HashSet<string> made =
                [.. said.RootElement.GetProperty("calls").EnumerateArray().Select(c => c.GetProperty("name").GetString()!)];
            Assert.Empty(s_judges.Where(j => j.Value == command && !made.Contains(j.Key)).Select(j => j.Key));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
