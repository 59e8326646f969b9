using System.Text.RegularExpressions;
using ArmVdso.Assembler;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks.Instructions;

namespace ArmVdso.Yardsticks.Fitting;

/// <summary>What a measured value is about.</summary>
public enum FitKind
{
    /// <summary>Cycles from an operation to the next that needs its result.</summary>
    Latency,

    /// <summary>The same through the accumulator alone.</summary>
    Accumulator,

    /// <summary>Operations a cycle.</summary>
    Throughput,
}

/// <summary>One measured value beside the models.</summary>
/// <param name="Row">The row.</param>
/// <param name="Kind">Which of its values.</param>
/// <param name="Measured">In the table.</param>
/// <param name="Before">Of the core that the fit begins with.</param>
/// <param name="Seen">Whether the fit saw it; the others judge it.</param>
public sealed record FitValue(MeasuredRow Row, FitKind Kind, double Measured, double Before, bool Seen)
{
    /// <summary>Of the fitted core.</summary>
    public double After { get; set; }

    /// <summary>Names that may time it, from the general to the specific; none when the row is more than one instruction.</summary>
    internal IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Relative error of a model's value.</summary>
    public double Error(double model) => Math.Abs(model - Measured) / Measured;
}

/// <summary>What a fit came to.</summary>
/// <param name="Text">The core's file.</param>
/// <param name="Entries">Entries of it that the table decided: name, what was set, and why.</param>
/// <param name="Values">All values.</param>
/// <param name="Unmapped">Rows that could not be compared.</param>
public sealed record FitResult(
    string Text, IReadOnlyList<FittedEntry> Entries, IReadOnlyList<FitValue> Values, IReadOnlyList<UnmappedRow> Unmapped);

/// <summary>A first core file from a table of measured instructions. It begins with a core of the same kind and asks of each class what
/// the rows of the class say in the middle; a form or a mnemonic gets an entry of its own only where several rows of it agree on
/// something else. Widths, buffers, caches and what one instruction alone cannot show stay those of the first core, and are marked
/// so.</summary>
/// <param name="start">The core to begin with.</param>
/// <param name="name">Name of the new one.</param>
/// <param name="source">What the table is, for the file's sources.</param>
public sealed class CoreFit(string start, string name, string source)
{
    /// <summary>Fits.</summary>
    /// <param name="rows">The table.</param>
    /// <param name="holdOut">Every second row is only compared, and does not take part.</param>
    /// <exception cref="CoreModelException">The core to begin with is not well formed.</exception>
    public FitResult Fit(IReadOnlyList<MeasuredRow> rows, bool holdOut)
    {
        CoreModel model = CoreModel.Load(start);
        if (model.IsPlain)
            throw new CoreModelException($"core {start} has no classes to fit");
        var unmapped = new List<UnmappedRow>();
        List<(MeasuredRow Row, Bench Bench)> benches = [];
        foreach (MeasuredRow row in rows)
        {
            if (InstructionSet.Find(row.Section, row.Name, start, out string reason) is { } bench)
                benches.Add((row, bench));
            else
                unmapped.Add(new UnmappedRow(row.Name, reason));
        }
        var values = new List<FitValue>();
        var runner = new BenchRunner(start);
        for (int i = 0; i < benches.Count; i++)
        {
            (MeasuredRow row, Bench bench) = benches[i];
            bool seen = !holdOut || i % 2 == 0;
            try
            {
                if (row.Latency is { } latency)
                {
                    FitKind kind = row.Name.Contains("acc. fwd.", StringComparison.Ordinal) ? FitKind.Accumulator : FitKind.Latency;
                    values.Add(new(row, kind, latency, runner.Latency(bench), seen) { Names = Names(model, bench.Op) });
                }
                if (row.Throughput is { } throughput)
                {
                    string op = bench.ThroughputOp.Length == 0 ? bench.Op : bench.ThroughputOp;
                    values.Add(new(row, FitKind.Throughput, throughput, runner.Throughput(bench), seen)
                    {
                        Names = bench.SweepBehind.Length == 0 ? Names(model, op) : [],
                    });
                }
            }
            catch (Exception e) when (e is AssemblerException or InvalidOperationException)
            {
                unmapped.Add(new UnmappedRow(row.Name, e.Message));
            }
        }
        var file = new FittedFile(model, name, source);
        FitValue[] seenValues = [.. values.Where(v => v.Seen && v.Names.Count > 0)];
        foreach (FitKind kind in Enum.GetValues<FitKind>())
            new FieldFit(file, kind, [.. seenValues.Where(v => v.Kind == kind)]).Run();
        string text = file.Text();
        Judge(text, benches, values);
        return new FitResult(text, file.Entries, values, unmapped);
    }

    private void Judge(string text, List<(MeasuredRow Row, Bench Bench)> benches, List<FitValue> values)
    {
        string path = Path.Combine(Path.GetTempPath(), $"{name}-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(path, text);
            var runner = new BenchRunner(path);
            Dictionary<MeasuredRow, Bench> benchOf = benches.DistinctBy(b => b.Row).ToDictionary(b => b.Row, b => b.Bench);
            foreach (FitValue value in values)
            {
                Bench bench = benchOf[value.Row];
                value.After = value.Kind == FitKind.Throughput ? runner.Throughput(bench) : runner.Latency(bench);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The names that time a bench's operation when it is a single instruction.</summary>
    private static IReadOnlyList<string> Names(CoreModel model, string op)
    {
        string text = Regex.Replace(op, @"\{[sd](?:[+~](\d+))?\}", m => m.Groups[1].Success ? m.Groups[1].Value : "0");
        if (text.Contains(';') || text.Contains("{callee}"))
            return [];
        // Registers of a list follow each other; which ones they are does not matter here.
        return AssemblyProgram.Parse(text).Words is [uint word] ? CoreTimings.NamesOf(model, word) : [];
    }
}
