namespace ArmVdso.Tests.CommandLine;

/// <summary>Signals to the command, and words that it does not know.</summary>
public sealed class InterruptionCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    /// <summary>A run that is ended from outside writes the reports that were asked for.</summary>
    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public void SignalEndsARun(string signal, int status)
    {
        // Who runs the tests may ignore signals (nohup), and what is started inherits that.
        string command = $"cd '{_folder}'; env --default-signal=HUP,TERM '{ArmVdsoCommand.Program}' run --core none --stats=stats "
            + $"--max-output 256M --root '{_folder}' "
            + $"'{GuestPrograms.Path("hostile")}' yes >out 2>errors & p=$!; "
            + $"until [ -s out ]; do sleep 0.1; done; kill -{signal} $p; wait $p; echo $?";
        (_, string output, _) = GuestPrograms.Run("bash", "-c", command);
        Assert.Equal($"{status}\n", output);
        Assert.Contains("vDSO design per-cpu", File.ReadAllText(Path.Join(_folder, "stats")));
    }

    /// <summary>What cannot be written is known before the guest begins.</summary>
    [Fact]
    public void ReportFilesAreOpenedFirst()
    {
        string program = GuestPrograms.Path("hello"), file = $"{program}/file";
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", $"--stats={file}", program);
        Assert.Equal((125, ""), (result.Status, result.Output));
        Assert.Contains(file, result.Errors);
    }

    [Theory]
    [InlineData("did you mean 'run'?", "rnu", "program")]
    [InlineData("did you mean '--stats'?", "run", "--statz", "program")]
    [InlineData("did you mean 'native'?", "run", "--engine", "nativ", "program")]
    public void NearestNames(string hint, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(words);
        Assert.Equal(2, result.Status);
        Assert.Contains(hint, result.Errors);
    }

    /// <summary>-L is --root, as with qemu-user.</summary>
    [Fact]
    public void RootByItsLetter()
    {
        File.Copy(GuestPrograms.Path("hello"), Path.Join(_folder, "only-in-the-root"));
        Assert.Equal(
            ArmVdsoCommand.Run("run", "--core", "none", "--root", _folder, "/only-in-the-root"),
            ArmVdsoCommand.Run("run", "--core", "none", "-L", _folder, "/only-in-the-root"));
        Assert.Equal(0, ArmVdsoCommand.Run("run", "--core", "none", "-L", _folder, "/only-in-the-root").Status);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
