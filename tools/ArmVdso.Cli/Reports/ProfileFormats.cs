using System.Text;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Recording.Views;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>The call graph of a profile in the forms of other tools.</summary>
internal static class ProfileFormats
{
    /// <summary>The forms; the first is <see cref="ProfileReport"/>'s table.</summary>
    internal static string[] All { get; } = ["table", "annotate", "lines", "perf", "callgrind", "folded", "speedscope"];

    /// <summary>Whether a form shows instructions, which the profile has to count then.</summary>
    internal static bool ByInstruction(string format) => format is "annotate" or "lines";

    /// <summary>Writes a profile.</summary>
    internal static void Write(string format, TextWriter output, RecordingHeader header, CycleProfile profile)
    {
        CallNode calls = profile.Finished();
        switch (format)
        {
            case "annotate":
                AnnotateReport.WriteInstructions(output, header, profile.Instructions());
                break;
            case "lines":
                AnnotateReport.WriteLines(output, header, profile.Instructions());
                break;
            case "callgrind":
                CallTreeFiles.Callgrind(header, calls, output);
                break;
            case "folded":
                CallTreeFiles.Folded(calls, output);
                break;
            case "speedscope":
                using (var json = new MemoryStream())
                {
                    CallTreeFiles.Speedscope(header, calls, json);
                    output.WriteLine(Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length));
                }
                break;
            default:
                PerfReport.Write(output, header, calls);
                break;
        }
    }
}
