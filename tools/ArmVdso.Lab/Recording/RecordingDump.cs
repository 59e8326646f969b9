using ArmVdso.Lab.Recording.Views;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Recording;

/// <summary>The forms that a recording can be shown in.</summary>
public static class RecordingDump
{
    private delegate void View(RecordingReader reader, IEnumerable<RecordedEvent> events, Stream output);

    private static readonly (string Name, string Meaning, bool IsBinary, View Write)[] s_views =
    [
        ("text", "a line an event, as perf script prints them", false, Lines(RecordingLines.Text)),
        ("json", "an object a line", false, (reader, events, output) => RecordingLines.Json(reader.Header, events, output)),
        ("csv", "a table", false, Lines(RecordingLines.Csv)),
        ("perfetto", "a trace for ui.perfetto.dev in its own form", true,
            (reader, events, output) => Timeline(reader.Header, new PerfettoTimeline(output, reader.Header.ClockHz), events)),
        ("chrome", "the Trace Event Format", false,
            (reader, events, output) => Timeline(reader.Header, new ChromeTimeline(output, reader.Header.ClockHz), events)),
        ("callgrind", "cycles by thread and call for callgrind_annotate and KCachegrind", false,
            Calls((header, calls, output) => Through(output, lines => CallTreeFiles.Callgrind(header, calls, lines)))),
        ("folded", "stacks for flame graphs", false,
            Calls((_, calls, output) => Through(output, lines => CallTreeFiles.Folded(calls, lines)))),
        ("speedscope", "stacks for speedscope.app", false,
            Calls(CallTreeFiles.Speedscope)),
        ("konata", "the pipeline, of a run with --konata-window", false, Pipeline),
    ];

    /// <summary>The forms' names, and what each is.</summary>
    public static IReadOnlyList<(string Name, string Meaning)> Views { get; } = [.. s_views.Select(v => (v.Name, v.Meaning))];

    /// <summary>Whether a form is nothing for a terminal.</summary>
    public static bool IsBinary(string view) => s_views.Single(v => v.Name == view).IsBinary;

    /// <summary>Shows a recording.</summary>
    /// <param name="reader">The recording.</param>
    /// <param name="view">A name of <see cref="Views"/>.</param>
    /// <param name="set">What is shown of it.</param>
    /// <param name="output">Where to.</param>
    /// <exception cref="LabException">The file is damaged.</exception>
    public static void Write(RecordingReader reader, string view, RecordedSet set, Stream output)
    {
        IEnumerable<RecordedEvent> events = reader.Events().Where(e => (RecordedKinds.SetOf(e.Kind) & set) != 0);
        s_views.Single(v => v.Name == view).Write(reader, events, output);
    }

    private static void Timeline(RecordingHeader header, ITimeline timeline, IEnumerable<RecordedEvent> events) =>
        new TimelineBuilder(header, timeline).Build(events);

    /// <summary>The name of the pipeline's part of a recording.</summary>
    public const string PipelinePart = "konata";

    private static void Pipeline(RecordingReader reader, IEnumerable<RecordedEvent> events, Stream output)
    {
        foreach (RecordedEvent _ in events)
            continue;
        output.Write(reader.Part(PipelinePart) ?? throw new LabException(
            "the recording has no pipeline: make it with --konata-window FROM:TO", LabFault.Input));
    }

    /// <summary>The name of the profile's part of a recording.</summary>
    public const string ProfilePart = "profile";

    /// <summary>Calls of functions where the run had --profile, else of what events tell of.</summary>
    private static View Calls(Action<RecordingHeader, CallNode, Stream> write) => (reader, events, output) =>
    {
        CallNode calls = RecordedCalls.Of(reader.Header, events);
        write(reader.Header, reader.Part(ProfilePart) is { } part ? CallTreePart.Read(part) : calls, output);
    };

    private static void Through(Stream output, Action<TextWriter> write)
    {
        using var lines = new StreamWriter(output, leaveOpen: true) { NewLine = "\n" };
        write(lines);
    }

    private static View Lines(Action<RecordingHeader, IEnumerable<RecordedEvent>, TextWriter> write) => (reader, events, output) =>
        Through(output, lines => write(reader.Header, events, lines));
}
