using ArmVdso.Lab;

namespace ArmVdso.Cli;

/// <summary>Makes the command line unambiguous for the parser: everything after PROGRAM belongs to the guest.</summary>
internal static class CommandLine
{
    private static readonly HashSet<string> WithProgram = ["run", "trace", "syscalls", "explain"];

    /// <summary>Options that take a value in the next word. --strace and --stats take one only with "=".</summary>
    private static readonly HashSet<string> TakesValue =
    [
        .. new SessionOptions().All().Where(o => o.ValueType != typeof(bool)).Select(o => o.Name),
        "--trace", "--append", "--what-if", "--output", "-o", "--stats-format", "--iterations", "--call", "--instructions", "--konata", "--konata-window", "--placements", "--against",
    ];

    /// <summary>Inserts "--" before the first operand of run, trace and isa record.</summary>
    internal static string[] Prepare(string[] args)
    {
        int first = args is ["isa", "record", ..] ? 2 : args.Length > 0 && WithProgram.Contains(args[0]) ? 1 : 0;
        if (first == 0)
            return args;
        // The target of explain comes before the program.
        int before = args[0] == "explain" ? 1 : 0;
        for (int i = first; i < args.Length; i++)
        {
            string word = args[i];
            if (word == "--")
                return args;
            if (word.StartsWith('-') && word.Length > 1)
            {
                if (TakesValue.Contains(word))
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
