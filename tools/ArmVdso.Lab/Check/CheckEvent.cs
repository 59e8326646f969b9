namespace ArmVdso.Lab.Check;

/// <summary>What a function must read or answer for an event to matter to it.</summary>
internal enum CheckNeed
{
    /// <summary>It matters to all that are no constants.</summary>
    Nothing,

    /// <summary>It loads what a clock update stores.</summary>
    Clocks,

    /// <summary>It loads what a switch stores.</summary>
    Slots,

    /// <summary>It draws random numbers.</summary>
    Random,

    /// <summary>It reads an auxiliary clock.</summary>
    Auxiliary,

    /// <summary>Its answer is the task's.</summary>
    Words,

    /// <summary>Its answer is the task's, or where the task runs.</summary>
    Tasks,
}

/// <summary>What may happen between two instructions of a call.</summary>
/// <param name="Name">In tables and IDs.</param>
/// <param name="Meaning">One line for the legend.</param>
/// <param name="Apply">Makes it happen to a trial; the part is how many stores of an update are visible afterwards.</param>
internal sealed record CheckEvent(string Name, string Meaning, Action<Trial, int> Apply)
{
    /// <summary>Whether two of them, or one with another, can be explored in one call.</summary>
    internal bool Composes { get; init; }

    /// <summary>Whether it is an update that is explored store by store.</summary>
    internal bool StoreByStore { get; init; }

    /// <summary>Whether it is explored after each EL1 instruction that touches what CPUs share; the part counts them.</summary>
    internal bool InKernel { get; init; }

    /// <summary>Whether the call goes on to its end after each store of a hook that another CPU runs for it; the part counts them.
    /// </summary>
    internal bool InHook { get; init; }

    /// <summary>Whether the loads of the function are reordered as the Arm memory model allows it; explored by
    /// <see cref="Trial.RunReordered"/>.</summary>
    internal bool Weak { get; init; }

    /// <summary>Of such an event: what another CPU does, if the hooks of the design for it are the update; else null.</summary>
    internal Action<Trial>? InHooks { get; init; }

    /// <summary>Whether it is about memory that a function changes; other functions have none.</summary>
    internal bool OfMemory { get; init; }

    /// <summary>What a function must read or answer for it to matter.</summary>
    internal CheckNeed Needs { get; init; }

    /// <summary>Whether the function is called again, in a handler, a child or another program: one that changes memory has it ready for
    /// one call.</summary>
    internal bool CallsAgain { get; init; }

    /// <summary>What is done before the call.</summary>
    internal Action<Trial>? Prepare { get; init; }

    /// <summary>Whether it can happen once only: two of them are no pair.</summary>
    internal bool Once { get; init; }

    /// <summary>Whether each of its schedules is long, so that it begins before accesses only, whatever the function.</summary>
    internal bool IsLong { get; init; }

    /// <summary>What a design may leave to the kernel on purpose when this event happens.</summary>
    internal VdsoLeaves Leaves { get; init; }

    /// <summary>All, in the order of the table.</summary>
    internal static IReadOnlyList<CheckEvent> All { get; } =
    [
        new("irq", "an interrupt that changes nothing", (t, _) => t.Interrupt()) { Composes = true },
        new("preempt", "another process runs on this CPU, then this thread again", (t, _) => t.Preempt()) { Composes = true },
        new("migrate", "this thread goes on on another CPU; another process runs where it was", (t, _) => t.Migrate()) { Composes = true },
        new("offline", "this CPU goes offline: its tasks move away, it runs its idle task", (t, _) => t.Offline()),
        new("traced", "a tracer on another CPU attaches, stops this thread, and detaches: it goes on there; another process runs here",
            (t, _) => t.StopAndGoOn()),
        new("aba", "to another CPU at one boundary and back at a later one; other processes run on both meanwhile", (t, _) => t.Migrate())
        {
            IsLong = true,
        },
        new("setresuid", "a signal interrupts the call; its handler changes this thread's user IDs, then calls the function",
            (t, _) => t.ChangeUser()) { CallsAgain = true, Composes = true },
        new("setresgid", "the same with group IDs", (t, _) => t.ChangeGroup()) { CallsAgain = true, Composes = true },
        new("setxid", "a sibling on another CPU changes its user IDs and signals this thread, whose handler does so too (glibc's protocol)",
            (t, _) => t.SetXid()) { CallsAgain = true },
        new("reparent", "the parent process exits on another CPU", (t, _) => t.Reparent()) { Composes = true, Once = true },
        new("reparent-late", "the same; the interrupt that the kernel may send to this CPU arrives after the call",
            (t, _) => t.ReparentLate()),
        new("subreaper", "the parent process exits on another CPU, then the subreaper that became the parent",
            (t, _) => t.ReparentTwice()) { Needs = CheckNeed.Words },
        new("setpgid", "the parent process, on another CPU, puts this process into another group",
            (t, _) => t.Regroup()) { Composes = true },
        new("setsid", "a sibling on another CPU makes the process the leader of a session", (t, _) => t.NewSession()),
        new("signal", "a signal interrupts the call; its handler calls the same function",
            (t, _) => t.Signal()) { CallsAgain = true, Composes = true },
        new("handler-moves", "a signal interrupts the call; its handler is moved to another CPU before it returns",
            (t, _) => t.HandlerMoves()) { Composes = true },
        new("signal-twice", "a signal interrupts the call; another interrupts the handler's call of the same function",
            (t, _) => t.NestedSignal()) { CallsAgain = true },
        new("moved", "a handler moves the vDSO, maps memory at its old place, calls the function at the new one, moves all back",
            (t, _) => t.MoveAndBack()) { CallsAgain = true, Prepare = t => t.MakeDecoy() },
        new("moved-migrate", "migrate, after a sibling on another CPU has moved the vDSO and mapped memory at its old place",
            (t, _) => t.Migrate()) { Prepare = t => t.MoveForGood() },
        new("copied-migrate", "migrate; the call runs in a copy of the image's code, as binary translators make it", (t, _) => t.Migrate())
        {
            Prepare = t => t.RunCopy(),
        },
        new("threads", "threads of the process begin and end on another CPU, one after another has ended; they call the function",
            (t, _) => t.Threads()) { Needs = CheckNeed.Tasks, CallsAgain = true, Leaves = VdsoLeaves.NewProgram },
        new("exec-sibling", "a sibling on another CPU starts another program: this thread ends; the program's first call is examined",
            (t, _) => t.SiblingExec()) { Needs = CheckNeed.Tasks, CallsAgain = true, Leaves = VdsoLeaves.NewProgram },
        new("killed", "the process is killed; a new one with its number calls the function where it was",
            (t, _) => t.Killed()) { Needs = CheckNeed.Tasks, Leaves = VdsoLeaves.NewProgram },
        new("killed-reused", "as killed; what the function has given up by then is unmapped before, and other memory is mapped there",
            (t, _) => t.Dies(true, true)) { OfMemory = true },
        new("thread-ends", "a handler ends this thread alone (exit); what the thread leaves behind is examined",
            (t, _) => t.Dies(false, false)) { OfMemory = true },
        new("thread-ends-reused", "as thread-ends; what the function has given up by then is unmapped before, other memory is mapped there",
            (t, _) => t.Dies(false, true)) { OfMemory = true },
        new("fork", "a handler forks; the child, on another CPU, finishes the interrupted call too",
            (t, _) => t.Fork()) { CallsAgain = true },
        new("vfork", "a handler vforks; the child calls the function and exits before this thread goes on",
            (t, _) => t.Vfork()) { CallsAgain = true, Leaves = VdsoLeaves.NewProgram },
        new("exec", "a handler starts another program; its first call is examined",
            (t, _) => t.Exec()) { CallsAgain = true, Leaves = VdsoLeaves.NewProgram },
        new("pidns", "a process of another PID namespace runs on this CPU, then this thread again",
            (t, _) => t.PreemptByInhabitant()) { Composes = true },
        new("userns", "a handler forks; the child enters a user namespace (unshare) and calls the function",
            (t, _) => t.EnterUserNamespace()) { CallsAgain = true, Leaves = VdsoLeaves.Namespaces },
        new("idmap", "somebody on another CPU writes uid_map and gid_map of this process' user namespace, where no ID had a number",
            (t, _) => t.MapIds()) { Needs = CheckNeed.Words, Prepare = t => t.LiveUnmapped(), Leaves = VdsoLeaves.Namespaces },
        new("idmap-late", "the same; the interrupt that the kernel may send to this CPU arrives after the call",
            (t, _) => t.MapIdsLate()) { Needs = CheckNeed.Words, Prepare = t => t.LiveUnmapped(), Leaves = VdsoLeaves.Namespaces },
        new("setns", "a handler enters another process' user namespace (setns), then calls the function",
            (t, _) => t.EnterAnothers())
        {
            Needs = CheckNeed.Words,
            CallsAgain = true,
            Prepare = t => t.LiveAlone(),
            Leaves = VdsoLeaves.Namespaces,
        },
        new("newns", "a handler clones a child into new user and PID namespaces; the child finishes the interrupted call too",
            (t, _) => t.ForkIntoNamespaces()) { CallsAgain = true, Leaves = VdsoLeaves.Namespaces },
        new("timens", "a handler forks; its child's child, in a new time namespace with offsets, calls the function",
            (t, _) => t.EnterTimeNamespace()) { CallsAgain = true, Leaves = VdsoLeaves.Namespaces },
        new("timens-reseed", "timens, for functions with a key: the random number generator is seeded anew before the call inside",
            (t, _) => t.EnterTimeNamespace(t.Reseed)) { Needs = CheckNeed.Random, CallsAgain = true },
        new("reseed", "the kernel's random number generator is seeded anew", (t, _) => t.Reseed()),
        new("step", "a tracer attaches and single-steps this thread from here on; another process runs here after each instruction",
            (t, _) => t.SingleStep()) { IsLong = true },
        new("tick", "the clocks are updated (tick), store by store: the call goes on after each store of the writer",
            (t, part) => t.Tick(part)) { Needs = CheckNeed.Clocks, Composes = true, StoreByStore = true },
        new("settime", "clock_settime sets CLOCK_REALTIME by +5 s, store by store",
            (t, part) => t.SetTime(part)) { Needs = CheckNeed.Clocks, StoreByStore = true },
        new("uncount", "the counter becomes unusable (clock_mode NONE), store by store",
            (t, part) => t.LoseCounter(part)) { Needs = CheckNeed.Clocks, StoreByStore = true },
        new("recount", "an unusable counter becomes usable again (clock_mode ARCHTIMER), store by store",
            (t, part) => t.RegainCounter(part)) { Needs = CheckNeed.Clocks, StoreByStore = true, Prepare = t => t.WithoutCounter() },
        new("aux-set", "clock_settime sets the auxiliary clock by +5 s, store by store",
            (t, part) => t.ChangeAuxiliary(part, Trial.StepAuxiliary)) { Needs = CheckNeed.Auxiliary, StoreByStore = true },
        new("aux-rate", "clock_adjtime changes the auxiliary clock's rate by 700 ppm, store by store",
            (t, part) => t.ChangeAuxiliary(part, Trial.HastenAuxiliary)) { Needs = CheckNeed.Auxiliary, StoreByStore = true },
        new("aux-off", "somebody disables the auxiliary clock, store by store",
            (t, part) => t.ChangeAuxiliary(part, Trial.StopAuxiliary)) { Needs = CheckNeed.Auxiliary, StoreByStore = true },
        new("aux-on", "somebody enables an auxiliary clock that was off, store by store",
            (t, part) => t.ChangeAuxiliary(part, Trial.BeginAuxiliary))
        {
            Needs = CheckNeed.Auxiliary,
            StoreByStore = true,
            Prepare = t => t.WithoutAuxiliary(),
        },
        new("race", "this thread has moved to another CPU; where it was, EL1 code switches to another process, store by store",
            (t, part) => t.Race(part)) { Needs = CheckNeed.Slots, StoreByStore = true },
        new("mid-own", "preempt; while EL1 code switches back, step by step, the parent exits on another CPU",
            (t, part) => t.MidSwitch(part, false)) { Needs = CheckNeed.Words, InKernel = true },
        new("mid-prev", "the same; the parent of the process that ran in between exits",
            (t, part) => t.MidSwitch(part, true)) { Needs = CheckNeed.Words, InKernel = true },
        new("mid-pgid", "the same as mid-own; the parent puts this process into another group",
            (t, part) => t.MidRegroup(part)) { InKernel = true },
        new("mid-ids", "setresuid in a handler; while EL1 code returns from it, step by step, the parent exits",
            (t, part) => t.MidSystemCall(part)) { Needs = CheckNeed.Words, InKernel = true },
        new("mid-exec", "exec; while EL1 code starts the program, step by step, the CPU is taken: this thread goes on on another CPU",
            (t, part) => t.MidExec(part)) { Needs = CheckNeed.Tasks, CallsAgain = true, InKernel = true, Leaves = VdsoLeaves.NewProgram },
        new("hook-reparent", "reparent; after each store of the design's hook for it the call goes on to its end",
            (t, part) => t.InHook(part, t.Reparent)) { Needs = CheckNeed.Words, InHook = true },
        new("hook-setpgid", "setpgid; the same", (t, part) => t.InHook(part, t.Regroup)) { Needs = CheckNeed.Words, InHook = true },
        new("hook-setsid", "setsid; the same", (t, part) => t.InHook(part, t.NewSession)) { Needs = CheckNeed.Words, InHook = true },
        new("hook-idmap", "idmap; the same", (t, part) => t.InHook(part, t.MapIds))
        {
            Needs = CheckNeed.Words,
            InHook = true,
            Prepare = t => t.LiveUnmapped(),
            Leaves = VdsoLeaves.Namespaces,
        },
        new("weak-tick", "tick, with loads and stores in every order that the Arm memory model allows",
            NotAlone) { Needs = CheckNeed.Clocks, Weak = true },
        new("weak-settime", "settime, with loads and stores in every such order", NotAlone) { Needs = CheckNeed.Clocks, Weak = true },
        new("weak-uncount", "uncount, with loads and stores in every such order", NotAlone) { Needs = CheckNeed.Clocks, Weak = true },
        new("weak-recount", "recount, with loads and stores in every such order",
            NotAlone) { Needs = CheckNeed.Clocks, Weak = true, Prepare = t => t.WithoutCounter() },
        new("weak-aux-set", "aux-set, with loads and stores in every such order", NotAlone) { Needs = CheckNeed.Auxiliary, Weak = true },
        new("weak-aux-off", "aux-off, with loads and stores in every such order", NotAlone) { Needs = CheckNeed.Auxiliary, Weak = true },
        new("weak-race", "race, with loads and stores in every such order", NotAlone) { Needs = CheckNeed.Slots, Weak = true },
        new("weak-reparent", "hook-reparent, with loads of the call and stores of the hook in every such order", NotAlone)
        {
            Needs = CheckNeed.Words,
            Weak = true,
            InHooks = t => t.Reparent(),
        },
        new("weak-setpgid", "hook-setpgid; the same", NotAlone) { Needs = CheckNeed.Words, Weak = true, InHooks = t => t.Regroup() },
        new("weak-setsid", "hook-setsid; the same", NotAlone) { Needs = CheckNeed.Words, Weak = true, InHooks = t => t.NewSession() },
        new("weak-idmap", "hook-idmap; the same", NotAlone)
        {
            Needs = CheckNeed.Words,
            Weak = true,
            InHooks = t => t.MapIds(),
            Prepare = t => t.LiveUnmapped(),
            Leaves = VdsoLeaves.Namespaces,
        },
    ];

    private static void NotAlone(Trial trial, int part) =>
        throw new LabException("an event of reordering cannot be combined with others", LabFault.Input);

    /// <summary>The event of a name, or null.</summary>
    internal static CheckEvent? Find(string name) => All.FirstOrDefault(e => e.Name == name);
}
