using System.Collections.Concurrent;
using System.Diagnostics;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab.Sweeps;

namespace ArmVdso.Cli;

/// <summary>armvdso sweep: a program on several cores, designs, kernels and with other parameters of the cores, in processes beside each
/// other. What is in the results file already is not measured again.</summary>
internal static class SweepCommand
{
    /// <summary>What is asked, and how it is shown.</summary>
    private sealed record Question(Sweep Sweep, string File, int Jobs, int? Point, string? Print, SweepReport Report, string? Output);

    internal static Command Make()
    {
        Option<string> core = Words("--core", "timing models, separated by spaces; all: those that 'models' lists", "cortex-a53");
        Option<string> vdso = Words("--vdso", "vDSO designs, separated by spaces; all: those that 'vdso list' names", "per-cpu");
        Option<string> kernel = Words(
            "--kernel", $"kernel configurations ({string.Join(", ", KernelConfiguration.Words)}, joined by +), separated by spaces; "
            + "without: what Linux decides on the core", "");
        var set = new Option<string[]>("--set")
        {
            Description = "values of a parameter of the cores' files, as exception_entry=8,12,16 (repeatable: all combinations)",
            HelpName = "KEY=N[,N...]",
            AllowMultipleArgumentsPerToken = false,
        };
        var placements = new Option<string>("--placements")
        {
            Description = "in how many placements of pages in RAM each is measured: they make the spread",
            HelpName = "N",
            DefaultValueFactory = _ => "1",
        };
        var results = new Option<string>("--results")
        {
            Description = "file that the results are kept in; what is there is not measured again",
            HelpName = "FILE",
            DefaultValueFactory = _ => "sweep.jsonl",
        };
        var jobs = new Option<string>("--jobs", "-j")
        {
            Description = "processes at a time; without: the host's cores",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        var print = new Option<string?>("--print-jobs")
        {
            Description = "prints a job file in place of running: slurm (an array for sbatch), parallel (lines for GNU parallel)",
            HelpName = "FOR",
        };
        var point = new Option<string?>("--point")
        {
            Description = "measures one point alone, by its number, and adds it to the results, whatever else is given; for job files",
            HelpName = "N",
        };
        var metric = new Option<string>("--metric")
        {
            Description = "figures of the table, joined by commas, or all; without: cycles,instructions,seconds, or some calls",
            HelpName = "NAMES",
            DefaultValueFactory = _ => "",
        };
        Option<bool> json = CliCommand.Json();
        var csv = new Option<bool>("--csv") { Description = "a table with commas (RFC 4180), a row for each point" };
        var sql = new Option<bool>("--sql") { Description = "statements for sqlite3 that make a table 'sweep' with a row for each figure" };
        var output = new Option<string?>("--output", "-o") { Description = "prints to a file", HelpName = "FILE" };
        Argument<string?> program = CliCommand.Program("program to run; without, the guest of compare, whose calls are measured");
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        OptionGroup[] groups =
        [
            new CpuOptions(), new EngineOptions(), new GuestOptions(), new MachineOptions(), new TimeOptions(), new LimitOptions(),
        ];
        Option[] forms = [json, csv, sql];
        return new CliCommand(
            "sweep", "measures a program over cores, designs, kernels and parameters, in processes beside each other", groups,
            [core, vdso, kernel, set, placements, results, jobs, point, print, metric, .. forms, output], [program, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string[]? words = input.Program(program, arguments);
                string[] kernels = input.Text(kernel).Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var axes = new SweepAxes
                {
                    Cores = [.. input.Named(core, Emulator.Timing.Models.CoreModel.Names).Distinct()],
                    Designs = [.. input.Named(vdso, VdsoDesigns.Names).Distinct()],
                    Kernels = kernels.Length == 0 ? [""] : kernels,
                    Parameters = [.. input.Words(set).Select(Parameter)],
                    Placements = (int)input.Number(placements, 1, 1000),
                };
                if (forms.Where(input.Given).Skip(1).FirstOrDefault() is { } second)
                    throw CommandInput.Error($"{second.Name} and another form exclude each other");
                SweepForm form = input.Value(json) ? SweepForm.Json : input.Value(csv) ? SweepForm.Csv
                    : input.Value(sql) ? SweepForm.Sql : SweepForm.Table;
                string[] figures = input.Text(metric).Split(',', StringSplitOptions.RemoveEmptyEntries);
                string? scheduler = input.Value(print);
                if (scheduler is not (null or "slurm" or "parallel"))
                    throw CommandInput.Error($"{print.Name}: there is no '{scheduler}'; known: slurm, parallel");
                var sweep = new Sweep(settings, words, axes);
                int? number = input.Value(point) is { } text
                    ? (int)CommandInput.Number(point.Name, text, 1, (ulong)sweep.Points.Count) : null;
                var question = new Question(
                    sweep, input.Text(results), (int)input.Number(jobs, 1, 1024), number, scheduler,
                    new SweepReport(sweep, words, figures, form), input.Value(output));
                return () => Run(question);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static Option<string> Words(string name, string description, string fallback) => new(name)
    {
        Description = description,
        HelpName = "\"NAME...\"",
        DefaultValueFactory = _ => fallback,
    };

    private static (string Key, IReadOnlyList<int> Values) Parameter(string text)
    {
        string[] parts = text.Split('=');
        if (parts.Length != 2 || parts[0].Length == 0)
            throw CommandInput.Error($"--set: '{text}' is not KEY=N[,N...]");
        return (parts[0], [.. parts[1].Split(',').Select(v => (int)CommandInput.Number($"--set {parts[0]}", v, 0, int.MaxValue))]);
    }

    private static int Run(Question question)
    {
        Sweep sweep = question.Sweep;
        var results = new SweepResults(question.File);
        if (question.Point is { } number)
        {
            SweepPoint point = sweep.Points[number - 1];
            results.Add(sweep.KeyOf(point), sweep.Measure(point));
            return 0;
        }
        using TextWriter output = question.Output is null ? Console.Out : Terminal.Open("-o", question.Output);
        if (question.Print is not null)
        {
            Print(output, question);
            return 0;
        }
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> known = results.Read();
        SweepPoint[] missing = [.. sweep.Points.Where(p => !known.ContainsKey(sweep.KeyOf(p).ToJsonString()))];
        (int Number, string Message)[] failed = [];
        if (missing.Length > 0)
        {
            failed = Measure(question, missing);
            known = results.Read();
        }
        question.Report.Write(output, known);
        foreach ((int at, string message) in failed)
            Terminal.Log($"point {at} ({sweep.Points[at - 1].Group}): {message}");
        return failed.Length == 0 ? 0 : ExitStatus.EmulatorError;
    }

    /// <summary>This command line again, for a point alone: --point comes first, before what may be the guest's.</summary>
    private static string[] LineOf(string point)
    {
        string[] line = Environment.GetCommandLineArgs();
        string program = Environment.ProcessPath ?? line[0];
        // The command as a library is started by dotnet.
        string[] begin = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Path.GetFullPath(line[0])] : [program];
        return [.. begin, line[1], "--point", point, .. line[2..]];
    }

    private static (int Number, string Message)[] Measure(Question question, SweepPoint[] missing)
    {
        var failed = new List<(int, string)>();
        var running = new HashSet<Process>();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => EndAll(running);
        int done = 0;
        ProgressLine.Text = () => $"sweep: {done} of {missing.Length} points measured";
        // One at a time to whoever is free: points take different times.
        var points = Partitioner.Create(missing, EnumerablePartitionerOptions.NoBuffering);
        Parallel.ForEach(points, new ParallelOptions { MaxDegreeOfParallelism = question.Jobs }, point =>
        {
            string? message = MeasureOne(point.Number, running);
            lock (failed)
            {
                done++;
                if (message is not null)
                    failed.Add((point.Number, message));
            }
        });
        ProgressLine.Text = null;
        return [.. failed.OrderBy(f => f)];
    }

    private static void EndAll(HashSet<Process> running)
    {
        lock (running)
        {
            foreach (Process process in running.Where(p => !p.HasExited))
                process.Kill();
        }
    }

    /// <summary>Measures a point in a process of its own.</summary>
    /// <returns>What went wrong; null: nothing.</returns>
    private static string? MeasureOne(int number, HashSet<Process> running)
    {
        string[] line = LineOf(Text.Plain(number));
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new UserError($"{line[0]} did not start", ExitStatus.EmulatorError);
        lock (running)
            running.Add(process);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        _ = output.GetAwaiter().GetResult();
        lock (running)
            running.Remove(process);
        if (process.ExitCode == 0)
            return null;
        string last = errors.TrimEnd().Split('\n')[^1];
        return last.Length == 0 ? $"ended with status {process.ExitCode}" : last.Replace("armvdso: ", "", StringComparison.Ordinal);
    }

    private static void Print(TextWriter output, Question question)
    {
        string[] points = [.. question.Sweep.Points.Select(p => Text.Plain(p.Number))];
        if (question.Print == "parallel")
        {
            output.WriteLine("# parallel < FILE");
            foreach (string point in points)
                output.WriteLine(Shell(LineOf(point)));
            return;
        }
        output.WriteLine("#!/bin/sh");
        output.WriteLine("#SBATCH --job-name=armvdso-sweep");
        output.WriteLine($"#SBATCH --array=1-{points.Length}");
        output.WriteLine("#SBATCH --ntasks=1");
        output.WriteLine("#SBATCH --cpus-per-task=1");
        output.WriteLine($"cd {Quoted(Directory.GetCurrentDirectory())} || exit");
        // Between the quotes of the other words the shell puts the task's number.
        const string Mark = "@point@";
        output.WriteLine($"exec {Shell(LineOf(Mark)).Replace(Mark, "\"$SLURM_ARRAY_TASK_ID\"", StringComparison.Ordinal)}");
    }

    private static string Shell(string[] words) => string.Join(' ', words.Select(Quoted));

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "_-./,:=+@%".Contains(c, StringComparison.Ordinal))
            ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
