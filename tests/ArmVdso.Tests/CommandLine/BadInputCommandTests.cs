namespace ArmVdso.Tests.CommandLine;

/// <summary>Bad input gives one clear line on stderr and the documented status, never a stack trace.</summary>
public sealed class BadInputCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    private static void Expect(int status, string part, ArmVdsoCommand.Result result)
    {
        Assert.Equal(status, result.Status);
        Assert.Contains(part, result.Errors);
        Assert.DoesNotContain("   at ", result.Errors);
        Assert.DoesNotContain("internal error", result.Errors);
        Assert.StartsWith("armvdso: ", result.Errors);
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Join(_folder, name);
        File.WriteAllBytes(path, bytes);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(63)]
    [InlineData(100)]
    [InlineData(5000)]
    public void TruncatedElf(int length)
    {
        byte[] whole = File.ReadAllBytes(GuestPrograms.Path("hello"));
        Expect(126, length < 4 ? "not an ELF file" : "truncated", ArmVdsoCommand.Run("run", Write("cut", whole[..length])));
    }

    [Fact]
    public void ElfOfAnotherMachine() => Expect(126, "x86-64", ArmVdsoCommand.Run("run", "/bin/true"));

    [Fact]
    public void MissingInterpreter()
    {
        string source = Path.Join(_folder, "a.c");
        string program = Path.Join(_folder, "dynamic");
        File.WriteAllText(source, "int main(void) { return 0; }\n");
        (int status, string output, string errors) = GuestPrograms.Run("aarch64-linux-gnu-gcc", "-o", program, source);
        Assert.True(status == 0, output + errors);
        Expect(126, "/lib/ld-linux-aarch64.so.1", ArmVdsoCommand.Run("run", program));
    }

    [Fact]
    public void Folder() => Expect(126, "directory", ArmVdsoCommand.Run("run", _folder));

    [Fact]
    public void Nothing() => Expect(127, "not found", ArmVdsoCommand.Run("run", Path.Join(_folder, "nothing")));

    [Fact]
    public void NotReadable()
    {
        // Root may read anything, so the guest's own view decides: a file without any x bit cannot be executed.
        string path = Write("plain", File.ReadAllBytes(GuestPrograms.Path("hello")));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.None);
        Expect(126, "permission denied", ArmVdsoCommand.Run("run", path));
    }

    [Theory]
    [InlineData("run", "--no-such-option", "/bin/true")]
    [InlineData("run", "--cpus", "0", "/bin/true")]
    [InlineData("run", "--cpus", "65", "/bin/true")]
    [InlineData("run", "--core", "no-such-core", "/bin/true")]
    [InlineData("run", "--vdso", "no-such-design", "/bin/true")]
    [InlineData("run", "-E", "novalue", "/bin/true")]
    [InlineData("run", "--mem", "12", "/bin/true")]
    [InlineData("run")]
    [InlineData("nosuchcommand")]
    [InlineData("compare", "nosuchfunction")]
    public void Usage(params string[] arguments) => Expect(2, "armvdso: ", ArmVdsoCommand.Run(arguments));

    /// <summary>An image of ours is none of Linux's: its data lie otherwise.</summary>
    [Theory]
    [InlineData]
    [InlineData("--mutants")]
    public void OurImageAsAStockOne(params string[] more) => Expect(
        2, "its code reads data from page -3",
        ArmVdsoCommand.Run(
            ["check", "stock:" + Path.Join(GuestPrograms.RepositoryRoot, "vdso-image", "bin", "vdso-per-cpu.so"), .. more]));

    [Fact]
    public void OptionsAfterTheProgramAreTheGuests()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", GuestPrograms.Path("hello"), "--cpus", "--no-such-option", "@file");
        Assert.Equal(3, result.Status);
    }

    [Fact]
    public void RandomBytesInsteadOfHeaders()
    {
        byte[] whole = File.ReadAllBytes(GuestPrograms.Path("hello"));
        var random = new Random(1);
        for (int i = 0; i < 12; i++)
        {
            byte[] broken = [.. whole];
            for (int k = 0; k < 6; k++)
                broken[random.Next(24, 64 + 4 * 56)] = (byte)random.Next(256);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--max-cycles", "20000000", Write($"broken{i}", broken));
            Assert.DoesNotContain("internal error", result.Errors);
            Assert.DoesNotContain("Unhandled", result.Errors);
        }
    }

    /// <summary>Assembles a program that ends with exit(0) unless something stops it.</summary>
    private string Assemble(string body)
    {
        string source = Path.Join(_folder, "a.S");
        string program = Path.Join(_folder, "a.elf");
        File.WriteAllText(source, $".globl _start\n_start:\n{body}\nmov x0, #0\nmov x8, #93\nsvc #0\n");
        (int status, string output, string errors) =
            GuestPrograms.Run("aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-o", program, source);
        Assert.True(status == 0, output + errors);
        return program;
    }

    [Theory]
    [InlineData(".inst 0xf83fd000", "0xf83fd000 (ld64b x0, [x0])", "not implemented")]
    [InlineData(".inst 0x00000000", "0x00000000 (udf #0)", "UNDEFINED")]
    [InlineData(".inst 0x05000000", "0x05000000", "unallocated")]
    [InlineData("msr tpidrro_el0, x0", "msr TPIDRRO_EL0, x0", "UNDEFINED")]
    public void AnInstructionThatCannotRunIsNamed(string instruction, string text, string why)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", Assemble(instruction));
        Expect(128 + 4, text, result);
        Assert.Contains(why, result.Errors);
        Assert.Contains("SIGILL", result.Errors);
        Assert.Single(result.Errors.Split('\n'), l => l.Contains("SIGILL: instruction", StringComparison.Ordinal));
    }

    [Fact]
    public void AnUnknownSystemCallIsNamedOnce()
    {
        // 500 is no arm64 system call; both calls must give ENOSYS (38).
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run",
            Assemble("mov x8, #500\nsvc #0\nmov x8, #500\nsvc #0\ncmn x0, #38\nb.eq 1f\nbrk #1\n1:"));
        Expect(0, "system call 500", result);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public void ARunawayGuestIsEnded()
    {
        string program = Assemble("1: b 1b");
        Expect(124, "--max-cycles", ArmVdsoCommand.Run("run", "--max-cycles", "1000000", program));
        Expect(124, "--timeout", ArmVdsoCommand.Run("run", "--timeout", "1", program));
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
