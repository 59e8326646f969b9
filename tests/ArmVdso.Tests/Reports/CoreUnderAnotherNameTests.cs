using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until 8dbda0c: the kernel configuration of a core followed from the spelling of its file's name. A copy of
/// cortex-a53 called mine.json took 382 cycles for getpid where the original takes 390, one called run1.json ("n1" is in it) 583.</summary>
public sealed partial class CoreUnderAnotherNameTests
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
                string expected = Counts(core);
                foreach (string name in new[] { "mine", "run1" })
                    Assert.Equal(expected, Counts(Copy(core, folder, name)).Replace(folder, "", StringComparison.Ordinal)
                        .Replace($"/{name}.json", core, StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>The copy is compared like the original: cycles, and what becomes of them at the ends of what is not known.</summary>
    [Fact]
    public void ACopyIsComparedLikeTheOriginal()
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-cores").FullName;
        try
        {
            string copy = Copy("cortex-a55", folder, "mine");
            ArmVdsoCommand.Result expected = ArmVdsoCommand.Run("compare", "--core", "cortex-a55", "getpid", "getcpu");
            Assert.Contains("ends of their calibrated ranges", expected.Output, StringComparison.Ordinal);
            string output = ArmVdsoCommand.Run("compare", "--core", copy, "getpid", "getcpu").Output;
            Assert.Equal(expected.Output, output.Replace(copy, "cortex-a55", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static string Copy(string core, string folder, string name)
    {
        string copy = Path.Join(folder, name + ".json");
        File.WriteAllText(copy, CoreFiles.Text(core));
        return copy;
    }

    /// <summary>Header, cycles and events of a run, which profile and kernel configuration change.</summary>
    private static string Counts(string core)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", core, "--stats", "--json", GuestPrograms.Path("hello"));
        Assert.Contains("CPU_CYCLES", result.Errors, StringComparison.Ordinal);
        return HostSeconds().Replace(result.Errors, "");
    }

    [GeneratedRegex("\"host_seconds\":[^,}]*")]
    private static partial Regex HostSeconds();
}
