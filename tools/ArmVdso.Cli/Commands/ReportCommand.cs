using System.Text;
using System.Text.Json.Nodes;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Sweeps;

namespace ArmVdso.Cli;

/// <summary>armvdso report: one page of HTML about a program's run, a recording, or a sweep.</summary>
internal static class ReportCommand
{
    private static readonly (string Word, ReportPart Part)[] s_parts =
        [("path", ReportPart.Path), ("designs", ReportPart.Designs), ("ranges", ReportPart.Ranges), ("accuracy", ReportPart.Accuracy)];

    internal static Command Make()
    {
        var output = new Option<string>("--output", "-o")
        {
            Description = "the page",
            HelpName = "FILE",
            DefaultValueFactory = _ => "report.html",
        };
        var parts = new Option<string>("--parts")
        {
            Description = $"what is measured besides the run: all, none, or of {string.Join(",", s_parts.Select(p => p.Word))}",
            HelpName = "SET",
            DefaultValueFactory = _ => "all",
        };
        var designs = new Option<string>("--designs")
        {
            Description = "designs that are put side by side, in one word, separated by spaces",
            HelpName = "\"DESIGN...\"",
            DefaultValueFactory = _ => "all",
        };
        var schedule = new Option<string[]>("--schedule")
        {
            Description = "draws a schedule of check, by its ID, or the failing ones of what check --json wrote (repeatable)",
            HelpName = "ID|FILE",
            AllowMultipleArgumentsPerToken = false,
        };
        var events = new Option<string>("--events")
        {
            Description = "events that the timeline has; those that come later are counted",
            HelpName = "N",
            DefaultValueFactory = _ => "200000",
        };
        var target = new Argument<string?>("PROGRAM")
        {
            Description = "a program to run, a recording (run --trace, boot --trace), or results of a sweep (sweep --results)",
            Arity = ArgumentArity.ExactlyOne,
        };
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        OptionGroup[] groups = OptionGroup.OfRun();
        return new CliCommand(
            "report", "writes a page of HTML about a run: calls, cycles, designs side by side, CPUs over time, accuracy", groups,
            [output, parts, designs, schedule, events], [target, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[] words = input.Program(target, arguments)!;
                string[] named = input.Named(designs, VdsoDesigns.Names);
                foreach (string design in named)
                    DesignOptions.Check(designs.Name, design);
                string file = input.Text(output);
                var builder = new ReportBuilder(
                    settings, Parts(parts.Name, input.Text(parts)), named, input.Words(schedule),
                    (long)input.Number(events, 1, 10_000_000));
                ReportSubject subject = SubjectOf(words[0]);
                if (subject != ReportSubject.Program)
                {
                    input.Refuse("for a file, which says what it is of", groups.SelectMany(g => g.Options));
                    if (words.Length > 1)
                        throw CommandInput.Error("ARG means nothing for a file of results");
                }
                if (subject == ReportSubject.Sweep)
                    input.Refuse("for a sweep", parts, designs, schedule, events);
                return () => Report(subject, words, file, builder);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static ReportPart Parts(string option, string text)
    {
        ReportPart parts = 0;
        foreach (string word in text.Split(','))
        {
            (string Word, ReportPart Part)[] known = [.. s_parts, ("all", ReportPart.All), ("none", 0)];
            if (!known.Any(k => k.Word == word))
            {
                string hint = Nearest.Hint(word, known.Select(k => k.Word));
                throw CommandInput.Error(
                    $"{option}: there is no part '{word}'{hint}; known: {string.Join(", ", known.Select(k => k.Word))}");
            }
            parts |= known.First(k => k.Word == word).Part;
        }
        return parts;
    }

    /// <summary>What a report is of.</summary>
    private enum ReportSubject
    {
        Program,
        Recording,
        Sweep,
    }

    private static ReportSubject SubjectOf(string file) => BeginsWith(file, RecordingReader.FirstWord) ? ReportSubject.Recording
        : BeginsWith(file, Encoding.UTF8.GetBytes(SweepResults.FirstWord)) ? ReportSubject.Sweep : ReportSubject.Program;

    private static bool BeginsWith(string file, ReadOnlySpan<byte> word)
    {
        if (!File.Exists(file))
            return false;
        try
        {
            using FileStream stream = File.OpenRead(file);
            var first = new byte[word.Length];
            return stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && first.AsSpan().SequenceEqual(word);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.NotFound);
        }
    }

    private static int Report(ReportSubject subject, string[] words, string file, ReportBuilder builder)
    {
        // What cannot be written is known before the run.
        using TextWriter page = Terminal.Open("-o", file);
        string title;
        if (subject == ReportSubject.Recording)
        {
            using var reader = new RecordingReader(words[0]);
            title = string.Join(' ', reader.Header.Arguments);
            builder.OfRecording(reader);
        }
        else if (subject == ReportSubject.Sweep)
        {
            title = Path.GetFileName(words[0]);
            builder.Data["sweep"] = SweepFigures.ToJson(new SweepResults(words[0]).All(), []);
        }
        else
        {
            title = string.Join(' ', words);
            using Stream input = StandardStream.Open(0), output = StandardStream.Open(1), error = StandardStream.Open(2);
            builder.OfProgram(words, Terminal.Hooks(input, output, error));
        }
        JsonObject data = builder.Data;
        data["title"] = title;
        data["command"] = string.Join(' ', ["armvdso", .. Environment.GetCommandLineArgs().Skip(1)]);
        data["made_by"] = CommandTree.Version;
        ReportPage.Write(page, $"{title} - armvdso", data, builder.Timeline);
        return 0;
    }
}
