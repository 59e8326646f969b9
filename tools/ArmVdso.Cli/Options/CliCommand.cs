namespace ArmVdso.Cli;

/// <summary>A command. It first reads all that it accepts (<see cref="Bind"/>), which finds every error of the command line, and then
/// runs.</summary>
internal sealed class CliCommand : Command
{
    private readonly Func<CommandInput, Func<int>> _bind;

    /// <summary>Makes a command.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">One line.</param>
    /// <param name="groups">Groups of options, in the order in which they change the settings.</param>
    /// <param name="options">Options of its own.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="bind">Reads the command line; what it returns runs the command and returns the exit status.</param>
    internal CliCommand(
        string name, string description, IEnumerable<OptionGroup> groups, IEnumerable<Option> options, IEnumerable<Argument> arguments,
        Func<CommandInput, Func<int>> bind)
        : base(name, description)
    {
        _bind = bind;
        Groups = [.. groups];
        foreach (Option option in Groups.SelectMany(g => g.Options).Concat(options))
            Options.Add(option);
        foreach (Argument argument in arguments)
            Arguments.Add(argument);
        SetAction(result => Bind(new CommandInput(result))());
    }

    /// <summary>Whether everything after the first operands belongs to a guest; how many operands come before it.</summary>
    internal int? OperandsBeforeProgram { get; init; }

    /// <summary>Its groups of options.</summary>
    internal IReadOnlyList<OptionGroup> Groups { get; }

    /// <summary>Reads the command line.</summary>
    /// <returns>Runs the command; its exit status.</returns>
    /// <exception cref="UserError">The command line cannot be used.</exception>
    internal Func<int> Bind(CommandInput input) => _bind(input);

    /// <summary>An option for output that programs read.</summary>
    internal static Option<bool> Json() => new("--json") { Description = "output for programs" };

    /// <summary>The program that a command runs.</summary>
    internal static Argument<string?> Program(string description, bool required = false) => new("PROGRAM")
    {
        Description = description,
        Arity = required ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
    };

    /// <summary>What the program is given.</summary>
    internal static Argument<string[]> ProgramArguments() => new("ARG")
    {
        Description = "its arguments",
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>The settings that groups of options make.</summary>
    internal static SessionSettings Settings(CommandInput input, IEnumerable<OptionGroup> groups, SessionSettings? start = null) =>
        groups.Aggregate(start ?? new SessionSettings(), (settings, group) => group.Apply(input, settings));
}
