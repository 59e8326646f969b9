using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.MemoryModel;

/// <summary>Which accesses a barrier orders.</summary>
public enum BarrierOrder : byte
{
    /// <summary>No barrier, or one that orders nothing between PEs (the non-shareable domain).</summary>
    None,

    /// <summary>Loads before it with loads and stores behind it (DMB LD).</summary>
    Loads,

    /// <summary>Stores before it with stores behind it (DMB ST).</summary>
    Stores,

    /// <summary>All with all.</summary>
    Full,
}

/// <summary>What one instruction is to the memory model (DDI0487, B2.3). The roles of its registers are those of the fields of the
/// instruction table: Rn and the Rm of a register offset are an address, Rt and Rt2 of a store are data, Rs is the data of an atomic
/// and what CAS compares with.</summary>
public readonly struct InstructionOrder
{
    private const uint StackPointer = 1u << 31;

    private InstructionOrder(Row row, uint word)
    {
        RowOrder of = RowOrder.Of(row);
        RegisterUse use = RegisterUse.Get(row, word);
        int rn = (int)(word >> 5) & 31, rm = (int)(word >> 16) & 31, rs = rm, rt = (int)word & 31;
        (ReadsGeneral, WritesGeneral, ReadsVector, WritesVector) =
            (use.ReadsGeneral, use.WritesGeneral, use.ReadsVector, use.WritesVector);
        (ReadsFlags, WritesFlags) = (use.ReadsFlags, use.WritesFlags);
        (IsAtomic, IsExclusive, IsPair, IsControl, IsSelect, IsCompareAndSwap, StoresWhatItLoads) =
            (of.Atomic, of.Exclusive, of.Pair, of.Control, of.Select, of.CompareAndSwap, of.Atomic && !of.CompareAndSwap && !of.Swap);
        SecondDestination = of.Pair ? (int)(word >> 10) & 31 : -1;
        Destination = of.CompareAndSwap ? rs : rt;
        if (of.Accesses)
        {
            Address = (of.HasBase ? 1u << rn : 0) | (of.HasOffset && rm != 31 ? 1u << rm : 0);
            WritesBase = of.HasBase && of.WritesBack ? 1u << rn : 0;
            Compare = of.CompareAndSwap ? Pair(rs, of.CompareTwo) : 0;
            Data = of.Atomic && !of.CompareAndSwap ? General(rs)
                : of.CompareAndSwap ? Pair(rt, of.CompareTwo)
                : of.Stores ? (of.VectorData ? 0 : General(rt) | (of.Pair ? General(SecondDestination) : 0)) : 0;
        }
        // What has no destination does not return its load: it is no acquire, and barriers of loads do not wait for it.
        IsNoReturn = of.Atomic && Destination == 31;
        Acquire = (of.Acquire || (of.Atomic && (word >> (of.CompareAndSwap ? 22 : 23) & 1) != 0)) && !IsNoReturn;
        Release = of.Release || (of.Atomic && (word >> (of.CompareAndSwap ? 15 : 22) & 1) != 0);
        AcquirePC = of.AcquirePC;
        (Barrier, IsSynchronization) = BarrierOf(row, word);
        IsContextSynchronization = row == Row.ISB;
    }

    /// <summary>The word of a row.</summary>
    public static InstructionOrder Of(Row row, uint word) => new(row, word);

    /// <summary>The condition that a conditional select or compare tests; -1: it is neither.</summary>
    public static int ConditionOf(Row row, uint word) => RowOrder.Of(row).Select ? (int)(word >> 12) & 15 : -1;

    /// <summary>General registers that make an address; bit 31 is SP.</summary>
    public uint Address { get; }

    /// <summary>General registers whose values are stored.</summary>
    public uint Data { get; }

    /// <summary>General registers that CAS compares with what it has loaded.</summary>
    public uint Compare { get; }

    /// <summary>The base register where it is written back; else 0.</summary>
    public uint WritesBase { get; }

    /// <summary>General registers read.</summary>
    public uint ReadsGeneral { get; }

    /// <summary>General registers written.</summary>
    public uint WritesGeneral { get; }

    /// <summary>Vector registers read.</summary>
    public uint ReadsVector { get; }

    /// <summary>Vector registers written.</summary>
    public uint WritesVector { get; }

    /// <summary>Whether NZCV is read.</summary>
    public bool ReadsFlags { get; }

    /// <summary>Whether NZCV is written.</summary>
    public bool WritesFlags { get; }

    /// <summary>The register that gets what is loaded; of a pair, its first half.</summary>
    public int Destination { get; }

    /// <summary>The register that gets the second half of a pair; -1: no pair.</summary>
    public int SecondDestination { get; }

    /// <summary>LDAR and its like, and atomics with A.</summary>
    public bool Acquire { get; }

    /// <summary>LDAPR and its like (FEAT_LRCPC): not ordered behind a store-release.</summary>
    public bool AcquirePC { get; }

    /// <summary>STLR and its like, and atomics with L.</summary>
    public bool Release { get; }

    /// <summary>An atomic of FEAT_LSE: its load and its store are one.</summary>
    public bool IsAtomic { get; }

    /// <summary>CAS or CASP.</summary>
    public bool IsCompareAndSwap { get; }

    /// <summary>An atomic whose store is made of its load: LDADD and its like, but not SWP and CAS.</summary>
    public bool StoresWhatItLoads { get; }

    /// <summary>A load or store exclusive.</summary>
    public bool IsExclusive { get; }

    /// <summary>An atomic whose result goes to the zero register.</summary>
    public bool IsNoReturn { get; }

    /// <summary>A pair: its two elements are accesses of their own.</summary>
    public bool IsPair { get; }

    /// <summary>What is executed next depends on its registers or flags.</summary>
    public bool IsControl { get; }

    /// <summary>A conditional select or compare: which operands count depends on the flags.</summary>
    public bool IsSelect { get; }

    /// <summary>What it orders as a barrier.</summary>
    public BarrierOrder Barrier { get; }

    /// <summary>DSB: what is behind it waits, whatever it is.</summary>
    public bool IsSynchronization { get; }

    /// <summary>ISB.</summary>
    public bool IsContextSynchronization { get; }

    private static uint General(int n) => (1u << n) & ~StackPointer;

    private static uint Pair(int n, bool two) => General(n) | (two ? General(n + 1) : 0);

    /// <summary>CRm of DMB and DSB: the shareability domain and which accesses. Between PEs the non-shareable domain orders
    /// nothing.</summary>
    private static (BarrierOrder Order, bool Synchronizes) BarrierOf(Row row, uint word)
    {
        if (row is not (Row.DMB or Row.DSB or Row.DSB_nxs))
            return (BarrierOrder.None, false);
        int domain = (int)(word >> 10) & 3, types = (int)(word >> 8) & 3;
        const int nonShareable = 1;
        return domain == nonShareable ? (BarrierOrder.None, false)
            : row == Row.DSB_nxs ? (BarrierOrder.Full, true)
            : ((BarrierOrder)types, row == Row.DSB);
    }
}

/// <summary>The part of <see cref="InstructionOrder"/> that is the same for all words of a row.</summary>
internal sealed class RowOrder
{
    private static readonly RowOrder?[] Rows = new RowOrder[Enum.GetValues<Row>().Length];

    private RowOrder(Row row)
    {
        string name = RowInfo.Name(row);
        TimingClass of = RowInfo.Class(row);
        RowField[] fields = RowInfo.Fields(row);
        bool Has(string field) => Array.Exists(fields, f => f.Name == field);
        bool loads = of is TimingClass.Load or TimingClass.LoadPair or TimingClass.LoadLiteral or TimingClass.LoadAcquire
            or TimingClass.LoadExcl or TimingClass.LoadFp or TimingClass.LoadSimd;
        Stores = of is TimingClass.Store or TimingClass.StorePair or TimingClass.StoreRelease or TimingClass.StoreExcl
            or TimingClass.StoreFp or TimingClass.StoreSimd;
        Atomic = of == TimingClass.Atomic;
        Accesses = loads || Stores || Atomic;
        Exclusive = of is TimingClass.LoadExcl or TimingClass.StoreExcl;
        Pair = Accesses && Has("rt2");
        VectorData = of is TimingClass.StoreFp or TimingClass.StoreSimd;
        HasBase = Has("rn");
        WritesBack = name.EndsWith("_post", StringComparison.Ordinal) || name.EndsWith("_pre", StringComparison.Ordinal)
            || name is "LDRAA" or "LDRAB";
        HasOffset = name.EndsWith("_reg", StringComparison.Ordinal) && Has("rm");
        CompareAndSwap = Atomic && name.StartsWith("CAS", StringComparison.Ordinal);
        Swap = Atomic && name.StartsWith("SWP", StringComparison.Ordinal);
        CompareTwo = name.StartsWith("CASP", StringComparison.Ordinal);
        AcquirePC = loads && (name.StartsWith("LDAP", StringComparison.Ordinal) || name.StartsWith("LDIAPP", StringComparison.Ordinal));
        Acquire = loads && (name.StartsWith("LDAR", StringComparison.Ordinal) || name.StartsWith("LDAX", StringComparison.Ordinal)
            || name.StartsWith("LDLAR", StringComparison.Ordinal));
        Release = Stores && (name.StartsWith("STL", StringComparison.Ordinal) || name.StartsWith("STILP", StringComparison.Ordinal));
        Select = of is TimingClass.Csel or TimingClass.Ccmp;
        Control = of is TimingClass.BranchCond or TimingClass.BranchCmp or TimingClass.BranchReg or TimingClass.CallReg or TimingClass.Ret;
    }

    internal static RowOrder Of(Row row) => Rows[(int)row] ??= new RowOrder(row);

    internal bool Accesses { get; }

    internal bool Stores { get; }

    internal bool Atomic { get; }

    internal bool Exclusive { get; }

    internal bool Pair { get; }

    internal bool VectorData { get; }

    internal bool HasBase { get; }

    internal bool HasOffset { get; }

    internal bool WritesBack { get; }

    internal bool CompareAndSwap { get; }

    internal bool Swap { get; }

    internal bool CompareTwo { get; }

    internal bool Acquire { get; }

    internal bool AcquirePC { get; }

    internal bool Release { get; }

    internal bool Select { get; }

    internal bool Control { get; }
}
