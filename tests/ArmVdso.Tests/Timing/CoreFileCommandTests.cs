using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Tests.Timing;

/// <summary>A core's file as the command takes it.</summary>
public sealed class CoreFileCommandTests
{
    /// <summary>What belongs to a core is in its file: a copy is the same core under any name, one that holds another core's too.</summary>
    [Fact]
    public void ACopyIsTheSameCoreUnderAnyName()
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-cores").FullName;
        try
        {
            foreach (string core in CoreModel.Names)
            {
                string expected = Cycles(core, core);
                foreach (string name in new[] { "mine", "run1" })
                {
                    string copy = Path.Join(folder, name + ".json");
                    using Stream text = typeof(CoreModel).Assembly.GetManifestResourceStream($"cores/{core}.json")!;
                    using (FileStream file = File.Create(copy))
                        text.CopyTo(file);
                    Assert.Equal(expected, Cycles(copy, core));
                }
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>Header and table of a comparison, with the core by its own name.</summary>
    private static string Cycles(string core, string name)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("compare", "--core", core, "getpid", "getcpu");
        Assert.Equal(0, result.Status);
        // The interval that follows is of built-in cores only.
        string table = result.Output[..result.Output.IndexOf("\nA context switch", StringComparison.Ordinal)];
        return table.Replace(core, name, StringComparison.Ordinal);
    }
}
