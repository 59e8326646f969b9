using System.Text.Json;

namespace ArmVdso.Tests.Cli;

/// <summary>armvdso check: the defects of the talk are found where they are, and nothing is found where nothing is.</summary>
public sealed class CheckTests
{
    private static readonly string[] Ids = ["getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid"];

    private static Dictionary<(string Function, string Event), JsonElement> Cells(string output, string design)
    {
        var cells = new Dictionary<(string, string), JsonElement>();
        foreach (JsonElement entry in JsonDocument.Parse(output).RootElement.GetProperty("designs").EnumerateArray())
        {
            if (entry.GetProperty("design").GetString() != design)
                continue;
            foreach (JsonElement cell in entry.GetProperty("cells").EnumerateArray())
                cells[(cell.GetProperty("function").GetString()!, cell.GetProperty("event").GetString()!)] = cell;
        }
        return cells;
    }

    private static string Verdict(JsonElement cell) => cell.GetProperty("verdict").GetString()!;

    /// <summary>Defects 1, 3, 4 and 5 of the talk, each in the functions that it concerns, and in no clock.</summary>
    [Fact]
    public void TheTalksDefectsAreFoundAndNoOthers()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "per-cpu", "--json");
        Assert.True(result.Status == 1, result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = Cells(result.Output, "per-cpu");
        Assert.Equal("failed", Verdict(cells[("getegid", "none")]));
        var failed = cells.Where(c => Verdict(c.Value) == "failed" && c.Key.Function != "getegid").Select(c => c.Key).ToHashSet();
        var expected = new HashSet<(string, string)>();
        foreach (string function in Ids.Where(f => f != "getegid"))
        {
            foreach (string migration in (string[])["migrate", "offline", "aba", "race"])
                expected.Add((function, migration));
        }
        expected.UnionWith([("getuid", "setresuid"), ("geteuid", "setresuid"), ("getuid", "setxid"), ("geteuid", "setxid"), ("getgid", "setresgid"), ("getppid", "reparent")]);
        Assert.Equal(expected.Order(), failed.Order());
        Assert.All(cells.Values.Where(c => Verdict(c) == "proved"), c => Assert.True(c.GetProperty("interleavings").GetInt64() > 0));
        Assert.Equal(result.Output, ArmVdsoCommand.Run("check", "per-cpu", "--json").Output);
    }

    /// <summary>The ID of a failing schedule fails again, alone on a fresh machine, and its trace shows why.</summary>
    [Fact]
    public void AFailingScheduleReplays()
    {
        ArmVdsoCommand.Result replay = ArmVdsoCommand.Run("check", "--replay", "per-cpu/getpid/migrate@1");
        Assert.True(replay.Status == 1, replay.Errors);
        Assert.Contains("__kernel_getpid+0x0", replay.Output);
        Assert.Contains("mrs", replay.Output);
        Assert.Contains("tpidrro_el0=0x", replay.Output);
        Assert.Contains("FAILED: the call returned", replay.Output);
        ArmVdsoCommand.Result before = ArmVdsoCommand.Run("check", "--replay", "per-cpu/getpid/migrate@0", "--brief");
        Assert.True(before.Status == 0, before.Errors);
        Assert.Contains("held", before.Output);
    }

    [Theory]
    [InlineData("check", "none")]
    [InlineData("check", "--cpus", "1")]
    [InlineData("check", "--event", "rain")]
    [InlineData("check", "--function", "getfoo")]
    [InlineData("check", "--replay", "per-cpu/getpid")]
    [InlineData("check", "--replay", "per-cpu/getpid/rain@1")]
    public void WrongUseIsSaidInOneLine(params string[] arguments)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(arguments);
        Assert.Equal(2, result.Status);
        Assert.Single(result.Errors.Trim().Split('\n'));
    }
}
