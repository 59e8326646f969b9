using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Kernel.Costs;

/// <summary>Instructions of one call, by class.</summary>
/// <param name="Instructions">All.</param>
/// <param name="Nops">NOP.</param>
/// <param name="Loads">Loads.</param>
/// <param name="Stores">Stores.</param>
/// <param name="Branches">Branches, RET included, ERET not.</param>
/// <param name="Reads">MRS.</param>
/// <param name="Writes">MSR.</param>
/// <param name="Barriers">ISB, DSB, DMB, CSDB.</param>
/// <param name="Atomics">Atomics and exclusives.</param>
public readonly record struct InstructionMix(
    int Instructions, int Nops, int Loads, int Stores, int Branches, int Reads, int Writes, int Barriers, int Atomics)
{
    /// <summary>Names of the classes, as in the tables.</summary>
    public static IReadOnlyList<string> Names { get; } = ["n", "nop", "ld", "st", "br", "mrs", "msr", "barrier"];

    /// <summary>The values in the order of <see cref="Names"/>.</summary>
    public int[] Values => [Instructions, Nops, Loads, Stores, Branches, Reads, Writes, Barriers];
}

/// <summary>A row of a table of Costs/: what a stock kernel executes for one call.</summary>
/// <param name="Mix">Instructions by class.</param>
/// <param name="Functions">Instructions by function; long calls are cut.</param>
public sealed record StockTrace(InstructionMix Mix, IReadOnlyDictionary<string, int> Functions)
{
    private static readonly Dictionary<string, Dictionary<string, StockTrace>> s_tables = [];

    /// <summary>The table of a kernel configuration, by row name, or null when none was traced.</summary>
    public static IReadOnlyDictionary<string, StockTrace>? Table(KernelConfiguration configuration)
    {
        string? name = configuration switch
        {
            { Reload: true } => null,
            { SsbdFirmware: true, BhbLoop: false, Kpti: true, RandomStack: true } => "a53_kpti",
            { SsbdFirmware: true, BhbLoop: false, Kpti: false, RandomStack: true } => "a53_nokpti",
            { SsbdFirmware: true, BhbLoop: false, Kpti: false, RandomStack: false } => "a53_nokpti_norks",
            { SsbdFirmware: false, BhbLoop: true, Kpti: false, RandomStack: true } => "n1_def",
            { SsbdFirmware: false, BhbLoop: false, Kpti: false, RandomStack: true } => "n1_nomit",
            { SsbdFirmware: false, BhbLoop: false, Kpti: false, RandomStack: false } => "n1_nomit_norks",
            _ => null,
        };
        return name is null ? null : Table(name);
    }

    /// <summary>A table by the name of its file.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static IReadOnlyDictionary<string, StockTrace> Table(string name)
    {
        lock (s_tables)
        {
            if (s_tables.TryGetValue(name, out Dictionary<string, StockTrace>? table))
                return table;
            using Stream stream = typeof(StockTrace).Assembly.GetManifestResourceStream($"costs/trace_counts.{name}.tsv")
                ?? throw new FileNotFoundException($"there is no trace of configuration {name}");
            using var reader = new StreamReader(stream, Encoding.ASCII);
            table = [];
            reader.ReadLine();
            while (reader.ReadLine() is { } line)
            {
                string[] cells = line.Split('\t');
                int[] v = [.. cells[1..12].Select(c => int.Parse(c, CultureInfo.InvariantCulture))];
                var functions = new Dictionary<string, int>();
                foreach (string pair in cells[14].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    int colon = pair.LastIndexOf(':');
                    functions[pair[..colon]] = int.Parse(pair.AsSpan(colon + 1), CultureInfo.InvariantCulture);
                }
                // n nop ld st br taken brind rd wr barrier atomic, then lines touched
                table[cells[0]] = new StockTrace(
                    new InstructionMix(v[0], v[1], v[2], v[3], v[4], v[7], v[8], v[9], v[10]), functions);
            }
            s_tables[name] = table;
            return table;
        }
    }
}
