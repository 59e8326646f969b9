using ArmVdso.Lab.Recording;

namespace ArmVdso.Cli;

/// <summary>armvdso dump: shows a recording.</summary>
internal static class DumpCommand
{
    internal static Command Make()
    {
        var file = new Argument<string?>("FILE") { Description = "a recording (run --trace FILE, boot --trace FILE)" };
        var view = new Option<string>("--as")
        {
            Description = string.Join("; ", RecordingDump.Views.Select(v => $"{v.Name}: {v.Meaning}")),
            HelpName = "FORM",
            DefaultValueFactory = _ => "text",
        };
        var only = new Option<string>("--only")
        {
            Description = $"shows some events only: {RecordedSets.Words}",
            HelpName = "SET",
            DefaultValueFactory = _ => "all",
        };
        var output = new Option<string?>("--output", "-o") { Description = "writes to a file", HelpName = "FILE" };
        return new CliCommand(
            "dump", "shows a recording as lines, or in the form of a viewer", [], [view, only, output], [file], input =>
            {
                string name = input.Operand(file)!;
                string form = input.Word(view, "form", [.. RecordingDump.Views.Select(v => (v.Name, v.Name))]);
                RecordedSet set = RecordedSets.Parse(only.Name, input.Text(only));
                string? target = input.Value(output);
                if (target is null && RecordingDump.IsBinary(form) && !Console.IsOutputRedirected)
                    throw CommandInput.Error($"--as {form} is nothing for a terminal: --output FILE");
                return () => Dump(name, form, set, target);
            });
    }

    private static int Dump(string file, string form, RecordedSet set, string? target)
    {
        using var reader = new RecordingReader(file);
        using (Stream output = target is null ? Console.OpenStandardOutput() : RecordedSets.Create(target))
        using (var buffered = new BufferedStream(output, 1 << 16))
            RecordingDump.Write(reader, form, set, buffered);
        if (!reader.Complete)
            Terminal.Log($"{file} has no end: its run was killed or goes on");
        else if (reader.LeftOut > 0)
            Terminal.Log($"{file}: {Text.Number(reader.LeftOut)} events more were left out, its size was bound (--trace-size)");
        return 0;
    }
}
