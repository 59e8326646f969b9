namespace ArmVdso.Cli;

/// <summary>A figure of several runs: its mean, the standard error of that, and its ends.</summary>
internal readonly record struct Spread(int Runs, double Mean, double Error, double Least, double Most)
{
    /// <summary>The figures of some runs; without any all is zero.</summary>
    internal static Spread Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
            return default;
        double mean = values.Average();
        double error = values.Count < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1) / values.Count);
        return new Spread(values.Count, mean, error, values.Min(), values.Max());
    }

    /// <summary>A figure over the placements of a group, of the runs that have it.</summary>
    internal static Spread Of(IReadOnlyCollection<IReadOnlyDictionary<string, double>> runs, string name) =>
        Of([.. runs.Where(r => r.ContainsKey(name)).Select(r => r[name])]);
}
