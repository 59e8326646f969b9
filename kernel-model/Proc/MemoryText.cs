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
    public static string SharedMaps(MemoryMap? memory)
    {
        var text = new StringBuilder();
        foreach (Vma vma in memory?.Vmas ?? [])
        {
            text.Append($"{Line(vma)}\nSize:           {(vma.End - vma.Start) / 1024,8} kB\nKernelPageSize:        4 kB\n"
                + $"MMUPageSize:           4 kB\n{Counters(0)}VmFlags: \n");
        }
        return text.ToString();
    }

    /// <summary>The counters of smaps and smaps_rollup for this many KiB of resident memory.</summary>
    public static string Counters(long kib) =>
        $"Rss:            {kib,8} kB\nPss:            {kib,8} kB\nPss_Dirty:      {kib,8} kB\n"
        + $"Shared_Clean:          0 kB\nShared_Dirty:          0 kB\nPrivate_Clean:         0 kB\nPrivate_Dirty:  {kib,8} kB\n"
        + $"Referenced:     {kib,8} kB\nAnonymous:      {kib,8} kB\nSwap:                  0 kB\nLocked:                0 kB\n";

    private static string Line(Vma vma)
    {
        string prot = $"{((vma.Prot & 1) != 0 ? 'r' : '-')}{((vma.Prot & 2) != 0 ? 'w' : '-')}"
            + $"{((vma.Prot & 4) != 0 ? 'x' : '-')}{(vma.Shared ? 's' : 'p')}";
        (uint major, uint minor, ulong inode) = vma.File?.DeviceAndInode ?? default;
        string line = $"{vma.Start:x8}-{vma.End:x8} {prot} {(vma.File is null ? 0 : vma.Offset):x8} {major:x2}:{minor:x2} {inode} ";
        string? name = vma.File?.Path ?? vma.Name ?? (vma.Shared ? "/dev/zero (deleted)" : null);
        return name is null ? line : line.PadRight(73) + name;
    }
}
