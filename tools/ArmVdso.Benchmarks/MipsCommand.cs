using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ArmVdso.Benchmarks;

/// <summary>mips [--runs N] [--scale N] [--json] [PROGRAM...]: millions of instructions a second of our engines, of qemu-aarch64 and
/// of libunicorn on the same static binaries: runs interleaved, medians. mips --root DIR: of real programs
/// (<see cref="RealProgramFigures"/>).</summary>
internal static partial class MipsCommand
{
    // Our engines get less work than the others, so that their runs take about as long.
    private const int OwnScale = 4;

    private const string Usage = "usage: mips [--runs N] [--scale N] [--json] [PROGRAM|PATH...]\n"
        + "       mips --root DIR [--armvdso FILE] [--cores CORE,...] [--engines ENGINE,...] [--runs N] [--json] [NAME...]";

    /// <summary>One way to run a program.</summary>
    /// <param name="Name">Column.</param>
    /// <param name="Scale">Argument of the program: how much of the usual work.</param>
    /// <param name="Run">Runs it: standard output, and seconds.</param>
    private sealed record Runner(string Name, int Scale, Func<string, int, (string Output, double Seconds)> Run);

    private sealed record Figure(
        string Program, string Runner, ulong Instructions, double MedianSeconds, double FastestSeconds, double SlowestSeconds)
    {
        public double Mips => Instructions / MedianSeconds / 1e6;
    }

    internal static int Run(string[] arguments)
    {
        int runs = 5, scale = 50;
        bool json = false;
        string? root = null;
        string command = Command, cores = "none,cortex-a53,neoverse-n1";
        string? engines = null;
        var programs = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            bool number = arguments[i] is "--runs" or "--scale";
            int value = 0;
            if (number
                && (i + 1 == arguments.Length || !int.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out value)
                    || value is < 1 or > 1000))
                return Refuse($"{arguments[i]}: a number from 1 to 1000 is missing");
            switch (arguments[i])
            {
                case "--runs":
                    runs = value;
                    i++;
                    break;
                case "--scale":
                    scale = value;
                    i++;
                    break;
                case "--json":
                    json = true;
                    break;
                case "--root" or "--armvdso" or "--cores" or "--engines" when i + 1 == arguments.Length:
                    return Refuse($"{arguments[i]}: its value is missing");
                case "--root":
                    root = Path.GetFullPath(arguments[++i]);
                    break;
                case "--armvdso":
                    command = Path.GetFullPath(arguments[++i]);
                    break;
                case "--cores":
                    cores = arguments[++i];
                    break;
                case "--engines":
                    engines = arguments[++i];
                    break;
                case ['-', ..]:
                    return Refuse($"there is no option '{arguments[i]}'; {Usage}");
                default:
                    programs.Add(arguments[i]);
                    break;
            }
        }
        try
        {
            if (root is not null)
            {
                string[] chosen = engines?.Split(',') ?? [.. Engines().Where(e => e != "reference")];
                var measured = new RealProgramFigures(root, command);
                MeasureReal(measured, programs, chosen, cores.Split(','), runs, json);
                return measured.Failed == 0 ? 0 : 1;
            }
            Measure(programs.Count == 0 ? [.. BenchPrograms.Names] : programs, runs, scale, json);
            return 0;
        }
        catch (InvalidOperationException e)
        {
            return Refuse(e.Message);
        }
    }

    private static int Refuse(string message)
    {
        Console.Error.WriteLine($"mips: {message}");
        return 2;
    }

    private static void Measure(List<string> programs, int runs, int scale, bool json)
    {
        var runners = new List<Runner>();
        foreach (string engine in Engines())
            foreach (string core in new[] { "none", "cortex-a53" })
            {
                string name = $"{engine}, {(core == "none" ? "functional" : core)}";
                runners.Add(new Runner(name, OwnScale, (path, n) => Ours(engine, core, path, n, out _)));
            }
        runners.Add(
            new Runner("portable, cortex-a53, naive", OwnScale, (path, n) => Ours("portable", "cortex-a53", path, n, out _, "naive")));
        if (Installed("qemu-aarch64"))
            runners.Add(new Runner("qemu-aarch64", scale, Qemu));
        else
            Console.Error.WriteLine("mips: qemu-aarch64 is left out: not installed (Debian package qemu-user)");
        if (Unicorn.Available)
            runners.Add(new Runner("libunicorn", scale, (path, n) => UnicornProgram.Run(path, Text(n))));
        else
            Console.Error.WriteLine(
                "mips: libunicorn is left out: not installed (Debian package libunicorn2, or its path in ARMVDSO_UNICORN)");

        var figures = new List<Figure>();
        foreach (string program in programs)
        {
            string path = program.Contains('/') ? Path.GetFullPath(program) : BenchPrograms.Path(program), name = Path.GetFileName(program);
            // Work grows linearly with the argument, so two counts give every other.
            Ours(Engines()[0], "none", path, 1, out ulong once);
            Ours(Engines()[0], "none", path, 2, out ulong twice);
            var outputs = new Dictionary<int, string>();
            var seconds = runners.ToDictionary(r => r, _ => new List<double>());
            for (int run = 0; run < runs; run++)
            {
                foreach (Runner runner in runners)
                {
                    (string output, double time) = runner.Run(path, runner.Scale);
                    string expected = outputs.TryGetValue(runner.Scale, out string? known) ? known : outputs[runner.Scale] = output;
                    if (output != expected)
                        throw new InvalidOperationException($"{name}: {runner.Name} printed '{output.Trim()}', not '{expected.Trim()}'");
                    seconds[runner].Add(time);
                }
            }
            foreach (Runner runner in runners)
            {
                List<double> sorted = seconds[runner];
                sorted.Sort();
                double median = (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
                figures.Add(
                    new Figure(name, runner.Name, once + (twice - once) * (ulong)(runner.Scale - 1), median, sorted[0], sorted[^1]));
            }
        }
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(figures));
        else
            Print(figures, runs);
    }

    private static void MeasureReal(
        RealProgramFigures measured, List<string> names, string[] engines, string[] cores, int runs, bool json)
    {
        IReadOnlyList<RealProgram> all = RealProgram.Load();
        if (names.Find(n => all.All(p => p.Name != n)) is { } unknown)
            throw new InvalidOperationException(
                $"there is no real program '{unknown}'; known: {string.Join(", ", all.Select(p => p.Name))}");
        List<RealProgramFigures.Figure> figures = measured.Measure(
            [.. all.Where(p => names.Count == 0 || names.Contains(p.Name))], RealProgramFigures.Modes(engines, cores), runs);
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(figures));
        else
            RealProgramFigures.Print(figures, runs);
    }

    private static void Print(List<Figure> figures, int runs)
    {
        Console.WriteLine($"{"program",-14} {"engine",-28} {"instructions",14} {"median s",9} {"MIPS",9}   fastest to slowest");
        foreach (Figure f in figures)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{f.Program,-14} {f.Runner,-28} {f.Instructions,14} {f.MedianSeconds,9:f3} {f.Mips,9:f1}   "
                + $"{f.Instructions / f.FastestSeconds / 1e6:f1} to {f.Instructions / f.SlowestSeconds / 1e6:f1}"));
        Console.WriteLine();
        Console.WriteLine(
            $"Medians of {runs} interleaved runs. Our engines: from the first instruction to the exit, compilation of the emulator's own "
            + $"code included;");
        Console.WriteLine("qemu-aarch64: the whole process; libunicorn: uc_emu_start. Instruction counts are our own.");
    }

    /// <summary>The engines of the command, as its refusal of an unknown one lists them.</summary>
    private static string[] Engines() => s_engines.Value;

    private static readonly Lazy<string[]> s_engines = new(() =>
    {
        (_, string output) = BenchPrograms.Run("dotnet", Command, "run", "--engine", "none-of-this-name", "/");
        Match known = Known().Match(output);
        return known.Success
            ? known.Groups[1].Value.Split(", ")
            : throw new InvalidOperationException($"armvdso does not say which engines it has: {output}");
    });

    private static string Command => Path.Combine(AppContext.BaseDirectory, "armvdso.dll");

    private static (string Output, double Seconds) Ours(
        string engine, string core, string path, int n, out ulong instructions, string timing = "memoised")
    {
        string stats = Path.GetTempFileName();
        try
        {
            (int status, string output) = BenchPrograms.Run(
                "dotnet", Command, "run", "--engine", engine, "--core", core, "--timing", timing, $"--stats={stats}", "--json", path,
                Text(n));
            if (status != 0)
                throw new InvalidOperationException($"armvdso run {path} ended with {status}: {output.Trim()}");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(stats));
            instructions = document.RootElement.GetProperty("instructions").GetUInt64();
            return (output, document.RootElement.GetProperty("host_seconds").GetDouble());
        }
        finally
        {
            File.Delete(stats);
        }
    }

    private static (string Output, double Seconds) Qemu(string path, int n)
    {
        long start = Stopwatch.GetTimestamp();
        (int status, string output) = BenchPrograms.Run("qemu-aarch64", path, Text(n));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return status == 0
            ? (output, seconds)
            : throw new InvalidOperationException($"qemu-aarch64 {path} ended with {status}: {output.Trim()}");
    }

    private static bool Installed(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Text(int n) => n.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"--engine: .*; known: ([a-z0-9, -]+)")]
    private static partial Regex Known();
}
