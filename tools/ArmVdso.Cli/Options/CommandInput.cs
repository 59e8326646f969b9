using System.Globalization;

namespace ArmVdso.Cli;

/// <summary>A parsed command line as a command reads it. It remembers what was read: an option that a command accepts and does not read
/// would be accepted without a meaning, and a test finds it.</summary>
internal sealed class CommandInput(ParseResult result)
{
    private readonly HashSet<Symbol> _read = [];

    /// <summary>The options and arguments that were read.</summary>
    internal IReadOnlySet<Symbol> ReadSymbols => _read;

    /// <summary>The value of an option.</summary>
    internal T? Value<T>(Option<T> option)
    {
        _read.Add(option);
        return result.GetValue(option);
    }

    /// <summary>The value of an argument.</summary>
    internal T? Value<T>(Argument<T> argument)
    {
        _read.Add(argument);
        return result.GetValue(argument);
    }

    /// <summary>The value of an option of text that has a default.</summary>
    internal string Text(Option<string> option) => Value(option) ?? "";

    /// <summary>Names in one word, separated by spaces.</summary>
    /// <param name="text">The word.</param>
    /// <param name="all">Those that "all" stands for.</param>
    internal static string[] Names(string text, IReadOnlyList<string> all) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(n => n == "all" ? all : (IReadOnlyList<string>)[n])];

    /// <summary>The names of an option that takes several in one word.</summary>
    /// <exception cref="UserError">There is none.</exception>
    internal string[] Named(Option<string> option, IReadOnlyList<string> all) =>
        Names(Text(option), all) is { Length: > 0 } names ? names : throw Error($"{option.Name} names none");

    /// <summary>The words of an option that may be given several times.</summary>
    internal string[] Words(Option<string[]> option) => Value(option) ?? [];

    /// <summary>The words of an argument.</summary>
    /// <exception cref="UserError">One of them looks like an option, which the command does not have.</exception>
    internal string[] Operands(Argument<string[]> argument) => [.. (Value(argument) ?? []).Select(Operand)];

    /// <summary>The word of an argument; null when it may be left out and is.</summary>
    /// <exception cref="UserError">It looks like an option, which the command does not have.</exception>
    internal string? Operand(Argument<string?> argument) => Value(argument) is { } word ? Operand(word) : null;

    private string Operand(string word) => word is ['-', _, ..]
        ? throw Error($"there is no option '{word}' here{Nearest.Hint(word.Split('=')[0], OptionNames)}; --help shows the options") : word;

    private IEnumerable<string> OptionNames => result.CommandResult.Command.Options.SelectMany(o => o.Aliases.Append(o.Name));

    /// <summary>The value of an option that may be given without one: null: it is not given; empty: without a value.</summary>
    internal string? OptionalValue(Option<string?> option)
    {
        string? value = Value(option);
        return Given(option) ? value ?? "" : null;
    }

    /// <summary>Whether an option is on the command line itself.</summary>
    internal bool Given(Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>A number.</summary>
    /// <exception cref="UserError">It is none, or out of range.</exception>
    internal ulong Number(Option<string> option, ulong minimum, ulong maximum) => Number(option.Name, Text(option), minimum, maximum);

    /// <summary>A number in a part of an option's value.</summary>
    /// <exception cref="UserError">It is none, or out of range.</exception>
    internal static ulong Number(string option, string text, ulong minimum, ulong maximum) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value >= minimum && value <= maximum
            ? value
            : throw Error($"{option}: '{text}' is not a number from {minimum} to {maximum}");

    /// <summary>One of some words.</summary>
    /// <exception cref="UserError">It is another word.</exception>
    internal T Word<T>(Option<string> option, string what, params (string Word, T Meaning)[] known)
    {
        string text = Text(option);
        foreach ((string word, T meaning) in known)
        {
            if (word == text)
                return meaning;
        }
        string hint = Nearest.Hint(text, known.Select(k => k.Word));
        throw Error($"{option.Name}: there is no {what} '{text}'{hint}; known: {string.Join(", ", known.Select(k => k.Word))}");
    }

    /// <summary>The program that a command runs, with its arguments; null when there is none. Everything after its name is its
    /// own.</summary>
    internal string[]? Program(Argument<string?> program, Argument<string[]> arguments)
    {
        string? name = Operand(program);
        string[] rest = Value(arguments) ?? [];
        if (name is { Length: 0 })
            throw Error("PROGRAM is empty");
        return name is null ? null : [name, .. rest];
    }

    /// <summary>Refuses options that mean nothing here.</summary>
    /// <param name="why">When they would mean something, as "without PROGRAM".</param>
    /// <param name="options">The options.</param>
    /// <exception cref="UserError">One of them is given.</exception>
    internal void Refuse(string why, params IEnumerable<Option> options)
    {
        if (options.FirstOrDefault(Given) is { } given)
            throw Error($"{given.Name} means nothing {why}");
    }

    /// <summary>An error of the command line.</summary>
    internal static UserError Error(string message) => new(message, ExitStatus.Usage);
}
