using System.Security.Cryptography;
using ArmVdso.Emulator;

namespace ArmVdso.Lab.Workloads;

/// <summary>One run of a workload.</summary>
/// <param name="Settings">Its settings.</param>
/// <param name="Profile">What it called.</param>
/// <param name="Status">Exit status of the command.</param>
/// <param name="BusyCycles">Cycles of all CPUs, not waiting.</param>
/// <param name="ChargedCycles">Of them, charged for bodies in C#.</param>
/// <param name="Instructions">Instructions of all CPUs.</param>
/// <param name="ElapsedCycles">Cycles until the program ended (the CPU that is furthest).</param>
/// <param name="OutputHash">SHA-256 of what the program wrote to its standard output.</param>
internal sealed record WorkloadRun(
    SessionSettings Settings, SyscallProfile Profile, int Status, ulong BusyCycles, ulong ChargedCycles, ulong Instructions, ulong ElapsedCycles, string OutputHash);

/// <summary>Where the runs of a workload read and write.</summary>
/// <param name="Input">Standard input; every run reads the same.</param>
/// <param name="Output">Standard output of the runs that are shown.</param>
/// <param name="Error">Their standard error.</param>
/// <param name="Log">Takes our own messages.</param>
/// <param name="Terminals">Which of the streams are terminals: bit 0 input, 1 output, 2 error.</param>
/// <param name="Watch">Told of every run before its first instruction; what it returns is disposed of when the run has ended.</param>
internal sealed record WorkloadStreams(Stream Input, Stream Output, Stream Error, Action<string> Log, int Terminals, Func<Session, IDisposable> Watch);

/// <summary>A program with its arguments and settings, which can be run several times.</summary>
internal sealed class Workload(SessionSettings settings, string program, IReadOnlyList<string> arguments, bool countVdso, WorkloadStreams streams)
{
    private readonly ReplayInput _input = new(streams.Input);

    internal SessionSettings Settings => settings;

    /// <summary>Program and arguments, for people.</summary>
    internal string CommandLine => string.Join(' ', [program, .. arguments]);

    /// <summary>Runs it. Every run reads the same standard input.</summary>
    /// <param name="with">Settings of this run.</param>
    /// <param name="redirector">Redirects calls, or null.</param>
    /// <param name="show">Whether the program's output is shown.</param>
    /// <param name="count">Whether calls that the vDSO answers are counted, when they are at all.</param>
    internal WorkloadRun Run(SessionSettings with, CallRedirector? redirector, bool show, bool count)
    {
        Stream shown = show ? streams.Output : Stream.Null;
        Stream errors = show ? streams.Error : Stream.Null;
        using var hash = SHA256.Create();
        using var output = new CryptoStream(shown, hash, CryptoStreamMode.Write, leaveOpen: true);
        SyscallProfile? profile = null;
        Session? session = null;
        session = new Session(with, program, arguments, new Session.Hooks
        {
            Input = _input.Open(),
            Output = output,
            Error = errors,
            Log = streams.Log,
            Terminals = streams.Terminals,
            Switching = (cpu, previous, next) => profile?.OnSwitch(cpu, previous, next),
            CodePageLoaded = redirector is null ? null : (memory, vma, page, pa) => redirector.PageLoaded(session!.Kernel, memory, vma, page, pa),
        });
        using (session)
        {
            profile = new SyscallProfile(session.Kernel, count && countVdso);
            session.Machine.Observer = profile;
            using IDisposable watch = streams.Watch(session);
            int status = session.Run();
            output.FlushFinalBlock();
            ulong busy = 0, charged = 0, instructions = 0, elapsed = 0;
            foreach (Cpu cpu in session.Machine.Cpus)
            {
                busy += cpu.Cycles - cpu.Timing.WaitCycles;
                charged += cpu.Timing.ChargedCycles;
                instructions += cpu.Instructions;
                elapsed = Math.Max(elapsed, cpu.Cycles);
            }
            return new WorkloadRun(with, profile, status, busy, charged, instructions, elapsed, Convert.ToHexStringLower(hash.Hash!));
        }
    }
}
