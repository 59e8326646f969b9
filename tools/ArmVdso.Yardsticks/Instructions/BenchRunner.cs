using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Assembler;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>Runs a <see cref="Bench"/> on a core model.</summary>
public sealed partial class BenchRunner(string core)
{
    private const ulong CalleeAt = SnippetTimer.Code + 0x80000;
    private const int Words = 144;
    private const int LongCopies = 144;
    private const int Memory = 1 << 19;
    private readonly Dictionary<string, double> _less = [];

    /// <summary>Cycles from an operation to the next that depends on it.</summary>
    /// <exception cref="AssemblerException">The text of the operation is not code.</exception>
    public double Latency(Bench bench)
    {
        string op = bench.Collect.Length == 0 ? bench.Op : $"{bench.Op};{bench.Collect}";
        double cycles = Cycles(bench, op, bench.Latency) / bench.Count;
        return cycles - Subtract(bench) - bench.LessCycles;
    }

    /// <summary>Operations a cycle when they do not depend on each other.</summary>
    /// <exception cref="AssemblerException">The text of the operation is not code.</exception>
    public double Throughput(Bench bench)
    {
        string op = bench.ThroughputOp.Length == 0 ? bench.Op : bench.ThroughputOp;
        double best = 0;
        foreach (Rotation rotation in bench.Throughput)
        {
            if (bench.SweepBehind.Length == 0)
            {
                best = Math.Max(best, bench.Count / Cycles(bench, op, rotation));
                continue;
            }
            for (int n = 1; n <= 8; n++)
                best = Math.Max(best, n / Cycles(bench, bench.SweepBehind + string.Concat(Enumerable.Repeat(";" + op, n)), rotation));
        }
        return best;
    }

    private double Subtract(Bench bench)
    {
        if (bench.Less.Length == 0)
            return 0;
        string key = $"{bench.Less}|{bench.Registers}|{bench.Constant}";
        if (!_less.TryGetValue(key, out double cycles))
            _less.Add(key, cycles = Cycles(bench with { Op = bench.Less, Start = "" }, bench.Less, Rotation.Flat));
        return cycles * bench.LessFactor;
    }

    private double Cycles(Bench bench, string op, Rotation rotation)
    {
        using var timer = new SnippetTimer(core);
        List<uint> code = [.. AssemblyProgram.Parse(bench.Start).Words];
        int round = 0;
        int ops = 0;
        do
        {
            foreach ((int s, int d) in rotation.Registers())
            {
                string text = Register().Replace(op, m => Number(m, s, d).ToString(CultureInfo.InvariantCulture));
                foreach (string statement in text.Split(';'))
                {
                    if (statement.Trim() == "bl {callee}")
                        code.Add(0x94000000 | (uint)((CalleeAt - SnippetTimer.Code - ((ulong)code.Count * 4)) / 4));
                    else
                        code.AddRange(AssemblyProgram.Parse(statement).Words);
                }
                ops++;
            }
            round++;
        }
        while (bench.Long ? round < LongCopies : code.Count < Words);
        return Run(timer, bench, code, ops);
    }

    // Behind the last of the rotating registers comes the first; registers of a list follow each other.
    private static int Number(Match match, int source, int destination)
    {
        int register = match.Groups[1].Value == "s" ? source : destination;
        int behind = match.Groups[3].Success ? int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture) : 0;
        return (register + behind) % (match.Groups[2].Value == "~" ? 32 : 24);
    }

    private static double Run(SnippetTimer timer, Bench bench, List<uint> code, int ops)
    {
        for (int i = 0; i < code.Count; i++)
            timer.Ram.Write(SnippetTimer.Code + (4 * (ulong)i), code[i]);
        ulong end = SnippetTimer.Code + (4 * (ulong)code.Count);
        uint[] callee = bench.Callee.Length == 0 ? [] : AssemblyProgram.Parse(bench.Callee).Words;
        for (int i = 0; i < callee.Length; i++)
            timer.Ram.Write(CalleeAt + (4 * (ulong)i), callee[i]);
        ulong pointer = SnippetTimer.Data + (ulong)bench.Misalign;
        Fill(timer, bench, pointer);
        int warm = bench.Long ? 8 : 4;
        const int Counted = 8;
        ulong start = 0;
        for (int run = 0; run < warm + Counted; run++)
        {
            if (run == warm)
                start = timer.Cpu.Cycles;
            timer.Restart();
            // In the original the registers keep their values from round to round; only a stream over memory needs that.
            if (run == 0 || bench.Memory != Seed.Random)
                Prepare(timer.Cpu, bench, pointer);
            timer.RunTo(end);
        }
        return (double)(timer.Cpu.Cycles - start) / (Counted * ops);
    }

    private static void Fill(SnippetTimer timer, Bench bench, ulong pointer)
    {
        ulong random = 42;
        int bytes = bench.Memory == Seed.Random ? Memory : 8192;
        for (int i = 0; i < bytes; i += 8)
        {
            random = (random * 6364136223846793005) + 1442695040888963407;
            ulong value = bench.Memory switch
            {
                Seed.Pointer => pointer,
                Seed.Random => random ^ (random >> 29),
                Seed.Ones => ulong.MaxValue,
                Seed.One => 1,
                _ => 0,
            };
            timer.Ram.Write(pointer + (ulong)i, value);
        }
    }

    private static void Prepare(Cpu cpu, Bench bench, ulong pointer)
    {
        ulong Value(Seed seed) => seed switch { Seed.One => 1, Seed.Ones => ulong.MaxValue, Seed.Pointer => pointer, _ => 0 };
        for (int i = 0; i < 28; i++)
            cpu.SetX(i, Value(bench.Registers));
        cpu.SetX(28, Value(bench.Constant));
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, new V128(0x0101010101010101, 0x0101010101010101));
        if (bench.Callee.Length > 0)
            cpu.SetX(0, CalleeAt);
    }

    [GeneratedRegex(@"\{([sd])(?:([+~])(\d+))?\}")]
    private static partial Regex Register();
}
