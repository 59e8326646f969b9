using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Documents;

/// <summary>The site that packaging/build-site.sh makes of the documents: every page is there, and nothing is loaded from elsewhere.
/// docfx takes half a minute: with ARMVDSO_LONG=1.</summary>
public sealed partial class SiteCommandTests
{
    [Fact]
    public void The_site_has_every_document_and_loads_nothing_from_elsewhere()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        string folder = Directory.CreateTempSubdirectory("armvdso-site").FullName;
        try
        {
            (int status, string output, string errors) =
                GuestPrograms.Run(Path.Join(GuestPrograms.RepositoryRoot, "packaging", "build-site.sh"), folder);
            Assert.True(status == 0, output + errors);
            foreach (string page in Directory.EnumerateFiles(Path.Join(GuestPrograms.RepositoryRoot, "docs"), "*.md"))
            {
                string html = File.ReadAllText(Path.Join(folder, "docs", Path.ChangeExtension(Path.GetFileName(page), "html")));
                string title = File.ReadLines(page).First().TrimStart('#', ' ');
                Assert.Contains(title.Split('"')[0], html);
                Assert.Empty(Loaded().Matches(html).Select(m => m.Value));
            }
            Assert.Contains("CompareDesigns", File.ReadAllText(Path.Join(folder, "api", "ArmVdso.Lab.ArmVdsoLab.html")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [GeneratedRegex("(?:<script[^>]*src|<link[^>]*href|<img[^>]*src)=\"(?:https?:)?//[^\"]*\"")]
    private static partial Regex Loaded();
}
