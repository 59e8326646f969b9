using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Kernel.Memory;

/// <summary>Pages of guest RAM, reference counted. Physical address 0 is never handed out.</summary>
public sealed class PageAllocator
{
    private readonly PhysicalMemory _memory;
    private readonly int[] _references;
    private readonly Stack<ulong> _free = new();
    private readonly DeterministicRandom? _placement;
    private readonly List<ulong> _mixed = [];
    private ulong _next = PhysicalMemory.PageSize;
    private ulong _end;

    /// <summary>Manages all pages of <paramref name="memory"/>.</summary>
    /// <param name="memory">RAM.</param>
    /// <param name="placement">0: pages are handed out in ascending order. Else the seed of a random order, as on a machine that has
    /// been running: which lines of a cache two pages compete for differs with it.</param>
    public PageAllocator(PhysicalMemory memory, ulong placement = 0)
    {
        _memory = memory;
        _end = memory.Size;
        _placement = placement == 0 ? null : new DeterministicRandom(placement);
        _references = new int[memory.Size / PhysicalMemory.PageSize];
        Commitment = new Commitment(Total);
    }

    /// <summary>Pages in use.</summary>
    public long Used { get; private set; }

    /// <summary>Pages that were in use before the first program.</summary>
    internal long UsedByKernel { get; private set; }

    /// <summary>All pages that are in use by now are the kernel's.</summary>
    internal void EndOfBoot() => UsedByKernel = Used;

    /// <summary>How much may be promised.</summary>
    internal Commitment Commitment { get; }

    /// <summary>Mappings that a memory may have (vm.max_map_count).</summary>
    internal int MostMappings { get; set; } = 65530;

    /// <summary>Page faults of all memories so far.</summary>
    internal long Faults { get; set; }

    /// <summary>Pages of RAM in all.</summary>
    public long Total => _references.Length;

    /// <summary>Bytes that the model keeps for the guest outside of RAM: files, pipes, messages, names. They count as used RAM, so that a
    /// guest takes no more of the host than it has RAM.</summary>
    public long Charged { get; private set; }

    /// <summary>Pages that are not yet where their file keeps them (PG_dirty).</summary>
    internal HashSet<ulong> Dirty { get; } = [];

    /// <summary>Gives pages back that can be had again. False: there are none.</summary>
    internal Func<bool>? Reclaim { get; set; }

    /// <summary>Ends a process for its pages, but takes none out of the given memory, which is about to get one. False: there is nobody to
    /// end, or it is that memory's own.</summary>
    internal Func<MemoryMap, bool>? EndSomebody { get; set; }

    /// <summary>vm.oom_kill_allocating_task: not 0: who finds no page is ended, not the worst.</summary>
    internal int EndsWhoAsks { get; set; }

    /// <summary>Told when there was no room for the first time.</summary>
    internal Action? Full { get; set; }

    private bool IsFull => Used + (Charged >> 12) >= Total;

    /// <summary>Counts bytes that an object of the guest takes outside of RAM. False: there is no room for them. A sixteenth is left for
    /// the programs themselves, so that the one that asked hears of it and nobody is killed.</summary>
    public bool TryCharge(long bytes)
    {
        while (Used + ((Charged + bytes) >> 12) >= Total - Total / 16)
        {
            if (Reclaim?.Invoke() == true)
                continue;
            Full?.Invoke();
            Full = null;
            return false;
        }
        Charged += bytes;
        return true;
    }

    /// <summary>Counts bytes in any case, or with a negative number gives them back.</summary>
    public void Charge(long bytes) => Charged += bytes;

    /// <summary>Physical address of a zeroed page with one reference, or 0 when RAM is full.</summary>
    public ulong Allocate()
    {
        ulong pa;
        while (IsFull)
        {
            if (Reclaim?.Invoke() != true)
                return 0;
        }
        if (_free.TryPop(out pa))
        {
            _memory.Span(pa, PhysicalMemory.PageSize).Clear();
        }
        else
        {
            pa = Fresh();
            if (pa == 0)
                return Reclaim?.Invoke() == true ? Allocate() : 0;
        }
        _references[pa / PhysicalMemory.PageSize] = 1;
        Used++;
        return pa;
    }

    /// <summary>A page that was never used, or 0.</summary>
    private ulong Fresh()
    {
        if (_placement is null)
            return Next();
        if (_mixed.Count == 0)
        {
            const int Window = 256;
            for (ulong pa = Next(); pa != 0; pa = _mixed.Count < Window ? Next() : 0)
                _mixed.Add(pa);
            if (_mixed.Count == 0)
                return 0;
        }
        int i = (int)(_placement.Next() % (ulong)_mixed.Count);
        ulong chosen = _mixed[i];
        _mixed[i] = _mixed[^1];
        _mixed.RemoveAt(_mixed.Count - 1);
        return chosen;
    }

    private ulong Next()
    {
        if (_next >= _end)
            return 0;
        ulong pa = _next;
        _next += PhysicalMemory.PageSize;
        return pa;
    }

    /// <summary>Physical address of <paramref name="count"/> adjacent zeroed pages, one reference each; 0 when RAM is full.</summary>
    public ulong AllocateContiguous(int count)
    {
        ulong bytes = (ulong)count * PhysicalMemory.PageSize;
        if (_next + bytes > _end)
            return 0;
        ulong pa = _next;
        _next += bytes;
        for (int i = 0; i < count; i++)
            _references[(int)(pa / PhysicalMemory.PageSize) + i] = 1;
        Used += count;
        return pa;
    }

    /// <summary>As <see cref="AllocateContiguous"/>, from the end of RAM, so that no other page gets another place by it; 0 when RAM is
    /// full.</summary>
    internal ulong AllocateHigh(int count)
    {
        ulong bytes = (ulong)count * PhysicalMemory.PageSize;
        if (_next + bytes > _end)
            return 0;
        _end -= bytes;
        for (int i = 0; i < count; i++)
            _references[(int)(_end / PhysicalMemory.PageSize) + i] = 1;
        Used += count;
        return _end;
    }

    /// <summary>As <see cref="AllocateContiguous"/>, at a multiple of <paramref name="alignment"/> bytes; the pages before it stay
    /// free.</summary>
    public ulong AllocateAligned(int count, int alignment)
    {
        ulong first = (_next + (ulong)alignment - 1) / (ulong)alignment * (ulong)alignment;
        if (first + (ulong)count * PhysicalMemory.PageSize > _end)
            return 0;
        for (; _next < first; _next += PhysicalMemory.PageSize)
            _free.Push(_next);
        return AllocateContiguous(count);
    }

    /// <summary>One more reference to a page.</summary>
    public void AddReference(ulong pa) => _references[pa / PhysicalMemory.PageSize]++;

    /// <summary>References to a page.</summary>
    public int References(ulong pa) => _references[pa / PhysicalMemory.PageSize];

    /// <summary>Drops one reference; the last one frees the page.</summary>
    public void Free(ulong pa)
    {
        ref int count = ref _references[pa / PhysicalMemory.PageSize];
        if (count <= 0)
            throw new InvalidOperationException($"page 0x{pa:x} freed twice");
        if (--count != 0)
            return;
        Used--;
        _free.Push(pa);
    }
}
