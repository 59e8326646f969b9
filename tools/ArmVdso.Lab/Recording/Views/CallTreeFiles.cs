using System.Globalization;
using System.Text.Json;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>A tree of calls in the forms of the tools that show such: callgrind's, folded stacks, speedscope's.</summary>
public static class CallTreeFiles
{
    /// <summary>A line a stack, frames joined by semicolons, then cycles: what flamegraph.pl and its like read.</summary>
    public static void Folded(CallNode root, TextWriter output)
    {
        foreach (CallNode node in root.All())
        {
            if (node.Cycles == 0 || node.Caller is null)
                continue;
            IEnumerable<string> frames = node.Path().Select(n => RecordingLines.Printable(n.Name).Replace(';', ':'));
            output.Write(string.Create(CultureInfo.InvariantCulture, $"{string.Join(';', frames)} {node.Cycles}\n"));
        }
    }

    /// <summary>https://www.speedscope.app/file-format-schema.json: a sampled profile for each thread, whose weights are cycles.</summary>
    public static void Speedscope(RecordingHeader header, CallNode root, Stream output)
    {
        var frames = new Dictionary<(string, string), int>();
        foreach (CallNode node in root.All().Skip(1))
            frames.TryAdd((node.Name, node.Where), frames.Count);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("$schema", "https://www.speedscope.app/file-format-schema.json");
        json.WriteString("exporter", $"armvdso {header.MadeBy}");
        json.WriteString("name", string.Join(' ', header.Arguments));
        json.WriteStartObject("shared");
        json.WriteStartArray("frames");
        foreach ((string name, string where) in frames.Keys)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            if (where.Length > 0)
                json.WriteString("file", where);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("profiles");
        foreach (CallNode thread in root.Callees)
            Profile(json, thread, frames);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Profile(Utf8JsonWriter json, CallNode thread, Dictionary<(string, string), int> frames)
    {
        CallNode[] nodes = [.. thread.All().Where(n => n.Cycles > 0)];
        json.WriteStartObject();
        json.WriteString("type", "sampled");
        json.WriteString("name", thread.Name);
        json.WriteString("unit", "none");
        json.WriteNumber("startValue", 0);
        json.WriteNumber("endValue", thread.WholeCycles);
        json.WriteStartArray("samples");
        foreach (CallNode node in nodes)
        {
            json.WriteStartArray();
            foreach (CallNode frame in node.Path())
                json.WriteNumberValue(frames[(frame.Name, frame.Where)]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartArray("weights");
        foreach (CallNode node in nodes)
            json.WriteNumberValue(node.Cycles);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What a function took itself, and what it called.</summary>
    private sealed class Function
    {
        internal ulong Cycles, Instructions;
        internal readonly Dictionary<(string, string), (ulong Calls, ulong Cycles, ulong Instructions)> Callees = [];
    }

    /// <summary>Valgrind's callgrind format: callgrind_annotate and KCachegrind read it. A function that calls itself counts its cycles
    /// once, at the outermost call.</summary>
    public static void Callgrind(RecordingHeader header, CallNode root, TextWriter output)
    {
        Dictionary<(string, string), Function> functions = [];
        foreach (CallNode node in root.All().Skip(1))
            Add(functions, node);
        (ulong cycles, ulong instructions) = (root.WholeCycles, root.WholeInstructions);
        string command = RecordingLines.Printable(string.Join(' ', header.Arguments));
        output.Write($"# callgrind format\nversion: 1\ncreator: armvdso {header.MadeBy}\ncmd: {command}\npart: 1\n\n");
        output.Write($"desc: Trigger: the run's end; core {header.Core}, {header.Cpus} CPUs; cycles are modelled\n\n");
        output.Write("positions: line\nevent: Cy : CPU cycles, modelled\nevent: Ir : instructions\nevents: Cy Ir\n");
        output.Write(Line($"summary: {cycles} {instructions}\n"));
        foreach (((string name, string where), Function function) in functions)
        {
            output.Write($"\nob={Word(where)}\nfl=???\nfn={Word(name)}\n");
            output.Write(Line($"0 {function.Cycles} {function.Instructions}\n"));
            foreach (((string callee, string place), (ulong calls, ulong c, ulong i)) in function.Callees)
                output.Write(Line($"cob={Word(place)}\ncfi=???\ncfn={Word(callee)}\ncalls={calls} 0\n0 {c} {i}\n"));
        }
        output.Write(Line($"\ntotals: {cycles} {instructions}\n"));
    }

    private static void Add(Dictionary<(string, string), Function> functions, CallNode node)
    {
        Function function = Of(functions, node);
        function.Cycles += node.Cycles;
        function.Instructions += node.Instructions;
        foreach (CallNode callee in node.Callees)
        {
            (ulong cycles, ulong instructions) = IsInside(node, callee) ? default : (callee.WholeCycles, callee.WholeInstructions);
            (ulong calls, ulong c, ulong i) = function.Callees.GetValueOrDefault((callee.Name, callee.Where));
            function.Callees[(callee.Name, callee.Where)] = (calls + callee.Calls, c + cycles, i + instructions);
        }
    }

    /// <summary>Whether the same function is called by the same one further up, too: then that has the cycles.</summary>
    private static bool IsInside(CallNode caller, CallNode callee)
    {
        for (CallNode? at = caller; at?.Caller is { } above; at = above)
        {
            if (IsSame(at, callee) && IsSame(above, caller))
                return true;
        }
        return false;
    }

    private static bool IsSame(CallNode a, CallNode b) => a.Name == b.Name && a.Where == b.Where;

    private static Function Of(Dictionary<(string, string), Function> functions, CallNode node)
    {
        if (!functions.TryGetValue((node.Name, node.Where), out Function? function))
            functions[(node.Name, node.Where)] = function = new Function();
        return function;
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A name that is no number in parentheses, which the format takes for a short form, and has no end of a line.</summary>
    private static string Word(string name)
    {
        string word = RecordingLines.Printable(name);
        return word.Length == 0 ? "???" : word[0] == '(' ? $"_{word}" : word;
    }
}
