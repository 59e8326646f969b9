using System.Text;

namespace ArmVdso.Tests.CommandLine;

/// <summary>The packages that packaging/build-packages.sh makes, opened by the tools that they are for.</summary>
public sealed class PackageCommandTests : IDisposable
{
    private static readonly string s_script = Path.Join(GuestPrograms.RepositoryRoot, "packaging", "build-packages.sh");
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-packages").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private static string Run(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)}: {errors}");
        return output;
    }

    [Fact]
    public void TheDebianPackageAndTheTarHaveTheCommand()
    {
        string[] made = Run(
            "env", "DEBFULLNAME=A. Maintainer", "DEBEMAIL=a.maintainer@debian.org", s_script, _folder, "--binary", ArmVdsoCommand.Program)
            .TrimEnd('\n').Split('\n');
        Assert.Equal(2, made.Length);
        string deb = Path.Join(_folder, made.Single(f => f.EndsWith("_amd64.deb", StringComparison.Ordinal)));
        string tar = Path.Join(_folder, made.Single(f => f.EndsWith("-linux-x64.tar.gz", StringComparison.Ordinal)));
        Assert.Matches("^libc6 \\(>= 2\\.\\d+\\)$", Run("dpkg-deb", "--field", deb, "Depends").Trim());
        // Debian's own judge of packages has nothing to say.
        Assert.Equal("", Run("lintian", "--allow-root", "--fail-on", "error,warning", deb));
        string contents = Run("dpkg-deb", "--contents", deb);
        Assert.All(contents.TrimEnd('\n').Split('\n'), l => Assert.Contains(" root/root ", l));
        string root = Path.Join(_folder, "root");
        Run("dpkg-deb", "--extract", deb, root);
        Assert.Equal(ArmVdsoCommand.Run("--version").Output, Run(Path.Join(root, "usr/bin/armvdso"), "--version"));
        // As the kernel starts it for a program of arm64.
        string guest = GuestPrograms.Path("hello");
        (int status, string output, _) = GuestPrograms.Run(Path.Join(root, "usr/bin/armvdso-binfmt"), guest, "--help");
        ArmVdsoCommand.Result direct = ArmVdsoCommand.Run("run", guest, "--help");
        Assert.StartsWith("hello", output);
        Assert.Equal((direct.Status, direct.Output), (status, output));
        foreach (string file in new[]
        {
            "man/man1/armvdso.1.gz", "bash-completion/completions/armvdso", "zsh/vendor-completions/_armvdso",
            "fish/vendor_completions.d/armvdso.fish", "doc/armvdso/copyright", "doc/armvdso/changelog.gz",
        })
            Assert.True(new FileInfo(Path.Join(root, "usr/share", file)).Length > 100, file);
        string names = Run("tar", "-tzf", tar);
        Assert.Matches("(?m)^armvdso-[0-9.]+-linux-x64/bin/armvdso$", names);
        Assert.Matches("(?m)^armvdso-[0-9.]+-linux-x64/share/man/man1/armvdso\\.1\\.gz$", names);
    }

    /// <summary>A stranger's project takes the library from a folder, and dotnet installs the tool from it. The packages are built for
    /// it: with ARMVDSO_LONG=1.</summary>
    [Fact]
    public void TheLibraryAndTheToolComeFromAFolder()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        string packages = Path.Join(_folder, "packages"), project = Path.Join(_folder, "stranger"), tool = Path.Join(_folder, "tool");
        Run(s_script, packages, "--nuget", "--binary", ArmVdsoCommand.Program);
        Run("dotnet", "tool", "install", "armvdso", "--tool-path", tool, "--add-source", packages);
        Assert.Equal(ArmVdsoCommand.Run("run", GuestPrograms.Path("hello")).Output,
            Run(Path.Join(tool, "armvdso"), "run", GuestPrograms.Path("hello")));
        Run("dotnet", "new", "console", "-o", project);
        File.WriteAllText(Path.Join(project, "Program.cs"), $$"""
            using ArmVdso.Lab;
            using ArmVdso.Lab.Statistics;
            var lab = new ArmVdsoLab(new SessionSettings { Core = "cortex-a55", Cpus = 1 });
            RunStatistics run = lab.Run("{{GuestPrograms.Path("hello")}}");
            System.Console.WriteLine($"status {run.Status}, {run.Cycles > 0}");
            """);
        Run("dotnet", "add", project, "package", "ArmVdso.Lab", "--source", packages);
        Assert.Contains("status 0, True", Run("dotnet", "run", "--project", project));
    }

    [Fact]
    public void TheManualHasAllCommandsAndNoWarnings()
    {
        string page = Path.Join(_folder, "armvdso.1");
        File.WriteAllText(page, ArmVdsoCommand.Run("setup", "man").Output);
        (int status, string output, string errors) = GuestPrograms.Run("man", "--warnings", "-E", "UTF-8", "-l", page);
        Assert.Equal((0, ""), (status, errors));
        Assert.Contains("--stats-format", output);
        Assert.Contains("armvdso vdso init", output);
        Assert.Contains("EXIT STATUS", output);
    }

    [Theory]
    [InlineData("armvdso run --trace-", "--trace-events --trace-size")]
    [InlineData("armvdso vdso i", "info init")]
    [InlineData("armvdso st", "stat")]
    [InlineData("armvdso dump --a", "--as")]
    public void BashCompletes(string line, string expected)
    {
        string script = Path.Join(_folder, "completion");
        File.WriteAllText(script, ArmVdsoCommand.Run("completion", "bash").Output);
        string[] words = line.Split(' ');
        string asked = $". {script}; COMP_WORDS=({line}); COMP_CWORD={words.Length - 1}; _armvdso; echo \"${{COMPREPLY[*]}}\"";
        Assert.Equal(expected, Run("bash", "-c", asked).Trim());
    }

    /// <summary>Shells that are not here are not asked; what is printed for them names every command and option all the same.</summary>
    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void OtherShellsCanReadTheirs(string shell)
    {
        string text = ArmVdsoCommand.Run("completion", shell).Output;
        Assert.Contains("kernel-truth", text);
        Assert.Contains(shell == "zsh" ? "--trace-size" : "-l trace-size", text);
        if (!File.Exists($"/usr/bin/{shell}"))
            return;
        string script = Path.Join(_folder, shell);
        File.WriteAllText(script, text);
        Run(shell, "-n", script);
    }

    [Fact]
    public void TheRegistrationIsThatOfArm64Programs()
    {
        string[] fields = ArmVdsoCommand.Run("setup", "binfmt").Output.Trim().Split(':');
        Assert.Equal(("", "armvdso", "M", ""), (fields[0], fields[1], fields[2], fields[3]));
        byte[] magic = Bytes(fields[4]), mask = Bytes(fields[5]);
        Assert.Equal(magic.Length, mask.Length);
        bool Matches(string file)
        {
            byte[] begin = File.ReadAllBytes(file);
            return Enumerable.Range(0, magic.Length).All(i => (begin[i] & mask[i]) == (magic[i] & mask[i]));
        }
        Assert.True(Matches(GuestPrograms.Path("hello")));
        Assert.False(Matches(ArmVdsoCommand.Program));
        Assert.Equal("/usr/bin/armvdso-binfmt", fields[6]);
    }

    /// <summary>Bytes as the registration writes them: \xNN, or a letter for itself.</summary>
    private static byte[] Bytes(string text) =>
    [
        .. text.Split("\\x").Skip(1).SelectMany(p => (byte[])[Convert.ToByte(p[..2], 16), .. Encoding.ASCII.GetBytes(p[2..])]),
    ];
}
