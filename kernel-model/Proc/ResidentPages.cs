using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>What a resident page is to who maps it (MM_ANONPAGES and its like; a page mapped by number counts as none).</summary>
internal enum PageKind
{
    None,
    Anonymous,
    File,
    SharedMemory,
}

/// <summary>What is resident of mappings, in pages (struct mem_size_stats in fs/proc/task_mmu.c).</summary>
/// <param name="SharedClean">Mapped more than once, and where it came from has it too.</param>
/// <param name="SharedDirty">Mapped more than once.</param>
/// <param name="PrivateClean">Mapped once, and where it came from has it too.</param>
/// <param name="PrivateDirty">Mapped once.</param>
/// <param name="Anonymous">The process's own.</param>
/// <param name="File">Of files and of the vDSO's image.</param>
/// <param name="SharedMemory">Of tmpfs and of shared mappings without a file.</param>
/// <param name="MostMappings">How often the page is mapped that is mapped most.</param>
/// <param name="ShareAnonymous">Anonymous pages, each divided by how often it is mapped.</param>
/// <param name="ShareFile">Pages of files likewise.</param>
/// <param name="ShareSharedMemory">Shared memory likewise.</param>
/// <param name="ShareDirty">What is dirty likewise.</param>
internal readonly record struct ResidentPages(
    long SharedClean, long SharedDirty, long PrivateClean, long PrivateDirty, long Anonymous, long File, long SharedMemory,
    int MostMappings, double ShareAnonymous, double ShareFile, double ShareSharedMemory, double ShareDirty)
{
    /// <summary>All of them.</summary>
    internal long All => Anonymous + File + SharedMemory;

    /// <summary>All of them, each divided by how often it is mapped.</summary>
    internal double Share => ShareAnonymous + ShareFile + ShareSharedMemory;

    public static ResidentPages operator +(in ResidentPages a, in ResidentPages b) => new(
        a.SharedClean + b.SharedClean, a.SharedDirty + b.SharedDirty, a.PrivateClean + b.PrivateClean, a.PrivateDirty + b.PrivateDirty,
        a.Anonymous + b.Anonymous, a.File + b.File, a.SharedMemory + b.SharedMemory, Math.Max(a.MostMappings, b.MostMappings),
        a.ShareAnonymous + b.ShareAnonymous, a.ShareFile + b.ShareFile, a.ShareSharedMemory + b.ShareSharedMemory,
        a.ShareDirty + b.ShareDirty);

    /// <summary>What kind a resident page of a mapping is.</summary>
    internal static PageKind KindOf(Vma vma, ulong va, ulong pa) => vma switch
    {
        { Special.ByPageFrame: true } => PageKind.None,
        _ when vma.IsKernelPage(va, pa) => PageKind.File,
        { Shared: false } when vma.File?.HasAsPage(vma.Offset + (va - vma.Start), pa) != true => PageKind.Anonymous,
        { File: null or { IsSharedMemory: true } } => PageKind.SharedMemory,
        _ => PageKind.File,
    };

    /// <summary>Whether a page has to be kept, as nobody else has what it holds.</summary>
    private static bool IsDirty(PageKind kind, PagePermissions permissions, bool marked) =>
        kind != PageKind.File || marked || (permissions & PagePermissions.UserWrite) != 0;

    /// <summary>The resident pages of a memory, each with its mapping and address.</summary>
    internal static IEnumerable<(Vma Vma, ulong Va, ulong Pa, PagePermissions Permissions)> In(MemoryMap memory) =>
        memory.Vmas.SelectMany(vma => memory.Space.Pages(vma.Start, vma.End).Select(page => (vma, page.Va, page.Pa, page.Permissions)));

    /// <summary>How often each page is mapped by all tasks.</summary>
    internal static Dictionary<ulong, int> Mappings(TaskTable tasks)
    {
        var counts = new Dictionary<ulong, int>();
        foreach ((_, _, ulong pa, _) in tasks.Memories.SelectMany(In))
            counts[pa] = counts.GetValueOrDefault(pa) + 1;
        return counts;
    }

    /// <summary>Counts a mapping's.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="vma">One of its mappings.</param>
    /// <param name="mappings">How often each page is mapped.</param>
    /// <param name="dirty">Pages that their files have not yet (<see cref="PageAllocator.Dirty"/>).</param>
    internal static ResidentPages Of(MemoryMap memory, Vma vma, Dictionary<ulong, int> mappings, HashSet<ulong> dirty)
    {
        ResidentPages sum = default;
        foreach ((ulong va, ulong pa, PagePermissions permissions) in memory.Space.Pages(vma.Start, vma.End))
        {
            PageKind kind = KindOf(vma, va, pa);
            if (kind == PageKind.None)
                continue;
            int count = Math.Max(1, mappings.GetValueOrDefault(pa));
            bool kept = IsDirty(kind, permissions, dirty.Contains(pa));
            (long shared, long own) = count > 1 ? (1, 0) : (0, 1);
            double share = 1.0 / count;
            sum += new ResidentPages(
                kept ? 0 : shared, kept ? shared : 0, kept ? 0 : own, kept ? own : 0, kind == PageKind.Anonymous ? 1 : 0,
                kind == PageKind.File ? 1 : 0, kind == PageKind.SharedMemory ? 1 : 0, count,
                kind == PageKind.Anonymous ? share : 0, kind == PageKind.File ? share : 0, kind == PageKind.SharedMemory ? share : 0,
                kept ? share : 0);
        }
        return sum;
    }

    /// <summary>How many pages of each kind a memory has, without asking who else has them.</summary>
    internal static (long Anonymous, long File, long SharedMemory) Kinds(MemoryMap memory)
    {
        Span<long> counts = stackalloc long[4];
        foreach ((Vma vma, ulong va, ulong pa, _) in In(memory))
            counts[(int)KindOf(vma, va, pa)]++;
        return (counts[(int)PageKind.Anonymous], counts[(int)PageKind.File], counts[(int)PageKind.SharedMemory]);
    }
}
