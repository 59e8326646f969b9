using System.Globalization;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Fitting;

/// <summary>One field of all entries (latency, accumulator, ports): first a middle of each entry that there is, then entries of their own
/// for names whose rows agree on something else, those that explain most first.</summary>
internal sealed class FieldFit(FittedFile file, FitKind kind, FitValue[] values)
{
    /// <summary>Rows that an entry of its own needs.</summary>
    private const int Support = 2;

    /// <summary>Relative errors, summed over its rows, that a change has to take away.</summary>
    private const double Gain = 0.2;

    private const int MostEntries = 200;

    internal void Run()
    {
        foreach (IGrouping<string, FitValue> group in values.GroupBy(Owner).OrderBy(g => g.Key, StringComparer.Ordinal))
            Move(group.Key, [.. group]);
        for (int i = 0; i < MostEntries; i++)
        {
            (string Name, FitValue[] Rows, double Less)[] better = [.. values
                .SelectMany(v => Below(v).Select(n => (Name: n, Value: v)))
                .GroupBy(p => p.Name, p => p.Value)
                .Where(g => g.Count() >= Support)
                .Select(g => (Name: g.Key, Rows: g.ToArray()))
                .Select(c => (c.Name, c.Rows, Now(c.Rows) - Sum(c.Rows, Best(c.Rows))))];
            if (better.Length == 0)
                return;
            (string name, FitValue[] rows, double less) =
                better.OrderByDescending(b => b.Less).ThenBy(b => b.Name, StringComparer.Ordinal).First();
            if (less < Gain)
                return;
            Put(name, rows, Owner(rows[0]));
        }
    }

    /// <summary>The entry that says this field of a value.</summary>
    private string Owner(FitValue value) => Owner(value, kind);

    private string Owner(FitValue value, FitKind of) => value.Names.Last(n => file.Says(n, of) || n == value.Names[0]);

    /// <summary>Names more specific than the entry that says it.</summary>
    private IEnumerable<string> Below(FitValue value)
    {
        string owner = Owner(value);
        return value.Names.SkipWhile(n => n != owner).Skip(1);
    }

    /// <summary>Lets an entry follow its rows when that takes away a good part of their errors.</summary>
    private void Move(string name, FitValue[] rows)
    {
        string best = Best(rows);
        double before = Now(rows), after = Sum(rows, best);
        if (best != file.Value(name, kind) && before - after >= Math.Min(Gain, before / 2))
            Put(name, rows, name);
    }

    private void Put(string name, FitValue[] rows, string owner)
    {
        string middle = Middle(rows).ToString("0.##", CultureInfo.InvariantCulture);
        string what = kind switch
        {
            FitKind.Throughput => $"{middle} a cycle",
            FitKind.Accumulator => $"{middle} cycles through the accumulator",
            _ => $"{middle} cycles",
        };
        file.Set(name, kind, Best(rows), rows.Length, what, owner);
    }

    private static double Middle(FitValue[] rows)
    {
        double[] sorted = [.. rows.Select(r => r.Measured).Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>The value of the field that explains the rows best; what the first of them has by now where nothing is better.</summary>
    private string Best(FitValue[] rows)
    {
        string now = Says(rows[0]);
        return Candidates(now, rows).MinBy(c => (Sum(rows, c), c == now ? 0 : 1))!;
    }

    private string Says(FitValue row) => file.Value(Owner(row), kind);

    private IEnumerable<string> Candidates(string now, FitValue[] rows)
    {
        yield return now;
        if (kind != FitKind.Throughput)
        {
            foreach (int to in rows.Select(Asked).Distinct())
            {
                if (to is >= 0 and <= 100)
                    yield return to.ToString(CultureInfo.InvariantCulture);
            }
            yield break;
        }
        if (!file.OutOfOrder)
        {
            foreach (int beats in rows.Select(r => (int)Math.Round(1 / r.Measured)).Where(b => b >= 1).Distinct())
                yield return beats.ToString(CultureInfo.InvariantCulture);
            yield break;
        }
        foreach (string uops in MicroOpCandidates.Of(now, file.Ports, file.HasPorts))
            yield return uops;
    }

    /// <summary>The number of cycles that a row asks the field to be.</summary>
    private int Asked(FitValue row)
    {
        string says = Says(row);
        int more = (int)Math.Round(row.Measured - Predicted(row, says));
        return int.TryParse(says, out int cycles) ? kind == FitKind.Accumulator ? cycles - more : cycles + more : -1;
    }

    private double Now(FitValue[] rows) => rows.Sum(r => r.Error(Predicted(r, Says(r))));

    private double Sum(FitValue[] rows, string then) => rows.Sum(r => r.Error(Predicted(r, then)));

    /// <summary>What a value becomes: latencies move by what the field moves, throughput is the smaller of the ports' and of what
    /// bounded it before.</summary>
    private double Predicted(FitValue row, string then)
    {
        string first = file.First(Original(row), kind);
        if (kind != FitKind.Throughput)
        {
            if (!int.TryParse(first, out int from) || !int.TryParse(then, out int to))
                return row.Before;
            return kind == FitKind.Latency ? row.Before + to - from : row.Before + LatencyMoved(row) - (to - from);
        }
        if (then == first)
            return row.Before;
        if (!file.OutOfOrder)
            return int.TryParse(then, out int beats) ? 1.0 / beats : row.Before;
        return Math.Min(MicroOpCandidates.Rate(then, file.HasPorts), file.RenameRate(row.Names));
    }

    /// <summary>Cycles by which the latency of a row is another by now.</summary>
    private int LatencyMoved(FitValue row) =>
        int.TryParse(file.Value(Owner(row, FitKind.Latency), FitKind.Latency), out int now)
        && int.TryParse(file.First(Original(row, FitKind.Latency), FitKind.Latency), out int first) ? now - first : 0;

    private string Original(FitValue value) => Original(value, kind);

    private string Original(FitValue value, FitKind of) => value.Names.Last(n => file.SaidFirst(n, of) || n == value.Names[0]);
}
