using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Cli;

/// <summary>Writes what the native engine and the memoised timing did in a run.</summary>
internal static class EngineReport
{
    private const int MostRows = 40;

    internal static void Write(TextWriter output, Machine machine)
    {
        if (machine.MemoCounts is { } memo)
            WriteMemo(output, memo);
        if (machine.NativeCounts is not { } counts)
        {
            output.WriteLine("the native engine was not used");
            return;
        }
        var table = new Table("count", "event", "remark");
        table.Add(Number(machine.TranslatedBlocks), "blocks decoded", "for all engines");
        table.Add(Number(counts.Blocks), "blocks made native code", "");
        table.Add(Number(counts.Entries), "entries", "from the engine into native code");
        table.Add(Number(counts.SlowAccesses), "loads and stores besides the TLB", "by the reference body");
        table.Add(Number(counts.Evictions), "evictions", "all code dropped, its memory was full");
        table.Write(output);
        output.WriteLine();
        WriteRows(output, counts.Interpreted, "instructions inside native blocks were executed by the reference body of their row:");
        output.WriteLine();
        WriteRows(output, counts.Between, "instructions between blocks were executed by the reference engine:");
    }

    private static void WriteRows(TextWriter output, IReadOnlyList<(Row Row, ulong Count)> counts, string what)
    {
        ulong all = 0;
        foreach ((_, ulong count) in counts)
            all += count;
        output.WriteLine($"{Number(all)} {what}");
        var rows = new Table("count", "row", "class");
        foreach ((Row row, ulong count) in counts.Take(MostRows))
            rows.Add(Number(count), row.ToString(), RowInfo.Class(row).ToString());
        rows.Write(output);
        if (counts.Count > MostRows)
            output.WriteLine($"and {counts.Count - MostRows} rows more");
    }

    private static void WriteMemo(TextWriter output, MemoCounts counts)
    {
        var table = new Table("count", "event", "remark");
        table.Add(Number(counts.Blocks), "blocks looked up", "by the memoised timing");
        table.Add(Number(counts.Read), "by native code", "of them, which reads its trace");
        table.Add(Number(counts.WorkedOut), "blocks worked out", "of them, the first time");
        table.Add(Number(counts.Stepped), "blocks stepped", "by the pipeline, inside the memoised timing");
        table.Add(Number(counts.Forgotten), "tables full", "and emptied");
        foreach ((MemoReason reason, ulong count) in counts.Reasons)
            table.Add(Number(count), reason.ToString(), reason < MemoReason.Unplain ? "block not begun" : "stepped");
        table.Write(output);
        output.WriteLine();
    }

    private static string Number(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
