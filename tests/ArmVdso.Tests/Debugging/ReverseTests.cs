using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Emulator;
using ArmVdso.Lab;

namespace ArmVdso.Tests.Debugging;

/// <summary>Going backwards in a run, with Debian's GDB.</summary>
public sealed partial class ReverseTests
{
    private static string Program => GuestPrograms.Path("debugged");

    [GeneratedRegex(@"^\$\d+ = (-?\d+)", RegexOptions.Multiline)]
    private static partial Regex Printed();

    private static long[] Numbers(string text) =>
        [.. Printed().Matches(text).Select(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];

    private static string[] Repeat(int times, params string[] commands) => [.. Enumerable.Repeat(commands, times).SelectMany(c => c)];

    /// <summary>Each step forwards and then backwards is at the same cycles, across system calls and calls of functions.</summary>
    [Theory]
    [InlineData("none", EngineKind.Native)]
    [InlineData("cortex-a53", EngineKind.Portable)]
    public void StepsBackAreStepsForward(string core, EngineKind engine)
    {
        if (engine == EngineKind.Native && !Machine.HasNativeEngine)
            return;
        using var run = new DebuggedRun(DebuggedRun.Plain with { Core = core, Engine = engine }, Program);
        (string text, int status) = run.Gdb(
            ["break worker", "continue", "delete", "print $cycle", .. Repeat(20, "stepi", "print $cycle"), .. Repeat(20, "reverse-stepi",
                "print $cycle"), "handle SIGUSR1 nostop noprint pass", "continue"]);
        long[] cycles = Numbers(text);
        Assert.Equal(41, cycles.Length);
        Assert.Equal(cycles[..20].Reverse(), cycles[21..]);
        Assert.Equal(cycles[..21].Order(), cycles[..21]);
        // What was done again comes to the same end, and is written once.
        Assert.Equal((7, "handled 10 child 9\n"), (status, run.Output));
    }

    [Fact]
    public void BreakpointsAndWatchpointsStopBackwards()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, _) = run.Gdb(
            "break add if counter == 80", "continue", "print $cycle", "delete", "break add", "reverse-continue", "reverse-continue",
            "print counter", "delete", "watch counter", "reverse-continue", "print counter", "continue", "print counter", "delete",
            "break add if counter == 80", "continue", "print $cycle", "delete", "reverse-continue", "kill");
        long[] numbers = Numbers(text);
        Assert.Equal(numbers[0], numbers[4]);
        Assert.Equal([78, 77, 78], numbers[1..4]);
        Assert.Contains("hit Hardware watchpoint", text, StringComparison.Ordinal);
        Assert.Contains("Old value = 78\nNew value = 77", text, StringComparison.Ordinal);
        Assert.Contains("No more reverse-execution history", text, StringComparison.Ordinal);
        Assert.Equal("", run.Output);
    }

    /// <summary>A value that is changed in the past makes another future; going back before it finds the old one.</summary>
    [Fact]
    public void AChangeMakesAnotherFuture()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain, Program);
        (string text, int status) = run.Gdb(
            "break add", "continue", "continue", "print counter", "set var counter = 1000", "continue", "print counter", "reverse-continue",
            "reverse-continue", "print counter", "delete", "handle SIGUSR1 nostop noprint nopass", "continue");
        Assert.Equal([0, 1001, 0], Numbers(text));
        Assert.Equal((7, "handled 0 child 9\n"), (status, run.Output));
    }

    /// <summary>The same again after everything was put back, time after time: cycles and answers of a whole run.</summary>
    [Fact]
    public void ARunFromItsBeginningAgain()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain with { Cpus = 3 }, Program);
        (string text, int status) = run.Gdb(
            ["handle SIGUSR1 nostop noprint pass", "break _exit", "continue", "print $cycle", .. Repeat(2, "disable", "reverse-continue",
                "enable", "continue", "print $cycle"), "continue"]);
        long[] cycles = Numbers(text);
        Assert.True(cycles.Length == 3, text);
        Assert.Single(cycles.Distinct());
        Assert.Equal((7, "handled 10 child 9\n"), (status, run.Output));
    }
}
