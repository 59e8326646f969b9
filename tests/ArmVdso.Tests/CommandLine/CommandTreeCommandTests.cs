using System.CommandLine;
using ArmVdso.Cli;
using ArmVdso.Lab;

namespace ArmVdso.Tests.CommandLine;

/// <summary>Every command with every option: what is accepted means something, what means nothing is refused.</summary>
public sealed class CommandTreeCommandTests
{
    /// <summary>Operands with which a command can be bound.</summary>
    private static readonly Dictionary<string, string[]> Operands = new()
    {
        ["run"] = ["program"],
        ["stat"] = ["program"],
        ["report"] = ["program"],
        ["isa record"] = ["program"],
        ["boot"] = ["--kernel", "file"],
        ["isa disasm"] = ["d503201f"],
        ["explain"] = ["getpid"],
        ["vdso extract"] = ["file"],
        ["vdso init"] = ["folder"],
        ["vdso build"] = ["folder"],
        ["model fit"] = ["folder"],
        ["model sensitivity"] = ["cortex-a53"],
        ["dump"] = ["file"],
        ["completion"] = ["bash"],
        ["kernel-truth"] = ["--kernel-image", "file"],
    };

    /// <summary>Values of the options of settings that differ from what holds without them.</summary>
    private static readonly Dictionary<string, string[]> Samples = new()
    {
        ["--cpus"] = ["3"],
        ["--cpu"] = ["cortex-a55"],
        ["--board"] = ["altra"],
        ["--core"] = ["neoverse-n1"],
        ["--engine"] = ["reference"],
        ["--check-engine"] = [],
        ["--timing"] = ["naive"],
        ["--vdso"] = ["none"],
        ["--vvar"] = ["no-such-layout"],
        ["--mend-egid"] = [],
        ["--kernel"] = ["kpti"],
        ["--preempt"] = ["full"],
        ["--nodes"] = ["2"],
        ["--root"] = ["/tmp"],
        ["--bind"] = ["/tmp:/mnt"],
        ["-E"] = ["A=B"],
        ["-U"] = ["HOME"],
        ["-0"] = ["name"],
        ["--cwd"] = ["/tmp"],
        ["--user"] = ["1:2"],
        ["--pid"] = ["7"],
        ["--pmu-user"] = [],
        ["--mem"] = ["64M"],
        ["--placement"] = ["1"],
        ["--va-bits"] = ["48"],
        ["--quantum"] = ["7"],
        ["--seed"] = ["7"],
        ["--clock-mhz"] = ["7"],
        ["--scheduler"] = ["eevdf"],
        ["--slice"] = ["7"],
        ["--epoch"] = ["7"],
        ["--uptime"] = ["7"],
        ["--counter-fault"] = ["trapped"],
        ["--suspend"] = ["1:1"],
        ["--max-cycles"] = ["7"],
        ["--timeout"] = ["7"],
        ["--max-tasks"] = ["7"],
        ["--max-fds"] = ["64"],
        ["--max-output"] = ["7K"],
    };

    private static IEnumerable<(string Path, CliCommand Command)> Commands(Command command, string path = "")
    {
        foreach (Command sub in command.Subcommands)
        {
            string name = path.Length == 0 ? sub.Name : $"{path} {sub.Name}";
            if (sub is CliCommand leaf)
                yield return (name, leaf);
            foreach ((string, CliCommand) below in Commands(sub, name))
                yield return below;
        }
    }

    private static string[] Line(string path, params string[] options) =>
        [.. path.Split(' '), .. options, .. Operands.GetValueOrDefault(path, [])];

    public static TheoryData<string> Paths { get; } = [.. Commands(CommandTree.Make()).Select(c => c.Path)];

    private static (RootCommand Root, CliCommand Command) Find(string path)
    {
        RootCommand root = CommandTree.Make();
        return (root, Commands(root).Single(c => c.Path == path).Command);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_option_and_argument_is_read(string path)
    {
        (RootCommand root, CliCommand command) = Find(path);
        ParseResult parsed = CommandTree.Parse(root, Line(path));
        Assert.Empty(parsed.Errors);
        var input = new CommandInput(parsed);
        command.Bind(input);
        Assert.Empty(command.Options.Where(o => !input.ReadSymbols.Contains(o)).Select(o => o.Name));
        Assert.Empty(command.Arguments.Where(a => !input.ReadSymbols.Contains(a)).Select(a => a.Name));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Options_of_other_commands_are_refused(string path)
    {
        (RootCommand root, CliCommand command) = Find(path);
        HashSet<string> own = [.. command.Options.SelectMany(o => o.Aliases.Append(o.Name))];
        foreach (Option option in Commands(root).SelectMany(c => c.Command.Options).DistinctBy(o => o.Name)
            .Where(o => !own.Contains(o.Name)))
        {
            string[] words = option.Arity.MinimumNumberOfValues > 0 ? [option.Name, "1"] : [option.Name];
            ParseResult parsed = CommandTree.Parse(root, Line(path, words));
            if (parsed.Errors.Count == 0)
                Assert.Equal(2, Assert.Throws<UserError>(() => command.Bind(new CommandInput(parsed))).Status);
        }
    }

    [Fact]
    public void Every_option_of_settings_changes_them()
    {
        OptionGroup[] Groups() =>
        [
            new CpuOptions(), new CoreOptions(), new EngineOptions(), new DesignOptions(), new KernelOptions(), new GuestOptions(),
            new MachineOptions(),
            new TimeOptions(), new LimitOptions(),
        ];
        string plain = Describe(Bound(Groups(), []));
        foreach (Option option in Groups().SelectMany(g => g.Options))
        {
            Assert.True(Samples.ContainsKey(option.Name), $"{option.Name} has no sample value here");
            string[] words = [option.Name, .. Samples[option.Name]];
            if (option.Name == "--vvar")
                Assert.Contains("vvar", Assert.Throws<UserError>(() => Bound(Groups(), words)).Message);
            else
                Assert.NotEqual(plain, Describe(Bound(Groups(), words)));
        }
    }

    private static SessionSettings Bound(OptionGroup[] groups, string[] words)
    {
        SessionSettings? settings = null;
        var command = new CliCommand("test", "", groups, [], [], input =>
        {
            settings = CliCommand.Settings(input, groups);
            return () => 0;
        });
        command.Bind(new CommandInput(command.Parse(words)));
        return settings!;
    }

    private static string Describe(SessionSettings settings)
    {
        static string Text(object? value) =>
            value is System.Collections.IEnumerable list and not string ? string.Join(',', list.Cast<object>()) : $"{value}";
        IEnumerable<System.Reflection.PropertyInfo> properties = typeof(SessionSettings).GetProperties().Where(p => !p.GetMethod!.IsStatic);
        return string.Join('\n', properties.Select(p => $"{p.Name}={Text(p.GetValue(settings))}"));
    }

    [Theory]
    [InlineData("--json", "run", "--json", "program")]
    [InlineData("--stats-format", "run", "--stats-format", "json", "program")]
    [InlineData("--konata-window", "run", "--konata-window", "0:1", "program")]
    [InlineData("--profile-format", "run", "--profile-format", "perf", "program")]
    [InlineData("--root", "trace", "--root", "/tmp")]
    [InlineData("--user", "kernel-path", "--user", "7")]
    [InlineData("--against", "syscalls", "--against", "none", "program")]
    [InlineData("--core", "syscalls", "--core", "cortex-a55")]
    [InlineData("--call", "explain", "--call", "3", "block.s")]
    [InlineData("--cold", "explain", "--cold", "getpid")]
    [InlineData("--brief", "check", "--brief")]
    [InlineData("--function", "check", "--exposure", "--function", "getpid")]
    [InlineData("--event", "check", "--mutants", "--event", "irq")]
    [InlineData("--mend-egid", "compare", "--vdso", "all", "--mend-egid")]
    [InlineData("--core", "check", "--core", "nonsense")]
    public void What_means_nothing_is_refused_in_one_line(string option, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(words);
        Assert.Equal(2, result.Status);
        Assert.Contains(option, result.Errors);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_core_names_its_profile_unless_another_is_given()
    {
        OptionGroup[] groups = [new CpuOptions(), new CoreOptions()];
        Assert.Equal("cortex-a53", Bound(groups, []).CpuProfileName);
        Assert.Equal("neoverse-n1", Bound(groups, ["--core", "neoverse-n1"]).CpuProfileName);
        Assert.Equal("max", Bound(groups, ["--core", "none"]).CpuProfileName);
        Assert.Equal("max", Bound(groups, ["--core", "neoverse-n1", "--cpu", "max"]).CpuProfileName);
    }
}
