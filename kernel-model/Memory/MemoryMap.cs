using System.Text;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Kernel.Memory;

/// <summary>The memory of a process (mm_struct): its mappings and the translation that the CPUs use. Pages come on first
/// touch; private pages are shared copy-on-write after fork.</summary>
public sealed partial class MemoryMap
{
    private const ulong Page = PhysicalMemory.PageSize;
    private const ulong LowestAddress = 0x10000;

    /// <summary>vm.max_map_count.</summary>
    private const int MaxMappings = 65530;

    private readonly List<Vma> _vmas = [];
    private readonly Machine _machine;
    private readonly PageAllocator _allocator;
    private readonly Action<MemoryMap, Vma, ulong, ulong>? _codePageLoaded;
    private int _users = 1;

    /// <summary>Translation of the low half.</summary>
    public AddressSpace Space { get; }

    /// <summary>End of user addresses.</summary>
    public ulong TaskSize { get; }

    /// <summary>Start of the heap and current break.</summary>
    public ulong BrkStart { get; set; }

    /// <inheritdoc cref="BrkStart"/>
    public ulong Brk { get; set; }

    /// <summary>Highest address that mmap without a hint may end at.</summary>
    public ulong MmapBase { get; set; }

    /// <summary>Where the vDSO image is mapped, or 0; and the address of the sigreturn trampoline in it.</summary>
    public ulong VdsoBase { get; set; }

    /// <inheritdoc cref="VdsoBase"/>
    public ulong SigreturnTrampoline { get; set; }

    /// <summary>Address of the initial stack pointer (/proc/PID/stat).</summary>
    public ulong StackStart { get; set; }

    /// <summary>MEMBARRIER_CMD_REGISTER_* commands that this memory used.</summary>
    internal int MembarrierRegistrations { get; set; }

    /// <summary>Resident pages of private and shared memory now.</summary>
    public long ResidentPages { get; private set; }

    /// <summary>Most resident pages so far.</summary>
    public long PeakResidentPages { get; private set; }

    /// <summary>Minor faults so far.</summary>
    public long MinorFaults { get; private set; }

    /// <summary>An empty memory.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="allocator">Where pages come from.</param>
    /// <param name="vaBits">Bits of address: 39 or 48.</param>
    /// <param name="codePageLoaded">Called with each page of a private, executable file mapping after it was read: memory, mapping, its
    /// address and its physical address. What it writes to the page, the process executes; the file stays as it is.</param>
    public MemoryMap(Machine machine, PageAllocator allocator, int vaBits, Action<MemoryMap, Vma, ulong, ulong>? codePageLoaded = null)
    {
        _machine = machine;
        _allocator = allocator;
        _codePageLoaded = codePageLoaded;
        Space = machine.CreateAddressSpace(vaBits);
        TaskSize = 1UL << vaBits;
        MmapBase = TaskSize - (128UL << 20);
    }

    /// <summary>The mappings in ascending order.</summary>
    public IReadOnlyList<Vma> Vmas => _vmas;

    /// <summary>One more task uses this memory (CLONE_VM).</summary>
    public void AddUser() => _users++;

    /// <summary>A task leaves; the last one frees everything.</summary>
    public void Release()
    {
        if (--_users != 0)
            return;
        Unmap(0, TaskSize);
        _machine.DestroyAddressSpace(Space);
    }

    /// <summary>Whether more than one task uses this memory.</summary>
    public bool IsShared => _users > 1;

    /// <summary>Index of the first mapping that ends after <paramref name="address"/>.</summary>
    private int IndexAfter(ulong address)
    {
        int low = 0, high = _vmas.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_vmas[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The mapping that holds an address, or null.</summary>
    public Vma? Find(ulong address)
    {
        int i = IndexAfter(address);
        return i < _vmas.Count && _vmas[i].Start <= address ? _vmas[i] : null;
    }

    private bool Overlaps(ulong start, ulong end)
    {
        int i = IndexAfter(start);
        return i < _vmas.Count && _vmas[i].Start < end;
    }

    /// <summary>A free range of <paramref name="length"/> bytes, top down from MmapBase (then bottom up); 0 when there is none.</summary>
    public ulong FindFree(ulong length, ulong hint = 0)
    {
        hint &= ~(Page - 1);
        if (hint >= LowestAddress && hint + length <= TaskSize && hint + length > hint && !Overlaps(hint, hint + length))
            return hint;
        ulong end = MmapBase;
        for (int i = _vmas.Count - 1; i >= -1; i--)
        {
            ulong gapStart = i >= 0 ? _vmas[i].End : LowestAddress;
            if (gapStart < end && end - gapStart >= length)
                return end - length;
            if (i >= 0 && _vmas[i].Start < end)
                end = _vmas[i].Start;
        }
        ulong bottom = MmapBase;
        for (int i = IndexAfter(MmapBase); i <= _vmas.Count; i++)
        {
            ulong gapEnd = i < _vmas.Count ? _vmas[i].Start : TaskSize;
            if (gapEnd > bottom && gapEnd - bottom >= length)
                return bottom;
            if (i < _vmas.Count)
                bottom = Math.Max(bottom, _vmas[i].End);
        }
        return 0;
    }

    private void Insert(Vma vma)
    {
        int i = IndexAfter(vma.Start);
        _vmas.Insert(i, vma);
        MergeAt(i);
        MergeAt(i - 1);
    }

    private void MergeAt(int i)
    {
        if (i < 0 || i + 1 >= _vmas.Count)
            return;
        Vma a = _vmas[i], b = _vmas[i + 1];
        if (a.End != b.Start || a.Prot != b.Prot || a.Shared || b.Shared || a.File is not null || b.File is not null || a.Name != b.Name
            || a.SpecialPages is not null || b.SpecialPages is not null || a.GrowsDown != b.GrowsDown || a.DontFork != b.DontFork
            || a.WipeOnFork != b.WipeOnFork)
        {
            return;
        }
        a.End = b.End;
        _vmas.RemoveAt(i + 1);
    }

    /// <summary>Adds a mapping over a free range. The caller has checked the arguments and removed what was there.</summary>
    public void Add(Vma vma)
    {
        vma.File?.Hold();
        vma.SharedAnonymous?.AddUser();
        Insert(vma);
    }

    /// <summary>mmap of Linux: returns the address or -errno.</summary>
    public long Map(ulong address, ulong length, int prot, int flags, IMappedFile? file, ulong offset, string? name = null)
    {
        if (length == 0)
            return -Errno.EINVAL;
        ulong size = (length + Page - 1) & ~(Page - 1);
        if (size == 0 || size > TaskSize)
            return -Errno.ENOMEM;
        if ((offset & (Page - 1)) != 0)
            return -Errno.EINVAL;
        if (_vmas.Count >= MaxMappings)
            return -Errno.ENOMEM;
        bool shared = (flags & Mman.MAP_TYPE) is Mman.MAP_SHARED or Mman.MAP_SHARED_VALIDATE;
        ulong start;
        if ((flags & (Mman.MAP_FIXED | Mman.MAP_FIXED_NOREPLACE)) != 0)
        {
            start = address;
            if ((start & (Page - 1)) != 0)
                return -Errno.EINVAL;
            if (start + size > TaskSize || start + size < start)
                return -Errno.ENOMEM;
            if (start < LowestAddress)
                return -Errno.EPERM;
            if ((flags & Mman.MAP_FIXED_NOREPLACE) != 0 && Overlaps(start, start + size))
                return -Errno.EEXIST;
            Unmap(start, start + size);
        }
        else
        {
            start = FindFree(size, address);
            if (start == 0)
                return -Errno.ENOMEM;
        }
        var pages = shared && file is null ? new SharedPages(_allocator) : null;
        var vma = new Vma
        {
            Start = start,
            End = start + size,
            Prot = prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC | Mman.PROT_BTI),
            Shared = shared,
            GrowsDown = (flags & Mman.MAP_GROWSDOWN) != 0,
            WipeOnFork = (flags & Mman.MAP_TYPE) == Mman.MAP_DROPPABLE,
            File = file,
            Offset = offset,
            SharedAnonymous = pages,
            Name = name,
        };
        Add(vma);
        pages?.Release();
        if ((flags & (Mman.MAP_POPULATE | Mman.MAP_LOCKED)) != 0)
            Populate(start, start + size);
        return (long)start;
    }

    private void Populate(ulong start, ulong end)
    {
        for (ulong va = start; va < end; va += Page)
        {
            if (!FaultIn(va, false, out _))
                return;
        }
    }

    private void SplitAt(ulong address)
    {
        int i = IndexAfter(address);
        if (i >= _vmas.Count || _vmas[i].Start >= address)
            return;
        Vma vma = _vmas[i];
        Vma upper = vma.Clone(address, vma.End);
        vma.File?.Hold();
        vma.SharedAnonymous?.AddUser();
        Vma lower = vma.Clone(vma.Start, address);
        _vmas[i] = lower;
        _vmas.Insert(i + 1, upper);
    }

    /// <summary>Removes every mapping of [start, end).</summary>
    public void Unmap(ulong start, ulong end)
    {
        SplitAt(start);
        SplitAt(end);
        int i = IndexAfter(start);
        while (i < _vmas.Count && _vmas[i].Start < end)
        {
            Vma vma = _vmas[i];
            DropPages(vma, vma.Start, vma.End);
            _vmas.RemoveAt(i);
            vma.File?.Release();
            vma.SharedAnonymous?.Release();
        }
    }

    /// <summary>Gives the special mapping with a name other physical pages; nothing happens where a part of it is gone.</summary>
    internal void ReplaceSpecialPages(string name, ulong[] pages)
    {
        Vma? vma = _vmas.Find(v => v.Name == name && v.SpecialPages?.Length == pages.Length);
        if (vma?.SpecialPages is not { } old || ReferenceEquals(old, pages))
            return;
        if (!old.AsSpan().SequenceEqual(pages))
            DropPages(vma, vma.Start, vma.End);
        vma.SpecialPages = pages;
    }

    /// <summary>Forgets the resident pages of a part of a mapping (munmap, MADV_DONTNEED).</summary>
    private void DropPages(Vma vma, ulong start, ulong end)
    {
        foreach ((ulong va, ulong pa, _) in Space.Pages(start, end))
        {
            Space.Unmap(va);
            _machine.InvalidateCode(pa, (int)Page);
            if (vma.SpecialPages is not null)
                continue;
            ResidentPages--;
            if (!vma.Shared)
                _allocator.Free(pa);
            else
                DropShared(pa);
        }
    }

    /// <summary>Shared pages are counted once by their owner and once by each translation.</summary>
    private void DropShared(ulong pa) => _allocator.Free(pa);

    /// <summary>Whether [start, end) is mapped without a hole.</summary>
    public bool IsFullyMapped(ulong start, ulong end)
    {
        int i = IndexAfter(start);
        ulong at = start;
        while (at < end)
        {
            if (i >= _vmas.Count || _vmas[i].Start > at)
                return false;
            at = _vmas[i++].End;
        }
        return true;
    }

    /// <summary>mprotect: 0 or -errno.</summary>
    public long Protect(ulong start, ulong length, int prot)
    {
        if ((start & (Page - 1)) != 0)
            return -Errno.EINVAL;
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if (end < start)
            return -Errno.ENOMEM;
        if (end == start)
            return 0;
        if (!IsFullyMapped(start, end) || _vmas.Count >= MaxMappings)
            return -Errno.ENOMEM;
        prot &= Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC | Mman.PROT_BTI;
        for (int k = IndexAfter(start); k < _vmas.Count && _vmas[k].Start < end; k++)
        {
            Vma vma = _vmas[k];
            if ((prot & Mman.PROT_WRITE) != 0 && ((vma.Shared && vma.File is { CanWrite: false }) || vma.SpecialPages is not null))
                return -Errno.EACCES;
        }
        SplitAt(start);
        SplitAt(end);
        for (int k = IndexAfter(start); k < _vmas.Count && _vmas[k].Start < end; k++)
        {
            Vma vma = _vmas[k];
            vma.Prot = prot;
            foreach ((ulong va, ulong pa, _) in Space.Pages(vma.Start, vma.End))
            {
                Space.Protect(va, PermissionsFor(vma, pa));
                _machine.InvalidateCode(pa, (int)Page);
            }
        }
        for (int k = Math.Max(IndexAfter(start) - 1, 0); k + 1 < _vmas.Count && _vmas[k].Start <= end;)
        {
            int before = _vmas.Count;
            MergeAt(k);
            if (_vmas.Count == before)
                k++;
        }
        return 0;
    }

    private PagePermissions PermissionsFor(Vma vma, ulong pa)
    {
        PagePermissions p = PagePermissions.None;
        // Linux arm64: an executable or writable page is readable; kernel accesses follow the user's.
        if ((vma.Prot & (Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC)) != 0)
            p |= PagePermissions.UserRead | PagePermissions.KernelRead;
        bool writable = (vma.Prot & Mman.PROT_WRITE) != 0 && (vma.Shared || _allocator.References(pa) == 1);
        if (writable)
            p |= PagePermissions.UserWrite | PagePermissions.KernelWrite;
        if ((vma.Prot & Mman.PROT_EXEC) != 0)
            p |= PagePermissions.UserExecute;
        if ((vma.Prot & Mman.PROT_BTI) != 0)
            p |= PagePermissions.Guarded;
        return p;
    }

    /// <summary>Makes the page of an address present for an access. False: a signal is due: <paramref name="signal"/> is
    /// SIGSEGV with a code in the upper half, SIGBUS, or 0 with SIGKILL for no memory.</summary>
    public bool FaultIn(ulong address, bool write, out FaultSignal signal, bool execute = false)
    {
        signal = default;
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
            if (write && (permissions & PagePermissions.UserWrite) == 0)
                return CopyOnWrite(vma, page, pa, out signal);
            return true;
        }
        MinorFaults++;
        if (!NewPage(vma, page, out pa, out signal))
            return false;
        ResidentPages++;
        PeakResidentPages = Math.Max(PeakResidentPages, ResidentPages);
        Space.Map(page, pa, PermissionsFor(vma, pa));
        return true;
    }

    private bool NewPage(Vma vma, ulong page, out ulong pa, out FaultSignal signal)
    {
        signal = default;
        ulong offset = vma.Offset + (page - vma.Start);
        if (vma.SpecialPages is { } special)
        {
            pa = special[(int)((page - vma.Start) / Page)];
            ResidentPages--;
            if (pa != 0)
                return true;
            signal = FaultSignal.BusError;
            return false;
        }
        if (vma.Shared)
        {
            pa = vma.SharedAnonymous?.Page(offset / Page) ?? vma.File!.SharedPagePa(offset);
            if (pa == 0)
            {
                signal = vma.File is not null ? FaultSignal.BusError : FaultSignal.OutOfMemory;
                return false;
            }
            _allocator.AddReference(pa);
            return true;
        }
        pa = _allocator.Allocate();
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
        if (vma.SpecialPages is not null)
        {
            signal = FaultSignal.AccessError;
            return false;
        }
        if (!vma.Shared && _allocator.References(pa) > 1)
        {
            ulong copy = _allocator.Allocate();
            if (copy == 0)
            {
                signal = FaultSignal.OutOfMemory;
                return false;
            }
            _machine.Memory.Span(pa, (int)Page).CopyTo(_machine.Memory.Span(copy, (int)Page));
            _machine.InvalidateCode(copy, (int)Page);
            _allocator.Free(pa);
            pa = copy;
            MinorFaults++;
        }
        Space.Map(page, pa, PermissionsFor(vma, pa));
        return true;
    }

    /// <summary>A fault just below the stack grows it, within the stack limit and not onto another mapping.</summary>
    private Vma? GrowStack(ulong address)
    {
        int i = IndexAfter(address);
        if (i >= _vmas.Count || !_vmas[i].GrowsDown || address < LowestAddress)
            return null;
        Vma stack = _vmas[i];
        ulong start = address & ~(Page - 1);
        ulong limit = Math.Min(StackLimit, 1UL << 30);
        if (stack.End - start > limit || (i > 0 && start - _vmas[i - 1].End < 256 * Page && start >= _vmas[i - 1].End)
            || (i > 0 && start < _vmas[i - 1].End))
            return null;
        stack.Start = start;
        return stack;
    }

    /// <summary>RLIMIT_STACK in bytes.</summary>
    public ulong StackLimit { get; set; } = 8 << 20;

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
        foreach (Vma vma in _vmas)
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
            if (Overlaps(oldEnd, newEnd + 1))
                return Brk;
            Insert(new Vma { Start = oldEnd, End = newEnd, Prot = Mman.PROT_READ | Mman.PROT_WRITE, Name = "[heap]" });
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
                && !Overlaps(vma.End, old + newSize))
            {
                vma.End = old + newSize;
                MergeAt(IndexAfter(old));
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
        SplitAt(old);
        SplitAt(old + oldSize);
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

    /// <summary>MADV_DONTNEED and MADV_FREE: private pages read as zero (or the file) again.</summary>
    public long DontNeed(ulong start, ulong length)
    {
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if ((start & (Page - 1)) != 0 || end < start)
            return -Errno.EINVAL;
        for (int i = IndexAfter(start); i < _vmas.Count && _vmas[i].Start < end; i++)
        {
            Vma vma = _vmas[i];
            if (vma.SpecialPages is null)
                DropPages(vma, Math.Max(start, vma.Start), Math.Min(end, vma.End));
        }
        return IsFullyMapped(start, end) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>Applies <paramref name="change"/> to the mappings of a range, splitting at its ends (madvise).</summary>
    public long Advise(ulong start, ulong length, Action<Vma> change)
    {
        ulong end = start + ((length + Page - 1) & ~(Page - 1));
        if ((start & (Page - 1)) != 0 || end < start)
            return -Errno.EINVAL;
        SplitAt(start);
        SplitAt(end);
        for (int i = IndexAfter(start); i < _vmas.Count && _vmas[i].Start < end; i++)
            change(_vmas[i]);
        return IsFullyMapped(start, end) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>Bytes of all mappings.</summary>
    public ulong VirtualSize
    {
        get
        {
            ulong total = 0;
            foreach (Vma vma in _vmas)
                total += vma.End - vma.Start;
            return total;
        }
    }

    /// <summary>/proc/PID/maps.</summary>
    public string FormatMaps()
    {
        var text = new StringBuilder();
        foreach (Vma vma in _vmas)
        {
            string prot = $"{((vma.Prot & 1) != 0 ? 'r' : '-')}{((vma.Prot & 2) != 0 ? 'w' : '-')}"
                + $"{((vma.Prot & 4) != 0 ? 'x' : '-')}{(vma.Shared ? 's' : 'p')}";
            (uint major, uint minor, ulong inode) = vma.File?.DeviceAndInode ?? default;
            string line = $"{vma.Start:x8}-{vma.End:x8} {prot} {(vma.File is null ? 0 : vma.Offset):x8} {major:x2}:{minor:x2} {inode} ";
            string? name = vma.File?.Path ?? vma.Name ?? (vma.Shared ? "/dev/zero (deleted)" : null);
            text.Append(name is null ? line : line.PadRight(73) + name).Append('\n');
        }
        return text.ToString();
    }
}
