using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A core at the ends of what is not known about it, and with other values of its parameters.</summary>
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
        JsonNode root = Read(nameOrPath);
        foreach (string key in SystemParameters)
            Set(root["parameters"]?[key], "value", high);
        foreach (string key in SystemClasses)
        {
            JsonNode? timing = root["classes"]?[key];
            Set(timing, timing?["hold"] is null ? "latency" : "hold", high);
        }
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>Text of a core's file with other values of parameters. They are what somebody tries out: of evidence "model".</summary>
    /// <param name="nameOrPath">The core, as <see cref="CoreModel.Load"/> takes it, but not "none".</param>
    /// <param name="parameters">Parameters and their values.</param>
    /// <exception cref="CoreModelException">There is no such core or parameter, or the core is not well formed. Values are checked when
    /// the text is read.</exception>
    public static string With(string nameOrPath, IReadOnlyList<(string Key, int Value)> parameters)
    {
        JsonNode root = Read(nameOrPath);
        foreach ((string key, int value) in parameters)
        {
            JsonObject all = root["parameters"]!.AsObject();
            if (all[key] is not JsonObject entry)
            {
                string known = string.Join(' ', all.Select(p => p.Key));
                throw new CoreModelException($"core model {nameOrPath}: there is no parameter '{key}'; known: {known}");
            }
            entry["value"] = value;
            entry["evidence"] = "model";
            entry["source"] = "a value that is tried out";
            entry.Remove("range");
        }
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>A core's file, with what its board replaces.</summary>
    private static JsonNode Read(string nameOrPath)
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
        return root;
    }

    private static void Set(JsonNode? entry, string field, bool high)
    {
        if (entry?["range"] is JsonArray range && entry["evidence"]?.GetValue<string>() == "calibrated")
            entry[field] = range[high ? 1 : 0]!.GetValue<int>();
    }
}
