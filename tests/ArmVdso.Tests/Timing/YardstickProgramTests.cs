using System.Globalization;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Tests.Timing;

/// <summary>The programs of the yardsticks against qemu-aarch64.</summary>
public sealed class YardstickProgramTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("armvdso-yardsticks-").FullName;

    private static string Programs => Path.Combine(GuestPrograms.RepositoryRoot, "tools", "ArmVdso.Yardsticks", "Programs");

    /// <summary>The programs compute what the same sources compute under qemu-aarch64.</summary>
    [Theory]
    [InlineData("dhrystone_like", 37)]
    [InlineData("coremark_like", 3)]
    public void ProgramsGiveQemusChecksums(string name, ulong rounds)
    {
        string main = Path.Combine(_directory, "main.c");
        string guest = Path.Combine(_directory, name);
        File.WriteAllText(main, $"#include <stdio.h>\nunsigned long run(unsigned long);\nint main(void) {{ run({rounds}); "
            + $"printf(\"%lu\\n\", run({rounds})); }}\n");
        Host("aarch64-linux-gnu-gcc", "-O2", "-std=gnu11", "-static", "-o", guest, main, Path.Combine(Programs, name + ".c"));
        ulong expected = ulong.Parse(Host("qemu-aarch64", guest), CultureInfo.InvariantCulture);
        foreach (string level in (string[])["O2", "O3"])
            Assert.Equal(expected, ProgramSet.Execute("none", $"{name}-{level}", rounds).Checksum);
    }

    private static string Host(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        Assert.True(status == 0, errors);
        return output.Trim();
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, true);
}
