using System.Globalization;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Lab.Designs;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Sweeps;

/// <summary>What a sweep goes through; the points are all combinations.</summary>
public sealed record SweepAxes
{
    /// <summary>Timing models, as <see cref="SessionSettings.Core"/> takes them.</summary>
    public required IReadOnlyList<string> Cores { get; init; }

    /// <summary>vDSO designs, as <see cref="SessionSettings.Vdso"/> takes them.</summary>
    public required IReadOnlyList<string> Designs { get; init; }

    /// <summary>Configurations of the kernel in words; empty: what Linux decides on the core.</summary>
    public required IReadOnlyList<string> Kernels { get; init; }

    /// <summary>Parameters of the cores' files, each with its values.</summary>
    public IReadOnlyList<(string Key, IReadOnlyList<int> Values)> Parameters { get; init; } = [];

    /// <summary>Placements of pages in RAM, from the one of the settings on: they make the spread.</summary>
    public int Placements { get; init; } = 1;
}

/// <summary>A point of a sweep.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Core">The core.</param>
/// <param name="Design">The design.</param>
/// <param name="Kernel">The kernel's configuration.</param>
/// <param name="Parameters">Parameters of the core that have another value than in its file.</param>
/// <param name="Placement">The placement of pages.</param>
public sealed record SweepPoint(
    int Number, string Core, string Design, string Kernel, IReadOnlyList<(string Key, int Value)> Parameters, ulong Placement)
{
    /// <summary>The point without its placement.</summary>
    public string Group => string.Join(' ', [Core, Design, Kernel, .. Parameters.Select(p => $"{p.Key}={p.Value}")]);
}

/// <summary>A program, or the guest of comparisons, on several cores, designs, kernels, and with other values of the cores' parameters. A
/// point's figures are the same wherever and whenever it is measured.</summary>
public sealed class Sweep
{
    private const int Threads = 4;
    private readonly SessionSettings _settings;
    private readonly IReadOnlyList<string>? _program;

    /// <summary>Makes the points, and checks all of them.</summary>
    /// <param name="settings">What all points have in common.</param>
    /// <param name="program">The program and its arguments; null: the guest of comparisons.</param>
    /// <param name="axes">What it goes through.</param>
    /// <exception cref="LabException">A point cannot be: there is no such core, design, kernel or parameter, or a value is out of its
    /// range.</exception>
    public Sweep(SessionSettings settings, IReadOnlyList<string>? program, SweepAxes axes)
    {
        (_settings, _program) = (settings, program);
        var points = new List<SweepPoint>();
        foreach (string core in axes.Cores)
        {
            foreach (string words in axes.Kernels)
            {
                string kernel = Kernel(core, words);
                foreach (IReadOnlyList<(string Key, int Value)> parameters in Combinations(axes.Parameters, 0))
                {
                    Check(core, parameters);
                    foreach (string design in axes.Designs)
                    {
                        _ = (settings with { Vdso = design }).Design();
                        for (int i = 0; i < axes.Placements; i++)
                        {
                            points.Add(new SweepPoint(
                                points.Count + 1, core, design, kernel, parameters, settings.PagePlacement + (ulong)i));
                        }
                    }
                }
            }
        }
        Points = points;
    }

    /// <summary>The points, in order.</summary>
    public IReadOnlyList<SweepPoint> Points { get; }

    /// <summary>What says which measurement a point is, in all sweeps: what its figures depend on.</summary>
    public JsonObject KeyOf(SweepPoint point) => new()
    {
        ["program"] = _program is null ? null : new JsonArray([.. _program.Select(w => (JsonNode)w)]),
        ["core"] = point.Core,
        ["cpu_profile"] = (_settings with { Core = point.Core }).CpuProfileName,
        ["design"] = point.Design,
        ["kernel"] = point.Kernel,
        ["parameters"] = new JsonObject(point.Parameters.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
        ["placement"] = point.Placement,
        ["cpus"] = _settings.Cpus,
        ["seed"] = _settings.Seed,
        ["slice_ns"] = _settings.SliceNs,
        ["quantum"] = _settings.Quantum,
        ["clock_hz"] = _settings.ClockHz,
        ["memory"] = _settings.MemoryBytes,
        ["epoch"] = _settings.Epoch,
        ["max_cycles"] = _settings.MaxCycles,
        ["root"] = _settings.Root,
        ["cwd"] = _settings.Cwd,
        ["user"] = _settings.Uid,
    };

    /// <summary>Measures a point.</summary>
    /// <returns>Its figures by name: of a program cycles, instructions, seconds and others; of the guest of comparisons the cycles of each
    /// call, as getpid.syscall and getpid.vdso, and of a switch.</returns>
    /// <exception cref="LabException">The program cannot be run, or a limit was reached.</exception>
    public IReadOnlyDictionary<string, double> Measure(SweepPoint point)
    {
        SessionSettings settings = _settings with { Core = point.Core, Vdso = point.Design, PagePlacement = point.Placement };
        settings = settings with { Kernel = KernelConfiguration.Parse(point.Kernel, settings.KernelConfiguration, out _) };
        if (point.Parameters.Count == 0)
            return Measure(settings);
        string folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        try
        {
            string file = Path.Join(folder, "core.json");
            File.WriteAllText(file, CoreRange.With(point.Core, point.Parameters));
            return Measure(settings.OnCore(file));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private Dictionary<string, double> Measure(SessionSettings settings) => _program is null ? OfCalls(settings) : OfProgram(settings);

    private static Dictionary<string, double> OfCalls(SessionSettings settings)
    {
        CallSampler sampler = Comparison.Measure(settings, Threads);
        var figures = new Dictionary<string, double>();
        foreach (string name in Comparison.Functions)
        {
            foreach ((CallKind kind, string way) in ((CallKind, string)[])[(CallKind.Syscall, "syscall"), (CallKind.Vdso, "vdso")])
            {
                if (sampler.Figures(name, kind) is { } cost)
                    figures[$"{name}.{way}"] = cost.Cycles;
            }
        }
        figures["context_switch"] = sampler.SwitchCycles;
        return figures;
    }

    private Dictionary<string, double> OfProgram(SessionSettings settings)
    {
        var software = new SwitchCounter();
        using var session = new Session(
            settings, _program![0], [.. _program.Skip(1)], new SessionHooks { Switching = software.Switched });
        session.Machine.Observer = software;
        int status = session.Run();
        var run = new RunStatistics(session, TimeSpan.Zero, status);
        return new Dictionary<string, double>
        {
            ["cycles"] = run.Busy,
            ["instructions"] = run.Instructions,
            ["seconds"] = (double)run.Cpus.Max(c => c.Cycles) / session.Machine.ClockFrequency,
            ["charged_cycles"] = run.Charged,
            ["exceptions"] = run.Exceptions,
            ["context_switches"] = software.Switches,
            ["migrations"] = software.Migrations,
            ["faults"] = software.Faults,
            ["status"] = status,
        };
    }

    private string Kernel(string core, string words)
    {
        SessionSettings on = _settings with { Core = core, Kernel = null };
        return KernelConfiguration.Parse(words, on.KernelConfiguration, out string unknown)?.ToString() ?? throw new LabException(
            $"kernel: there is no '{unknown}'; known: {string.Join(' ', KernelConfiguration.Words)}", LabFault.Input);
    }

    private static void Check(string core, IReadOnlyList<(string Key, int Value)> parameters)
    {
        if (parameters.Count == 0)
            return;
        if (core == CoreModel.None.Name)
            throw new LabException($"the core none has no parameter {parameters[0].Key}", LabFault.Input);
        try
        {
            CoreModel.Parse(CoreRange.With(core, parameters), core);
        }
        catch (CoreModelException e)
        {
            string set = string.Join(", ", parameters.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key}={p.Value}")));
            throw new LabException($"{set}: {e.Message}", LabFault.Input, e);
        }
    }

    private static IEnumerable<IReadOnlyList<(string Key, int Value)>> Combinations(
        IReadOnlyList<(string Key, IReadOnlyList<int> Values)> parameters, int from)
    {
        if (from == parameters.Count)
            return [[]];
        return parameters[from].Values.SelectMany(
            v => Combinations(parameters, from + 1).Select(rest => (IReadOnlyList<(string, int)>)[(parameters[from].Key, v), .. rest]));
    }
}
