using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check of the vDSO of Debian's newest Linux, built with auxiliary clocks, while somebody sets one, changes its rate,
/// turns it off and on.</summary>
public sealed class CheckedAuxiliaryClockCommandTests
{
    private static readonly string[] s_events = ["aux-set", "aux-rate", "aux-off", "aux-on", "weak-aux-set", "weak-aux-off"];

    private static Dictionary<(string Function, string Event), JsonElement> Check(int status, params string[] more)
    {
        string image = StockImages.Auxiliary;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["check", image, "--json", "--function", "clock_gettime_aux", .. more]);
        Assert.True(result.Status == status, result.Output + result.Errors);
        return CheckCells.Of(result.Output, image);
    }

    [Fact]
    public void EachAnswerIsOneThatTheSystemCallCouldHaveGiven()
    {
        Dictionary<(string Function, string Event), JsonElement> cells = Check(0);
        foreach (string name in (string[])["none", "tick", "timens", "uncount", "weak-tick", .. s_events])
        {
            JsonElement cell = cells[("clock_gettime_aux", name)];
            Assert.Equal("proved", CheckCells.Verdict(cell));
        }
        Assert.True(cells[("clock_gettime_aux", "aux-set")].GetProperty("interleavings").GetInt64() > 200);
        Assert.Equal(0, cells[("clock_gettime_aux", "none")].GetProperty("fell_back").GetInt64());
        Assert.Equal("n/a", CheckCells.Verdict(cells[("clock_gettime_aux", "race")]));
    }

    /// <summary>The events find what is wrong in the writer.</summary>
    [Theory]
    [InlineData("writer-no-first-increment", "aux-set", "aux-off")]
    [InlineData("writer-early-second-increment", "aux-set", "aux-off")]
    [InlineData("writer-no-barriers", "weak-aux-set", "weak-aux-set")]
    public void FaultsOfTheWriterAreFound(string mutant, params string[] events)
    {
        CheckResult result = new ArmVdsoLab(new SessionSettings()).Check(
            StockImages.Auxiliary, ["clock_gettime_aux"], [.. events.Distinct()], mutant: mutant);
        Assert.Contains(result.Cells, c => events.Contains(c.Event) && c.Failed > 0);
    }

    /// <summary>Of the reader: without one of its instructions something is wrong, or nothing but the number of system calls changes; no
    /// place is out of sight.</summary>
    [Fact]
    public void FaultsOfTheReaderAreFound()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "check", StockImages.Auxiliary, "--faults", "--function", "clock_gettime_aux", "--event", "aux-set", "--event", "weak-aux-set");
        Match row = Regex.Match(result.Output, @"^\S+ +removed +(\d+) +(\d+) +(\d+) +(\d+)$", RegexOptions.Multiline);
        int[] counts = [.. row.Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture))];
        Assert.Equal([counts[0], 0], [counts[1] + counts[2], counts[3]]);
        Assert.True(counts[1] > 30, result.Output);
    }
}
