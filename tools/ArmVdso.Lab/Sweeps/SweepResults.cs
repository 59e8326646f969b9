using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Lab.Sweeps;

/// <summary>The file of a sweep's results: a line that says so, then a line of JSON for each point that was measured, with all that it
/// depends on. Several processes add to it at a time; what a killed one left of a line is no result.</summary>
/// <param name="file">The file.</param>
public sealed class SweepResults(string file)
{
    private const string Format = "armvdso-sweep";
    private const int Version = 1, RetryMs = 20;

    /// <summary>The beginning of every such file, of whatever version.</summary>
    public const string FirstWord = $"{{\"format\":\"{Format}\"";

    private static string Header => $"{FirstWord},\"version\":{Version}}}\n";

    /// <summary>What was measured: the point's key as text, to the figures.</summary>
    /// <exception cref="LabException">It is no such file, or cannot be read.</exception>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Read()
    {
        var results = new Dictionary<string, IReadOnlyDictionary<string, double>>();
        if (!File.Exists(file) || new FileInfo(file).Length == 0)
            return results;
        string[] lines;
        using (FileStream stream = Open(FileMode.Open, FileAccess.Read))
        using (var reader = new StreamReader(stream))
            lines = reader.ReadToEnd().Split('\n');
        if (lines[0] + "\n" != Header)
        {
            throw new LabException(
                lines[0].StartsWith(FirstWord, StringComparison.Ordinal)
                    ? $"{file}: results of another version" : $"{file}: no results of a sweep",
                LabFault.Input);
        }
        foreach (string line in lines.Skip(1).Where(l => l.EndsWith('}')))
        {
            // A line whose writer was killed may end like a whole one by chance.
            if (Parsed(line) is { } result)
                results[result.Key] = result.Figures;
        }
        return results;
    }

    /// <summary>The keys and figures of all points of a file.</summary>
    /// <inheritdoc cref="Read"/>
    public IEnumerable<(JsonObject Key, IReadOnlyDictionary<string, double> Figures)> All() =>
        Read().Select(r => (JsonNode.Parse(r.Key)!.AsObject(), r.Value));

    private static (string Key, IReadOnlyDictionary<string, double> Figures)? Parsed(string line)
    {
        try
        {
            JsonNode? root = JsonNode.Parse(line);
            return root?["key"] is JsonObject key && root["figures"] is JsonObject figures
                ? (key.ToJsonString(), figures.ToDictionary(f => f.Key, f => f.Value!.GetValue<double>())) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Adds a point.</summary>
    /// <exception cref="LabException">The file cannot be written.</exception>
    public void Add(JsonObject key, IReadOnlyDictionary<string, double> figures)
    {
        var line = new JsonObject
        {
            ["key"] = key,
            ["figures"] = new JsonObject(figures.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value))),
        };
        using FileStream stream = Open(FileMode.OpenOrCreate, FileAccess.ReadWrite);
        string before = "";
        if (stream.Length == 0)
        {
            before = Header;
        }
        else
        {
            stream.Seek(-1, SeekOrigin.End);
            before = stream.ReadByte() == '\n' ? "" : "\n";
        }
        stream.Seek(0, SeekOrigin.End);
        stream.Write(Encoding.UTF8.GetBytes($"{before}{line.ToJsonString()}\n"));
    }

    /// <summary>Opens the file alone: a process that has it open writes one line.</summary>
    private FileStream Open(FileMode mode, FileAccess access)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(file, mode, access, FileShare.None);
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException) && attempt < MostAttempts)
            {
                Thread.Sleep(RetryMs);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LabException($"{file}: {e.Message}", LabFault.Failed, e);
            }
        }
    }

    private const int MostAttempts = 500;
}
