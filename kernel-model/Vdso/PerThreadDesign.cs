using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The talk's question whether data pages may be written by user space, and the kernel trust them.</summary>
public enum WritablePage
{
    /// <summary>They may not.</summary>
    No,

    /// <summary>They may; the kernel writes them and never reads them.</summary>
    Ignored,

    /// <summary>The kernel takes a request (a file system user) from the thread's slot: it loads the word, checks it, and loads it
    /// again to use it.</summary>
    CheckedThenUsed,

    /// <summary>The same with one load.</summary>
    TakenOnce,
}

/// <summary>The talk's other design: data pages that are private to a process, with a slot for each of its threads.</summary>
public sealed class PerThreadDesign : VdsoDesign
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
    }

    private readonly Dictionary<MemoryMap, Area> _areas = [];
    private readonly Dictionary<KernelTask, (MemoryMap Memory, Area Area, int Index)> _slots = [];
    private int _pages;

    private readonly WritablePage _writable;

    /// <summary>The design.</summary>
    /// <param name="writable">Whether a process may write its slots, and what the kernel makes of that.</param>
    public PerThreadDesign(WritablePage writable = WritablePage.No) => _writable = writable;

    /// <inheritdoc/>
    public override string Name => "per-thread";

    /// <inheritdoc/>
    public override string Description => "private data pages per process, a slot per thread, the register set at each switch";

    /// <inheritdoc/>
    public override string RegisterMeaning => "user address of this thread's slot";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_thread;

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        base.PatchEl1(el1, machine);
        el1.PatchCall(machine, PatchSite.vdso_switch_call, El1Symbol.vdso_update_per_thread_cpu);
        if (_writable is WritablePage.CheckedThenUsed or WritablePage.TakenOnce)
        {
            El1Symbol check = _writable == WritablePage.TakenOnce ? El1Symbol.vdso_request_once : El1Symbol.vdso_request_twice;
            el1.PatchCall(machine, PatchSite.vdso_request_key, check);
        }
    }

    private int SlotSize => (int)Mapping.Image!.Layout("vdso_per_cpu_data.size");

    private int SlotsPerPage => PhysicalMemory.PageSize / SlotSize;

    private int SharedPages => (int)(Mapping.Image!.Layout("vvar_pages") - Mapping.Image.Layout("thread_pages"));

    /// <inheritdoc/>
    public override VdsoPages ComputedPages(int cpus, int threads) =>
        base.ComputedPages(cpus, threads) with { PerProcess = (threads + SlotsPerPage - 1) / SlotsPerPage };

    /// <inheritdoc/>
    public override int ProcessPagesInUse => _pages;

    /// <inheritdoc/>
    public override ulong SlotPa(KernelTask task) =>
        _slots.TryGetValue(task, out (MemoryMap Memory, Area Area, int Index) slot) ? Pa(slot.Area, slot.Index) : 0;

    private ulong Pa(Area area, int index) => area.Pages[SharedPages + index / SlotsPerPage] + (ulong)(index % SlotsPerPage * SlotSize);

    internal override ulong[] DataPagesFor(MemoryMap memory, ulong address) =>
        Add(memory, address + (ulong)(SharedPages * PhysicalMemory.PageSize));

    /// <summary>Gives a memory an area. Returns the pages of [vvar].</summary>
    private ulong[] Add(MemoryMap memory, ulong start)
    {
        var area = new Area(new ulong[Mapping.Image!.Layout("vvar_pages")], start);
        Mapping.SharedDataPages.CopyTo(area.Pages, 0);
        _areas[memory] = area;
        if (_writable == WritablePage.No)
            return area.Pages;
        area.Own = new ulong[area.Pages.Length - SharedPages];
        return area.Pages[..SharedPages];
    }

    /// <summary>Private pages that may be written are a mapping of their own, shared so that fork does not copy them.</summary>
    internal override void MapFurther(MemoryMap memory)
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
                Changed = (changed, _, to) => MappingMoved(changed, VdsoPart.Further, to),
            },
            Name = OwnName,
        });
    }

    /// <summary>The registers of all threads follow the slots: what a process maps at the old place must not be taken for them. When mremap
    /// returns they have: other CPUs are told with an interrupt that is waited for (smp_call_function with wait). What that writes is
    /// written here at once, the interrupt itself follows.</summary>
    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address)
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
            if (task.OnCpu && ReferenceEquals(Scheduler.Current(task.Cpu), task) && Machine.Cpus[task.Cpu] is { EL: 0 } cpu)
                cpu.TPIDRRO_EL0 = register;
            Refresh(task);
        }
        if (address == 0 && area.Users == 0)
            _areas.Remove(memory);
    }

    /// <summary>Tells EL1 code where a task's slot is. Returns what TPIDRRO_EL0 will hold.</summary>
    private ulong Publish(KernelTask task, Area area, int index)
    {
        ulong register = area.Start == 0 ? 0 : area.Start + (ulong)(index * SlotSize);
        Records.SetVdso(task, El1Image.Linear(Pa(area, index)), register);
        return register;
    }

    private const string OwnName = "[vvar_own]";

    /// <summary>The kernel believes what EL1 code took out of the page.</summary>
    internal override void SystemCallEntered(KernelTask task)
    {
        if (_writable is not (WritablePage.CheckedThenUsed or WritablePage.TakenOnce) || !_slots.ContainsKey(task))
            return;
        uint granted = Records.VdsoRequest(task);
        if (granted != task.Credentials.Fsuid)
            task.Credentials = task.Credentials with { Fsuid = granted };
    }

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
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

    internal override void ProgramStarted(KernelTask task)
    {
        Give(task);
        if (task.Mm is { } memory)
            Take(task, memory, null);
    }

    internal override void TaskExited(KernelTask task) => Give(task);

    /// <summary>Gives the task a slot; without room or RAM it has none and makes system calls.</summary>
    private void Take(KernelTask task, MemoryMap memory, int? wanted)
    {
        if (!_areas.TryGetValue(memory, out Area? area))
            return;
        int index = wanted ?? (area.Free.Count > 0 ? area.Free.Min : area.Next);
        int page = SharedPages + index / SlotsPerPage;
        if (page >= area.Pages.Length)
            return;
        if (area.Pages[page] == 0)
        {
            area.Pages[page] = Pages.Allocate();
            if (area.Pages[page] == 0)
                return;
            if (area.Own is not null)
                area.Own[page - SharedPages] = area.Pages[page];
            _pages++;
        }
        area.Free.Remove(index);
        for (; area.Next <= index; area.Next++)
        {
            if (area.Next != index)
                area.Free.Add(area.Next);
        }
        area.Users++;
        _slots[task] = (memory, area, index);
        Records.SetVdsoRequest(task, task.Credentials.Fsuid);
        Publish(task, area, index);
        // EL1 code fills it before the task's first instruction in EL0.
        Records.SetFlag(task, TaskFlag.Vdso, true);
    }

    private void Give(KernelTask task)
    {
        if (!_slots.Remove(task, out (MemoryMap Memory, Area Area, int Index) slot))
            return;
        Records.SetVdso(task, 0, 0);
        Machine.Memory.Span(Pa(slot.Area, slot.Index), SlotSize).Clear();
        slot.Area.Free.Add(slot.Index);
        if (--slot.Area.Users > 0)
            return;
        _areas.Remove(slot.Memory);
        for (int i = SharedPages; i < slot.Area.Pages.Length; i++)
        {
            if (slot.Area.Pages[i] == 0)
                continue;
            Pages.Free(slot.Area.Pages[i]);
            slot.Area.Pages[i] = 0;
            _pages--;
        }
    }

    // A slot is not filled at each switch: also a task that does not run must be filled in again when it does.
    private void Refresh(KernelTask task)
    {
        if (!_slots.ContainsKey(task))
            return;
        Records.SetFlag(task, TaskFlag.Vdso, true);
        RefreshBeforeUser(task);
    }

    internal override void CredentialsChanged(KernelTask task)
    {
        Records.SetVdsoRequest(task, task.Credentials.Fsuid);
        Refresh(task);
    }

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        Refresh(task);
    }

    internal override void FieldChanged(KernelTask task, VdsoField field)
    {
        if (SlotPa(task) is not 0 and var slot)
            WriteWord(slot, task, field);
        Refresh(task);
    }
}
