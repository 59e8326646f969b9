using System.Runtime.InteropServices;
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
internal sealed partial class CheckRig : IDisposable, IHypercallHandler
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
        Settings = settings.OnCore("none") with
        {
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
        Control.WatchHooks(StepBegins, StepEnds);
        Machine.Attach(this);
        Design = settings.Vdso;
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
                throw new InvalidOperationException($"cpu{cpu.Index} waits for ever");
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

    /// <summary>Within what verdicts of this laboratory hold.</summary>
    internal CheckBounds Bounds => new(Settings.KernelConfiguration.ToString(), Machine.Cpus.Count, Everybody.Count());

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
        Switch(cpu, task);
        Cpu c = Machine.Cpus[cpu];
        c.SetX(8, ExitGroup);
        c.SetX(0, 0);
        Observer?.Event($"cpu{cpu}: {task} calls exit_group");
        Control.Prepare(cpu, null);
        Jump(c, "svc_stub");
        RunToIdle(cpu);
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
    internal void EndThread(KernelTask task, int cpu)
    {
        Switch(cpu, task);
        Cpu c = Machine.Cpus[cpu];
        c.SetX(8, Exit);
        c.SetX(0, 0);
        Observer?.Event($"cpu{cpu}: {task} calls exit");
        Control.Prepare(cpu, null);
        Jump(c, "svc_stub");
        RunToIdle(cpu);
    }

    private KernelTask Fork(KernelTask parent, ulong flags = 0, int cpu = 0) =>
        Kernel.Tasks.Find((int)Done(SystemCall(parent, cpu, Clone, SigChld | flags), "fork"))!;

    private KernelTask Thread(KernelTask parent, string stack) =>
        Kernel.Tasks.Find((int)Done(SystemCall(parent, 0, Clone, ThreadFlags, Symbol(stack)), "clone"))!;

    private void IgnoreChildren(KernelTask task)
    {
        Write(task, Symbol("scratch"), [1, 0, 0, 0]);
        Done(SystemCall(task, 0, SigAction, SigChld, Symbol("scratch"), 0, 8), "rt_sigaction");
    }

    /// <summary>A new process of the first user, for a probe that may kill it.</summary>
    internal KernelTask Prober() => Fork(Init);

    private KernelTask Stranger(uint first)
    {
        KernelTask task = Fork(Init);
        // A session, a group and a policy (SCHED_BATCH) of its own: whose answer a call gives, must be seen of every field.
        Done(SystemCall(task, 0, SetSid), "setsid");
        Write(task, Symbol("scratch"), [0]);
        Done(SystemCall(task, 0, SchedSetscheduler, 0, 3, Symbol("scratch")), "sched_setscheduler");
        Done(SystemCall(task, 0, SetResgid, first + 10, first + 11, first + 12), "setresgid");
        Done(SystemCall(task, 0, SetResuid, first, first + 1, first + 2), "setresuid");
        return task;
    }

    /// <summary>A process and a child of it, both under the first process; the child is of another user.</summary>
    internal (KernelTask Parent, KernelTask Child) MakePair(int cpu)
    {
        KernelTask parent = Fork(Init, 0, cpu);
        KernelTask child = Fork(parent, 0, cpu);
        Done(SystemCall(child, cpu, SetResuid, 9001, 9002, 9003), "setresuid");
        Switch(cpu, null);
        return (parent, child);
    }

    /// <summary>A new process of the first user, with the handler; maybe alone in new namespaces.</summary>
    internal KernelTask Newcomer(ulong namespaces)
    {
        KernelTask task = Fork(Init);
        SetHandler(task);
        if (namespaces != 0)
            Done(SystemCall(task, 0, Unshare, namespaces), "unshare");
        return task;
    }

    /// <summary>A process in a user namespace of its own, whose IDs have numbers.</summary>
    internal KernelTask Householder
    {
        get
        {
            if (_householder is not null)
                return _householder;
            _householder = Newcomer(NewUser);
            WriteFile(Init, 0, $"/proc/{_householder.Group.Pid}/uid_map", "81 0 1\n");
            WriteFile(Init, 0, $"/proc/{_householder.Group.Pid}/gid_map", "82 0 1\n");
            return _householder;
        }
    }

    private KernelTask? _householder;

    /// <summary>A task writes a file.</summary>
    internal void WriteFile(KernelTask task, int cpu, string path, string text)
    {
        const ulong here = unchecked((ulong)-100), writeOnly = 1;
        ulong name = Symbol("scratch") + 128, bytes = name + 64;
        WriteText(task, name, path);
        int length = WriteText(task, bytes, text);
        long file = Done(SystemCall(task, cpu, OpenAt, here, name, writeOnly), $"open of {path}");
        Done(SystemCall(task, cpu, WriteCall, (ulong)file, bytes, (ulong)length), $"write to {path}");
        Done(SystemCall(task, cpu, Close, (ulong)file), "close");
    }

    /// <summary>Memory of the victim's process that looks like no data of a vDSO.</summary>
    internal ulong Decoy(ulong size)
    {
        if (ReferenceEquals(_decoyOf, Victim.Mm))
            return _decoy;
        const ulong readWrite = 3, privateAnonymous = 0x22, none = ulong.MaxValue;
        _decoy = (ulong)Done(SystemCall(Victim, Victim.Cpu, Mmap, 0, size, readWrite, privateAnonymous, none, 0), "mmap");
        ulong[] words = new ulong[512];
        Array.Fill(words, 0x4141_4141_4141_4141UL);
        for (ulong at = 0; at < size; at += 4096)
            Write(Victim, _decoy + at, words);
        _decoyOf = Victim.Mm;
        return _decoy;
    }

    private MemoryMap? _decoyOf;
    private ulong _decoy;

    private void SetHandler(KernelTask task)
    {
        const ulong sigInfoNoDefer = 0x40000004;
        Write(task, Symbol("scratch"), [Symbol("handler"), sigInfoNoDefer, 0, 0]);
        Done(SystemCall(task, 0, SigAction, Sigusr1, Symbol("scratch"), 0, 8), "rt_sigaction");
    }

    /// <summary>Where the victim keeps getrandom's state: a page that the kernel may drop and that a forked child gets empty.</summary>
    internal ulong RandomState { get; private set; }

    /// <summary>User and group IDs of the victim before any event: real, effective, saved.</summary>
    internal static ReadOnlySpan<uint> BaseIds => [1001, 1002, 1003];

    private void MakeFamily()
    {
        Reaper = Fork(Init);
        const ulong setChildSubreaper = 36;
        Done(SystemCall(Reaper, 0, Prctl, setChildSubreaper, 1), "prctl");
        IgnoreChildren(Reaper);
        Parent = Fork(Reaper);
        // Group and session are the family's own: whose answer a call gives, must be seen of them.
        Done(SystemCall(Parent, 0, SetSid), "setsid");
        IgnoreChildren(Parent);
        Leader = Fork(Parent);
        IgnoreChildren(Leader);
        SetHandler(Leader);
        ReadOnlySpan<uint> ids = BaseIds;
        Done(SystemCall(Leader, 0, SetResgid, ids[0] + 2000, ids[1] + 2000, ids[2] + 2000), "setresgid");
        Done(SystemCall(Leader, 0, SetResuid, ids[0], ids[1], ids[2]), "setresuid");
        Victim = Thread(Leader, "victim_stack");
        const ulong signature = 0xd428bc00, size = 32;
        Write(Victim, Symbol("rseq_area"), [0xffffffff_00000000, 0, 0, 0]);
        Done(SystemCall(Victim, 0, Rseq, Symbol("rseq_area"), size, 0, signature), "rseq");
        Sibling = Thread(Leader, "sibling_stack");
        const ulong readWrite = 3, droppableAnonymous = 0x28, none = ulong.MaxValue;
        RandomState = (ulong)SystemCall(Victim, 0, Mmap, 0, 4096, readWrite, droppableAnonymous, none, 0);
        if (RandomState > ulong.MaxValue - 4096)
            throw new LabException($"the checker's guest: mmap gave {(long)RandomState}", LabFault.Failed);
        Write(Victim, RandomState, new ulong[32]);
        // Touch everything once: page faults are no part of an interleaving.
        Switch(0, null);
        Switch(0, Victim);
        Write(Victim, Symbol("script"), new ulong[64]);
        Write(Victim, Symbol("buffers"), new ulong[8]);
        for (ulong stack = Symbol("scratch"); stack < Symbol("victim_stack"); stack += 512)
            Write(Victim, stack, [0]);
        FindDataPages();
        FamilyBroken = false;
    }

    /// <summary>Back to the start: victim on CPU 0 at park with its first identity, all other CPUs idle.</summary>
    internal void Restore()
    {
        if (FamilyBroken)
        {
            for (int i = 1; i < Machine.Cpus.Count; i++)
                Switch(i, null);
            foreach (KernelTask some in (KernelTask[])[Victim, Leader, Sibling, Parent, Reaper])
            {
                if (some.State == TaskState.Runnable)
                    EndProcess(some, Runs(some) ? some.Cpu : 0);
            }
            for (int i = 0; i < Machine.Cpus.Count; i++)
                Switch(i, null);
            MakeFamily();
            return;
        }
        KernelControl.Restrict(Victim, ulong.MaxValue);
        if (Runs(Victim) && Victim.Cpu != 0)
            Switch(Victim.Cpu, null);
        Switch(0, Victim);
        for (int i = 1; i < Machine.Cpus.Count; i++)
            Switch(i, null);
        RestoreIds(Victim);
        RestoreIds(Sibling);
        if (Victim.Group.Pgid != Parent.Group.Pgid)
            Done(SystemCall(Victim, 0, SetPgid, 0, (ulong)Parent.Group.Pgid), "setpgid");
        // From the idle task to the victim: whatever a design left stale in the slot is gone, and every trial starts alike.
        Switch(0, null);
        Switch(0, Victim);
    }

    private void RestoreIds(KernelTask task)
    {
        ReadOnlySpan<uint> ids = BaseIds;
        if (task.Credentials.Uid != ids[0])
            Done(SystemCall(task, 0, SetResuid, ids[0], ids[1], ids[2]), "setresuid");
        if (task.Credentials.Gid != ids[0] + 2000)
            Done(SystemCall(task, 0, SetResgid, ids[0] + 2000, ids[1] + 2000, ids[2] + 2000), "setresgid");
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
