using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The vDSO of a run: the design, the pages of its image and the data pages ([vvar]) that all processes share.</summary>
public sealed class VdsoMapping
{
    private const string FrontName = "[vvar_time]", DataName = "[vvar]";
    private readonly ulong[] _imagePages = [];
    // Pages for clocks that are a mapping of their own, and how many of them are no data pages.
    private readonly int _frontPages, _frontOwn;
    private readonly bool _frontAbove;
    private readonly SpecialMapping _front, _data, _code, _signals;

    private readonly NamespaceTable _namespaces;

    /// <summary>The pages of a design, for a machine that has not booted.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="pages">Where pages come from.</param>
    /// <param name="stores">How readers on other CPUs see what update_vsyscall writes.</param>
    /// <param name="records">Records of tasks that EL1 code reads.</param>
    /// <param name="scheduler">Who runs where.</param>
    /// <param name="tasks">Whose memory is which.</param>
    /// <param name="namespaces">The first time namespace.</param>
    /// <param name="clock">Which CPU has called the model.</param>
    /// <param name="design">The design.</param>
    /// <param name="cpuRecords">Physical address of the records of the CPUs.</param>
    internal VdsoMapping(
        Machine machine, PageAllocator pages, OrderedStores stores, TaskRecords records, Scheduler scheduler, TaskTable tasks,
        NamespaceTable namespaces, MachineClock clock, VdsoDesign design, ulong cpuRecords)
    {
        Tasks = tasks;
        Clock = clock;
        CpuRecords = cpuRecords;
        Machine = machine;
        Pages = pages;
        Records = records;
        Scheduler = scheduler;
        _namespaces = namespaces;
        Design = design;
        _front = new SpecialMapping(FrontName, Mman.PROT_READ);
        _data = new SpecialMapping(DataName, Mman.PROT_READ)
        {
            Changed = (memory, _, to) => Design.MappingMoved(memory, VdsoPart.Data, to),
        };
        const int all = Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC;
        _code = new SpecialMapping("[vdso]", all) { Changed = ImageMoved };
        // aarch32_sigpage_mremap
        _signals = new SpecialMapping("[sigpage]", all)
        {
            Changed = (memory, from, to) => memory.SigreturnTrampoline += to == 0 ? 0 : to - from,
        };
        (design as StockDesign)?.Stock.ApplyAlternatives(machine.HasFeature);
        Image = design.LoadImage();
        if (design is not StockDesign)
            Image?.ApplyAlternatives(machine.HasFeature);
        design.Attach(this);
        PhysicalMemory memory = machine.Memory;
        if (Image is null)
        {
            // arm64 has SA_RESTORER only in name: handlers return through code that the kernel maps, as arm's [sigpage] does.
            _imagePages = [pages.Allocate()];
            memory.Write(_imagePages[0] + 16, 0xd503201fu);
            memory.Write(_imagePages[0] + 20, 0xd2801168u);
            memory.Write(_imagePages[0] + 24, 0xd4000001u);
            return;
        }
        int imagePages = (Image.Bytes.Length + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize;
        ulong imagePa = pages.AllocateContiguous(imagePages);
        Image.Bytes.CopyTo(memory.Span(imagePa, Image.Bytes.Length));
        _imagePages = [.. Enumerable.Range(0, imagePages).Select(i => imagePa + (ulong)i * PhysicalMemory.PageSize)];
        if (design is StockDesign stock)
        {
            Data = new VvarPages(machine, pages, stores, stock.Stock.Layout);
            SharedDataPages = Data.For(namespaces.InitialTime);
            return;
        }
        int dataPages = (int)(Image.Layout("vvar_pages") - Image.LayoutOr("thread_pages", 0));
        ulong dataPa = dataPages == 0 ? 0 : pages.AllocateContiguous(dataPages);
        SharedDataPages = [.. Enumerable.Range(0, dataPages).Select(i => dataPa + (ulong)i * PhysicalMemory.PageSize)];
        if (design.Plan is { ClockInData: false } plan)
        {
            if (plan.Clock is not { } block)
                return;
            Data = new VvarPages(machine, pages, stores, block);
            _frontPages = block.Pages;
            _frontOwn = Data.For(namespaces.InitialTime).Count(page => page != 0);
            _frontAbove = plan.ClockAbove;
            return;
        }
        // vdso-image/include/vdso/datapage.h: the page that clocks are read from and the random number page lie in front.
        ulong rng = pages.Allocate();
        Data = new VvarPages(machine, pages, stores, OwnLayout(Image), dataPa, rng, time => [time, rng]);
        _frontPages = (int)Image.Layout("vvar_front_pages");
        _frontOwn = 1;
    }

    /// <summary>Our own images: the data page as Linux 6.1 has it, the random number data on a page apart.</summary>
    private static VvarLayout OwnLayout(VdsoImage image) => VvarLayout.Find("6.1") with
    {
        Rng = new VvarLayout.Random(-1, (int)image.Layout("vdso_rng_data.generation"), (int)image.Layout("vdso_rng_data.is_ready")),
    };

    /// <summary>The machine.</summary>
    internal Machine Machine { get; }

    /// <summary>Where pages come from.</summary>
    internal PageAllocator Pages { get; }

    /// <summary>Records of tasks that EL1 code reads.</summary>
    internal TaskRecords Records { get; }

    /// <summary>Who runs where.</summary>
    internal Scheduler Scheduler { get; }

    /// <summary>The tasks.</summary>
    internal TaskTable Tasks { get; }

    /// <summary>Which CPU has called the model.</summary>
    internal MachineClock Clock { get; }

    /// <summary>Physical address of the records of the CPUs.</summary>
    internal ulong CpuRecords { get; }

    /// <summary>Hooks of the design that are A64 code; null: it has none.</summary>
    internal HookCalls? Hooks { get; set; }

    /// <summary>The design.</summary>
    public VdsoDesign Design { get; }

    /// <summary>The image, or null without a vDSO.</summary>
    public VdsoImage? Image { get; }

    /// <summary>Physical addresses of the pages that update_vsyscall writes.</summary>
    public IReadOnlyList<ulong> TimePages => Data is null ? [] : [Data.DataPage];

    /// <summary>The pages that clocks and random numbers are read from, or null without a vDSO.</summary>
    internal VvarPages? Data { get; }

    /// <summary>Physical addresses of the data pages that all processes map, in order.</summary>
    public ulong[] SharedDataPages { get; } = [];

    /// <summary>Pages of the image.</summary>
    public int ImagePageCount => _imagePages.Length;

    /// <summary>Data pages that all processes share: physical ones, of which some are mapped twice.</summary>
    public int DataPageCount => SharedDataPages.Count(page => page != 0) + _frontOwn;

    /// <summary>Without a vDSO: a page with nop; mov x8, #139 (rt_sigreturn); svc #0 alone, that no auxiliary vector names.</summary>
    private void MapTrampoline(MemoryMap memory)
    {
        ulong start = memory.FindFree(PhysicalMemory.PageSize);
        if (start == 0)
            return;
        memory.SigreturnTrampoline = start + 20;
        memory.Add(new Vma
        {
            Start = start,
            End = start + PhysicalMemory.PageSize,
            Prot = Mman.PROT_READ | Mman.PROT_EXEC,
            SpecialPages = _imagePages,
            Special = _signals,
            Name = _signals.Name,
        });
    }

    /// <summary>vdso_mremap: signals return through the new place. Where the image is gone, Linux remembers the old one.</summary>
    private void ImageMoved(MemoryMap memory, ulong from, ulong to)
    {
        if (memory.VdsoBase == from && to != 0)
        {
            memory.VdsoBase = to;
            memory.SigreturnTrampoline += to - from;
        }
        Design.MappingMoved(memory, VdsoPart.Image, to);
    }

    /// <summary>Where the image is in a memory; 0: nowhere, or no longer.</summary>
    internal ulong ImageAddress(MemoryMap? memory) =>
        memory?.Find(memory.VdsoBase) is { } vma && vma.Start == memory.VdsoBase && ReferenceEquals(vma.Special, _code) ? vma.Start : 0;

    /// <summary>The live tasks that have a memory: the threads of a process, and who shares it (vfork).</summary>
    internal IEnumerable<KernelTask> TasksOf(MemoryMap memory) =>
        memory.IsGone ? [] : Tasks.All.Where(t => ReferenceEquals(t.Mm, memory));

    /// <summary>Maps [vvar] and, directly above it, [vdso]. Returns the address of the image, or 0 without one.</summary>
    internal ulong MapInto(MemoryMap memory)
    {
        if (Image is null)
        {
            MapTrampoline(memory);
            return 0;
        }
        ulong front = (ulong)_frontPages * PhysicalMemory.PageSize;
        ulong data = front + (ulong)Image.LayoutOr("vvar_pages", SharedDataPages.Length) * PhysicalMemory.PageSize;
        ulong code = (ulong)_imagePages.Length * PhysicalMemory.PageSize;
        ulong start = memory.FindFree(data + code);
        if (start == 0)
            return 0;
        memory.VdsoBase = start + data;
        memory.SigreturnTrampoline = memory.VdsoBase + Image.SigreturnOffset;
        ulong dataAt = _frontAbove ? start : start + front;
        if (front != 0)
            Map(memory, _frontAbove ? start + data - front : start, Data!.For(_namespaces.InitialTime), _front, Mman.PROT_READ);
        if (data != front)
            Map(memory, dataAt, Design.DataPagesFor(memory, dataAt), _data, Mman.PROT_READ);
        Design.MapFurther(memory);
        int guarded = Design.LandingPads && HardwareCapabilities.HasBti(Machine) ? Mman.PROT_BTI : 0;
        Map(memory, start + data, _imagePages, _code, Mman.PROT_READ | Mman.PROT_EXEC | guarded);
        return memory.VdsoBase;
    }

    private static void Map(MemoryMap memory, ulong start, ulong[] pages, SpecialMapping special, int prot) => memory.Add(new Vma
    {
        Start = start,
        End = start + (ulong)(pages.Length * PhysicalMemory.PageSize),
        Prot = prot,
        SpecialPages = pages,
        Special = special,
        Name = special.Name,
    });

    /// <summary>A memory's tasks are in another time namespace now (vdso_join_timens): its pages are mapped in that order.</summary>
    internal void JoinTimeNamespace(MemoryMap memory, TimeNamespace space)
    {
        if (Data is not null)
            memory.ReplaceSpecialPages(_frontPages != 0 ? FrontName : DataName, Data.For(space));
    }
}
