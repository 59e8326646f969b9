using System.Diagnostics;
using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Board;
using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Recording;
using ArmVdso.Lab.Recording.Views;
using ArmVdso.Lab.Statistics;

namespace ArmVdso.Cli;

/// <summary>armvdso boot: boots a kernel on a board.</summary>
internal static class BootCommand
{
    internal static Command Make()
    {
        var kernel = new Option<string>("--kernel")
        {
            Description = "the kernel: an arm64 Image, plain, compressed by gzip, or in EFI zboot form",
            HelpName = "FILE",
        };
        var initial = new Option<string?>("--initrd") { Description = "the initial file system: cpio archives", HelpName = "FILE" };
        var append = new Option<string>("--append")
        {
            Description = "the kernel's command line",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "",
        };
        var disk = new Option<string[]>("--disk")
        {
            Description = "a disk (virtio) with the contents of a file, which is only read: what the guest writes is gone at the end",
            HelpName = "FILE",
        };
        var snapshot = new Option<string?>("--snapshot")
        {
            Description = "saves the machine to a file, when --snapshot-at says; the run goes on as if it had not",
            HelpName = "FILE",
        };
        var when = new Option<string?>("--snapshot-at")
        {
            Description = "a text on one line of the console, or a number: the cycle that all CPUs have reached",
            HelpName = "TEXT|CYCLE",
        };
        var restore = new Option<string?>("--restore")
        {
            Description = "goes on where a snapshot was made, with its machine; in place of --kernel",
            HelpName = "FILE",
        };
        var debugger = new DebugOption("waits, before the first instruction,");
        var reports = new ReportOptions(booted: true);
        OptionGroup[] machine = [new CpuOptions(cpus: 1), new CoreOptions(), new MachineOptions(true)];
        OptionGroup[] groups = [.. machine, new EngineOptions(), new LimitOptions()];
        return new CliCommand(
            "boot", "boots an arm64 Linux kernel on a small board; its console is the terminal (Ctrl-A x ends it) or a pipe", groups,
            [kernel, initial, append, disk, snapshot, when, restore, debugger.Option, .. reports.Options], [], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string file = input.Text(kernel);
                string? restored = input.Value(restore);
                if (restored is not null)
                    input.Refuse($"with {restore.Name}", [kernel, initial, append, .. machine.SelectMany(g => g.Options)]);
                if (restored is not null && settings.Engine is EngineKind.PortableChecked or EngineKind.NativeChecked)
                    throw CommandInput.Error($"--check-engine means nothing with {restore.Name}");
                if (restored is null && file.Length == 0)
                    throw CommandInput.Error("--kernel FILE is missing");
                var files = new BootFiles
                {
                    Kernel = file,
                    InitialFiles = input.Value(initial),
                    Disks = input.Words(disk),
                    Arguments = input.Text(append),
                };
                var moment = new SnapshotMoment(input.Value(snapshot), input.Value(when));
                if (moment.File is null != string.IsNullOrEmpty(moment.When))
                    throw CommandInput.Error($"{snapshot.Name} FILE and {when.Name} TEXT|CYCLE belong together");
                ReportFiles written = reports.Read(input);
                Action<BoardTarget, Action>? serve = debugger.Read(input) is { } place
                    ? (target, flush) => debugger.Serve(place, target, "", flush) : null;
                return () => Boot(settings, restored, files, moment, written, serve);
            });
    }

    /// <summary>The snapshot that is wanted, and when; null: none.</summary>
    private readonly record struct SnapshotMoment(string? File, string? When);

    private static void Prepare(BootSession session, SnapshotMoment moment)
    {
        if (moment is not { File: { } file, When: { } when })
            return;
        if (ulong.TryParse(when, NumberStyles.None, CultureInfo.InvariantCulture, out ulong cycle))
            session.SnapshotAt(file, cycle);
        else
            session.SnapshotAfter(file, when);
    }

    private static int Boot(
        SessionSettings settings, string? restored, BootFiles files, SnapshotMoment snapshot, ReportFiles reports,
        Action<BoardTarget, Action>? debugger)
    {
        using Stream input = StandardStream.Open(0);
        using Stream output = StandardStream.Open(1);
        reports.Open();
        using var console = new SerialConsole(input, output);
        using BootSession session = restored is null
            ? BootSession.Load(settings, files, console)
            : BootSession.Restore(settings, restored, files.Disks, console);
        Prepare(session, snapshot);
        console.Quit = session.Interrupt;
        Interruption.Run = _ => session.Interrupt();
        RecordingHeader header = RecordingHeader.Of(session.Machine, session.Settings, booted: true, [session.KernelName]);
        using RecordingWriter? recording = reports.Record(header);
        BootRecorder? recorder = recording is null ? null : new BootRecorder(session, recording, reports.Events);
        BootProfile? profile = reports.Profile is null ? null : new BootProfile(session.Machine, session.Kernel)
        {
            ByInstruction = ProfileFormats.ByInstruction(reports.ProfileFormat),
        };
        session.Machine.Observer = ObserverList.Of(recorder, profile);
        var clock = Stopwatch.StartNew();
        int status = -1;
        try
        {
            BoardTarget? target = debugger is null ? null : new BoardTarget(session);
            if (target is not null)
                debugger!(target, console.Flush);
            return status = (target?.Finish() ?? session.Run()) switch
            {
                BoardEnd.PowerOff => 0,
                BoardEnd.Reset => ExitStatus.GuestReset,
                _ => ExitStatus.SignalBase + 2,
            };
        }
        finally
        {
            clock.Stop();
            console.Flush();
            recorder?.Finish(session.Machine);
            if (profile is not null)
                recording?.AddPart(RecordingDump.ProfilePart, part => CallTreePart.Write(profile.Finished(), part));
            reports.Write(session.Settings, new RunStatistics(session.Machine, clock.Elapsed, status), profile, header, session.KernelName);
        }
    }
}
