namespace ArmVdso.Cli;

/// <summary>A command as help, manual and completions describe it: all of it comes from its definition.</summary>
/// <param name="Path">Its words, without armvdso.</param>
/// <param name="Command">The definition.</param>
internal sealed record CommandTopic(string Path, Command Command)
{
    /// <summary>All commands that do something, in the order of their definition.</summary>
    internal static IEnumerable<CommandTopic> All(Command root, string path = "")
    {
        foreach (Command command in root.Subcommands.Where(c => !c.Hidden))
        {
            string name = path.Length == 0 ? command.Name : $"{path} {command.Name}";
            if (command is CliCommand)
                yield return new CommandTopic(name, command);
            foreach (CommandTopic below in All(command, name))
                yield return below;
        }
    }

    /// <summary>How it is called.</summary>
    internal string Usage
    {
        get
        {
            string options = Command.Options.Any(o => !o.Hidden) ? " [options]" : "";
            return string.Join(' ', [$"armvdso {Path}".TrimEnd() + options, .. Command.Arguments.Select(Operand)]);
        }
    }

    private static string Operand(Argument argument)
    {
        string name = argument.Arity.MaximumNumberOfValues > 1 ? argument.Name + "..." : argument.Name;
        return argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name;
    }

    /// <summary>The options, with what they have in common.</summary>
    internal IEnumerable<(string Title, IReadOnlyList<Option> Options)> Groups
    {
        get
        {
            IReadOnlyList<OptionGroup> groups = (Command as CliCommand)?.Groups ?? [];
            Option[] own = [.. Command.Options.Where(o => !o.Hidden && !groups.Any(g => g.Options.Contains(o)))];
            if (own.Length > 0)
                yield return ("Options", own);
            foreach (IGrouping<string, OptionGroup> group in groups.GroupBy(g => g.Title))
                yield return (group.Key, [.. group.SelectMany(g => g.Options).Where(o => !o.Hidden)]);
        }
    }

    /// <summary>Lines that call it.</summary>
    internal IReadOnlyList<string> Examples => CommandExamples.Of(Path);

    /// <summary>An option's names, the short one first.</summary>
    internal static IEnumerable<string> Names(Option option) =>
        option.Aliases.Append(option.Name).Distinct().OrderBy(n => n.Length);

    /// <summary>Whether an option takes a value, and whether it may do without.</summary>
    internal static (bool Takes, bool Needs) ValueOf(Option option) => (
        option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool), option.Arity.MinimumNumberOfValues > 0);

    /// <summary>An option with its value, as help writes it.</summary>
    internal static string Written(Option option)
    {
        (bool takes, bool needs) = ValueOf(option);
        string value = option.HelpName ?? "VALUE";
        return string.Join(", ", Names(option)) + (takes ? needs ? $" {value}" : $"[={value}]" : "");
    }

    /// <summary>What an option does, and its value when it is not given.</summary>
    internal static string Meaning(Option option)
    {
        string fallback = option.HasDefaultValue && option.GetDefaultValue() is string { Length: > 0 } value ? $" [{value}]" : "";
        return option.Description + fallback;
    }
}
