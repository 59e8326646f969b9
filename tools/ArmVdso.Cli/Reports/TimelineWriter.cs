using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Lab.Explain;

namespace ArmVdso.Cli;

/// <summary>Writes records as llvm-mca does: D entered the window, = waits to issue, e executes, E its last cycle, - waits to retire, R
/// retires; beside each row what the instruction waited for.</summary>
internal sealed class TimelineWriter(TextWriter output)
{
    private const int Width = 72;

    /// <summary>Writes the timeline of one block.</summary>
    /// <param name="records">Its instructions, in program order.</param>
    /// <param name="round">Instructions in a round, for the labels [round,instruction]; 0: one round.</param>
    internal void Write(IReadOnlyList<PipelineRecord> records, int round)
    {
        if (records.Count == 0)
            return;
        long origin = records.Min(r => r.Entered);
        long[] columns = Columns(records, origin);
        string[] reasons = Reasons(records, round);
        int text = records.Max(r => Disassembler.Disassemble(r.Word, r.Pc).Length);
        int pipe = Math.Max(4, records.Max(r => r.Pipe.Length));
        int first = 0;
        int last = -1;
        string symbol = "";
        for (int i = 0; i < records.Count; i++)
        {
            PipelineRecord r = records[i];
            int retired = Array.BinarySearch(columns, r.Retired - origin);
            if (retired > last)
            {
                first = Array.BinarySearch(columns, r.Entered - origin);
                last = Math.Max(first + Width - 1, retired);
                output.WriteLine($"{"cycle",9} {columns[first].ToString(CultureInfo.InvariantCulture)}");
                output.WriteLine(
                    $"{"",9} {Ruler(columns, first, Math.Min(last, columns.Length - 1)).PadRight(Width)}  {"pipe".PadRight(pipe)}  "
                    + $"{"instruction".PadRight(text)}  waits");
            }
            string here = r.Symbol.Split('+')[0];
            if (here != symbol)
            {
                symbol = here;
                if (here.Length > 0)
                    output.WriteLine($"{here}:");
            }
            string line = Line(r, columns, first, origin);
            string instruction = Disassembler.Disassemble(r.Word, r.Pc).PadRight(text);
            output.WriteLine($"{Label(i, round),9} {line.PadRight(Width)}  {r.Pipe.PadRight(pipe)}  {instruction}  {reasons[i]}".TrimEnd());
        }
    }

    /// <summary>The cycles that are shown, from <paramref name="origin"/>: all near something that happens; a column
    /// that does not follow the one before it stands for a stretch left out.</summary>
    internal static long[] Columns(IReadOnlyList<PipelineRecord> records, long origin)
    {
        const int Near = 4;
        var marks = new SortedSet<long>();
        foreach (PipelineRecord r in records)
        {
            foreach (long at in (ReadOnlySpan<long>)[r.Entered, r.Issued, r.Done - 1, r.Retired])
                marks.Add(at - origin);
        }
        var columns = new List<long>();
        long next = 0;
        foreach (long mark in marks)
        {
            if (mark - next > 3 * Near)
            {
                for (long c = next; c < next + Near; c++)
                    columns.Add(c);
                // One column stands for all that is left out.
                next = mark - Near;
                columns.Add(next - 1);
            }
            while (next <= mark)
                columns.Add(next++);
        }
        return [.. columns];
    }

    private static string Label(int i, int round) => round == 0 ? $"[{i}]" : $"[{i / round},{i % round}]";

    private static string Ruler(long[] columns, int first, int last)
    {
        var ruler = new StringBuilder();
        for (int i = first; i <= last; i++)
            ruler.Append(IsCut(columns, i) ? '~' : (char)('0' + columns[i] % 10));
        return ruler.ToString();
    }

    private static bool IsCut(long[] columns, int at) => at > 0 && columns[at] != columns[at - 1] + 1;

    private static string Line(PipelineRecord r, long[] columns, int first, long origin)
    {
        var line = new StringBuilder();
        for (int i = first; i < columns.Length && columns[i] <= r.Retired - origin; i++)
        {
            char letter = Letter(r, columns[i] + origin);
            line.Append(IsCut(columns, i) && letter != ' ' && letter != '.' ? '~' : letter);
        }
        return line.ToString();
    }

    private static char Letter(PipelineRecord r, long c) =>
        c < r.Entered ? ' '
        : c == r.Retired ? 'R'
        : c == r.Entered ? 'D'
        : c < r.Issued ? '='
        : c < r.Done - 1 ? 'e'
        : c == r.Done - 1 ? 'E'
        : '-';

    /// <summary>What each instruction waited for, with the instruction that produced it.</summary>
    internal static string[] Reasons(IReadOnlyList<PipelineRecord> records, int round)
    {
        var writer = new int[InstructionTiming.RegisterCount];
        Array.Fill(writer, -1);
        var texts = new string[records.Count];
        for (int i = 0; i < records.Count; i++)
        {
            var text = new List<string>();
            foreach (Stall stall in records[i].Stalls)
            {
                string reason = stall.Text;
                if (stall.Register >= 0)
                {
                    int from = writer[stall.Register];
                    reason = $"{stall.RegisterName} from {(from < 0 ? "before" : Label(from, round))}" + (
                        reason is "" or "latency" ? "" : $" ({reason})");
                }
                text.Add(stall.Cycles > 0 ? $"{stall.Cycles}: {reason}" : reason);
            }
            texts[i] = string.Join("; ", text);
            foreach (byte register in records[i].Destinations)
                writer[register] = i;
        }
        return texts;
    }

    /// <summary>One JSON object for each instruction.</summary>
    internal void WriteJson(IReadOnlyList<PipelineRecord> records, int round, string block)
    {
        var writer = new int[InstructionTiming.RegisterCount];
        Array.Fill(writer, -1);
        long origin = records.Count == 0 ? 0 : records[0].Entered;
        for (int i = 0; i < records.Count; i++)
        {
            PipelineRecord r = records[i];
            output.WriteLine(new JsonObject
            {
                ["block"] = block,
                ["index"] = i,
                ["round"] = round == 0 ? 0 : i / round,
                ["address"] = $"0x{r.Pc:x}",
                ["symbol"] = r.Symbol,
                ["word"] = $"{r.Word:x8}",
                ["instruction"] = Disassembler.Disassemble(r.Word, r.Pc),
                ["timing_class"] = r.Class,
                ["el"] = r.EL,
                ["fetched"] = r.Fetched - origin,
                ["dispatched"] = r.Entered - origin,
                ["issued"] = r.Issued - origin,
                ["done"] = r.Done - origin,
                ["retired"] = r.Retired - origin,
                ["pipe"] = r.Pipe,
                ["stalls"] = new JsonArray([.. r.Stalls.Select(s => new JsonObject
                {
                    ["kind"] = s.Kind,
                    ["cycles"] = s.Cycles,
                    ["why"] = s.Text,
                    ["register"] = s.Register < 0 ? null : s.RegisterName,
                    ["producer"] = s.Register < 0 || writer[s.Register] < 0 ? (int?)null : writer[s.Register],
                })]),
            }.ToJsonString());
            foreach (byte register in r.Destinations)
                writer[register] = i;
        }
    }
}
