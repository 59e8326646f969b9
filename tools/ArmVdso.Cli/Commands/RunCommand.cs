using System.Diagnostics;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Lab.Crash;
using ArmVdso.Lab.Debug;
using ArmVdso.Lab.Explain;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Recording.Views;
using ArmVdso.Lab.Statistics;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Cli;

/// <summary>armvdso run: runs a program.</summary>
internal static class RunCommand
{
    /// <summary>What is written besides the program's own output: file names; null: not at all, empty: stderr.</summary>
    private sealed record Outputs
    {
        internal (string File, StraceSettings Settings)? Strace { get; init; }

        internal string? Crash { get; init; }

        internal string? Konata { get; init; }

        internal required PipelineWindow Window { get; init; }

        internal string? Debugger { get; init; }

        internal bool RecordsPipeline { get; init; }

        internal bool Watch { get; init; }
    }

    private static readonly DebugOption s_debugger = new("waits, before the program's first instruction,");

    /// <summary>SIGINT: what the escape key of the terminal ends a run with.</summary>
    private const int Interrupted = 2;

    internal static Command Make()
    {
        var strace = new StraceOptions();
        var reports = new ReportOptions(booted: false);
        var crash = new Option<string?>("--crash")
        {
            Description = "writes a report of each process that a fault ends: registers, code, backtraces, system calls, mappings",
            HelpName = "FILE",
        };
        var konata = new Option<string?>("--konata")
        {
            Description = "writes the pipeline of a window of the run for the viewer Konata (Kanata 0004)",
            HelpName = "FILE",
        };
        var window = new Option<string>("--konata-window")
        {
            Description = "the window of --konata, or of --trace (dump --as konata): cycles of each CPU, with a trailing i instructions, "
                + "or a function's Nth call (1)",
            HelpName = "FROM:TO[i]|FUNCTION[:N]",
            DefaultValueFactory = _ => "0:100000",
        };
        var watch = new Option<bool>("--watch")
        {
            Description = "shows CPUs, threads and offsets on the terminal meanwhile; the program's input and output are elsewhere",
        };
        Argument<string?> program = CliCommand.Program("path on the host or in the root, or a name to look for", required: true);
        Argument<string[]> arguments = CliCommand.ProgramArguments();
        OptionGroup[] groups = OptionGroup.OfRun();
        return new CliCommand(
            "run", "runs an arm64 Linux program", groups,
            [s_debugger.Option, .. strace.Options, crash, konata, window, watch, .. reports.Options], [program, arguments], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                ReportFiles written = reports.Read(input);
                var outputs = new Outputs
                {
                    Strace = strace.Read(input),
                    Crash = input.Value(crash),
                    Konata = input.Value(konata),
                    Window = PipelineWindow.Read(input.Text(window)) ?? throw CommandInput.Error(
                        $"{window.Name}: '{input.Text(window)}' is not FROM:TO (cycles), FROM:TOi (instructions) or FUNCTION[:N]"),
                    Debugger = s_debugger.Read(input),
                    Watch = input.Value(watch),
                    RecordsPipeline = written.Trace is not null && input.Given(window),
                };
                if (outputs is { Watch: true, Debugger: not null })
                    throw CommandInput.Error($"{watch.Name} and -g exclude each other");
                if (outputs.Konata is null && written.Trace is null)
                    input.Refuse("without --konata or --trace", window);
                string[] words = input.Program(program, arguments)!;
                return () => Run(settings, words, outputs, written);
            })
        {
            OperandsBeforeProgram = 0,
        };
    }

    private static void Crashed(Session session, KernelTask task, SignalInfo info, string? core, TextWriter? output)
    {
        if (!CrashRecorder.IsFault(info.Number) || (output is null && !ReferenceEquals(task.Group, session.Kernel.Tasks.Init)))
            return;
        CrashRecord crash = CrashRecorder.Record(session.Kernel, task, info, core);
        Terminal.PrintCrash(session, task, crash, output is not null);
        if (output is not null)
            CrashReport.Write(output, crash);
    }

    private static void WritePipeline(KonataWriter konata, Stream part)
    {
        using var lines = new StreamWriter(part, leaveOpen: true);
        konata.Write(lines);
    }

    private static int Run(SessionSettings settings, string[] program, Outputs outputs, ReportFiles reports)
    {
        if (outputs.Watch && !WatchScreen.CanBe)
        {
            throw CommandInput.Error(
                "--watch needs a terminal on standard error, and the program's input and output elsewhere: </dev/null >FILE");
        }
        using TextWriter? straceOutput = outputs.Strace is null ? null : Terminal.Open("--strace", outputs.Strace.Value.File);
        Strace? strace = straceOutput is null ? null : new Strace(straceOutput, outputs.Strace!.Value.Settings);
        using TextWriter? konataOutput = string.IsNullOrEmpty(outputs.Konata) ? null : Terminal.Open("--konata", outputs.Konata);
        reports.Open();
        using TextWriter? crashOutput = outputs.Crash is null ? null : Terminal.Open("--crash", outputs.Crash);
        using Stream output = StandardStream.Open(1);
        using Stream error = StandardStream.Open(2);
        using Stream input = StandardStream.Open(0);
        using HostKeyboard? keyboard = HostKeyboard.Open();
        Session? running = null;
        RunRecorder? recorder = null;
        WatchScreen? screen = null;
        ProgramTarget? target = outputs.Debugger is null ? null : new ProgramTarget();
        SessionHooks hooks = Terminal.Hooks(input, output, error) with
        {
            Keyboard = keyboard,
            Crash = (task, info, core) => Crashed(running!, task, info, core, crashOutput),
            SystemCall = strace is null ? null : strace.Syscall,
            Signal = (task, info) =>
            {
                strace?.Signal(task, info);
                recorder?.Signalled(task, info);
            },
            SignalIgnored = strace is null ? null : strace.SignalIgnored,
            Exit = (task, exit) =>
            {
                strace?.Exit(task, exit);
                recorder?.Exited(task, exit);
            },
            Exec = task => recorder?.Executed(task),
            Switching = (cpu, previous, next) =>
            {
                recorder?.Switched(cpu, previous, next);
                screen?.Switched(cpu);
            },
        };
        using var session = running = new Session(settings, program[0], program[1..], target?.Hooks(hooks) ?? hooks);
        foreach (Stream stream in (Stream[])[input, output, error])
        {
            if (stream is StandardStream standard)
                standard.Stopped = () => session.Machine.StopRequested;
        }
        if (keyboard is not null)
        {
            keyboard.Came = () => session.Machine.StopRequested = true;
            keyboard.Quit = () => session.End(Interrupted);
        }
        if (strace is not null)
            strace.Kernel = session.Kernel;
        RecordingHeader header = RecordingHeader.Of(session.Machine, settings, booted: false, program) with
        {
            SlotFields = RunRecorder.SlotFieldsOf(session.Kernel),
        };
        using RecordingWriter? recording = reports.Record(header);
        recorder = recording is null ? null : new RunRecorder(session.Kernel, recording, reports.Events);
        FunctionProfile? profile = reports.Profile is null ? null : new FunctionProfile(session.Kernel)
        {
            ByInstruction = ProfileFormats.ByInstruction(reports.ProfileFormat),
        };
        screen = outputs.Watch ? new WatchScreen(session.Kernel, program[0]) : null;
        session.Machine.Observer = ObserverList.Of(strace?.ObserveVdso(), recorder, profile, screen);
        KonataWriter? konata = konataOutput is null && !outputs.RecordsPipeline
            ? null
            : new KonataWriter(session, outputs.Window);
        var clock = Stopwatch.StartNew();
        int status = -1;
        try
        {
            if (target is not null)
            {
                target.Attach(session);
                _ = s_debugger.Serve(outputs.Debugger!, target, "GNU/Linux", output.Flush);
            }
            return status = target?.Finish() ?? session.Run();
        }
        finally
        {
            clock.Stop();
            screen?.Dispose();
            output.Flush();
            if (session.Kernel.Vfs.WrittenInMemory is > 0 and int files)
                Terminal.PrintMemoryOnly(files, settings.CallerFolder!);
            strace?.Finish();
            recorder?.Finish(session.Machine);
            if (profile is not null)
                recording?.AddPart(RecordingDump.ProfilePart, part => CallTreePart.Write(profile.Finished(), part));
            if (konata is not null && outputs.Window is { Function: { } function, Call: var call } && konata.Calls < call)
                Terminal.Log($"--konata-window: {function}: {konata.Calls} calls in this run");
            if (konataOutput is not null)
                konata!.Write(konataOutput);
            if (outputs.RecordsPipeline)
                recording!.AddPart(RecordingDump.PipelinePart, part => WritePipeline(konata!, part));
            reports.Write(settings, new RunStatistics(session, clock.Elapsed, status), profile, header);
        }
    }
}
