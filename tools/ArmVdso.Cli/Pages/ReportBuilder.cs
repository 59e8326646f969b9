using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;
using ArmVdso.Lab.KernelPath;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Workloads;
using ArmVdso.Yardsticks;

namespace ArmVdso.Cli;

/// <summary>Parts of a report that take time of their own, besides the run.</summary>
[Flags]
internal enum ReportPart
{
    /// <summary>What system calls execute, by part; of a recording, of the short calls of a guest of ours.</summary>
    Path = 1,

    /// <summary>Designs side by side, and what they would serve.</summary>
    Designs = 2,

    /// <summary>Cycles at the ends of the calibrated ranges.</summary>
    Ranges = 4,

    /// <summary>The core's model against measured figures.</summary>
    Accuracy = 8,

    /// <summary>All.</summary>
    All = 15,
}

/// <summary>Gathers the figures of a report; what does not depend on each other is measured at the same time.</summary>
/// <param name="settings">Settings of the run.</param>
/// <param name="parts">What is measured besides the run.</param>
/// <param name="designs">Designs that are put side by side.</param>
/// <param name="schedules">Schedules of check that are drawn: IDs, or files of check --json.</param>
/// <param name="mostEvents">Events that the timeline has.</param>
internal sealed class ReportBuilder(
    SessionSettings settings, ReportPart parts, IReadOnlyList<string> designs, IReadOnlyList<string> schedules, long mostEvents)
{
    private readonly List<(string Key, Task<JsonNode?> Figures)> _running = [];

    private Task<DesignsResult>? _designs;

    /// <summary>The figures.</summary>
    internal JsonObject Data { get; } = [];

    /// <summary>The timeline's JSON; null: there is none.</summary>
    internal string? Timeline { get; private set; }

    /// <summary>Runs a program, and measures the rest meanwhile.</summary>
    /// <exception cref="LabException">It cannot be run.</exception>
    internal void OfProgram(IReadOnlyList<string> program, SessionHooks hooks)
    {
        Begin(settings);
        string file = Path.GetTempFileName();
        try
        {
            ObservedRun run;
            using (FileStream recording = File.Create(file))
                run = new ArmVdsoLab(settings).Observe(program, "the recording", recording, hooks);
            using var reader = new RecordingReader(file);
            TakeTimeline(reader, null);
            Data["machine"] = Machine(run.Header);
            Data["run"] = Run(run.Counts, run.Header);
            var calls = CallSection.Of(run.Counts);
            if (parts.HasFlag(ReportPart.Path) && run.Paths.Calls.Count > 0)
            {
                JsonObject path = KernelPathReport.ToJson(run.Paths);
                path["source"] =
                    "The typical warm call of each name in this run; calls that an interrupt or a switch disturbed are left out.";
                Data["path"] = path;
            }
            Finish(calls);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Reads a recording, and measures what belongs to its core meanwhile.</summary>
    /// <exception cref="LabException">It is damaged.</exception>
    internal void OfRecording(RecordingReader reader)
    {
        RecordingHeader header = reader.Header;
        SessionSettings like = Like(header);
        Begin(like);
        if (parts.HasFlag(ReportPart.Path))
        {
            Start("path", () =>
            {
                JsonObject path = KernelPathReport.ToJson(new ArmVdsoLab(like with { Cpus = 1, Nodes = 1 }).MeasureKernelPath());
                path["source"] = "Warm calls of a guest of short system calls on this core and kernel.";
                return path;
            });
        }
        var calls = new CallSection();
        TakeTimeline(reader, calls);
        Data["machine"] = Machine(header);
        Data["run"] = new JsonObject
        {
            ["clock_hz"] = header.ClockHz,
            ["seconds"] = (double)_end / header.ClockHz,
        };
        Finish(calls);
    }

    private SessionSettings Like(RecordingHeader header)
    {
        SessionSettings like = settings with { Core = header.Core, Cpu = header.Profile, Cpus = header.Cpus, Seed = header.Seed };
        if (header.Design.Length > 0)
            like = like with { Vdso = header.Design };
        return KernelConfiguration.Parse(header.Kernel, like.KernelConfiguration, out _) is { } kernel
            ? like with { Kernel = kernel } : like;
    }

    private ulong _end;

    private void TakeTimeline(RecordingReader reader, CallSection? calls)
    {
        var timeline = new TimelineData(reader.Header, mostEvents);
        foreach (RecordedEvent e in reader.Events())
        {
            timeline.Take(e);
            calls?.Take(e);
            _end = Math.Max(_end, e.Cycle);
        }
        Timeline = timeline.ToJson(reader.Complete, reader.LeftOut);
    }

    private static JsonObject Machine(RecordingHeader header) => new()
    {
        ["core"] = header.Core,
        ["cpu_profile"] = header.Profile,
        ["cpus"] = header.Cpus,
        ["design"] = header.Design,
        ["kernel"] = header.Kernel.Length > 0 ? header.Kernel : "booted",
        ["seed"] = header.Seed,
    };

    private static JsonObject Run(WorkloadRun run, RecordingHeader header) => new()
    {
        ["status"] = run.EndedBy is null ? run.Status : null,
        ["ended_by"] = run.EndedBy?.Message,
        ["instructions"] = run.Instructions,
        ["busy_cycles"] = run.BusyCycles,
        ["charged_share"] = run.BusyCycles == 0 ? 0 : (double)run.ChargedCycles / run.BusyCycles,
        ["clock_hz"] = header.ClockHz,
        ["seconds"] = (double)run.ElapsedCycles / header.ClockHz,
    };

    private void Start(string key, Func<JsonNode?> measure) => _running.Add((key, Task.Run(measure)));

    /// <summary>Begins what belongs to the core and needs no run.</summary>
    private void Begin(SessionSettings like)
    {
        // First, since an ID that is none is an error of the command line.
        if (schedules.Count > 0)
            Data["schedules"] = DrawnSchedules.Draw(schedules, settings);
        var lab = new ArmVdsoLab(like);
        if (parts.HasFlag(ReportPart.Designs))
        {
            _designs = Task.Run(() => lab.CompareDesigns(designs));
            Start("designs", () => new DesignReport(_designs.Result).ToJson());
        }
        if (parts.HasFlag(ReportPart.Ranges) && like.Core != CoreModel.None.Name)
            Start("ranges", () => ComparisonReport.ToJson(lab.Compare()));
        if (parts.HasFlag(ReportPart.Accuracy) && like.Core != CoreModel.None.Name)
            Start("accuracy", () => Accuracy(like.Core));
    }

    private void Finish(CallSection calls)
    {
        Data["calls"] = calls.ToJson();
        foreach ((string key, Task<JsonNode?> figures) in _running)
        {
            Terminal.Progress($"report: {key}");
            Data[key] = figures.GetAwaiter().GetResult();
        }
        if (_designs is not null)
            Data["serves"] = calls.Serves(_designs.Result);
    }

    private static JsonObject Accuracy(string core)
    {
        string bare = core.Split('@')[0];
        string[] sets = [.. ArmVdsoLab.Yardsticks.Where(s => s.Cores.Contains(bare)).Select(s => s.Name)];
        var results = new JsonArray();
        foreach (YardstickResult r in sets.Length == 0 ? [] : ArmVdsoLab.Measure(sets, null, bare))
        {
            results.Add((JsonNode)new JsonObject
            {
                ["set"] = r.Set,
                ["metric"] = r.Metric,
                ["value"] = r.Value,
                ["format"] = r.Result.EndsWith('%') ? "percent" : r.Value is { } value && value == Math.Floor(value) ? "int" : "two",
                ["reach"] = r.Reach,
                ["within"] = r.Reached,
                ["rows"] = r.Rows.Count,
                ["left_out"] = r.Unmapped.Count,
                ["source"] = ArmVdsoLab.Yardsticks.Single(s => s.Name == r.Set).Source,
            });
        }
        CoreModel model = CoreModel.Load(core);
        var evidence = new JsonArray();
        foreach (IGrouping<string, string> group in model.Parameters.Select(p => p.Evidence).Concat(model.Timings.Select(t => t.Evidence))
            .GroupBy(e => e).OrderBy(g => g.Key, StringComparer.Ordinal))
            evidence.Add((JsonNode)new JsonObject { ["evidence"] = group.Key, ["count"] = group.Count() });
        return new JsonObject { ["results"] = results, ["evidence"] = evidence };
    }
}
