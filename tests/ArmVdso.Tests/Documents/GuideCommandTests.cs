namespace ArmVdso.Tests.Documents;

/// <summary>Guides that need nothing but a compiler, as a reader does them: every block succeeds, and shows what the text says.</summary>
public sealed class GuideCommandTests
{
    [Theory]
    [InlineData(
        "tour.md", "process 100", "task-clock", "per-CPU designs", "syscall cycles", "first call (cold)", "FAIL#1", "interleavings")]
    [InlineData("offset.md", "\"cause\":\"switch\"", "tpidrro_write: switch")]
    [InlineData("cycles.md", "( +- ", "calibrated")]
    public void EveryBlockDoesWhatTheTextSays(string guide, params string[] shown)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("armvdso-guide-");
        try
        {
            string all = "";
            foreach ((_, string block) in GuideShell.Blocks(guide))
            {
                (int status, string said) = GuideShell.Run(folder.FullName, block);
                Assert.True(status == 0, $"status {status} of\n{block}\n{said}");
                all += said;
            }
            Assert.All(shown, text => Assert.Contains(text, all, StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(true);
        }
    }
}
