using System.Buffers.Binary;

namespace ArmVdso.Lab.Debug;

/// <summary>A thread as debuggers name it.</summary>
/// <param name="Pid">Process.</param>
/// <param name="Tid">Thread.</param>
public readonly record struct ThreadId(int Pid, int Tid);

/// <summary>How a stop of the machine came about.</summary>
public enum StopKind
{
    /// <summary>A wish of the debugger (Ctrl-C).</summary>
    Interrupt,

    /// <summary>Nobody can run any more.</summary>
    Stuck,

    /// <summary>A step is done.</summary>
    Step,

    /// <summary>A breakpoint.</summary>
    Breakpoint,

    /// <summary>A watchpoint; the address is the value.</summary>
    Watchpoint,

    /// <summary>A signal is about to be taken; its number is the value.</summary>
    Signal,

    /// <summary>A system call begins; its number is the value.</summary>
    SyscallEntry,

    /// <summary>A system call has ended.</summary>
    SyscallReturn,

    /// <summary>A child was made; its number is the value.</summary>
    Fork,

    /// <summary>A child was made that borrows its parent's memory.</summary>
    Vfork,

    /// <summary>It has given it back.</summary>
    VforkDone,

    /// <summary>A program was started; its path is the text.</summary>
    Exec,

    /// <summary>A process ended; its status is the value.</summary>
    Exited,

    /// <summary>A signal ended a process; its number is the value.</summary>
    Killed,

    /// <summary>The beginning or end of what can be executed again was reached, going backwards.</summary>
    NoHistory,
}

/// <summary>A stop.</summary>
/// <param name="Kind">How it came about.</param>
/// <param name="Thread">The thread that it is of.</param>
/// <param name="Value">What the kind says.</param>
/// <param name="Text">What the kind says.</param>
/// <param name="Watch">Which accesses the watchpoint looks at.</param>
public sealed record DebugStop(StopKind Kind, ThreadId Thread, ulong Value = 0, string Text = "", WatchKind Watch = default);

/// <summary>What a debugger wants of a thread.</summary>
/// <param name="Pid">Process; -1: all.</param>
/// <param name="Tid">Thread; -1: all of the process.</param>
/// <param name="Steps">Whether it steps.</param>
/// <param name="Signal">Linux number of the signal that it gets; 0: none.</param>
/// <param name="Range">Addresses that steps go on in, first and behind the last one; (0, 0): one step.</param>
public readonly record struct ResumeAction(int Pid, int Tid, bool Steps, int Signal, (ulong From, ulong To) Range)
{
    /// <summary>Whether the action is for a thread.</summary>
    public bool IsFor(ThreadId thread) => (Pid == -1 || Pid == thread.Pid) && (Tid == -1 || Tid == thread.Tid);
}

/// <summary>What a debugger connected by <see cref="GdbServer"/> debugs. Everything is asked while the machine stands.</summary>
public abstract class DebugTarget
{
    /// <summary>Registers by number: X0 to X30, SP, PC, PSTATE, V0 to V31, FPSR, FPCR, TPIDR, and ours.</summary>
    public const int Sp = 31, Pc = 32, Cpsr = 33, V0 = 34, Fpsr = 66, Fpcr = 67, Tpidr = 68, Tpidrro = 69, Cycle = 70, CpuNumber = 71,
        RegisterCount = 72;

    /// <summary>Bytes of a register.</summary>
    public static int SizeOf(int register) => register switch
    {
        Cpsr or Fpsr or Fpcr or CpuNumber => 4,
        >= V0 and < V0 + 32 => 16,
        _ => 8,
    };

    /// <summary>Puts a register of 4 or 8 bytes.</summary>
    protected static void Put(int register, ulong value, Span<byte> bytes)
    {
        if (SizeOf(register) == 4)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
    }

    /// <summary>Puts a V register.</summary>
    protected static void Put(V128 value, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Lo);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], value.Hi);
    }

    /// <summary>A register of 4 or 8 bytes, or the lower half of a V register.</summary>
    protected static ulong Low(int register, ReadOnlySpan<byte> bytes) =>
        SizeOf(register) == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    /// <summary>Has a CPU go on at another address.</summary>
    protected static void Jump(Cpu cpu, ulong pc) => (cpu.PC, cpu.NextPC, cpu.BType, cpu.BTypeNext) = (pc, pc, 0, 0);

    /// <summary>Writes a register that a CPU holds for EL0 whatever it does: V, FPSR, FPCR, TPIDR. False: it is none of them.</summary>
    protected static bool WriteHeld(Cpu cpu, int register, ReadOnlySpan<byte> bytes)
    {
        ulong low = Low(register, bytes);
        switch (register)
        {
            case >= V0 and < V0 + 32:
                cpu.SetV(register - V0, new V128(low, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])));
                return true;
            case Fpsr:
                cpu.FPSR = (uint)low;
                return true;
            case Fpcr:
                cpu.FPCR = (uint)low;
                return true;
            case Tpidr:
                cpu.TPIDR_EL0 = low;
                return true;
            default:
                return false;
        }
    }

    /// <summary>What may stop it, as the debugger said last.</summary>
    public BreakpointList Breakpoints { get; } = new();

    /// <summary>System calls that stop; null: none, empty: all.</summary>
    public IReadOnlySet<int>? CaughtCalls { get; set; }

    /// <summary>Signals, by Linux number, that do not stop.</summary>
    public IReadOnlySet<int> PassedSignals { get; set; } = new HashSet<int>();

    /// <summary>Which events the debugger knows: fork, vfork, exec.</summary>
    public bool ReportsForks { get; set; }

    /// <inheritdoc cref="ReportsForks"/>
    public bool ReportsVforks { get; set; }

    /// <inheritdoc cref="ReportsForks"/>
    public bool ReportsExecs { get; set; }

    /// <summary>Whether watchpoints stop it; else a debugger steps and compares.</summary>
    public virtual bool HasWatchpoints => true;

    /// <summary>Where text for the person at the debugger goes, in whole lines.</summary>
    public Action<string>? Tell { get; set; }

    /// <summary>Whether the machine may go backwards.</summary>
    public virtual bool CanReverse => false;

    /// <summary>The threads of all processes that are debugged.</summary>
    public abstract IReadOnlyList<ThreadId> Threads { get; }

    /// <summary>A thread's name, for lists.</summary>
    public abstract string Name(ThreadId thread);

    /// <summary>Reads a register, little-endian. False: it is not there, or its value is not known now.</summary>
    public abstract bool ReadRegister(ThreadId thread, int register, Span<byte> value);

    /// <summary>Writes one. False: it cannot be written now.</summary>
    public abstract bool WriteRegister(ThreadId thread, int register, ReadOnlySpan<byte> value);

    /// <summary>Reads memory as a thread sees it: bytes read before something is not mapped.</summary>
    public abstract int ReadMemory(ThreadId thread, ulong address, Span<byte> bytes);

    /// <summary>Writes memory. False: not all of it can be written.</summary>
    public abstract bool WriteMemory(ThreadId thread, ulong address, ReadOnlySpan<byte> bytes);

    /// <summary>The auxiliary vector of a process; empty: there is none.</summary>
    public virtual ReadOnlySpan<byte> AuxiliaryVector(int pid) => [];

    /// <summary>siginfo of the signal that a thread has stopped for; empty: there is none.</summary>
    public virtual ReadOnlySpan<byte> SignalOf(ThreadId thread) => [];

    /// <summary>The path of a process's program, as the guest sees it; null: there is none.</summary>
    public virtual string? ProgramOf(int pid) => null;

    /// <summary>The whole of a file of the guest, as a process sees it; null: there is none.</summary>
    public virtual byte[]? File(int pid, string path) => null;

    /// <summary>What is around an address: where it begins and ends, its name, and r, w, x; empty: nothing is mapped there.</summary>
    public abstract (ulong Start, ulong End, string Permissions, string Name) Region(ThreadId thread, ulong address);

    /// <summary>Runs until something is to be reported.</summary>
    /// <param name="actions">What threads do; the first that is for a thread counts.</param>
    /// <param name="wanted">Whether a stop is wanted, asked when the machine stops.</param>
    public abstract DebugStop Resume(IReadOnlyList<ResumeAction> actions, Func<bool> wanted);

    /// <summary>Goes backwards until something is to be reported.</summary>
    /// <param name="thread">The thread that steps; null: none does.</param>
    /// <param name="wanted">Whether a stop is wanted.</param>
    public virtual DebugStop Reverse(ThreadId? thread, Func<bool> wanted) => throw new NotSupportedException();

    /// <summary>A process is not debugged any more, and goes on.</summary>
    /// <param name="pid">Process; -1: all of them.</param>
    public abstract void Detach(int pid);

    /// <summary>A process is to end.</summary>
    /// <param name="pid">Process; -1: all of them.</param>
    public abstract void Kill(int pid);

    /// <summary>Makes a running machine stop, from any thread.</summary>
    public abstract void RequestStop();

    /// <summary>Answers a command of "monitor".</summary>
    /// <param name="thread">The thread that is looked at.</param>
    /// <param name="words">The command.</param>
    /// <returns>Text of whole lines.</returns>
    public abstract string Monitor(ThreadId thread, string[] words);
}

/// <summary>Breakpoints and watchpoints of a debugger, by process.</summary>
public sealed class BreakpointList
{
    private readonly HashSet<(int Pid, ulong Address)> _breakpoints = [];
    private readonly HashSet<(int Pid, Watchpoint Watchpoint)> _watchpoints = [];

    /// <summary>Whether there was a change since <see cref="Changed"/> was set to false.</summary>
    public bool Changed { get; set; }

    /// <summary>Breakpoints with their process.</summary>
    public IReadOnlySet<(int Pid, ulong Address)> Code => _breakpoints;

    /// <summary>Watchpoints with their process.</summary>
    public IReadOnlySet<(int Pid, Watchpoint Watchpoint)> Data => _watchpoints;

    /// <summary>Puts a breakpoint somewhere, or takes it away.</summary>
    public void Put(int pid, ulong address, bool there)
    {
        if (there)
            Changed |= _breakpoints.Add((pid, address));
        else
            Changed |= _breakpoints.Remove((pid, address));
    }

    /// <summary>Watches bytes, or does not any more.</summary>
    public void Put(int pid, Watchpoint watchpoint, bool there)
    {
        if (there)
            Changed |= _watchpoints.Add((pid, watchpoint));
        else
            Changed |= _watchpoints.Remove((pid, watchpoint));
    }

    /// <summary>Takes all of a process away.</summary>
    /// <param name="pid">Process; -1: all.</param>
    public void Clear(int pid)
    {
        Changed |= _breakpoints.RemoveWhere(b => pid == -1 || b.Pid == pid) + _watchpoints.RemoveWhere(w => pid == -1 || w.Pid == pid) > 0;
    }
}
