namespace ArmVdso.Kernel.Memory;

/// <summary>The memory of a process (mm_struct): its mappings and the translation that the CPUs use. Pages come on first
/// touch; private pages are shared copy-on-write after fork.</summary>
public sealed partial class MemoryMap
{
    private const ulong Page = PhysicalMemory.PageSize;
    private const ulong LowestAddress = 0x10000;

    private const int AllAccess = Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC;

    private readonly VmaList _vmas = new();
    private readonly Machine _machine;
    private readonly PageAllocator _allocator;
    private readonly Action<MemoryMap, Vma, ulong, ulong>? _codePageLoaded;
    private int _users = 1;

    /// <summary>Translation of the low half.</summary>
    public AddressSpace Space { get; }

    /// <summary>End of user addresses.</summary>
    public ulong TaskSize { get; }

    /// <summary>Start of the heap and current break.</summary>
    public ulong BrkStart { get; set; }

    /// <inheritdoc cref="BrkStart"/>
    public ulong Brk { get; set; }

    /// <summary>Protection key 0 was not freed.</summary>
    internal bool HasKeyZero { get; set; } = true;

    /// <summary>RLIMIT_STACK in bytes.</summary>
    public ulong StackLimit { get; set; } = 8 << 20;

    /// <summary>Highest address that mmap without a hint may end at.</summary>
    public ulong MmapBase { get; set; }

    /// <summary>Where the vDSO image is mapped, or 0; and the address of the sigreturn trampoline in it.</summary>
    public ulong VdsoBase { get; set; }

    /// <inheritdoc cref="VdsoBase"/>
    public ulong SigreturnTrampoline { get; set; }

    /// <summary>Where the parts of the program are.</summary>
    public MemoryBounds Bounds { get; set; }

    /// <summary>The program that the memory was made for (exe_file): held, and not written to.</summary>
    public IMappedFile? Executable { get; private set; }

    /// <summary>Sets <see cref="Executable"/> of a new memory.</summary>
    internal void SetExecutable(IMappedFile? file)
    {
        file?.Hold();
        file?.DenyWrites();
        Executable = file;
    }

    /// <summary>Another program instead (replace_mm_exe_file).</summary>
    internal void ReplaceExecutable(IMappedFile file)
    {
        IMappedFile? before = Executable;
        SetExecutable(file);
        before?.AllowWrites();
        before?.Release();
    }

    /// <summary>MEMBARRIER_CMD_REGISTER_* commands that this memory used.</summary>
    internal int MembarrierRegistrations { get; set; }

    /// <summary>The page of the concurrency IDs that its threads have on CPUs; 0: it is not in RAM.</summary>
    internal ulong ConcurrencyIdsPa { get; private set; }

    private byte[]? _concurrencyIds;

    /// <summary>Whether there are words of concurrency IDs.</summary>
    internal bool HasConcurrencyIds => _concurrencyIds is not null || ConcurrencyIdsPa != 0;

    /// <summary>The words of the concurrency IDs (ConcurrencyRecord of El1/layout.h).</summary>
    internal Span<byte> ConcurrencyIds =>
        ConcurrencyIdsPa != 0 ? _machine.Memory.Span(ConcurrencyIdsPa, (int)PhysicalMemory.PageSize) : _concurrencyIds;

    /// <summary>When the concurrency IDs are next made compact (mm_cid_next_scan), in ns.</summary>
    internal ulong NextConcurrencyScan { get; set; }

    /// <summary>Makes the words of the concurrency IDs, all zero.</summary>
    /// <param name="inRam">Whether EL1 code works on them, if RAM has room.</param>
    internal void MakeConcurrencyIds(bool inRam)
    {
        ConcurrencyIdsPa = inRam ? _allocator.Allocate() : 0;
        if (ConcurrencyIdsPa == 0)
            _concurrencyIds = new byte[PhysicalMemory.PageSize];
        else
            ConcurrencyIds.Clear();
    }

    /// <summary>Pages that it has given back and nobody else had.</summary>
    internal long FreedPages { get; private set; }

    /// <summary>Resident pages of private and shared memory now.</summary>
    public long ResidentPages { get; private set; }

    /// <summary>Most resident pages so far.</summary>
    public long PeakResidentPages { get; private set; }

    /// <summary>Minor faults so far.</summary>
    public long MinorFaults { get; private set; }

    /// <summary>An empty memory.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="allocator">Where pages come from.</param>
    /// <param name="vaBits">Bits of address: 39 or 48.</param>
    /// <param name="codePageLoaded">Called with each page of a private, executable file mapping after it was read: memory, mapping, its
    /// address and its physical address. What it writes to the page, the process executes; the file stays as it is.</param>
    public MemoryMap(Machine machine, PageAllocator allocator, int vaBits, Action<MemoryMap, Vma, ulong, ulong>? codePageLoaded = null)
    {
        _machine = machine;
        _allocator = allocator;
        _codePageLoaded = codePageLoaded;
        Space = machine.CreateAddressSpace(vaBits);
        TaskSize = 1UL << vaBits;
        MmapBase = TaskSize - (128UL << 20);
    }

    /// <summary>The mappings in ascending order.</summary>
    public IReadOnlyList<Vma> Vmas => _vmas.All;

    /// <summary>Bytes of all mappings.</summary>
    public ulong VirtualSize => _vmas.Size;

    /// <summary>The most that <see cref="VirtualSize"/> has been, in bytes.</summary>
    public ulong PeakVirtualSize => _vmas.PeakSize;

    /// <summary>MCL_FUTURE: new mappings are locked.</summary>
    public bool LockFuture { get; set; }

    /// <summary>Bytes that mlock holds.</summary>
    public ulong LockedBytes
    {
        get
        {
            ulong total = 0;
            foreach (Vma vma in _vmas.All)
                total += vma.Locked ? vma.End - vma.Start : 0;
            return total;
        }
    }

    /// <summary>The mapping that holds an address, or null.</summary>
    public Vma? Find(ulong address) => _vmas.Find(address);

    /// <summary>The mapping that holds an address, else the next above it; null: none.</summary>
    public Vma? FindAtOrAbove(ulong address) => _vmas.IndexAfter(address) is var i && i < _vmas.Count ? _vmas[i] : null;

    /// <summary>Whether [start, end) is mapped without a hole.</summary>
    public bool IsFullyMapped(ulong start, ulong end) => _vmas.Covers(start, end);

    /// <summary>A free range of <paramref name="length"/> bytes: at the hint, else top down from MmapBase, else bottom up; 0 when there
    /// is none.</summary>
    public ulong FindFree(ulong length, ulong hint = 0)
    {
        hint &= ~(Page - 1);
        return hint >= LowestAddress && hint + length <= TaskSize && hint + length > hint && !_vmas.Overlaps(hint, hint + length)
            ? hint
            : _vmas.FindGap(length, LowestAddress, MmapBase, TaskSize);
    }

    /// <summary>One more task uses this memory (CLONE_VM).</summary>
    public void AddUser() => _users++;

    /// <summary>A task leaves; the last one frees everything.</summary>
    public void Release()
    {
        if (--_users != 0)
            return;
        // A seal holds as long as the memory does, and who hears of unmapping does not hear of an end (exit_mmap).
        Remove(0, TaskSize);
        Executable?.AllowWrites();
        Executable?.Release();
        Executable = null;
        if (ConcurrencyIdsPa != 0)
            _allocator.Free(ConcurrencyIdsPa);
        _machine.DestroyAddressSpace(Space);
    }

    /// <summary>Whether the last task has left it.</summary>
    public bool IsGone => _users <= 0;

    /// <summary>Tasks that have this memory.</summary>
    internal int Users => _users;

    /// <summary>Whether more than one task uses this memory.</summary>
    public bool IsShared => _users > 1;

    /// <summary>Adds a mapping over a free range. The caller has checked the arguments and removed what was there.</summary>
    public void Add(Vma vma)
    {
        vma.File?.Hold();
        vma.SharedAnonymous?.AddUser();
        Account(vma);
        _vmas.Insert(vma);
    }

    private static void Account(Vma vma) => vma.Accounted |= IsAccountable(vma, vma.Prot);

    /// <summary>Whether what a mapping may come to hold is promised: private memory that is written to (accountable_mapping).</summary>
    private static bool IsAccountable(Vma vma, int prot) =>
        (prot & Mman.PROT_WRITE) != 0 && !vma.Shared && !vma.NoReserve && vma.Special is null;

    private static long PagesIn(ulong bytes) => (long)(bytes / Page);

    /// <summary>Pages of [start, end) that have been promised.</summary>
    private long PromisedIn(ulong start, ulong end)
    {
        long pages = 0;
        foreach (Vma vma in _vmas.In(start, end))
            pages += vma.Accounted ? PagesIn(Math.Min(vma.End, end) - Math.Max(vma.Start, start)) : 0;
        return pages;
    }

    /// <summary>Pages that it has been promised.</summary>
    internal long PromisedPages => PromisedIn(0, TaskSize);

    /// <summary>Whether as much may be promised once more, to a child (dup_mmap).</summary>
    internal bool MayFork() => _allocator.Commitment.Policy == Commitment.Never ? _allocator.Commitment.May(this, PromisedPages)
        : _vmas.All.All(v => !v.Accounted || v.DontFork || _allocator.Commitment.May(this, PagesIn(v.End - v.Start)));

    /// <summary>mmap of Linux: returns the address or -errno.</summary>
    public long Map(ulong address, ulong length, int prot, int flags, IMappedFile? file, ulong offset, string? name = null)
    {
        if (length == 0)
            return -Errno.EINVAL;
        ulong size = (length + Page - 1) & ~(Page - 1);
        if (size == 0 || size > TaskSize)
            return -Errno.ENOMEM;
        if ((offset & (Page - 1)) != 0)
            return -Errno.EINVAL;
        if (_vmas.Count >= _allocator.MostMappings)
            return -Errno.ENOMEM;
        bool shared = (flags & Mman.MAP_TYPE) is Mman.MAP_SHARED or Mman.MAP_SHARED_VALIDATE;
        // Nobody goes without a promise where none is broken.
        bool noReserve = (flags & Mman.MAP_NORESERVE) != 0 && _allocator.Commitment.Policy != Commitment.Never;
        bool promised = !noReserve && (shared ? file is null : (prot & Mman.PROT_WRITE) != 0);
        ulong start;
        if ((flags & (Mman.MAP_FIXED | Mman.MAP_FIXED_NOREPLACE)) != 0)
        {
            start = address;
            if ((start & (Page - 1)) != 0)
                return -Errno.EINVAL;
            if (start + size > TaskSize || start + size < start)
                return -Errno.ENOMEM;
            if (start < LowestAddress)
                return -Errno.EPERM;
            if ((flags & Mman.MAP_FIXED_NOREPLACE) != 0 && _vmas.Overlaps(start, start + size))
                return -Errno.EEXIST;
            if (promised && !_allocator.Commitment.May(this, PagesIn(size) - PromisedIn(start, start + size)))
                return -Errno.ENOMEM;
            if (Unmap(start, start + size) is < 0 and long refused)
                return refused == -Errno.EPERM ? refused : -Errno.ENOMEM;
        }
        else
        {
            start = FindFree(size, address);
            if (start == 0 || (promised && !_allocator.Commitment.May(this, PagesIn(size))))
                return -Errno.ENOMEM;
        }
        var pages = shared && file is null ? new SharedPages(_allocator) { Promised = promised ? PagesIn(size) : 0 } : null;
        var vma = new Vma
        {
            Start = start,
            End = start + size,
            Prot = prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC | Mman.PROT_BTI),
            Shared = shared,
            GrowsDown = (flags & Mman.MAP_GROWSDOWN) != 0,
            Locked = LockFuture || (flags & Mman.MAP_LOCKED) != 0,
            WipeOnFork = (flags & Mman.MAP_TYPE) == Mman.MAP_DROPPABLE,
            NoReserve = noReserve,
            File = file,
            Offset = offset,
            SharedAnonymous = pages,
            Name = name,
        };
        Add(vma);
        pages?.Release();
        if (LockFuture || (flags & (Mman.MAP_POPULATE | Mman.MAP_LOCKED)) != 0)
            Populate(start, start + size);
        return (long)start;
    }

    private void Populate(ulong start, ulong end)
    {
        for (ulong va = start; va < end; va += Page)
        {
            if (!FaultIn(va, false, out _))
                return;
        }
    }

    /// <summary>Whether a border of [start, end) lies inside of a mapping that cannot be split (vm_ops->may_split).</summary>
    private bool WouldSplitSpecial(ulong start, ulong end) =>
        Find(start)?.RefusesSplitAt(start) == true || Find(end)?.RefusesSplitAt(end) == true;

    /// <summary>Removes every mapping of [start, end): 0, -EPERM where one is sealed, or -EINVAL where a part of a special one would
    /// remain.</summary>
    public long Unmap(ulong start, ulong end)
    {
        if (_vmas.HasSealed(start, end))
            return -Errno.EPERM;
        if (WouldSplitSpecial(start, end))
            return -Errno.EINVAL;
        List<IUserfault> hearers = HearersOf(start, end, UserfaultChange.Unmap);
        // One more than there may be: of a mapping of which both ends stay.
        if (_vmas.Count >= _allocator.MostMappings && Find(start) is { } around && around.Start < start && around.End > end)
            return -Errno.ENOMEM;
        Remove(start, end);
        foreach (IUserfault hearer in hearers)
            hearer.Changed(UserfaultChange.Unmap, start, end);
        return 0;
    }

    private void Remove(ulong start, ulong end)
    {
        _vmas.SplitAt(start);
        _vmas.SplitAt(end);
        int i = _vmas.IndexAfter(start);
        while (i < _vmas.Count && _vmas[i].Start < end)
        {
            Vma vma = _vmas[i];
            DropPages(vma, vma.Start, vma.End);
            _vmas.RemoveAt(i);
            vma.File?.Release();
            vma.SharedAnonymous?.Release();
            vma.Special?.Changed?.Invoke(this, vma.Start, 0);
        }
    }

    /// <summary>Gives the special mapping with a name other physical pages; nothing happens where a part of it is gone.</summary>
    internal void ReplaceSpecialPages(string name, ulong[] pages)
    {
        Vma? vma = _vmas.FindSpecial(name, pages.Length);
        if (vma?.SpecialPages is not { } old || ReferenceEquals(old, pages))
            return;
        if (!old.AsSpan().SequenceEqual(pages))
            DropPages(vma, vma.Start, vma.End);
        vma.SpecialPages = pages;
    }

    /// <summary>How many of the resident pages nobody else has.</summary>
    internal long OwnPages() => Vmas.Sum(vma => Space.Pages(vma.Start, vma.End).LongCount(page =>
        !vma.IsKernelPage(page.Va, page.Pa) && _allocator.References(page.Pa) == 1));

    /// <summary>Forgets the resident pages of a part of a mapping (munmap, MADV_DONTNEED).</summary>
    private void DropPages(Vma vma, ulong start, ulong end)
    {
        ForgetMarks(start, end);
        foreach ((ulong va, ulong pa, _) in Space.Pages(start, end))
        {
            Space.Unmap(va);
            bool kernels = vma.IsKernelPage(va, pa);
            // What others have stays as it is, with what engines know of its code.
            bool last = _allocator.References(pa) == 1;
            if (kernels || last)
                _machine.InvalidateCode(pa, (int)Page);
            if (kernels)
                continue;
            ResidentPages--;
            FreedPages += last ? 1 : 0;
            // Shared pages are counted once by their owner and once by each translation.
            _allocator.Free(pa);
        }
    }

    /// <summary>Whether the pages of a process that is being ended are gone already: none comes in their place (MMF_UNSTABLE).</summary>
    internal bool IsReaped { get; private set; }

    /// <summary>Gives the private pages back while the process is being ended, before it runs again (__oom_reap_task_mm).</summary>
    internal void Reap()
    {
        IsReaped = true;
        foreach (Vma vma in Vmas.Where(vma => !vma.Shared && vma.SpecialPages is null && vma.Special is null))
            DropPages(vma, vma.Start, vma.End);
    }

    /// <summary>Makes a page of a shared mapping zero (a hole, MADV_REMOVE).</summary>
    internal void ClearPage(ulong pa)
    {
        _machine.Memory.Span(pa, (int)Page).Clear();
        _machine.NotifyWrite(pa, (int)Page);
        _machine.InvalidateCode(pa, (int)Page);
    }

    /// <summary>mprotect: 0 or -errno.</summary>
    public long Protect(ulong start, ulong length, int prot)
    {
        if ((start & (Page - 1)) != 0)
            return -Errno.EINVAL;
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if (end < start)
            return -Errno.ENOMEM;
        if (end == start)
            return 0;
        if (!IsFullyMapped(start, end) || _vmas.Count >= _allocator.MostMappings)
            return -Errno.ENOMEM;
        prot &= AllAccess | Mman.PROT_BTI;
        foreach (Vma vma in _vmas.In(start, end))
        {
            if (vma.Sealed)
                return -Errno.EPERM;
            bool writes = (prot & ~vma.Prot & Mman.PROT_WRITE) != 0 && vma.Shared;
            if ((writes && (vma.NeverWritable || vma.File is { CanWrite: false } || vma.File is { WriteSealed: true }))
                || (vma.Special is { } special && (prot & AllAccess & ~special.MayProt) != 0))
                return -Errno.EACCES;
            // One that stays as it is is not split (mprotect_fixup).
            if (vma.Prot != prot && (vma.RefusesSplitAt(start) || vma.RefusesSplitAt(end)))
                return -Errno.EINVAL;
        }
        SplitAt(start, end);
        long error = 0;
        foreach (Vma vma in _vmas.In(start, end))
        {
            // Those before it stay as they are now (mprotect_fixup).
            if (!vma.Accounted && IsAccountable(vma, prot) && !_allocator.Commitment.May(this, PagesIn(vma.End - vma.Start)))
            {
                error = -Errno.ENOMEM;
                break;
            }
            vma.Prot = prot;
            Account(vma);
            foreach ((ulong va, ulong pa, _) in Space.Pages(vma.Start, vma.End))
            {
                Space.Protect(va, PermissionsFor(vma, va, pa));
                _machine.InvalidateCode(pa, (int)Page);
            }
        }
        for (int k = Math.Max(_vmas.IndexAfter(start) - 1, 0); k + 1 < _vmas.Count && _vmas[k].Start <= end;)
        {
            if (!_vmas.MergeAt(k))
                k++;
        }
        return error;
    }

    /// <summary>MADV_DONTNEED and MADV_FREE: private pages read as zero (or the file, or the kernel's page) again.</summary>
    public long DontNeed(ulong start, ulong length)
    {
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if ((start & (Page - 1)) != 0 || end < start)
            return -Errno.EINVAL;
        foreach (Vma vma in _vmas.In(start, end))
        {
            // can_madv_lru_vma in mm/madvise.c
            if (vma.Special is { ByPageFrame: true })
                return -Errno.EINVAL;
            DropPages(vma, Math.Max(start, vma.Start), Math.Min(end, vma.End));
        }
        return IsFullyMapped(start, end) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>Applies <paramref name="change"/> to the mappings of a range, splitting at its ends (madvise).</summary>
    public long Advise(ulong start, ulong length, Action<Vma> change)
    {
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if ((start & (Page - 1)) != 0 || end < start)
            return -Errno.EINVAL;
        if (WouldSplitSpecial(start, end))
            return -Errno.EINVAL;
        SplitAt(start, end);
        foreach (Vma vma in _vmas.In(start, end))
            change(vma);
        return IsFullyMapped(start, end) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>Locks or unlocks the mappings of a range up to its first hole; special ones are passed over (mlock_fixup).</summary>
    public long Lock(ulong start, ulong end, bool locked)
    {
        SplitAt(start, end);
        ulong at = start;
        for (int i = _vmas.IndexAfter(start); i < _vmas.Count && _vmas[i].Start <= at && at < end; i++)
        {
            at = _vmas[i].End;
            _vmas[i].Locked = locked && _vmas[i].SpecialPages is null;
        }
        return at >= end ? 0 : -Errno.ENOMEM;
    }

    /// <summary>mseal: 0, or -ENOMEM with nothing sealed where a part is not mapped.</summary>
    public long Seal(ulong start, ulong end)
    {
        if (!IsFullyMapped(start, end))
            return -Errno.ENOMEM;
        SplitAt(start, end);
        foreach (Vma vma in _vmas.In(start, end))
            vma.Sealed = true;
        return 0;
    }

    /// <summary>Makes both ends of a range borders of mappings, where these can be split.</summary>
    private void SplitAt(ulong start, ulong end)
    {
        foreach (ulong border in (ReadOnlySpan<ulong>)[start, end])
        {
            if (Find(border)?.RefusesSplitAt(border) != true)
                _vmas.SplitAt(border);
        }
    }
}
