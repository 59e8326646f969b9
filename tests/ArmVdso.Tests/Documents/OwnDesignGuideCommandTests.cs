namespace ArmVdso.Tests.Documents;

/// <summary>The walk through docs/own-design.md, as a reader does it: the commands, the patches, and the check that fails.</summary>
public sealed class OwnDesignGuideCommandTests
{
    [Fact]
    public void GuideEndsWithADesignThatHolds()
    {
        (string Kind, string Text)[] blocks = GuideShell.Blocks("own-design.md");
        Assert.Equal(["sh guide", "diff guide", "sh guide", "sh guide fails", "diff guide", "sh guide"], blocks.Select(b => b.Kind));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("armvdso-guide-");
        try
        {
            foreach ((string kind, string block) in blocks)
            {
                string commands = kind == "diff guide" ? $"patch -p1 <<'END'\n{block}END\n" : block;
                (int status, string said) = GuideShell.Run(folder.FullName, commands);
                Assert.True(status == (kind == "sh guide fails" ? 1 : 0), $"status {status} of\n{block}\n{said}");
                if (kind == "sh guide fails")
                    Assert.Contains("own/getsid/setsid@0", said, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(true);
        }
    }
}
