using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Cli;

/// <summary>Schedules of check that a report draws: one that was named, or the failing ones of a file that check --json wrote.</summary>
internal static class DrawnSchedules
{
    /// <summary>Failing schedules of a file that are drawn; the others are counted.</summary>
    private const int MostOfAFile = 12;

    /// <summary>As check has it: no timing model plays a part, and the CPU is one that has everything.</summary>
    private static SessionSettings Checking { get; } = new() { Core = CoreModel.None.Name, Cpus = 2 };

    /// <summary>The schedules as JSON: an object each, of an ID or a file.</summary>
    /// <param name="words">IDs and names of files.</param>
    /// <param name="cpus">CPUs of schedules that are named by ID, 2 at least.</param>
    /// <exception cref="LabException">There is no such schedule.</exception>
    /// <exception cref="UserError">A file is not what check writes.</exception>
    internal static JsonArray Draw(IReadOnlyList<string> words, int cpus)
    {
        var drawn = new JsonArray();
        foreach (string word in words)
        {
            if (File.Exists(word))
                DrawFile(word, drawn);
            else
                drawn.Add((JsonNode)DrawOne(word, Checking with { Cpus = Math.Max(2, cpus) }, null));
        }
        return drawn;
    }

    private static void DrawFile(string file, JsonArray drawn)
    {
        var failing = new List<(string Id, SessionSettings Settings, string? Mutant)>();
        try
        {
            JsonNode root = JsonNode.Parse(File.ReadAllText(file)) ?? throw new JsonException("null");
            foreach (JsonNode? design in root["designs"]!.AsArray())
            {
                if (design!["booted"] is { } booted)
                    throw new UserError(
                        $"{file}: is of the booted kernel {Text.Printable((string)booted!)}; check --replay shows its schedules",
                        ExitStatus.Usage);
                SessionSettings settings = Checking with { Cpus = (int)design["cpus"]!, Cpu = (string)design["cpu_profile"]! };
                string kernel = (string)design["kernel"]!;
                settings = settings with
                {
                    Kernel = KernelConfiguration.Parse(kernel, settings.KernelConfiguration, out string unknown)
                        ?? throw new UserError($"{file}: there is no kernel option '{Text.Printable(unknown)}'", ExitStatus.Usage),
                };
                foreach (JsonNode? cell in design["cells"]!.AsArray())
                {
                    if ((string?)cell!["id"] is { } id)
                        failing.Add((id, settings, (string?)root["mutant"]));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new UserError($"{file}: is not what check --json writes", ExitStatus.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.NotFound);
        }
        if (failing.Count == 0)
            throw new UserError($"{file}: has no failing schedule", ExitStatus.Usage);
        foreach ((string id, SessionSettings settings, string? mutant) in failing.Take(MostOfAFile))
        {
            JsonObject one = DrawOne(id, settings, mutant);
            one["file"] = file;
            one["failing"] = failing.Count;
            one["left_out"] = Math.Max(0, failing.Count - MostOfAFile);
            drawn.Add((JsonNode)one);
        }
    }

    private static JsonObject DrawOne(string id, SessionSettings settings, string? mutant)
    {
        var steps = new JsonArray();
        bool held = new ArmVdsoLab(settings).ReplaySteps(id, step => steps.Add((JsonNode)new JsonObject
        {
            ["kind"] = step.Kind.ToString().ToLowerInvariant(),
            ["cpu"] = step.Cpu,
            ["el"] = step.El,
            ["where"] = step.Where,
            ["text"] = step.Text,
            ["effects"] = step.Effects.TrimEnd(),
            ["count"] = step.Count,
        }), mutant, brief: true);
        return new JsonObject { ["id"] = id, ["mutant"] = mutant, ["held"] = held, ["steps"] = steps };
    }
}
