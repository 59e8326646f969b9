using System.Text.Json;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>A trace in the Trace Event Format that Chrome's viewer reads, and Perfetto too: a process for each CPU, whose counter
/// TPIDRRO_EL0 has a series for the offset and one that is 1 while it is off; and the guest's processes. Times are microseconds of the
/// guest, written from whole nanoseconds: fractions of binary floating point would make slices overlap.</summary>
internal sealed class ChromeTimeline : ITimeline
{
    /// <summary>Above the guest's greatest number of a process, so that none is a CPU's.</summary>
    private const int FirstCpu = 1 << 23;

    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;
    private readonly ulong _clockHz;

    internal ChromeTimeline(Stream output, ulong clockHz)
    {
        (_output, _clockHz) = (output, clockHz);
        _json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        _json.WriteStartObject();
        _json.WriteString("displayTimeUnit", "ns");
        _json.WriteStartArray("traceEvents");
    }

    /// <inheritdoc/>
    public void Declare(Track track)
    {
        if (track.Kind == TrackKind.CpuCounter)
            return;
        bool process = track.Kind is TrackKind.Process or TrackKind.Cpu;
        Head("M", track, null);
        _json.WriteString("name", process ? "process_name" : "thread_name");
        _json.WriteStartObject("args");
        _json.WriteString("name", track.Name);
        _json.WriteEndObject();
        _json.WriteEndObject();
        if (track.Kind == TrackKind.Cpu)
            Declare(track with { Kind = TrackKind.Thread, Name = "runs", Task = new RecordedTask(track.Id, FirstCpu + track.Cpu, "") });
    }

    /// <inheritdoc/>
    public void Begin(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown) =>
        Event("B", track, cycle, name, category, shown);

    /// <inheritdoc/>
    public void End(Track track, ulong cycle, IReadOnlyList<Shown> shown) => Event("E", track, cycle, "", "", shown);

    /// <inheritdoc/>
    public void Instant(Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown) =>
        Event("i", track, cycle, name, category, shown);

    /// <inheritdoc/>
    public void Counter(Track track, ulong cycle, long value)
    {
        Head("C", track, cycle);
        _json.WriteString("name", track.Name);
        _json.WriteStartObject("args");
        bool offset = track.Name == "TPIDRRO_EL0";
        _json.WriteNumber(offset ? "offset" : "count", value);
        if (offset)
            _json.WriteNumber("off", value == 0 ? 1 : 0);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    /// <inheritdoc/>
    public void Flow(ulong id, Track from, ulong left, Track to, ulong came)
    {
        // Inside the slice that ends where the thread leaves.
        Flow("s", from, left == 0 ? 0 : left - 1, id);
        Flow("f", to, came, id);
    }

    private void Flow(string phase, Track track, ulong cycle, ulong id)
    {
        Head(phase, track, cycle);
        _json.WriteString("name", "migration");
        _json.WriteString("cat", "sched");
        _json.WriteNumber("id", id);
        if (phase == "f")
            _json.WriteString("bp", "e");
        _json.WriteEndObject();
    }

    /// <inheritdoc/>
    public void Finish()
    {
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
        _json.Dispose();
        _output.Flush();
    }

    private void Event(string phase, Track track, ulong cycle, string name, string category, IReadOnlyList<Shown> shown)
    {
        Head(phase, track, cycle);
        if (name.Length > 0)
            _json.WriteString("name", name);
        if (category.Length > 0)
            _json.WriteString("cat", category);
        if (phase == "i")
            _json.WriteString("s", "t");
        if (shown.Count > 0)
        {
            _json.WriteStartObject("args");
            foreach (Shown value in shown)
            {
                if (value.Text is null)
                    _json.WriteNumber(value.Name, value.Number);
                else
                    _json.WriteString(value.Name, value.Text);
            }
            _json.WriteEndObject();
        }
        _json.WriteEndObject();
        if (_json.BytesPending > 1 << 16)
            _json.Flush();
    }

    private void Head(string phase, Track track, ulong? cycle)
    {
        bool cpu = track.Task.Tid < 0;
        _json.WriteStartObject();
        _json.WriteString("ph", phase);
        _json.WriteNumber("pid", cpu ? FirstCpu + track.Cpu : track.Task.Pid);
        _json.WriteNumber("tid", cpu ? track.Id : track.Task.Tid);
        if (cycle is not { } at)
            return;
        ulong ns = (ulong)((UInt128)at * 1_000_000_000 / _clockHz);
        _json.WritePropertyName("ts");
        _json.WriteRawValue(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{ns / 1000}.{ns % 1000:000}"), skipInputValidation: true);
    }
}
