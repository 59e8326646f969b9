using System.Diagnostics;
using System.Text.Json;
using ArmVdso.Emulator.Board;
using ArmVdso.Lab.Boot;
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
        var reports = new ReportOptions();
        OptionGroup[] groups =
            [new CpuOptions(cpus: 1), new CoreOptions(), new EngineOptions(), new MachineOptions(true), new LimitOptions()];
        return new CliCommand(
            "boot", "boots an arm64 Linux kernel on a small board; its console is the terminal (Ctrl-A x ends it) or a pipe", groups,
            [kernel, initial, append, disk, .. reports.Options], [], input =>
            {
                SessionSettings settings = CliCommand.Settings(input, groups);
                string file = input.Text(kernel);
                var files = new BootFiles
                {
                    Kernel = file.Length > 0 ? file : throw CommandInput.Error("--kernel FILE is missing"),
                    InitialFiles = input.Value(initial),
                    Disks = input.Words(disk),
                    Arguments = input.Text(append),
                };
                ReportFiles written = reports.Read(input);
                return () => Boot(settings, files, written);
            });
    }

    private static int Boot(SessionSettings settings, BootFiles files, ReportFiles reports)
    {
        using Stream input = StandardStream.Open(0);
        using Stream output = StandardStream.Open(1);
        using TextWriter? trace = reports.Trace is null ? null : Terminal.Open(reports.Trace);
        using var console = new SerialConsole(input, output);
        using var session = new BootSession(settings, files, console);
        console.Quit = session.Interrupt;
        if (trace is not null)
            session.Machine.Observer = new BootTrace(session.Kernel, e => trace.WriteLine(ToJson(e)));
        BootProfile? profile = reports.Profile is null ? null : new BootProfile(session.Machine, session.Kernel);
        if (profile is not null)
            session.Machine.Observer = profile;
        var clock = Stopwatch.StartNew();
        int status = -1;
        try
        {
            return status = session.Run() switch
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
            reports.Write(settings, new RunStatistics(session.Machine, clock.Elapsed, status), profile, files.Kernel);
        }
    }

    private static string ToJson(BootOffsetWrite write) => JsonSerializer.Serialize(new
    {
        cycle = write.Cycle,
        cpu = write.Cpu,
        function = write.Function,
        task = write.Task,
        old = write.Old,
        @new = write.New,
    });
}
