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
    /// <param name="machine">CPUs, of which 2 at least are taken, nodes and kernel of schedules that are named by ID.</param>
    /// <exception cref="LabException">There is no such schedule.</exception>
    /// <exception cref="UserError">A file is not what check writes.</exception>
    internal static JsonArray Draw(IReadOnlyList<string> words, SessionSettings machine)
    {
        var drawn = new JsonArray();
        SessionSettings named = Checking with { Cpus = Math.Max(2, machine.Cpus), Nodes = machine.Nodes, Kernel = machine.Kernel };
        foreach (string word in words)
        {
            if (File.Exists(word))
                DrawFile(word, drawn);
            else
                drawn.Add((JsonNode)DrawOne(word, named, null));
        }
        return drawn;
    }

    private static void DrawFile(string file, JsonArray drawn)
    {
        List<Failing> failing = Read(file);
        if (failing.Count == 0)
            throw new UserError($"{file}: has no failing schedule", ExitStatus.Usage);
        foreach (Failing schedule in failing.Take(MostOfAFile))
        {
            JsonObject one = DrawOne(schedule.Id, schedule.Settings, schedule.Mutant);
            if ((bool)one["held"]!)
                throw new UserError($"{file}: {Text.Printable(schedule.Id)} fails there, and holds here", ExitStatus.Usage);
            one["file"] = file;
            one["failing"] = failing.Count;
            one["left_out"] = Math.Max(0, failing.Count - MostOfAFile);
            drawn.Add((JsonNode)one);
        }
    }

    /// <summary>A schedule that failed, the machine it failed on, and the fault that was planted.</summary>
    private sealed record Failing(string Id, SessionSettings Settings, string? Mutant);

    private static List<Failing> Read(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            JsonElement root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("kernels", out JsonElement kernels))
                throw new UserError(
                    $"{file}: is of the booted kernel {Text.Printable(kernels[0].GetProperty("booted").GetString() ?? "")}; check --replay "
                    + "shows its schedules", ExitStatus.Usage);
            string? mutant = root.GetProperty("mutant").GetString();
            return
            [
                .. root.GetProperty("designs").EnumerateArray().SelectMany(design => design.GetProperty("cells").EnumerateArray()
                    .Select(cell => cell.GetProperty("id").GetString()).OfType<string>()
                    .Select(id => new Failing(id, SettingsOf(file, design), mutant))),
            ];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException
            or IndexOutOfRangeException)
        {
            throw new UserError($"{file}: is not what check --json writes", ExitStatus.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.NotFound);
        }
    }

    private static SessionSettings SettingsOf(string file, JsonElement design)
    {
        SessionSettings settings = Checking with
        {
            Cpus = design.GetProperty("cpus").GetInt32(),
            Nodes = design.GetProperty("nodes").GetInt32(),
            Cpu = design.GetProperty("cpu_profile").GetString(),
        };
        string kernel = design.GetProperty("kernel").GetString() ?? "";
        return settings with
        {
            Kernel = KernelConfiguration.Parse(kernel, settings.KernelConfiguration, out string unknown)
                ?? throw new UserError($"{file}: there is no kernel option '{Text.Printable(unknown)}'", ExitStatus.Usage),
        };
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
