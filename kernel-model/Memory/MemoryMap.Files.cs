namespace ArmVdso.Kernel.Memory;

/// <summary>What files do to their mappings: pages that were written back are clean again, pages beyond an end are no more (page_mkclean in
/// mm/rmap.c, unmap_mapping_range in mm/memory.c).</summary>
public sealed partial class MemoryMap
{
    /// <summary>vma_wants_writenotify: pages of such a mapping that were only read are write-protected.</summary>
    private static bool HearsOfWrites(Vma vma) => vma is { Shared: true, File.HearsOfWrites: true };

    /// <summary>The first write to a page of a shared mapping. False: its file has no room for it (SIGBUS).</summary>
    private static bool TellWrite(Vma vma, ulong page) => !HearsOfWrites(vma) || vma.File!.PageWritten(vma.Offset + (page - vma.Start));

    /// <summary>Pages of a file are clean: the next write to one is told.</summary>
    /// <param name="identity">What is mapped (<see cref="IMappedFile.MappedObject"/>).</param>
    /// <param name="pages">Their numbers in the file.</param>
    internal void MakeClean(object identity, IReadOnlySet<long> pages)
    {
        foreach (Vma vma in _vmas.All)
        {
            if (!HearsOfWrites(vma) || vma.File!.MappedObject != identity)
                continue;
            foreach ((ulong va, _, PagePermissions permissions) in Space.Pages(vma.Start, vma.End).ToArray())
            {
                if ((permissions & PagePermissions.UserWrite) != 0 && pages.Contains((long)((vma.Offset + (va - vma.Start)) / Page)))
                    Space.Protect(va, permissions & ~(PagePermissions.UserWrite | PagePermissions.KernelWrite));
            }
        }
    }

    /// <summary>A file ends: its pages from there on are mapped no more, nor copies of them.</summary>
    /// <param name="identity">What is mapped.</param>
    /// <param name="end">Its size in whole pages, in bytes.</param>
    internal void DropBeyond(object identity, ulong end)
    {
        foreach (Vma vma in _vmas.All)
        {
            if (vma.File?.MappedObject != identity || vma.Offset + (vma.End - vma.Start) <= end)
                continue;
            DropPages(vma, vma.Start + (end > vma.Offset ? end - vma.Offset : 0), vma.End);
        }
    }
}
