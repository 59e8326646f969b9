using System.Globalization;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>Counts of one run or several as perf stat prints them, for people and, with -x, for programs.</summary>
internal sealed class PerfStatReport
{
    /// <summary>Ends of a run in seconds of the guest.</summary>
    private const string Elapsed = "seconds time elapsed", User = "seconds user", System = "seconds sys";

    private readonly List<string> _events = [];
    private readonly Dictionary<string, List<double>> _values = [];
    private readonly SessionSettings _settings;
    private double _runs;

    internal PerfStatReport(SessionSettings settings) => _settings = settings;

    /// <summary>Adds a run.</summary>
    internal void Add(RunStatistics run, SwitchCounter software)
    {
        _runs++;
        double clock = run.Machine.ClockFrequency;
        ulong el0 = Sum(run, 0), el1 = Sum(run, 1);
        Put("task-clock", run.Busy / clock * 1000);
        Put("context-switches", software.Switches);
        Put("cpu-migrations", software.Migrations);
        Put("page-faults", software.Faults);
        Put("cycles", run.Busy);
        Put("instructions", run.Instructions);
        if (run.CountsEvents)
        {
            Put("branches", Sum(run, PmuEvent.Find(0x21)!));
            Put("branch-misses", Sum(run, PmuEvent.Find(0x10)!));
            Put("stalled-cycles-frontend", Sum(run, PmuEvent.Find(0x23)!));
            Put("stalled-cycles-backend", Sum(run, PmuEvent.Find(0x24)!));
            Put("L1-dcache-loads", Sum(run, PmuEvent.Find(0x04)!));
            Put("L1-dcache-load-misses", Sum(run, PmuEvent.Find(0x03)!));
        }
        Put(Elapsed, run.Cpus.Max(c => c.Cycles) / clock);
        Put(User, el0 / clock);
        Put(System, el1 / clock);
    }

    private static ulong Sum(RunStatistics run, int el) => run.Count(PmuEvent.Find(PmuEvent.CpuCycles)!, el);

    private static double Sum(RunStatistics run, PmuEvent e) => run.Count(e, 0) + run.Count(e, 1);

    private void Put(string name, double value)
    {
        if (!_values.TryGetValue(name, out List<double>? list))
        {
            _values[name] = list = [];
            _events.Add(name);
        }
        list.Add(value);
    }

    private double Mean(string name) => _values.TryGetValue(name, out List<double>? list) ? list.Average() : 0;

    /// <summary>perf's spread: the standard error of the mean, in per cent of it.</summary>
    private double SpreadOf(string name)
    {
        var spread = Spread.Of(_values[name]);
        return spread.Mean == 0 ? 0 : 100 * spread.Error / spread.Mean;
    }

    /// <summary>What perf says of an event beside its count.</summary>
    private (string Value, string Unit) Metric(string name) => name switch
    {
        "task-clock" => (Fixed(Mean(name) / 1000 / Mean(Elapsed), 3), "CPUs utilized"),
        "cycles" => (Fixed(Mean(name) / Mean("task-clock") / 1e6, 3), "GHz"),
        "instructions" => (Fixed(Mean(name) / Mean("cycles"), 2), "insn per cycle"),
        "branch-misses" => (Fixed(100 * Mean(name) / Math.Max(1, Mean("branches")), 2) + "%", "of all branches"),
        "stalled-cycles-frontend" => (Fixed(100 * Mean(name) / Mean("cycles"), 2) + "%", "frontend cycles idle"),
        "stalled-cycles-backend" => (Fixed(100 * Mean(name) / Mean("cycles"), 2) + "%", "backend cycles idle"),
        "L1-dcache-load-misses" => (Fixed(100 * Mean(name) / Math.Max(1, Mean("L1-dcache-loads")), 2) + "%", "of all L1-dcache accesses"),
        _ when Mean(name) / Mean("task-clock") >= 1000 => (Fixed(Mean(name) / Mean("task-clock") / 1000, 3), "M/sec"),
        _ => (Fixed(Mean(name) / Mean("task-clock"), 3), "K/sec"),
    };

    private static string Fixed(double value, int decimals) => double.IsFinite(value) ? Text.Fixed(value, decimals) : "0";

    private static bool IsTime(string name) => name is Elapsed or User or System;

    private string Count(string name, bool grouped)
    {
        double mean = Mean(name);
        if (name == "task-clock")
            return mean.ToString(grouped ? "N2" : "F2", CultureInfo.InvariantCulture);
        return Math.Round(mean).ToString(grouped ? "N0" : "F0", CultureInfo.InvariantCulture);
    }

    /// <summary>Writes the table.</summary>
    internal void Write(TextWriter output, string program)
    {
        string runs = _runs > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({_runs} runs)") : "";
        output.WriteLine();
        output.WriteLine($" Performance counter stats for '{Text.Printable(program)}'{runs}:");
        output.WriteLine($" (cycles are modelled: {Text.Run(_settings)})");
        output.WriteLine();
        foreach (string name in _events.Where(n => !IsTime(n)))
        {
            (string value, string unit) = Metric(name);
            string label = name == "task-clock" ? "msec task-clock" : $"     {name}";
            output.WriteLine($"{Count(name, true),18} {label,-30} #{value,9} {unit,-26}{Plus(name)}".TrimEnd());
        }
        output.WriteLine();
        if (_runs > 1)
        {
            double spread = Mean(Elapsed) * SpreadOf(Elapsed) / 100;
            output.WriteLine($"{Fixed(Mean(Elapsed), 9),18} +- {Fixed(spread, 9)} {Elapsed} {Plus(Elapsed)}");
        }
        else
        {
            output.WriteLine($"{Fixed(Mean(Elapsed), 9),18} {Elapsed}");
        }
        output.WriteLine();
        if (_runs == 1)
        {
            output.WriteLine($"{Fixed(Mean(User), 9),18} {User}");
            output.WriteLine($"{Fixed(Mean(System), 9),18} {System}");
        }
        output.WriteLine();
    }

    private string Plus(string name) =>
        _runs > 1 ? string.Create(CultureInfo.InvariantCulture, $" ( +-{SpreadOf(name),6:F2}% )") : "";

    /// <summary>Writes a line an event: count, unit, event, with several runs their spread, ns that it counted, share of the time, and
    /// what perf says beside it.</summary>
    internal void Write(TextWriter output, char separator)
    {
        string ns = Fixed(Mean("task-clock") * 1e6, 0);
        foreach (string name in _events.Where(n => !IsTime(n)))
        {
            (string value, string unit) = Metric(name);
            List<string> fields = [Count(name, false), name == "task-clock" ? "msec" : "", name];
            if (_runs > 1)
                fields.Add(Fixed(SpreadOf(name), 2) + "%");
            fields.AddRange([ns, "100.00", value.TrimEnd('%'), unit]);
            output.WriteLine(string.Join(separator, fields));
        }
    }
}
