using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Proc;

namespace ArmVdso.Kernel;

/// <summary>The kernel's files.</summary>
public sealed partial class LinuxKernel
{
    private Vfs? _vfs;

    /// <summary>The guest's files, built from the options when they are first asked for.</summary>
    /// <exception cref="IOException">A host path of the options cannot be opened.</exception>
    public Vfs Vfs => _vfs ??= MakeFiles();

    private Vfs MakeFiles()
    {
        var vfs = new Vfs(new VfsOptions
        {
            RootDirectory = Options.RootDirectory,
            Binds = Options.Binds,
            ProgramHostPath = Options.ProgramHostPath,
            ProgramGuestPath = Options.ProgramGuestPath,
            EpochSeconds = Options.EpochSeconds,
            HostName = Options.HostName,
            StdinIsTerminal = (Options.TerminalStreams & 1) != 0,
            StdoutIsTerminal = (Options.TerminalStreams & 2) != 0,
            StderrIsTerminal = (Options.TerminalStreams & 4) != 0,
            TerminalSize = Options.TerminalSize,
        }, BootMounts.Of(this));
        vfs.Attach(new VfsHost
        {
            Machine = Machine,
            Pages = PageAllocator,
            Timekeeper = Timekeeper,
            Random = Random,
            Seeding = Seeding,
            Jobs = new JobControl(this),
            In = HostIn,
            Out = HostOut,
            Error = HostErr,
        });
        return vfs;
    }
}
