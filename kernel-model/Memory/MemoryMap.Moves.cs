namespace ArmVdso.Kernel.Memory;

/// <summary>What gives mappings other places, sizes and owners: brk, mremap, fork (mm/mmap.c, mm/mremap.c, dup_mmap).</summary>
public sealed partial class MemoryMap
{
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
            StackStart = StackStart,
            StackLimit = StackLimit,
        };
        foreach (Vma vma in _vmas.All)
        {
            if (vma.DontFork)
                continue;
            Vma copy = vma.Clone(vma.Start, vma.End);
            child.Add(copy);
            if (vma.WipeOnFork)
                continue;
            foreach ((ulong va, ulong pa, PagePermissions permissions) in Space.Pages(vma.Start, vma.End))
            {
                if (vma.SpecialPages is null)
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
            Unmap(newEnd, oldEnd);
        }
        else if (newEnd > oldEnd)
        {
            if (_vmas.Overlaps(oldEnd, newEnd + 1))
                return Brk;
            _vmas.Insert(new Vma { Start = oldEnd, End = newEnd, Prot = Mman.PROT_READ | Mman.PROT_WRITE, Name = "[heap]" });
        }
        return Brk = value;
    }

    /// <summary>mremap: the address or -errno.</summary>
    public long Remap(ulong old, ulong oldLength, ulong newLength, int flags, ulong newAddress)
    {
        ulong oldSize = (oldLength + Page - 1) & ~(Page - 1);
        ulong newSize = (newLength + Page - 1) & ~(Page - 1);
        if ((old & (Page - 1)) != 0 || newSize == 0 || (flags & ~7) != 0
            || ((flags & (Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP)) != 0 && (flags & Mman.MREMAP_MAYMOVE) == 0))
        {
            return -Errno.EINVAL;
        }
        Vma? vma = Find(old);
        if (vma is null)
            return -Errno.EFAULT;
        if (oldSize == 0 && !vma.Shared)
            return -Errno.EINVAL;
        if (old + oldSize > vma.End || old + oldSize < old)
            return -Errno.EFAULT;
        bool fixedAddress = (flags & Mman.MREMAP_FIXED) != 0;
        if (fixedAddress)
        {
            if ((newAddress & (Page - 1)) != 0 || newAddress + newSize > TaskSize || newAddress < LowestAddress
                || (newAddress < old + oldSize && old < newAddress + newSize))
            {
                return -Errno.EINVAL;
            }
            Unmap(newAddress, newAddress + newSize);
            vma = Find(old);
            if (vma is null)
                return -Errno.EFAULT;
        }
        else if ((flags & Mman.MREMAP_DONTUNMAP) == 0)
        {
            if (newSize <= oldSize && oldSize != 0)
            {
                Unmap(old + newSize, old + oldSize);
                return (long)old;
            }
            if (vma.End == old + oldSize && oldSize != 0 && vma.SpecialPages is null && old + newSize <= TaskSize
                && !_vmas.Overlaps(vma.End, old + newSize))
            {
                vma.End = old + newSize;
                _vmas.MergeAt(_vmas.IndexAfter(old));
                return (long)old;
            }
            if ((flags & Mman.MREMAP_MAYMOVE) == 0)
                return -Errno.ENOMEM;
        }
        ulong target = fixedAddress ? newAddress : FindFree(newSize, newAddress);
        if (target == 0)
            return -Errno.ENOMEM;
        return Move(old, oldSize, newSize, target, (flags & Mman.MREMAP_DONTUNMAP) != 0);
    }

    private long Move(ulong old, ulong oldSize, ulong newSize, ulong target, bool keepOld)
    {
        _vmas.SplitAt(old);
        _vmas.SplitAt(old + oldSize);
        Vma vma = Find(old)!;
        Vma moved = vma.Clone(old, vma.End);
        ulong offset = moved.Offset;
        var copy = new Vma
        {
            Start = target,
            End = target + newSize,
            Prot = moved.Prot,
            Shared = moved.Shared,
            DontFork = moved.DontFork,
            WipeOnFork = moved.WipeOnFork,
            File = moved.File,
            Offset = offset,
            SharedAnonymous = moved.SharedAnonymous,
            SpecialPages = moved.SpecialPages,
            Name = moved.Name,
        };
        Add(copy);
        foreach ((ulong va, ulong pa, PagePermissions permissions) in Space.Pages(old, old + Math.Min(oldSize, newSize)))
        {
            Space.Unmap(va);
            Space.Map(target + (va - old), pa, permissions);
        }
        if (copy.SpecialPages is not null && VdsoBase >= old && VdsoBase < old + oldSize)
        {
            SigreturnTrampoline += target - old;
            VdsoBase += target - old;
        }
        if (!keepOld && oldSize != 0)
            Unmap(old, old + oldSize);
        return (long)target;
    }
}
