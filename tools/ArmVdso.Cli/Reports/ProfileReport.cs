using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>Cycles by function, those that took the most first, the sum last.</summary>
internal static class ProfileReport
{
    private const int Shown = 50;

    /// <param name="output">Where to.</param>
    /// <param name="settings">Settings of the run.</param>
    /// <param name="functions">What it took.</param>
    /// <param name="booted">The kernel that was booted; null: the run was on the kernel model.</param>
    internal static void Write(
        TextWriter output, SessionSettings settings, IReadOnlyList<FunctionCycles> functions, string? booted = null)
    {
        ulong total = Sum(functions, f => f.Cycles);
        var table = new Table("cycles", "% of cycles", "instructions", "cycles/insn", "entered", "most of them", "function", "in");
        foreach (FunctionCycles f in functions.Take(Shown))
        {
            CycleCause[] top = [.. f.Causes.Where(c => c.Value > 0).OrderByDescending(c => c.Value).Select(c => c.Key).Take(2)];
            table.Add(
                Text.Number(f.Cycles), Text.Percent(f.Cycles, total), Text.Number(f.Instructions),
                f.Instructions == 0 ? "" : Text.Fixed((double)f.Cycles / f.Instructions, 2), Text.Number(f.Entered),
                string.Join(", ", top.Select(c => $"{CycleCauses.Describe(c)} {Text.Percent(f.Causes[c], f.Cycles)}")), f.Name, f.Where);
        }
        table.Add(
            Text.Number(total), "100.0%", Text.Number(Sum(functions, f => f.Instructions)), "", "", "", $"all {functions.Count} functions",
            "");
        output.WriteLine();
        output.WriteLine(Text.Run(settings, booted));
        output.WriteLine();
        table.Write(output);
    }

    private static ulong Sum(IReadOnlyList<FunctionCycles> functions, Func<FunctionCycles, ulong> of)
    {
        ulong sum = 0;
        foreach (FunctionCycles f in functions)
            sum += of(f);
        return sum;
    }
}
