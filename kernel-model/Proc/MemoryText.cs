using System.Text;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>Mappings of a process as text (fs/proc/task_mmu.c).</summary>
internal static class MemoryText
{
    /// <summary>What is resident of a mapping, in pages.</summary>
    private readonly record struct Residence(long Shared, long Private, long Anonymous, double Proportional)
    {
        internal long All => Shared + Private;

        public static Residence operator +(Residence a, Residence b) =>
            new(a.Shared + b.Shared, a.Private + b.Private, a.Anonymous + b.Anonymous, a.Proportional + b.Proportional);
    }

    /// <summary>/proc/PID/maps; nothing for a task without memory.</summary>
    public static string Maps(MemoryMap? memory)
    {
        var text = new StringBuilder();
        foreach (Vma vma in memory?.Vmas ?? [])
            text.Append(Line(vma)).Append('\n');
        return text.ToString();
    }

    /// <summary>/proc/PID/smaps.</summary>
    public static string SharedMaps(MemoryMap? memory)
    {
        var text = new StringBuilder();
        foreach (Vma vma in memory?.Vmas ?? [])
        {
            text.Append($"{Line(vma)}\nSize:           {(vma.End - vma.Start) / 1024,8} kB\nKernelPageSize:        4 kB\n"
                + $"MMUPageSize:           4 kB\n{Counters(ResidenceOf(memory!, vma), vma.Locked)}THPeligible:           0\n"
                + $"VmFlags: {Flags(vma)}\n");
        }
        return text.ToString();
    }

    /// <summary>/proc/PID/smaps_rollup.</summary>
    public static string Rollup(MemoryMap? memory)
    {
        if (memory is null || memory.Vmas.Count == 0)
            return "";
        Residence all = default;
        foreach (Vma vma in memory.Vmas)
            all += ResidenceOf(memory, vma);
        string range = $"{memory.Vmas[0].Start:x8}-{memory.Vmas[^1].End:x8} ---p 00000000 00:00 0 ";
        return $"{range.PadRight(73)}[rollup]\n{Counters(all, false)}";
    }

    /// <summary>/proc/PID/numa_maps: one node.</summary>
    public static string NumaMaps(MemoryMap? memory)
    {
        var text = new StringBuilder();
        foreach (Vma vma in memory?.Vmas ?? [])
        {
            Residence pages = ResidenceOf(memory!, vma);
            string name = vma.File is not null ? $" file={vma.File.Path}" : vma.Name switch
            {
                "[heap]" => " heap",
                "[stack]" => " stack",
                _ => "",
            };
            text.Append($"{vma.Start:x8} default{name}");
            if (pages.All != 0)
            {
                text.Append(pages.Anonymous != 0 ? $" anon={pages.Anonymous}" : "")
                    .Append($" dirty={pages.All} N0={pages.All} kernelpagesize_kB=4");
            }
            text.Append('\n');
        }
        return text.ToString();
    }

    private static Residence ResidenceOf(MemoryMap memory, Vma vma)
    {
        Residence sum = default;
        if (vma.SpecialPages is not null)
            return sum;
        foreach (int references in memory.ReferencesIn(vma))
        {
            // The owner of shared pages holds a reference of its own.
            int mappings = Math.Max(1, references - (vma.Shared ? 1 : 0));
            sum += new Residence(mappings > 1 ? 1 : 0, mappings > 1 ? 0 : 1, vma.Shared ? 0 : 1, 1.0 / mappings);
        }
        return sum;
    }

    private static string Counters(Residence pages, bool locked)
    {
        long all = pages.All * 4;
        return $"Rss:            {all,8} kB\nPss:            {(long)(pages.Proportional * 4),8} kB\n"
            + $"Pss_Dirty:      {(long)(pages.Proportional * 4),8} kB\nShared_Clean:          0 kB\n"
            + $"Shared_Dirty:   {pages.Shared * 4,8} kB\nPrivate_Clean:         0 kB\nPrivate_Dirty:  {pages.Private * 4,8} kB\n"
            + $"Referenced:     {all,8} kB\n"
            + $"Anonymous:      {pages.Anonymous * 4,8} kB\nKSM:                   0 kB\nLazyFree:              0 kB\n"
            + "AnonHugePages:         0 kB\nShmemPmdMapped:        0 kB\nFilePmdMapped:         0 kB\nShared_Hugetlb:        0 kB\n"
            + "Private_Hugetlb:       0 kB\nSwap:                  0 kB\nSwapPss:               0 kB\n"
            + $"Locked:         {(locked ? (long)(pages.Proportional * 4) : 0),8} kB\n";
    }

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
        Add(vma.Special is not null && (may & Mman.PROT_EXEC) == 0, "pf");
        Add(vma.Locked, "lo");
        Add(vma.DontFork, "dc");
        Add(vma.Special is not null, "de");
        Add(vma.SpecialPages is null && !vma.Shared, "ac");
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
