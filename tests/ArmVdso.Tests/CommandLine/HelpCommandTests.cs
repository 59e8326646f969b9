using System.CommandLine;
using ArmVdso.Cli;

namespace ArmVdso.Tests.CommandLine;

/// <summary>--help: what it says is true of the definitions.</summary>
public sealed class HelpCommandTests
{
    public static TheoryData<string> Examples { get; } =
        [.. CommandTopic.All(CommandTree.Make()).SelectMany(t => t.Examples).Where(e => !e.Contains('>', StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void ExamplesAreCommandLines(string line)
    {
        RootCommand root = CommandTree.Make();
        ParseResult parsed = CommandTree.Parse(root, [.. line.Split(' ')[1..].Select(w => w.Trim('\''))]);
        Assert.Empty(parsed.Errors);
        Assert.IsType<CliCommand>(parsed.CommandResult.Command).Bind(new CommandInput(parsed));
    }

    [Fact]
    public void CommandsWithExamplesExist()
    {
        string[] paths = [.. CommandTopic.All(CommandTree.Make()).Select(t => t.Path), "setup"];
        Assert.All(CommandExamples.Paths, p => Assert.Contains(p, paths));
    }

    [Fact]
    public void OptionsAreInGroupsAndExamplesLast()
    {
        ArmVdsoCommand.Result help = ArmVdsoCommand.Run("run", "--help");
        Assert.Equal((0, ""), (help.Status, help.Errors));
        string[] lines = help.Output.TrimEnd('\n').Split('\n');
        Assert.Equal("Usage: armvdso run [options] PROGRAM [ARG...]", lines[2]);
        string[] titles = [.. lines.Skip(1).Where(l => l is [>= 'A' and <= 'z', .., ':'])];
        Assert.Equal(
            [
                "Options:", "CPUs and timing:", "Engine:", "vDSO design:", "Kernel:", "The guest:", "Machine:", "Time:", "Limits:",
                "Examples:",
            ],
            titles);
        Assert.StartsWith("  armvdso run ", lines[^1]);
        Assert.All(lines.TakeWhile(l => l != "Examples:"), l => Assert.InRange(l.Length, 0, 100));
        // Each option once, and all that the command has.
        CliCommand run = CommandTree.Make().Subcommands.OfType<CliCommand>().Single(c => c.Name == "run");
        foreach (Option option in run.Options)
            Assert.Single(lines, l => l.TrimStart().StartsWith(CommandTopic.Written(option), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData()]
    [InlineData("stat")]
    [InlineData("vdso")]
    [InlineData("vdso", "init")]
    public void HelpNeedsNoOperands(params string[] words)
    {
        ArmVdsoCommand.Result help = ArmVdsoCommand.Run([.. words, "--help"]);
        Assert.Equal((0, ""), (help.Status, help.Errors));
        Assert.Contains($"Usage: armvdso {string.Join(' ', words)}".TrimEnd(), help.Output);
    }
}
