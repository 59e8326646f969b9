using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Emulator.Processor;

/// <summary>What kind of access an instruction makes; decides alignment checks, privilege and the fault syndrome.</summary>
public enum Access : byte
{
    /// <summary>Ordinary load or store: unaligned allowed on Normal memory.</summary>
    Normal,

    /// <summary>Load-acquire or store-release: must not cross a 16-byte boundary (FEAT_LSE2) when unaligned.</summary>
    Ordered,

    /// <summary>Atomic: must be aligned to its whole size, or with FEAT_LSE2 lie in one 16-byte granule.</summary>
    Atomic,

    /// <summary>Exclusive: must always be aligned to its whole size.</summary>
    Exclusive,

    /// <summary>LDTR/STTR: checked with EL0 permissions.</summary>
    Unprivileged,
}

/// <summary>Memory as this PE sees it. Every routine returns false when the access faults; the fault is then pending
/// and the instruction must return without changing any register (precise faults, no partial effects).</summary>
public sealed partial class Cpu
{
    private const int TlbSize = 1024;
    private const ulong NoPage = 1;

    private struct TlbEntry
    {
        public ulong Page;
        public ulong Pa;
        public PagePermissions Permissions;
    }

    [NotState(Forgettable)]
    private TlbEntry[] _tlb = [];
    private readonly PhysicalMemory _ram;

    /// <summary>The exclusive monitors of all PEs.</summary>
    internal ExclusiveMonitors Monitors { get; }

    /// <summary>InGuardedPage of the pseudocode: the current instruction lies in a page that is mapped as guarded.</summary>
    internal bool InGuardedPage;

    /// <summary>Keeps what stores overwrite, while engines are compared; null otherwise.</summary>
    [field: NotState("only while engines are compared")]
    internal WriteJournal? Journal { get; set; }

    /// <summary>Drops the TLB entry for one page.</summary>
    internal void InvalidateTlbPage(ulong va)
    {
        ulong page = va & ~0xfffUL;
        foreach (TlbContext context in _contexts)
        {
            ref TlbEntry entry = ref context.Entries[(int)(va >> 12) & (TlbSize - 1)];
            if (entry.Page == page)
                entry.Page = NoPage;
        }
        Engine.TranslationChanged(page);
    }

    /// <summary>Drops all TLB entries of this PE.</summary>
    internal void InvalidateTlbAll()
    {
        bool any = false;
        foreach (TlbContext context in _contexts)
        {
            any |= context.Asked;
            context.Clear();
        }
        if (!any)
            return;
        _blocks.Clear();
        Engine.TranslationsChanged();
    }

    /// <summary>From now on stores to a physical page are translated anew: an engine holds code that it made of the page.</summary>
    internal void ForgetWritable(ulong page)
    {
        foreach (TlbContext context in _contexts)
        {
            if (!context.Asked)
                continue;
            foreach (ref TlbEntry entry in context.Entries.AsSpan())
            {
                if (entry.Pa == page)
                    entry.Page = NoPage;
            }
        }
    }

    /// <summary>What the TLB knows of the page of an address, for the current <see cref="AccessMode"/>.</summary>
    /// <returns>False when it has no entry, or each access must be looked at: to devices, and while alignment is checked.</returns>
    internal bool IsKnown(ulong address, out ulong pagePa, out bool readable, out bool writable)
    {
        ref TlbEntry entry = ref _tlb[(int)(address >> 12) & (TlbSize - 1)];
        pagePa = entry.Pa;
        readable = Translation.Allows(entry.Permissions, Needed(EL == 0, false));
        writable = Translation.Allows(entry.Permissions, Needed(EL == 0, true));
        return entry.Page == (address & ~0xfffUL) && _ram.Contains(pagePa, PhysicalMemory.PageSize) && !AlignmentChecked;
    }

    /// <summary>Permissions that the TLB may keep for a page: none to write when an engine holds code that it made of the page, so
    /// that every store there comes by; a store itself drops that code.</summary>
    private PagePermissions WithoutCodeWrites(ulong page, PagePermissions needed, PagePermissions permissions)
    {
        const PagePermissions writes = PagePermissions.UserWrite | PagePermissions.KernelWrite;
        if (Engine.Code is not { } code || !_ram.Contains(page, PhysicalMemory.PageSize) || !code.Holds(page))
            return permissions;
        if ((needed & writes) == 0)
            return permissions & ~writes;
        Machine.InvalidateCode(page, PhysicalMemory.PageSize);
        return permissions;
    }

    /// <summary>Removes the tag of a tagged address when TCR_EL1.TBIn says so (top byte ignored).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Untag(ulong va)
    {
        bool high = (va & (1UL << 55)) != 0;
        ulong tbi = high ? 1UL << 38 : 1UL << 37;
        if ((TCR_EL1 & tbi) == 0)
            return va;
        return high ? va | 0xffUL << 56 : va & ~(0xffUL << 56);
    }

    /// <summary>A Data Abort is pending for an access at a possibly tagged address: FAR_EL1 keeps the tag (DDI0487, D8.8.1). False, as the
    /// result of the access.</summary>
    private bool FaultedAt(ulong address)
    {
        const ulong tag = 0xffUL << 56;
        _pendingFar = (_pendingFar & ~tag) | (address & tag);
        return false;
    }

    /// <summary>Which accesses are allowed to a page: 0 those of EL0, 1 of EL1, 2 of EL1 with PSTATE.PAN.</summary>
    internal int AccessMode => EL == 0 ? 0 : PAN ? 2 : 1;

    /// <summary>SCTLR_EL1.A: unaligned accesses fault.</summary>
    private bool AlignmentChecked => (SCTLR_EL1 & 2) != 0;

    private static PagePermissions Needed(bool user, bool write, bool pan) => user
        ? (write ? PagePermissions.UserWrite : PagePermissions.UserRead)
        : (write ? PagePermissions.KernelWrite : PagePermissions.KernelRead) | (pan ? PagePermissions.Unprivileged : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PagePermissions Needed(bool user, bool write) => Needed(user, write, PAN);

    /// <summary>Translates one data address (tag already removed); on failure a Data Abort is pending.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Translate(ulong va, int size, bool write, bool user, out ulong pa)
    {
        PagePermissions needed = Needed(user, write);
        ref TlbEntry entry = ref _tlb[(int)(va >> 12) & (TlbSize - 1)];
        if (entry.Page == (va & ~0xfffUL) && Translation.Allows(entry.Permissions, needed))
        {
            pa = entry.Pa | (va & 0xfff);
            return true;
        }
        return TranslateSlow(va, size, write, needed, out pa);
    }

    private bool TranslateSlow(ulong va, int size, bool write, PagePermissions needed, out ulong pa)
    {
        pa = 0;
        if (HoldsWatched(va, size, write))
            return false;
        if (!Translate(va, needed, out PageTranslation page))
        {
            DataAbort(va, write, page.Fault);
            return false;
        }
        Remember(va, needed, page);
        pa = page.Pa | (va & 0xfff);
        return true;
    }

    private void Remember(ulong va, PagePermissions needed, in PageTranslation page)
    {
        PagePermissions permissions = WithoutWatched(va, WithoutCodeWrites(page.Pa, needed, page.Permissions));
        ref TlbEntry entry = ref _tlb[(int)(va >> 12) & (TlbSize - 1)];
        entry.Page = va & ~0xfffUL;
        entry.Pa = page.Pa;
        entry.Permissions = permissions;
        if (page.BlockBits > 12)
            RememberBlock(va, page.BlockBits);
    }

    /// <summary>The half that an address lies in: TTBR1's for addresses of ones, TTBR0's for zeros, none between.</summary>
    private Translation? HalfOf(ulong va)
    {
        bool high = (va & (1UL << 55)) != 0;
        return (high ? _high : _low) is { } half && (high ? ~va : va) >> half.VaBits == 0 ? half : null;
    }

    private bool Translate(ulong va, PagePermissions needed, out PageTranslation page)
    {
        _context.Asked = true;
        if (HalfOf(va) is { } half)
            return half.Translate(va, needed, out page);
        // Spaces that are held outside have one level.
        page = default;
        page.Fault = Machine.Translation.NeedsMaintenance ? FaultStatus.TranslationLevel0 : FaultStatus.TranslationLevel3;
        return false;
    }

    /// <inheritdoc/>
    internal override bool TryFindDescriptor(ulong va, out ulong pa, out int bits)
    {
        (pa, bits) = (0, 12);
        return HalfOf(va) is { } half && half.TryFindDescriptor(va, out pa, out bits);
    }

    /// <summary>PRFM of a possibly tagged address: the timing is told of it.</summary>
    /// <param name="address">The address.</param>
    /// <param name="operation">The field Rt of the instruction.</param>
    internal void Prefetch(ulong address, int operation) => (PrefetchAddress, PrefetchOperation) = (Untag(address), operation);

    /// <inheritdoc/>
    internal override bool TryRead(ulong va, out ulong pa)
    {
        bool there = Translate(va, Needed(EL == 0, false), out PageTranslation page);
        pa = page.Pa | (va & 0xfff);
        return there;
    }

    /// <summary>Translates for a fetch; on failure an Instruction Abort is pending.</summary>
    internal bool TranslateFetch(ulong va, out ulong pa, out bool guarded)
    {
        pa = 0;
        guarded = false;
        PagePermissions needed = EL == 0 ? PagePermissions.UserExecute : PagePermissions.KernelExecute;
        ref TlbEntry entry = ref _tlb[(int)(va >> 12) & (TlbSize - 1)];
        if (entry.Page != (va & ~0xfffUL) || !Translation.Allows(entry.Permissions, needed))
        {
            if (!Translate(va, needed, out PageTranslation page))
            {
                InstructionAbort(va, page.Fault);
                return false;
            }
            Remember(va, needed, page);
        }
        if (!_ram.Contains(entry.Pa, PhysicalMemory.PageSize))
        {
            InstructionAbort(va, FaultStatus.External);
            return false;
        }
        pa = entry.Pa | (va & 0xfff);
        guarded = HasBti && (entry.Permissions & PagePermissions.Guarded) != 0;
        return true;
    }

    private bool AlignmentOk(ulong va, int size, Access access)
    {
        if ((va & (ulong)(size - 1)) == 0)
            return true;
        // FEAT_LSE2: ordered and atomic accesses may be unaligned inside one 16-byte granule.
        return access switch
        {
            Access.Exclusive => false,
            Access.Ordered or Access.Atomic => HasLse2 && (va & 15) + (ulong)size <= 16,
            _ => !AlignmentChecked,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Record(ulong va, ulong pa, int size, bool write)
    {
        if (write)
            Journal?.Save(pa, size);
        Note(va, pa, size, write);
    }

    /// <summary>Takes note of an access for the timing model.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Note(ulong va, ulong pa, int size, bool write)
    {
        ref MemoryAccess a = ref Accesses[AccessCount < Accesses.Length ? AccessCount++ : AccessCount - 1];
        a.Va = va;
        a.Pa = pa;
        a.Size = (ushort)size;
        a.Write = write;
    }

    /// <summary>Checks that [<paramref name="address"/>, +<paramref name="size"/>) may be accessed, without accessing it.
    /// Instructions that make several accesses call it first, so that a fault leaves nothing half done.
    /// <paramref name="size"/> up to 4096 bytes.</summary>
    public bool Check(ulong address, int size, bool write, Access access = Access.Normal)
    {
        ulong va = Untag(address);
        if ((access != Access.Normal || AlignmentChecked) && !AlignmentOk(va, size, access))
        {
            DataAbort(va, write, FaultStatus.Alignment);
            return FaultedAt(address);
        }
        bool user = EL == 0 || (access == Access.Unprivileged && !UAO);
        if (!Translate(va, size, write, user, out _))
            return FaultedAt(address);
        ulong last = va + (ulong)size - 1;
        return (va ^ last) >> 12 == 0 || Translate(last & ~0xfffUL, (int)(last & 0xfff) + 1, write, user, out _) || FaultedAt(address);
    }

    /// <summary>Translates the address of a cache maintenance instruction, which needs read permission. A fault has CM and
    /// WnR set in its syndrome (DDI0487, ISS encoding for a Data Abort).</summary>
    /// <returns>False when a Data Abort is pending.</returns>
    internal bool TranslateForMaintenance(ulong address, out ulong pa)
    {
        if (Translate(Untag(address), 1, false, EL == 0, out pa))
            return true;
        const uint cacheMaintenance = 1 << 8, writeNotRead = 1 << 6;
        _pendingIss |= cacheMaintenance | writeNotRead;
        return FaultedAt(address);
    }

    /// <summary>AArch64.AT: translates without faulting; PAR_EL1 gets the address, or F and the fault status.</summary>
    /// <param name="address">Virtual address.</param>
    /// <param name="write">As a write.</param>
    /// <param name="user">As EL0.</param>
    /// <param name="pan">PSTATE.PAN counts (AT S1E1RP, S1E1WP).</param>
    internal void AddressTranslate(ulong address, bool write, bool user, bool pan)
    {
        ulong va = Untag(address);
        // Device memory and Normal memory that is not cached are Outer Shareable, whatever the descriptor says.
        PAR_EL1 = Translate(va, Needed(user, write, pan && PAN), out PageTranslation page)
            ? (ulong)page.Attributes << 56 | page.Pa | (page.IsDevice || page.Attributes == 0x44 ? 2UL : page.Shareability) << 7 | 1 << 11
            : 1 | ((ulong)page.Fault << 1) | (1 << 11);
    }

    /// <summary>Loads <typeparamref name="T"/> (1, 2, 4, 8 or 16 bytes, little-endian).</summary>
    /// <param name="address">Virtual address, possibly tagged.</param>
    /// <param name="value">The value; default on a fault.</param>
    /// <param name="access">Kind of access.</param>
    /// <returns>False when a Data Abort is pending.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Load<T>(ulong address, out T value, Access access = Access.Normal) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        ulong va = Untag(address);
        if ((va & 0xfff) + (ulong)size <= 4096 && AlignmentOk(va, size, access))
        {
            if (!Translate(va, size, false, EL == 0 || (access == Access.Unprivileged && !UAO), out ulong pa))
            {
                value = default;
                return FaultedAt(address);
            }
            if (!_ram.Contains(pa, size))
                return DeviceLoad(va, pa, out value);
            Record(va, pa, size, false);
            value = _ram.Read<T>(pa);
            return true;
        }
        return LoadSlow(va, out value, access) || FaultedAt(address);
    }

    private bool LoadSlow<T>(ulong va, out T value, Access access) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        value = default;
        if (!AlignmentOk(va, size, access))
        {
            DataAbort(va, false, FaultStatus.Alignment);
            return false;
        }
        bool user = EL == 0 || (access == Access.Unprivileged && !UAO);
        int first = 4096 - (int)(va & 0xfff);
        if (!Translate(va, first, false, user, out ulong pa))
            return false;
        if (!Translate(va + (ulong)first, size - first, false, user, out ulong pa2) || !BothInRam(va, pa, first, pa2, size - first, false))
            return false;
        Span<byte> bytes = stackalloc byte[16];
        _ram.Span(pa, first).CopyTo(bytes);
        _ram.Span(pa2, size - first).CopyTo(bytes[first..]);
        Record(va, pa, first, false);
        Record(va + (ulong)first, pa2, size - first, false);
        value = Unsafe.ReadUnaligned<T>(ref bytes[0]);
        return true;
    }

    /// <summary>Stores <typeparamref name="T"/> (1, 2, 4, 8 or 16 bytes, little-endian).</summary>
    /// <returns>False when a Data Abort is pending; nothing was written then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Store<T>(ulong address, T value, Access access = Access.Normal) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        ulong va = Untag(address);
        if ((va & 0xfff) + (ulong)size <= 4096 && AlignmentOk(va, size, access))
        {
            if (!Translate(va, size, true, EL == 0 || (access == Access.Unprivileged && !UAO), out ulong pa))
                return FaultedAt(address);
            if (!_ram.Contains(pa, size))
                return DeviceStore(va, pa, value);
            Record(va, pa, size, true);
            _ram.Write(pa, value);
            Monitors.ObserveStore(Index, pa, size);
            return true;
        }
        return StoreSlow(va, value, access) || FaultedAt(address);
    }

    private bool StoreSlow<T>(ulong va, T value, Access access) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        if (!AlignmentOk(va, size, access))
        {
            DataAbort(va, true, FaultStatus.Alignment);
            return false;
        }
        bool user = EL == 0 || (access == Access.Unprivileged && !UAO);
        int first = 4096 - (int)(va & 0xfff);
        if (!Translate(va, first, true, user, out ulong pa) || !Translate(va + (ulong)first, size - first, true, user, out ulong pa2)
            || !BothInRam(va, pa, first, pa2, size - first, true))
            return false;
        Span<byte> bytes = stackalloc byte[16];
        Unsafe.WriteUnaligned(ref bytes[0], value);
        Record(va, pa, first, true);
        Record(va + (ulong)first, pa2, size - first, true);
        bytes[..first].CopyTo(_ram.Span(pa, first));
        bytes[first..size].CopyTo(_ram.Span(pa2, size - first));
        Monitors.ObserveStore(Index, pa, first);
        Monitors.ObserveStore(Index, pa2, size - first);
        return true;
    }

    /// <summary>Loads 1, 2, 4 or 8 bytes, zero-extended.</summary>
    public bool Load(ulong address, int size, out ulong value, Access access = Access.Normal)
    {
        bool ok;
        switch (size)
        {
            case 1: ok = Load(address, out byte b, access); value = b; return ok;
            case 2: ok = Load(address, out ushort h, access); value = h; return ok;
            case 4: ok = Load(address, out uint w, access); value = w; return ok;
            default: return Load(address, out value, access);
        }
    }

    /// <summary>Stores the low 1, 2, 4 or 8 bytes of <paramref name="value"/>.</summary>
    public bool Store(ulong address, int size, ulong value, Access access = Access.Normal) => size switch
    {
        1 => Store(address, (byte)value, access),
        2 => Store(address, (ushort)value, access),
        4 => Store(address, (uint)value, access),
        _ => Store(address, value, access),
    };

    /// <summary>AArch64.SetExclusiveMonitors: marks the granule that holds the address (after a successful load there).</summary>
    public void SetExclusiveMonitors(ulong address, int size)
    {
        ulong va = Untag(address);
        if (Translate(va, size, false, EL == 0, out ulong pa))
            Monitors.Set(Index, pa, size);
    }

    /// <summary>AArch64.ExclusiveMonitorsPass, with the check that the store would be allowed made first.</summary>
    /// <param name="address">Address of the store.</param>
    /// <param name="size">Bytes of the whole access.</param>
    /// <param name="passed">True when the store may be made; the local monitor is cleared either way.</param>
    /// <returns>False when a Data Abort is pending.</returns>
    public bool ExclusiveMonitorsPass(ulong address, int size, out bool passed)
    {
        passed = false;
        ulong va = Untag(address);
        if ((va & (ulong)(size - 1)) != 0)
        {
            DataAbort(va, true, FaultStatus.Alignment);
            return FaultedAt(address);
        }
        if (!Translate(va, size, true, EL == 0, out ulong pa))
            return FaultedAt(address);
        passed = Monitors.Pass(Index, pa, size);
        return true;
    }

    /// <summary>CheckSPAlignment: SP must be 16-byte aligned when it is a base register and SCTLR_EL1.SA(0) is set.</summary>
    /// <returns>False when an SP alignment fault is pending.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool CheckSPAlignment(int rn)
    {
        if (rn != 31 || (SP & 15) == 0)
            return true;
        if ((SCTLR_EL1 & (EL == 0 ? 1UL << 4 : 1UL << 3)) == 0)
            return true;
        RaiseException(ExceptionClass.SPAlignment, 0);
        return false;
    }
}
