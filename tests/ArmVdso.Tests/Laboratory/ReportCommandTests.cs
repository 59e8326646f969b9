using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Sweeps;

namespace ArmVdso.Tests.Laboratory;

/// <summary>The page that armvdso report writes, opened in Debian's chromium. With ARMVDSO_LONG=1 one that has all parts.</summary>
public sealed partial class ReportCommandTests : IClassFixture<ReportCommandTests.Pages>
{
    /// <summary>What the guest calls itself: text of HTML.</summary>
    private const string Named = "<script>alert(1)&amp;";

    private const string Schedule = "per-cpu/getpid/migrate@3";

    /// <summary>A browser, and a page of a run.</summary>
    public sealed class Pages : IDisposable
    {
        internal string Folder { get; } = Directory.CreateTempSubdirectory("armvdso-report").FullName;

        internal Browser Browser => _browser ??= new Browser();

        private Browser? _browser;

        internal string Run { get; }

        internal string Program { get; }

        public Pages()
        {
            Program = Path.Join(Folder, Named);
            File.Copy(GuestPrograms.Path("server"), Program);
            Run = Path.Join(Folder, "run.html");
            Make("-o", Run, "--parts", "path", "--slice", "20", "--schedule", Schedule, Program, "-n", "2");
        }

        internal static void Make(params string[] words)
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["report", .. words]);
            Assert.True(result.Status == 0, result.Errors);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _browser?.Dispose();
            Directory.Delete(Folder, true);
        }
    }

    private readonly Pages _pages;

    public ReportCommandTests(Pages pages) => _pages = pages;

    private Browser Browser => _pages.Browser;

    /// <summary>The figures that are embedded in a page.</summary>
    private static JsonElement Embedded(string page, string id)
    {
        Match match = Regex.Match(
            File.ReadAllText(page), $"<script type=\"application/json\" id=\"{id}\">(.*?)</script>", RegexOptions.Singleline);
        return JsonDocument.Parse(match.Groups[1].Value).RootElement;
    }

    private static JsonElement? At(JsonElement root, string path)
    {
        JsonElement at = root;
        foreach (string key in path.Split('.'))
        {
            if (at.ValueKind == JsonValueKind.Array)
                at = at[int.Parse(key, CultureInfo.InvariantCulture)];
            else if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(key, out at))
                return null;
        }
        return at;
    }

    private static string Shown(JsonElement value, string form)
    {
        string Decimals(double number, int n) =>
            Math.Round(number, n, MidpointRounding.AwayFromZero).ToString($"N{n}", CultureInfo.InvariantCulture);
        return form switch
        {
            "plain" => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText(),
            "int" => Decimals(value.GetDouble(), 0),
            "one" => Decimals(value.GetDouble(), 1),
            "two" => Decimals(value.GetDouble(), 2),
            "signed" => (value.GetDouble() > 0 ? "+" : "") + Decimals(value.GetDouble(), 0),
            "percent" => Decimals(100 * value.GetDouble(), 1) + "%",
            "mhz" => Decimals(value.GetDouble() / 1e6, 0) + " MHz",
            "micro" => value.GetDouble() switch
            {
                >= 1 and var seconds => Decimals(seconds, 3) + " s",
                >= 1e-3 and var seconds => Decimals(seconds * 1e3, 3) + " ms",
                var seconds => Decimals(seconds * 1e6, 1) + " µs",
            },
            _ => throw new InvalidOperationException($"no form {form}"),
        };
    }

    /// <summary>Every figure of the open page is the one in its JSON that it says it is.</summary>
    private int EveryFigureIsThatOfTheJson(string page)
    {
        JsonElement data = Embedded(page, "data"), timeline = Embedded(page, "timeline");
        int figures = 0;
        foreach (JsonElement shown in Browser.Value(
            "[...document.querySelectorAll('[data-from]')].map(e => [e.dataset.from, e.dataset.as, e.textContent])").EnumerateArray())
        {
            string path = shown[0].GetString()!, form = shown[1].GetString()!;
            JsonElement? value = path.StartsWith("timeline.", StringComparison.Ordinal)
                ? At(timeline, path["timeline.".Length..]) : At(data, path);
            string expected = value is { ValueKind: not JsonValueKind.Null } is_ ? Shown(is_, form) : "–";
            Assert.True(expected == shown[2].GetString(), $"{path}: {shown[2]} for {expected}");
            figures++;
        }
        return figures;
    }

    private void NothingIsWrong(int width)
    {
        Assert.Empty(Browser.Complaints);
        Assert.Empty(Browser.Requests);
        Assert.Equal("yes", Browser.Value("document.documentElement.dataset.ready").GetString());
        Assert.InRange(Browser.Value("document.documentElement.scrollWidth").GetInt32(), 1, width);
    }

    [Theory]
    [InlineData(390, false)]
    [InlineData(1280, true)]
    public void A_page_shows_its_figures_and_what_a_guest_is_called_is_text(int width, bool dark)
    {
        Browser.Open(_pages.Run, width, dark);
        NothingIsWrong(width);
        Assert.Equal(dark ? "dark" : "light", Browser.Value("document.documentElement.dataset.theme").GetString());
        Assert.InRange(EveryFigureIsThatOfTheJson(_pages.Run), 500, int.MaxValue);
        Assert.Equal(3, Browser.Value("document.scripts.length").GetInt32());
        Assert.EndsWith($"/{Named} -n 2", Browser.Value("document.querySelector('h1').textContent").GetString());
        string lanes = Browser.Value("document.querySelector('.viewport').textContent").GetString()!;
        Assert.Contains(Named[..15], lanes);
        Assert.Contains("WRONG", Browser.Value("document.querySelector('#schedules').textContent").GetString());
    }

    [Fact]
    public void Sections_are_those_whose_figures_are_there()
    {
        Browser.Open(_pages.Run, 1280, false);
        Assert.Equal(
            ["run", "calls", "parts", "time", "schedules"],
            Browser.Value("[...document.querySelectorAll('section')].map(s => s.id)").EnumerateArray().Select(s => s.GetString()));
    }

    [Fact]
    public void Keys_move_the_timeline_and_a_button_turns_the_light_off()
    {
        Browser.Open(_pages.Run, 1280, false);
        Browser.Value("document.querySelector('#theme').click()");
        Assert.Equal("dark", Browser.Value("document.documentElement.dataset.theme").GetString());
        Browser.Value("document.querySelector('.viewport').focus()");
        (long from, long to) = Window();
        Assert.Equal(0, from);
        Browser.Press("+");
        (long nearFrom, long nearTo) = Window();
        Assert.InRange(nearTo - nearFrom, (to / 2) - 2, (to / 2) + 2);
        Browser.Press("ArrowRight");
        Assert.InRange(Window().From, nearFrom + 1, nearTo);
        EveryFigureIsThatOfTheJson(_pages.Run);
        Browser.Press("0");
        Assert.Equal((0, to), Window());
        Assert.Empty(Browser.Complaints);
    }

    private (long From, long To) Window()
    {
        string text = Browser.Value("document.querySelector('#time [aria-live]').textContent").GetString()!;
        Match match = WindowText().Match(text);
        Assert.True(match.Success, text);
        long Number(string group) => long.Parse(match.Groups[group].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        return (Number("from"), Number("to"));
    }

    [GeneratedRegex("^Cycles (?<from>[0-9,]+) to (?<to>[0-9,]+) ")]
    private static partial Regex WindowText();

    /// <summary>What is drawn depends on the width: a hundred thousand events make no more elements than a thousand.</summary>
    [Fact]
    public void A_hundred_thousand_events_are_drawn_by_pixels()
    {
        const int Events = 100_000, Cpus = 4;
        string file = Path.Join(_pages.Folder, "many.rec"), page = Path.Join(_pages.Folder, "many.html");
        var header = new RecordingHeader
        {
            Command = "run",
            Arguments = ["made"],
            Core = "cortex-a53",
            Profile = "cortex-a53",
            Cpus = Cpus,
            Design = "per-cpu",
            Kernel = "kstack-random+ssbd",
            Seed = 0,
            ClockHz = 1_000_000_000,
        };
        using (FileStream stream = File.Create(file))
        using (var writer = new RecordingWriter(file, stream, header))
        {
            for (int i = 0; i < Events / 4; i++)
            {
                var task = new RecordedTask(1 + (i % 40), 1, $"task{i % 40}");
                ulong cycle = (ulong)i * 1000;
                writer.Add(RecordedKind.Switch, cycle, i % Cpus, task, "", [0], new RecordedTask(1 + ((i + 7) % 40), 1, "other"));
                writer.Add(RecordedKind.Offset, cycle + 10, i % Cpus, task, "switch", [0, 0x1e0 + (44 * (i % Cpus))], task);
                writer.Add(RecordedKind.SyscallEnter, cycle + 20, i % Cpus, task, "getpid", [172, 0, 0, 0, 0, 0, 0]);
                writer.Add(RecordedKind.SyscallExit, cycle + 400, i % Cpus, task, "getpid", [172, 1, 380, 0]);
            }
        }
        Pages.Make("--parts", "none", "-o", page, file);
        Browser.Open(page, 1280, false);
        NothingIsWrong(1280);
        EveryFigureIsThatOfTheJson(page);
        Assert.Equal(Events, Embedded(page, "timeline").GetProperty("events").GetArrayLength());
        Assert.Equal(Events / 4, At(Embedded(page, "data"), "calls.made")!.Value.GetInt32());
        Assert.InRange(Browser.Value("document.querySelectorAll('*').length").GetInt32(), 300, 3000);
        Assert.Contains("100,000 events", Browser.Value("document.querySelector('#time').textContent").GetString());
    }

    [Fact]
    public void Results_of_a_sweep_are_a_page()
    {
        string file = Path.Join(_pages.Folder, "sweep.jsonl"), page = Path.Join(_pages.Folder, "sweep.html");
        var results = new SweepResults(file);
        foreach (string design in new[] { "none", "per-cpu" })
        {
            for (int i = 0; i < 3; i++)
            {
                results.Add(
                    new JsonObject { ["core"] = "cortex-a53", ["design"] = design, ["placement"] = i },
                    new Dictionary<string, double> { ["cycles"] = 1000 + (i * 10), ["seconds"] = 0.25 });
            }
        }
        Pages.Make("-o", page, file);
        Browser.Open(page, 390, true);
        NothingIsWrong(390);
        EveryFigureIsThatOfTheJson(page);
        string shown = Browser.Value("document.querySelector('#sweep table').textContent").GetString()!;
        Assert.Contains("per-cpu1,01061,0001,0203", shown);
        Browser.Value("const choice = document.querySelector('#sweep select'); choice.selectedIndex = 1; "
            + "choice.dispatchEvent(new Event('change'))");
        Assert.Contains("250.000 ms", Browser.Value("document.querySelector('#sweep table').textContent").GetString());
        EveryFigureIsThatOfTheJson(page);
        Assert.Empty(Browser.Complaints);
    }

    /// <summary>A file of check --json has the schedules that fail, with the machine and the fault that they were found on.</summary>
    [Fact]
    public void Failing_schedules_of_a_file_are_drawn()
    {
        string file = Path.Join(_pages.Folder, "check.json"), page = Path.Join(_pages.Folder, "check.html");
        ArmVdsoCommand.Result check = ArmVdsoCommand.Run(
            "check", "--json", "--cpus", "3", "--cpu", "cortex-a53", "--function", "getpid", "--event", "migrate", "--event", "race",
            "per-cpu");
        Assert.True(check.Status == 1, check.Errors);
        File.WriteAllText(file, check.Output);
        Pages.Make("-o", page, "--parts", "none", "--schedule", file, _pages.Program);
        JsonElement[] drawn = [.. Embedded(page, "data").GetProperty("schedules").EnumerateArray()];
        string[] found =
        [
            .. JsonDocument.Parse(check.Output).RootElement.GetProperty("designs")[0].GetProperty("cells").EnumerateArray()
                .Select(c => c.GetProperty("id").GetString()).OfType<string>(),
        ];
        Assert.NotEmpty(found);
        Assert.Equal(found, drawn.Select(d => d.GetProperty("id").GetString()));
        Assert.All(drawn, d => Assert.False(d.GetProperty("held").GetBoolean()));
        Browser.Open(page, 1280, false);
        NothingIsWrong(1280);
        EveryFigureIsThatOfTheJson(page);
        Assert.Contains(found[0], Browser.Value("document.querySelector('#schedules').textContent").GetString());
    }

    [Theory]
    [InlineData("{}", "is not what check --json writes")]
    [InlineData("nothing", "is not what check --json writes")]
    [InlineData("""{"designs":[],"designs":[]}""", "is not what check --json writes")]
    [InlineData("""{"mutant":null,"designs":[{"cells":[{"id":null}]}]}""", "has no failing schedule")]
    [InlineData("""{"held":true,"mutant":null,"kernels":[{"booted":"Linux 6.12","cells":[]}]}""", "is of the booted kernel Linux 6.12")]
    [InlineData("""
        {"mutant":null,"designs":[{"cpus":1,"nodes":1,"cpu_profile":"max","kernel":"plain","cells":[{"id":"per-cpu/getpid/migrate@3"}]}]}
        """, "the checker needs 2 to 64 CPUs")]
    [InlineData("""
        {"mutant":null,"designs":[{"cpus":2,"nodes":3,"cpu_profile":"max","kernel":"plain","cells":[{"id":"per-cpu/getpid/migrate@3"}]}]}
        """, "nodes: 3 for 2 CPUs")]
    [InlineData("""
        {"mutant":null,"designs":[{"cpus":2,"nodes":1,"cpu_profile":"max","kernel":"plain","cells":[
        {"id":"per-cpu-gen/getpid/migrate@3"}]}]}
        """, "per-cpu-gen/getpid/migrate@3 fails there, and holds here")]
    [InlineData("""
        {"mutant":"start-preempted","designs":[{"cpus":2,"nodes":1,"cpu_profile":"max","kernel":"plain","cells":[
        {"id":"per-cpu-gen/getpid/migrate@3"}]}]}
        """, "design per-cpu-gen has no place for the fault start-preempted")]
    public void A_file_without_schedules_is_an_error_of_one_line(string text, string said)
    {
        string file = Path.Join(_pages.Folder, "none.json");
        File.WriteAllText(file, text);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("report", "-o", "/dev/null", "--schedule", file, GuestPrograms.Path("hello"));
        Assert.Equal(2, result.Status);
        Assert.Contains(said, result.Errors);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
    }

    /// <summary>The parts that take time: designs, ranges, accuracy. Without ARMVDSO_LONG=1 one design alone.</summary>
    [Fact]
    public void Designs_are_side_by_side()
    {
        bool all = Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";
        string page = Path.Join(_pages.Folder, "designs.html");
        Pages.Make(
            "-o", page, "--parts", all ? "all" : "designs", "--designs", all ? "all" : "per-cpu-gen", "--slice", "20", _pages.Program);
        foreach (int width in new[] { 390, 1280 })
        {
            Browser.Open(page, width, false);
            NothingIsWrong(width);
            Assert.InRange(EveryFigureIsThatOfTheJson(page), 500, int.MaxValue);
        }
        JsonElement data = Embedded(page, "data");
        JsonElement serves = data.GetProperty("serves").EnumerateArray().Single(s => s.GetProperty("design").GetString() == "per-cpu-gen");
        Assert.Contains("gettid", serves.GetProperty("names").GetString());
        Assert.InRange(serves.GetProperty("saved").GetInt64(), 1, long.MaxValue);
        Assert.Equal(
            serves.GetProperty("saved").GetInt64() - serves.GetProperty("paid").GetInt64(), serves.GetProperty("net").GetInt64());
    }

    [Theory]
    [InlineData("-o /dev/null --parts nonsense {0}", "there is no part 'nonsense'")]
    [InlineData("-o /dev/null --designs nonsense {0}", "nonsense")]
    [InlineData("-o /dev/null --schedule nonsense {0}", "'nonsense' is not DESIGN/FUNCTION/EVENT@BOUNDARY")]
    [InlineData("-o /nowhere/page.html {0}", "/nowhere/page.html")]
    public void What_cannot_be_is_an_error_of_one_line(string line, string said)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["report", .. line.Split(' ').Select(w => w == "{0}" ? GuestPrograms.Path("hello") : w)]);
        Assert.NotEqual(0, result.Status);
        Assert.Contains(said, result.Errors);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
    }
}
