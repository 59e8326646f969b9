using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>How much memory a process has and of what kind (task_mem and proc_pid_statm in fs/proc).</summary>
internal static class MemoryUse
{
    /// <summary>Mapped bytes by what they are for (vm_stat_account in mm/mmap.c).</summary>
    /// <param name="Data">Private and writable, without the stack.</param>
    /// <param name="Stack">What grows down.</param>
    /// <param name="Code">The program's own executable part.</param>
    /// <param name="Libraries">Executable, of others.</param>
    internal readonly record struct Parts(ulong Data, ulong Stack, ulong Code, ulong Libraries)
    {
        internal static Parts Of(MemoryMap memory)
        {
            ulong data = 0, stack = 0, executable = 0;
            foreach (Vma vma in memory.Vmas)
            {
                ulong size = vma.End - vma.Start;
                if (vma.GrowsDown)
                    stack += size;
                else if ((vma.Prot & Mman.PROT_WRITE) != 0 && !vma.Shared)
                    data += size;
                else if ((vma.Prot & (Mman.PROT_EXEC | Mman.PROT_WRITE)) == Mman.PROT_EXEC)
                    executable += size;
            }
            ulong code = Math.Min(CodeBytes(memory), executable);
            return new Parts(data, stack, code, executable - code);
        }
    }

    private const ulong Page = PhysicalMemory.PageSize;

    private static ulong CodeBytes(MemoryMap memory) =>
        ((memory.Bounds.CodeEnd + Page - 1) & ~(Page - 1)) - (memory.Bounds.CodeStart & ~(Page - 1));

    /// <summary>/proc/PID/statm, in pages: all, resident, of those of files or shared, code, 0, data and stack, 0.</summary>
    internal static string Statm(MemoryMap? memory)
    {
        if (memory is null)
            return "0 0 0 0 0 0 0\n";
        (long anonymous, long file, long shared) = ResidentPages.Kinds(memory);
        Parts parts = Parts.Of(memory);
        return $"{memory.VirtualSize / Page} {anonymous + file + shared} {file + shared} {CodeBytes(memory) / Page} 0 "
            + $"{(parts.Data + parts.Stack) / Page} 0\n";
    }

    /// <summary>The Vm and Rss lines of /proc/PID/status.</summary>
    internal static string Status(MemoryMap memory)
    {
        (long anonymous, long file, long shared) = ResidentPages.Kinds(memory);
        long resident = anonymous + file + shared;
        Parts parts = Parts.Of(memory);
        string Line(string name, ulong bytes) => $"{name}:\t{bytes / 1024,8} kB\n";
        string Pages(string name, long pages) => Line(name, (ulong)pages * Page);
        return Line("VmPeak", memory.PeakVirtualSize) + Line("VmSize", memory.VirtualSize) + Line("VmLck", memory.LockedBytes)
            + Line("VmPin", 0) + Pages("VmHWM", Math.Max(memory.PeakResidentPages, resident)) + Pages("VmRSS", resident)
            + Pages("RssAnon", anonymous) + Pages("RssFile", file) + Pages("RssShmem", shared) + Line("VmData", parts.Data)
            + Line("VmStk", parts.Stack) + Line("VmExe", parts.Code) + Line("VmLib", parts.Libraries)
            + Pages("VmPTE", TablePages(memory)) + Line("VmSwap", 0) + Line("HugetlbPages", 0)
            + "CoreDumping:\t0\nTHP_enabled:\t0\n" + $"untag_mask:\t0x{ulong.MaxValue >> 8:x}\n";
    }

    /// <summary>Pages of translation tables below the first level that Linux would have for what is resident now
    /// (mm_pgtables_bytes).</summary>
    internal static long TablePages(MemoryMap memory)
    {
        var tables = new HashSet<(int Level, ulong Part)>();
        foreach ((ulong va, _, _) in memory.Space.Pages(0, memory.TaskSize))
        {
            for (int shift = 21; shift < memory.Space.VaBits; shift += 9)
                tables.Add((shift, va >> shift));
        }
        return tables.Count;
    }
}
