using System.Text;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>Mappings of a process as text (fs/proc/task_mmu.c).</summary>
internal static class MemoryText
{
    /// <summary>/proc/PID/maps; nothing for a task without memory.</summary>
    public static string Maps(MemoryMap? memory)
    {
        var text = new StringBuilder();
        foreach (Vma vma in memory?.Vmas ?? [])
            text.Append(Line(vma)).Append('\n');
        return text.ToString();
    }

    /// <summary>/proc/PID/smaps.</summary>
    public static string SharedMaps(MemoryMap? memory, ProcParts parts)
    {
        var text = new StringBuilder();
        foreach ((Vma vma, ResidentPages pages) in Resident(memory, parts))
        {
            text.Append($"{Line(vma)}\nSize:           {(vma.End - vma.Start) / 1024,8} kB\nKernelPageSize:        4 kB\n"
                + $"MMUPageSize:           4 kB\n{Counters(pages, vma.Locked, "")}THPeligible:           0\n"
                + $"VmFlags: {Flags(vma)}\n");
        }
        return text.ToString();
    }

    /// <summary>/proc/PID/smaps_rollup.</summary>
    public static string Rollup(MemoryMap? memory, ProcParts parts)
    {
        if (memory is null || memory.Vmas.Count == 0)
            return "";
        ResidentPages all = default;
        double locked = 0;
        foreach ((Vma vma, ResidentPages pages) in Resident(memory, parts))
        {
            all += pages;
            locked += vma.Locked ? pages.Share : 0;
        }
        string range = $"{memory.Vmas[0].Start:x8}-{memory.Vmas[^1].End:x8} ---p 00000000 00:00 0 ";
        string kinds = Size("Pss_Anon", all.ShareAnonymous) + Size("Pss_File", all.ShareFile) + Size("Pss_Shmem", all.ShareSharedMemory);
        return $"{range.PadRight(73)}[rollup]\n{Counters(all, false, kinds, locked)}";
    }

    /// <summary>/proc/PID/numa_maps: one node.</summary>
    public static string NumaMaps(MemoryMap? memory, MemoryPolicy? policy, ProcParts parts)
    {
        var text = new StringBuilder();
        foreach ((Vma vma, ResidentPages pages) in Resident(memory, parts))
        {
            string name = vma.File is not null ? $" file={vma.File.Path}" : vma.Name switch
            {
                "[heap]" => " heap",
                "[stack]" => " stack",
                _ => "",
            };
            text.Append($"{vma.Start:x8} {MemoryPolicy.Text(vma.Policy ?? policy)}{name}");
            // Pages of the kernel are no pages of a node (can_gather_numa_stats).
            if (pages.All != 0 && vma.Special is null)
            {
                long dirty = pages.SharedDirty + pages.PrivateDirty;
                text.Append(pages.Anonymous != 0 ? $" anon={pages.Anonymous}" : "").Append(dirty != 0 ? $" dirty={dirty}" : "")
                    .Append(pages.All != pages.Anonymous && pages.All != dirty ? $" mapped={pages.All}" : "")
                    .Append(pages.MostMappings > 1 ? $" mapmax={pages.MostMappings}" : "")
                    .Append($" active=0 N0={pages.All} kernelpagesize_kB=4");
            }
            text.Append('\n');
        }
        return text.ToString();
    }

    private static IEnumerable<(Vma Vma, ResidentPages Pages)> Resident(MemoryMap? memory, ProcParts parts)
    {
        if (memory is null)
            yield break;
        Dictionary<ulong, int> mappings = ResidentPages.Mappings(parts.Tasks);
        foreach (Vma vma in memory.Vmas)
            yield return (vma, ResidentPages.Of(memory, vma, mappings, parts.Pages.Dirty));
    }

    private static string Size(string name, double pages) => $"{name + ":",-16}{(long)(pages * 4),8} kB\n";

    private static string Counters(in ResidentPages pages, bool locked, string kinds, double lockedShare = 0) =>
        Size("Rss", pages.All) + Size("Pss", pages.Share) + Size("Pss_Dirty", pages.ShareDirty) + kinds
        + Size("Shared_Clean", pages.SharedClean) + Size("Shared_Dirty", pages.SharedDirty) + Size("Private_Clean", pages.PrivateClean)
        + Size("Private_Dirty", pages.PrivateDirty) + Size("Referenced", pages.All) + Size("Anonymous", pages.Anonymous)
        + "KSM:                   0 kB\nLazyFree:              0 kB\nAnonHugePages:         0 kB\nShmemPmdMapped:        0 kB\n"
        + "FilePmdMapped:         0 kB\nShared_Hugetlb:        0 kB\nPrivate_Hugetlb:       0 kB\nSwap:                  0 kB\n"
        + "SwapPss:               0 kB\n" + Size("Locked", locked ? pages.Share : lockedShare);

    /// <summary>show_smap_vma_flags.</summary>
    private static string Flags(Vma vma)
    {
        var text = new StringBuilder();
        void Add(bool holds, string name) => text.Append(holds ? name + " " : "");
        Add((vma.Prot & Mman.PROT_READ) != 0, "rd");
        Add((vma.Prot & Mman.PROT_WRITE) != 0, "wr");
        Add((vma.Prot & Mman.PROT_EXEC) != 0, "ex");
        Add(vma.Shared, "sh");
        // A special mapping allows what it was made with.
        int may = vma.Special?.MayProt ?? Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC;
        Add((may & Mman.PROT_READ) != 0, "mr");
        Add((may & Mman.PROT_WRITE) != 0 && (!vma.Shared || vma.File is not { CanWrite: false }), "mw");
        Add((may & Mman.PROT_EXEC) != 0, "me");
        Add(vma.Shared && vma.File is not { CanWrite: false }, "ms");
        Add(vma.GrowsDown, "gd");
        // The data pages are mapped by number (VM_PFNMAP), the image's as pages; neither grows.
        Add(vma.Special is { ByPageFrame: true }, "pf");
        Add(vma.Locked, "lo");
        Add(vma.DontFork, "dc");
        Add(vma.Special is not null, "de");
        Add(vma.Accounted, "ac");
        Add(vma.NoReserve, "nr");
        Add((vma.Prot & Mman.PROT_BTI) != 0, "bt");
        Add(vma.WipeOnFork, "wf");
        Add(vma.DontDump, "dd");
        Add(vma.Sealed, "sl");
        return text.ToString();
    }

    private static string Line(Vma vma)
    {
        string prot = $"{((vma.Prot & 1) != 0 ? 'r' : '-')}{((vma.Prot & 2) != 0 ? 'w' : '-')}"
            + $"{((vma.Prot & 4) != 0 ? 'x' : '-')}{(vma.Shared ? 's' : 'p')}";
        (uint major, uint minor, ulong inode) = vma.File?.DeviceAndInode ?? default;
        string line = $"{vma.Start:x8}-{vma.End:x8} {prot} {(vma.File is null ? 0 : vma.Offset):x8} {major:x2}:{minor:x2} {inode} ";
        string? name = NameOf(vma);
        return name is null ? line : line.PadRight(73) + ProcText.Escape(name, "\n");
    }

    /// <summary>The name of a mapping: its file, or what the kernel calls it; null: it has none.</summary>
    internal static string? NameOf(Vma vma) => vma.File is { } file ? file.Path : vma.Name ?? (vma.Shared ? "/dev/zero (deleted)" : null);
}
