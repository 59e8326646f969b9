namespace ArmVdso.Kernel.Memory;

/// <summary>What gives mappings other places, sizes and owners: brk, mremap, fork (mm/mmap.c, mm/mremap.c, dup_mmap).</summary>
public sealed partial class MemoryMap
{
    /// <summary>A part of a mapping of shared pages shows others of them (remap_file_pages).</summary>
    internal long ShowAnonymous(Vma vma, ulong start, ulong size, ulong offset)
    {
        Vma other = vma.Clone(start, start + size);
        other.Offset = offset;
        vma.SharedAnonymous!.AddUser();
        Remove(start, start + size);
        Add(other);
        other.SharedAnonymous!.Release();
        return 0;
    }

    /// <summary>A copy for fork: private pages become copy-on-write in both. Null when RAM is full.</summary>
    public MemoryMap Fork()
    {
        var child = new MemoryMap(_machine, _allocator, Space.VaBits, _codePageLoaded)
        {
            BrkStart = BrkStart,
            Brk = Brk,
            MmapBase = MmapBase,
            VdsoBase = VdsoBase,
            SigreturnTrampoline = SigreturnTrampoline,
            Bounds = Bounds,
            StackLimit = StackLimit,
            HasKeyZero = HasKeyZero,
        };
        child.SetExecutable(Executable);
        foreach (Vma vma in _vmas.All)
        {
            if (vma.DontFork)
                continue;
            Vma copy = vma.Clone(vma.Start, vma.End);
            copy.Locked = false; // Locks are not inherited.
            child.Add(copy);
            if (vma.WipeOnFork)
                continue;
            foreach ((ulong va, ulong pa, PagePermissions permissions) in Space.Pages(vma.Start, vma.End))
            {
                if (!vma.IsKernelPage(va, pa))
                {
                    _allocator.AddReference(pa);
                    child.ResidentPages++;
                }
                PagePermissions shared = permissions;
                if (!vma.Shared)
                {
                    shared &= ~(PagePermissions.UserWrite | PagePermissions.KernelWrite);
                    if (shared != permissions)
                        Space.Protect(va, shared);
                }
                child.Space.Map(va, pa, shared);
            }
        }
        child.PeakResidentPages = child.ResidentPages;
        ForkRegistrations(child);
        return child;
    }

    /// <summary>brk: the new break, or the old one when it cannot be had.</summary>
    public ulong SetBrk(ulong value, ulong dataLimit)
    {
        if (value < BrkStart || value > TaskSize || value - BrkStart > dataLimit)
            return Brk;
        ulong oldEnd = (Brk + Page - 1) & ~(Page - 1);
        ulong newEnd = (value + Page - 1) & ~(Page - 1);
        if (newEnd < oldEnd)
        {
            if (Unmap(newEnd, oldEnd) != 0)
                return Brk;
        }
        else if (newEnd > oldEnd)
        {
            if (_vmas.Overlaps(oldEnd, newEnd + 1) || !_allocator.Commitment.May(this, PagesIn(newEnd - oldEnd)))
                return Brk;
            const int prot = Mman.PROT_READ | Mman.PROT_WRITE;
            _vmas.Insert(new Vma { Start = oldEnd, End = newEnd, Prot = prot, Accounted = true, Name = "[heap]" });
        }
        return Brk = value;
    }

    /// <summary>mremap: the address or -errno.</summary>
    public long Remap(ulong old, ulong oldLength, ulong newLength, int flags, ulong newAddress)
    {
        ulong oldSize = (oldLength + Page - 1) & ~(Page - 1);
        ulong newSize = (newLength + Page - 1) & ~(Page - 1);
        bool mayMove = (flags & Mman.MREMAP_MAYMOVE) != 0, keepOld = (flags & Mman.MREMAP_DONTUNMAP) != 0;
        if ((old & (Page - 1)) != 0 || newSize == 0 || (flags & ~7) != 0
            || ((flags & (Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP)) != 0 && !mayMove) || (keepOld && oldSize != newSize))
        {
            return -Errno.EINVAL;
        }
        if (Find(old) is not { } whole)
            return -Errno.EFAULT;
        if (whole.Sealed || _vmas.HasSealed(old, old + oldSize))
            return -Errno.EPERM;
        long error;
        if ((flags & Mman.MREMAP_FIXED) != 0)
        {
            if ((newAddress & (Page - 1)) != 0 || newAddress + newSize > TaskSize || newAddress < LowestAddress
                || (newAddress < old + oldSize && old < newAddress + newSize))
            {
                return -Errno.EINVAL;
            }
            if ((error = Unmap(newAddress, newAddress + newSize)) != 0)
                return error;
        }
        else if (!keepOld && newSize <= oldSize)
        {
            return newSize < oldSize && (error = Unmap(old + newSize, old + oldSize)) != 0 ? error : (long)old;
        }
        if ((error = MayResize(old, oldSize, newSize, keepOld)) != 0)
            return error;
        if ((flags & (Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP)) == 0)
        {
            Vma vma = Find(old)!;
            if (vma.End == old + oldSize && oldSize != 0 && old + newSize <= TaskSize && !_vmas.Overlaps(vma.End, old + newSize))
            {
                _vmas.Extend(vma, vma.Start, old + newSize);
                _vmas.MergeAt(_vmas.IndexAfter(old));
                return (long)old;
            }
            if (!mayMove)
                return -Errno.ENOMEM;
        }
        ulong target = (flags & Mman.MREMAP_FIXED) != 0 ? newAddress : FindFree(newSize, newAddress);
        return target == 0 ? -Errno.ENOMEM : Move(old, oldSize, newSize, target, keepOld);
    }

    /// <summary>vma_to_resize and may_split of move_vma (mm/mremap.c): special mappings neither grow (VM_DONTEXPAND) nor split.</summary>
    private long MayResize(ulong old, ulong oldSize, ulong newSize, bool keepOld)
    {
        if (Find(old) is not { } vma)
            return -Errno.EFAULT;
        bool special = vma.Special is not null;
        if ((oldSize == 0 && !vma.Shared) || (keepOld && special))
            return -Errno.EINVAL;
        if (old + oldSize > vma.End || old + oldSize < old || (special && newSize > oldSize))
            return -Errno.EFAULT;
        if (vma.RefusesSplitAt(old) || vma.RefusesSplitAt(old + Math.Min(oldSize, newSize)))
            return -Errno.EINVAL;
        long more = keepOld ? PagesIn(newSize) : newSize > oldSize ? PagesIn(newSize - oldSize) : 0;
        return more != 0 && vma.Accounted && !_allocator.Commitment.May(this, more) ? -Errno.ENOMEM : 0;
    }

    private long Move(ulong old, ulong oldSize, ulong newSize, ulong target, bool keepOld)
    {
        _vmas.SplitAt(old);
        _vmas.SplitAt(old + oldSize);
        int at = _vmas.IndexAfter(old);
        Vma moved = _vmas[at];
        if (moved.Special is not null)
            _vmas.RemoveAt(at);
        Vma copy = moved.Clone(old, moved.End);
        (copy.Start, copy.End, copy.GrowsDown) = (target, target + newSize, false);
        Add(copy);
        if (moved.Userfault is { } registration && registration.Owner.Hears(UserfaultChange.Remap))
        {
            copy.Userfault = registration;
            registration.Owner.Changed(UserfaultChange.Remap, old, target, oldSize);
        }
        foreach ((ulong va, ulong pa, PagePermissions permissions) in Space.Pages(old, old + Math.Min(oldSize, newSize)))
        {
            Space.Unmap(va);
            Space.Map(target + (va - old), pa, permissions);
        }
        if (moved.Special is { } special)
            special.Changed?.Invoke(this, old, target);
        else if (!keepOld && oldSize != 0)
            Unmap(old, old + oldSize);
        return (long)target;
    }
}
