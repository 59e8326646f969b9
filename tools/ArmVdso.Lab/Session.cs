using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab;

/// <summary>One run of one guest: machine, kernel and the program's place in the guest's files. Observers are added between the
/// constructor and <see cref="Run"/>; everything that the emulator and the kernel model count can be read afterwards.</summary>
public sealed class Session : IDisposable
{
    private readonly SessionSettings _settings;
    private readonly Timer? _watchdog;
    private readonly IDisposable? _watch;
    private volatile bool _timedOut;
    private volatile int _interrupted;
    private volatile int _ended;

    /// <summary>The emulated machine.</summary>
    public Machine Machine { get; }

    /// <summary>The modelled kernel.</summary>
    public LinuxKernel Kernel { get; }

    /// <summary>Prepares a run of a program.</summary>
    /// <param name="settings">Settings.</param>
    /// <param name="program">Program as the user named it: a path, or a name to look for.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="hooks">Streams and observers.</param>
    /// <exception cref="LabException">It cannot be run.</exception>
    public Session(SessionSettings settings, string program, IReadOnlyList<string> arguments, SessionHooks hooks)
    {
        _settings = settings;
        settings.Validate();
        (string? hostPath, string guestPath, string? root) = ProgramFinder.Find(settings, program);
        string? folder = hostPath is null ? null : CallerFolder(settings, root);
        bool mounted = folder is not null && !settings.Binds.Any(b => b.GuestPath == folder);
        // Where a program that is not called by its place lies is not told: it has one path in the guest, wherever that is.
        string inside = Path.GetRelativePath(folder ?? "/", hostPath ?? "/");
        bool below = mounted && !inside.StartsWith("../", StringComparison.Ordinal);
        bool placeless = hostPath is not null && (!program.StartsWith('/') || settings.Argv0.Length > 0);
        if (placeless)
            guestPath = ProgramFolder + "/" + (below ? inside : Path.GetFileName(hostPath));
        string called = Latin1(settings.Argv0.Length > 0 ? settings.Argv0 : program);
        var options = new KernelOptions
        {
            RootDirectory = root,
            Binds = settings.Binds,
            ProgramHostPath = hostPath,
            ProgramGuestPath = guestPath,
            ProgramName = hostPath is null ? "" : called,
            CallerFolder = mounted ? folder : null,
            ProgramFolder = placeless && below ? ProgramFolder : "",
            Arguments = [called, .. arguments.Select(Latin1)],
            Environment = [.. settings.Environment.Select(Latin1)],
            WorkingDirectory = folder is null ? settings.Cwd : Latin1(folder),
            Uid = settings.Uid,
            Gid = settings.Gid,
            FirstPid = settings.FirstPid,
            VaBits = settings.VaBits,
            Nodes = settings.Nodes,
            VdsoDesign = settings.Vdso,
            CounterFault = settings.CounterFault,
            Suspends = settings.Suspends,
            Kernel = settings.KernelConfiguration,
            EpochSeconds = settings.Epoch,
            UptimeNs = settings.UptimeNs,
            Scheduler = settings.Scheduler ?? (settings.SliceNs.HasValue ? SchedulerKind.Arrival : SchedulerKind.Eevdf),
            SliceNs = settings.SliceNs ?? SessionSettings.UsualSliceNs,
            HasSlice = settings.SliceNs.HasValue,
            Seed = settings.Seed,
            PagePlacement = settings.PagePlacement,
            UserMonitors = settings.UserMonitors,
            Limits = settings.Limits,
            TraceSyscalls = hooks.SystemCall is not null,
            TerminalStreams = hooks.Terminals,
        };
        Machine = MakeMachine(settings);
        try
        {
            Kernel = new LinuxKernel(Machine, options, hooks, hooks.Design);
            long result = Kernel.Start(out string error);
            if (result < 0)
            {
                LabFault fault = -result is Errno.ENOENT or Errno.ENOTDIR && !error.Contains("interpreter", StringComparison.Ordinal)
                    ? LabFault.NotFound
                    : LabFault.NotExecutable;
                throw new LabException(error, fault);
            }
        }
        catch (IOException e)
        {
            Machine.Dispose();
            throw new LabException(e.Message, LabFault.NotFound, e);
        }
        catch
        {
            Machine.Dispose();
            throw;
        }
        if (settings.TimeoutSeconds > 0)
        {
            _watchdog = new Timer(_ =>
            {
                _timedOut = true;
                Machine.StopRequested = true;
            });
            _watchdog.Change(TimeSpan.FromSeconds(settings.TimeoutSeconds), System.Threading.Timeout.InfiniteTimeSpan);
        }
        _watch = hooks.Watch?.Invoke(this);
    }

    /// <summary>What a terminal's Ctrl-C does, from any thread: SIGINT for the guest; a second one ends the run.</summary>
    public void Interrupt()
    {
        _interrupted++;
        Machine.StopRequested = true;
    }

    /// <summary>What SIGTERM does, from any thread: the run ends with 128 + the signal, and reports are written.</summary>
    /// <param name="signal">The signal's number.</param>
    public void End(int signal)
    {
        _ended = signal;
        // The machine forgets a request that comes while it begins to run.
        _repeat ??= new Timer(_ => Machine.StopRequested = true, null, 0, RepeatMs);
    }

    private const int RepeatMs = 20;

    private Timer? _repeat;

    /// <summary>Guest path of what a program of the host is called by a relative name from.</summary>
    private const string ProgramFolder = "/program";

    /// <summary>The folder that the program finds itself in; null: what the settings say. Folders of the guest's root and of its devices
    /// are the guest's.</summary>
    private static string? CallerFolder(SessionSettings settings, string? root) =>
        settings.CallerFolder is { Length: > 1 } folder && Directory.Exists(folder)
        && !((ReadOnlySpan<string>)["dev", "proc", "sys"]).Contains(folder.Split('/')[1])
        && (root is null || !Directory.Exists(Path.Join(root, folder))) ? folder : null;

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>The machine that settings describe, with its CPU profile.</summary>
    /// <exception cref="LabException">There is no such core or profile, or not enough memory.</exception>
    internal static Machine MakeMachine(SessionSettings settings)
    {
        ulong clock = settings.Model().ClockFrequency;
        try
        {
            var machine = new Machine(settings.Cpus, settings.MemoryBytes, CoreTimings.Of(settings.Core))
            {
                Seed = settings.Seed,
                Engine = settings.Engine,
                MemoisedTiming = settings.MemoisedTiming,
                Quantum = settings.Quantum,
                ClockFrequency = settings.ClockHz == 0 ? clock : settings.ClockHz,
            };
            CpuProfile.Load(settings.CpuProfileName).Apply(machine);
            return machine;
        }
        catch (CpuProfileException e)
        {
            throw new LabException(e.Message, LabFault.Input, e);
        }
        catch (OutOfMemoryException e)
        {
            throw new LabException(e.Message, LabFault.Failed, e);
        }
    }

    /// <summary>Runs to the end of the program.</summary>
    /// <returns>Exit status of the program; 128 + signal when a signal ended it.</returns>
    /// <exception cref="LabException">A limit was reached, every task waits for ever, or the kernel model or the emulator
    /// failed.</exception>
    public int Run() => RunUntil(() => false) ?? throw new InvalidOperationException("a run without an end");

    /// <summary>Runs to the end of the program, or until something asked the machine to stop (<see cref="Emulator.Machine.StopRequested"/>)
    /// because the caller has what it wants.</summary>
    /// <param name="enough">Whether the caller has what it wants.</param>
    /// <returns>As <see cref="Run"/>; null when the program has not ended.</returns>
    /// <exception cref="LabException">As in <see cref="Run"/>.</exception>
    internal int? RunUntil(Func<bool> enough)
    {
        ulong limit = _settings.MaxCycles == 0 ? ulong.MaxValue : _settings.MaxCycles;
        while (true)
        {
            bool withinLimit = RunMachine(limit);
            Kernel.Hooks.Output.Flush();
            Kernel.Hooks.Error.Flush();
            if (Kernel.Panic is { } panic)
                throw new LabException(panic, LabFault.Failed);
            if (enough())
                return null;
            if (Ended is { } ended)
                return ended;
            if (!withinLimit)
                throw new LabException($"{Text(_settings.MaxCycles)} cycles have passed (--max-cycles)", LabFault.LimitReached);
            if (_timedOut)
                throw new LabException($"{Text(_settings.TimeoutSeconds)} seconds have passed (--timeout)", LabFault.LimitReached);
            if (_ended != 0)
                return SignalBase + _ended;
            Kernel.TakeKeys();
            if (_interrupted > 1)
                return SignalBase + Signal.SIGINT;
            if (_interrupted == 1 && !Kernel.Deadlock)
            {
                // Ctrl-C goes to the guest first, as a terminal's would; a second one ends the run.
                Kernel.Jobs.Signal(Kernel.Tasks.Init!.Pgid, Signal.SIGINT);
                continue;
            }
            if (Kernel.Deadlock)
            {
                foreach (string wait in Kernel.Waits().Take(MostWaits))
                    Kernel.Hooks.Log(wait);
                throw new LabException("every task of the guest waits for something that cannot happen any more", LabFault.LimitReached);
            }
        }
    }

    /// <summary>Exit status of the program, as <see cref="Run"/> has it; null: it has not ended.</summary>
    internal int? Ended => Kernel.Finished ? StatusOf(Kernel.ExitStatus) : null;

    private bool RunMachine(ulong limit)
    {
        try
        {
            return Machine.Run(limit);
        }
        catch (EngineMismatchException e)
        {
            Kernel.Hooks.Output.Flush();
            throw new LabException(e.Message, LabFault.Failed, e);
        }
        catch (CoreModelException e)
        {
            // A class without a timing is noticed when the first instruction of it comes.
            Kernel.Hooks.Output.Flush();
            throw new LabException(e.Message, LabFault.Input, e);
        }
    }

    private const int SignalBase = 128;

    /// <summary>Sleepers that the message of a deadlock names.</summary>
    private const int MostWaits = 32;

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static int StatusOf(int wait)
    {
        int signal = wait & 0x7f;
        return signal == 0 ? wait >> 8 & 0xff : SignalBase + signal;
    }

    /// <summary>Ends the run and frees the machine.</summary>
    public void Dispose()
    {
        _watch?.Dispose();
        _watchdog?.Dispose();
        _repeat?.Dispose();
        Kernel.Vfs.Dispose();
        Machine.Dispose();
    }
}

/// <summary>What a caller gives to a session and wants to see of it.</summary>
public sealed record SessionHooks : KernelHooks
{
    /// <summary>Which of the streams are terminals: bit 0 input, 1 output, 2 error.</summary>
    public int Terminals { get; init; }

    /// <summary>Puts a design around that of the settings: its hooks come there first. Null: none.</summary>
    public Func<VdsoDesign, VdsoDesign>? Design { get; init; }

    /// <summary>Told of a run before its first instruction; what it returns is disposed of with the session.</summary>
    public Func<Session, IDisposable>? Watch { get; init; }
}
