using System.Text.Json;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>A core model file is missing or not well formed; the message is one line and names the file and the key.</summary>
public sealed class CoreModelException(string message) : Exception(message);

/// <summary>Reads a core's file. Keys that are unknown, missing or twice are errors; every number has evidence and source.</summary>
/// <param name="file">Names the file in errors.</param>
/// <param name="what">What it is, for them.</param>
internal sealed class CoreFile(string file, string what = "core model")
{
    private static readonly string[] Evidences = ["measured", "documented", "model", "calibrated"];
    /// <summary>A core's file may have comments.</summary>
    internal static readonly JsonDocumentOptions Reading = new() { CommentHandling = JsonCommentHandling.Skip };

    private static readonly string[] RootKeys = ["name", "description", "parameters", "classes", "mnemonics"];
    private static readonly string[] Justification = ["evidence", "range", "source"];

    private static readonly string[] ClassKeys =
    [
        "latency", "beats", "busy", "unit", "skewed", "width", "accumulate", "first_source", "flags_source", "hold", "latency32", "busy32",
    ];

    private static readonly string[] MicroOpKeys = ["latency", "uops", "accumulate", "hold", "second", "slots", "serialize"];

    /// <summary>The model that a text describes, on a board or not.</summary>
    /// <exception cref="CoreModelException">It is not well formed.</exception>
    internal CoreModel Read(string text, BoardModel? board = null) => Parsed(text, root => Read(root, board));

    /// <summary>The board that a text describes.</summary>
    /// <exception cref="CoreModelException">It is not well formed.</exception>
    internal BoardModel ReadBoard(string text) => Parsed(text, root =>
    {
        string[] keys = ["name", "description", "core", "parameters"];
        Keys(root, "", keys, keys);
        return new BoardModel(
            Text(root, "", "name"), Text(root, "", "description"), Text(root, "", "core"),
            [.. Object(root, "parameters").EnumerateObject().Select(p => Parameter(p.Value, "parameters." + p.Name, p.Name))]);
    });

    private T Parsed<T>(string text, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Reading);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new CoreModelException($"{what} {file}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private CoreModel Read(JsonElement root, BoardModel? board)
    {
        Keys(root, "", [.. RootKeys, "pipeline", "profile", "software"], RootKeys);
        string pipeline = root.TryGetProperty("pipeline", out _) ? Text(root, "", "pipeline") : "in-order";
        if (pipeline is not ("in-order" or "out-of-order"))
            throw Error("pipeline", $"{pipeline} is none of in-order, out-of-order");
        bool outOfOrder = pipeline == "out-of-order";
        JsonElement parameters = Object(root, "parameters");
        string[] keys = CoreModel.Keys(outOfOrder);
        Keys(parameters, "parameters", keys, keys);
        List<CoreParameter> read = [.. parameters.EnumerateObject().Select(p => Parameter(p.Value, "parameters." + p.Name, p.Name))];
        foreach (CoreParameter parameter in board?.Parameters ?? [])
        {
            int at = read.FindIndex(p => p.Key == parameter.Key);
            if (at < 0)
                throw new CoreModelException($"board {board!.Name}: parameters.{parameter.Key}: unknown key for core {file}");
            read[at] = parameter;
        }
        IssuePorts ports = outOfOrder ? CoreModel.PortsOf(read) : IssuePorts.None;
        var timings = new List<CoreTiming>();
        var classes = new Dictionary<string, ClassTiming>();
        var microOps = new Dictionary<string, MicroOpTiming>();
        foreach ((string names, JsonElement entry, string path, bool named) in Timings(root))
        {
            string[] required = [.. (string[])(named ? ["names"] : outOfOrder ? [] : ["latency"]), "evidence", "source"];
            Keys(entry, path, [.. outOfOrder ? MicroOpKeys : ClassKeys, .. Justification, .. (string[])(named ? ["names"] : [])], required);
            timings.Add(Explained(names, entry, path));
            ClassTiming? timing = outOfOrder ? null : Class(entry, path);
            MicroOpTiming? ops = outOfOrder ? MicroOps(entry, path, ports) : null;
            foreach (string name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (timing is null ? !microOps.TryAdd(name, ops!) : !classes.TryAdd(name, timing))
                    throw Error(named ? path + ".names" : path, named ? $"{name} occurs twice" : "occurs twice");
            }
        }
        var model = new CoreModel(read)
        {
            Name = Text(root, "", "name") + (board is null ? "" : "@" + board.Name),
            Board = board,
            Description = Text(root, "", "description"),
            File = file,
            Profile = root.TryGetProperty("profile", out _) ? Text(root, "", "profile") : CoreModel.DefaultProfile,
            Software = root.TryGetProperty("software", out _) ? Software(Object(root, "software")) : [],
            OutOfOrder = outOfOrder,
            Timings = timings,
            ClassTimings = classes,
            MicroOpTimings = microOps,
        };
        model.Bind();
        return model;
    }

    /// <summary>The entries of both sections, in the file's order: classes by their key, mnemonics by their names.</summary>
    private IEnumerable<(string Names, JsonElement Entry, string Path, bool Named)> Timings(JsonElement root)
    {
        foreach (JsonProperty p in Object(root, "classes").EnumerateObject())
            yield return (p.Name, p.Value, "classes." + p.Name, false);
        if (root.GetProperty("mnemonics").ValueKind != JsonValueKind.Array)
            throw Error("mnemonics", "expected a list");
        int i = 0;
        foreach (JsonElement entry in root.GetProperty("mnemonics").EnumerateArray())
        {
            string path = $"mnemonics[{i++}]";
            if (entry.ValueKind != JsonValueKind.Object)
                throw Error(path, "expected an object");
            yield return (Text(entry, path, "names"), entry, path, true);
        }
    }

    /// <summary>An error in a file, in the words of all errors of core files.</summary>
    internal static CoreModelException ErrorIn(string file, string key, string what) => new($"core model {file}: {key}: {what}");

    private CoreModelException Error(string key, string wrong) => new($"{what} {file}: {key}: {wrong}");

    private void Keys(JsonElement element, string path, string[] known, string[] required)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Error(path.Length == 0 ? "(root)" : path, "expected an object");
        string dot = path.Length == 0 ? "" : path + ".";
        var seen = new HashSet<string>();
        foreach (JsonProperty p in element.EnumerateObject())
        {
            if (!known.Contains(p.Name))
                throw Error(dot + p.Name, "unknown key");
            if (!seen.Add(p.Name))
                throw Error(dot + p.Name, "occurs twice");
        }
        foreach (string key in required)
        {
            if (!seen.Contains(key))
                throw Error(dot + key, "missing");
        }
    }

    private JsonElement Object(JsonElement root, string key)
    {
        JsonElement value = root.GetProperty(key);
        return value.ValueKind == JsonValueKind.Object ? value : throw Error(key, "expected an object");
    }

    private string Text(JsonElement element, string path, string key)
    {
        string name = path.Length == 0 ? key : path + "." + key;
        if (!element.TryGetProperty(key, out JsonElement value))
            throw Error(name, "missing");
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error(name, "expected a string");
    }

    private int Integer(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int n) ? n : throw Error(name, "expected an integer");

    private string Evidence(JsonElement element, string path, bool hasRange)
    {
        string evidence = Text(element, path, "evidence");
        if (!Evidences.Contains(evidence))
            throw Error(path + ".evidence", $"{evidence} is none of {string.Join(", ", Evidences)}");
        if (evidence == "calibrated" && !hasRange)
            throw Error(path + ".range", "missing: a calibrated value states its range");
        return evidence;
    }

    private (int Low, int High)? Range(JsonElement element, string path)
    {
        if (!element.TryGetProperty("range", out JsonElement range))
            return null;
        if (range.ValueKind != JsonValueKind.Array || range.GetArrayLength() != 2)
            throw Error(path + ".range", "expected [low, high]");
        return (Integer(range[0], path + ".range"), Integer(range[1], path + ".range"));
    }

    private CoreParameter Parameter(JsonElement element, string path, string key)
    {
        Keys(element, path, ["value", "unit", "evidence", "range", "source"], ["value", "unit", "evidence", "source"]);
        (int Low, int High)? range = Range(element, path);
        int value = Integer(element.GetProperty("value"), path + ".value");
        string evidence = Evidence(element, path, range is not null);
        if (range is { } r && (value < r.Low || value > r.High))
            throw Error(path + ".value", $"{value} is outside its range");
        return new CoreParameter(key, value, Text(element, path, "unit"), evidence, range, Text(element, path, "source"));
    }

    private List<CoreSoftware> Software(JsonElement element)
    {
        var software = new List<CoreSoftware>();
        foreach (JsonProperty p in element.EnumerateObject())
        {
            string path = "software." + p.Name;
            Keys(p.Value, path, ["value", "source"], ["value", "source"]);
            if (software.Exists(s => s.Key == p.Name))
                throw Error(path, "occurs twice");
            software.Add(new CoreSoftware(p.Name, Text(p.Value, path, "value"), Text(p.Value, path, "source")));
        }
        return software;
    }

    /// <summary>An entry as people read it.</summary>
    private CoreTiming Explained(string names, JsonElement element, string path)
    {
        (int Low, int High)? range = Range(element, path);
        IEnumerable<string> values = element.EnumerateObject()
            .Where(p => p.Name is not ("names" or "evidence" or "range" or "source"))
            .Select(p => $"{p.Name} {p.Value.ToString().ToLowerInvariant()}");
        string evidence = Evidence(element, path, range is not null);
        return new CoreTiming(names, string.Join(", ", values), evidence, range, Text(element, path, "source"));
    }

    private int? Number(JsonElement element, string path, string key, int high)
    {
        if (!element.TryGetProperty(key, out JsonElement value))
            return null;
        int number = Integer(value, path + "." + key);
        return number >= 0 && number <= high ? number : throw Error(path + "." + key, $"not in 0..{high}");
    }

    private ClassTiming Class(JsonElement element, string path)
    {
        const int Most = 250;
        Units? unit = null;
        if (element.TryGetProperty("unit", out _))
        {
            unit = Text(element, path, "unit") switch
            {
                "none" => Units.None,
                "load_store" => Units.LoadStore,
                "store" => Units.Store,
                "compare" => Units.Compare,
                "multiply" => Units.Multiply,
                "divide" => Units.Divide,
                "branch" => Units.Branch,
                "shifter" => Units.Shifter,
                "fp_divide" => Units.FpDivide,
                "simd_single" => Units.SimdSingle,
                "alone" => Units.Alone,
                string other => throw Error(path + ".unit", $"no unit {other}"),
            };
        }
        bool? skewed = null;
        if (element.TryGetProperty("skewed", out JsonElement s))
        {
            skewed = s.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? s.GetBoolean() : throw Error(path + ".skewed", "expected true or false");
        }
        string? width = null;
        if (element.TryGetProperty("width", out _))
        {
            width = Text(element, path, "width");
            if (width is not ("none" or "half" or "full" or "long" or "q"))
                throw Error(path + ".width", $"{width} is none of none, half, full, long, q");
        }
        return new ClassTiming
        {
            Latency = Number(element, path, "latency", Most),
            Beats = Number(element, path, "beats", Most),
            Busy = Number(element, path, "busy", Most),
            Unit = unit,
            Skewed = skewed,
            Width = width,
            Accumulate = Number(element, path, "accumulate", Most),
            FirstSource = Number(element, path, "first_source", Most),
            FlagsSource = Number(element, path, "flags_source", Most),
            Hold = Number(element, path, "hold", Most),
            Latency32 = Number(element, path, "latency32", Most),
            Busy32 = Number(element, path, "busy32", Most),
        };
    }

    private MicroOpTiming MicroOps(JsonElement element, string path, IssuePorts ports)
    {
        MicroOp[]? ops = null;
        if (element.TryGetProperty("uops", out _))
        {
            string text = Text(element, path, "uops");
            ops = MicroOp.Parse(text, ports) ?? throw Error(path + ".uops", $"{text}: not of the form PORT[*COUNT][:BUSY][@OFFSET] ...");
        }
        return new MicroOpTiming
        {
            Latency = Number(element, path, "latency", 250),
            Ops = ops,
            Accumulate = Number(element, path, "accumulate", 60),
            Hold = Number(element, path, "hold", 1000),
            Second = Number(element, path, "second", 60),
            Slots = Number(element, path, "slots", 24),
            Serialize = Number(element, path, "serialize", 2),
        };
    }
}
