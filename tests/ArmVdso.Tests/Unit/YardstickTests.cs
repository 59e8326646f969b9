using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Tests.Unit;

/// <summary>The yardsticks themselves: tables of other folders, and the programs against qemu-aarch64.</summary>
public sealed class YardstickTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("armvdso-yardsticks-").FullName;

    private static string Programs([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "tools", "ArmVdso.Yardsticks", "Programs"));

    private IEnumerable<YardstickResult> Run(string set) => YardstickSets.All.Single(s => s.Name == set).Run(YardstickData.From(_directory));

    /// <summary>Other rows, other registers, other instructions than in the tables built in.</summary>
    [Fact]
    public void TablesOfAnotherFolderAreRead()
    {
        File.WriteAllText(Path.Combine(_directory, "a53_measured.tsv"),
            "file\tname\ta53_cycles_measured\tasm_template\n" +
            "x.rs\tsub3\t2\tsub x7, x7, x6;sub x5, x5, x6;sub x4, x4, x6\n" +
            "x.rs\ttbnz_not_taken\t3\ttbnz x3, 4, 1f;fmul.2d v9, v9, v9;1:;fmul.2d v8, v8, v8\n" +
            "x.rs\tstp_two\t2\tstp {a}, {b}, [{where}];str {a}, [{where}, #16]\n" +
            "x.rs\tnonsense\t2\tfrobnicate x0\n");
        YardstickResult result = Run("a53-sequences").First();
        Assert.Equal(["sub3", "tbnz_not_taken", "stp_two"], result.Rows.Select(r => r.Name));
        Assert.Equal(3, result.Rows.Count(r => r.Model > 0));
        Assert.Contains("frobnicate x0", Assert.Single(result.Unmapped).Reason);
        Assert.Contains("no table", Assert.Single(Run("a55-loops").Single().Unmapped).Reason);
    }

    [Theory]
    [InlineData("name\tcycles\n", "no column a53_cycles_measured")]
    [InlineData("file\tname\ta53_cycles_measured\tasm_template\nx\ty\n", "row 1 has 2 columns of 4")]
    [InlineData("file\tname\ta53_cycles_measured\tasm_template\nx\ty\tmany\tnop\n", "not a number: many")]
    [InlineData("", "empty")]
    public void BadTablesAreNamed(string text, string message)
    {
        File.WriteAllText(Path.Combine(_directory, "a53_measured.tsv"), text);
        Assert.EndsWith(message, Assert.Throws<YardstickException>(() => Run("a53-sequences").ToList()).Message);
    }

    [Fact]
    public void MissingFoldersAreNamed() =>
        Assert.Equal("no folder /no/such", Assert.Throws<YardstickException>(() => YardstickData.From("/no/such")).Message);

    /// <summary>The programs compute what the same sources compute under qemu-aarch64.</summary>
    [Theory]
    [InlineData("dhrystone_like", 37)]
    [InlineData("coremark_like", 3)]
    public void ProgramsGiveQemusChecksums(string name, ulong rounds)
    {
        string main = Path.Combine(_directory, "main.c");
        string guest = Path.Combine(_directory, name);
        File.WriteAllText(main, $"#include <stdio.h>\nunsigned long run(unsigned long);\nint main(void) {{ run({rounds}); printf(\"%lu\\n\", run({rounds})); }}\n");
        Host("aarch64-linux-gnu-gcc", "-O2", "-std=gnu11", "-static", "-o", guest, main, Path.Combine(Programs(), name + ".c"));
        ulong expected = ulong.Parse(Host("qemu-aarch64", guest), CultureInfo.InvariantCulture);
        foreach (string level in (string[])["O2", "O3"])
            Assert.Equal(expected, ProgramSet.Execute("none", $"{name}-{level}", rounds).Checksum);
    }

    private static string Host(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, true);
}
