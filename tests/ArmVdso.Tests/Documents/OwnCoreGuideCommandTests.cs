using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Tests.Documents;

/// <summary>docs/own-core.md as a reader does it: rows of a table become a core.</summary>
public sealed class OwnCoreGuideCommandTests
{
    [Fact]
    public void GuideEndsWithACoreThatTheTableDecides()
    {
        (string Kind, string Text)[] blocks = GuideShell.Blocks("own-core.md");
        Assert.Equal(["sh guide", "sh guide", "sh guide"], blocks.Select(b => b.Kind));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("armvdso-guide-");
        try
        {
            string said = "";
            foreach ((_, string block) in blocks)
            {
                (int status, said) = GuideShell.Run(folder.FullName, block);
                Assert.True(status == 0, $"status {status} of\n{block}\n{said}");
            }
            Assert.Contains("cycles a round in the steady state", said, StringComparison.Ordinal);
            CoreModel core = CoreModel.Load(Path.Join(folder.FullName, "my-board", "my-board.json"));
            string Timing(string name) => core.Timings.Single(t => t.Names == name).Values;
            Assert.StartsWith("latency 5, uops m:3", Timing("madd.x"), StringComparison.Ordinal);
            Assert.StartsWith("latency 3,", Timing("simd_alu"), StringComparison.Ordinal);
            Assert.StartsWith("latency 4,", Timing("fp_alu"), StringComparison.Ordinal);
            Assert.Equal("measured", core.Timings.Single(t => t.Names == "fp_alu").Evidence);
            Assert.StartsWith("as neoverse-n1: ", core.Parameters.Single(p => p.Key == "reorder_buffer").Source, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(true);
        }
    }
}
