using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;

namespace ArmVdso.Cli;

/// <summary>One page of HTML that needs nothing besides itself: the figures are embedded as JSON, and the page's own code makes of them all
/// that is shown.</summary>
internal static class ReportPage
{
    private static readonly string[] s_scripts = ["base", "charts", "timeline", "schedule", "sweep", "sections"];

    /// <summary>Writes the page.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="title">Its title.</param>
    /// <param name="data">The figures.</param>
    /// <param name="timeline">The timeline's JSON, which is written as it is; null: there is none.</param>
    internal static void Write(TextWriter output, string title, JsonObject data, string? timeline)
    {
        string page = Resource("page.html");
        int at = 0;
        // In the order of the page: what a guest chose is among the figures, and is never searched for a mark.
        foreach ((string mark, string text) in new[]
        {
            ("{{title}}", WebUtility.HtmlEncode(title)), ("{{style}}", Resource("page.css")), ("{{data}}", data.ToJsonString()),
            ("{{timeline}}", timeline ?? "null"), ("{{script}}", string.Join('\n', s_scripts.Select(s => Resource($"{s}.js")))),
        })
        {
            int place = page.IndexOf(mark, at, StringComparison.Ordinal);
            output.Write(page.AsSpan(at, place - at));
            output.Write(text);
            at = place + mark.Length;
        }
        output.Write(page.AsSpan(at));
    }

    private static string Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"page/{name}")
            ?? throw new FileNotFoundException($"embedded resource page/{name} is missing");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
