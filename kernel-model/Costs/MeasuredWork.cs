using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Kernel.Costs;

/// <summary>The rows of Costs/measured.CORE.tsv: what a stock kernel, booted on that core's model, needs for a piece of work beyond what
/// the kernel model executes for it.</summary>
internal static class MeasuredWork
{
    private static readonly Dictionary<string, Dictionary<string, OutsideWork>> s_tables = [];

    /// <summary>The table of a core, by row.</summary>
    /// <exception cref="FileNotFoundException">It was not measured.</exception>
    internal static IReadOnlyDictionary<string, OutsideWork> Table(string core)
    {
        lock (s_tables)
        {
            if (s_tables.TryGetValue(core, out Dictionary<string, OutsideWork>? table))
                return table;
            string name = KernelConfiguration.MeasuredPrefix + core + KernelConfiguration.MeasuredSuffix;
            using Stream stream = typeof(MeasuredWork).Assembly.GetManifestResourceStream(name)
                ?? throw new FileNotFoundException($"embedded resource {name} is missing");
            using var reader = new StreamReader(stream, Encoding.UTF8);
            table = [];
            while (reader.ReadLine() is { } line)
            {
                string[] cells = line.Split('\t');
                if (line[0] == '#' || cells[0] == "row")
                    continue;
                int[] v = [.. cells[1..].Select(c => int.Parse(c, CultureInfo.InvariantCulture))];
                table.Add(cells[0], new OutsideWork(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], 1 + table.Count));
            }
            return s_tables[core] = table;
        }
    }
}
