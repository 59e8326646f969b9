namespace ArmVdso.Kernel.Memory;

/// <summary>Pages that somebody else provides: mappings that are registered with a userfaultfd (mm/userfaultfd.c).</summary>
public sealed partial class MemoryMap
{
    /// <summary>Pages whose writes are told, and pages that nobody may touch.</summary>
    private readonly HashSet<ulong> _protectedPages = [], _poisoned = [];

    /// <summary>Whether somebody was ever asked for pages of it.</summary>
    internal bool HasUserfaults { get; private set; }

    /// <summary>The last access that waits for somebody, until it is taken; null: none does.</summary>
    private AskedPage? Asked { get; set; }

    /// <summary>Takes <see cref="Asked"/>.</summary>
    internal AskedPage? TakeAsked()
    {
        AskedPage? asked = Asked;
        Asked = null;
        return asked;
    }

    /// <summary>What a system call has written to pages that somebody is asked for: it is put there when they have come. Null: writes to
    /// such pages fail.</summary>
    internal List<(ulong Address, byte[] Bytes)>? Deferred { get; set; }

    private bool Defer(ulong va, ReadOnlySpan<byte> bytes)
    {
        if (Deferred is null || Asked is not { Owner.OnlyUser: false })
            return false;
        Asked = null;
        Deferred.Add((va, bytes.ToArray()));
        return true;
    }

    private FaultSignal Ask(Vma vma, ulong address, uint flags)
    {
        if (vma.Userfault is not { } registration || registration.Owner.Refuses)
            return FaultSignal.BusError;
        Asked = new AskedPage(registration.Owner, address, flags);
        return FaultSignal.Userfault;
    }

    /// <summary>Why somebody is asked for a page that is not mapped: UFFD_PAGEFAULT_FLAG_*, 0 for one that is missing; null: nobody is.
    /// </summary>
    private uint? ReasonToAsk(Vma vma, UserfaultRegistration registration, ulong page)
    {
        if (_poisoned.Contains(page) || HasPage(vma, page) is not { } there)
            return null;
        return there
            ? (registration.Modes & UserfaultRegistration.Minor) != 0 ? UserfaultRegistration.NotMapped : null
            : (registration.Modes & UserfaultRegistration.Missing) != 0 ? 0 : null;
    }

    /// <summary>Whether a page of shared memory is there, mapped or not; null: it is beyond the file's end.</summary>
    private static bool? HasPage(Vma vma, ulong page)
    {
        ulong offset = vma.Offset + (page - vma.Start);
        return vma.File is { } file ? file.HasPage(offset) : vma.SharedAnonymous?.Has(offset / Page) == true;
    }

    /// <summary>Who hears of a change to a range, each once.</summary>
    private List<IUserfault> HearersOf(ulong start, ulong end, UserfaultChange change)
    {
        if (!HasUserfaults)
            return [];
        var hearers = new List<IUserfault>();
        foreach (Vma vma in _vmas.In(start, end))
        {
            if (vma.Userfault?.Owner is { } owner && owner.Hears(change) && !hearers.Contains(owner))
                hearers.Add(owner);
        }
        return hearers;
    }

    /// <summary>Those who hear that a range's pages go are told: whether there is anybody, whom the caller has to wait for.</summary>
    internal bool TellRemoval(ulong start, ulong end)
    {
        bool any = false;
        for (ulong at = start; at < end; at = Find(at)?.End ?? end)
        {
            if (Find(at) is { Userfault.Owner: { } owner } vma && owner.Hears(UserfaultChange.Remove))
            {
                owner.Changed(UserfaultChange.Remove, at, Math.Min(end, vma.End));
                any = true;
            }
        }
        return any;
    }

    /// <summary>A child's copies of mappings are registered where their owner hears of forks (dup_userfaultfd).</summary>
    private void ForkRegistrations(MemoryMap child)
    {
        var owners = new Dictionary<IUserfault, IUserfault>();
        foreach (Vma vma in HasUserfaults ? _vmas.All : [])
        {
            if (vma.Userfault is not { } registration || !registration.Owner.Hears(UserfaultChange.Fork)
                || child.Find(vma.Start) is not { } copy)
                continue;
            if (!owners.TryGetValue(registration.Owner, out IUserfault? its))
                owners[registration.Owner] = its = registration.Owner.Forked(child);
            copy.Userfault = registration with { Owner = its };
            child.HasUserfaults = true;
            foreach (ulong va in _protectedPages.Where(va => va >= vma.Start && va < vma.End))
                child.SetProtected(copy, va, true);
        }
    }

    private void ForgetMarks(ulong start, ulong end)
    {
        if (_protectedPages.Count > 0)
            _protectedPages.RemoveWhere(va => va >= start && va < end);
        if (_poisoned.Count > 0)
            _poisoned.RemoveWhere(va => va >= start && va < end);
    }

    /// <summary>Registers the mappings of a range: 0, -EINVAL for none or one that cannot be, -EPERM, -EBUSY for another's.</summary>
    internal long Register(ulong start, ulong end, IUserfault owner, uint modes)
    {
        bool any = false;
        foreach (Vma vma in _vmas.In(start, end))
        {
            bool sharedMemory = vma.Shared && (vma.File is null || vma.File.IsSharedMemory);
            if ((vma.File is not null && !sharedMemory) || vma.SpecialPages is not null || vma.WipeOnFork
                || ((modes & UserfaultRegistration.Minor) != 0 && !sharedMemory))
                return -Errno.EINVAL;
            if (vma.NeverWritable || vma.File is { WriteSealed: true })
                return -Errno.EPERM;
            if (vma.Userfault is { } other && other.Owner != owner)
                return -Errno.EBUSY;
            any = true;
        }
        if (!any)
            return -Errno.EINVAL;
        HasUserfaults = true;
        SplitAt(start, end);
        foreach (Vma vma in _vmas.In(start, end))
            vma.Userfault = new UserfaultRegistration(owner, modes);
        return 0;
    }

    /// <summary>Mappings of a range are an owner's no more, and nothing in them is protected.</summary>
    internal void Unregister(ulong start, ulong end, IUserfault owner)
    {
        SplitAt(start, end);
        foreach (Vma vma in _vmas.In(start, end))
        {
            if (vma.Userfault?.Owner != owner)
                continue;
            vma.Userfault = null;
            foreach (ulong va in _protectedPages.Where(va => va >= vma.Start && va < vma.End).ToArray())
                SetProtected(vma, va, false);
        }
    }

    private Vma? Registered(ulong start, ulong length) =>
        Find(start) is { Userfault: not null } vma && start + length <= vma.End ? vma : null;

    private bool IsPresent(Vma vma, ulong page) =>
        Space.Lookup(page, out _, out _) || _poisoned.Contains(page) || HasPage(vma, page) == true;

    /// <summary>Fills missing pages in, all or as many as go: the bytes, or -ENOENT where nothing is registered, -EEXIST for a page that is
    /// there, -EFAULT, -ENOMEM, -EINVAL.</summary>
    /// <param name="start">The first page.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="source">What they get; null: zeros.</param>
    /// <param name="protect">Writes to them are told.</param>
    internal long Fill(ulong start, ulong length, ulong? source, bool protect)
    {
        if (Registered(start, length) is not { } vma)
            return -Errno.ENOENT;
        if (protect && (vma.Userfault!.Modes & UserfaultRegistration.WriteProtect) == 0)
            return -Errno.EINVAL;
        byte[] contents = new byte[Page];
        for (ulong done = 0; done < length; done += Page)
        {
            ulong page = start + done;
            ulong pa = 0;
            long error = IsPresent(vma, page) ? -Errno.EEXIST
                : HasPage(vma, page) is null || (source is { } from && !Read(from + done, contents)) ? -Errno.EFAULT
                : !NewPage(vma, page, true, out pa, out _) ? -Errno.ENOMEM : Show(vma, page, pa, contents, protect);
            if (error < 0)
                return done > 0 ? (long)done : error;
        }
        return (long)length;
    }

    /// <summary>Maps pages that are in memory (UFFDIO_CONTINUE): the bytes, or -ENOENT, -EEXIST for one that is mapped, -EFAULT for one
    /// that is not there, -EINVAL.</summary>
    internal long Continue(ulong start, ulong length, bool protect)
    {
        if (Registered(start, length) is not { } vma)
            return -Errno.ENOENT;
        if (!vma.Shared || (protect && (vma.Userfault!.Modes & UserfaultRegistration.WriteProtect) == 0))
            return -Errno.EINVAL;
        for (ulong done = 0; done < length; done += Page)
        {
            ulong page = start + done, pa = 0;
            long error = Space.Lookup(page, out _, out _) || _poisoned.Contains(page) ? -Errno.EEXIST
                : HasPage(vma, page) != true ? -Errno.EFAULT : !NewPage(vma, page, false, out pa, out _) ? -Errno.ENOMEM : 0;
            if (error < 0)
                return done > 0 ? (long)done : error;
            CountResident(1);
            if (protect)
                _protectedPages.Add(page);
            Space.Map(page, pa, PermissionsFor(vma, page, pa));
        }
        return (long)length;
    }

    private long Show(Vma vma, ulong page, ulong pa, ReadOnlySpan<byte> contents, bool protect)
    {
        contents.CopyTo(_machine.Memory.Span(pa, (int)Page));
        _machine.NotifyWrite(pa, (int)Page);
        CountResident(1);
        if (protect)
            _protectedPages.Add(page);
        Space.Map(page, pa, PermissionsFor(vma, page, pa));
        return 0;
    }

    /// <summary>Moves pages to where they are missing: the bytes, or -ENOENT, -EEXIST, -EINVAL, -EBUSY for what fork shares.</summary>
    internal long Move(ulong start, ulong source, ulong length, bool allowHoles)
    {
        if (Registered(start, length) is not { Shared: false } vma
            || Find(source) is not { Shared: false, File: null, SpecialPages: null } from)
            return Find(start)?.Userfault is null ? -Errno.ENOENT : -Errno.EINVAL;
        if (source + length > from.End || (from.Prot & Mman.PROT_WRITE) == 0 || (vma.Prot & Mman.PROT_WRITE) == 0
            || from.Locked != vma.Locked)
            return -Errno.EINVAL;
        for (ulong done = 0; done < length; done += Page)
        {
            bool there = Space.Lookup(source + done, out ulong pa, out _);
            long error = IsPresent(vma, start + done) ? -Errno.EEXIST : !there ? allowHoles ? 0 : -Errno.ENOENT
                : _allocator.References(pa) > 1 ? -Errno.EBUSY : 0;
            if (error < 0)
                return done > 0 ? (long)done : error;
            if (!there)
                continue;
            Space.Unmap(source + done);
            ForgetMarks(source + done, source + done + Page);
            Space.Map(start + done, pa, PermissionsFor(vma, start + done, pa));
        }
        return (long)length;
    }

    /// <summary>Nobody may touch missing pages from now on: the bytes, or -ENOENT, -EEXIST.</summary>
    internal long Poison(ulong start, ulong length)
    {
        if (Registered(start, length) is not { } vma)
            return -Errno.ENOENT;
        for (ulong done = 0; done < length; done += Page)
        {
            if (IsPresent(vma, start + done))
                return done > 0 ? (long)done : -Errno.EEXIST;
            _poisoned.Add(start + done);
        }
        return (long)length;
    }

    /// <summary>Tells writes to the pages of a range that are there, or no more: 0, or -ENOENT where it is not registered for that.
    /// </summary>
    internal long WriteProtect(ulong start, ulong length, bool protect)
    {
        ulong end = start + length;
        for (ulong at = start; at < end;)
        {
            if (Find(at) is not { Userfault: { } registration } vma || (registration.Modes & UserfaultRegistration.WriteProtect) == 0)
                return -Errno.ENOENT;
            ulong last = Math.Min(vma.End, end);
            foreach ((ulong va, _, _) in Space.Pages(at, last).ToArray())
                SetProtected(vma, va, protect);
            at = last;
        }
        return 0;
    }

    private void SetProtected(Vma vma, ulong va, bool protect)
    {
        if (!(protect ? _protectedPages.Add(va) : _protectedPages.Remove(va)) || !Space.Lookup(va, out ulong pa, out _))
            return;
        Space.Protect(va, PermissionsFor(vma, va, pa));
    }
}
