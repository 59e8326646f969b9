namespace ArmVdso.Kernel.Memory;

/// <summary>What a special mapping is (struct vm_special_mapping): pages of the kernel's choice under a name. It is moved and unmapped
/// as a whole, and never grows: mm/mmap.c's special_mapping_split refuses the rest.</summary>
/// <param name="Name">As /proc/PID/maps shows it.</param>
/// <param name="MayProt">PROT_* bits that mprotect can give it (VM_MAYREAD and its like). One that may be written is copied at the first
/// write, as a file's private pages are; one that may not is mapped by page frame (VM_PFNMAP).</param>
public sealed record SpecialMapping(string Name, int MayProt)
{
    /// <summary>Mapped by page frame (VM_PFNMAP): it has no pages that others could hold, so neither a debugger nor another process
    /// reads it (check_vma_flags in mm/gup.c).</summary>
    public bool ByPageFrame => (MayProt & Mman.PROT_WRITE) == 0;

    /// <summary>Called after such a mapping has got another place (mremap) or is gone (munmap, exit): the memory, where it was, and where
    /// it is now; 0: nowhere.</summary>
    internal Action<MemoryMap, ulong, ulong>? Changed { get; init; }
}
