using ArmVdso.Emulator.Board;
using ArmVdso.Emulator.Engine.Lockstep;

namespace ArmVdso.Lab.Boot;

/// <summary>What is booted.</summary>
public sealed record BootFiles
{
    /// <summary>File of the kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>File of the initial file system; null: none.</summary>
    public string? InitialFiles { get; init; }

    /// <summary>Files that are disks; they are only read.</summary>
    public IReadOnlyList<string> Disks { get; init; } = [];

    /// <summary>The kernel's command line.</summary>
    public string Arguments { get; init; } = "";
}

/// <summary>A kernel on a board: nothing of the kernel model is in it.</summary>
public sealed class BootSession : IDisposable
{
    private const ulong Align = 2 << 20, KernelAt = 2 << 20;

    // The last line of a kernel that does not start again by itself (Linux, kernel/panic.c).
    private const string PanicStart = "---[ end Kernel panic - not syncing: ", PanicEnd = " ]---";
    private readonly SessionSettings _settings;
    private readonly List<FileStream> _disks = [];
    private readonly Timer? _watchdog;
    private readonly Lazy<GuestKernel> _kernel;
    private volatile bool _timedOut, _interrupted;
    private string? _panic;

    /// <summary>The kernel's functions and tasks; its tables are read when it is asked for.</summary>
    public GuestKernel Kernel => _kernel.Value;

    /// <summary>The machine.</summary>
    public Machine Machine { get; }

    /// <summary>The board that it is on.</summary>
    public SmallBoard Board { get; }

    /// <summary>Loads a kernel.</summary>
    /// <param name="settings">Machine, core and limits; what concerns the kernel model means nothing here.</param>
    /// <param name="files">What is booted.</param>
    /// <param name="line">The host's side of the serial line.</param>
    /// <exception cref="LabException">It cannot be booted.</exception>
    public BootSession(SessionSettings settings, BootFiles files, ISerialLine line)
    {
        _settings = settings;
        var kernel = new KernelFile(files.Kernel, ReadFile(files.Kernel));
        byte[] initial = files.InitialFiles is null ? [] : ReadFile(files.InitialFiles);
        if (files.InitialFiles is not null)
            InitialFileSystem.Check(files.InitialFiles, initial);
        Machine = Session.MakeMachine(settings);
        try
        {
            kernel.CheckPageSize(files.Kernel, Machine.Profile!);
            ulong entry = KernelAt + kernel.TextOffset, end = Up(entry + kernel.ImageSize);
            ulong tree = end + Align, initialAt = tree + Align, initialEnd = initialAt + (ulong)initial.Length;
            if (kernel.ImageSize > Machine.Memory.Size || Up(initialEnd) + (16 << 20) > Machine.Memory.Size)
            {
                ulong needed = ((kernel.ImageSize + (ulong)initial.Length) >> 20) + 24;
                string sizes = $"{needed} MiB; there are {Machine.Memory.Size >> 20}";
                throw new LabException($"{files.Kernel}: kernel and initial files need {sizes} (--mem)", LabFault.NotExecutable);
            }
            kernel.Image.CopyTo(Machine.Memory.Span(entry, kernel.Image.Length));
            initial.CopyTo(Machine.Memory.Span(initialAt, initial.Length));
            _kernel = new Lazy<GuestKernel>(() => new GuestKernel(Machine, kernel, entry));
            var watched = new WatchedLine(line);
            watched.Watch(PanicEnd, Panicked);
            Board = new SmallBoard(Machine, watched, new BoardSettings
            {
                Arguments = files.Arguments,
                InitialFiles = initial.Length == 0 ? default : (initialAt, initialEnd),
                Disks = [.. files.Disks.Select(Disk)],
                Epoch = (ulong)settings.Epoch,
            });
            byte[] description = Board.MakeDeviceTree();
            description.CopyTo(Machine.Memory.Span(tree, description.Length));
            Board.Start(entry, tree);
        }
        catch
        {
            Free();
            throw;
        }
        if (settings.TimeoutSeconds > 0)
        {
            _watchdog = new Timer(_ =>
            {
                _timedOut = true;
                Board.Stop();
            });
            _watchdog.Change(TimeSpan.FromSeconds(settings.TimeoutSeconds), System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    private static ulong Up(ulong address) => (address + Align - 1) & ~(Align - 1);

    private static byte[] ReadFile(string name)
    {
        try
        {
            return File.ReadAllBytes(name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{name}: {e.Message}", LabFault.NotFound, e);
        }
    }

    private FileStream Disk(string name)
    {
        try
        {
            var disk = new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            _disks.Add(disk);
            return disk;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{name}: {e.Message}", LabFault.NotFound, e);
        }
    }

    private void Panicked(string line)
    {
        int at = line.IndexOf(PanicStart, StringComparison.Ordinal);
        if (at < 0 || _panic is not null)
            return;
        _panic = line[(at + PanicStart.Length)..^PanicEnd.Length];
        Board.Stop();
    }

    /// <summary>Ends the run, from any thread.</summary>
    public void Interrupt()
    {
        _interrupted = true;
        Board.Stop();
    }

    /// <summary>Runs until the guest ends.</summary>
    /// <returns>How it ended; <see cref="BoardEnd.None"/>: <see cref="Interrupt"/> ended it.</returns>
    /// <exception cref="LabException">A limit was reached, the guest's kernel panicked, or the guest waits for ever.</exception>
    public BoardEnd Run()
    {
        ulong limit = _settings.MaxCycles == 0 ? ulong.MaxValue : _settings.MaxCycles;
        try
        {
            Board.Run(limit);
        }
        catch (EngineMismatchException e)
        {
            throw new LabException(e.Message, LabFault.Failed, e);
        }
        if (_panic is not null)
            throw new LabException($"the guest's kernel panicked: {_panic}", LabFault.GuestPanic);
        if (Board.End == BoardEnd.Stuck)
            throw new LabException("every CPU of the guest waits for something that cannot happen any more", LabFault.LimitReached);
        if (Board.End != BoardEnd.None || _interrupted)
            return Board.End;
        throw _timedOut
            ? new LabException($"{_settings.TimeoutSeconds} seconds have passed (--timeout)", LabFault.LimitReached)
            : new LabException($"{_settings.MaxCycles} cycles have passed (--max-cycles)", LabFault.LimitReached);
    }

    /// <summary>Frees the machine.</summary>
    public void Dispose()
    {
        _watchdog?.Dispose();
        Free();
    }

    private void Free()
    {
        foreach (FileStream disk in _disks)
            disk.Dispose();
        Machine.Dispose();
    }
}
