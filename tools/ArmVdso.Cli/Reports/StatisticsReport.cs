using System.Text.Json.Nodes;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>How the counts of a run are written.</summary>
internal enum StatisticsFormat
{
    /// <summary>A table as perf stat prints it, and where the cycles went.</summary>
    Perf,

    /// <summary>Lines of name, value and description, as gem5's stats.txt.</summary>
    Gem5,

    /// <summary>One JSON object.</summary>
    Json,
}

/// <summary>Writes the counts of a run.</summary>
internal static class StatisticsReport
{
    /// <summary>gem5's tick is a picosecond.</summary>
    private const ulong TicksPerSecond = 1_000_000_000_000;

    private const string ChargedNote = "modelled: kernel bodies in C#, as a booted stock kernel needs on the core's model";

    /// <param name="output">Where to.</param>
    /// <param name="settings">Settings of the run.</param>
    /// <param name="s">Its counts.</param>
    /// <param name="format">How they are written.</param>
    /// <param name="booted">The kernel that was booted; null: the run was on the kernel model.</param>
    internal static void Write(
        TextWriter output, SessionSettings settings, RunStatistics s, StatisticsFormat format, string? booted = null)
    {
        switch (format)
        {
            case StatisticsFormat.Gem5:
                WriteGem5(output, Text.Run(settings, booted), s);
                break;
            case StatisticsFormat.Json:
                output.WriteLine(ToJson(settings, booted, s).ToJsonString());
                break;
            default:
                WriteTables(output, Text.Run(settings, booted), s);
                break;
        }
    }

    private static void WriteTables(TextWriter output, string header, RunStatistics s)
    {
        var table = new Table("count", "event", "remark");
        table.Add(Number(s.Instructions), "instructions", $"{Ratio(s.Instructions, s.Busy)} per cycle");
        table.Add(Number(s.Busy), "cycles", $"over {s.Cpus.Count} CPUs, not waiting");
        if (s.Switches is not null)
        {
            table.Add(Number(s.Busy - s.Charged), "cycles executed", $"{Percent(s.Busy - s.Charged, s.Busy)} of cycles");
            table.Add(Number(s.Charged), "cycles charged", $"{Percent(s.Charged, s.Busy)} of cycles; {ChargedNote}");
        }
        table.Add(Number(s.Waiting), "cycles waiting", "in WFI");
        table.Add(Number(s.Exceptions), "exceptions taken", "");
        if (s.Switches is { } switches)
            table.Add(Number(switches), "context switches", "");
        output.WriteLine();
        output.WriteLine(header);
        output.WriteLine();
        table.Write(output);
        output.WriteLine();
        if (s.CountsEvents)
        {
            WriteEvents(output, s);
            output.WriteLine();
            WriteTopDown(output, s);
            output.WriteLine();
        }
        if (s.TranslatedBlocks != 0)
            output.WriteLine($"{Number(s.TranslatedBlocks)} blocks translated");
        if (s.Check is { } check)
        {
            output.WriteLine(
                $"{Number(check.Compared)} instructions compared in {Number(check.Blocks)} blocks, {Number(check.NotCompared)} executed "
                + $"by the reference engine only");
        }
        double rate = s.Instructions / Math.Max(s.HostSeconds, 1e-9);
        output.WriteLine($"{Text.Fixed(s.HostSeconds, 3)} seconds of the host, {Text.Fixed(rate / 1e6, 1)} million instructions a second");
    }

    private static void WriteEvents(TextWriter output, RunStatistics s)
    {
        var table = new Table("EL0", "EL1", "event", "number", "what it counts");
        foreach (PmuEvent e in s.Events)
            table.Add(Number(s.Count(e, 0)), Number(s.Count(e, 1)), e.Name, $"0x{e.Number:x2}", e.Note);
        table.Write(output);
    }

    private static void WriteTopDown(TextWriter output, RunStatistics s)
    {
        var table = new Table("EL0 cycles", "EL1 cycles", "% of cycles", "where the cycles went");
        ulong total0 = 0, total1 = 0;
        foreach (TopDown category in Enum.GetValues<TopDown>())
        {
            if (category == TopDown.Waiting || (category == TopDown.Charged && s.Switches is null))
                continue;
            CycleCause[] causes = [.. Enum.GetValues<CycleCause>().Where(c => CycleCauses.Category(c) == category)];
            ulong el0 = Sum(causes, c => s.Count(c, 0)), el1 = Sum(causes, c => s.Count(c, 1));
            (total0, total1) = (total0 + el0, total1 + el1);
            table.Add(Number(el0), Number(el1), Percent(el0 + el1, s.Busy), Name(category));
            if (causes.Length == 1)
                continue;
            foreach (CycleCause cause in causes.Where(c => s.Count(c, 0) + s.Count(c, 1) > 0))
            {
                ulong at0 = s.Count(cause, 0), at1 = s.Count(cause, 1);
                table.Add(Number(at0), Number(at1), Percent(at0 + at1, s.Busy), "  " + CycleCauses.Describe(cause));
            }
        }
        table.Add(Number(total0), Number(total1), Percent(total0 + total1, s.Busy), "CPU_CYCLES");
        table.Write(output);
        if (total0 + total1 != s.Busy)
            throw new InvalidOperationException($"the causes sum to {total0 + total1} cycles, the CPUs counted {s.Busy}");
    }

    internal static string Name(TopDown category) => category switch
    {
        TopDown.FrontEnd => "front end",
        TopDown.BadSpeculation => "bad speculation",
        TopDown.BackEnd => "back end",
        TopDown.System => "system",
        TopDown.Charged => $"charged ({ChargedNote})",
        TopDown.Waiting => "waiting",
        _ => "retiring",
    };

    private static void WriteGem5(TextWriter output, string header, RunStatistics s)
    {
        void Line(string name, string value, string description) => output.WriteLine($"{name,-56} {value,20}  # {description}");
        output.WriteLine("---------- Begin Simulation Statistics ----------");
        output.WriteLine($"# {header}");
        Line("hostSeconds", Text.Fixed(s.HostSeconds, 3), "Real time elapsed on the host (Second)");
        Line("hostInstRate", Plain((ulong)(s.Instructions / Math.Max(s.HostSeconds, 1e-9))), "Simulator instruction rate (Count/Second)");
        double clock = s.Machine.ClockFrequency;
        ulong cycles = s.Cpus.Max(c => c.Cycles);
        ulong ticks = (ulong)((UInt128)cycles * TicksPerSecond / s.Machine.ClockFrequency);
        Line("simSeconds", Text.Fixed(cycles / clock, 6), "Number of seconds simulated (Second)");
        Line("simTicks", Plain(ticks), "Number of ticks simulated (Tick)");
        Line("finalTick", Plain(ticks), "Number of ticks from beginning of simulation (Tick)");
        Line("simFreq", Plain(TicksPerSecond), "The number of ticks per simulated second ((Tick/Second))");
        Line("simInsts", Plain(s.Instructions), "Number of instructions simulated (Count)");
        Line("simCycles", Plain(cycles), "Cycles until the CPU that is furthest stopped (Cycle)");
        if (s.Switches is { } switches)
            Line("system.contextSwitches", Plain(switches), "Switches between tasks (Count)");
        foreach (Cpu cpu in s.Cpus)
        {
            string prefix = $"system.cpu{cpu.Index}";
            Line($"{prefix}.numCycles", Plain(cpu.Cycles - cpu.Timing.WaitCycles), "Cycles, not waiting (Cycle)");
            Line($"{prefix}.numWaitCycles", Plain(cpu.Timing.WaitCycles), "Cycles in WFI (Cycle)");
            if (s.Switches is not null)
                Line($"{prefix}.numChargedCycles", Plain(cpu.Timing.ChargedCycles), $"Cycles charged, {ChargedNote} (Cycle)");
            Line($"{prefix}.ipc", Ratio(cpu.Instructions, cpu.Cycles - cpu.Timing.WaitCycles), "Instructions per cycle ((Count/Cycle))");
            for (int el = 0; el <= 1; el++)
            {
                TimingCounters counters = cpu.Timing.Counters(el);
                foreach (PmuEvent e in s.Events)
                    Line($"{prefix}.el{el}.{e.Name}", Plain(e.Count(counters)), $"{e.Note} (Count)");
                if (!s.CountsEvents)
                    continue;
                foreach (CycleCause cause in Enum.GetValues<CycleCause>())
                    Line($"{prefix}.el{el}.cycles::{cause}", Plain(counters.Causes[(int)cause]),
                        $"Cycles: {CycleCauses.Describe(cause)} (Cycle)");
            }
        }
        output.WriteLine("---------- End Simulation Statistics   ----------");
    }

    private static JsonObject ToJson(SessionSettings settings, string? booted, RunStatistics s)
    {
        JsonObject root = Text.RunJson(settings, booted);
        root["instructions"] = s.Instructions;
        root["cycles"] = s.Busy;
        if (s.Switches is not null)
        {
            root["cycles_executed"] = s.Busy - s.Charged;
            root["cycles_charged"] = s.Charged;
        }
        root["cycles_waiting"] = s.Waiting;
        root["exceptions"] = s.Exceptions;
        if (s.Switches is { } switches)
            root["context_switches"] = switches;
        root["host_seconds"] = s.HostSeconds;
        if (!s.CountsEvents)
            return root;
        for (int el = 0; el <= 1; el++)
        {
            var events = new JsonObject();
            foreach (PmuEvent e in s.Events)
                events[e.Name] = s.Count(e, el);
            var causes = new JsonObject();
            foreach (CycleCause cause in Enum.GetValues<CycleCause>())
                causes[cause.ToString()] = s.Count(cause, el);
            root[$"el{el}"] = new JsonObject { ["events"] = events, ["cycles"] = causes };
        }
        return root;
    }

    private static ulong Sum(CycleCause[] causes, Func<CycleCause, ulong> of)
    {
        ulong sum = 0;
        foreach (CycleCause cause in causes)
            sum += of(cause);
        return sum;
    }

    private static string Plain(ulong value) => Text.Plain(value);

    private static string Number(ulong value) => Text.Number(value);

    private static string Percent(ulong part, ulong whole) => Text.Percent(part, whole);

    private static string Ratio(ulong part, ulong whole) => Text.Fixed(whole == 0 ? 0 : (double)part / whole, 2);
}
