using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>The output folder of gem5: stats.txt with the counts, config.json with every parameter that had effect.</summary>
internal sealed class OutputFolderFiles
{
    private const string Option = "--outdir";

    private readonly TextWriter _stats, _config;

    private OutputFolderFiles(string folder) =>
        (_stats, _config) =
            (Terminal.Open(Option, Path.Join(folder, "stats.txt")), Terminal.Open(Option, Path.Join(folder, "config.json")));

    /// <summary>Makes the folder and its files before the run.</summary>
    /// <exception cref="UserError">They cannot be written.</exception>
    internal static OutputFolderFiles Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{Option} {folder}: {e.Message}", ExitStatus.EmulatorError);
        }
        return new OutputFolderFiles(folder);
    }

    /// <summary>Writes both.</summary>
    internal void Write(SessionSettings settings, RunStatistics statistics, RecordingHeader header, string? booted)
    {
        using (_stats)
            StatisticsReport.Write(_stats, settings, statistics, StatisticsFormat.Gem5, booted);
        using (_config)
        {
            using var json = new MemoryStream();
            using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true }))
                Config(settings, header).WriteTo(writer);
            _config.WriteLine(Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length));
        }
    }

    private static JsonObject Config(SessionSettings settings, RecordingHeader header)
    {
        CoreModel model = CoreModel.Load(settings.Core);
        JsonObject root = header.ToJson();
        root.Remove("format");
        root.Remove("version");
        root.Remove("slot_fields");
        root.Remove("counters");
        root["engine"] = settings.Engine.ToString();
        root["memory_bytes"] = settings.MemoryBytes;
        root["quantum_cycles"] = settings.Quantum;
        root["page_placement"] = settings.PagePlacement;
        root["epoch_seconds"] = settings.Epoch;
        if (header.Command != "boot")
        {
            root["slice_ns"] = settings.SliceNs ?? SessionSettings.UsualSliceNs;
            root["va_bits"] = settings.VaBits;
            root["root"] = settings.Root;
            root["environment"] = new JsonArray([.. settings.Environment.Select(e => (JsonNode?)e)]);
            root["uid"] = settings.Uid;
            root["gid"] = settings.Gid;
        }
        root["core_parameters"] = new JsonArray([.. model.Parameters.Select(p => new JsonObject
        {
            ["key"] = p.Key,
            ["value"] = p.Value,
            ["unit"] = p.Unit,
            ["evidence"] = p.Evidence,
            ["source"] = p.Source,
        })]);
        return root;
    }
}
