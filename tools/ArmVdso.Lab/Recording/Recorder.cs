using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Recording;

/// <summary>Sees what happens in a machine and writes it to a recording. It only looks: the guest executes the same instructions in the
/// same cycles as without it. Exceptions and ERETs say what begins and ends; whose they are, the kernel says.</summary>
public abstract class Recorder : IMachineObserver
{
    /// <summary>Cycles between two records of a CPU's counters.</summary>
    private const ulong CounterInterval = 1_000_000;

    private const int Execve = 221, Execveat = 281, RtSigreturn = 139;

    /// <summary>An exception that has not returned.</summary>
    /// <param name="Exit">The event of its return.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Cycle">The CPU's cycle when it was taken.</param>
    /// <param name="Return">ELR.</param>
    /// <param name="Stack">SP_EL0 then: the stack of the code at EL0 that it was taken from.</param>
    /// <param name="Number">Of a system call, its number.</param>
    private protected readonly record struct Open(
        RecordedKind Exit, string Name, ulong Cycle, ulong Return, ulong Stack, int Number = 0);

    /// <summary>What a task is in.</summary>
    private sealed class InKernel
    {
        internal readonly Stack<Open> Open = [];

        /// <summary>Cycles charged to its system call on CPUs that it has left, and what its CPU had charged when it came.</summary>
        internal ulong Charged, Before;
    }

    private readonly RecordingWriter _writer;
    private readonly RecordedSet _set;
    private readonly PmuEvent[] _counters;
    private readonly long[] _counted;
    private readonly ulong[] _next;
    private readonly Dictionary<object, InKernel> _tasks = [];

    /// <summary>Where and when each task that waits to run again, by number, has left its CPU.</summary>
    private readonly Dictionary<int, (int Cpu, ulong Cycle)> _left = [];

    private protected Recorder(Machine machine, RecordingWriter writer, RecordedSet set)
    {
        (_writer, _set) = (writer, set);
        _counters = [.. CountersOf(machine)];
        _counted = new long[_counters.Length];
        _next = new ulong[machine.Cpus.Count];
    }

    /// <summary>The counters that a recording has: both exception levels together.</summary>
    internal static IEnumerable<PmuEvent> CountersOf(Machine machine) => PmuEvent.All.Where(
        e => machine.Cpus[0].Timing.CountsEvents || e.Number is PmuEvent.CpuCycles or PmuEvent.InstRetired);

    /// <summary>The task that a CPU executes: a key for what is open in it, and its name.</summary>
    private protected abstract (object Key, RecordedTask Name) Current(Cpu cpu);

    private protected bool Wants(RecordedSet set) => (_set & set) != 0;

    private protected void Add(
        RecordedKind kind, Cpu cpu, RecordedTask task, string name, ReadOnlySpan<long> values, RecordedTask? other = null,
        string detail = "")
    {
        if (!Wants(RecordedKinds.SetOf(kind)))
            return;
        Count(cpu, task, cpu.Cycles >= _next[cpu.Index]);
        _writer.Add(kind, cpu.Cycles, cpu.Index, task, name, values, other, detail);
    }

    /// <summary>A task has called a function of the vDSO.</summary>
    private protected void VdsoEntered(Cpu cpu, RecordedTask task, CallInVdso call) =>
        Add(RecordedKind.VdsoEnter, cpu, task, call.Name, [.. call.Arguments.Select(a => (long)a)]);

    /// <summary>A function of the vDSO has returned, after so many cycles of the CPU.</summary>
    private protected void VdsoReturned(Cpu cpu, RecordedTask task, CallInVdso call, long result, ulong cycles) =>
        Add(RecordedKind.VdsoExit, cpu, task, call.Name, [result, (long)cycles], detail: call.Reason ?? "");

    /// <summary>Records a switch, and a migration where the next task ran on another CPU before.</summary>
    /// <param name="cpu">Where.</param>
    /// <param name="previous">The task that leaves.</param>
    /// <param name="next">The task that comes.</param>
    /// <param name="state">The state in which the previous one leaves; -1: unknown.</param>
    /// <param name="ended">The previous one will not run again.</param>
    private protected void Switched(Cpu cpu, RecordedTask previous, RecordedTask next, long state, bool ended = false)
    {
        Add(RecordedKind.Switch, cpu, next, "", [state], previous);
        if (previous.Tid > 0 && !ended)
            _left[previous.Tid] = (cpu.Index, cpu.Cycles);
        if (_left.Remove(next.Tid, out (int Cpu, ulong Cycle) left) && left.Cpu != cpu.Index)
            Add(RecordedKind.Migration, cpu, next, "", [left.Cpu, (long)left.Cycle]);
    }

    private void Count(Cpu cpu, RecordedTask task, bool due)
    {
        if (!due || !Wants(RecordedSet.Counters))
            return;
        _next[cpu.Index] = cpu.Cycles + CounterInterval;
        TimingCounters el0 = cpu.Timing.Counters(0), el1 = cpu.Timing.Counters(1);
        for (int i = 0; i < _counters.Length; i++)
            _counted[i] = (long)(_counters[i].Count(el0) + _counters[i].Count(el1));
        _writer.Add(RecordedKind.Counters, cpu.Cycles, cpu.Index, task, "", _counted);
    }

    /// <summary>Writes what the CPUs have counted at the end of the run.</summary>
    public void Finish(Machine machine)
    {
        foreach (Cpu cpu in machine.Cpus)
            Count(cpu, Current(cpu).Name, true);
    }

    /// <inheritdoc/>
    public virtual bool WantsInstructions => false;

    /// <inheritdoc/>
    public virtual void OnInstruction(Cpu cpu, uint instruction)
    {
    }

    /// <inheritdoc/>
    public abstract void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue);

    /// <summary>A task has made a system call, with its return address.</summary>
    private protected virtual void SystemCall(Cpu cpu, ulong back)
    {
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        (object key, RecordedTask task) = Current(cpu);
        if (!_tasks.TryGetValue(key, out InKernel? kernel))
            _tasks[key] = kernel = new InKernel();
        // At EL0 nothing is open in the kernel; what an exec or an end left is not.
        if (fromEL == 0)
            kernel.Open.Clear();
        var exception = (ExceptionClass)(cpu.ESR_EL1 >> 26 & 63);
        Open open;
        if (offset != 0)
        {
            open = new Open(RecordedKind.InterruptExit, "irq", cpu.Cycles, cpu.ELR_EL1, cpu.SP_EL0);
            Add(RecordedKind.InterruptEnter, cpu, task, open.Name, [(long)cpu.ELR_EL1, fromEL]);
        }
        else if (fromEL == 0 && exception == ExceptionClass.Svc64)
        {
            int number = (int)cpu.X(8);
            open = new Open(RecordedKind.SyscallExit, SyscallTable.NameOf(number), cpu.Cycles, cpu.ELR_EL1, cpu.SP_EL0, number);
            (kernel.Charged, kernel.Before) = (0, cpu.Timing.ChargedCycles);
            SystemCall(cpu, cpu.ELR_EL1);
            Add(RecordedKind.SyscallEnter, cpu, task, open.Name,
                [number, (long)cpu.X(0), (long)cpu.X(1), (long)cpu.X(2), (long)cpu.X(3), (long)cpu.X(4), (long)cpu.X(5)]);
        }
        else
        {
            open = new Open(RecordedKind.FaultExit, NameOf(exception), cpu.Cycles, cpu.ELR_EL1, cpu.SP_EL0);
            Add(RecordedKind.FaultEnter, cpu, task, open.Name,
                [(long)cpu.FAR_EL1, (long)cpu.ELR_EL1, (long)cpu.ESR_EL1, fromEL]);
        }
        kernel.Open.Push(open);
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
        (object key, RecordedTask task) = Current(cpu);
        Open? taken = null;
        if (_tasks.TryGetValue(key, out InKernel? kernel))
        {
            while (kernel.Open.TryPop(out Open open))
            {
                Close(cpu, task, open, kernel);
                taken = open;
                if (cpu.EL == 1)
                    return;
            }
        }
        if (cpu.EL == 0)
            WentOn(cpu, task, taken);
    }

    /// <summary>A task goes on at EL0, at NextPC.</summary>
    /// <param name="cpu">Where.</param>
    /// <param name="task">The task.</param>
    /// <param name="taken">The exception that it was in; null: none, it begins.</param>
    private protected virtual void WentOn(Cpu cpu, RecordedTask task, Open? taken)
    {
    }

    /// <summary>Whether a task that goes on does so in another program: its execve has no place to return to.</summary>
    private protected static bool HasStarted(Cpu cpu, Open taken) =>
        taken.Exit == RecordedKind.SyscallExit && taken.Number is Execve or Execveat && cpu.NextPC != taken.Return;

    private void Close(Cpu cpu, RecordedTask task, Open open, InKernel kernel)
    {
        // Clocks of CPUs differ by less than a quantum.
        long cycles = Math.Max(0, (long)(cpu.Cycles - open.Cycle));
        if (open.Exit != RecordedKind.SyscallExit)
        {
            Add(open.Exit, cpu, task, open.Name, [cycles]);
            return;
        }
        // The ERET's target: PC is still that of the ERET.
        bool elsewhere = cpu.NextPC != open.Return;
        string detail = open.Number is RtSigreturn ? "returns from a signal handler"
            : HasStarted(cpu, open) ? "started a program"
            : elsewhere ? "interrupted by a signal" : "";
        long result = detail.Length == 0 ? (long)cpu.X(0) : 0;
        Add(RecordedKind.SyscallExit, cpu, task, open.Name,
            [open.Number, result, cycles, (long)(kernel.Charged + cpu.Timing.ChargedCycles - kernel.Before)], detail: detail);
    }

    /// <summary>A task leaves its CPU.</summary>
    private protected void Left(Cpu cpu, object key)
    {
        if (_tasks.TryGetValue(key, out InKernel? kernel))
            kernel.Charged += cpu.Timing.ChargedCycles - kernel.Before;
    }

    /// <summary>A task comes to a CPU.</summary>
    private protected void Came(Cpu cpu, object key)
    {
        if (_tasks.TryGetValue(key, out InKernel? kernel))
            kernel.Before = cpu.Timing.ChargedCycles;
    }

    /// <summary>A task will execute no more.</summary>
    private protected void Forget(object key) => _tasks.Remove(key);

    private static string NameOf(ExceptionClass exception) => exception switch
    {
        ExceptionClass.InstructionAbortLower or ExceptionClass.InstructionAbortSame => "instruction abort",
        ExceptionClass.DataAbortLower or ExceptionClass.DataAbortSame => "data abort",
        ExceptionClass.Unknown => "undefined instruction",
        ExceptionClass.TrappedSystem => "trapped system instruction",
        ExceptionClass.PCAlignment => "PC alignment",
        ExceptionClass.SPAlignment => "SP alignment",
        ExceptionClass.Brk => "breakpoint instruction",
        _ => exception.ToString(),
    };
}
