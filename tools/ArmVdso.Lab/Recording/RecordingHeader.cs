using System.Text.Json;
using System.Text.Json.Nodes;

namespace ArmVdso.Lab.Recording;

/// <summary>What a recording is of. All that makes the run come again is in it, but the files that the guest read.</summary>
public sealed record RecordingHeader
{
    /// <summary>The version of the format, which is also in the file's first line.</summary>
    public const int Version = 1;

    /// <summary>The command: run or boot.</summary>
    public required string Command { get; init; }

    /// <summary>The program and its arguments, or the kernel's file.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The version of ArmVdso that made it.</summary>
    public string MadeBy { get; init; } = "";

    /// <summary>The core's timing model.</summary>
    public required string Core { get; init; }

    /// <summary>The CPU that the program finds.</summary>
    public required string Profile { get; init; }

    /// <summary>CPUs.</summary>
    public required int Cpus { get; init; }

    /// <summary>vDSO design; empty: a kernel was booted.</summary>
    public required string Design { get; init; }

    /// <summary>Configuration of the kernel model; empty: a kernel was booted.</summary>
    public required string Kernel { get; init; }

    /// <summary>Seed of all that is random.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Cycles a second.</summary>
    public required ulong ClockHz { get; init; }

    /// <summary>Fields of a slot.</summary>
    public IReadOnlyList<string> SlotFields { get; init; } = [];

    /// <summary>Counters.</summary>
    public IReadOnlyList<string> Counters { get; init; } = [];

    /// <summary>The header of a run on a machine.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="settings">Settings of the run.</param>
    /// <param name="booted">Whether a kernel is booted.</param>
    /// <param name="arguments">The program and its arguments, or the kernel's file.</param>
    public static RecordingHeader Of(Machine machine, SessionSettings settings, bool booted, IReadOnlyList<string> arguments) => new()
    {
        Command = booted ? "boot" : "run",
        Arguments = arguments,
        MadeBy = typeof(RecordingHeader).Assembly.GetName().Version?.ToString(3) ?? "",
        Core = settings.Core,
        Profile = settings.CpuProfileName,
        Cpus = machine.Cpus.Count,
        Design = booted ? "" : settings.Vdso,
        Kernel = booted ? "" : settings.KernelConfiguration.ToString(),
        Seed = settings.Seed,
        ClockHz = machine.ClockFrequency,
        Counters = [.. Recorder.CountersOf(machine).Select(e => e.Name)],
    };

    /// <summary>As one line of JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["format"] = "armvdso-recording",
        ["version"] = Version,
        ["made_by"] = MadeBy,
        ["command"] = Command,
        ["arguments"] = Array(Arguments),
        ["core"] = Core,
        ["cpu_profile"] = Profile,
        ["cpus"] = Cpus,
        ["design"] = Design,
        ["kernel"] = Kernel,
        ["seed"] = Seed,
        ["clock_hz"] = ClockHz,
        ["slot_fields"] = Array(SlotFields),
        ["counters"] = Array(Counters),
    };

    private static JsonArray Array(IReadOnlyList<string> words) => new([.. words.Select(w => (JsonNode?)w)]);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="LabException">It is none.</exception>
    internal static RecordingHeader Parse(string file, ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            JsonElement root = document.RootElement;
            string Word(string name) => root.GetProperty(name).GetString() ?? "";
            string[] Words(string name) => [.. root.GetProperty(name).EnumerateArray().Select(w => w.GetString() ?? "")];
            var header = new RecordingHeader
            {
                MadeBy = Word("made_by"),
                Command = Word("command"),
                Arguments = Words("arguments"),
                Core = Word("core"),
                Profile = Word("cpu_profile"),
                Cpus = root.GetProperty("cpus").GetInt32(),
                Design = Word("design"),
                Kernel = Word("kernel"),
                Seed = root.GetProperty("seed").GetUInt64(),
                ClockHz = root.GetProperty("clock_hz").GetUInt64(),
                SlotFields = Words("slot_fields"),
                Counters = Words("counters"),
            };
            return header is { Cpus: >= 1 and <= Machine.MaxCpus, ClockHz: > 0 } ? header
                : throw new LabException($"{file}: its header has impossible numbers", LabFault.Input);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LabException($"{file}: its header cannot be read: {e.Message}", LabFault.Input, e);
        }
    }
}
