using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>Which accesses a watchpoint looks at.</summary>
[Flags]
public enum WatchKind
{
    /// <summary>Stores.</summary>
    Write = 1,

    /// <summary>Loads.</summary>
    Read = 2,

    /// <summary>Both.</summary>
    Any = Write | Read,
}

/// <summary>Bytes of virtual memory that are watched.</summary>
/// <param name="Address">The first one, without a tag.</param>
/// <param name="Length">How many.</param>
/// <param name="Kind">Which accesses.</param>
public readonly record struct Watchpoint(ulong Address, ulong Length, WatchKind Kind)
{
    /// <summary>Whether an access touches one of the bytes.</summary>
    public bool Covers(ulong va, ulong size, bool write) =>
        va < Address + Length && Address < va + size && (Kind & (write ? WatchKind.Write : WatchKind.Read)) != 0;
}

/// <summary>What an engine does next on behalf of a debugger.</summary>
internal enum DebugAction
{
    /// <summary>Whatever it would do.</summary>
    Run,

    /// <summary>One instruction.</summary>
    Step,

    /// <summary>Nothing: a stop is requested.</summary>
    Stop,
}

/// <summary>A debugger outside of the machine, as external debug is outside of a core: breakpoints and watchpoints are comparators, so code
/// in memory stays as it is. The machine stops before the instruction that one of them is for, at the same cycle and in the same state of
/// everything as a run that nobody watches, with every engine. Whether a place counts for what a PE is running, and what else is worth a
/// stop, a derived class decides; it requests the stop (<see cref="Machine.StopRequested"/>).</summary>
[NotState("who looks")]
public abstract class DebugUnit
{
    private readonly IMachine _machine;

    // Where blocks end and which pages are slow: once it is so, it stays. Debuggers take breakpoints away and put them back at each stop.
    private readonly HashSet<ulong> _places = [];
    private readonly Dictionary<ulong, WatchKind> _pages = [];
    private readonly HashSet<ulong> _breakpoints = [];
    private readonly List<Watchpoint> _watchpoints = [];

    /// <summary>A debugger of a machine; <see cref="Machine.Debug"/> attaches it.</summary>
    protected DebugUnit(IMachine machine) => _machine = machine;

    /// <summary>Watchpoints that are set.</summary>
    public IReadOnlyList<Watchpoint> Watchpoints => _watchpoints;

    /// <summary>The breakpoints and watchpoints from now on. While the machine does not run.</summary>
    /// <param name="breakpoints">Virtual addresses.</param>
    /// <param name="watchpoints">Watchpoints.</param>
    public void Set(IEnumerable<ulong> breakpoints, IEnumerable<Watchpoint> watchpoints)
    {
        _breakpoints.Clear();
        _watchpoints.Clear();
        bool places = false, pages = false;
        foreach (ulong address in breakpoints)
        {
            _breakpoints.Add(address);
            places |= _places.Add(address);
        }
        foreach (Watchpoint watchpoint in watchpoints)
        {
            _watchpoints.Add(watchpoint);
            for (ulong page = watchpoint.Address >> 12; page <= (watchpoint.Address + watchpoint.Length - 1) >> 12; page++)
            {
                WatchKind known = _pages.GetValueOrDefault(page);
                pages |= (known | watchpoint.Kind) != known;
                _pages[page] = known | watchpoint.Kind;
            }
        }
        if (places)
            _machine.InvalidateCode(0, _machine.Memory.Size);
        if (!pages)
            return;
        foreach (Cpu cpu in _machine.Cpus)
            cpu.InvalidateTlbAll();
    }

    /// <summary>Whether a PE must execute one instruction at a time now, so that <see cref="Stops"/> is asked before each.</summary>
    public abstract bool Singly(Cpu cpu);

    /// <summary>Asked before the instruction at PC of a PE, at a breakpoint and while <see cref="Singly"/> says so. True: a stop was
    /// requested, and the instruction has not been executed.</summary>
    public abstract bool Stops(Cpu cpu);

    /// <summary>Asked before an instruction that makes an access at which a watchpoint looks; as <see cref="Stops"/>.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="watchpoint">The watchpoint.</param>
    /// <param name="va">Where the access begins.</param>
    public abstract bool Accesses(Cpu cpu, in Watchpoint watchpoint, ulong va);

    /// <summary>An exception was taken to EL1; PC is its vector, the general registers are those of where it was taken from.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="fromEL">Where it came from.</param>
    public abstract void Entered(Cpu cpu, int fromEL);

    /// <summary>Whether there is a breakpoint at an address.</summary>
    public bool IsBreakpoint(ulong address) => _breakpoints.Contains(address);

    /// <summary>Whether a block may not go over an address.</summary>
    internal bool Splits(ulong address) => _places.Contains(address);

    /// <summary>Which accesses to the page of an address are looked at one by one.</summary>
    internal WatchKind WatchedIn(ulong va) => _pages.Count > 0 ? _pages.GetValueOrDefault(va >> 12) : 0;

    /// <summary>Whether a watchpoint looks at an access.</summary>
    internal bool Covers(ulong va, ulong size, bool write)
    {
        foreach (Watchpoint watchpoint in _watchpoints)
        {
            if (watchpoint.Covers(va, size, write))
                return true;
        }
        return false;
    }

    /// <summary>Whether any watchpoint is set.</summary>
    internal bool HasWatchpoints => _watchpoints.Count > 0;

    // Instructions that a PE may execute before a debugger is asked again: a turn has at most 100,000 cycles, of a few instructions each.
    private const ulong MostInTurn = 500_000;

    private (Cpu Cpu, ulong Instructions)? _goal;

    /// <summary>Where a run is to end: when a PE has executed so many instructions since reset (<see cref="Cpu.Instructions"/>), before
    /// anything else happens there. Null: nowhere.</summary>
    public void RunTo(Cpu? cpu, ulong instructions) => _goal = cpu is null ? null : (cpu, instructions);

    /// <summary>The place of <see cref="RunTo"/> is reached: request a stop.</summary>
    public abstract void Reached();

    internal DebugAction Before(Cpu cpu)
    {
        ulong left = ulong.MaxValue;
        if (_goal is { } goal && ReferenceEquals(goal.Cpu, cpu))
        {
            left = goal.Instructions - cpu.Instructions;
            if (left == 0)
            {
                _goal = null;
                Reached();
                return DebugAction.Stop;
            }
        }
        // An interrupt comes first; the instruction is still to be executed when it is over.
        if (cpu.InterruptTaken)
            return DebugAction.Run;
        bool singly = Singly(cpu) || left <= MostInTurn;
        if ((singly || _breakpoints.Contains(cpu.PC)) && Stops(cpu))
            return DebugAction.Stop;
        return singly ? DebugAction.Step : DebugAction.Run;
    }
}
