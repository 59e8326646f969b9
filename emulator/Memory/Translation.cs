namespace ArmVdso.Emulator.Memory;

/// <summary>Page permissions and attributes of a mapping.</summary>
[Flags]
public enum PagePermissions : byte
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>EL0 may read.</summary>
    UserRead = 1 << 0,

    /// <summary>EL0 may write.</summary>
    UserWrite = 1 << 1,

    /// <summary>EL0 may execute.</summary>
    UserExecute = 1 << 2,

    /// <summary>EL1 may read.</summary>
    KernelRead = 1 << 3,

    /// <summary>EL1 may write.</summary>
    KernelWrite = 1 << 4,

    /// <summary>EL1 may execute.</summary>
    KernelExecute = 1 << 5,

    /// <summary>Guarded page (BTI checks on indirect branches).</summary>
    Guarded = 1 << 6,
}

/// <summary>Fault status codes (DFSC/IFSC) in use.</summary>
public enum FaultStatus : byte
{
    /// <summary>Translation fault, level 3.</summary>
    TranslationLevel3 = 0x07,

    /// <summary>Permission fault, level 3.</summary>
    PermissionLevel3 = 0x0F,

    /// <summary>Alignment fault.</summary>
    Alignment = 0x21,
}

/// <summary>What a translation says of one page.</summary>
public struct PageTranslation
{
    /// <summary>Physical address of the page.</summary>
    public ulong Pa;

    /// <summary>Permissions and attributes.</summary>
    public PagePermissions Permissions;

    /// <summary>Why the access is refused, when it is.</summary>
    public FaultStatus Fault;
}

/// <summary>Stage 1 translation of one half of the address space: what TTBR0_EL1 or TTBR1_EL1 stands for. PEs and engines remember what
/// it said until they are told otherwise (TLB maintenance, or <see cref="AddressSpace"/> itself), so that it is asked rarely.</summary>
/// <param name="vaBits">Bits of virtual address that it covers.</param>
public abstract class Translation(int vaBits)
{
    /// <summary>Bits of virtual address that it covers; addresses beyond them fault.</summary>
    public int VaBits { get; } = vaBits;

    /// <summary>Addresses below it are not global (nG in their descriptors): their TLB entries belong to one ASID. 0: all are global.
    /// Only for a half of high addresses.</summary>
    public ulong GlobalFrom { get; set; }

    /// <summary>Translates the page of an address.</summary>
    /// <param name="va">Virtual address, tag removed.</param>
    /// <param name="needed">The permission that the access needs.</param>
    /// <param name="page">The page; its <see cref="PageTranslation.Fault"/> when the access is refused.</param>
    /// <returns>Whether the access is allowed.</returns>
    public abstract bool Translate(ulong va, PagePermissions needed, out PageTranslation page);
}

/// <summary>What the translation registers mean: which <see cref="Translation"/> a value of TTBRn_EL1 selects.</summary>
public interface ITranslationScheme
{
    /// <summary>The translation that a PE uses from now on; null: every access faults.</summary>
    /// <param name="ttbr">TTBR0_EL1 or TTBR1_EL1.</param>
    /// <param name="tcr">TCR_EL1.</param>
    /// <param name="high">Whether it is that of the high half (TTBR1_EL1).</param>
    Translation? Select(ulong ttbr, ulong tcr, bool high);
}

/// <summary>Translations held outside the machine: TTBRn_EL1.BADDR is the handle of an <see cref="AddressSpace"/>.</summary>
/// <param name="changed">Told the address of each page whose translation has changed.</param>
internal sealed class HostTranslation(Action<ulong> changed) : ITranslationScheme
{
    private readonly Dictionary<ulong, AddressSpace> _spaces = [];
    private ulong _next = 0x1000;

    /// <summary>A new, empty space.</summary>
    internal AddressSpace Create(int vaBits)
    {
        var space = new AddressSpace(changed, _next, vaBits);
        _next += 0x1000;
        _spaces.Add(space.Handle, space);
        return space;
    }

    /// <summary>Forgets a space; no PE may still use it.</summary>
    internal void Remove(AddressSpace space) => _spaces.Remove(space.Handle);

    /// <inheritdoc/>
    public Translation? Select(ulong ttbr, ulong tcr, bool high) => _spaces.GetValueOrDefault(ttbr & 0xffff_ffff_fffeUL);
}
