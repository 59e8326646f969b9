using System.Globalization;
using System.Text.Json;

namespace ArmVdso.Benchmarks;

/// <summary>Measures the real programs of a guest root: qemu-aarch64 and the command's engines and cores, interleaved in one run.</summary>
/// <param name="root">Host folder of the guest root.</param>
/// <param name="command">The command: a published binary, or armvdso.dll for dotnet.</param>
internal sealed class RealProgramFigures(string root, string command)
{
    private static readonly string[] s_environment =
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C", "TZ=UTC"];

    /// <summary>One way to run a program.</summary>
    /// <param name="Name">Column.</param>
    /// <param name="Options">Options of the command; null: qemu-aarch64.</param>
    internal sealed record Mode(string Name, string[]? Options)
    {
        /// <summary>Whether a core is timed, which takes less work.</summary>
        internal bool IsTimed => Options is not null && Options[^1] != "none";
    }

    /// <summary>What was measured of a program in a mode: medians.</summary>
    internal sealed record Figure(
        string Program, string Kind, string Mode, int Size, ulong Instructions, double UserSeconds, double Fastest, double Slowest,
        long PeakBytes)
    {
        /// <summary>Millions of instructions a second of user CPU time.</summary>
        public double Mips => Instructions / UserSeconds / 1e6;

        /// <summary>To those of qemu-aarch64.</summary>
        public double OfQemu { get; init; }

        /// <summary>Peak memory to that of qemu-aarch64.</summary>
        public double MemoryOfQemu { get; init; }
    }

    /// <summary>The modes that this host has.</summary>
    internal static IReadOnlyList<Mode> Modes(IEnumerable<string> engines, IEnumerable<string> cores) =>
    [
        new Mode("qemu-aarch64", null),
        .. from core in cores
           from engine in engines
           where core == "none" || engine == "portable"
           select new Mode(core == "none" ? engine : $"{engine}, {core}", ["--engine", engine, "--core", core]),
    ];

    /// <summary>Programs that failed or that two modes did not agree on.</summary>
    internal int Failed { get; private set; }

    /// <summary>Measures, and says on standard error what is under way and what failed.</summary>
    internal List<Figure> Measure(IReadOnlyList<RealProgram> programs, IReadOnlyList<Mode> modes, int runs)
    {
        var figures = new List<Figure>();
        foreach (RealProgram program in programs)
        {
            if (!File.Exists(root + program.Program))
            {
                Console.Error.WriteLine($"mips: {program.Name} is left out: {program.Program} is not in {root}");
                continue;
            }
            if (!Console.IsErrorRedirected)
                Console.Error.WriteLine($"{program.Name} ...");
            try
            {
                figures.AddRange(Measure(program, modes, runs));
            }
            catch (InvalidOperationException e)
            {
                Console.Error.WriteLine($"mips: {e.Message}");
                Failed++;
            }
        }
        var qemu = figures.Where(f => f.Mode == modes[0].Name).ToDictionary(f => f.Program);
        return [
            .. figures.Select(f => f with
            {
                OfQemu = f.Mips / qemu[f.Program].Mips,
                MemoryOfQemu = (double)f.PeakBytes / qemu[f.Program].PeakBytes,
            })];
    }

    private IEnumerable<Figure> Measure(RealProgram program, IReadOnlyList<Mode> modes, int runs)
    {
        var samples = modes.ToDictionary(m => m, _ => new List<MeasuredProcess>());
        for (int run = 0; run < runs; run++)
        {
            foreach (Mode mode in modes)
                samples[mode].Add(Run(program, mode));
        }
        foreach (IGrouping<bool, Mode> sameSize in modes.GroupBy(m => m.IsTimed))
        {
            string[] outputs = [.. sameSize.SelectMany(m => samples[m]).Select(p => p.Output).Distinct()];
            if (outputs.Length > 1)
                throw new InvalidOperationException(
                    $"{program.Name}: {string.Join(", ", sameSize.Select(m => m.Name))} do not print the same");
        }
        var counts = modes.Select(m => m.IsTimed).Distinct().ToDictionary(t => t, t => Instructions(program, t));
        return [.. modes.Select(m => Of(program, m, counts[m.IsTimed], samples[m]))];
    }

    private static Figure Of(RealProgram program, Mode mode, ulong instructions, List<MeasuredProcess> runs)
    {
        double[] seconds = [.. runs.Select(r => r.UserSeconds).Order()];
        return new Figure(
            program.Name, program.Kind, mode.Name, mode.IsTimed ? program.Timed : program.Functional, instructions,
            (seconds[(seconds.Length - 1) / 2] + seconds[seconds.Length / 2]) / 2, seconds[0], seconds[^1], runs.Max(r => r.PeakBytes));
    }

    private MeasuredProcess Run(RealProgram program, Mode mode, params string[] more)
    {
        int size = mode.IsTimed ? program.Timed : program.Functional;
        IEnumerable<string> environment = s_environment.SelectMany(e => new[] { "-E", e });
        string[] start = mode.Options is null
            ? ["qemu-aarch64", "-L", root, .. environment, root + program.Program]
            : [.. Command, "run", .. mode.Options, .. more, "--root", root, .. environment, program.Program];
        MeasuredProcess ended = MeasuredProcess.Run(start[0], [.. start[1..], .. program.Arguments(size)], program.InputOf(size));
        return ended.Status == 0
            ? ended
            : throw new InvalidOperationException($"{program.Name}, {mode.Name}: status {ended.Status}: {ended.Errors.Trim()}");
    }

    private string[] Command => command.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", command] : [command];

    /// <summary>How many instructions a program executes, our kernel's part included.</summary>
    private ulong Instructions(RealProgram program, bool timed)
    {
        string stats = Path.GetTempFileName();
        try
        {
            var mode = new Mode("count", ["--core", "none"]);
            RealProgram sized = timed ? program with { Functional = program.Timed } : program;
            Run(sized, mode, $"--stats={stats}", "--json");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(stats));
            return document.RootElement.GetProperty("instructions").GetUInt64();
        }
        finally
        {
            File.Delete(stats);
        }
    }

    /// <summary>Prints a table, a row a program and mode, and geometric means of each kind.</summary>
    internal static void Print(IReadOnlyList<Figure> figures, int runs)
    {
        Console.WriteLine(
            $"{"program",-22} {"mode",-24} {"M insns",9} {"user s",8} {"MIPS",8} {"of qemu",8} {"MB",6} {"of qemu",8}   "
            + "fastest to slowest");
        foreach (Figure f in figures)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{f.Program,-22} {f.Mode,-24} {f.Instructions / 1e6,9:f1} {f.UserSeconds,8:f3} {f.Mips,8:f1} {f.OfQemu,8:f3} "
                + $"{f.PeakBytes / 1e6,6:f0} {f.MemoryOfQemu,8:f2}   {f.Fastest:f3} to {f.Slowest:f3}"));
        }
        Console.WriteLine();
        Console.WriteLine($"{"geometric mean",-22} {"mode",-24} {"of qemu",8} {"lowest",8} {"programs",9}");
        foreach (IGrouping<(string Kind, string Mode), Figure> group in figures.GroupBy(f => (f.Kind, f.Mode)))
        {
            double[] ratios = [.. group.Select(f => f.OfQemu)];
            double mean = Math.Exp(ratios.Average(Math.Log));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{group.Key.Kind,-22} {group.Key.Mode,-24} {mean,8:f3} {ratios.Min(),8:f3} {ratios.Length,9}"));
        }
        Console.WriteLine();
        Console.WriteLine(
            $"Medians of {runs} interleaved runs: user CPU time of the whole process, most resident memory as seen every 10 ms. Modes "
            + "that");
        Console.WriteLine(
            "time a core do less work; MIPS are compared. Instructions are those that armvdso counts, its kernel's at EL1 included.");
    }
}
