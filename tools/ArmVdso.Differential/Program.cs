using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Differential;

const string usage = """
    ArmVdso.Differential: checks the emulator's instructions against qemu-aarch64.
      --rows REGEX     rows to run (default: all that have semantics)
      --cases N        cases in all (default 100000)
      --seed S         seed of the run (default 1)
      --keep N         mismatches printed for each row (default 3)
      --workers N      qemu processes (default 2)
      --no-exceptions  ignore qemu-exceptions.txt
      --repro ROW:SEED:PLACE   run one slot again, as a report names it
      --perturb KIND   General, Vector, Flags, Fpsr, Signal or Memory: put an error into our results
      --verbose        list every row
    """;

string rows = ".";
long cases = 100_000;
ulong seed = 1;
int keep = 3, workers = 2;
bool verbose = false;
(ulong, int)? only = null;
QemuExceptions exceptions = QemuExceptions.Committed;
var perturbation = Perturbation.None;
for (int i = 0; i < args.Length; i++)
{
    string option = args[i];
    string Next() => ++i < args.Length ? args[i] : throw new FormatException($"{option} wants a value");
    switch (option)
    {
        case "--rows": rows = Next(); break;
        case "--cases": cases = long.Parse(Next(), CultureInfo.InvariantCulture); break;
        case "--seed": seed = Number(Next()); break;
        case "--keep": keep = int.Parse(Next(), CultureInfo.InvariantCulture); break;
        case "--workers": workers = int.Parse(Next(), CultureInfo.InvariantCulture); break;
        case "--perturb": perturbation = Enum.Parse<Perturbation>(Next(), true); break;
        case "--no-exceptions": exceptions = QemuExceptions.None; break;
        case "--verbose": verbose = true; break;
        case "--repro":
            string[] part = Next().Split(':');
            rows = $"^{part[0]}$";
            only = (Number(part[1]), int.Parse(part[2], CultureInfo.InvariantCulture));
            keep = 8;
            break;
        default:
            Console.WriteLine(usage);
            return option is "--help" or "-h" ? 0 : 2;
    }
}

if (QemuOracle.Missing is string missing)
{
    Console.Error.WriteLine(missing);
    return 2;
}
var regex = new Regex(rows);
List<TableRow> chosen = IsaTable.Rows
    .Where(r => r.HasSemantics && regex.IsMatch(r.Name) && !exceptions.SkipsRow(r))
    .ToList();
var run = new DifferentialRun(new RunOptions
{
    Rows = chosen,
    Cases = cases,
    Seed = seed,
    KeepPerRow = keep,
    Workers = workers,
    Exceptions = exceptions,
    Perturbation = perturbation,
    Only = only,
});
var clock = Stopwatch.StartNew();
run.Execute();
clock.Stop();
foreach (TableRow row in chosen)
{
    RowCounts counts = run.Counts[row.Row];
    if (verbose || counts.Mismatches > 0 || counts.NoEncoding > 0)
        Console.WriteLine(
            $"{(counts.Mismatches > 0 ? "DIFF" : counts.NoEncoding > 0 ? "NONE" : "ok  ")} {row.Name,-24} cases {counts.Cases,8} "
            + $"completed {counts.Completed,8} illegal {counts.Illegal,6} mismatches {counts.Mismatches}");
    foreach (string report in counts.Reports)
        Console.WriteLine("  " + report.TrimEnd());
}
string[] vacuous = chosen.Where(r => run.Counts[r.Row] is { Cases: > 0 } c && c.Illegal == c.Cases).Select(r => r.Name).ToArray();
if (vacuous.Length > 0)
    Console.WriteLine($"SIGILL in every case: {string.Join(' ', vacuous)}");
int wrong = run.Counts.Values.Count(c => c.Mismatches > 0);
Console.WriteLine(
    $"{chosen.Count} rows, {run.TotalCases} cases in {clock.Elapsed.TotalSeconds:F1} s "
    + $"({run.TotalCases / clock.Elapsed.TotalSeconds:F0}/s), {run.TotalMismatches} mismatches in {wrong} rows");
return run.TotalMismatches == 0 ? 0 : 1;

static ulong Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
    ? ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
    : ulong.Parse(text, CultureInfo.InvariantCulture);
