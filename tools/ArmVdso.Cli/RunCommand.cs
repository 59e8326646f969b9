using System.CommandLine;
using System.Diagnostics;
using ArmVdso.Emulator.Engine;
using ArmVdso.Lab;
using ArmVdso.Lab.Explain;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>armvdso run: runs a program.</summary>
internal static class RunCommand
{
    internal static Command Make()
    {
        var options = new SessionOptions();
        var strace = new Option<string?>("--strace") { Description = "prints system calls, to a file when one is named (--strace=FILE)", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var stats = new Option<string?>("--stats") { Description = "prints counts at the end, to a file when one is named (--stats=FILE)", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var statsFormat = new Option<string>("--stats-format") { Description = "how --stats is written: perf (tables), gem5 (stats.txt), json", HelpName = "FORMAT", DefaultValueFactory = _ => "perf" };
        var profile = new Option<string?>("--profile") { Description = "prints cycles by function at the end, to a file when one is named (--profile=FILE); slow", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var trace = new Option<string?>("--trace") { Description = "writes each TPIDRRO_EL0 write to a file, one JSON object a line", HelpName = "FILE" };
        var konata = new Option<string?>("--konata") { Description = "writes the pipeline of a window of the run for the viewer Konata (Kanata 0004)", HelpName = "FILE" };
        var window = new Option<string>("--konata-window") { Description = "the window: cycles of each CPU, or its instructions with a trailing i", HelpName = "FROM:TO[i]", DefaultValueFactory = _ => "0:100000" };
        var program = new Argument<string>("PROGRAM") { Description = "path on the host or in the root, or a name to look for" };
        var arguments = new Argument<string[]>("ARG") { Description = "its arguments", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("run", "runs an arm64 Linux program");
        foreach (Option option in options.All())
            command.Options.Add(option);
        command.Options.Add(strace);
        command.Options.Add(stats);
        command.Options.Add(statsFormat);
        command.Options.Add(profile);
        command.Options.Add(trace);
        command.Options.Add(konata);
        command.Options.Add(window);
        command.Options.Add(options.Json);
        command.Arguments.Add(program);
        command.Arguments.Add(arguments);
        command.SetAction(result => Run(options.Read(result), result.GetValue(program)!, result.GetValue(arguments) ?? [], new Outputs
        {
            Strace = File(result, strace),
            Stats = File(result, stats),
            Format = Enum.TryParse(result.GetValue(statsFormat), true, out StatisticsFormat format)
                ? format
                : throw new UserError($"--stats-format: there is no format '{result.GetValue(statsFormat)}'; known: perf, gem5, json", ExitStatus.Usage),
            Profile = File(result, profile),
            Trace = result.GetValue(trace),
            Konata = result.GetValue(konata),
            KonataWindow = result.GetValue(window)!,
            Json = result.GetValue(options.Json),
        }));
        return command;
    }

    /// <summary>What is written besides the program's own output: file names; null: not at all, empty: stderr.</summary>
    private sealed record Outputs
    {
        internal string? Strace { get; init; }

        internal string? Stats { get; init; }

        internal StatisticsFormat Format { get; init; }

        internal string? Profile { get; init; }

        internal string? Trace { get; init; }

        internal string? Konata { get; init; }

        internal string KonataWindow { get; init; } = "";

        internal bool Json { get; init; }
    }

    /// <summary>The file of an option whose value may be left out.</summary>
    private static string? File(ParseResult result, Option<string?> option) => result.GetResult(option) is null ? null : result.GetValue(option) ?? "";

    private static int Run(SessionSettings settings, string program, string[] arguments, Outputs outputs)
    {
        using TextWriter? straceOutput = outputs.Strace is null ? null : Open(outputs.Strace);
        Strace? strace = straceOutput is null ? null : new Strace(straceOutput);
        using TextWriter? traceOutput = outputs.Trace is null ? null : Open(outputs.Trace);
        using TextWriter? konataOutput = string.IsNullOrEmpty(outputs.Konata) ? null : Open(outputs.Konata);
        using Stream output = StandardStream.Open(1);
        using Stream error = StandardStream.Open(2);
        using Stream input = StandardStream.Open(0);
        using var session = new Session(settings, program, arguments, new Session.Hooks
        {
            Input = input,
            Output = output,
            Error = error,
            Log = Terminal.Log,
            Terminals = Terminal.Streams,
            Syscall = strace is null ? null : strace.Syscall,
            Signal = strace is null ? null : strace.Signal,
            Exit = strace is null ? null : strace.Exit,
        });
        using IDisposable interrupts = Terminal.Interrupts(session);
        foreach (Stream stream in (Stream[])[input, output, error])
        {
            if (stream is StandardStream standard)
                standard.Stopped = () => session.Machine.StopRequested;
        }
        if (traceOutput is not null)
            session.Machine.Observer = new OffsetTrace(session.Kernel, e => traceOutput.WriteLine(e.ToJson()));
        FunctionProfile? profile = outputs.Profile is null ? null : new FunctionProfile(session.Kernel);
        if (profile is not null)
        {
            if (traceOutput is not null)
                throw new UserError("--profile and --trace exclude each other", ExitStatus.Usage);
            session.Machine.Observer = profile;
        }
        KonataWriter? konata = konataOutput is null ? null : new KonataWriter(session.Machine, outputs.KonataWindow, session.NameAt);
        var clock = Stopwatch.StartNew();
        try
        {
            return session.Run();
        }
        catch (EngineMismatchException e)
        {
            output.Flush();
            string command = string.Join(' ', Environment.GetCommandLineArgs().Skip(1));
            throw new UserError($"{e.Message}reproduce with: armvdso {command}", ExitStatus.EmulatorError);
        }
        finally
        {
            clock.Stop();
            output.Flush();
            konata?.Write(konataOutput!);
            if (profile is not null)
            {
                using TextWriter profileOutput = Open(outputs.Profile);
                profile.Write(profileOutput, session.Machine.Cpus, 50);
            }
            if (outputs.Stats is not null)
            {
                using TextWriter statsOutput = Open(outputs.Stats);
                StatisticsReport.Write(statsOutput, new RunStatistics(session, clock.Elapsed), outputs.Json ? StatisticsFormat.Json : outputs.Format);
            }
        }
    }

    /// <summary>A file for a report; stderr when none is named.</summary>
    internal static TextWriter Open(string? file)
    {
        if (string.IsNullOrEmpty(file))
            return TextWriter.Synchronized(Console.Error);
        try
        {
            return new StreamWriter(file) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{file}: {e.Message}", ExitStatus.EmulatorError);
        }
    }
}
