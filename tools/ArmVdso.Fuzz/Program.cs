using System.Globalization;
using ArmVdso.Fuzz;

const string usage = """
    ArmVdso.Fuzz [KIND...]: input from an enemy; without KIND all kinds.
      elf       programs with odd headers, and scripts, executed in the guest
      calls     sequences of system calls on 1 to 8 threads
      terminal  bytes and settings for a terminal, from both ends
      program   programs of the host with odd headers and symbols, and the reports of their crashes
      vdso      vDSO images
      core      files of cores, boards and CPU profiles
      words     instructions on all engines, compared
      --seed S      seed of the first batch (default 1)
      --budget N    cases of each kind (default: some seconds)
      --threads N   most threads of a sequence of calls (default 8)
      --hang S      CPU seconds without progress that are a hang (default 5)
    Status 0: nothing found, 1: something found, 2: not understood.
    """;

var usual = new FuzzRun();
ulong seed = usual.Seed;
ulong? budget = null;
double hang = usual.HangSeconds;
int threads = 8;
var kinds = new List<string>();
string[] known = [.. FuzzRun.All().Select(f => f.Name)];
for (int i = 0; i < args.Length; i++)
{
    string word = args[i];
    string value = word.StartsWith("--", StringComparison.Ordinal) && i + 1 < args.Length ? args[++i] : "";
    bool good = word switch
    {
        "--seed" => ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out seed),
        "--budget" => (budget = ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong n) ? n : null) > 0,
        "--threads" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out threads) && threads is >= 1 and <= 8,
        "--hang" => double.TryParse(value, CultureInfo.InvariantCulture, out hang) && hang > 0,
        _ => known.Contains(word),
    };
    if (!good)
    {
        Console.WriteLine(usage);
        return word is "--help" or "-h" ? 0 : 2;
    }
    if (known.Contains(word))
        kinds.Add(word);
}
var run = new FuzzRun
{
    Seed = seed,
    Budget = budget,
    HangSeconds = hang,
    Say = text => Console.WriteLine(text),
    Progress = Console.IsErrorRedirected ? _ => { } : text => Console.Error.Write($"\r\x1b[K{text}\r"),
    Stuck = text =>
    {
        // Nothing in this process ends what hangs.
        Console.WriteLine(text);
        Environment.Exit(1);
    },
};
int findings = 0;
foreach (Fuzzer fuzzer in FuzzRun.All(threads).Where(f => kinds.Count == 0 || kinds.Contains(f.Name)))
    findings += run.Run(fuzzer);
return findings == 0 ? 0 : 1;
