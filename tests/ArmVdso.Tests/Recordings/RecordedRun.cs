using System.Diagnostics;
using System.Text.Json;

namespace ArmVdso.Tests.Recordings;

/// <summary>One recorded run of a server with threads that system calls, the vDSO and the scheduler keep busy, and its views.</summary>
public sealed class RecordedRun : IDisposable
{
    private readonly Dictionary<string, string> _views = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-recording").FullName;

    /// <summary>The run's options and program. The counter is trapped: each look at a clock makes a system call inside the vDSO.</summary>
    internal static string[] Program =>
    [
        "--counter-fault", "trapped", "--cpus", "2", "--slice", "20", GuestPrograms.Path("server"), "-n", "3",
    ];

    /// <summary>The recording.</summary>
    internal string File { get; }

    /// <summary>Records.</summary>
    public RecordedRun()
    {
        File = Path.Join(_folder, "run.rec");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--trace", File, "--konata-window", "1000:2000i", .. Program]);
        Assert.True(result.Status == 0, result.Errors);
    }

    /// <summary>A view of it: the file that dump writes.</summary>
    internal string View(string form)
    {
        if (!_views.TryGetValue(form, out string? file))
        {
            _views[form] = file = Path.Join(_folder, form);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("dump", File, "--as", form, "-o", file);
            Assert.Equal((0, "", ""), (result.Status, result.Output, result.Errors));
        }
        return file;
    }

    /// <summary>The events as JSON says them.</summary>
    internal IReadOnlyList<JsonElement> Events() =>
        [.. System.IO.File.ReadLines(View("json")).Skip(1).Select(l => JsonDocument.Parse(l).RootElement)];

    /// <summary>Pipes a file through a tool.</summary>
    internal static string Through(string tool, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$0\" \"$@\" < \"$FILE\"", tool, .. arguments])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["FILE"] = file;
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{tool} did not start");
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{tool} ended with {process.ExitCode}");
        return output;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, true);
}
