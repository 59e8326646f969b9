namespace ArmVdso.Tests.CommandLine;

/// <summary>The command compiled ahead, which all other tests start, says what the one that is compiled as it runs says: what is reached
/// by names alone (tables, models, hooks, JSON) is in both.</summary>
public sealed class PublishedCommandTests
{
    private static readonly string s_assembly = Path.Combine(AppContext.BaseDirectory, "armvdso.dll");

    [Theory]
    [InlineData("run --core none --engine portable {0}")]
    [InlineData("trace --json {0}")]
    [InlineData("explain getpid --json")]
    [InlineData("models cortex-a53 --json")]
    [InlineData("models neoverse-n1")]
    [InlineData("cpus --json")]
    [InlineData("syscalls --json")]
    [InlineData("run /nowhere")]
    [InlineData("run --core nonsense {0}")]
    public void SaysTheSame(string line)
    {
        string[] words = [.. line.Split(' ').Select(w => w == "{0}" ? GuestPrograms.Path("hello") : w)];
        ArmVdsoCommand.Result published = ArmVdsoCommand.Run(words);
        (int status, string output, string errors) = GuestPrograms.Run("dotnet", [s_assembly, .. words]);
        Assert.Equal((status, output, errors), (published.Status, published.Output, published.Errors));
        Assert.NotEqual("", output + errors);
    }
}
