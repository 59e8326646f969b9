namespace ArmVdso.Cli;

/// <summary>armvdso(1) in the macros of man(7), made from the definitions of the commands.</summary>
internal static class ManPage
{
    /// <summary>Writes the page.</summary>
    internal static void Write(TextWriter output, Command root, string version)
    {
        output.Write($".TH ARMVDSO 1 \"\" \"armvdso {version}\" \"User Commands\"\n");
        output.Write(".SH NAME\narmvdso \\- runs arm64 Linux programs on emulated CPUs, in cycles\n");
        output.Write(".SH SYNOPSIS\n.B armvdso\n.I COMMAND\n[options] ...\n");
        output.Write(".SH DESCRIPTION\n");
        output.Write(Escaped(root.Description ?? "") + "\n");
        output.Write("Cycles come from models of cores; the instructions were executed.\n");
        output.Write("Each option of the groups that several commands have can be given by an environment variable, too: ARMVDSO_ and its\n"
            + "name in capitals, as in ARMVDSO_CPUS=4.\n");
        foreach (CommandTopic topic in CommandTopic.All(root))
            Write(output, topic);
        output.Write(".SH EXIT STATUS\n");
        (string, string)[] statuses =
        [
            ("0 to 123", "the guest's"), ("128 + N", "signal N ended the guest"), ("2", "the command line cannot be used"),
            ("124", "a limit was reached"), ("125", "the emulator failed"), ("126", "the program is none that can be run"),
            ("127", "the program was not found"),
        ];
        foreach ((string status, string meaning) in statuses)
            output.Write($".TP\n.B {Escaped(status)}\n{Escaped(meaning)}\n");
        output.Write(".SH SEE ALSO\n.BR qemu-aarch64 (1),\n.BR strace (1),\n.BR perf-stat (1),\n.BR vdso (7)\n");
    }

    private static void Write(TextWriter output, CommandTopic topic)
    {
        output.Write($".SH {Escaped(topic.Path.ToUpperInvariant())}\n.B {Escaped(topic.Usage)}\n.PP\n");
        output.Write($"{Escaped(topic.Command.Description ?? "")}.\n");
        foreach (Argument argument in topic.Command.Arguments)
            output.Write($".TP\n.I {Escaped(argument.Name)}\n{Escaped(argument.Description ?? "")}\n");
        foreach ((string title, IReadOnlyList<Option> options) in topic.Groups)
        {
            output.Write($".SS {Escaped(title)}\n");
            foreach (Option option in options)
                output.Write($".TP\n.B {Escaped(CommandTopic.Written(option))}\n{Escaped(CommandTopic.Meaning(option))}\n");
        }
        if (topic.Examples.Count == 0)
            return;
        output.Write(".SS Examples\n.nf\n");
        foreach (string line in topic.Examples)
            output.Write(Escaped(line) + "\n");
        output.Write(".fi\n");
    }

    /// <summary>A text in which nothing is a request of roff.</summary>
    private static string Escaped(string text)
    {
        string safe = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return safe is ['.' or '\'', ..] ? "\\&" + safe : safe;
    }
}
