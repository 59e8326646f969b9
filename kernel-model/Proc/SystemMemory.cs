using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>What /proc says of the memory of the whole machine (fs/proc/meminfo.c, mm/vmstat.c).</summary>
internal static class SystemMemory
{
    private const long KibPerPage = PhysicalMemory.PageSize / 1024;

    /// <summary>/proc/meminfo in KiB. Programs' pages are counted one by one; of the rest, what the kernel has taken for tasks and
    /// objects is slab and stacks, and what remains is cached files.</summary>
    internal static string Info(ProcParts parts, Vfs vfs)
    {
        Dictionary<ulong, PageKind> mapped = Mapped(parts.Tasks);
        long anonymous = mapped.Values.Count(k => k == PageKind.Anonymous), shared = mapped.Values.Count(k => k == PageKind.SharedMemory);
        long files = mapped.Count - anonymous - shared;
        long tasks = parts.Tasks.All.Count(t => t.RecordPa != 0);
        long stacks = tasks * (TaskRecords.StackSize / PhysicalMemory.PageSize);
        long kernel = parts.Pages.UsedByKernel + tasks * TaskRecords.Pages;
        long cached = Math.Max(files + shared, parts.Pages.Used - kernel - anonymous) + vfs.FilePages;
        long objects = Math.Max(0, (parts.Pages.Charged >> 12) - vfs.FilePages);
        long ofMemory = Math.Max(shared, InFiles(vfs));
        long slab = Math.Max(0, kernel - stacks) + objects, total = parts.Pages.Total;
        long free = Free(parts);
        long locked = parts.Tasks.Memories.Sum(m => (long)m.LockedBytes) / (long)PhysicalMemory.PageSize;
        // What nobody has written to and is not mapped could be had again.
        long available = Math.Min(total, free + Math.Max(0, cached - files - ofMemory - vfs.FilePages));
        var text = new StringBuilder();
        foreach ((string name, long pages) in new (string, long)[]
        {
            ("MemTotal", total), ("MemFree", free), ("MemAvailable", available), ("Buffers", 0), ("Cached", cached), ("SwapCached", 0),
            ("Active", anonymous + cached), ("Inactive", 0), ("Active(anon)", anonymous + ofMemory), ("Inactive(anon)", 0),
            ("Active(file)", Math.Max(0, cached - ofMemory)), ("Inactive(file)", 0), ("Unevictable", locked), ("Mlocked", locked),
            ("SwapTotal", 0), ("SwapFree", 0), ("Dirty", parts.Pages.Dirty.Count), ("Writeback", 0), ("AnonPages", anonymous),
            ("Mapped", files + shared), ("Shmem", ofMemory), ("KReclaimable", 0), ("Slab", slab), ("SReclaimable", 0),
            ("SUnreclaim", slab), ("KernelStack", stacks),
            ("PageTables", parts.Tasks.Memories.Sum(m => MemoryUse.TablePages(m) + 1)), ("CommitLimit", parts.Pages.Commitment.Limit),
            ("Committed_AS", Promised(parts, vfs)), ("VmallocTotal", 133141626880 / KibPerPage), ("VmallocUsed", 0),
            ("VmallocChunk", 0),
            ("Percpu", 0), ("AnonHugePages", 0),
        })
            text.Append(CultureInfo.InvariantCulture, $"{name + ":",-15} {pages * KibPerPage,8} kB\n");
        return text.Append("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n"
            + "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n").ToString();
    }

    /// <summary>Pages that have been promised (vm_committed_as): to processes, to shared memory, and what files in memory have.</summary>
    internal static long Promised(ProcParts parts, Vfs vfs)
    {
        HashSet<SharedPages> shared = [.. parts.Tasks.All.Select(t => t.Ipc).Append(parts.Namespaces.InitialIpc).Distinct()
            .SelectMany(i => i.Segments.All).Select(s => s.Pages),
            .. parts.Tasks.Memories.SelectMany(m => m.Vmas).Select(v => v.SharedAnonymous).OfType<SharedPages>()];
        return parts.Tasks.Memories.Sum(m => m.PromisedPages) + shared.Sum(s => s.Promised != 0 ? s.Promised : s.Count) + InFiles(vfs);
    }

    /// <summary>Pages that files of file systems in memory have.</summary>
    private static long InFiles(Vfs vfs) =>
        vfs.Mounts.Select(m => m.Fs.Whole).Distinct().Where(f => f.IsMemory).Sum(f => f.Used.Blocks);

    /// <summary>Each page that a program has mapped, once, and what it is; what is mapped by number is not among them.</summary>
    private static Dictionary<ulong, PageKind> Mapped(TaskTable tasks)
    {
        var pages = new Dictionary<ulong, PageKind>();
        foreach ((Vma vma, ulong va, ulong pa, _) in tasks.Memories.SelectMany(ResidentPages.In))
        {
            if (!vma.IsKernelPage(va, pa))
                pages[pa] = ResidentPages.KindOf(vma, va, pa);
        }
        return pages;
    }

    private static long Free(ProcParts parts) => Math.Max(0, parts.Pages.Total - parts.Pages.Used - (parts.Pages.Charged >> 12));

    /// <summary>/proc/zoneinfo: one zone, with no watermarks.</summary>
    internal static string Zones(ProcParts parts) =>
        $"Node 0, zone   Normal\n  pages free     {Free(parts)}\n        boost    0\n        min      0\n"
        + $"        low      0\n        high     0\n        spanned  {parts.Pages.Total}\n        present  {parts.Pages.Total}\n"
        + $"        managed  {parts.Pages.Total}\n";

    /// <summary>/proc/buddyinfo: single pages.</summary>
    internal static string Buddies(ProcParts parts) =>
        $"Node 0, zone   Normal {Free(parts),6}" + string.Concat(Enumerable.Repeat($" {0,6}", 10)) + "\n";

    /// <summary>/proc/vmstat.</summary>
    internal static string Stat(ProcParts parts)
    {
        Dictionary<ulong, PageKind> mapped = Mapped(parts.Tasks);
        int anonymous = mapped.Values.Count(k => k == PageKind.Anonymous);
        return $"nr_free_pages {Free(parts)}\nnr_anon_pages {anonymous}\nnr_mapped {mapped.Count - anonymous}\n"
            + $"nr_dirty {parts.Pages.Dirty.Count}\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault {parts.Pages.Faults}\n"
            + "pgmajfault 0\n";
    }
}
