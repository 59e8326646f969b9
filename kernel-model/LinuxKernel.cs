using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Disk;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Loader;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Perf;
using ArmVdso.Kernel.Proc;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel;

/// <summary>Linux on the machine: the C# half of the kernel model. The other half is A64 code at EL1 (El1/*.S), which calls
/// it with HVC. One instance runs one guest from boot to the exit of its first process. This class makes the parts, each with those that
/// it needs, and hands EL1 code's calls to them; what they do is theirs.</summary>
public sealed partial class LinuxKernel : IHypercallHandler
{
    /// <summary>NR_CPUS that the vDSO data is laid out for.</summary>
    public const int NrCpus = Machine.MaxCpus;

    private readonly FirstProcess _first;
    private readonly ReturnToUser _return;
    private readonly UserFaults _faults;
    private readonly SyscallEntry _syscalls;
    private readonly RandomBatch _randomBatch;
    private readonly ClockEvents _clockEvents;
    private readonly KernelTimers _timers;
    private readonly RestartableSequences _sequences;
    private readonly SliceExtension? _slices;

    /// <summary>Options of the run.</summary>
    public KernelOptions Options { get; }

    /// <summary>The host's streams, and who hears of what happens.</summary>
    public KernelHooks Hooks { get; }

    /// <summary>The machine.</summary>
    public Machine Machine { get; }

    /// <summary>Pages of RAM.</summary>
    public PageAllocator PageAllocator { get; }

    /// <summary>The half in A64 code.</summary>
    public El1Image El1 { get; }

    /// <summary>What bodies in C# are charged.</summary>
    public CallCosts Costs { get; }

    /// <summary>The calling CPU and its time.</summary>
    public MachineClock Clock { get; }

    /// <summary>Clocks.</summary>
    public Timekeeper Timekeeper { get; }

    /// <summary>The guest's files.</summary>
    public Vfs Vfs { get; }

    /// <summary>Which tasks there are.</summary>
    public TaskTable Tasks { get; }

    /// <summary>Records in guest memory.</summary>
    public TaskRecords Records { get; }

    /// <summary>The first namespaces, and others.</summary>
    public NamespaceTable Namespaces { get; }

    /// <summary>Scheduler.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>CPU time of tasks.</summary>
    public CpuAccounting Accounting { get; }

    /// <summary>The vDSO and its data.</summary>
    public VdsoMapping Vdso { get; }

    /// <summary>Sends signals.</summary>
    public SignalDelivery SignalDelivery { get; }

    /// <summary>Process groups.</summary>
    public JobControl Jobs { get; }

    /// <summary>What system calls work on.</summary>
    internal SyscallParts Syscalls { get; }

    /// <summary>Builds the kernel on a fresh machine: image, records, per-CPU data, vDSO, files; CPUs wait in their idle tasks.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="options">The run.</param>
    /// <param name="hooks">The host's part in it; null: nobody listens.</param>
    /// <param name="wrap">Puts a design around that of the options; null: nothing.</param>
    /// <exception cref="IOException">A host path of the options cannot be opened.</exception>
    public LinuxKernel(
        Machine machine, KernelOptions options, KernelHooks? hooks = null, Func<VdsoDesign, VdsoDesign>? wrap = null)
    {
        Machine = machine;
        Options = options;
        Hooks = hooks ?? new KernelHooks();
        PageAllocator = new PageAllocator(machine.Memory, options.PagePlacement);
        var random = new DeterministicRandom(options.Seed);
        // The trampoline's tables lie one page below the kernel's: its code gets from one to the other by adding.
        AddressSpace trampolineSpace = machine.CreateAddressSpace(48), kernelSpace = machine.CreateAddressSpace(48);
        if (kernelSpace.Handle - trampolineSpace.Handle != Trampoline.SwapperOffset)
            throw new InvalidOperationException("the kernel's address space does not follow the trampoline's");
        El1 = El1Image.Load(machine, PageAllocator, kernelSpace, trampolineSpace);
        VdsoDesign design = VdsoDesigns.Create(options.VdsoDesign);
        design = wrap?.Invoke(design) ?? design;
        bool reload = options.Kernel.Reload || (options.Kernel.ClobbersTpidrro && design.RestoresRegister);
        El1.ApplyAlternatives(machine, options.Kernel with { Reload = reload }, options.VaBits);
        if (options.Kernel.Kpti)
            kernelSpace.GlobalFrom = trampolineSpace.GlobalFrom = Trampoline.DataValias;
        Costs = new CallCosts(options.Kernel);
        Namespaces = new NamespaceTable(options.HostName);
        Clock = new MachineClock(machine);
        var timers = _timers = new KernelTimers();
        Timekeeper = new Timekeeper(machine, Clock, timers, options.EpochSeconds, options.UptimeNs, options.Kernel.AuxiliaryClocks);
        var seeding = new RandomSeeding(Timekeeper);

        var futexes = new Futexes();
        Tasks = new TaskTable(options.FirstPid);
        Namespaces.InitialIpc.Keys.Roots = () =>
            Tasks.All.SelectMany(t => (Key?[])[t.Keys.Thread, t.Keys.Session, t.Group.ProcessKeyring]).OfType<Key>();
        Records = new TaskRecords(machine.Memory, PageAllocator, random, options.TraceSyscalls);
        var counter = new CounterAccess(options.CounterFault == CounterFault.Trapped);
        IRunQueues queues = options.Scheduler == SchedulerKind.Eevdf
            ? new CpuQueues(machine, Clock, options.HasSlice ? options.SliceNs : null)
            : new ArrivalQueue(options.SliceNs);
        Scheduler = new Scheduler(machine, Tasks, Records, Clock, Costs, counter, queues, options.Kernel.Rseq ? PageAllocator : null)
        {
            Switching = Hooks.Switching,
            Nodes = options.Nodes,
        };
        Accounting = new CpuAccounting(machine, Scheduler);
        SignalDelivery = new SignalDelivery(Tasks, Records, Scheduler) { Ignored = Hooks.SignalIgnored };
        Jobs = new JobControl(Tasks, SignalDelivery);
        var traces = new TraceStops(Scheduler, Records, SignalDelivery);
        var perf = new PerfEvents(machine, Clock, Scheduler);
        _clockEvents = new ClockEvents(machine, Scheduler, Tasks, Records, Clock, Timekeeper, seeding, timers)
        {
            Ticked = new CpuTimers(machine, Accounting, SignalDelivery).Tick,
        };

        ulong perCpuPa = PageAllocator.AllocateContiguous((int)((CpuRecord.Size * (ulong)machine.Cpus.Count + 4095) / 4096));
        Timekeeper.AddPage(VvarPages.KernelRecord(machine, PageAllocator, Timekeeper.Stores, El1.PhysicalOf(El1Symbol.tk_core)));
        Vdso = new VdsoMapping(machine, PageAllocator, Timekeeper.Stores, Records, Scheduler, Tasks, Namespaces, Clock, design, perCpuPa);
        if (Vdso.Data is { } data)
            Timekeeper.AddPage(data);
        Records.CredentialsChanged = design.CredentialsChanged;
        seeding.Seeded = generation => Vdso.Data?.WriteRng(generation, true);
        seeding.Reseed();
        CounterFaults.Apply(machine, options.CounterFault);
        if (options.CounterFault == CounterFault.Trapped)
            Timekeeper.SetClockMode(Clocks.ModeNone);
        foreach ((ulong at, ulong length) in options.Suspends)
            timers.Add(at, _ => Timekeeper.Suspend(length));
        Boot(kernelSpace, reload, perCpuPa);
        PageAllocator.EndOfBoot();

        var taskNamespaces = new TaskNamespaces(machine.Memory, PageAllocator, Tasks, Records, Namespaces, Vdso, SignalDelivery);
        var coreSettings = new CoreSettings();
        Vfs = MakeFiles(
            new ProcParts(
                machine, PageAllocator, random, Namespaces, Clock, Timekeeper, Tasks, Records, Scheduler, taskNamespaces, coreSettings),
            random, seeding);
        var loader = new ProgramLoader(machine, options, PageAllocator, Vdso, random, Hooks.CodePageLoaded);
        var programs = new ProgramStart(Records, Clock, random, options.ProgramGuestPath);
        PageAllocator.Full = () => Hooks.Log("guest memory is full: calls fail for want of it (--mem gives the guest more)");
        PageAllocator.EndSomebody = new OomKiller(PageAllocator, Tasks, SignalDelivery, Hooks.Log).EndWorst;
        var reparenting = new Reparenting(Tasks, Records, Clock, design, SignalDelivery);
        var processEnd = new ProcessEnd(machine, Vfs, Tasks, SignalDelivery, Jobs, taskNamespaces, reparenting, Hooks.Exit);
        var exit = new TaskExit(PageAllocator, Records, Scheduler, futexes, design, SignalDelivery, traces, processEnd);
        var fork = new Fork(
            Vfs, Tasks, Records, Scheduler, Namespaces, taskNamespaces, design, SignalDelivery, traces, options.Limits.Tasks, Hooks);
        var exec = new Exec(Vfs, Tasks, Records, Scheduler, counter, design, taskNamespaces, exit, loader, programs, Hooks.Exec);
        _first = new FirstProcess(options, Vfs, Tasks, Records, Scheduler, Namespaces, design, loader, programs);

        RestartableSequences sequences = _sequences =
            new(Scheduler, SignalDelivery, !options.Kernel.RseqSlice, Records, options.Kernel.Rseq);
        _slices = options.Kernel.RseqSlice ? new SliceExtension(Records, _clockEvents, SignalDelivery) : null;
        var frames = new SignalFrame(HardwareCapabilities.HasBti(machine), design, sequences, SignalDelivery);
        var cores = new CoreDump(machine, Vfs, Records, Timekeeper, coreSettings, Hooks.Log);
        _return = new ReturnToUser(
            Records, Scheduler, SignalDelivery, Jobs, traces, exit, sequences, frames, cores, Costs, Hooks, design);
        _faults = new UserFaults(machine, Records, Costs, SignalDelivery, Hooks.Log);
        Syscalls = new SyscallParts
        {
            Machine = machine,
            Pages = PageAllocator,
            Random = random,
            Clock = Clock,
            Timers = timers,
            Timekeeper = Timekeeper,
            Seeding = seeding,
            Vfs = Vfs,
            Tasks = Tasks,
            Records = Records,
            Namespaces = Namespaces,
            Counter = counter,
            Scheduler = Scheduler,
            Accounting = Accounting,
            Futexes = futexes,
            Design = design,
            Signals = SignalDelivery,
            Traces = traces,
            Perf = perf,
            TaskNamespaces = taskNamespaces,
            Fork = fork,
            Exec = exec,
            Exit = exit,
            ProcessEnd = processEnd,
            Frames = frames,
            Slices = _slices,
        };
        _syscalls = new SyscallEntry(Syscalls, Costs, Hooks);
        _randomBatch = new RandomBatch(machine.Memory, random, Costs);
        machine.Attach(this);
    }

    private Vfs MakeFiles(ProcParts shown, DeterministicRandom random, RandomSeeding seeding)
    {
        var vfs = new Vfs(new VfsOptions
        {
            RootDirectory = Options.RootDirectory,
            Binds = Options.Binds,
            ProgramHostPath = Options.ProgramHostPath,
            ProgramGuestPath = Options.ProgramGuestPath,
            CallerFolder = Options.CallerFolder,
            ProgramFolder = Options.ProgramFolder,
            EpochSeconds = Options.EpochSeconds,
            HostName = Options.HostName,
            KernelConfiguration = KernelConfig.Text(Options.Kernel.Preempt, Options.Kernel.AuxiliaryClocks),
            StdinIsTerminal = (Options.TerminalStreams & 1) != 0,
            StdoutIsTerminal = (Options.TerminalStreams & 2) != 0,
            StderrIsTerminal = (Options.TerminalStreams & 4) != 0,
            TerminalSize = Options.TerminalSize,
            Keyboard = Hooks.Keyboard,
            Limits = Options.Limits,
        }, BootMounts.Of(shown), Ext4Formats.All);
        PageAllocator.Commitment.Promised = () => SystemMemory.Promised(shown, vfs);
        PageAllocator.Commitment.IsPrivileged = () => vfs.Current?.Credentials.Has(Capability.SysAdmin) != false;
        vfs.Attach(new VfsHost
        {
            Machine = Machine,
            Pages = PageAllocator,
            Memories = () => Tasks.Memories,
            Timekeeper = Timekeeper,
            Timers = _timers,
            Random = random,
            Seeding = seeding,
            Jobs = Jobs,
            Owners = new FileOwners(Tasks, SignalDelivery),
            OpenProcess = pid => vfs.Current is not KernelTask reader || Tasks.FindGroup(pid) is not { } group ? -1
                : PidFile.Open(vfs, Tasks, reader, group, 0) is >= 0 and long number ? (int)number : -2,
            Log = Hooks.Log,
            In = Hooks.Input,
            Out = Hooks.Output,
            Error = Hooks.Error,
        });
        return vfs;
    }

    /// <summary>EL1 code becomes the design's, and each CPU runs it.</summary>
    private void Boot(AddressSpace kernelSpace, bool reload, ulong perCpuPa)
    {
        Vdso.Design.PatchEl1(El1, Machine);
        if (reload)
            Vdso.Design.KeepRegister(El1, Machine);
        if (Options.Kernel.Preempt && Vdso.Design.GuardsStart)
            El1.GuardStart(Machine);
        foreach (Cpu cpu in Machine.Cpus)
            StartCpu(cpu, kernelSpace, perCpuPa);
    }

    /// <summary>A CPU's record, its idle task, and its way into EL1 code.</summary>
    private void StartCpu(Cpu cpu, AddressSpace kernelSpace, ulong perCpuPa)
    {
        PhysicalMemory memory = Machine.Memory;
        ulong record = perCpuPa + CpuRecord.Size * (ulong)cpu.Index;
        memory.Write(record + CpuRecord.Number, cpu.Index);
        memory.Write(record + CpuRecord.Node, Scheduler.NodeOf(cpu.Index));
        memory.Write(record + CpuRecord.NumaNode, Scheduler.NodeOf(cpu.Index));
        memory.Write(El1.PhysicalOf(El1Symbol.__per_cpu_offset) + 8 * (ulong)cpu.Index, El1Image.Linear(record));
        if (Vdso.Design.NodePa(cpu.Index) is not 0 and var node)
            memory.Write(node, Scheduler.NodeOf(cpu.Index));
        memory.Write(record + CpuRecord.VdsoSlot, Vdso.Design.SlotPa(cpu.Index) is not 0 and var slot ? El1Image.Linear(slot) : 0);
        memory.Write(record + CpuRecord.VdsoOffset, Vdso.Design.RegisterOf(cpu.Index));
        memory.Write(record + CpuRecord.Vector, El1Image.UserVector(Options.Kernel));
        // An empty batch: the first system call with a random stack offset fills it.
        memory.Write(record + CpuRecord.BatchPosition, CpuRecord.BatchEntries);
        var idleGroup = new ThreadGroup();
        var idle = new KernelTask(Records, Scheduler, Namespaces, 0, idleGroup) { Comm = $"swapper/{cpu.Index}" };
        idleGroup.Leader = idle;
        if (!Records.Allocate(idle))
            throw new InvalidOperationException("RAM is too small for the idle tasks");
        Records.SyncAll(idle);
        memory.Write(idle.RecordPa + TaskRecord.PreemptCount, 1);
        memory.Write(idle.RecordPa + TaskRecord.ProcessFlags, 1u << (int)ProcessFlag.Kthread);
        Tasks.NoteRecord(idle);
        Scheduler.SetIdle(cpu.Index, idle);
        // T0SZ, T1SZ; TBI0 on as Linux has it; 4 KiB granule. SPAN = 0: PAN on exception entry. UCT, UCI, DZE, nTWI, nTWE, SA, SA0.
        ulong tcr = (ulong)(64 - Options.VaBits) | 16UL << 16 | 1UL << 37;
        const ulong sctlr = 1UL << 3 | 1UL << 4 | 1UL << 14 | 1UL << 15 | 1UL << 16 | 1UL << 18 | 1UL << 26
            | 1UL << 31 | 1UL << 30 | 1UL << 27 | 1UL << 13 | 1UL << 32 | 1UL << 33;
        // BT0, BT1: PACIxSP is no landing pad for BR of other registers than X16 and X17 (bti_enable).
        ulong bti = HardwareCapabilities.HasBti(Machine) ? 3UL << 35 : 0;
        Machine.Boot(cpu, (ulong)El1Symbol.cpu_start, kernelSpace, tcr, sctlr | bti);
        if (Options.UserMonitors)
        {
            cpu.PMUSERENR_EL0 = 15;
            cpu.Pmu.SetEnabled(1UL << PerformanceMonitors.CycleCounter, true);
            cpu.Pmu.Control = PerformanceMonitors.Enable | PerformanceMonitors.LongCycles;
        }
        cpu.SetX(0, El1Image.Linear(record));
        cpu.SetX(1, El1Image.Linear(idle.RecordPa));
    }
}
