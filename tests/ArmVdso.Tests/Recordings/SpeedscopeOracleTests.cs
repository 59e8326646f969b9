using System.Text.Json;

namespace ArmVdso.Tests.Recordings;

/// <summary>Views of a recording that speedscope reads, opened by speedscope itself (from npm) in chromium as its command does:
/// with ARMVDSO_LONG=1, since it has to be fetched.</summary>
public sealed class SpeedscopeOracleTests(RecordedRun run) : IClassFixture<RecordedRun>, IDisposable
{
    private const int Tries = 600;
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-speedscope").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private static void Do(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)}: {output}{errors}");
    }

    [Fact]
    public void SpeedscopeOpensItsOwnFormFoldedStacksAndTraceEvents()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        Do("npm", "pack", "--silent", "--pack-destination", _folder, "speedscope@1.25.0");
        Do("tar", "-xzf", Path.Join(_folder, "speedscope-1.25.0.tgz"), "-C", _folder);
        string page = new Uri(Path.Join(_folder, "package", "dist", "release", "index.html")).AbsoluteUri;
        using var browser = new Browser();
        foreach (string form in (string[])["speedscope", "folded", "chrome"])
        {
            string file = run.View(form), script = Path.Join(_folder, $"{form}.js");
            string content = JsonSerializer.Serialize(Convert.ToBase64String(File.ReadAllBytes(file)));
            File.WriteAllText(script, $"speedscope.loadFileFromBase64({JsonSerializer.Serialize(form)}, {content})");
            browser.Open($"{page}#localProfilePath={script}", 1280, false);
            // It names the profile in its title once it has read it; what it cannot read it says on the console.
            int left = Tries;
            string title;
            while (!(title = browser.Value("document.title").GetString()!).Contains(" - ", StringComparison.Ordinal) && --left > 0)
            {
                Assert.DoesNotContain(browser.Complaints, c => c.Contains("rror", StringComparison.Ordinal));
                Thread.Sleep(100);
            }
            Assert.True(left > 0, $"{form}: {title}: {browser.Value("document.body.innerText")}");
            Assert.DoesNotContain("went wrong", browser.Value("document.body.innerText").GetString());
        }
    }
}
