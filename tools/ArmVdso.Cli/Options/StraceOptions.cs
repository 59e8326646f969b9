using System.Text.RegularExpressions;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Cli;

/// <summary>--strace, and strace's own letters behind --strace-opts: several of them mean something else to run.</summary>
internal sealed class StraceOptions
{
    private readonly Option<string?> _strace = ReportOptions.MayNameFile(
        "--strace", "prints system calls as strace -f does, to a file when one is named (--strace=FILE)");

    private readonly Option<string?> _words = new("--strace-opts")
    {
        Description = "strace's letters for --strace, in one word: -c -C -e trace=SET -e status=SET -e signal=SET -e vdso -o FILE -q "
            + "-r -s N -t -T -y (-f holds always)",
        HelpName = "\"LETTERS\"",
    };

    /// <summary>The options.</summary>
    internal IEnumerable<Option> Options => [_strace, _words];

    /// <summary>Reads them.</summary>
    /// <returns>The file (empty: stderr) and what is shown; null: nothing.</returns>
    internal (string File, StraceSettings Settings)? Read(CommandInput input)
    {
        string? file = input.OptionalValue(_strace), words = input.Value(_words);
        if (file is ['-', ..])
            throw CommandInput.Error($"--strace: '{file}' is no file name; letters belong into --strace-opts");
        if (words is null)
            return file is null ? null : (file, new StraceSettings());
        var settings = new StraceSettings();
        string[] list = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < list.Length; i++)
            settings = Letters(list, ref i, settings, ref file);
        return (file ?? "", settings);
    }

    private static StraceSettings Letters(string[] list, ref int i, StraceSettings settings, ref string? file)
    {
        string word = list[i];
        if (word is not ['-', _, ..])
            throw CommandInput.Error($"--strace-opts: '{word}' is no letter of strace");
        for (int at = 1; at < word.Length; at++)
        {
            char letter = word[at];
            if (letter is 'e' or 'o' or 's')
            {
                string value = at + 1 < word.Length ? word[(at + 1)..] : ++i < list.Length ? list[i]
                    : throw CommandInput.Error($"--strace-opts: -{letter} without its value");
                if (letter == 'o')
                {
                    if (value.StartsWith('-'))
                        throw CommandInput.Error($"--strace-opts: -o: '{value}' is no file name");
                    file = value;
                    return settings;
                }
                return letter == 'e'
                    ? Expression(value, settings)
                    : settings with { StringLength = (int)CommandInput.Number("--strace-opts: -s", value, 0, 1 << 20) };
            }
            settings = Letter(letter, settings);
        }
        return settings;
    }

    private static StraceSettings Letter(char letter, StraceSettings settings) => letter switch
    {
        'f' => settings,
        'c' => settings with { Summary = true, Lines = false },
        'C' => settings with { Summary = true },
        'q' => settings with { Quiet = true },
        'r' => settings with { Stamp = StraceStamp.Relative },
        't' => settings with
        {
            Stamp = settings.Stamp switch
            {
                StraceStamp.Seconds => StraceStamp.Microseconds,
                StraceStamp.Microseconds => StraceStamp.Epoch,
                _ => StraceStamp.Seconds,
            },
        },
        'T' => settings with { Durations = true },
        'y' => settings with { Paths = true },
        'z' => settings with { Statuses = new HashSet<string> { "successful" } },
        'Z' => settings with { Statuses = new HashSet<string> { "failed" } },
        _ => throw CommandInput.Error($"--strace-opts: there is no letter -{letter} here; --help shows them"),
    };

    private static StraceSettings Expression(string text, StraceSettings settings)
    {
        string[] parts = text.Split('=', 2);
        try
        {
            if (parts is ["vdso"])
                return settings with { Vdso = true };
            string set = parts[^1];
            switch (parts.Length == 1 ? "trace" : parts[0])
            {
                case "trace" or "t":
                    return settings with { Calls = StraceFilter.Calls(set) };
                case "signal" or "signals" or "s":
                    return settings with { Signals = StraceFilter.Signals(set) };
                case "status":
                    string[] words = set.Split(',');
                    if (words.FirstOrDefault(w => !StraceFilter.Statuses.Contains(w)) is { } unknown)
                        throw new ArgumentException($"there is no status '{unknown}'; known: {string.Join(", ", StraceFilter.Statuses)}");
                    return settings with { Statuses = words.ToHashSet() };
                default:
                    throw new ArgumentException($"there is no '{parts[0]}='; known: trace, signal, status, vdso");
            }
        }
        catch (RegexParseException e)
        {
            throw CommandInput.Error($"--strace-opts: -e: {e.Message}");
        }
        catch (ArgumentException e)
        {
            throw CommandInput.Error($"--strace-opts: -e: {e.Message}");
        }
    }
}
