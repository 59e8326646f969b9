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
    private readonly KernelPlace _place;
    private readonly WatchedLine _line;
    private (string File, string When)? _snapshot;
    private Action? _paused;
    private volatile bool _timedOut, _interrupted;
    private string? _panic;

    /// <summary>The kernel's functions and tasks; its tables are read when it is asked for.</summary>
    public GuestKernel Kernel => _kernel.Value;

    /// <summary>The machine.</summary>
    public Machine Machine { get; }

    /// <summary>The board that it is on.</summary>
    public SmallBoard Board { get; }

    /// <summary>Where the Image is.</summary>
    /// <param name="Name">Its file, for reports.</param>
    /// <param name="Entry">Physical address of its first byte.</param>
    /// <param name="Size">Bytes that it takes from there.</param>
    private sealed record KernelPlace(string Name, ulong Entry, ulong Size);

    private BootSession(
        SessionSettings settings, KernelPlace place, IReadOnlyList<string> disks, string arguments, (ulong, ulong) initial,
        ISerialLine line)
    {
        _settings = settings;
        _place = place;
        _line = new WatchedLine(line);
        _line.Watch(PanicEnd, Panicked);
        Machine = Session.MakeMachine(settings);
        try
        {
            Board = new SmallBoard(Machine, _line, new BoardSettings
            {
                Arguments = arguments,
                InitialFiles = initial,
                Disks = [.. disks.Select(Disk)],
                Epoch = (ulong)settings.Epoch,
            });
        }
        catch
        {
            Free();
            throw;
        }
        // RAM holds the Image with its tables, and what relocation wrote into it.
        _kernel = new Lazy<GuestKernel>(() => new GuestKernel(Machine, place.Entry, place.Size));
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

    /// <summary>Loads a kernel.</summary>
    /// <param name="settings">Machine, core and limits; what concerns the kernel model means nothing here.</param>
    /// <param name="files">What is booted.</param>
    /// <param name="line">The host's side of the serial line.</param>
    /// <exception cref="LabException">It cannot be booted.</exception>
    public static BootSession Load(SessionSettings settings, BootFiles files, ISerialLine line)
    {
        var kernel = new KernelFile(files.Kernel, ReadFile(files.Kernel));
        byte[] initial = files.InitialFiles is null ? [] : ReadFile(files.InitialFiles);
        if (files.InitialFiles is not null)
            InitialFileSystem.Check(files.InitialFiles, initial);
        ulong entry = KernelAt + kernel.TextOffset, end = Up(entry + kernel.ImageSize);
        ulong tree = end + Align, initialAt = tree + Align, initialEnd = initialAt + (ulong)initial.Length;
        if (kernel.ImageSize > settings.MemoryBytes || Up(initialEnd) + (16 << 20) > settings.MemoryBytes)
        {
            ulong needed = ((kernel.ImageSize + (ulong)initial.Length) >> 20) + 24;
            string sizes = $"{needed} MiB; there are {settings.MemoryBytes >> 20}";
            throw new LabException($"{files.Kernel}: kernel and initial files need {sizes} (--mem)", LabFault.NotExecutable);
        }
        var place = new KernelPlace(files.Kernel, entry, kernel.ImageSize);
        (ulong, ulong) initialPlace = initial.Length == 0 ? default : (initialAt, initialEnd);
        var session = new BootSession(settings, place, files.Disks, files.Arguments, initialPlace, line);
        try
        {
            kernel.CheckPageSize(files.Kernel, session.Machine.Profile!);
            kernel.Image.CopyTo(session.Machine.Memory.Span(entry, kernel.Image.Length));
            initial.CopyTo(session.Machine.Memory.Span(initialAt, initial.Length));
            byte[] description = session.Board.MakeDeviceTree();
            description.CopyTo(session.Machine.Memory.Span(tree, description.Length));
            session.Board.Start(entry, tree);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Takes a machine up where a snapshot was made of it.</summary>
    /// <param name="settings">Engine and limits; the machine is that of the snapshot.</param>
    /// <param name="snapshot">File of the snapshot.</param>
    /// <param name="disks">Files of the disks that it had.</param>
    /// <param name="line">The host's side of the serial line.</param>
    /// <exception cref="LabException">It is none, or it cannot be restored here.</exception>
    public static BootSession Restore(SessionSettings settings, string snapshot, IReadOnlyList<string> disks, ISerialLine line)
    {
        using FileStream file = SnapshotFile.Open(snapshot, out SnapshotHeader header);
        settings = header.Apply(settings);
        if (header.Models != SnapshotHeader.DigestOf(settings))
        {
            string models = $"core {header.Core} or profile {header.Profile}";
            throw new LabException($"{snapshot}: {models} is not what it was when the snapshot was made", LabFault.NotExecutable);
        }
        var place = new KernelPlace(header.Kernel, header.Entry, header.ImageSize);
        var session = new BootSession(settings, place, disks, "", default, line);
        try
        {
            if (!header.Disks.SequenceEqual(session._disks.Select(d => d.Length)))
            {
                string needed = header.Disks.Count == 0 ? "no disk" : $"disks of {string.Join(", ", header.Disks)} bytes";
                throw new LabException($"{snapshot}: the machine had {needed} (--disk)", LabFault.NotExecutable);
            }
            if (header.Shape != Convert.ToHexStringLower(session.Board.StateShape()))
            {
                throw new LabException(
                    $"{snapshot}: it was made by another build of armvdso, whose machine has other state", LabFault.NotExecutable);
            }
            SnapshotFile.Restore(snapshot, file, session.Board);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Settings of the run: those given, with the machine of the snapshot.</summary>
    public SessionSettings Settings => _settings;

    /// <summary>File of the kernel.</summary>
    public string KernelName => _place.Name;

    /// <summary>Makes a snapshot once the guest has written a text to one line of its console; then the run goes on, as if there were
    /// none.</summary>
    /// <param name="file">The snapshot.</param>
    /// <param name="text">Text of at least one character.</param>
    public void SnapshotAfter(string file, string text)
    {
        _snapshot = (file, $"the guest did not write '{text}'");
        _line.Watch(text, _ =>
        {
            if (_snapshot is not null)
                Machine.PauseAt = 0;
        });
    }

    /// <summary>Calls somebody between two turns of a CPU once the guest has written a text to one line of its console.</summary>
    internal void PauseAfter(string text, Action then)
    {
        _paused = then;
        _line.Watch(text, _ => Machine.PauseAt = 0);
    }

    /// <summary>Makes a snapshot when all CPUs have reached a cycle.</summary>
    /// <param name="file">The snapshot.</param>
    /// <param name="cycle">Cycle.</param>
    public void SnapshotAt(string file, ulong cycle)
    {
        _snapshot = (file, $"no CPU reached cycle {cycle}");
        Machine.PauseAt = cycle;
    }

    private void Snapshot()
    {
        if (_snapshot is not { } wanted)
            return;
        _snapshot = null;
        var header = new SnapshotHeader
        {
            Cpus = _settings.Cpus,
            Core = _settings.Core,
            Profile = _settings.CpuProfileName,
            MemoryBytes = _settings.MemoryBytes,
            Quantum = _settings.Quantum,
            Seed = _settings.Seed,
            Epoch = _settings.Epoch,
            ClockHz = _settings.ClockHz,
            Kernel = _place.Name,
            Entry = _place.Entry,
            ImageSize = _place.Size,
            Disks = [.. _disks.Select(d => d.Length)],
            Models = SnapshotHeader.DigestOf(_settings),
            Shape = Convert.ToHexStringLower(Board.StateShape()),
        };
        SnapshotFile.Write(wanted.File, header, Board);
    }

    private static ulong Up(ulong address) => (address + Align - 1) & ~(Align - 1);

    /// <summary>A file's bytes.</summary>
    /// <exception cref="LabException">It cannot be read.</exception>
    internal static byte[] ReadFile(string name)
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
    public BoardEnd Run() => RunUntil(() => false) ?? throw new InvalidOperationException("a run without an end");

    /// <summary>As <see cref="Run"/>, or until something asked the machine to stop (<see cref="Emulator.Machine.StopRequested"/>) because
    /// the caller has what it wants; null then.</summary>
    internal BoardEnd? RunUntil(Func<bool> enough)
    {
        ulong limit = _settings.MaxCycles == 0 ? ulong.MaxValue : _settings.MaxCycles;
        try
        {
            while (true)
            {
                Board.Run(limit);
                if (enough())
                    return null;
                if (!Machine.Paused)
                    break;
                _paused?.Invoke();
                _paused = null;
                Snapshot();
            }
        }
        catch (EngineMismatchException e)
        {
            throw new LabException(e.Message, LabFault.Failed, e);
        }
        if (_panic is not null)
            throw new LabException($"the guest's kernel panicked: {_panic}", LabFault.GuestPanic);
        if (Board.End == BoardEnd.Stuck)
            throw new LabException("every CPU of the guest waits for something that cannot happen any more", LabFault.LimitReached);
        if (Board.End != BoardEnd.None && _snapshot is { } missed)
            throw new LabException($"{missed.File}: no snapshot was made: {missed.When}", LabFault.LimitReached);
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
