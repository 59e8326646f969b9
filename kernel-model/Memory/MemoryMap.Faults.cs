namespace ArmVdso.Kernel.Memory;

/// <summary>Page faults (mm/memory.c): pages that come on first touch, copies of what fork shares, the stack that grows.</summary>
public sealed partial class MemoryMap
{
    /// <summary>Permissions of a page; one whose file hears of writes is not writable until that was told.</summary>
    private PagePermissions PermissionsFor(Vma vma, ulong va, ulong pa)
    {
        PagePermissions p = AllPermissionsFor(vma, va, pa);
        return HearsOfWrites(vma) && !(Space.Lookup(va, out _, out PagePermissions now) && (now & PagePermissions.UserWrite) != 0)
            ? p & ~(PagePermissions.UserWrite | PagePermissions.KernelWrite) : p;
    }

    private PagePermissions AllPermissionsFor(Vma vma, ulong va, ulong pa)
    {
        PagePermissions p = PagePermissions.None;
        // Linux arm64: an executable or writable page is readable; kernel accesses follow the user's.
        if ((vma.Prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC)) != 0)
            p |= PagePermissions.UserRead | PagePermissions.KernelRead;
        bool writable = (vma.Prot & Mman.PROT_WRITE) != 0
            && (vma.Shared || (!vma.IsKernelPage(va, pa) && _allocator.References(pa) == 1));
        if (writable)
            p |= PagePermissions.UserWrite | PagePermissions.KernelWrite;
        if ((vma.Prot & Mman.PROT_EXEC) != 0)
            p |= PagePermissions.UserExecute;
        if ((vma.Prot & Mman.PROT_BTI) != 0)
            p |= PagePermissions.Guarded;
        if (_protectedPages.Contains(va & ~(Page - 1)))
            p &= ~(PagePermissions.UserWrite | PagePermissions.KernelWrite);
        return p;
    }

    /// <summary>Makes the page of an address present for an access. False: a signal is due: <paramref name="signal"/> is
    /// SIGSEGV with a code in the upper half, SIGBUS, or 0 with SIGKILL for no memory.</summary>
    public bool FaultIn(ulong address, bool write, out FaultSignal signal, bool execute = false)
    {
        signal = default;
        LastFault = FaultWork.Present;
        AroundLastFault = 0;
        Vma? vma = Find(address);
        if (vma is null)
        {
            vma = GrowStack(address);
            if (vma is null)
            {
                signal = FaultSignal.MapError;
                return false;
            }
        }
        if ((write && (vma.Prot & Mman.PROT_WRITE) == 0) || (execute && (vma.Prot & Mman.PROT_EXEC) == 0)
            || (vma.Prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC)) == 0)
        {
            signal = FaultSignal.AccessError;
            return false;
        }
        ulong page = address & ~(Page - 1);
        if (Space.Lookup(page, out ulong pa, out PagePermissions permissions))
        {
            if (!write || (permissions & PagePermissions.UserWrite) != 0)
                return true;
            if (_protectedPages.Contains(page))
            {
                signal = Ask(vma, address, UserfaultRegistration.Write | UserfaultRegistration.Protected);
                return false;
            }
            if (TellWrite(vma, page))
                return CopyOnWrite(vma, page, pa, out signal);
            signal = FaultSignal.BusError;
            return false;
        }
        if (vma.Userfault is { } registration && ReasonToAsk(vma, registration, page) is { } reason)
        {
            signal = Ask(vma, address, reason | (write ? UserfaultRegistration.Write : 0));
            return false;
        }
        if (_poisoned.Contains(page))
        {
            signal = FaultSignal.Poisoned;
            return false;
        }
        if (IsReaped)
        {
            signal = FaultSignal.BusError;
            return false;
        }
        CountFault();
        if (!NewPage(vma, page, write, out pa, out signal))
            return false;
        LastFault = vma.File is null ? write ? FaultWork.WriteNew : FaultWork.ReadNew
            : write && !vma.Shared ? FaultWork.FileWrite : FaultWork.File;
        bool kernels = vma.IsKernelPage(page, pa);
        CountResident(kernels ? 0 : 1);
        Space.Map(page, pa, PermissionsFor(vma, page, pa));
        if (write && HearsOfWrites(vma))
        {
            if (!TellWrite(vma, page))
            {
                signal = FaultSignal.BusError;
                return false;
            }
            Space.Protect(page, AllPermissionsFor(vma, page, pa));
        }
        if (LastFault == FaultWork.File && !vma.Shared)
            MapAround(vma, page);
        return !write || !kernels || vma.Shared || CopyOnWrite(vma, page, pa, out signal);
    }

    /// <summary>What the last <see cref="FaultIn"/> had to do.</summary>
    internal FaultWork LastFault { get; private set; }

    /// <summary>Pages that the last <see cref="FaultIn"/> mapped beside its own.</summary>
    internal int AroundLastFault { get; private set; }

    private void CountFault()
    {
        MinorFaults++;
        _allocator.Faults++;
    }

    private void CountResident(int more)
    {
        ResidentPages += more;
        PeakResidentPages = Math.Max(PeakResidentPages, ResidentPages);
    }

    /// <summary>do_fault_around (mm/memory.c): a fault that reads a file maps those beside its own too, in its aligned 64 KiB.</summary>
    private void MapAround(Vma vma, ulong page)
    {
        const ulong around = 16 * Page;
        ulong end = Math.Min(vma.End, (page & ~(around - 1)) + around);
        for (ulong at = Math.Max(vma.Start, page & ~(around - 1)); at < end; at += Page)
        {
            if (Space.Lookup(at, out _, out _) || CachedPage(vma, at) is not (not 0 and var pa))
                continue;
            CountResident(1);
            Space.Map(at, pa, PermissionsFor(vma, at, pa));
            AroundLastFault++;
        }
    }

    /// <summary>The page of a file that a private mapping may show until it is written to, with a reference; 0: it needs one of its
    /// own.</summary>
    private ulong CachedPage(Vma vma, ulong page)
    {
        if (vma.File is null || vma.Shared || (_codePageLoaded is not null && (vma.Prot & Mman.PROT_EXEC) != 0))
            return 0;
        ulong pa = vma.File.CachedPagePa(vma.Offset + (page - vma.Start));
        if (pa != 0)
            _allocator.AddReference(pa);
        return pa;
    }

    /// <summary>Where there was no page: whether the kernel ended a process for it (pagefault_out_of_memory).</summary>
    private bool MadeRoom() => _allocator.EndSomebody?.Invoke(this) == true;

    private bool NewPage(Vma vma, ulong page, bool write, out ulong pa, out FaultSignal signal)
    {
        signal = default;
        ulong offset = vma.Offset + (page - vma.Start);
        if (vma.SpecialPages is { } special)
        {
            pa = special[(int)((page - vma.Start) / Page)];
            if (pa != 0)
                return true;
            signal = FaultSignal.BusError;
            return false;
        }
        if (vma.Shared)
        {
            do
                pa = vma.SharedAnonymous?.Page(offset / Page) ?? vma.File!.SharedPagePa(offset);
            while (pa == 0 && vma.File is null && MadeRoom());
            if (pa == 0)
            {
                signal = vma.File is not null ? FaultSignal.BusError : FaultSignal.OutOfMemory;
                return false;
            }
            _allocator.AddReference(pa);
            return true;
        }
        if (!write && (pa = CachedPage(vma, page)) != 0)
            return true;
        do
            pa = _allocator.Allocate();
        while (pa == 0 && MadeRoom());
        if (pa == 0)
        {
            signal = FaultSignal.OutOfMemory;
            return false;
        }
        if (vma.File is not null && !vma.File.ReadPage(offset, _machine.Memory.Span(pa, (int)Page)))
        {
            _allocator.Free(pa);
            signal = FaultSignal.BusError;
            return false;
        }
        if (vma.File is not null && (vma.Prot & Mman.PROT_EXEC) != 0)
            _codePageLoaded?.Invoke(this, vma, page, pa);
        _machine.InvalidateCode(pa, (int)Page);
        return true;
    }

    private bool CopyOnWrite(Vma vma, ulong page, ulong pa, out FaultSignal signal)
    {
        signal = default;
        bool kernels = vma.IsKernelPage(page, pa);
        if (!vma.Shared && (kernels || _allocator.References(pa) > 1))
        {
            ulong copy;
            do
                copy = _allocator.Allocate();
            while (copy == 0 && MadeRoom());
            if (copy == 0)
            {
                signal = FaultSignal.OutOfMemory;
                return false;
            }
            _machine.Memory.Span(pa, (int)Page).CopyTo(_machine.Memory.Span(copy, (int)Page));
            _machine.InvalidateCode(copy, (int)Page);
            if (kernels)
                CountResident(1);
            else
                _allocator.Free(pa);
            pa = copy;
            CountFault();
            LastFault = FaultWork.Copy;
        }
        Space.Map(page, pa, AllPermissionsFor(vma, page, pa));
        return true;
    }

    /// <summary>A fault just below the stack grows it, within the stack limit and not onto another mapping.</summary>
    private Vma? GrowStack(ulong address)
    {
        int i = _vmas.IndexAfter(address);
        if (i >= _vmas.Count || !_vmas[i].GrowsDown || address < LowestAddress)
            return null;
        Vma stack = _vmas[i];
        ulong start = address & ~(Page - 1);
        ulong limit = Math.Min(StackLimit, 1UL << 30);
        if (stack.End - start > limit || (i > 0 && start - _vmas[i - 1].End < 256 * Page && start >= _vmas[i - 1].End)
            || (i > 0 && start < _vmas[i - 1].End) || !_allocator.Commitment.May(this, PagesIn(stack.Start - start)))
            return null;
        _vmas.Extend(stack, start, stack.End);
        return stack;
    }
}
