using System.Globalization;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until a8e8b9c: a host pipe whose reader went away, or a standard stream that the caller had closed, ended the run
/// with an error of the runtime, and a read that never came to an end outlasted the limit.</summary>
public sealed class HostStreamTests
{
    private static readonly string s_limit = ArmVdsoCommand.Limit.ToString(CultureInfo.InvariantCulture);

    private static string Guest(string limit, string what) =>
        $"'{ArmVdsoCommand.Program}' run --timeout {limit} '{GuestPrograms.Path("hostile")}' {what}";

    /// <summary>The reader of standard output goes away: SIGPIPE, or EPIPE for those that ignore it.</summary>
    [Theory]
    [InlineData("yes", 128 + 13)]
    [InlineData("ignore", 32)]
    public void ReaderGoesAway(string what, int status)
    {
        string command = $"{Guest(s_limit, what)} | head -c 64; echo ${{PIPESTATUS[0]}}";
        (_, string output, string errors) = GuestPrograms.Run("bash", "-c", command);
        Assert.EndsWith($"\n{status}\n", output);
        Assert.Equal("", errors);
    }

    /// <summary>Descriptors that the caller closed must not lead to files of the runtime.</summary>
    [Theory]
    [InlineData("read", "<&-", 0)]
    [InlineData("hole", ">&-", 0)]
    [InlineData("hole", "<&- >&- 2>&-", 0)]
    [InlineData("yes", ">/dev/full", 28)]
    public void StandardStreamsThatAreNotThere(string what, string redirections, int status)
    {
        string command = $"{Guest(s_limit, what)} {redirections}";
        (int actual, string output, string errors) = GuestPrograms.Run("bash", "-c", command);
        Assert.True(actual == status, $"status {actual}\n{output}{errors}");
        Assert.Equal("", errors);
    }

    /// <summary>A read of standard input that never comes to an end does not outlast --timeout.</summary>
    [Fact]
    public void WaitingForInputEndsAtTheLimit()
    {
        // Open for writing as well, so that it never ends.
        string command = $"d=$(mktemp -d); mkfifo $d/p; exec 3<>$d/p; rm -r $d; {Guest("2", "read")} <&3; echo $?";
        (_, string output, _) = GuestPrograms.Run("bash", "-c", command);
        Assert.Equal("124\n", output);
    }
}
