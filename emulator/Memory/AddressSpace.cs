namespace ArmVdso.Emulator.Memory;

/// <summary>A translation held outside the machine. It stands for the tables that TTBR0_EL1 or TTBR1_EL1 points to; the system
/// software model edits it instead of descriptors in RAM. Every change drops the TLB entries of all PEs for the pages
/// concerned.</summary>
public sealed class AddressSpace : Translation
{
    private const int LevelBits = 9;
    private const int LevelSize = 1 << LevelBits;
    private readonly Action<ulong> _changed;
    private readonly Node _root;
    private readonly int _levels;
    private ulong _linearBase;
    private ulong _linearSize;
    private PagePermissions _linearPermissions;

    /// <summary>The value of TTBRn_EL1.BADDR that selects this space; unique in the machine.</summary>
    public ulong Handle { get; }

    private sealed class Node
    {
        public readonly Node?[]? Children;
        public readonly ulong[]? Entries;

        public Node(bool leaf)
        {
            if (leaf)
                Entries = new ulong[LevelSize];
            else
                Children = new Node?[LevelSize];
        }
    }

    /// <summary>An empty space.</summary>
    /// <param name="changed">Told the address of each page whose translation has changed.</param>
    /// <param name="handle">See <see cref="Handle"/>.</param>
    /// <param name="vaBits">Bits of virtual address that it covers: 39 or 48.</param>
    internal AddressSpace(Action<ulong> changed, ulong handle, int vaBits)
        : base(vaBits)
    {
        if (vaBits is not (39 or 48))
            throw new ArgumentOutOfRangeException(nameof(vaBits), vaBits, "39 or 48");
        _changed = changed;
        Handle = handle;
        _levels = vaBits == 39 ? 3 : 4;
        _root = new Node(false);
    }

    /// <summary>Maps [<paramref name="va"/>, +<paramref name="size"/>) to physical address 0 and up; a page mapped with
    /// <see cref="Map"/> inside it wins. One such window per space (the kernel's linear map).</summary>
    public void MapLinear(ulong va, ulong size, PagePermissions permissions)
    {
        _linearBase = va;
        _linearSize = size;
        _linearPermissions = permissions;
    }

    private ulong[]? Leaf(ulong va, bool create)
    {
        Node node = _root;
        for (int level = _levels - 1; level > 0; level--)
        {
            int i = (int)(va >> (12 + LevelBits * level)) & (LevelSize - 1);
            Node? child = node.Children![i];
            if (child is null)
            {
                if (!create)
                    return null;
                child = new Node(level == 1);
                node.Children[i] = child;
            }
            node = child;
        }
        return node.Entries;
    }

    /// <summary>Maps one page. <paramref name="va"/> and <paramref name="pa"/> are page aligned.</summary>
    public void Map(ulong va, ulong pa, PagePermissions permissions)
    {
        Leaf(va, true)![(int)(va >> 12) & (LevelSize - 1)] = pa | 0x100 | (byte)permissions;
        _changed(va);
    }

    /// <summary>Changes the permissions of a mapped page; nothing happens when it is not mapped.</summary>
    public void Protect(ulong va, PagePermissions permissions)
    {
        ulong[]? leaf = Leaf(va, false);
        int i = (int)(va >> 12) & (LevelSize - 1);
        if (leaf is null || leaf[i] == 0)
            return;
        leaf[i] = (leaf[i] & ~0xfffUL) | 0x100 | (byte)permissions;
        _changed(va);
    }

    /// <summary>Removes one page's mapping; nothing happens when it is not mapped.</summary>
    public void Unmap(ulong va)
    {
        ulong[]? leaf = Leaf(va, false);
        if (leaf is null)
            return;
        leaf[(int)(va >> 12) & (LevelSize - 1)] = 0;
        _changed(va);
    }

    /// <summary>The mapped pages of [<paramref name="start"/>, <paramref name="end"/>) in ascending order; the space may be
    /// changed while they are walked.</summary>
    public IEnumerable<(ulong Va, ulong Pa, PagePermissions Permissions)> Pages(ulong start, ulong end)
    {
        const ulong leafSpan = (ulong)LevelSize << 12;
        ulong limit = 1UL << VaBits;
        for (ulong va = start & ~0xfffUL; va < end && va < limit;)
        {
            ulong[]? leaf = Leaf(va, false);
            if (leaf is null)
            {
                va = NextLeaf(va);
                continue;
            }
            ulong leafEnd = Math.Min((va | (leafSpan - 1)) + 1, end);
            for (; va < leafEnd; va += 4096)
            {
                ulong entry = leaf[(int)(va >> 12) & (LevelSize - 1)];
                if (entry != 0)
                    yield return (va, entry & ~0xfffUL, (PagePermissions)(byte)entry);
            }
        }
    }

    /// <summary>First address after <paramref name="va"/> that the missing table does not cover.</summary>
    private ulong NextLeaf(ulong va)
    {
        Node node = _root;
        for (int level = _levels - 1; level > 0; level--)
        {
            int shift = 12 + LevelBits * level;
            Node? child = node.Children![(int)(va >> shift) & (LevelSize - 1)];
            if (child is null)
                return ((va >> shift) + 1) << shift;
            node = child;
        }
        return va;
    }

    /// <inheritdoc/>
    public override bool Translate(ulong va, PagePermissions needed, out PageTranslation page)
    {
        page = new PageTranslation
        {
            Fault = FaultStatus.TranslationLevel3,
            Attributes = PageTranslation.NormalWriteBack,
            Shareability = 3,
            BlockBits = 12,
        };
        if (!Lookup(va, out page.Pa, out page.Permissions))
            return false;
        page.Fault = FaultStatus.PermissionLevel3;
        return Allows(page.Permissions, needed);
    }

    /// <summary>Looks a virtual address up. False: translation fault.</summary>
    public bool Lookup(ulong va, out ulong pagePa, out PagePermissions permissions)
    {
        ulong[]? leaf = Leaf(va, false);
        ulong entry = leaf is null ? 0 : leaf[(int)(va >> 12) & (LevelSize - 1)];
        if (entry != 0)
        {
            pagePa = entry & ~0xfffUL;
            permissions = (PagePermissions)(byte)entry;
            return true;
        }
        ulong linear = (va & ~0xfffUL) - _linearBase;
        if (linear < _linearSize)
        {
            pagePa = linear;
            permissions = _linearPermissions;
            return true;
        }
        pagePa = 0;
        permissions = PagePermissions.None;
        return false;
    }
}
