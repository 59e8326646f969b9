using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Explore;

/// <summary>A kernel whose scheduling and clock updates are decided from outside, one by one, for exhaustive exploration.
/// What then happens (interrupt, switch, signal frame, credential change) is the kernel's own code, at EL1 and in C#. Timer
/// interrupts are off: time is the instructions that were executed.</summary>
public sealed class KernelControl
{
    private readonly LinuxKernel _kernel;
    private readonly KernelTask?[] _next;

    /// <summary>Takes the scheduler over. No task runs any more unless <see cref="Switch"/> says so.</summary>
    public KernelControl(LinuxKernel kernel)
    {
        _kernel = kernel;
        _next = new KernelTask?[kernel.Machine.Cpus.Count];
        kernel.Scheduler.Direct(Choose);
        Reseed();
    }

    /// <summary>The next thing that a CPU does at EL0 is to run this task (null: its idle task): the reschedule interrupt is
    /// sent, the flag of the running task set.</summary>
    public void Switch(int cpu, KernelTask? next)
    {
        _next[cpu] = next;
        _kernel.Scheduler.Kick(cpu);
    }

    /// <summary>Whom a CPU runs at its next schedule(), without asking it to call that.</summary>
    public void Prepare(int cpu, KernelTask? next) => _next[cpu] = next;

    private KernelTask? Choose(int cpu) => _next[cpu];

    /// <summary>What the body of a system call says, on behalf of a task that makes no call: the kernel's own answer from its
    /// own objects. Bodies that write do it to the task's memory.</summary>
    /// <param name="task">A live task.</param>
    /// <param name="number">arm64 system call number.</param>
    /// <param name="arguments">Up to six.</param>
    public long Answer(KernelTask task, int number, params ReadOnlySpan<ulong> arguments) => _kernel.Answer(task, number, arguments);

    /// <summary>Runs a function of the design's hooks on a CPU whose task is at EL0.</summary>
    /// <param name="function">Its name.</param>
    /// <param name="task">The task, which runs.</param>
    /// <param name="arguments">Up to eight.</param>
    /// <returns>X0.</returns>
    public ulong Ask(string function, KernelTask task, params ReadOnlySpan<ulong> arguments)
    {
        Cpu cpu = _kernel.Machine.Cpus[task.Cpu];
        ulong tables = cpu.TTBR1_EL1 + (_kernel.Options.Kernel.Kpti ? (ulong)Trampoline.SwapperOffset : 0);
        return Hooks.Ask(function, task, cpu, tables, arguments);
    }

    private HookCalls Hooks => _kernel.Vdso.Hooks ?? throw new InvalidOperationException("the design has no hooks");

    /// <summary>Kernel address of a task's record, as hooks get it.</summary>
    public static ulong RecordOf(KernelTask task) => El1Image.Linear(task.RecordPa);

    /// <summary>Kernel address of the record of the CPU that runs a task.</summary>
    public ulong CpuRecordOf(KernelTask task) => Hooks.RecordOf(task.Cpu);

    /// <summary>Kernel address of a place in a task's memory; 0 stays 0.</summary>
    public static ulong InKernel(KernelTask task, ulong address) => address == 0 ? 0
        : El1Image.Linear(Physical(task.Mm!, address) ?? throw new InvalidOperationException($"0x{address:x} is not mapped"));

    /// <summary>Runs an update of the clocks (a tick, clock_settime) and gives its stores to the vvar pages instead of making
    /// them. The kernel's own record is written at once.</summary>
    public List<HeldStore> HoldClockStores(Action update)
    {
        var stores = new List<HeldStore>();
        _kernel.Timekeeper.Stores.HoldBack([.. _kernel.Vdso.TimePages], stores);
        try
        {
            update();
        }
        finally
        {
            _kernel.Timekeeper.Stores.LetGo();
        }
        return stores;
    }

    /// <summary>The timer tick's update of the clocks, at the present counter.</summary>
    public void Tick() => _kernel.Timekeeper.Tick(_kernel.Clock.Now);

    /// <summary>Another clocksource takes over: one that user space may read (the counter), or one that it may not (clock mode
    /// NONE).</summary>
    public void UseCounter(bool usable) => _kernel.Timekeeper.SetClockMode(usable ? Clocks.ModeArchTimer : Clocks.ModeNone);

    /// <summary>The kernel's random number generator is seeded anew: keys of an older generation are not to be used.</summary>
    public void Reseed() => _kernel.Vdso.Data?.WriteRng(RandomGeneration + 1, true);

    /// <summary>How often it was seeded: the generation of keys that may be used.</summary>
    public ulong RandomGeneration => _kernel.Vdso.Data?.Generation ?? 0;

    /// <summary>A planted fault: who enters a time namespace from now on sees a copy of the random number page. False: the data have
    /// no page of their own.</summary>
    public bool CopyRandomPage() => _kernel.Vdso.Data is { HasRngPage: true } data && (data.CopiesRng = true);

    /// <summary>Lets a task run on some CPUs only (bit n: CPU n), as when the others went offline.</summary>
    public static void Restrict(KernelTask task, ulong cpus) => task.Affinity = cpus;

    /// <summary>Has somebody look at each instruction of hooks that the model runs, which is none of a CPU's own steps.</summary>
    public void WatchHooks(Action<Cpu> before, Action<Cpu> after)
    {
        if (_kernel.Vdso.Hooks is { } hooks)
            hooks.Watch = (before, after);
    }

    /// <summary>Replaces one instruction of the kernel, for planted faults.</summary>
    public void PatchEl1(ulong address, uint instruction) => _kernel.El1.Rewrite(address, instruction);

    /// <summary>Takes the guard of the update at execve away, for a planted fault.</summary>
    public void UnguardStart() => _kernel.El1.GuardStart(_kernel.Machine, false);

    /// <summary>Physical address of a user page of a task, or null when it is not mapped.</summary>
    public static ulong? Physical(MemoryMap memory, ulong va) =>
        memory.Space.Lookup(va, out ulong page, out _) ? page | (va & 0xfff) : null;
}
