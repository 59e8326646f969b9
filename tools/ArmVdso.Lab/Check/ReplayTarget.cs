using ArmVdso.Lab.Debug;

namespace ArmVdso.Lab.Check;

/// <summary>A schedule of the checker as a debugger sees it. The checker steps the CPUs in its own order, in a thread of its own, which
/// stands while the debugger looks; its events come where the schedule has them, and are told on the debugger's console.</summary>
internal sealed class ReplayTarget : DebugTarget, IRigObserver, IDisposable
{
    private readonly CheckRig _rig;
    private readonly ProgramTarget _processes;
    private readonly SemaphoreSlim _go = new(0), _stands = new(0);
    private readonly Thread _thread;
    private IReadOnlyList<ResumeAction> _actions = [];
    private DebugStop _stop = new(StopKind.Step, default);
    private Outcome? _outcome;
    private Exception? _failure;
    private volatile bool _interrupted, _free;
    private bool _over, _begins = true;

    /// <summary>Begins; it stands before the first instruction of the examined call.</summary>
    /// <param name="rig">The machine.</param>
    /// <param name="replay">Runs the schedule on it.</param>
    internal ReplayTarget(CheckRig rig, Func<Outcome> replay)
    {
        _rig = rig;
        _processes = ProgramTarget.Looking(rig.Session);
        rig.Observer = this;
        _thread = new Thread(() => Run(replay)) { IsBackground = true, Name = "replay" };
        _thread.Start();
        _stands.Wait();
    }

    private void Run(Func<Outcome> replay)
    {
        try
        {
            _outcome = replay();
        }
        catch (Exception e) when (e is LabException or InvalidOperationException)
        {
            _failure = e;
        }
        _over = true;
        _stands.Release();
    }

    /// <summary>Lets the schedule go on to its end.</summary>
    /// <returns>What it gave.</returns>
    /// <exception cref="LabException">It could not be executed.</exception>
    internal Outcome Finish()
    {
        Detach(-1);
        _thread.Join();
        if (_failure is { } failure)
            throw new LabException(failure.Message, LabFault.Failed, failure);
        return _outcome!;
    }

    /// <inheritdoc/>
    public void Before(Cpu cpu)
    {
        if (_free || Decide(cpu) is not { } stop)
            return;
        _stop = stop;
        _stands.Release();
        _go.Wait();
    }

    private DebugStop? Decide(Cpu cpu)
    {
        bool interrupt = (cpu.Daif & 2) == 0 && cpu.IrqLine;
        KernelTask task = _rig.Kernel.Scheduler.Current(cpu.Index);
        if (cpu.EL != 0 || interrupt || task.Mm is not { } memory)
            return null;
        var id = new ThreadId(task.Group.Pid, task.Tid);
        if (_begins)
        {
            _begins = !ReferenceEquals(task, _rig.Victim) || memory.Find(cpu.PC) is not { Name: "[vdso]" };
            return _begins ? null : new DebugStop(StopKind.Step, id);
        }
        if (_interrupted)
        {
            _interrupted = false;
            return new DebugStop(StopKind.Interrupt, id);
        }
        if (Breakpoints.Code.Contains((id.Pid, cpu.PC)))
            return new DebugStop(StopKind.Breakpoint, id, cpu.PC);
        foreach (ResumeAction action in _actions)
        {
            if (action.IsFor(id))
            {
                bool inside = cpu.PC >= action.Range.From && cpu.PC < action.Range.To;
                return action.Steps && !inside ? new DebugStop(StopKind.Step, id) : null;
            }
        }
        return null;
    }

    /// <inheritdoc/>
    public void After(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void Event(string text)
    {
        if (!_free)
            Tell?.Invoke($"* {text}\n");
    }

    /// <inheritdoc/>
    public override DebugStop Resume(IReadOnlyList<ResumeAction> actions, Func<bool> wanted)
    {
        _actions = actions;
        if (!_over)
        {
            _go.Release();
            _stands.Wait();
        }
        _ = wanted();
        if (!_over)
            return _stop;
        string end = _failure?.Message ?? (_outcome!.Failure is { } failure ? $"FAILED: {failure}" : "held");
        Tell?.Invoke(end + "\n");
        return new DebugStop(StopKind.Exited, _stop.Thread, _outcome is { Failure: null } ? 0u : 1u);
    }

    /// <inheritdoc/>
    public override void Detach(int pid)
    {
        if (_free)
            return;
        _free = true;
        _go.Release();
    }

    /// <inheritdoc/>
    public override void Kill(int pid) => Detach(pid);

    /// <inheritdoc/>
    public override void RequestStop() => _interrupted = true;

    /// <inheritdoc/>
    public override bool HasWatchpoints => false;

    /// <inheritdoc/>
    /// <remarks>Those of the process whose call is examined, the caller first; what others do, events say.</remarks>
    public override IReadOnlyList<ThreadId> Threads => _free || _over ? [] :
    [
        .. _processes.Threads.Where(t => t.Pid == _rig.Victim.Group.Pid).OrderBy(t => t.Tid == _rig.Victim.Tid ? 0 : 1),
    ];

    /// <inheritdoc/>
    public override string Name(ThreadId thread) => _processes.Name(thread);

    /// <inheritdoc/>
    public override bool ReadRegister(ThreadId thread, int register, Span<byte> value) =>
        _processes.ReadRegister(thread, register, value);

    /// <inheritdoc/>
    public override bool WriteRegister(ThreadId thread, int register, ReadOnlySpan<byte> value) =>
        _processes.WriteRegister(thread, register, value);

    /// <inheritdoc/>
    public override int ReadMemory(ThreadId thread, ulong address, Span<byte> bytes) => _processes.ReadMemory(thread, address, bytes);

    /// <inheritdoc/>
    public override bool WriteMemory(ThreadId thread, ulong address, ReadOnlySpan<byte> bytes) =>
        _processes.WriteMemory(thread, address, bytes);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> AuxiliaryVector(int pid) => _processes.AuxiliaryVector(pid);

    /// <inheritdoc/>
    public override string? ProgramOf(int pid) => _processes.ProgramOf(pid);

    /// <inheritdoc/>
    public override byte[]? File(int pid, string path) => _processes.File(pid, path);

    /// <inheritdoc/>
    public override (ulong Start, ulong End, string Permissions, string Name) Region(ThreadId thread, ulong address) =>
        _processes.Region(thread, address);

    /// <inheritdoc/>
    public override string Monitor(ThreadId thread, string[] words) => _processes.Monitor(thread, words);

    /// <inheritdoc/>
    public void Dispose()
    {
        Detach(-1);
        _thread.Join();
        _rig.Observer = null;
        _go.Dispose();
        _stands.Dispose();
    }
}
