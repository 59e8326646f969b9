using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Lab;

/// <summary>One run of one guest: machine, kernel and the program's place in the guest's files.</summary>
internal sealed class Session : IDisposable
{
    private readonly SessionSettings _settings;
    private readonly Timer? _watchdog;
    private volatile bool _timedOut;

    internal Machine Machine { get; }

    internal LinuxKernel Kernel { get; }

    /// <summary>What a caller adds to the kernel of a session.</summary>
    internal sealed record Hooks
    {
        internal Action<KernelTask, SyscallContext, long?>? Syscall { get; init; }

        internal Action<KernelTask, SignalInfo>? Signal { get; init; }

        internal Action<KernelTask, int>? Exit { get; init; }

        internal Action<KernelTask>? Exec { get; init; }

        internal Action<Cpu, KernelTask, KernelTask>? Switching { get; init; }

        internal Action<MemoryMap, Vma, ulong, ulong>? CodePageLoaded { get; init; }

        /// <summary>Takes our own messages.</summary>
        internal required Action<string> Log { get; init; }

        /// <summary>Which of the standard streams are terminals: bit 0 input, 1 output, 2 error.</summary>
        internal int Terminals { get; init; }

        internal Stream Output { get; init; } = Stream.Null;

        internal Stream Error { get; init; } = Stream.Null;

        internal Stream Input { get; init; } = Stream.Null;
    }

    /// <summary>Prepares a run of a program.</summary>
    /// <param name="settings">Settings.</param>
    /// <param name="program">Program as the user named it: a path, or a name to look for.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="hooks">Streams and observers.</param>
    /// <exception cref="UserError">It cannot be run.</exception>
    internal Session(SessionSettings settings, string program, IReadOnlyList<string> arguments, Hooks hooks)
    {
        _settings = settings;
        (string? hostPath, string guestPath, string? root) = ProgramFinder.Find(settings, program);
        var options = new KernelOptions
        {
            RootDirectory = root,
            Binds = settings.Binds,
            ProgramHostPath = hostPath,
            ProgramGuestPath = guestPath,
            Arguments = [Latin1(settings.Argv0.Length > 0 ? settings.Argv0 : program), .. arguments.Select(Latin1)],
            Environment = [.. settings.Environment.Select(Latin1)],
            WorkingDirectory = settings.Cwd,
            Uid = settings.Uid,
            Gid = settings.Gid,
            FirstPid = settings.FirstPid,
            VaBits = settings.VaBits,
            VdsoDesign = settings.Vdso,
            CounterFault = settings.CounterFault,
            Suspends = settings.Suspends,
            Kernel = settings.Kernel,
            EpochSeconds = settings.Epoch,
            SliceNs = settings.SliceNs,
            Seed = settings.Seed,
            PagePlacement = settings.PagePlacement,
            UserMonitors = settings.UserMonitors,
            TraceSyscalls = hooks.Syscall is not null,
            TerminalStreams = hooks.Terminals,
        };
        Machine = MakeMachine(settings);
        try
        {
            Kernel = new LinuxKernel(Machine, options)
            {
                HostIn = hooks.Input,
                HostOut = hooks.Output,
                HostErr = hooks.Error,
                Log = hooks.Log,
                SyscallTrace = hooks.Syscall,
                OnSignal = hooks.Signal,
                OnExit = hooks.Exit,
                OnExec = hooks.Exec,
                Switching = hooks.Switching,
                CodePageLoaded = hooks.CodePageLoaded,
            };
            long result = Kernel.Start(out string error);
            if (result < 0)
            {
                int status = -result is Errno.ENOENT or Errno.ENOTDIR && !error.Contains("interpreter", StringComparison.Ordinal)
                    ? ExitStatus.NotFound
                    : ExitStatus.NotExecutable;
                throw new UserError(error, status);
            }
        }
        catch (IOException e)
        {
            Machine.Dispose();
            throw new UserError(e.Message, ExitStatus.NotFound);
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
    }

    /// <summary>A terminal's Ctrl-C: SIGINT for the guest; a second one ends the run.</summary>
    internal void Interrupt()
    {
        _interrupted++;
        Machine.StopRequested = true;
    }

    private volatile int _interrupted;

    private static string Latin1(string text) => System.Text.Encoding.Latin1.GetString(System.Text.Encoding.UTF8.GetBytes(text));

    private static Machine MakeMachine(SessionSettings settings)
    {
        Func<Machine, int, TimingModel> timing;
        ulong clock;
        try
        {
            timing = CoreModel.Factory(settings.Core);
            clock = CoreModel.Load(settings.Core).ClockFrequency;
        }
        catch (CoreModelException e)
        {
            throw new UserError($"--core: {e.Message}", ExitStatus.Usage);
        }
        try
        {
            var machine = new Machine(settings.Cpus, settings.MemoryBytes, timing)
            {
                Seed = settings.Seed,
                Engine = settings.Engine,
                MemoisedTiming = settings.MemoisedTiming,
                Quantum = settings.Quantum,
                ClockFrequency = settings.ClockHz == 0 ? clock : settings.ClockHz,
            };
            CpuProfile.Load(settings.Cpu).Apply(machine);
            return machine;
        }
        catch (CpuProfileException e)
        {
            throw new UserError($"--cpu: {e.Message}", ExitStatus.Usage);
        }
        catch (OutOfMemoryException e)
        {
            throw new UserError($"--mem: {e.Message}", ExitStatus.EmulatorError);
        }
    }

    /// <summary>Runs to the end of the program or of a limit.</summary>
    /// <returns>Exit status of the command.</returns>
    internal int Run()
    {
        ulong limit = _settings.MaxCycles == 0 ? ulong.MaxValue : _settings.MaxCycles;
        while (true)
        {
            bool withinLimit = Machine.Run(limit);
            Kernel.HostOut.Flush();
            Kernel.HostErr.Flush();
            if (Kernel.Panic is { } panic)
                throw new UserError(panic, ExitStatus.EmulatorError);
            if (Kernel.Finished)
                return StatusOf(Kernel.ExitStatus);
            if (!withinLimit)
                throw new UserError($"{_settings.MaxCycles} cycles have passed (--max-cycles)", ExitStatus.LimitReached);
            if (_timedOut)
                throw new UserError($"{_settings.TimeoutSeconds} seconds have passed (--timeout)", ExitStatus.LimitReached);
            if (_interrupted > 1)
                return ExitStatus.SignalBase + Signal.SIGINT;
            if (_interrupted == 1 && !Kernel.Deadlock)
            {
                // Ctrl-C goes to the guest first, as a terminal's would; a second one ends the run.
                Kernel.SignalProcessGroup(Kernel.Init!.Pgid, Signal.SIGINT);
                continue;
            }
            if (Kernel.Deadlock)
                throw new UserError("every task of the guest waits for something that cannot happen any more", ExitStatus.LimitReached);
        }
    }

    /// <summary>The EL1 function at an address, or "".</summary>
    internal string NameAt(Cpu cpu, ulong pc) => pc >> 63 != 0 ? Kernel.El1FunctionAt(pc) ?? "" : "";

    private static int StatusOf(int wait)
    {
        int signal = wait & 0x7f;
        return signal == 0 ? wait >> 8 & 0xff : ExitStatus.SignalBase + signal;
    }

    public void Dispose()
    {
        _watchdog?.Dispose();
        Kernel.Vfs.Dispose();
        Machine.Dispose();
    }
}
