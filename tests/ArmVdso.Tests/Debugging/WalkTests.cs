using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Tests.Debugging;

/// <summary>The walk of docs/debugger.md, from a wrong answer of the vDSO back to the switch that caused it.</summary>
public sealed partial class WalkTests
{
    [GeneratedRegex(@"wrong \(answer=(\d+), expected=expected@entry=(\d+)\)")]
    private static partial Regex Wrong();

    [GeneratedRegex(@"Old value = (\d+)\nNew value = (\d+)\n")]
    private static partial Regex Changed();

    [GeneratedRegex(@"^x8 +0x[0-9a-f]+ +(\d+)\ncycle +0x[0-9a-f]+ +(\d+)\n", RegexOptions.Multiline)]
    private static partial Regex Registers();

    [GeneratedRegex(@"^cycle (\d+)  cpu\d+  switch  stale\[(\d+)\] -> stale\[(\d+)\]  0x[0-9a-f]+ -> 0x([0-9a-f]+)  .* tid=(\d+) ",
        RegexOptions.Multiline)]
    private static partial Regex Switch();

    private static ulong Number(Capture capture, NumberStyles style = NumberStyles.None) =>
        ulong.Parse(capture.Value, style, CultureInfo.InvariantCulture);

    private static string[] Commands(string section)
    {
        string document = File.ReadAllText(Path.Join(GuestPrograms.RepositoryRoot, "docs", "debugger.md"));
        string rest = document[document.IndexOf(section, StringComparison.Ordinal)..];
        string block = rest[rest.IndexOf("```gdb", StringComparison.Ordinal)..];
        return [.. block[..block.IndexOf("\n```\n", StringComparison.Ordinal)].Split('\n')
            .Where(l => l.StartsWith("(gdb) ", StringComparison.Ordinal)).Select(l => l["(gdb) ".Length..])];
    }

    [Fact]
    public void FromAWrongAnswerBackToTheSwitch()
    {
        // At one place of the guest's tree, wherever the file is: the length of a program's path moves its stack, and so its preemptions.
        var settings = DebuggedRun.Plain with { SliceNs = 2000, Binds = [new Bind(GuestPrograms.Path("stale"), "/stale", true)] };
        using var run = new DebuggedRun(settings, "/stale");
        (string text, _) = run.Gdb([.. Commands("## From a wrong answer back to the switch"), "kill"]);
        Match wrong = Wrong().Match(text);
        Assert.True(wrong.Success, text);
        ulong answer = Number(wrong.Groups[1]), expected = Number(wrong.Groups[2]);
        Assert.NotEqual(expected, answer);
        MatchCollection changes = Changed().Matches(text);
        Assert.True(changes.Count == 2, text);
        // The offset that the call read is the one before the switch, and the thread has another one after it.
        ulong stale = Number(changes[0].Groups[2]);
        // Before the load X8 is that offset, or, as slices fall, the slot's address already: the page's and the offset.
        MatchCollection registers = Registers().Matches(text);
        Assert.Equal(2, registers.Count);
        Assert.All(registers, r => Assert.Equal(stale, Number(r.Groups[1]) & 0xFFF));
        Assert.Equal(stale, Number(changes[1].Groups[1]));
        Assert.NotEqual(stale, Number(changes[1].Groups[2]));
        // In between, the slot at that offset got the TID that the call answers.
        ulong before = Number(registers[0].Groups[2]), after = Number(registers[1].Groups[2]);
        Assert.Contains(Switch().Matches(text), m => Number(m.Groups[1]) > before && Number(m.Groups[1]) < after
            && Number(m.Groups[2]) == expected && Number(m.Groups[3]) == answer && Number(m.Groups[5]) == answer
            && Number(m.Groups[4], NumberStyles.AllowHexSpecifier) == stale);
    }

    /// <summary>What the machine says and does beside the protocol.</summary>
    [Fact]
    public void MonitorCommands()
    {
        using var run = new DebuggedRun(DebuggedRun.Plain with { Core = "cortex-a53", SliceNs = 2000 }, GuestPrograms.Path("stale"));
        (string text, int status) = run.Gdb(
            "break ask", "continue", "delete", "monitor", "monitor cycles", "monitor schedule", "monitor slots", "monitor vvar",
            "monitor offsets 1", "monitor offsets x", "monitor explain 3", "monitor explain 0", "monitor offset", "monitor migrate 2",
            "monitor migrate 1", "monitor interrupt", "stepi", "stepi", "info registers cpu", "monitor migrate any", "kill");
        foreach (string part in (string[])[
            "monitor explain [N]", "cpu1  ", " switches so far", "design per-cpu; TPIDRRO_EL0: ", "hres and coarse: seq ", "  switch  ",
            "'x' is not a number from 1 to 256", "fetch issue  done", "ask+0x0", "'0' is not a number from 1 to 1000",
            "there is no monitor command 'offset'; did you mean 'offsets'?", "which CPU? 0 to 1, or any", "runs on cpu1 alone from now on",
            "is interrupted before its next instruction", "cpu            0x1  ", "may run anywhere"])
            Assert.Contains(part, text, StringComparison.Ordinal);
        Assert.Equal(137, status);
    }
}
