using System.Runtime.InteropServices;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Explore;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.Check;

/// <summary>The laboratory of one design: a machine whose CPUs are stepped one instruction at a time in the order that the
/// checker wants, and a family of guest tasks that do what they are told. Switches, signals and system calls are the kernel's
/// own code at EL1 and in C#.</summary>
/// <remarks>
/// init ── subreaper ── parent ── the victim's process: leader, victim (a thread: its TID is not its PID), sibling<br/>
/// init ── other, another: two processes of other users; inhabitant: the first process of a PID namespace
/// </remarks>
internal sealed partial class CheckRig : IDisposable, IHypercallHandler, ICodeWords
{
    /// <summary>Instructions that one switch, system call or handler may take before it counts as a hang.</summary>
    private const int Patience = 60_000;

    private const int
        RtSigreturn = 139, Prctl = 167, Exit = 93, Clone = 220, SetResuid = 147, SetResgid = 149, SigAction = 134, ExitGroup = 94,
        Rseq = 293, Mmap = 222, SetPgid = 154, SetSid = 157, SchedSetscheduler = 119;
    private const int Unshare = 97, OpenAt = 56, Close = 57, WriteCall = 64;
    private const ulong SigChld = 17, ThreadFlags = 0x50f00, NewUser = 0x10000000, NewPid = 0x20000000;
    internal const int Sigusr1 = 10;

    private readonly EmbeddedGuest _guest;
    private readonly Session _session;
    private readonly Dictionary<string, ulong> _symbols;
    private bool _hypercall;

    internal CheckRig(SessionSettings settings)
    {
        _guest = new EmbeddedGuest("check");
        _symbols = _guest.Symbols();
        KernelConfiguration kernel = settings.KernelConfiguration;
        if (CheckedFunction.HasAuxiliary(settings.Design()))
            kernel = kernel with { AuxiliaryClocks = true };
        Settings = settings.OnCore("none") with
        {
            Kernel = kernel,
            Engine = EngineKind.Reference,
            Binds = [_guest.Bind],
            MemoryBytes = 64UL << 20,
            TimeoutSeconds = 0,
            MaxCycles = 0,
        };
        _session = new Session(Settings, _guest.Bind.GuestPath, [], new SessionHooks
        {
            Design = design => design is StockDesign ? design : Faulty = new FaultyDesign(design),
        });
        Control = new KernelControl(Kernel);
        Control.WatchHooks(HookStepBegins, HookStepEnds);
        Machine.Attach(this);
        Design = settings.Vdso;
        StartAuxiliary();
        foreach (Cpu cpu in Machine.Cpus)
            RunToIdle(cpu.Index);
        Init = Kernel.Tasks.Find(settings.FirstPid) ?? throw new InvalidOperationException("the guest did not start");
        Switch(0, Init);
        IgnoreChildren(Init);
        Other = Stranger(7001);
        Another = Stranger(8001);
        Inhabitant = Fork(Init, NewPid);
        Done(SystemCall(Inhabitant, 0, SetSid), "setsid");
        MakeFamily();
    }

    /// <summary>The settings of a run with a design.</summary>
    /// <exception cref="LabException">There is no such design, or it has no vDSO.</exception>
    internal static SessionSettings With(SessionSettings settings, string design)
    {
        settings = settings with { Vdso = design };
        return settings.Design().LoadImage() is null
            ? throw new LabException($"design {design} has no vDSO to check", LabFault.Input)
            : settings;
    }

    internal string Design { get; }

    /// <summary>The design's hooks, which can be made to fail; null: a stock image, whose kernel has none.</summary>
    internal FaultyDesign? Faulty { get; private set; }

    /// <summary>Settings of the run: no timing model, whatever was asked for.</summary>
    internal SessionSettings Settings { get; }

    internal Session Session => _session;

    internal Machine Machine => _session.Machine;

    internal LinuxKernel Kernel => _session.Kernel;

    internal KernelControl Control { get; }

    internal KernelTask Init { get; }

    /// <summary>A task of another process and other users, and a second one.</summary>
    internal KernelTask Other { get; }

    /// <inheritdoc cref="Other"/>
    internal KernelTask Another { get; }

    /// <summary>A process in a PID namespace of its own.</summary>
    internal KernelTask Inhabitant { get; }

    /// <summary>The process above the parent: a subreaper.</summary>
    internal KernelTask Reaper { get; private set; } = null!;

    /// <summary>The process above the victim's.</summary>
    internal KernelTask Parent { get; private set; } = null!;

    /// <summary>The first thread of the victim's process.</summary>
    internal KernelTask Leader { get; private set; } = null!;

    /// <summary>The thread whose calls are examined.</summary>
    internal KernelTask Victim { get; set; } = null!;

    /// <summary>A third thread of the victim's process.</summary>
    internal KernelTask Sibling { get; private set; } = null!;

    /// <summary>Set when the family is not as it was built: it is built anew after the trial.</summary>
    internal bool FamilyBroken { get; set; }

    /// <summary>Sees every step, for the trace of a replay.</summary>
    internal IRigObserver? Observer { get; set; }

    /// <summary>Stands beside every step: a planted fault, or what looks where the CPUs come.</summary>
    internal RigProbe? Probe { get; set; }

    /// <summary>Called after every hypercall: the only moments at which the kernel's truth can change.</summary>
    internal Action? TruthMayHaveChanged { get; set; }

    internal ulong Symbol(string name) => _symbols[name];

    internal Cpu CpuOf(KernelTask task) => Machine.Cpus[task.Cpu];

    internal bool Runs(KernelTask task) => ReferenceEquals(Kernel.Scheduler.Current(task.Cpu), task);

    /// <inheritdoc/>
    public void Hypercall(Cpu cpu, int imm16)
    {
        Kernel.Hypercall(cpu, imm16);
        _hypercall = true;
    }

    /// <inheritdoc/>
    public bool AllWaiting() => false;

    /// <summary>One instruction, or one interrupt, of a CPU.</summary>
    internal void Step(Cpu cpu)
    {
        if (cpu.Waiting)
        {
            if (!cpu.IrqLine)
            {
                throw new LabException(
                    $"cpu{cpu.Index} waits for ever: the task that it ran has ended, as of a crash of the function that it had called",
                    LabFault.Failed);
            }
            cpu.Waiting = false;
        }
        _hypercall = false;
        StepBegins(cpu);
        int level = cpu.EL;
        ulong executed = cpu.Instructions;
        cpu.Step();
        StepEnds(cpu);
        if (level == 0 && cpu.EL != 0 && cpu.Instructions != executed)
            NoteCall(cpu);
        if (Kernel.Panic is { } panic)
            throw new LabException(panic, LabFault.Failed);
        if (_hypercall)
            TruthMayHaveChanged?.Invoke();
    }

    /// <summary>System calls that a task has made from inside of the image.</summary>
    internal int CallsFromImage(KernelTask task) => _callsFromImage.GetValueOrDefault(task);

    private readonly Dictionary<KernelTask, int> _callsFromImage = [];

    private void NoteCall(Cpu cpu)
    {
        KernelTask task = Kernel.Scheduler.Current(cpu.Index);
        // The return from a signal handler is in the image too.
        if (cpu.X(8) != RtSigreturn && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64 && task.Mm is { } memory
            && cpu.ELR_EL1 - memory.VdsoBase < (ulong)Kernel.Vdso.Image!.Bytes.Length)
            _callsFromImage[task] = CallsFromImage(task) + 1;
    }

    /// <summary>The live tasks of the laboratory.</summary>
    internal IEnumerable<KernelTask> Everybody =>
        ((KernelTask[])[Init, Other, Another, Inhabitant, Reaper, Parent, Leader, Victim, Sibling])
        .Where(t => t.State == TaskState.Runnable);

    /// <summary>What getcpu says of a CPU: its number, and its node above.</summary>
    internal long Place(int cpu) => ((long)Kernel.Scheduler.NodeOf(cpu) << 32) + cpu;

    /// <summary>A CPU with its node, and with each that is not its.</summary>
    internal IEnumerable<long> Pairs(int cpu) => Enumerable.Range(0, Settings.Nodes).Select(n => ((long)n << 32) + cpu);

    /// <summary>Within what verdicts of this laboratory hold.</summary>
    internal CheckBounds Bounds => new(Settings.KernelConfiguration.ToString(), Machine.Cpus.Count, Everybody.Count())
    {
        Preempted = Settings.KernelConfiguration.Preempt,
        Nodes = Settings.Nodes,
    };

    /// <summary>Steps a CPU until a condition holds.</summary>
    /// <returns>False when it did not come true within <see cref="Patience"/> instructions.</returns>
    internal bool RunUntil(Cpu cpu, Func<bool> done)
    {
        for (int i = 0; i < Patience; i++)
        {
            if (done())
                return true;
            Step(cpu);
        }
        return false;
    }

    private void Must(Cpu cpu, Func<bool> done, string what)
    {
        if (!RunUntil(cpu, done))
            throw new LabException($"{what} did not happen within {Patience} instructions ({cpu})", LabFault.Failed);
    }

    /// <summary>A CPU leaves its task for another one (null: idle): reschedule interrupt, schedule, __switch_to, return to EL0.</summary>
    internal void Switch(int cpu, KernelTask? task)
    {
        Cpu c = Machine.Cpus[cpu];
        if (task is null ? Kernel.Scheduler.IsIdle(cpu) && c.Waiting : ReferenceEquals(Kernel.Scheduler.Current(cpu), task))
            return;
        Observer?.Event($"cpu{cpu} switches from {Kernel.Scheduler.Current(cpu)} to {task?.ToString() ?? "idle"}");
        Control.Switch(cpu, task);
        if (task is null)
            RunToIdle(cpu);
        else
            Must(c, () => c.EL == 0 && ReferenceEquals(Kernel.Scheduler.Current(cpu), task), $"the switch to {task}");
    }

    /// <summary>Runs a CPU until it sleeps in its idle task.</summary>
    internal void RunToIdle(int cpu)
    {
        Cpu c = Machine.Cpus[cpu];
        Must(c, () => c.Waiting && c.PendingSgi == 0 && Kernel.Scheduler.IsIdle(cpu), $"idle on cpu{cpu}");
    }

    /// <summary>A task that stands at park makes a system call on a CPU, switched there if need be, and returns to park.</summary>
    internal long SystemCall(KernelTask task, int cpu, int number, params ReadOnlySpan<ulong> arguments)
    {
        Switch(cpu, task);
        Cpu c = Machine.Cpus[cpu];
        c.SetX(8, (ulong)number);
        for (int i = 0; i < 6; i++)
            c.SetX(i, i < arguments.Length ? arguments[i] : 0);
        Observer?.Event($"cpu{cpu}: {task} calls {SyscallTable.NameOf(number)}");
        Jump(c, "svc_stub");
        Must(c, () => Parked(c, task), $"the end of {SyscallTable.NameOf(number)} in {task}");
        return (long)c.X(0);
    }

    private long Done(long result, string what) =>
        result >= 0 ? result : throw new LabException($"the checker's guest: {what} gave {result}", LabFault.Failed);

    internal void Jump(Cpu cpu, string symbol) => JumpTo(cpu, Symbol(symbol));

    internal static void JumpTo(Cpu cpu, ulong address)
    {
        cpu.PC = address;
        cpu.NextPC = address;
        cpu.BType = 0;
        cpu.BTypeNext = 0;
    }

    /// <summary>Whether a task runs on a CPU at EL0 and stands at park.</summary>
    internal bool Parked(Cpu cpu, KernelTask task) =>
        cpu.EL == 0 && cpu.PC == Symbol("park") && ReferenceEquals(Kernel.Scheduler.Current(cpu.Index), task);

    /// <summary>The end of a process: whichever of its threads ran, its CPU is idle afterwards.</summary>
    internal void EndProcess(KernelTask task, int cpu)
    {
        ThreadGroup group = task.Group;
        Call(task, cpu, ExitGroup, "exit_group");
        EndThreads(group, cpu);
    }

    /// <summary>The remaining threads of a process that ends die on their way to EL0.</summary>
    internal void EndThreads(ThreadGroup group, int cpu)
    {
        foreach (KernelTask thread in group.Threads.ToList())
        {
            int at = Runs(thread) ? thread.Cpu : cpu;
            Control.Switch(at, thread);
            Must(Machine.Cpus[at], () => thread.State is TaskState.Zombie or TaskState.Dead, $"the end of {thread}");
            Control.Prepare(at, null);
            RunToIdle(at);
        }
    }

    /// <summary>The end of one thread; its CPU is idle afterwards.</summary>
    internal void EndThread(KernelTask task, int cpu) => Call(task, cpu, Exit, "exit");

    /// <summary>A task makes a call of no return; its CPU is idle afterwards.</summary>
    private void Call(KernelTask task, int cpu, ulong number, string name)
    {
        Switch(cpu, task);
        Cpu c = Machine.Cpus[cpu];
        c.SetX(8, number);
        c.SetX(0, 0);
        Observer?.Event($"cpu{cpu}: {task} calls {name}");
        Control.Prepare(cpu, null);
        Jump(c, "svc_stub");
        RunToIdle(cpu);
    }

    /// <summary>Asks an invariant of the design's hooks.</summary>
    internal ulong Ask(string invariant, KernelTask task, ulong answer, ulong buffer, ulong page = 0) => AskHooks(
        invariant, task, KernelControl.RecordOf(task), Control.CpuRecordOf(task), answer, KernelControl.InKernel(task, buffer),
        KernelControl.InKernel(task, page));

    /// <summary>Asks a function of the design's hooks, on the CPU of a task that is at EL0.</summary>
    internal ulong AskHooks(string function, KernelTask task, params ReadOnlySpan<ulong> arguments)
    {
        ulong says = Control.Ask(function, task, arguments);
        return Kernel.Panic is { } panic ? throw new LabException(panic, LabFault.Failed) : says;
    }

    /// <summary>A buffer of a task with what no function writes.</summary>
    internal ulong Spoilt(KernelTask task)
    {
        ulong[] words = new ulong[8];
        Array.Fill(words, 0x5a5a_5a5a_5a5a_5a5aUL);
        Write(task, Symbol("scratch"), words);
        return Symbol("scratch");
    }

    /// <summary>Writes words to a task's memory.</summary>
    internal static void Write(KernelTask task, ulong address, ReadOnlySpan<ulong> words)
    {
        if (!task.Mm!.Write(address, MemoryMarshal.AsBytes(words)))
            throw new InvalidOperationException($"0x{address:x} of {task} cannot be written");
    }

    /// <summary>Writes text and a NUL to a task's memory. Returns the bytes before the NUL.</summary>
    internal static int WriteText(KernelTask task, ulong address, string text)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text + "\0");
        return task.Mm!.Write(address, bytes)
            ? text.Length
            : throw new InvalidOperationException($"0x{address:x} of {task} cannot be written");
    }

    /// <summary>Reads a word of a task's memory.</summary>
    internal static ulong Read(KernelTask task, ulong address)
    {
        Span<byte> bytes = stackalloc byte[8];
        return task.Mm!.Read(address, bytes)
            ? BitConverter.ToUInt64(bytes)
            : throw new InvalidOperationException($"0x{address:x} of {task} cannot be read");
    }

    /// <summary>Reads a page of a task's memory.</summary>
    internal static ulong[] ReadPage(KernelTask task, ulong address)
    {
        ulong[] words = new ulong[PageBytes / 8];
        return task.Mm!.Read(address, MemoryMarshal.AsBytes(words.AsSpan()))
            ? words
            : throw new InvalidOperationException($"0x{address:x} of {task} cannot be read");
    }

    /// <summary>Changes the stores of a clock update, for planted faults of the writer; otherwise leaves them as they are.</summary>
    internal Func<IReadOnlyList<HeldStore>, IEnumerable<HeldStore>> WriterFault { get; set; } = stores => stores;

    public void Dispose()
    {
        _session.Dispose();
        _guest.Dispose();
    }
}

/// <summary>Sees what a rig does, in order.</summary>
internal interface IRigObserver
{
    /// <summary>A CPU is about to execute an instruction or to take an interrupt.</summary>
    void Before(Cpu cpu);

    /// <summary>It has.</summary>
    void After(Cpu cpu);

    /// <summary>Something happens from outside.</summary>
    void Event(string text);
}
