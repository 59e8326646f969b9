using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Board;
using ArmVdso.Emulator.Memory;
using ArmVdso.Lab.Debug;

namespace ArmVdso.Lab.Boot;

/// <summary>A booted machine as a debugger of kernels sees it: a thread for each CPU, at whichever exception level it is, memory by the
/// tables that the CPU uses. The run is the one that nobody looks at, to the cycle, until something is changed.</summary>
public sealed class BoardTarget : DebugTarget
{
    private const int Process = 1;
    private readonly BootSession _session;
    private readonly Unit _unit;
    private readonly Queue<DebugStop> _stops = [];

    // CPUs that step, and whether their instruction is still to be executed.
    private readonly Dictionary<int, bool> _steps = [];

    /// <summary>Takes a session over; it stands.</summary>
    public BoardTarget(BootSession session)
    {
        _session = session;
        _unit = new Unit(this);
        Machine.Debug = _unit;
    }

    private Machine Machine => _session.Machine;

    /// <summary>How the guest ended; <see cref="BoardEnd.None"/>: it has not.</summary>
    private BoardEnd _end;

    /// <summary>Runs to the end, with nobody looking.</summary>
    /// <returns>As <see cref="BootSession.Run"/>.</returns>
    public BoardEnd Finish()
    {
        Machine.Debug = null;
        return _end == BoardEnd.None ? _session.Run() : _end;
    }

    private static ThreadId IdOf(Cpu cpu) => new(Process, cpu.Index + 1);

    private Cpu? Find(ThreadId thread) =>
        thread.Pid == Process && thread.Tid > 0 && thread.Tid <= Machine.Cpus.Count ? Machine.Cpus[thread.Tid - 1] : null;

    /// <inheritdoc/>
    public override IReadOnlyList<ThreadId> Threads => _left || _end != BoardEnd.None ? [] : [.. Machine.Cpus.Select(IdOf)];

    private bool _left;

    /// <inheritdoc/>
    public override string Name(ThreadId thread) => Find(thread) is not { } cpu ? "?" : cpu.Off
        ? $"cpu{cpu.Index} off" : $"cpu{cpu.Index} EL{cpu.EL}{(cpu.Waiting ? " waits" : "")}";

    /// <inheritdoc/>
    public override bool ReadRegister(ThreadId thread, int register, Span<byte> value)
    {
        if (Find(thread) is not { } cpu)
            return false;
        if (register is >= V0 and < V0 + 32)
        {
            Put(cpu.V(register - V0), value);
            return true;
        }
        ulong known = register switch
        {
            Sp => cpu.SP,
            Pc => cpu.PC,
            Cpsr => cpu.PackPstate(),
            Fpsr => cpu.FPSR,
            Fpcr => cpu.FPCR,
            Tpidr => cpu.TPIDR_EL0,
            Tpidrro => cpu.TPIDRRO_EL0,
            Cycle => cpu.Cycles,
            CpuNumber => (ulong)cpu.Index,
            _ => cpu.X(register),
        };
        Put(register, known, value);
        return true;
    }

    /// <inheritdoc/>
    public override bool WriteRegister(ThreadId thread, int register, ReadOnlySpan<byte> value)
    {
        if (Find(thread) is not { } cpu)
            return false;
        ulong low = Low(register, value);
        switch (register)
        {
            case Sp:
                cpu.SP = low;
                return true;
            case Pc:
                Jump(cpu, low);
                return true;
            case Cpsr:
                cpu.NZCV = (int)(low >> 28) & 15;
                return true;
            case < Sp:
                cpu.SetX(register, low);
                return true;
            default:
                return WriteHeld(cpu, register, value);
        }
    }

    /// <summary>What a debugger may look at, kernel or program.</summary>
    private static ReadOnlySpan<PagePermissions> Kinds =>
        [PagePermissions.KernelRead, PagePermissions.UserRead, PagePermissions.KernelExecute];

    private ulong? Physical(Cpu cpu, ulong va) => GuestKernel.Physical(Machine, cpu, va, Kinds);

    /// <inheritdoc/>
    public override int ReadMemory(ThreadId thread, ulong address, Span<byte> bytes) =>
        Find(thread) is { } cpu ? GuestKernel.Read(Machine, cpu, address, bytes, Kinds) : 0;

    /// <inheritdoc/>
    public override bool WriteMemory(ThreadId thread, ulong address, ReadOnlySpan<byte> bytes)
    {
        int done = 0;
        while (Find(thread) is { } cpu && done < bytes.Length && Physical(cpu, address + (ulong)done) is { } pa)
        {
            int n = Math.Min(bytes.Length - done, 4096 - (int)(pa & 4095));
            bytes.Slice(done, n).CopyTo(Machine.Memory.Span(pa, n));
            Machine.NotifyWrite(pa, n);
            Machine.InvalidateCode(pa, n);
            done += n;
        }
        return done == bytes.Length;
    }

    /// <inheritdoc/>
    public override (ulong Start, ulong End, string Permissions, string Name) Region(ThreadId thread, ulong address)
    {
        bool there = Find(thread) is { } cpu && Physical(cpu, address) is not null;
        ulong page = address & ~4095UL;
        return (page, page + 4096, there ? "rwx" : "", "");
    }

    /// <inheritdoc/>
    public override DebugStop Resume(IReadOnlyList<ResumeAction> actions, Func<bool> wanted)
    {
        _steps.Clear();
        foreach (Cpu cpu in Machine.Cpus)
        {
            if (actions.FirstOrDefault(a => a.IsFor(IdOf(cpu))).Steps)
                _steps[cpu.Index] = true;
        }
        if (Breakpoints.Changed)
            _unit.Set(Breakpoints.Code.Select(b => b.Address), Breakpoints.Data.Select(w => w.Watchpoint));
        Breakpoints.Changed = false;
        if (_stops.TryDequeue(out DebugStop? waiting))
            return waiting;
        bool stop = false;
        BoardEnd? end = _session.RunUntil(() => _stops.Count > 0 || (stop = wanted()));
        if (_stops.TryDequeue(out DebugStop? there))
            return there;
        if (stop || end is null)
            return new DebugStop(StopKind.Interrupt, IdOf(Machine.Interrupted ?? Machine.Cpus[0]));
        _end = end.Value;
        return new DebugStop(StopKind.Exited, new ThreadId(Process, 1));
    }

    private void Report(DebugStop stop)
    {
        _stops.Enqueue(stop);
        Machine.StopRequested = true;
    }

    /// <inheritdoc/>
    public override void Detach(int pid)
    {
        Breakpoints.Clear(-1);
        _steps.Clear();
        _left = true;
    }

    /// <inheritdoc/>
    public override void Kill(int pid)
    {
        Detach(pid);
        _session.Interrupt();
    }

    /// <inheritdoc/>
    public override void RequestStop() => Machine.StopRequested = true;

    /// <inheritdoc/>
    public override string Monitor(ThreadId thread, string[] words)
    {
        if (words is not ["where"])
            return "monitor where  cycles of each CPU, and the kernel's function and task there\n";
        var text = new StringBuilder();
        foreach (Cpu cpu in Machine.Cpus)
        {
            string place = cpu.Off ? "off" : cpu.EL == 0 ? $"EL0 0x{cpu.PC:x}" : $"EL1 {_session.Kernel.FunctionAt(cpu.PC).Name}";
            text.Append(CultureInfo.InvariantCulture, $"cpu{cpu.Index}  {cpu.Cycles} cycles  {place}  {_session.Kernel.TaskOf(cpu)}\n");
        }
        return text.ToString();
    }

    private sealed class Unit(BoardTarget target) : DebugUnit(target.Machine)
    {
        public override bool Singly(Cpu cpu) => target._steps.ContainsKey(cpu.Index);

        public override bool Stops(Cpu cpu)
        {
            if (IsBreakpoint(cpu.PC))
            {
                target.Report(new DebugStop(StopKind.Breakpoint, IdOf(cpu), cpu.PC));
                return true;
            }
            if (!target._steps.TryGetValue(cpu.Index, out bool fresh))
                return false;
            target._steps[cpu.Index] = false;
            if (!fresh)
                target.Report(new DebugStop(StopKind.Step, IdOf(cpu)));
            return !fresh;
        }

        public override bool Accesses(Cpu cpu, in Watchpoint watchpoint, ulong va)
        {
            ulong at = Math.Clamp(va, watchpoint.Address, watchpoint.Address + watchpoint.Length - 1);
            target.Report(new DebugStop(StopKind.Watchpoint, IdOf(cpu), at, "", watchpoint.Kind));
            return true;
        }

        public override void Entered(Cpu cpu, int fromEL)
        {
        }

        public override void Reached() => target.Machine.StopRequested = true;
    }
}
