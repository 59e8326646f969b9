using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Runs the hooks of a design: A64 code at EL1 that the kernel model calls in the middle of its own work, on the CPU whose call
/// it serves, to its end. The instructions are executed, timed and counted like those around them.</summary>
internal sealed class HookCalls
{
    /// <summary>Instructions that a hook may take before it counts as a hang.</summary>
    private const int Patience = 100_000;

    // Nothing is there: a hook that returns to it has ended.
    private const ulong ReturnAddress = HookModule.Base - 16;

    private readonly Machine _machine;
    private readonly MachineClock _clock;
    private readonly HookModule _module;
    private readonly ulong _firstStack;
    private readonly TaskTable _tasks;
    private readonly Action<KernelTask> _refresh;
    private readonly ulong _cpuRecords;
    private string? _running;
    private Cpu? _runningOn;
    private KernelTask? _about;

    /// <summary>The hooks of a run.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="clock">Which CPU has called the model.</param>
    /// <param name="pages">Where a stack for the time before the first instruction comes from.</param>
    /// <param name="tasks">The tasks that hooks may name.</param>
    /// <param name="module">The hooks.</param>
    /// <param name="cpuRecords">Physical address of the records of the CPUs.</param>
    /// <param name="refresh">Has a task's slot filled again before it is in EL0.</param>
    internal HookCalls(
        Machine machine, MachineClock clock, PageAllocator pages, TaskTable tasks, HookModule module, ulong cpuRecords,
        Action<KernelTask> refresh)
    {
        _machine = machine;
        _clock = clock;
        _tasks = tasks;
        _module = module;
        _cpuRecords = cpuRecords;
        _refresh = refresh;
        _firstStack = El1Image.Linear(pages.AllocateHigh(1) + PhysicalMemory.PageSize);
    }

    /// <summary>Why a hook could not be run to its end, in one line; null: all did.</summary>
    internal string? Failure { get; private set; }

    /// <summary>Called before and after each instruction of a hook that the model runs; null: nobody looks.</summary>
    internal (Action<Cpu> Before, Action<Cpu> After)? Watch { get; set; }

    /// <summary>Whether the design has a hook.</summary>
    internal bool Has(string hook) => _module.Symbols.ContainsKey(hook);

    /// <summary>Kernel address of a CPU's record.</summary>
    internal ulong RecordOf(int cpu) => El1Image.Linear(_cpuRecords + CpuRecord.Size * (ulong)cpu);

    /// <summary>Whether an HVC comes from hooks: from one that the model runs, or from one on the way of a switch.</summary>
    internal bool Own(Cpu cpu) => ReferenceEquals(_runningOn, cpu) || HookModule.Contains(cpu.PC);

    /// <summary>Runs a hook, if the design has it.</summary>
    /// <param name="hook">Its name.</param>
    /// <param name="task">The task that it is about, which may be so new that nobody finds it by its record; null: none.</param>
    /// <param name="arguments">Up to eight.</param>
    internal void Call(string hook, KernelTask? task, params ReadOnlySpan<ulong> arguments)
    {
        if (Failure is not null || !_module.Symbols.TryGetValue(hook, out ulong address))
            return;
        if (_running is not null)
            throw new InvalidOperationException($"{hook} inside of {_running}");
        Cpu cpu = _clock.Active ?? _machine.Cpus[0];
        bool booted = _clock.Active is not null;
        Run(hook, address, task, cpu, booted ? cpu.SP & ~15UL : _firstStack, arguments);
    }

    /// <summary>Asks a function of the hooks that is none, an invariant, while a CPU is at EL0.</summary>
    /// <param name="invariant">Its name.</param>
    /// <param name="task">The task that it is about.</param>
    /// <param name="cpu">The CPU that runs it.</param>
    /// <param name="tables">What TTBR1_EL1 is at EL1, where it is another at EL0 (KPTI).</param>
    /// <param name="arguments">Up to eight.</param>
    /// <returns>What it answers.</returns>
    internal ulong Ask(string invariant, KernelTask task, Cpu cpu, ulong tables, params ReadOnlySpan<ulong> arguments)
    {
        ulong before = cpu.TTBR1_EL1;
        cpu.WriteTtbr1(tables);
        ulong answer = Run(invariant, _module.Symbols[invariant], task, cpu, _firstStack, arguments);
        cpu.WriteTtbr1(before);
        return answer;
    }

    private ulong Run(string name, ulong address, KernelTask? task, Cpu cpu, ulong stack, ReadOnlySpan<ulong> arguments)
    {
        Cpu.OutsideCall call = cpu.BeginCall(address, ReturnAddress, stack, arguments);
        // Before the first instruction nobody has set it.
        cpu.TPIDR_EL1 = RecordOf(cpu.Index);
        (_running, _runningOn) = (name, cpu);
        _about = task;
        for (int i = 0; cpu.PC != ReturnAddress && Failure is null; i++)
        {
            if (i == Patience)
            {
                Fail(cpu, $"did not return within {Patience} instructions");
                break;
            }
            Watch?.Before(cpu);
            cpu.Step();
            Watch?.After(cpu);
        }
        (_running, _runningOn) = (null, null);
        ulong answer = cpu.X(0);
        cpu.EndCall(call);
        return answer;
    }

    /// <summary>HVC of a hook.</summary>
    internal void Serve(Cpu cpu, HypercallNumber number)
    {
        if (number == HypercallNumber.VdsoRefresh)
        {
            bool about = ReferenceEquals(_runningOn, cpu) && _about is { } one && El1Image.Linear(one.RecordPa) == cpu.X(0);
            if ((about ? _about : _tasks.FindRecord(cpu.X(0))) is { } task)
                _refresh(task);
            else
                Fail(cpu, $"asked for a refresh of 0x{cpu.X(0):x}, which is no task");
            return;
        }
        if (number == HypercallNumber.VdsoPutUser && ReferenceEquals(_runningOn, cpu) && _about?.Mm is { } memory)
        {
            cpu.SetX(0, memory.Write(cpu.X(0), cpu.X(1)) ? 0UL : 1);
            return;
        }
        Fail(cpu, number is HypercallNumber.KernelFault or HypercallNumber.Panic
            ? $"faulted: esr=0x{cpu.X(1):x} far=0x{cpu.X(2):x}"
            : $"made the hypercall {(int)number}");
    }

    private void Fail(Cpu cpu, string what)
    {
        // The vectors have saved where a fault was.
        ulong at = HookModule.Contains(cpu.PC) ? cpu.PC : cpu.ELR_EL1;
        string where = _running ?? _module.Symbols.Where(s => s.Value <= at).MaxBy(s => s.Value).Key ?? "a hook";
        Failure = $"{where} of the design, at 0x{at:x} on cpu{cpu.Index}, {what}";
        _machine.StopRequested = true;
    }
}
