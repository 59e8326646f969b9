namespace ArmVdso.Kernel.Memory;

/// <summary>A memory as debuggers and /proc see it (access_remote_vm in mm/memory.c).</summary>
public sealed partial class MemoryMap
{
    /// <summary>Reads whatever is mapped, also what the process itself may not read: bytes read.</summary>
    public int Peek(ulong va, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length && ForcePage(va + (ulong)done, false, out ulong pa))
        {
            int n = Math.Min((int)(Page - ((va + (ulong)done) & (Page - 1))), destination.Length - done);
            _machine.Memory.Span(pa, n).CopyTo(destination[done..]);
            done += n;
        }
        return done;
    }

    /// <summary>Writes also where the process itself may not: a private mapping gets a page of its own. Bytes written.</summary>
    public int Poke(ulong va, ReadOnlySpan<byte> source)
    {
        int done = 0;
        while (done < source.Length && ForcePage(va + (ulong)done, true, out ulong pa))
        {
            int n = Math.Min((int)(Page - ((va + (ulong)done) & (Page - 1))), source.Length - done);
            source.Slice(done, n).CopyTo(_machine.Memory.Span(pa, n));
            _machine.NotifyWrite(pa, n);
            _machine.InvalidateCode(pa, n);
            done += n;
        }
        return done;
    }

    /// <summary>A page that is there, whatever its protection (FOLL_FORCE).</summary>
    private bool ForcePage(ulong va, bool write, out ulong pa)
    {
        pa = 0;
        if (va >= TaskSize || Find(va) is not { } vma || vma.Special is { ByPageFrame: true })
            return false;
        if (write && vma.Shared && (vma.Prot & Mman.PROT_WRITE) == 0)
            return false;
        ulong page = va & ~(Page - 1);
        if (!Space.Lookup(page, out pa, out _))
        {
            CountFault();
            if (!NewPage(vma, page, write, out pa, out _))
                return false;
            CountResident(vma.IsKernelPage(page, pa) ? 0 : 1);
            Space.Map(page, pa, PermissionsFor(vma, page, pa));
        }
        if (write && HearsOfWrites(vma) && Space.Lookup(page, out _, out PagePermissions now) && (now & PagePermissions.UserWrite) == 0
            && !(TellWrite(vma, page) && CopyOnWrite(vma, page, pa, out _)))
            return false;
        if (write && !vma.Shared && (vma.IsKernelPage(page, pa) || _allocator.References(pa) > 1) && !CopyOnWrite(vma, page, pa, out _))
            return false;
        if (!Space.Lookup(page, out pa, out _))
            return false;
        pa |= va & (Page - 1);
        return true;
    }

    /// <summary>The resident page of an address and how many refer to it; null: none.</summary>
    internal (ulong Pa, int References)? Residence(ulong va) =>
        Space.Lookup(va, out ulong pa, out _) ? (pa, _allocator.References(pa)) : null;

    /// <summary>How many refer to each resident page of a mapping.</summary>
    internal IEnumerable<int> ReferencesIn(Vma vma)
    {
        foreach ((_, ulong pa, _) in Space.Pages(vma.Start, vma.End))
            yield return _allocator.References(pa);
    }
}
