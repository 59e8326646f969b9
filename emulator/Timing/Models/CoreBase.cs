using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A core that is another but for some parts: a file with the key <c>base</c> states only what differs. What it takes over is
/// evidence about the other core, and is marked so.</summary>
public static class CoreBase
{
    private const string Key = "base";

    // A key that is there twice would hide one of its values.
    private static readonly JsonDocumentOptions Reading = CoreFile.Reading with { AllowDuplicateProperties = false };

    /// <summary>The text of a core's file with what its base states filled in; a file without a base as it is.</summary>
    /// <param name="text">The file.</param>
    /// <param name="file">Names it in errors.</param>
    /// <param name="textOf">The text of a built-in core.</param>
    /// <exception cref="CoreModelException">The base is no built-in core with a file of its own.</exception>
    internal static string Expand(string text, string file, Func<string, string> textOf)
    {
        if (BaseOf(text) is not { } name)
            return text;
        if (!CoreModel.Names.Contains(name))
            throw CoreFile.ErrorIn(file, Key, $"no built-in core: {name}");
        string whole = textOf(name);
        if (BaseOf(whole) is not null)
            throw CoreFile.ErrorIn(file, Key, $"{name} has a base itself");
        JsonObject own, root;
        try
        {
            own = JsonNode.Parse(text, null, Reading)!.AsObject();
            root = JsonNode.Parse(whole, null, Reading)!.AsObject();
        }
        catch (JsonException e)
        {
            throw CoreFile.ErrorIn(file, "(root)", e.Message.ReplaceLineEndings(" "));
        }
        foreach (string section in (string[])["parameters", "classes"])
        {
            JsonObject entries = root[section]!.AsObject();
            foreach ((_, JsonNode? entry) in entries)
                Inherit(entry!.AsObject(), name);
            foreach ((string key, JsonNode? entry) in Section(own, section, file, new JsonObject()))
                entries[key] = entry?.DeepClone();
        }
        JsonArray mnemonics = root["mnemonics"]!.AsArray();
        foreach (JsonNode? entry in mnemonics)
            Inherit(entry!.AsObject(), name);
        JsonArray ownMnemonics = Section(own, "mnemonics", file, new JsonArray());
        Without(mnemonics, [.. ownMnemonics.SelectMany(NamesOf)]);
        foreach (JsonNode? entry in ownMnemonics)
            mnemonics.Add(entry?.DeepClone());
        foreach ((string key, JsonNode? node) in own)
        {
            if (key is not (Key or "parameters" or "classes" or "mnemonics"))
                root[key] = node?.DeepClone();
        }
        return root.ToJsonString();
    }

    private static string[] NamesOf(JsonNode? entry) =>
        entry is JsonObject o && o["names"] is JsonValue names && names.GetValueKind() == JsonValueKind.String
            ? names.GetValue<string>().Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];

    /// <summary>Takes names out of entries, and entries that have none left.</summary>
    private static void Without(JsonArray mnemonics, string[] names)
    {
        for (int i = mnemonics.Count - 1; i >= 0; i--)
        {
            string[] left = [.. NamesOf(mnemonics[i]).Except(names)];
            if (left.Length == 0)
                mnemonics.RemoveAt(i);
            else
                mnemonics[i]!["names"] = string.Join(' ', left);
        }
    }

    /// <summary>Marks a number as another core's: a calibrated one keeps its range, any other is a model.</summary>
    /// <param name="entry">Parameter or timing of a core's file.</param>
    /// <param name="from">The core that it was stated for.</param>
    public static void Inherit(JsonObject entry, string from)
    {
        if (entry["evidence"]!.GetValue<string>() != "calibrated")
            entry["evidence"] = "model";
        entry["source"] = $"as {from}: {entry["source"]}";
    }

    private static T Section<T>(JsonObject own, string key, string file, T none)
        where T : JsonNode =>
        own[key] switch
        {
            null => none,
            T section => section,
            _ => throw CoreFile.ErrorIn(file, key, none is JsonArray ? "expected a list" : "expected an object"),
        };

    /// <summary>What the key names; null when there is none, or when the text is not well formed, which its reader will say.</summary>
    private static string? BaseOf(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, CoreFile.Reading);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(Key, out JsonElement named)
                ? named.ToString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
