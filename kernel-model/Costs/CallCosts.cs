using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Costs;

/// <summary>What a body in C# is charged.</summary>
/// <param name="Work">What it takes on the core that was measured, entry and exit left out (those are executed here).</param>
/// <param name="CyclesPerKilobyte">Further cycles for 1024 bytes that the call moves.</param>
/// <param name="PerKilobyte">Further instructions for 1024 bytes that the call moves.</param>
/// <param name="Row">Row of the measurement.</param>
/// <param name="Estimated">The nearest measured work stands for this one.</param>
public sealed record CallCost(OutsideWork Work, long CyclesPerKilobyte, long PerKilobyte, string Row, bool Estimated)
{
    /// <summary>Cycles.</summary>
    public long Cycles => Work.Cycles;

    /// <summary>Instructions.</summary>
    public long Instructions => Work.Instructions;
}

/// <summary>Costs of bodies in C#: Costs/calls.tsv names the work of a stock kernel for each call, and Costs/measured.CORE.tsv has what it
/// takes on a core.</summary>
public sealed class CallCosts
{
    private static readonly Dictionary<string, string[]> s_calls = Load();
    private readonly IReadOnlyDictionary<string, OutsideWork> _work;
    private readonly Dictionary<string, CallCost?> _known = [];

    /// <summary>The costs for a kernel configuration.</summary>
    public CallCosts(KernelConfiguration configuration)
    {
        _work = MeasuredWork.Table(configuration.Charges);
        Switch = Single("switch");
        SwitchThread = Single("switch_thread");
        Wake = Single("wake");
        WakeFutex = Single("wake_futex");
        Deliver = Single("deliver");
        RandomBatch = Single("getrandom");
        _forked = Single("page_forked");
        _unmapped = Single("page_unmapped");
        _dropped = Single("page_dropped");
        _around = Single("page_around");
        _freed = Single("page_freed");
        _filePage = Single("page_file");
        _munmapEmpty = Less("munmap", "munmap_file");
        _munmapUsed = Less("munmap_used", "munmap_file");
    }

    private readonly CallCost _forked, _unmapped, _dropped, _around, _freed, _filePage, _munmapEmpty, _munmapUsed;

    private static Dictionary<string, string[]> Load()
    {
        var calls = new Dictionary<string, string[]>();
        using Stream stream = typeof(CallCosts).Assembly.GetManifestResourceStream("costs/calls.tsv")
            ?? throw new FileNotFoundException("embedded resource costs/calls.tsv is missing");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split('\t');
            if (line[0] != '#' && cells[0] != "call")
                calls.Add(cells[0], cells);
        }
        return calls;
    }

    /// <summary>The cost of a system call: of its kind, its name or its class, in this order.</summary>
    /// <param name="name">Name of the call.</param>
    /// <param name="cost">Its class.</param>
    /// <param name="kind">What it works on (pipe, file, zero, null, again, epoll, thread, wait), or nothing.</param>
    public CallCost Of(string name, CostClass cost, string kind = "") =>
        (kind.Length > 0 ? Find($"{name}:{kind}") : null) ?? Find(name) ?? Find($"class:{cost}")
        ?? throw new KeyNotFoundException($"Costs/calls.tsv has no line for class {cost}");

    /// <summary>The cost of a page fault.</summary>
    internal CallCost Fault(FaultWork work) => Find($"fault:{work}")
        ?? throw new KeyNotFoundException($"Costs/calls.tsv has no line for fault {work}");

    /// <summary>schedule() with a switch, without what is executed at EL1: a pipe read that sleeps less one that does not.</summary>
    public CallCost Switch { get; }

    /// <summary>The same between threads of one process, whose address space stays: a FUTEX_WAIT that sleeps less one that does not.
    /// </summary>
    public CallCost SwitchThread { get; }

    /// <summary>try_to_wake_up: a pipe write with a sleeping reader less one without.</summary>
    public CallCost Wake { get; }

    /// <summary>The same of a task that sleeps in a futex: a FUTEX_WAKE with a sleeper less one without.</summary>
    public CallCost WakeFutex { get; }

    /// <summary>A signal taken and its frame set up: tgkill to itself with a handler less one that is ignored.</summary>
    public CallCost Deliver { get; }

    /// <summary>A new batch of random numbers, as getrandom.</summary>
    public CallCost RandomBatch { get; }

    private CallCost Single(string row) => new(_work[row], 0, 0, row, false);

    private CallCost Less(string row, string than)
    {
        (OutsideWork work, OutsideWork less) = (_work[row], _work[than]);
        return new CallCost(
            work with
            {
                Cycles = Math.Max(0, work.Cycles - less.Cycles),
                Stall = Math.Max(0, work.Stall - less.Stall),
                Misses = Math.Max(0, work.Misses - less.Misses),
                Instructions = Math.Max(0, work.Instructions - less.Instructions),
            },
            0, 0, row, false);
    }

    private CallCost? Find(string key)
    {
        if (_known.TryGetValue(key, out CallCost? cost))
            return cost;
        if (s_calls.TryGetValue(key, out string[]? cells))
        {
            OutsideWork work = _work[cells[1]];
            long cyclesMore = 0, more = 0;
            if (_work.TryGetValue(cells[2], out OutsideWork longer))
            {
                int bytes = int.Parse(cells[3], CultureInfo.InvariantCulture) - 1;
                cyclesMore = Math.Max(0, (longer.Cycles - work.Cycles) * 1024 / bytes);
                more = Math.Max(0, (longer.Instructions - work.Instructions) * 1024 / bytes);
            }
            cost = new CallCost(work, cyclesMore, more, cells[1], cells[4] != "measured");
        }
        _known[key] = cost;
        return cost;
    }

    /// <summary>Charges work to the CPU that does it.</summary>
    public static void Charge(Cpu cpu, CallCost cost) => cpu.Timing.ChargeWork(cost.Work);

    /// <summary>Charges what a call costs for the bytes that it moved.</summary>
    public static void ChargeBytes(Cpu cpu, CallCost cost, long bytes)
    {
        if (bytes > 1 && cost.PerKilobyte > 0)
        {
            cpu.Timing.ChargeWork(new OutsideWork
            {
                Cycles = (bytes - 1) * cost.CyclesPerKilobyte / 1024,
                Instructions = (bytes - 1) * cost.PerKilobyte / 1024,
                DataLines = (int)Math.Min(4096, bytes / 64),
                Region = cost.Work.Region,
            });
        }
    }

    /// <summary>Charges a fork for the pages whose entries it copies.</summary>
    internal void ChargeForked(Cpu cpu, long pages) => ChargePages(cpu, _forked, pages);

    /// <summary>Charges the pages that a process gives back as it exits or gets another program.</summary>
    /// <param name="cpu">Whose call it was.</param>
    /// <param name="own">Pages that nobody else has.</param>
    /// <param name="kept">Pages that a file or another process still has.</param>
    internal void ChargeDropped(Cpu cpu, long own, long kept)
    {
        ChargePages(cpu, _dropped, own);
        ChargePages(cpu, _unmapped, kept);
    }

    /// <summary>Charges a call that unmapped something for the pages that went, beside what it costs where they are a file's.</summary>
    /// <param name="cpu">Whose call it was.</param>
    /// <param name="freed">Pages that nobody else had.</param>
    /// <param name="kept">Pages that a file or another process still has.</param>
    /// <param name="whole">The call is munmap, and nothing else.</param>
    internal void ChargeUnmapped(Cpu cpu, long freed, long kept, bool whole)
    {
        if (freed > 0)
            Charge(cpu, _munmapUsed);
        else if (kept <= 0 && whole)
            Charge(cpu, _munmapEmpty);
        ChargePages(cpu, _freed, freed);
        ChargePages(cpu, _filePage, kept);
    }

    /// <summary>Charges a fault for the pages that it maps around its own (do_fault_around).</summary>
    internal void ChargeAround(Cpu cpu, long pages) => ChargePages(cpu, _around, pages);

    private static void ChargePages(Cpu cpu, CallCost cost, long pages)
    {
        if (pages > 0)
            cpu.Timing.ChargeWork(new OutsideWork { Cycles = cost.Cycles * pages, Instructions = cost.Instructions * pages });
    }
}
