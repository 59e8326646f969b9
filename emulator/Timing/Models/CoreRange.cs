using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A core at the ends of what is not known about it.</summary>
public static class CoreRange
{
    /// <summary>Classes of system instructions: what their calibrated range is about is the time that they hold the pipeline, or
    /// their latency where they hold nothing.</summary>
    private static readonly string[] SystemClasses = ["barrier", "isb", "mrs", "msr", "sys"];

    private static readonly string[] SystemParameters = ["exception_entry", "exception_return", "counter_read"];

    /// <summary>Text of a core's file with every calibrated system instruction at the low or the high end of its range.</summary>
    /// <param name="nameOrPath">The core, as <see cref="CoreModel.Load"/> takes it, but not "none".</param>
    /// <param name="high">Which end.</param>
    /// <exception cref="CoreModelException">There is no such core, or it is not well formed.</exception>
    public static string AtEnd(string nameOrPath, bool high)
    {
        // Read once as it must be, so that what follows may take its form for granted.
        CoreModel model = CoreModel.Load(nameOrPath);
        JsonNode root = JsonNode.Parse(CoreModel.TextOf(model.File), null, CoreFile.Reading)!;
        foreach (CoreParameter parameter in model.Board?.Parameters ?? [])
        {
            JsonObject entry = root["parameters"]![parameter.Key]!.AsObject();
            entry["value"] = parameter.Value;
            // The range is that of the core by itself.
            entry["evidence"] = "documented";
            entry.Remove("range");
        }
        foreach (string key in SystemParameters)
            Set(root["parameters"]?[key], "value", high);
        foreach (string key in SystemClasses)
        {
            JsonNode? timing = root["classes"]?[key];
            Set(timing, timing?["hold"] is null ? "latency" : "hold", high);
        }
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private static void Set(JsonNode? entry, string field, bool high)
    {
        if (entry?["range"] is JsonArray range && entry["evidence"]?.GetValue<string>() == "calibrated")
            entry[field] = range[high ? 1 : 0]!.GetValue<int>();
    }
}
