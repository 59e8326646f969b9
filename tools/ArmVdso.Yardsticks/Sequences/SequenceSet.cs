using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Assembler;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Yardsticks.Sequences;

/// <summary>Sequences as they stand in Rust's <c>asm!</c>, timed once between two reads of the cycle counter (qsdr).</summary>
public static partial class SequenceSet
{
    private const int FirstFree = 9;

    /// <summary>A sequence with what its registers hold.</summary>
    /// <param name="Words">Encodings.</param>
    /// <param name="Registers">General registers at the start.</param>
    public sealed record Sequence(uint[] Words, ulong[] Registers);

    /// <summary>Compares every row of a table with a core model.</summary>
    /// <exception cref="YardstickException">The table or the model is missing or not well formed.</exception>
    public static (List<YardstickRow> Rows, List<UnmappedRow> Unmapped) Compare(YardstickData data, string file, string column, string core)
    {
        var rows = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        foreach (TableRow row in data.Table(file, "name", column, "asm_template"))
        {
            try
            {
                Sequence sequence = Make(row[0], row[2]);
                using var timer = new SnippetTimer(core);
                ulong cycles = timer.SingleShot(sequence.Words, cpu => Prepare(cpu, sequence));
                rows.Add(new YardstickRow(row[0], row.Value(1), cycles, "cycles"));
            }
            catch (Exception e) when (e is AssemblerException or InvalidOperationException)
            {
                unmapped.Add(new UnmappedRow(row[0], e.Message));
            }
        }
        return (rows, unmapped);
    }

    private static void Prepare(Cpu cpu, Sequence sequence)
    {
        for (int i = 0; i < 31; i++)
            cpu.SetX(i, sequence.Registers[i]);
    }

    /// <summary>Makes code of a template: <c>{buff}</c> and its like become registers, <c>{{v0-v3}}</c> a register list.</summary>
    /// <param name="name">The row: <c>_not_taken</c> in it says which way forward branches go; loops are left after the first
    /// round.</param>
    /// <param name="template">Statements separated by <c>;</c>.</param>
    /// <exception cref="AssemblerException">It is not code.</exception>
    public static Sequence Make(string name, string template)
    {
        string text = template.Replace("{{", "\u0001", StringComparison.Ordinal).Replace("}}", "\u0002", StringComparison.Ordinal);
        var used = new HashSet<int>(NamedRegister().Matches(text).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)));
        var registers = new ulong[31];
        var holders = new Dictionary<string, int>();
        var free = new List<int>();
        text = Placeholder().Replace(text, m =>
        {
            string holder = m.Groups[1].Value;
            if (!holders.TryGetValue(holder, out int register))
            {
                register = FirstFree;
                while (used.Contains(register) || holders.ContainsValue(register))
                    register++;
                holders.Add(holder, register);
                bool pointer = text.Contains($"[{{{holder}}}", StringComparison.Ordinal)
                    || text.Contains($"[{{{holder},", StringComparison.Ordinal) || holder.StartsWith("buf", StringComparison.Ordinal);
                if (pointer)
                    registers[register] = SnippetTimer.Data + (0x400 * (ulong)(holders.Count - 1));
                else
                    free.Add(register);
            }
            return (m.Groups[2].Value == "w" ? "w" : "x") + register.ToString(CultureInfo.InvariantCulture);
        });
        text = text.Replace('\u0001', '{').Replace('\u0002', '}');
        uint[] words = AssemblyProgram.Parse(text).Words;
        free.AddRange(used.Where(r => r < 31));
        return new Sequence(words, Directions(name, text, words, registers, free));
    }

    /// <summary>Finds values of the registers under which the branches go where the row says.</summary>
    private static ulong[] Directions(string name, string text, uint[] words, ulong[] registers, List<int> free)
    {
        if (!words.Any(IsConditional))
            return registers;
        ulong[] values = [
            0, 1, .. Immediate().Matches(text).Select(m => ulong.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct(),
            ulong.MaxValue];
        bool taken = !name.Contains("not_taken", StringComparison.Ordinal);
        using var timer = new SnippetTimer("none");
        foreach (ulong[] attempt in Attempts(registers, free, values))
        {
            if (Follows(timer, words, attempt, taken))
                return attempt;
        }
        throw new InvalidOperationException("no register values found under which the branches go as the name says");
    }

    private static bool IsConditional(uint word) => (word & 0xFF000010) == 0x54000000 || (word & 0x7C000000) == 0x34000000;

    private static IEnumerable<ulong[]> Attempts(ulong[] registers, List<int> free, ulong[] values)
    {
        yield return registers;
        foreach (int register in free)
        {
            foreach (ulong value in values)
            {
                ulong[] attempt = [.. registers];
                attempt[register] = value;
                yield return attempt;
            }
        }
    }

    private static bool Follows(SnippetTimer timer, uint[] words, ulong[] registers, bool taken)
    {
        for (int i = 0; i < words.Length; i++)
            timer.Ram.Write(SnippetTimer.Code + (4 * (ulong)i), words[i]);
        timer.Restart();
        for (int i = 0; i < 31; i++)
            timer.Cpu.SetX(i, registers[i]);
        ulong end = SnippetTimer.Code + (4 * (ulong)words.Length);
        for (int steps = 0; steps < 1000 && timer.Cpu.PC != end; steps++)
        {
            ulong pc = timer.Cpu.PC;
            uint word = words[(pc - SnippetTimer.Code) / 4];
            timer.Cpu.Step();
            if (!IsConditional(word))
                continue;
            bool backward = (word & 0x7E000000) == 0x36000000 ? (word & 0x40000) != 0 : (word & 0x800000) != 0;
            if ((timer.Cpu.PC != pc + 4) != (taken && !backward))
                return false;
        }
        return timer.Cpu.PC == end;
    }

    [GeneratedRegex(@"\b[xw](\d+)\b")]
    private static partial Regex NamedRegister();

    [GeneratedRegex(@"\{(\w+)(?::(\w))?\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"[,\s]#?(\d+)\b(?![fb:])")]
    private static partial Regex Immediate();
}
