using System.Globalization;

namespace ArmVdso.Tests.Laboratory;

/// <summary>The Konata log read by a reader of its own, written from the description of the format (Kanata 0004).</summary>
public sealed class KonataCommandTests
{
    private sealed class Instruction
    {
        internal required int Thread;
        internal required long Began;
        internal string Label = "";
        internal readonly Stack<(string Lane, string Stage)> Open = new();
        internal readonly List<string> Stages = [];
        internal long Retired = -1;
        internal int RetireNumber = -1;
    }

    private static List<Instruction> Read(string file)
    {
        string[] lines = File.ReadAllText(file).Split('\n');
        Assert.Equal("Kanata\t0004", lines[0]);
        Assert.Equal("", lines[^1]);
        var all = new List<Instruction>();
        long? now = null;
        int retired = 0;
        foreach (string line in lines[1..^1])
        {
            string[] f = line.Split('\t');
            int Number(int i) => int.Parse(f[i], CultureInfo.InvariantCulture);
            Instruction Named(int i) => all[Number(i)];
            if (f[0] == "C=")
            {
                Assert.Null(now);
                now = long.Parse(f[1], CultureInfo.InvariantCulture);
                continue;
            }
            Assert.NotNull(now);
            switch (f[0])
            {
                case "C":
                    // Time never goes back, and a line that does not move it has no place.
                    Assert.True(Number(1) > 0);
                    now += Number(1);
                    break;
                case "I":
                    Assert.Equal(4, f.Length);
                    Assert.Equal(all.Count, Number(1));
                    all.Add(new Instruction { Thread = Number(3), Began = now.Value });
                    break;
                case "L":
                    Assert.InRange(Number(2), 0, 2);
                    if (Number(2) == 0)
                        Named(1).Label += f[3];
                    break;
                case "S":
                    Assert.Equal(-1, Named(1).Retired);
                    Named(1).Open.Push((f[2], f[3]));
                    Named(1).Stages.Add(f[3]);
                    break;
                case "E":
                    Assert.Equal((f[2], f[3]), Named(1).Open.Pop());
                    break;
                case "R":
                    Assert.Empty(Named(1).Open);
                    Assert.Equal("0", f[3]);
                    // Retirement numbers count up in the order of time.
                    Assert.True(Number(2) >= 0);
                    Named(1).RetireNumber = Number(2);
                    Named(1).Retired = now.Value;
                    retired++;
                    break;
                case "W":
                    Assert.NotEqual(Number(1), Number(2));
                    Assert.True(Number(1) < all.Count && Number(2) < all.Count);
                    break;
                default:
                    Assert.Fail($"unknown record {line}");
                    break;
            }
        }
        Assert.Equal(all.Count, retired);
        return all;
    }

    [Theory]
    [InlineData("neoverse-n1")]
    [InlineData("cortex-a53")]
    public void TheWindowIsALogThatAReaderTakes(string core)
    {
        string file = Path.GetTempFileName();
        try
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", core, "--konata", file, "--konata-window", "100:1100i",
                GuestPrograms.Path("hello"));
            Assert.Equal("on standard error\n", result.Errors);
            List<Instruction> all = Read(file);
            // Both CPUs boot: a thousand instructions each at most, and one of them runs the program.
            Assert.InRange(all.Count(i => i.Thread == 0), 1000, 1000);
            Assert.All(all, i => Assert.InRange(i.Thread, 0, 1));
            Assert.All(all, i => Assert.Matches("^[0-9a-f]+:( <.+>)? [a-z]", i.Label));
            Assert.All(all, i => Assert.True(i.Retired >= i.Began));
            Assert.Equal(all.Count, all.Select(i => i.RetireNumber).Distinct().Count());
            Instruction[] order = [.. all.OrderBy(i => i.RetireNumber)];
            Assert.True(order.Zip(order.Skip(1)).All(p => p.First.Retired <= p.Second.Retired));
            Assert.Contains(all, i => i.Stages.Contains("Is"));
            Assert.All(all, i => Assert.Contains(i.Stages, s => s is "Ex" or "D"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void AFunctionsCallIsAWindow()
    {
        string file = Path.GetTempFileName();
        try
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--vdso", "per-cpu-gen", "--konata", file,
                "--konata-window", "__kernel_getpid:2", GuestPrograms.Path("vdso_identity"));
            Assert.Equal((0, ""), (result.Status, result.Errors));
            List<Instruction> call = Read(file);
            Assert.All(call, i => Assert.Contains(" <__kernel_getpid> ", i.Label));
            Assert.InRange(call.Count, 5, 40);
            Assert.Single(call, i => i.Label.EndsWith(" ret", StringComparison.Ordinal));
            // One that is not called is named, and so is how often it was.
            result = ArmVdsoCommand.Run("run", "--konata", file, "--konata-window", "nowhere:2", GuestPrograms.Path("hello"));
            Assert.Contains("--konata-window: nowhere: 0 calls in this run", result.Errors);
            Assert.Empty(Read(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("5")]
    [InlineData("9:3")]
    [InlineData("a:b")]
    [InlineData("a:0")]
    public void BadWindowsAreNamed(string window)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--konata", "/dev/null", "--konata-window", window,
            GuestPrograms.Path("hello"));
        Assert.Equal(2, result.Status);
        Assert.Contains("--konata-window", result.Errors);
    }
}
