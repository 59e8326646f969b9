using System.CommandLine.Invocation;

namespace ArmVdso.Cli;

/// <summary>--help: options in groups, examples last.</summary>
internal sealed class HelpText : SynchronousCommandLineAction
{
    private const int Width = 100, Column = 26;

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        Command command = parseResult.CommandResult.Command;
        var words = new List<string>();
        for (Symbol? at = command; at is Command and not RootCommand; at = at.Parents.OfType<Command>().FirstOrDefault())
            words.Insert(0, at.Name);
        Write(Console.Out, new CommandTopic(string.Join(' ', words), command));
        return 0;
    }

    /// <summary>Writes the help of a command.</summary>
    internal static void Write(TextWriter output, CommandTopic topic)
    {
        output.WriteLine(topic.Path.Length == 0 ? topic.Command.Description : $"armvdso {topic.Path}: {topic.Command.Description}");
        output.WriteLine();
        Command[] below = [.. topic.Command.Subcommands.Where(c => !c.Hidden)];
        output.WriteLine(below.Length > 0 ? $"Usage: {$"armvdso {topic.Path}".TrimEnd()} COMMAND [options]" : $"Usage: {topic.Usage}");
        if (topic.Command.Arguments.Count > 0)
        {
            output.WriteLine();
            foreach (Argument argument in topic.Command.Arguments)
                Item(output, argument.Name, argument.Description ?? "");
        }
        if (below.Length > 0)
        {
            output.WriteLine();
            output.WriteLine("Commands:");
            foreach (Command command in below)
                Item(output, command.Name, command.Description ?? "");
        }
        foreach ((string title, IReadOnlyList<Option> options) in topic.Groups)
        {
            output.WriteLine();
            output.WriteLine($"{title}:");
            foreach (Option option in options)
                Item(output, CommandTopic.Written(option), CommandTopic.Meaning(option));
        }
        if (topic.Examples.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine("Examples:");
        foreach (string line in topic.Examples)
            output.WriteLine($"  {line}");
    }

    private static void Item(TextWriter output, string name, string meaning)
    {
        string line = $"  {name}".PadRight(Column);
        if (line.Length > Column || !line.EndsWith(' '))
        {
            output.WriteLine(line.TrimEnd());
            line = "".PadRight(Column);
        }
        foreach (string word in meaning.Split(' '))
        {
            if (line.Length + word.Length > Width && line.Trim().Length > 0)
            {
                output.WriteLine(line.TrimEnd());
                line = "".PadRight(Column);
            }
            line += word + " ";
        }
        output.WriteLine(line.TrimEnd());
    }
}
