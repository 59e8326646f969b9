using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel;

/// <summary>Linux on the machine: the C# half of the kernel model. The other half is A64 code at EL1 (El1/*.S), which calls
/// it with HVC. One instance runs one guest from boot to the exit of its first process.</summary>
public sealed partial class LinuxKernel : IHypercallHandler
{
    /// <summary>NR_CPUS that the vDSO data is laid out for.</summary>
    public const int NrCpus = Machine.MaxCpus;

    private readonly El1Image _el1;
    private readonly AddressSpace _kernelSpace;
    private readonly ulong _perCpuPa;

    /// <summary>Options of the run.</summary>
    public KernelOptions Options { get; }

    /// <summary>The machine.</summary>
    public Machine Machine { get; }

    /// <summary>Pages of RAM.</summary>
    public PageAllocator PageAllocator { get; }

    /// <summary>Which tasks there are.</summary>
    public TaskTable Tasks { get; }

    /// <summary>Records in guest memory.</summary>
    public TaskRecords Records { get; }

    /// <summary>The first namespaces, and others.</summary>
    public NamespaceTable Namespaces { get; } = new();

    /// <summary>Whether EL0 may read the counter.</summary>
    public CounterAccess Counter { get; }

    /// <summary>CPU time of tasks.</summary>
    public CpuAccounting Accounting { get; }

    /// <summary>Scheduler.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>Pending timers.</summary>
    public KernelTimers Timers { get; } = new();

    /// <summary>The calling CPU and its time.</summary>
    public MachineClock Clock { get; }

    /// <summary>When the generator of random numbers is seeded.</summary>
    public RandomSeeding Seeding { get; }

    /// <summary>Clocks.</summary>
    public Timekeeper Timekeeper { get; }

    /// <summary>Signals.</summary>
    public SignalDelivery SignalDelivery { get; }

    /// <summary>Everything random.</summary>
    public DeterministicRandom Random { get; }

    /// <summary>Waiters on words of user memory.</summary>
    public Futexes Futexes { get; }

    /// <summary>The vDSO and its data.</summary>
    public VdsoMapping Vdso { get; }

    /// <summary>Standard streams of the guest.</summary>
    public Stream HostIn { get; init; } = Stream.Null;

    /// <inheritdoc cref="HostIn"/>
    public Stream HostOut { get; init; } = Stream.Null;

    /// <inheritdoc cref="HostIn"/>
    public Stream HostErr { get; init; } = Stream.Null;

    /// <summary>Our own messages, one line each (unknown system calls, UNDEFINED instructions).</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>strace: called with each system call's entry and exit; null when off.</summary>
    public Action<KernelTask, SyscallContext, long?>? SyscallTrace { get; init; }

    /// <summary>Called with each page of a private, executable file mapping after it was read: memory, mapping, its address and its
    /// physical address. What it writes to the page, the process executes; the file stays as it is.</summary>
    public Action<MemoryMap, Vma, ulong, ulong>? CodePageLoaded { get; init; }

    /// <summary>wait4 status with which the first process ended.</summary>
    public int ExitStatus { get; private set; }

    /// <summary>Set when EL1 code faulted in a way that only a bug of ours explains.</summary>
    public string? Panic { get; private set; }

    /// <summary>Builds the kernel on a fresh machine: image, records, per-CPU data, vDSO; CPUs wait in their idle tasks.</summary>
    public LinuxKernel(Machine machine, KernelOptions options)
    {
        Machine = machine;
        Options = options;
        PageAllocator = new PageAllocator(machine.Memory, options.PagePlacement);
        Random = new DeterministicRandom(options.Seed);
        // The trampoline's tables lie one page below the kernel's: its code gets from one to the other by adding.
        AddressSpace trampolineSpace = machine.CreateAddressSpace(48);
        _kernelSpace = machine.CreateAddressSpace(48);
        if (_kernelSpace.Handle - trampolineSpace.Handle != Trampoline.SwapperOffset)
            throw new InvalidOperationException("the kernel's address space does not follow the trampoline's");
        _el1 = El1Image.Load(machine, PageAllocator, _kernelSpace, trampolineSpace);
        VdsoDesign design = VdsoDesigns.Create(options.VdsoDesign);
        bool reload = options.Kernel.Reload || (options.Kernel.ClobbersTpidrro && design.RestoresRegister);
        _el1.ApplyAlternatives(machine, options.Kernel with { Reload = reload });
        Costs = new CallCosts(options.Kernel);
        if (options.Kernel.Kpti)
            _kernelSpace.GlobalFrom = trampolineSpace.GlobalFrom = Trampoline.DataValias;
        Tasks = new TaskTable(options.FirstPid);
        Records = new TaskRecords(machine.Memory, PageAllocator, Random, options.TraceSyscalls);
        Clock = new MachineClock(machine);
        Timekeeper = new Timekeeper(machine, Clock, Timers, options.EpochSeconds);
        Seeding = new RandomSeeding(Timekeeper);
        Counter = new CounterAccess(options.CounterFault == CounterFault.Trapped);
        Scheduler = new Scheduler(machine, Tasks, Records, Clock, Timekeeper, Seeding, Timers, Costs, Counter)
        {
            SliceNs = options.SliceNs,
        };
        Accounting = new CpuAccounting(machine, Scheduler);
        SignalDelivery = new SignalDelivery(this);
        Futexes = new Futexes();
        HostName = options.HostName;
        Timers.EarliestChanged = Scheduler.TimersChanged;
        Scheduler.Ticked = RunCpuTimers;
        Scheduler.Switching = (cpu, previous, next) => Switching?.Invoke(cpu, previous, next);
        int cpus = machine.Cpus.Count;
        const ulong perCpuSize = CpuRecord.Size;
        _perCpuPa = PageAllocator.AllocateContiguous((int)((perCpuSize * (ulong)cpus + 4095) / 4096));
        ulong timekeeperPa = PageAllocator.Allocate();
        Timekeeper.AddPage(VvarPages.KernelRecord(machine, PageAllocator, Timekeeper.Stores, timekeeperPa));
        Vdso = new VdsoMapping(machine, PageAllocator, Timekeeper.Stores, Records, Scheduler, Namespaces, design);
        Records.CredentialsChanged = Vdso.Design.CredentialsChanged;
        if (Vdso.Data is { } data)
            Timekeeper.AddPage(data);
        Seeding.Seeded = generation => Vdso.Data?.WriteRng(generation, true);
        Seeding.Reseed();
        CounterFaults.Apply(machine, options.CounterFault);
        if (options.CounterFault == CounterFault.Trapped)
            Timekeeper.SetClockMode(Clocks.ModeNone);
        foreach ((ulong at, ulong length) in options.Suspends)
            Timers.Add(at, _ => Timekeeper.Suspend(length));
        Vdso.Design.PatchEl1(_el1, machine);
        if (reload)
            PerCpuDesign.KeepRegister(_el1, machine);
        for (int i = 0; i < cpus; i++)
            StartCpu(machine.Cpus[i], perCpuSize, timekeeperPa);
        machine.Attach(this);
    }

    private void StartCpu(Cpu cpu, ulong perCpuSize, ulong timekeeperPa)
    {
        ulong record = _perCpuPa + perCpuSize * (ulong)cpu.Index;
        Machine.Memory.Write(record + CpuRecord.Number, cpu.Index);
        Machine.Memory.Write(record + CpuRecord.Node, 0);
        Machine.Memory.Write(record + CpuRecord.Timekeeper, El1Image.Linear(timekeeperPa));
        Machine.Memory.Write(record + CpuRecord.VdsoSlot, Vdso.Design.SlotPa(cpu.Index) is not 0 and var slot ? El1Image.Linear(slot) : 0);
        Machine.Memory.Write(record + CpuRecord.VdsoOffset, Vdso.Design.RegisterOf(cpu.Index));
        Machine.Memory.Write(record + CpuRecord.Vector, El1Image.UserVector(Options.Kernel));
        // An empty batch: the first system call with a random stack offset fills it.
        Machine.Memory.Write(record + CpuRecord.BatchPosition, CpuRecord.BatchEntries);
        var idleGroup = new ThreadGroup();
        var idle = new KernelTask(Records, Scheduler, Namespaces, 0, idleGroup) { Comm = $"swapper/{cpu.Index}" };
        idleGroup.Leader = idle;
        if (!Records.Allocate(idle))
            throw new InvalidOperationException("RAM is too small for the idle tasks");
        Records.SyncAll(idle);
        Tasks.NoteRecord(idle);
        Scheduler.SetIdle(cpu.Index, idle);
        // T0SZ, T1SZ; TBI0 on as Linux has it; 4 KiB granule. SPAN = 0: PAN on exception entry. UCT, UCI, DZE, nTWI, nTWE, SA, SA0.
        ulong tcr = (ulong)(64 - Options.VaBits) | 16UL << 16 | 1UL << 37;
        const ulong sctlr = 1UL << 3 | 1UL << 4 | 1UL << 14 | 1UL << 15 | 1UL << 16 | 1UL << 18 | 1UL << 26
            | 1UL << 31 | 1UL << 30 | 1UL << 27 | 1UL << 13 | 1UL << 32 | 1UL << 33;
        // BT0, BT1: PACIxSP is no landing pad for BR of other registers than X16 and X17 (bti_enable).
        ulong bti = HardwareCapabilities.HasBti(Machine) ? 3UL << 35 : 0;
        Machine.Boot(cpu, (ulong)El1Symbol.cpu_start, _kernelSpace, tcr, sctlr | bti);
        if (Options.UserMonitors)
        {
            cpu.PMUSERENR_EL0 = 15;
            cpu.Pmu.SetEnabled(1UL << PerformanceMonitors.CycleCounter, true);
            cpu.Pmu.Control = PerformanceMonitors.Enable | PerformanceMonitors.LongCycles;
        }
        cpu.SetX(0, El1Image.Linear(record));
        cpu.SetX(1, El1Image.Linear(idle.RecordPa));
    }

    /// <summary>The EL1 function that holds an address, for traces.</summary>
    public string? El1FunctionAt(ulong address) => _el1.FunctionAt(address);

    /// <summary>The instruction word of the kernel at an address, for traces; 0 when there is none.</summary>
    public uint El1InstructionAt(ulong address) =>
        _kernelSpace.Lookup(address, out ulong page, out _) ? Machine.Memory.Read<uint>(page | (address & 0xffc)) : 0;

    internal void WriteEl1Instruction(ulong address, uint instruction)
    {
        if (!_kernelSpace.Lookup(address, out ulong page, out _))
            throw new ArgumentException($"0x{address:x} is not mapped", nameof(address));
        ulong pa = page | (address & 0xffc);
        Machine.Memory.Write(pa, instruction);
        Machine.NotifyWrite(pa, 4);
    }

    /// <inheritdoc/>
    public void Hypercall(Cpu cpu, int imm16)
    {
        Clock.Active = cpu;
        try
        {
            Accounting.Enter(cpu, (HypercallNumber)imm16);
            KernelTask current = Scheduler.Current(cpu.Index);
            Handle(cpu, imm16);
            Accounting.Leave(cpu, current);
        }
        finally
        {
            Clock.Active = null;
        }
    }

    private void Handle(Cpu cpu, int number)
    {
        KernelTask current = Scheduler.Current(cpu.Index);
        switch ((HypercallNumber)number)
        {
            case HypercallNumber.Syscall:
                cpu.SetX(0, (ulong)SyscallEntry(cpu, current));
                break;
            case HypercallNumber.Work:
                cpu.SetX(0, (ulong)(SignalDelivery.BeforeUser(cpu, current) ? El1Action.Done : El1Action.Schedule));
                break;
            case HypercallNumber.Schedule:
                cpu.SetX(0, El1Image.Linear(Scheduler.Schedule(cpu).RecordPa));
                break;
            case HypercallNumber.Fault:
                UserFault(cpu, current, cpu.X(1), cpu.X(2));
                cpu.SetX(0, 0);
                break;
            case HypercallNumber.Irq:
                if ((int)cpu.X(0) == Cpu.VirtualTimerInterrupt)
                    Scheduler.TimerInterrupt(cpu);
                break;
            case HypercallNumber.KernelFault:
                bool write = (cpu.X(1) & (1 << 6)) != 0;
                cpu.SetX(0, current.Mm is { } mm && cpu.X(2) < mm.TaskSize && FaultIn(cpu, mm, cpu.X(2), write, false, out _) ? 0UL : 1UL);
                break;
            case HypercallNumber.Switched:
                Scheduler.FinishSwitch(Tasks.WithRecord(cpu.X(0)));
                break;
            case HypercallNumber.Random:
                FillRandomBatch(cpu);
                break;
            default:
                Panic = $"kernel panic on cpu{cpu.Index}: esr=0x{cpu.X(1):x} far=0x{cpu.X(2):x} elr=0x{cpu.ELR_EL1:x} "
                    + $"({_el1.FunctionAt(cpu.ELR_EL1)})";
                Machine.StopRequested = true;
                break;
        }
    }

    /// <summary>What bodies in C# are charged.</summary>
    public CallCosts Costs { get; }

    /// <summary>HVC_RANDOM: _get_random_bytes for the batch of get_random_u16.</summary>
    private void FillRandomBatch(Cpu cpu)
    {
        ulong batch = El1Image.Physical(cpu.TPIDR_EL1) + CpuRecord.BatchEntropy;
        for (ulong i = 0; i < CpuRecord.BatchEntries * 2; i += 8)
            Machine.Memory.Write(batch + i, Random.Next());
        CallCosts.Charge(cpu, Costs.RandomBatch);
    }

    /// <summary>Raised at every switch that is about to happen: CPU, previous, next.</summary>
    public Action<Cpu, KernelTask, KernelTask>? Switching { get; init; }

    /// <inheritdoc/>
    public bool AllWaiting()
    {
        // Nobody can run and no timer is armed. With live tasks that is a guest that waits for what cannot come.
        if (Tasks.AnyoneAlive)
            Deadlock = true;
        return false;
    }

    /// <summary>The guest stopped because every task waits for something that cannot happen any more.</summary>
    public bool Deadlock { get; private set; }

    /// <summary>Starts the first process. 0, or -errno with one line in <paramref name="error"/>.</summary>
    public long Start(out string error) => StartInit(out error);

    /// <summary>Text of /proc/cpuinfo.</summary>
    public string CpuInfoText()
    {
        var text = new System.Text.StringBuilder();
        ulong midr = Machine.Identification.MIDR_EL1;
        foreach (Cpu cpu in Machine.Cpus)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"""
                processor	: {cpu.Index}
                BogoMIPS	: {Machine.CounterFrequency / 500_000.0:f2}
                Features	: {HardwareCapabilities.Names(Machine)}
                CPU implementer	: 0x{midr >> 24 & 0xff:x2}
                CPU architecture: 8
                CPU variant	: 0x{midr >> 20 & 0xf:x}
                CPU part	: 0x{midr >> 4 & 0xfff:x3}
                CPU revision	: {midr & 0xf}


                """);
        }
        return text.ToString();
    }
}
