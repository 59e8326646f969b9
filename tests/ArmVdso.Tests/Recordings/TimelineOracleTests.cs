using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Recordings;

/// <summary>Views of a recording in the forms of other tools, read by those tools where they can be had: protoc with Perfetto's schema,
/// callgrind_annotate; else by rules that their documents give.</summary>
public sealed partial class TimelineOracleTests(RecordedRun run) : IClassFixture<RecordedRun>
{
    /// <summary>A packet as protoc prints it: a line for each field.</summary>
    private sealed record Packet(string Text)
    {
        /// <summary>Of annotations, which have a name too and are further in, there is no question.</summary>
        internal string? Field(string name)
        {
            int indent = name.EndsWith("_name", StringComparison.Ordinal) ? 6 : 4;
            Match match = Regex.Match(Text, $@"(?m)^ {{2,{indent}}}{name}: ""?(.*?)""?$");
            return match.Success ? match.Groups[1].Value : null;
        }

        internal ulong Time => ulong.Parse(Field("timestamp")!, CultureInfo.InvariantCulture);

        internal string Track => Field("track_uuid")!;
    }

    private Packet[] Packets()
    {
        string folder = Path.Join(GuestPrograms.RepositoryRoot, "tests", "ArmVdso.Tests", "Recordings");
        string text = RecordedRun.Through("protoc", run.View("perfetto"), $"-I{folder}", "--decode=Trace", "perfetto.proto");
        // What the schema does not have is printed as a number.
        Assert.DoesNotMatch(@"(?m)^ *\d+[:{ ]", text);
        return [.. text.Split("packet {")[1..].Select(p => new Packet(p))];
    }

    [Fact]
    public void PerfettoHasTracksNestedSlicesAndFlows()
    {
        Packet[] packets = Packets();
        Dictionary<string, string> tracks = packets.Where(p => p.Text.Contains("track_descriptor", StringComparison.Ordinal))
            .GroupBy(p => p.Field("uuid")!).ToDictionary(
                g => g.Key, g => g.First().Field("name") ?? g.First().Field("thread_name") ?? g.First().Field("process_name")!);
        Assert.Superset(
            new HashSet<string> { "cpu 0", "cpu 1", "cpu 0 TPIDRRO_EL0", "cpu 1 TPIDRRO_EL0", "cpu 0 TPIDRRO_EL0 slot", "server" },
            tracks.Values.ToHashSet());
        var open = new Dictionary<string, Stack<string>>();
        var last = new Dictionary<string, ulong>();
        var states = new HashSet<string>();
        int nested = 0;
        Packet[] events = [.. packets.Where(p => p.Text.Contains("track_event", StringComparison.Ordinal))];
        foreach (Packet p in events)
        {
            Assert.True(tracks.ContainsKey(p.Track));
            Stack<string> stack = open.TryGetValue(p.Track, out Stack<string>? known) ? known : open[p.Track] = [];
            string name = p.Field("name") ?? "";
            switch (p.Field("type"))
            {
                case "TYPE_SLICE_BEGIN":
                    nested += stack.Count > 0 && p.Field("categories") == "syscalls" ? 1 : 0;
                    stack.Push(name);
                    if (tracks[p.Track].EndsWith("TPIDRRO_EL0 slot", StringComparison.Ordinal))
                        states.Add(name.Split(' ')[0]);
                    break;
                case "TYPE_SLICE_END":
                    stack.Pop();
                    break;
                default:
                    continue;
            }
            Assert.True(last.GetValueOrDefault(p.Track) <= p.Time);
            last[p.Track] = p.Time;
            // A CPU runs one thread, the register has one value.
            Assert.True(!tracks[p.Track].StartsWith("cpu ", StringComparison.Ordinal)
                || tracks[p.Track].EndsWith("idle task", StringComparison.Ordinal) || stack.Count <= 1);
        }
        Assert.All(open.Values, Assert.Empty);
        Assert.Contains("off", states);
        Assert.True(states.Count >= 3);
        // The vDSO's way out is inside its call.
        Assert.True(nested > 0);
        Packet[] leave = [.. events.Where(p => p.Field("flow_ids") is not null)];
        Dictionary<string, Packet> come = events.Where(p => p.Field("terminating_flow_ids") is not null)
            .ToDictionary(p => p.Field("terminating_flow_ids")!);
        Assert.Equal(come.Count, leave.Length);
        Assert.True(come.Count > 3);
        Assert.All(leave, p => Assert.True(come[p.Field("flow_ids")!].Track != p.Track && come[p.Field("flow_ids")!].Time >= p.Time));
    }

    [Fact]
    public void ChromesTraceNestsAndConnects()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(run.View("chrome")));
        var open = new Dictionary<(int, int), int>();
        var last = new Dictionary<(int, int), decimal>();
        var flows = new Dictionary<ulong, (int Pid, decimal Time)>();
        bool off = false;
        int migrations = 0;
        foreach (JsonElement e in document.RootElement.GetProperty("traceEvents").EnumerateArray())
        {
            string phase = e.GetProperty("ph").GetString()!;
            (int Pid, int Tid) track = (e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32());
            if (phase == "M")
                continue;
            Assert.Matches(@"^\d+\.\d{3}$", e.GetProperty("ts").GetRawText());
            decimal time = e.GetProperty("ts").GetDecimal();
            switch (phase)
            {
                case "B" or "E":
                    open[track] = open.GetValueOrDefault(track) + (phase == "B" ? 1 : -1);
                    Assert.True(open[track] >= 0 && time >= last.GetValueOrDefault(track));
                    last[track] = time;
                    break;
                case "C":
                    JsonElement args = e.GetProperty("args");
                    off |= args.TryGetProperty("off", out JsonElement state) && state.GetInt32() == 1
                        && args.GetProperty("offset").GetInt64() == 0;
                    break;
                case "s":
                    flows.Add(e.GetProperty("id").GetUInt64(), (track.Pid, time));
                    break;
                case "f":
                    (int pid, decimal left) = flows[e.GetProperty("id").GetUInt64()];
                    Assert.True(pid != track.Pid && left <= time);
                    migrations++;
                    break;
            }
        }
        Assert.All(open.Values, depth => Assert.Equal(0, depth));
        Assert.True(off && migrations == flows.Count && migrations > 3);
    }

    [GeneratedRegex(@"(?m)^([\d,]+) \(100\.0%\).*PROGRAM TOTALS")]
    private static partial Regex Totals();

    [Fact]
    public void CallTreesAgreeAndTheirToolsReadThem()
    {
        long folded = File.ReadLines(run.View("folded")).Sum(l => long.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        (int status, string output, string errors) = GuestPrograms.Run("callgrind_annotate", run.View("callgrind"));
        Assert.True(status == 0, errors);
        Assert.Equal(folded, long.Parse(Totals().Match(output).Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
        Assert.Matches(@"\?\?\?:futex \[\[syscall\]\]", output);
        Assert.Equal(folded, CheckSpeedscope(run.View("speedscope")));
    }

    /// <summary>What the schema asks for (speedscope.app/file-format-schema.json). The sum of the weights.</summary>
    internal static long CheckSpeedscope(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        JsonElement root = document.RootElement;
        Assert.Equal("https://www.speedscope.app/file-format-schema.json", root.GetProperty("$schema").GetString());
        JsonElement[] frames = [.. root.GetProperty("shared").GetProperty("frames").EnumerateArray()];
        Assert.All(frames, f => Assert.NotEmpty(f.GetProperty("name").GetString()!));
        long sum = 0;
        foreach (JsonElement profile in root.GetProperty("profiles").EnumerateArray())
        {
            Assert.Equal("sampled", profile.GetProperty("type").GetString());
            Assert.Equal("none", profile.GetProperty("unit").GetString());
            Assert.NotEmpty(profile.GetProperty("name").GetString()!);
            JsonElement[] samples = [.. profile.GetProperty("samples").EnumerateArray()];
            long[] weights = [.. profile.GetProperty("weights").EnumerateArray().Select(w => w.GetInt64())];
            Assert.Equal(weights.Length, samples.Length);
            Assert.All(samples, s => Assert.All(s.EnumerateArray(), f => Assert.InRange(f.GetInt32(), 0, frames.Length - 1)));
            Assert.Equal(weights.Sum(), profile.GetProperty("endValue").GetInt64() - profile.GetProperty("startValue").GetInt64());
            sum += weights.Sum();
        }
        return sum;
    }
}
