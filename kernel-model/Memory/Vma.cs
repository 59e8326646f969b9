namespace ArmVdso.Kernel.Memory;

/// <summary>Pages of a shared anonymous mapping, by page index; lives as long as a mapping refers to it.</summary>
public sealed class SharedPages(PageAllocator allocator)
{
    private readonly Dictionary<ulong, ulong> _pages = [];
    private int _users = 1;

    /// <summary>Mappings, and the owner where there is one.</summary>
    public int Users => _users;

    /// <summary>Pages that were promised when they were made; 0: each is when it is used (MAP_NORESERVE).</summary>
    internal long Promised { get; init; }

    /// <summary>Pages that were used.</summary>
    public int Count => _pages.Count;

    /// <summary>One more mapping.</summary>
    public void AddUser() => _users++;

    /// <summary>One mapping less; the last one frees the pages.</summary>
    public void Release()
    {
        if (--_users != 0)
            return;
        foreach (ulong pa in _pages.Values)
            allocator.Free(pa);
        _pages.Clear();
    }

    /// <summary>Whether the page with this index was ever used.</summary>
    internal bool Has(ulong index) => _pages.ContainsKey(index);

    /// <summary>The page with this index, made on first use; 0 when RAM is full.</summary>
    public ulong Page(ulong index)
    {
        if (!_pages.TryGetValue(index, out ulong pa))
        {
            pa = allocator.Allocate();
            if (pa != 0)
                _pages.Add(index, pa);
        }
        return pa;
    }
}

/// <summary>One mapping: [Start, End) with the same protection and backing (vm_area_struct).</summary>
public sealed class Vma
{
    /// <summary>First address.</summary>
    public ulong Start { get; set; }

    /// <summary>First address after it.</summary>
    public ulong End { get; set; }

    /// <summary>PROT_* bits.</summary>
    public int Prot { get; set; }

    /// <summary>MAP_SHARED rather than MAP_PRIVATE.</summary>
    public bool Shared { get; init; }

    /// <summary>The stack: grows down on faults below it.</summary>
    public bool GrowsDown { get; internal set; }

    /// <summary>mlock: shown and counted; nothing is ever swapped.</summary>
    public bool Locked { get; set; }

    /// <summary>MADV_DONTFORK.</summary>
    public bool DontFork { get; set; }

    /// <summary>MADV_WIPEONFORK.</summary>
    public bool WipeOnFork { get; set; }

    /// <summary>Its memory policy; null: the task's.</summary>
    public MemoryPolicy? Policy { get; set; }

    /// <summary>MADV_DONTDUMP: not in a core file.</summary>
    public bool DontDump { get; set; }

    /// <summary>Physical page that an address of a shared mapping is; 0: none.</summary>
    internal ulong SharedPageAt(ulong va)
    {
        ulong offset = Offset + (va - Start);
        return SharedAnonymous?.Page(offset / PhysicalMemory.PageSize) ?? File?.SharedPagePa(offset) ?? 0;
    }

    /// <summary>Never becomes writable: a shared mapping of what was opened for reading (no VM_MAYWRITE).</summary>
    public bool NeverWritable { get; set; }

    /// <summary>Counts against what may be promised (VM_ACCOUNT): it is, or was, the process's own to write to.</summary>
    public bool Accounted { get; set; }

    /// <summary>MAP_NORESERVE: it never does.</summary>
    public bool NoReserve { get; init; }

    /// <summary>Who is asked for its missing pages; null: nobody. A copy for another memory or place is registered no more.</summary>
    internal UserfaultRegistration? Userfault { get; set; }

    /// <summary>mseal: stays as and where it is.</summary>
    public bool Sealed { get; set; }

    /// <summary>Mapped file, or null.</summary>
    public IMappedFile? File { get; init; }

    /// <summary>Offset in the file (or in the shared pages) of <see cref="Start"/>, in bytes.</summary>
    public ulong Offset { get; set; }

    /// <summary>Pages of a shared anonymous mapping, or null.</summary>
    public SharedPages? SharedAnonymous { get; init; }

    /// <summary>Fixed physical pages (vvar, vdso), one per page of the mapping; not freed with it. Null elsewhere.</summary>
    public ulong[]? SpecialPages { get; internal set; }

    /// <summary>What kind of special mapping it is; null for one without <see cref="SpecialPages"/>.</summary>
    public SpecialMapping? Special { get; init; }

    /// <summary>Whether an address is inside, so that a change up to there would split it, and it is a mapping that cannot be.</summary>
    internal bool RefusesSplitAt(ulong address) => Special is not null && Start < address && address < End;

    /// <summary>Whether a resident page is the kernel's own and no copy of it that the process has made by writing.</summary>
    internal bool IsKernelPage(ulong va, ulong pa) => SpecialPages is { } pages
        && (Shared || Special!.ByPageFrame || pages[(int)((va - Start) / PhysicalMemory.PageSize)] == pa);

    /// <summary>Name for /proc/PID/maps when there is no file: [heap], [stack], [vdso]...</summary>
    public string? Name { get; set; }

    /// <summary>A mapping of the same kind over another range; of a special one, over all of it.</summary>
    internal Vma Clone(ulong start, ulong end) => new()
    {
        Start = start,
        End = end,
        Prot = Prot,
        Shared = Shared,
        GrowsDown = GrowsDown,
        Locked = Locked,
        DontFork = DontFork,
        WipeOnFork = WipeOnFork,
        Sealed = Sealed,
        NeverWritable = NeverWritable,
        Accounted = Accounted,
        NoReserve = NoReserve,
        DontDump = DontDump,
        Policy = Policy,
        File = File,
        Offset = Offset + (start - Start),
        SharedAnonymous = SharedAnonymous,
        SpecialPages = SpecialPages,
        Special = Special,
        Name = Name,
    };
}
