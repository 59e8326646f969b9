namespace ArmVdso.Cli;

/// <summary>A figure over the placements of a group.</summary>
internal readonly record struct Spread(int Runs, double Mean, double Error, double Least, double Most)
{
    internal static Spread Of(IReadOnlyCollection<IReadOnlyDictionary<string, double>> runs, string name)
    {
        double[] values = [.. runs.Where(r => r.ContainsKey(name)).Select(r => r[name])];
        if (values.Length == 0)
            return default;
        double mean = values.Average();
        double error = values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length);
        return new Spread(values.Length, mean, error, values.Min(), values.Max());
    }
}
