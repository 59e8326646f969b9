using System.Security.Cryptography;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Lab.Workloads;

/// <summary>One run of a workload. Cycles are modelled.</summary>
public sealed class WorkloadRun
{
    private readonly SyscallProfile _profile;

    internal WorkloadRun(SessionSettings settings, SyscallProfile profile, int status, IReadOnlyList<Cpu> cpus, string outputHash)
    {
        Settings = settings;
        _profile = profile;
        Status = status;
        OutputHash = outputHash;
        foreach (Cpu cpu in cpus)
        {
            BusyCycles += cpu.Cycles - cpu.Timing.WaitCycles;
            ChargedCycles += cpu.Timing.ChargedCycles;
            Instructions += cpu.Instructions;
            ElapsedCycles = Math.Max(ElapsedCycles, cpu.Cycles);
        }
    }

    /// <summary>Its settings.</summary>
    public SessionSettings Settings { get; }

    /// <summary>Exit status of the program; of one that did not end, 0.</summary>
    public int Status { get; }

    /// <summary>What ended the run in place of the program: a limit, or that every task waits for ever; null: the program ended. The
    /// counts are those up to then.</summary>
    public LabException? EndedBy { get; internal init; }

    /// <summary>Cycles of all CPUs, not waiting.</summary>
    public ulong BusyCycles { get; }

    /// <summary>Of them, charged for bodies in C#.</summary>
    public ulong ChargedCycles { get; }

    /// <summary>Instructions of all CPUs.</summary>
    public ulong Instructions { get; }

    /// <summary>Cycles until the program ended (the CPU that is furthest).</summary>
    public ulong ElapsedCycles { get; }

    /// <summary>SHA-256 of what the program wrote to its standard output, in hexadecimal.</summary>
    public string OutputHash { get; }

    /// <summary>Processes by PID, in the order of their first call.</summary>
    public IReadOnlyDictionary<int, ProcessCalls> Processes => _profile.Processes;

    /// <summary>Calls of all processes by number.</summary>
    public IReadOnlyDictionary<int, CallCount> Total() => _profile.Total();

    /// <summary>Switches between tasks, idle tasks left out.</summary>
    public long Switches => _profile.Switches;

    /// <summary>Whether calls that the vDSO answered were counted.</summary>
    public bool CountsVdso => _profile.WantsInstructions;

    /// <summary>Call sites in files, with how often each number was called there.</summary>
    internal Dictionary<CallSite, SortedDictionary<int, long>> Sites => _profile.Sites;
}

/// <summary>A program with its arguments and settings, which can be run several times.</summary>
internal sealed class Workload(
    SessionSettings settings, string program, IReadOnlyList<string> arguments, bool countVdso, SessionHooks hooks)
{
    private readonly ReplayInput _input = new(hooks.Input);

    internal SessionSettings Settings => settings;

    /// <summary>Runs it. Every run reads the same standard input.</summary>
    /// <param name="with">Settings of this run.</param>
    /// <param name="redirector">Redirects calls, or null.</param>
    /// <param name="show">Whether the program's output is shown.</param>
    /// <param name="count">Whether calls that the vDSO answers are counted, when they are at all.</param>
    /// <param name="partly">Whether a run that a limit ends is a result too.</param>
    internal WorkloadRun Run(SessionSettings with, CallRedirector? redirector, bool show, bool count, bool partly = false)
    {
        using var hash = SHA256.Create();
        using var output = new CryptoStream(show ? hooks.Output : Stream.Null, hash, CryptoStreamMode.Write, leaveOpen: true);
        SyscallProfile? profile = null;
        Session? session = null;
        session = new Session(with, program, arguments, hooks with
        {
            Input = _input.Open(),
            Output = output,
            Error = show ? hooks.Error : Stream.Null,
            Switching = (cpu, previous, next) =>
            {
                profile?.OnSwitch(cpu, previous, next);
                hooks.Switching?.Invoke(cpu, previous, next);
            },
            CodePageLoaded = redirector is null
                ? null
                : (memory, vma, page, pa) => redirector.PageLoaded(session!.Kernel, memory, vma, page, pa),
        });
        using (session)
        {
            profile = new SyscallProfile(session.Kernel, count && countVdso);
            // What the caller put there when it was told of the run sees it, too.
            session.Machine.Observer = ObserverList.Of(profile, session.Machine.Observer);
            int status = 0;
            LabException? endedBy = null;
            try
            {
                status = session.Run();
            }
            catch (LabException e) when (partly && e.Fault == LabFault.LimitReached)
            {
                endedBy = e;
            }
            output.FlushFinalBlock();
            return new WorkloadRun(with, profile, status, session.Machine.Cpus, Convert.ToHexStringLower(hash.Hash!)) { EndedBy = endedBy };
        }
    }
}
