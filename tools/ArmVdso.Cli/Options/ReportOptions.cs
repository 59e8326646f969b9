using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>The options of what a run of a program and of a kernel both print besides their output: --stats, --profile, --trace.</summary>
/// <param name="booted">Of a booted kernel, which takes minutes: what makes it slow is only recorded when it is named.</param>
internal sealed class ReportOptions(bool booted)
{
    private readonly Option<string?> _stats =
        MayNameFile("--stats", "prints counts at the end, to a file when one is named (--stats=FILE)");

    private readonly Option<string> _format = new("--stats-format")
    {
        Description = "how --stats is written: perf (tables), gem5 (stats.txt), json",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => "perf",
    };

    private readonly Option<string?> _outdir = new("--outdir")
    {
        Description = "writes stats.txt and config.json into a folder, as gem5 does",
        HelpName = "DIR",
    };

    private readonly Option<bool> _json = new("--json") { Description = "same as --stats-format json" };

    private readonly Option<string?> _engineStats = MayNameFile(
        "--engine-stats", "prints what engine and memoised timing did at the end, to a file when one is named (--engine-stats=FILE)");

    private readonly Option<string?> _profile =
        MayNameFile("--profile", "prints cycles by function at the end, to a file when one is named (--profile=FILE); slow");

    private readonly Option<string> _profileFormat = new("--profile-format")
    {
        Description = "how --profile is written: table (functions and stalls), annotate (instructions and stalls), lines (of the "
            + "source, with -g), perf (perf report --stdio, with callers), callgrind, folded, speedscope",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => "table",
    };

    private readonly Option<string?> _trace = new("--trace")
    {
        Description = "records the run to a file that dump shows: switches, TPIDRRO_EL0, vDSO and system calls, signals, faults",
        HelpName = "FILE",
    };

    private readonly Option<string> _events = new("--trace-events")
    {
        Description = $"what is recorded: {RecordedSets.Words}; without vdso a run is much faster",
        HelpName = "SET",
        DefaultValueFactory = _ => booted ? RecordedSets.AllButVdso : "all",
    };

    private readonly Option<string> _size = new("--trace-size")
    {
        Description = "bytes after which nothing more is recorded; suffix K, M or G",
        HelpName = "SIZE",
        DefaultValueFactory = _ => "1G",
    };

    /// <summary>The options.</summary>
    internal IEnumerable<Option> Options =>
        [_stats, _format, _outdir, _engineStats, _profile, _profileFormat, _trace, _events, _size, _json];

    /// <summary>An option for a report: without a file it goes to stderr.</summary>
    internal static Option<string?> MayNameFile(string name, string description) =>
        new(name) { Description = description, HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>Reads them.</summary>
    internal ReportFiles Read(CommandInput input)
    {
        StatisticsFormat format = input.Word(
            _format, "format", ("perf", StatisticsFormat.Perf), ("gem5", StatisticsFormat.Gem5), ("json", StatisticsFormat.Json));
        var files = new ReportFiles
        {
            Stats = input.OptionalValue(_stats),
            Format = input.Value(_json) ? StatisticsFormat.Json : format,
            OutputFolder = input.Value(_outdir),
            EngineStats = input.OptionalValue(_engineStats),
            Profile = input.OptionalValue(_profile),
            ProfileFormat = input.Word(_profileFormat, "format", [.. ProfileFormats.All.Select(f => (f, f))]),
            Trace = input.Value(_trace),
            Events = RecordedSets.Parse(_events.Name, input.Text(_events)),
            TraceSize = MachineOptions.Size(_size.Name, input.Text(_size)),
        };
        if (files.Profile is null)
            input.Refuse("without --profile", _profileFormat);
        if (files.Trace is null)
            input.Refuse("without --trace", _events, _size);
        if (files.Stats is null)
            input.Refuse("without --stats", _format, _json);
        if (input.Value(_json))
            input.Refuse("with --json", _format);
        return files;
    }
}

/// <summary>What is written besides the guest's own output: file names; null: not at all, empty: stderr.</summary>
internal sealed record ReportFiles
{
    internal string? Stats { get; init; }

    internal StatisticsFormat Format { get; init; }

    internal string? OutputFolder { get; init; }

    internal string? EngineStats { get; init; }

    internal string? Profile { get; init; }

    internal string ProfileFormat { get; init; } = "";

    internal string? Trace { get; init; }

    internal RecordedSet Events { get; init; }

    internal ulong TraceSize { get; init; }

    private readonly Dictionary<string, TextWriter> _open = [];

    /// <summary>Opens the files before the run: what cannot be written is known then.</summary>
    /// <exception cref="UserError">One cannot be written.</exception>
    internal void Open()
    {
        foreach ((string option, string? file) in ((string, string?)[])[("--stats", Stats), ("--engine-stats", EngineStats),
            ("--profile", Profile)])
        {
            if (!string.IsNullOrEmpty(file) && !_open.ContainsKey(file))
                _open[file] = Terminal.Open(option, file);
        }
        if (Trace is not null)
            _recording = RecordedSets.Create(Trace);
        if (OutputFolder is { } folder)
            _outputs = OutputFolderFiles.Open(folder);
    }

    /// <summary>Begins the recording; null: there is none.</summary>
    /// <exception cref="UserError">It cannot be written.</exception>
    internal RecordingWriter? Record(RecordingHeader header) =>
        Trace is null ? null : new RecordingWriter($"--trace {Trace}", _recording!, header, TraceSize);

    private FileStream? _recording;
    private OutputFolderFiles? _outputs;

    private TextWriter Take(string? file) =>
        file is not null && _open.Remove(file, out TextWriter? writer) ? writer : Terminal.Open("the report", file);

    /// <summary>Writes what is written at the end of a run.</summary>
    /// <param name="settings">Settings of the run.</param>
    /// <param name="statistics">Its counts.</param>
    /// <param name="profile">Its profile, where there is one.</param>
    /// <param name="recorded">What the run is, as a recording says it.</param>
    /// <param name="booted">The kernel that was booted; null: the run was on the kernel model.</param>
    internal void Write(
        SessionSettings settings, RunStatistics statistics, CycleProfile? profile, RecordingHeader recorded, string? booted = null)
    {
        if (profile is not null)
        {
            using TextWriter profileOutput = Take(Profile);
            if (ProfileFormat == ProfileFormats.All[0])
                ProfileReport.Write(profileOutput, settings, profile.Functions(), booted);
            else
                ProfileFormats.Write(ProfileFormat, profileOutput, recorded, profile);
        }
        _outputs?.Write(settings, statistics, recorded, booted);
        if (EngineStats is not null)
        {
            using TextWriter engineOutput = Take(EngineStats);
            EngineReport.Write(engineOutput, statistics.Machine);
        }
        if (Stats is not null)
        {
            using TextWriter statsOutput = Take(Stats);
            StatisticsReport.Write(statsOutput, settings, statistics, Format, booted);
        }
    }
}
