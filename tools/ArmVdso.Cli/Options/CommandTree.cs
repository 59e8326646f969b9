using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using ArmVdso.Emulator;

namespace ArmVdso.Cli;

/// <summary>The commands, and how a command line is read.</summary>
internal static class CommandTree
{
    /// <summary>All commands.</summary>
    internal static RootCommand Make()
    {
        RootCommand root = MakeRoot();
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction();
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpText();
        help.Aliases.Clear();
        help.Aliases.Add("-h");
        return root;
    }

    /// <summary>The version of the command.</summary>
    internal static string Version { get; } =
        typeof(CommandTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The version, and the engine that this host gets.</summary>
    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            Console.Out.WriteLine($"armvdso {Version}");
            Console.Out.WriteLine(
                Machine.HasNativeEngine
                    ? "native engine (x64 code where no core is timed)"
                    : "portable engine: the native one needs Linux on x64 with AVX2, FMA, BMI2 and LZCNT");
            return 0;
        }
    }

    private static RootCommand MakeRoot() =>
        new("ArmVdso runs arm64 Linux programs on emulated CPUs, in cycles, and compares system calls with the vDSO.")
    {
        RunCommand.Make(),
        BootCommand.Make(),
        StatCommand.Make(),
        CompareCommand.Make(),
        TraceCommand.Make(),
        DumpCommand.Make(),
        ReportCommand.Make(),
        SweepCommand.Make(),
        KernelPathCommand.Make(),
        KernelTruthCommand.Make(),
        CheckCommand.Make(),
        ExplainCommand.Make(),
        ModelsCommand.Make(),
        ModelCommand.Make(),
        SyscallsCommand.Make(),
        VdsoCommand.Make(),
        YardsticksCommand.Make(),
        InfoCommands.MakeIsa(),
        CpusCommand.Make(),
        SetupCommand.MakeCompletion(),
        SetupCommand.Make(),
    };

    /// <summary>Parses a command line. No terminal colours, @file expansion or suggestions: arguments after PROGRAM are the guest's, to the
    /// letter.</summary>
    internal static ParseResult Parse(RootCommand root, string[] args) =>
        root.Parse(Prepare(root, args), new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>What may have been meant by a word that is no command and no option; empty: nothing is near.</summary>
    internal static string Hint(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        foreach (string word in parsed.UnmatchedTokens)
        {
            IEnumerable<string> known = word.StartsWith('-')
                ? command.Options.SelectMany(o => o.Aliases.Append(o.Name)) : command.Subcommands.Select(c => c.Name);
            if (Nearest.Hint(word.Split('=')[0], known) is { Length: > 0 } hint)
                return hint;
        }
        return "";
    }

    /// <summary>Makes the command line unambiguous for the parser: inserts "--" before the program of a command that runs one.</summary>
    private static string[] Prepare(RootCommand root, string[] args)
    {
        Command command = root;
        int first = 0;
        while (first < args.Length && command.Subcommands.FirstOrDefault(c => c.Name == args[first]) is { } next)
        {
            command = next;
            first++;
        }
        if (command is not CliCommand { OperandsBeforeProgram: { } before })
            return args;
        // Options that take a value in the next word; --strace and its like take one only with "=".
        HashSet<string> takesValue = [
            .. command.Options.Where(o => o.Arity.MinimumNumberOfValues > 0).SelectMany(o => o.Aliases.Append(o.Name))];
        for (int i = first; i < args.Length; i++)
        {
            string word = args[i];
            if (word == "--")
                return args;
            if (word.StartsWith('-') && word.Length > 1)
            {
                if (takesValue.Contains(word))
                    i++;
                continue;
            }
            if (before-- > 0)
                continue;
            return [.. args[..i], "--", .. args[i..]];
        }
        return args;
    }
}
