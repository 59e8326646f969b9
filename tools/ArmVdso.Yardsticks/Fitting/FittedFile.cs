using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Fitting;

/// <summary>An entry that a table decided.</summary>
/// <param name="Name">Class, form or mnemonic.</param>
/// <param name="Field">What was set.</param>
/// <param name="Value">To what.</param>
/// <param name="Rows">Rows that say so.</param>
/// <param name="Why">What they measured in the middle, and beside what.</param>
public sealed record FittedEntry(string Name, string Field, string Value, int Rows, string Why);

/// <summary>A core's file in the making.</summary>
internal sealed class FittedFile
{
    private static readonly JsonDocumentOptions Reading = new() { CommentHandling = JsonCommentHandling.Skip };

    private static readonly JsonSerializerOptions Writing = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonObject _root;
    private readonly JsonObject _first;
    private readonly string _start;
    private readonly string _source;
    private readonly Dictionary<string, JsonObject> _entries = [];
    private readonly Dictionary<string, JsonObject> _firstEntries = [];
    private readonly Dictionary<string, List<FittedEntry>> _decided = [];

    internal FittedFile(CoreModel model, string name, string source)
    {
        _start = model.Name;
        _source = source;
        OutOfOrder = model.OutOfOrder;
        RenameWidth = model.Parameters.FirstOrDefault(p => p.Key == "rename_width")?.Value ?? 0;
        _root = JsonNode.Parse(CoreModel.TextOf(model.File), null, Reading)!.AsObject();
        _first = JsonNode.Parse(CoreModel.TextOf(model.File), null, Reading)!.AsObject();
        _root["name"] = name;
        _root["description"] = $"fitted to {source}, from {model.Name}";
        // Its registers and its kernel are not measured: those of a core that has everything, and of an unknown one.
        _root.Remove("profile");
        _root.Remove("software");
        Index(_root, _entries);
        Index(_first, _firstEntries);
        HasPorts = model.Ports;
        Ports = _firstEntries.Values.SelectMany(e => MicroOp.Parse(e["uops"]?.ToString() ?? "", HasPorts) ?? [])
            .Select(op => op.Ports).ToHashSet();
    }

    /// <summary>Instructions that are renamed in a cycle at most; 0: an in-order core.</summary>
    internal int RenameWidth { get; }

    /// <summary>Ports of the first core.</summary>
    internal IssuePorts HasPorts { get; }

    /// <summary>Sets of them that its micro-ops go to.</summary>
    internal HashSet<IssuePorts> Ports { get; }

    internal bool OutOfOrder { get; }

    internal List<FittedEntry> Entries => [.. _decided.Values.SelectMany(d => d)];

    private string Field(FitKind kind) => kind switch
    {
        FitKind.Latency => "latency",
        FitKind.Accumulator => "accumulate",
        _ => OutOfOrder ? "uops" : "beats",
    };

    internal bool Says(string name, FitKind kind) => _entries.TryGetValue(name, out JsonObject? e) && e[Field(kind)] is not null;

    internal bool SaidFirst(string name, FitKind kind) => _firstEntries.TryGetValue(name, out JsonObject? e) && e[Field(kind)] is not null;

    /// <summary>Operations a cycle that rename lets through, by the most specific of the names that states slots.</summary>
    internal double RenameRate(IReadOnlyList<string> names) => (double)RenameWidth
        / (names.Select(n => _firstEntries.GetValueOrDefault(n)?["slots"]?.GetValue<int>()).LastOrDefault(s => s is not null) ?? 1);

    internal string Value(string name, FitKind kind) => Value(_entries, name, kind);

    internal string First(string name, FitKind kind) => Value(_firstEntries, name, kind);

    private string Value(Dictionary<string, JsonObject> entries, string name, FitKind kind) =>
        entries.GetValueOrDefault(name)?[Field(kind)]?.ToString() ?? (kind == FitKind.Throughput && !OutOfOrder ? "1" : "0");

    internal void Set(string name, FitKind kind, string value, int rows, string middle, string owner)
    {
        string why = $"{middle} in the middle of {rows} rows" + (name == owner ? "" : $", apart from {owner}");
        if (!_decided.TryGetValue(name, out List<FittedEntry>? decided))
            _decided.Add(name, decided = []);
        string field = Field(kind);
        decided.Add(new FittedEntry(name, field, value, rows, why));
        if (!_entries.TryGetValue(name, out JsonObject? entry))
            _entries.Add(name, entry = []);
        entry[field] = field == "uops" ? value : int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The file: entries that were decided with the table as their source, all others with the first core as theirs.</summary>
    internal string Text()
    {
        var classes = new JsonObject();
        var mnemonics = new JsonArray();
        foreach ((string name, JsonObject entry) in _entries)
        {
            JsonObject finished = Justified(name, entry);
            if (char.IsLower(name[0]))
            {
                classes[name] = finished;
                continue;
            }
            // Names with one timing and one reason are one entry.
            string text = finished.ToJsonString();
            JsonNode? same = mnemonics.FirstOrDefault(m => Without(m!) == text);
            if (same is not null)
            {
                same["names"] = $"{same["names"]} {name}";
                continue;
            }
            var named = new JsonObject { ["names"] = name };
            foreach ((string key, JsonNode? node) in finished)
                named[key] = node?.DeepClone();
            mnemonics.Add((JsonNode)named);
        }
        _root["classes"] = classes;
        _root["mnemonics"] = mnemonics;
        foreach ((_, JsonNode? parameter) in _root["parameters"]!.AsObject())
            CoreBase.Inherit(parameter!.AsObject(), _start);
        return Compact(_root.ToJsonString(Writing)) + "\n";
    }

    /// <summary>A line for each entry, as in the files built in.</summary>
    private static string Compact(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text, @"\{\s*(""[^{}]*?)\s*\}", m =>
            "{ " + System.Text.RegularExpressions.Regex.Replace(m.Groups[1].Value, @"\s*\n\s*", " ") + " }");

    private static string Without(JsonNode named)
    {
        JsonObject copy = named.DeepClone().AsObject();
        copy.Remove("names");
        return copy.ToJsonString();
    }

    private JsonObject Justified(string name, JsonObject entry)
    {
        JsonObject copy = entry.DeepClone().AsObject();
        copy.Remove("names");
        if (!_decided.TryGetValue(name, out List<FittedEntry>? decided))
        {
            CoreBase.Inherit(copy, _start);
            return copy;
        }
        foreach (string key in (string[])["evidence", "range", "source"])
            copy.Remove(key);
        copy["evidence"] = "measured";
        copy["source"] = $"{_source}: {string.Join("; ", decided.Select(d => $"{d.Field} {d.Why}"))}";
        return copy;
    }

    private static void Index(JsonObject root, Dictionary<string, JsonObject> entries)
    {
        foreach ((string name, JsonNode? entry) in root["classes"]!.AsObject())
            entries.Add(name, entry!.AsObject());
        foreach (JsonNode? entry in root["mnemonics"]!.AsArray())
        {
            // Each name by itself: one of them may be decided apart from the others.
            foreach (string name in entry!["names"]!.GetValue<string>().Split(' ', StringSplitOptions.RemoveEmptyEntries))
                entries.Add(name, entry.DeepClone().AsObject());
        }
    }
}
