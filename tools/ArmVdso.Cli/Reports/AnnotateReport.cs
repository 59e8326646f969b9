using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>Cycles by instruction, as perf annotate has them, and by source line, with what they waited for.</summary>
internal static class AnnotateReport
{
    /// <summary>Functions below this share are left out.</summary>
    private const double Least = 0.005;

    private const int ShownLines = 100;

    /// <summary>Writes the functions that took most, instruction by instruction.</summary>
    internal static void WriteInstructions(TextWriter output, RecordingHeader header, IReadOnlyList<InstructionCycles> instructions)
    {
        ulong total = Begin(output, header, instructions);
        foreach (var function in instructions.GroupBy(i => (i.Function, i.Where)))
        {
            ulong cycles = Sum(function);
            if (cycles < Least * total)
                continue;
            output.WriteLine();
            output.WriteLine(
                $" Percent |  cycles: {Text.Number(cycles)}, {Text.Percent(cycles, total)} of all; Disassembly of "
                + $"{Text.Printable(function.Key.Function)} in {Text.Printable(function.Key.Where)}");
            var table = new Table("percent", "cycles", "executed", "offset", "instruction", "waits", "source");
            string source = "";
            foreach (InstructionCycles i in function)
            {
                table.Add(
                    Text.Percent(i.Cycles, cycles), Text.Number(i.Cycles), Text.Number(i.Count), $"{i.Offset:x}",
                    Disassembler.Disassemble(i.Word, i.Offset), Waits(i), i.Source == source ? "" : Text.Printable(i.Source));
                source = i.Source;
            }
            table.Write(output);
        }
    }

    /// <summary>Writes the source lines that took most, the sum last.</summary>
    internal static void WriteLines(TextWriter output, RecordingHeader header, IReadOnlyList<InstructionCycles> instructions)
    {
        ulong total = Begin(output, header, instructions);
        output.WriteLine();
        var lines = instructions.GroupBy(i => i.Source.Length > 0 ? i.Source : $"{i.Where} (no line)")
            .Select(g => (Source: g.Key, Cycles: Sum(g), Count: g.Aggregate(0UL, (sum, i) => sum + i.Count), Of: g.ToArray()))
            .OrderByDescending(l => l.Cycles).ThenBy(l => l.Source, StringComparer.Ordinal).ToList();
        var table = new Table("cycles", "% of cycles", "executed", "waits", "function", "source");
        foreach ((string source, ulong cycles, ulong count, InstructionCycles[] of) in lines.Take(ShownLines))
        {
            string[] functions = [.. of.Select(i => i.Function).Distinct()];
            table.Add(
                Text.Number(cycles), Text.Percent(cycles, total), Text.Number(count), Waits(of),
                Text.Printable(functions.Length == 1 ? functions[0] : $"{functions.Length} functions"), Text.Printable(source));
        }
        table.Add(Text.Number(total), "100.0%", "", "", "", $"all {lines.Count} lines");
        table.Write(output);
    }

    private static ulong Begin(TextWriter output, RecordingHeader header, IReadOnlyList<InstructionCycles> instructions)
    {
        output.WriteLine(
            $"Cycles are modelled: core {header.Core}, profile {header.Profile}, {Text.Plain(header.Cpus)} CPUs; each is counted where "
            + "it was.");
        return Sum(instructions);
    }

    private static ulong Sum(IEnumerable<InstructionCycles> instructions) =>
        instructions.Aggregate(0UL, (sum, i) => sum + i.Cycles);

    /// <summary>What most cycles were for; issuing alone is nothing to say.</summary>
    private static string Waits(params ReadOnlySpan<InstructionCycles> instructions)
    {
        var causes = new Dictionary<CycleCause, ulong>();
        ulong all = 0;
        foreach (InstructionCycles i in instructions)
        {
            all += i.Cycles;
            foreach ((CycleCause cause, ulong cycles) in i.Causes)
                causes[cause] = causes.GetValueOrDefault(cause) + cycles;
        }
        return string.Join(", ", causes.Where(c => c.Value > 0).OrderByDescending(c => c.Value).Take(2)
            .Select(c => $"{CycleCauses.Describe(c.Key)} {Text.Percent(c.Value, all)}"));
    }
}
