namespace ArmVdso.Tests.CommandLine;

/// <summary>A host that takes no more output ends a command with one line that names what was asked for, never with an exception.</summary>
public sealed class OutputFaultCommandTests
{
    private static (int Status, string Output, string Errors) Shell(string line) =>
        GuestPrograms.Run("sh", "-c", line, ArmVdsoCommand.Program, GuestPrograms.Path("hello"));

    [Theory]
    [InlineData("--core none --strace=/dev/full", "--strace /dev/full")]
    [InlineData("--core none --stats=/dev/full", "--stats /dev/full")]
    [InlineData("--core none --profile=/dev/full", "--profile /dev/full")]
    [InlineData("--core none --trace /dev/full", "--trace /dev/full")]
    [InlineData("--konata /dev/full", "--konata /dev/full")]
    [InlineData("--core none --outdir /dev/full", "--outdir /dev/full")]
    [InlineData("--core none --strace=/nowhere/x", "--strace /nowhere/x")]
    public void ReportsNameTheirOption(string options, string named)
    {
        (int status, _, string errors) = Shell($"\"$0\" run {options} \"$1\"");
        Assert.Equal(125, status);
        Assert.DoesNotContain("internal error", errors, StringComparison.Ordinal);
        string line = Assert.Single(errors.Split('\n'), l => l.StartsWith("armvdso: ", StringComparison.Ordinal));
        Assert.StartsWith($"armvdso: {named}: ", line, StringComparison.Ordinal);
        if (named.EndsWith("full", StringComparison.Ordinal) && !named.StartsWith("--outdir", StringComparison.Ordinal))
            Assert.EndsWith("/dev/full: No space left on device", line, StringComparison.Ordinal);
    }

    [Fact]
    public void APageNamesItsOption()
    {
        (int status, _, string errors) = Shell("\"$0\" report --core none --parts none -o /dev/full \"$1\"");
        Assert.Equal(125, status);
        Assert.EndsWith("armvdso: -o /dev/full: No space left on device\n", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void SoDoTheStandardStreams()
    {
        Assert.Equal((125, "", "armvdso: standard output: No space left on device\n"), Shell("\"$0\" syscalls >/dev/full"));
        // Nobody can be told: the guest's status is what is left.
        Assert.Equal(0, Shell("\"$0\" run --core none --stats \"$1\" 2>/dev/full >/dev/null").Status);
        Assert.Equal(0, Shell("\"$0\" run --core none \"$1\" >&- 2>&-").Status);
    }
}
