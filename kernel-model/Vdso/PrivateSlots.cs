using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Slots of threads in pages of their process, behind the pages that all share: which thread has which, and where EL1 code and
/// the thread find it (TSK_VDSO_SLOT, TSK_VDSO_REGISTER). What is in a slot is the design's affair.</summary>
/// <param name="mapping">Image, data pages and addresses of the run.</param>
/// <param name="writable">Whether a process may write its pages; they are a mapping of their own then.</param>
/// <param name="common">Whether all threads of a process have one slot together.</param>
internal sealed class PrivateSlots(VdsoMapping mapping, bool writable, bool common = false)
{
    /// <summary>The slots of one memory: pages as they are needed, numbers as threads come and go.</summary>
    private sealed class Area(ulong[] pages, ulong start)
    {
        internal readonly ulong[] Pages = pages;

        /// <summary>Where the process sees the first slot; 0: it has unmapped them.</summary>
        internal ulong Start = start;

        /// <summary>Where the private pages are a mapping of their own: its pages.</summary>
        internal ulong[]? Own;
        internal readonly SortedSet<int> Free = [];
        internal int Next;
        internal int Users;

        /// <summary>The process whose slot it is, where its threads have one together.</summary>
        internal ThreadGroup? Group;
    }

    private const string OwnName = "[vvar_own]";
    private readonly Dictionary<MemoryMap, Area> _areas = [];
    private readonly Dictionary<KernelTask, (MemoryMap Memory, Area Area, int Index)> _slots = [];

    private int SlotSize => (int)mapping.Image!.Layout("vdso_per_cpu_data.size");

    private int PerPage => PhysicalMemory.PageSize / SlotSize;

    /// <summary>Pages that a process with so many threads has.</summary>
    internal int PagesOf(int threads) => common ? 1 : (threads + PerPage - 1) / PerPage;

    private int SharedPages => (int)(mapping.Image!.Layout("vvar_pages") - mapping.Image.Layout("thread_pages"));

    /// <summary>Pages in use.</summary>
    internal int PagesInUse { get; private set; }

    /// <summary>Whether a task has a slot.</summary>
    internal bool Has(KernelTask task) => _slots.ContainsKey(task);

    /// <summary>Physical address of a task's slot; 0: it has none.</summary>
    internal ulong SlotPa(KernelTask task) =>
        _slots.TryGetValue(task, out (MemoryMap Memory, Area Area, int Index) slot) ? Pa(slot.Area, slot.Index) : 0;

    private ulong Pa(Area area, int index) => area.Pages[SharedPages + index / PerPage] + (ulong)(index % PerPage * SlotSize);

    /// <inheritdoc cref="VdsoDesign.DataPagesFor"/>
    internal ulong[] DataPagesFor(MemoryMap memory, ulong address) =>
        Add(memory, address + (ulong)(SharedPages * PhysicalMemory.PageSize));

    /// <summary>Gives a memory an area. Returns the pages of [vvar].</summary>
    private ulong[] Add(MemoryMap memory, ulong start)
    {
        var area = new Area(new ulong[mapping.Image!.Layout("vvar_pages")], start);
        mapping.SharedDataPages.CopyTo(area.Pages, 0);
        _areas[memory] = area;
        if (!writable)
            return area.Pages;
        area.Own = new ulong[area.Pages.Length - SharedPages];
        return area.Pages[..SharedPages];
    }

    /// <summary>Private pages that may be written are a mapping of their own, shared so that fork does not copy them.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="moved">Told when a process moves or unmaps it.</param>
    internal void MapFurther(MemoryMap memory, Action<MemoryMap, ulong> moved)
    {
        Area area = _areas[memory];
        if (area.Own is not { } own)
            return;
        memory.Add(new Vma
        {
            Start = area.Start,
            End = area.Start + (ulong)(own.Length * PhysicalMemory.PageSize),
            Prot = Mman.PROT_READ | Mman.PROT_WRITE,
            Shared = true,
            SpecialPages = own,
            Special = new SpecialMapping(OwnName, Mman.PROT_READ | Mman.PROT_WRITE)
            {
                Changed = (changed, _, to) => moved(changed, to),
            },
            Name = OwnName,
        });
    }

    /// <summary>The registers of all threads follow the slots: what a process maps at the old place must not be taken for them. When mremap
    /// returns they have: other CPUs are told with an interrupt that is waited for (smp_call_function with wait). What that writes is
    /// written here at once, the interrupt itself follows.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="part">What was moved.</param>
    /// <param name="address">Where it is now; 0: nowhere.</param>
    /// <param name="refresh">Has a task's slot and register written before it is in EL0.</param>
    internal void Moved(MemoryMap memory, VdsoPart part, ulong address, Action<KernelTask> refresh)
    {
        if (!_areas.TryGetValue(memory, out Area? area) || part != (area.Own is null ? VdsoPart.Data : VdsoPart.Further))
            return;
        int before = area.Own is null ? SharedPages : 0;
        area.Start = address == 0 ? 0 : address + (ulong)(before * PhysicalMemory.PageSize);
        foreach ((KernelTask task, (MemoryMap Memory, Area Area, int Index) slot) in _slots)
        {
            // One that begins another program has left this memory already.
            if (!ReferenceEquals(slot.Area, area) || !ReferenceEquals(task.Mm, memory))
                continue;
            ulong register = Publish(task, area, slot.Index);
            if (task.OnCpu && ReferenceEquals(mapping.Scheduler.Current(task.Cpu), task)
                && mapping.Machine.Cpus[task.Cpu] is { EL: 0 } cpu)
                cpu.TPIDRRO_EL0 = register;
            refresh(task);
        }
        if (address == 0 && area.Users == 0)
            _areas.Remove(memory);
    }

    /// <summary>Tells EL1 code where a task's slot is. Returns what TPIDRRO_EL0 will hold.</summary>
    private ulong Publish(KernelTask task, Area area, int index)
    {
        ulong register = area.Start == 0 ? 0 : area.Start + (ulong)(index * SlotSize);
        mapping.Records.SetVdso(task, El1Image.Linear(Pa(area, index)), register);
        return register;
    }

    /// <summary>A task is there: it gets a slot, after fork in pages of its own.</summary>
    internal void Created(KernelTask task, KernelTask? parent)
    {
        if (task.Mm is not { } memory)
            return;
        int? wanted = null;
        if (parent?.Mm is { } original && !ReferenceEquals(original, memory))
        {
            if (!_areas.TryGetValue(original, out Area? area))
                return;
            // fork: pages of its own, and the parent's number, whose address an interrupted call may have in a register.
            ulong[] pages = Add(memory, area.Start);
            memory.ReplaceSpecialPages(_areas[memory].Own is null ? "[vvar]" : OwnName, _areas[memory].Own ?? pages);
            if (_slots.TryGetValue(parent, out (MemoryMap Memory, Area Area, int Index) slot))
                wanted = slot.Index;
        }
        Take(task, memory, wanted);
    }

    /// <summary>A task has another memory.</summary>
    internal void Restarted(KernelTask task)
    {
        Give(task);
        if (task.Mm is { } memory)
            Take(task, memory, null);
    }

    /// <summary>Gives the task a slot; without room or RAM it has none and makes system calls.</summary>
    private void Take(KernelTask task, MemoryMap memory, int? wanted)
    {
        if (!_areas.TryGetValue(memory, out Area? area))
            return;
        // Another process in the same memory (vfork) is not the one that the slot tells of.
        area.Group ??= task.Group;
        if (common && !ReferenceEquals(area.Group, task.Group))
            return;
        int index = common ? 0 : wanted ?? (area.Free.Count > 0 ? area.Free.Min : area.Next);
        int page = SharedPages + index / PerPage;
        if (page >= area.Pages.Length)
            return;
        if (area.Pages[page] == 0)
        {
            area.Pages[page] = mapping.Pages.Allocate();
            if (area.Pages[page] == 0)
                return;
            if (area.Own is not null)
                area.Own[page - SharedPages] = area.Pages[page];
            PagesInUse++;
        }
        area.Free.Remove(index);
        for (; area.Next <= index; area.Next++)
        {
            if (area.Next != index)
                area.Free.Add(area.Next);
        }
        area.Users++;
        _slots[task] = (memory, area, index);
        mapping.Records.SetVdsoRequest(task, task.Credentials.Fsuid);
        Publish(task, area, index);
        // EL1 code fills it before the task's first instruction in EL0.
        mapping.Records.SetFlag(task, TaskFlag.Vdso, true);
    }

    /// <summary>Takes a task's slot back; the last one takes the pages along.</summary>
    internal void Give(KernelTask task)
    {
        if (!_slots.Remove(task, out (MemoryMap Memory, Area Area, int Index) slot))
            return;
        mapping.Records.SetVdso(task, 0, 0);
        slot.Area.Users--;
        if (!common || slot.Area.Users == 0)
        {
            mapping.Machine.Memory.Span(Pa(slot.Area, slot.Index), SlotSize).Clear();
            slot.Area.Free.Add(slot.Index);
        }
        if (slot.Area.Users > 0)
            return;
        _areas.Remove(slot.Memory);
        for (int i = SharedPages; i < slot.Area.Pages.Length; i++)
        {
            if (slot.Area.Pages[i] == 0)
                continue;
            mapping.Pages.Free(slot.Area.Pages[i]);
            slot.Area.Pages[i] = 0;
            PagesInUse--;
        }
    }
}
