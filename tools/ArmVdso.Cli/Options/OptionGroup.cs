namespace ArmVdso.Cli;

/// <summary>Options that belong together: each is declared once, here, and a command has the groups that mean something to it. Each
/// option has an environment twin: ARMVDSO_ and its name in capitals, so --cpus is ARMVDSO_CPUS.</summary>
internal abstract class OptionGroup
{
    /// <summary>The options, in the order of the help.</summary>
    internal abstract IReadOnlyList<Option> Options { get; }

    /// <summary>What the options are of, for help.</summary>
    internal abstract string Title { get; }

    /// <summary>The settings with what the options say.</summary>
    /// <exception cref="UserError">A value cannot be used.</exception>
    internal abstract SessionSettings Apply(CommandInput input, SessionSettings settings);

    /// <summary>An option with a value; the twin's value, else the fallback, when it is not given.</summary>
    protected static Option<string> Text(string name, string fallback, string description, string argument) => new(name)
    {
        Description = description,
        HelpName = argument,
        DefaultValueFactory = _ => Twin(name) ?? fallback,
    };

    /// <summary>An option without a value; the twin's value 1 or true gives it.</summary>
    protected static Option<bool> Flag(string name, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => Twin(name) is "1" or "true",
    };

    /// <summary>An option that may be given several times; it has no twin.</summary>
    protected static Option<string[]> Repeated(string name, string description, string argument) => new(name)
    {
        Description = description,
        HelpName = argument,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>The groups of a command that runs a program; those given in place of the usual ones.</summary>
    internal static OptionGroup[] OfRun(CpuOptions? cpu = null, DesignOptions? design = null, GuestOptions? guest = null) =>
    [
        cpu ?? new CpuOptions(), new CoreOptions(), new EngineOptions(), design ?? new DesignOptions(), new KernelOptions(),
        guest ?? new GuestOptions(), new MachineOptions(), new TimeOptions(), new LimitOptions(),
    ];

    /// <summary>What the environment twin of an option says; null: nothing.</summary>
    protected static string? Twin(string name)
    {
        string? text = Environment.GetEnvironmentVariable("ARMVDSO_" + name.TrimStart('-').Replace('-', '_').ToUpperInvariant());
        return string.IsNullOrEmpty(text) ? null : text;
    }
}
