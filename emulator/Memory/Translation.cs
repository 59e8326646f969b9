using ArmVdso.Emulator.State;

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

    /// <summary>EL0 has access (AP[1]). In what an access needs: the page must not have it, because PSTATE.PAN is 1.</summary>
    Unprivileged = 1 << 7,
}

/// <summary>Fault status codes (DFSC/IFSC). The two low bits of the first ones are the level of the table.</summary>
public enum FaultStatus : byte
{
    /// <summary>Address size fault, level 0.</summary>
    AddressSizeLevel0 = 0x00,

    /// <summary>Translation fault, level 0.</summary>
    TranslationLevel0 = 0x04,

    /// <summary>Translation fault, level 3.</summary>
    TranslationLevel3 = 0x07,

    /// <summary>Access flag fault, level 0.</summary>
    AccessFlagLevel0 = 0x08,

    /// <summary>Permission fault, level 0.</summary>
    PermissionLevel0 = 0x0C,

    /// <summary>Permission fault, level 3.</summary>
    PermissionLevel3 = 0x0F,

    /// <summary>Synchronous External abort: nothing answers at the physical address.</summary>
    External = 0x10,

    /// <summary>Synchronous External abort on a translation table walk, level 0.</summary>
    ExternalWalkLevel0 = 0x14,

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

    /// <summary>Memory attributes, as a byte of MAIR_EL1 has them.</summary>
    public byte Attributes;

    /// <summary>SH[1:0] of the descriptor.</summary>
    public byte Shareability;

    /// <summary>Base 2 logarithm of the bytes that the descriptor maps: one TLB entry may stand for all of them.</summary>
    public byte BlockBits;

    /// <summary>Normal memory, Inner and Outer Write-Back, non-transient, read and write allocate.</summary>
    public const byte NormalWriteBack = 0xFF;

    /// <summary>Device memory: accesses must be aligned.</summary>
    public readonly bool IsDevice => (Attributes & 0xF0) == 0;
}

/// <summary>Stage 1 translation of one half of the address space: what TTBR0_EL1 or TTBR1_EL1 stands for. PEs and engines remember what
/// it said until they are told otherwise (TLB maintenance, or <see cref="AddressSpace"/> itself), so that it is asked rarely.</summary>
/// <param name="vaBits">Bits of virtual address that it covers.</param>
[NotState("registers and tables say it")]
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

    /// <summary>Physical address of the last descriptor that the translation of an address comes to; changes nothing.</summary>
    /// <param name="va">Virtual address.</param>
    /// <param name="pa">Physical address of the descriptor.</param>
    /// <param name="bits">Base 2 logarithm of the bytes that one TLB entry may stand for.</param>
    /// <returns>False: the tables are not in RAM, or the walk ends before it.</returns>
    internal virtual bool TryFindDescriptor(ulong va, out ulong pa, out int bits)
    {
        (pa, bits) = (0, 12);
        return false;
    }

    /// <summary>Whether a page of these permissions allows an access.</summary>
    /// <param name="permissions">Those of the page.</param>
    /// <param name="needed">One of reading, writing or executing, with <see cref="PagePermissions.Unprivileged"/> where PSTATE.PAN
    /// counts.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Allows(PagePermissions permissions, PagePermissions needed) =>
        (permissions & needed) == (needed & ~PagePermissions.Unprivileged);
}

/// <summary>The registers of a PE that control translation at EL1 and EL0.</summary>
/// <param name="Ttbr0">TTBR0_EL1.</param>
/// <param name="Ttbr1">TTBR1_EL1.</param>
/// <param name="Tcr">TCR_EL1.</param>
/// <param name="Mair">MAIR_EL1.</param>
/// <param name="Sctlr">SCTLR_EL1.</param>
public readonly record struct TranslationRegisters(ulong Ttbr0, ulong Ttbr1, ulong Tcr, ulong Mair, ulong Sctlr);

/// <summary>What the translation registers mean: which <see cref="Translation"/> they select. This and <see cref="Translation"/> are all
/// that PEs, engines and timing know of a translation: they ask for a page, remember the answer, and drop it when they are told.</summary>
[NotState("registers and tables say it")]
public interface ITranslationScheme
{
    /// <summary>The translation that a PE uses from now on; null: every access faults. Asked again after each write of one of the
    /// registers; the PE drops what it remembers when another object is returned.</summary>
    /// <param name="registers">The PE's registers.</param>
    /// <param name="high">Whether it is that of the high half (TTBR1_EL1).</param>
    Translation? Select(in TranslationRegisters registers, bool high);

    /// <summary>Whether a changed translation counts only after TLB maintenance. Otherwise whoever changes one tells the PEs, and TLBI
    /// instructions have nothing to do.</summary>
    bool NeedsMaintenance { get; }
}

/// <summary>Translations held outside the machine: TTBRn_EL1.BADDR is the handle of an <see cref="AddressSpace"/>.</summary>
/// <param name="changed">Told the address of each page whose translation has changed.</param>
[NotState("software outside the machine has it")]
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
    public bool NeedsMaintenance => false;

    /// <inheritdoc/>
    public Translation? Select(in TranslationRegisters registers, bool high) =>
        _spaces.GetValueOrDefault((high ? registers.Ttbr1 : registers.Ttbr0) & 0xffff_ffff_fffeUL);
}
