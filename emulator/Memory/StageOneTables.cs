namespace ArmVdso.Emulator.Memory;

/// <summary>Stage 1 translation of the EL1&amp;0 regime by tables in RAM: VMSAv8-64 with granules of 4, 16 and 64 KiB and output
/// addresses of 48 bits (DDI0487, D8). Nothing is remembered here: PEs and engines keep what they are told until TLB maintenance.</summary>
/// <param name="ram">RAM that holds the tables.</param>
/// <param name="monitors">Told of what hardware management of the access flag and dirty state writes.</param>
/// <param name="flags">What the PEs have.</param>
internal sealed class StageOneTables(PhysicalMemory ram, ExclusiveMonitors monitors, Func<TranslationFeatures> flags) : ITranslationScheme
{
    private const ulong SctlrM = 1, SctlrWxn = 1UL << 19;

    // Registers are written far more often than they get values that have not been seen lately.
    private readonly TableTranslation?[] _recent = new TableTranslation?[16];
    private readonly FlatTranslation _flat = new();
    private int _next;

    /// <inheritdoc/>
    public bool NeedsMaintenance => true;

    /// <inheritdoc/>
    public Translation? Select(in TranslationRegisters registers, bool high)
    {
        if ((registers.Sctlr & SctlrM) == 0)
            return high ? null : _flat;
        var key = new TableTranslation.Key(
            high ? registers.Ttbr1 : registers.Ttbr0, registers.Tcr, registers.Mair, (registers.Sctlr & SctlrWxn) != 0, high);
        foreach (TableTranslation? known in _recent)
        {
            if (known is not null && known.Registers == key)
                return known;
        }
        var made = new TableTranslation(ram, monitors, key, flags());
        _recent[_next++ % _recent.Length] = made;
        return made;
    }

    /// <summary>SCTLR_EL1.M is 0: addresses are physical, everything is allowed. Data accesses are to Device memory in the architecture;
    /// their alignment is not checked here.</summary>
    private sealed class FlatTranslation() : Translation(48)
    {
        /// <inheritdoc/>
        public override bool Translate(ulong va, PagePermissions needed, out PageTranslation page)
        {
            page = new PageTranslation
            {
                Pa = va & ~0xfffUL,
                Permissions = PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute
                    | PagePermissions.KernelRead | PagePermissions.KernelWrite | PagePermissions.KernelExecute,
                Attributes = PageTranslation.NormalWriteBack,
                Shareability = 2,
                BlockBits = 12,
            };
            return true;
        }
    }
}

/// <summary>Features of the PEs that translation by tables asks for.</summary>
/// <param name="AccessFlag">FEAT_HAFDBS: hardware sets the access flag where TCR_EL1.HA asks for it.</param>
/// <param name="DirtyState">FEAT_HAFDBS: and manages the dirty state where TCR_EL1.HD does.</param>
/// <param name="HierarchicalOff">FEAT_HPDS: TCR_EL1.HPDn turn attributes in table descriptors off.</param>
/// <param name="E0pd">FEAT_E0PD.</param>
/// <param name="PhysicalBits">Bits of physical address (ID_AA64MMFR0_EL1.PARange).</param>
internal readonly record struct TranslationFeatures(
    bool AccessFlag, bool DirtyState, bool HierarchicalOff, bool E0pd, int PhysicalBits);

/// <summary>One half of the address space, as TTBRn_EL1 and TCR_EL1 describe it.</summary>
internal sealed class TableTranslation : Translation
{
    private const ulong Valid = 1, TableOrPage = 2, AccessFlag = 1UL << 10, ReadOnly = 1UL << 7,
        UserAccess = 1UL << 6, Guarded = 1UL << 50, DirtyModifier = 1UL << 51, Contiguous = 1UL << 52, PrivilegedNever = 1UL << 53,
        UserNever = 1UL << 54,
        TablePrivilegedNever = 1UL << 59, TableUserNever = 1UL << 60, TableNoUser = 1UL << 61, TableReadOnly = 1UL << 62;

    private readonly PhysicalMemory _ram;
    private readonly ExclusiveMonitors _monitors;
    private readonly ulong _mair;
    private readonly ulong _table;
    private readonly int _granule;
    private readonly int _startLevel;
    private readonly int _outputBits;
    private readonly bool _disabled, _userDisabled, _flat, _setsAccessFlag, _setsDirty, _writableNeverExecutes;

    /// <summary>The registers that say all about a half.</summary>
    internal readonly record struct Key(ulong Ttbr, ulong Tcr, ulong Mair, bool WritableNeverExecutes, bool High);

    /// <summary>The registers.</summary>
    internal Key Registers { get; }

    internal TableTranslation(PhysicalMemory ram, ExclusiveMonitors monitors, in Key key, in TranslationFeatures features)
        : base(64 - Math.Clamp((int)(key.Tcr >> (key.High ? 16 : 0)) & 63, 16, 39))
    {
        _ram = ram;
        _monitors = monitors;
        Registers = key;
        _mair = key.Mair;
        ulong tcr = key.Tcr;
        _granule = key.High
            ? ((tcr >> 30) & 3) switch { 1 => 14, 3 => 16, _ => 12 }
            : ((tcr >> 14) & 3) switch { 1 => 16, 2 => 14, _ => 12 };
        int stride = _granule - 3;
        _startLevel = 4 - (VaBits - _granule + stride - 1) / stride;
        // The first table is aligned to its size, which is at least 64 bytes.
        int entries = VaBits - (_granule + stride * (3 - _startLevel));
        _table = key.Ttbr & OutputMaskOf(Math.Max(entries + 3, 6));
        _disabled = (tcr & (key.High ? 1UL << 23 : 1UL << 7)) != 0;
        _userDisabled = features.E0pd && (tcr & (key.High ? 1UL << 56 : 1UL << 55)) != 0;
        _flat = features.HierarchicalOff && (tcr & (key.High ? 1UL << 42 : 1UL << 41)) != 0;
        _setsAccessFlag = features.AccessFlag && (tcr & (1UL << 39)) != 0;
        _setsDirty = features.DirtyState && _setsAccessFlag && (tcr & (1UL << 40)) != 0;
        _writableNeverExecutes = key.WritableNeverExecutes;
        int ips = ((tcr >> 32) & 7) switch { 0 => 32, 1 => 36, 2 => 40, 3 => 42, 4 => 44, _ => 48 };
        _outputBits = Math.Min(ips, features.PhysicalBits);
    }

    private static ulong OutputMaskOf(int alignment) => 0x0000_FFFF_FFFF_FFFF & ~((1UL << alignment) - 1);

    private static bool Refuse(ref PageTranslation page, FaultStatus kind, int level)
    {
        page.Fault = kind + (byte)level;
        return false;
    }

    /// <inheritdoc/>
    public override bool Translate(ulong va, PagePermissions needed, out PageTranslation page)
    {
        page = default;
        const PagePermissions user = PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute;
        if (_disabled || (_userDisabled && (needed & user) != 0))
            return Refuse(ref page, FaultStatus.TranslationLevel0, 0);
        return Walk(va, out Descriptor found, ref page) && Leaf(va, needed, found, ref page);
    }

    /// <inheritdoc/>
    internal override bool TryFindDescriptor(ulong va, out ulong pa, out int bits)
    {
        PageTranslation page = default;
        bool there = Walk(va, out Descriptor found, ref page);
        pa = found.At;
        bits = found.Shift + ((found.Value & Contiguous) != 0 ? ContiguousBits(found.Level) : 0);
        return there && !_disabled;
    }

    /// <summary>Base 2 logarithm of the descriptors that the contiguous bit says belong together (DDI0487, D8.7.1).</summary>
    private int ContiguousBits(int level) => (_granule, level) switch
    {
        (12, _) => 4,
        (14, 3) => 7,
        _ => 5,
    };

    /// <summary>A descriptor of a block or page, where it lies, and the attributes of the tables on the way to it.</summary>
    private readonly record struct Descriptor(int Level, int Shift, ulong At, ulong Value, ulong Inherited);

    /// <summary>Finds the descriptor of a block or page (DDI0487, D8.2).</summary>
    private bool Walk(ulong va, out Descriptor found, ref PageTranslation page)
    {
        found = default;
        ulong input = va & ((1UL << VaBits) - 1);
        ulong table = _table;
        ulong inherited = 0;
        for (int level = _startLevel; ; level++)
        {
            int shift = _granule + (_granule - 3) * (3 - level);
            ulong index = input >> shift;
            if (level != _startLevel)
                index &= (1UL << (_granule - 3)) - 1;
            ulong at = table + index * 8;
            if (table >> _outputBits != 0)
                return Refuse(ref page, FaultStatus.AddressSizeLevel0, level);
            if (!_ram.Contains(at, 8))
                return Refuse(ref page, FaultStatus.ExternalWalkLevel0, level);
            ulong descriptor = _ram.Read<ulong>(at);
            if ((descriptor & Valid) == 0)
                return Refuse(ref page, FaultStatus.TranslationLevel0, level);
            if (level < 3 && (descriptor & TableOrPage) != 0)
            {
                if (!_flat)
                    inherited |= descriptor & (TablePrivilegedNever | TableUserNever | TableNoUser | TableReadOnly);
                table = descriptor & OutputMaskOf(_granule);
                continue;
            }
            bool leaf = level == 3 ? (descriptor & TableOrPage) != 0 : level == 2 || (level == 1 && _granule == 12);
            if (!leaf)
                return Refuse(ref page, FaultStatus.TranslationLevel0, level);
            found = new Descriptor(level, shift, at, descriptor, inherited);
            return true;
        }
    }

    private bool Leaf(ulong va, PagePermissions needed, in Descriptor found, ref PageTranslation page)
    {
        (int level, int shift, ulong at, ulong descriptor, ulong inherited) = found;
        ulong output = (descriptor & OutputMaskOf(shift)) | (va & ((1UL << shift) - 1) & ~0xfffUL);
        if (output >> _outputBits != 0)
            return Refuse(ref page, FaultStatus.AddressSizeLevel0, level);
        ulong update = 0;
        if ((descriptor & AccessFlag) == 0)
        {
            if (!_setsAccessFlag)
                return Refuse(ref page, FaultStatus.AccessFlagLevel0, level);
            update = AccessFlag;
        }
        bool writes = (needed & (PagePermissions.UserWrite | PagePermissions.KernelWrite)) != 0;
        bool dirties = _setsDirty && writes && (descriptor & (DirtyModifier | ReadOnly)) == (DirtyModifier | ReadOnly);
        page.Pa = output;
        page.Permissions = Permissions(dirties ? descriptor & ~ReadOnly : descriptor, inherited);
        page.Attributes = (byte)(_mair >> (8 * ((int)(descriptor >> 2) & 7)));
        page.Shareability = (byte)((descriptor >> 8) & 3);
        page.BlockBits = (byte)shift;
        if (!Allows(page.Permissions, needed))
            return Refuse(ref page, FaultStatus.PermissionLevel0, level);
        if (update != 0 || dirties)
        {
            _ram.Write(at, (descriptor | update) & (dirties ? ~ReadOnly : ulong.MaxValue));
            _monitors.ObserveStore(ExclusiveMonitors.Outside, at, 8);
        }
        return true;
    }

    /// <summary>AP, UXN, PXN and GP of a descriptor with those of the tables on the way to it (DDI0487, D8.4).</summary>
    private PagePermissions Permissions(ulong descriptor, ulong inherited)
    {
        bool readOnly = (descriptor & ReadOnly) != 0 || (inherited & TableReadOnly) != 0;
        bool user = (descriptor & UserAccess) != 0 && (inherited & TableNoUser) == 0;
        PagePermissions p = PagePermissions.KernelRead;
        if (!readOnly)
            p |= PagePermissions.KernelWrite;
        if (user)
            p |= PagePermissions.UserRead | PagePermissions.Unprivileged | (readOnly ? 0 : PagePermissions.UserWrite);
        bool userWrites = user && !readOnly;
        if ((descriptor & UserNever) == 0 && (inherited & TableUserNever) == 0 && !(_writableNeverExecutes && userWrites))
            p |= PagePermissions.UserExecute;
        bool never = (descriptor & PrivilegedNever) != 0 || (inherited & TablePrivilegedNever) != 0;
        if (!never && !userWrites && !(_writableNeverExecutes && !readOnly))
            p |= PagePermissions.KernelExecute;
        if ((descriptor & Guarded) != 0)
            p |= PagePermissions.Guarded;
        return p;
    }
}
