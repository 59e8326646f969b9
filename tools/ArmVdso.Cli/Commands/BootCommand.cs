using ArmVdso.Emulator.Board;
using ArmVdso.Lab.Boot;

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
        OptionGroup[] groups =
            [new CpuOptions(cpus: 1), new CoreOptions(), new EngineOptions(), new MachineOptions(true), new LimitOptions()];
        return new CliCommand(
            "boot", "boots an arm64 Linux kernel on a small board; its console is the terminal (Ctrl-A x ends it) or a pipe", groups,
            [kernel, initial, append, disk], [], input =>
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
                return () => Boot(settings, files);
            });
    }

    private static int Boot(SessionSettings settings, BootFiles files)
    {
        using Stream input = StandardStream.Open(0);
        using Stream output = StandardStream.Open(1);
        using var console = new SerialConsole(input, output);
        using var session = new BootSession(settings, files, console);
        console.Quit = session.Interrupt;
        try
        {
            return session.Run() switch
            {
                BoardEnd.PowerOff => 0,
                BoardEnd.Reset => ExitStatus.GuestReset,
                _ => ExitStatus.SignalBase + 2,
            };
        }
        finally
        {
            console.Flush();
        }
    }
}
