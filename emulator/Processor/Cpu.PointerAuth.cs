using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Processor;

/// <summary>How a pointer authentication code is computed.</summary>
public enum PacAlgorithm : byte
{
    /// <summary>The architected QARMA5 (ID_AA64ISAR1_EL1.APA).</summary>
    Qarma5,

    /// <summary>The IMPLEMENTATION DEFINED one of this emulator, which is cheap (ID_AA64ISAR1_EL1.API): see
    /// <see cref="Cpu.ComputePac"/>.</summary>
    ImplementationDefined,
}

/// <summary>What a failed authentication does.</summary>
public enum PacFailure : byte
{
    /// <summary>FEAT_PAuth: two bits of the pointer are set to an error code, so that using it faults.</summary>
    ErrorCode,

    /// <summary>FEAT_PAuth2: the code is removed by exclusive or; a wrong one leaves a non-canonical pointer.</summary>
    ExclusiveOr,

    /// <summary>FEAT_FPAC (with FEAT_PAuth2): the authenticating instruction raises an exception.</summary>
    Exception,
}

/// <summary>Pointer authentication, as the Arm pseudocode has it for the EL1&amp;0 translation regime (DDI0487, D8.10).</summary>
public sealed partial class Cpu
{
    private const int EnIA = 31, EnIB = 30, EnDA = 27, EnDB = 13;

    /// <summary>The algorithm of the CPU profile.</summary>
    public PacAlgorithm PacVariant { get; set; }

    /// <summary>What a failed authentication does in the CPU profile.</summary>
    public PacFailure PacOnFailure { get; set; }

    private bool PacEnabled(int bit) => HasPauth && (SCTLR_EL1 & (1UL << bit)) != 0;

    internal ulong AddPacIA(ulong pointer, ulong modifier) => PacEnabled(EnIA) ? AddPac(pointer, modifier, 0, false) : pointer;

    internal ulong AddPacIB(ulong pointer, ulong modifier) => PacEnabled(EnIB) ? AddPac(pointer, modifier, 1, false) : pointer;

    internal ulong AddPacDA(ulong pointer, ulong modifier) => PacEnabled(EnDA) ? AddPac(pointer, modifier, 2, true) : pointer;

    internal ulong AddPacDB(ulong pointer, ulong modifier) => PacEnabled(EnDB) ? AddPac(pointer, modifier, 3, true) : pointer;

    internal bool AuthIA(ulong pointer, ulong modifier, out ulong result) =>
        Auth(PacEnabled(EnIA), pointer, modifier, 0, false, out result);

    internal bool AuthIB(ulong pointer, ulong modifier, out ulong result) =>
        Auth(PacEnabled(EnIB), pointer, modifier, 1, false, out result);

    internal bool AuthDA(ulong pointer, ulong modifier, out ulong result) => Auth(PacEnabled(EnDA), pointer, modifier, 2, true, out result);

    internal bool AuthDB(ulong pointer, ulong modifier, out ulong result) => Auth(PacEnabled(EnDB), pointer, modifier, 3, true, out result);

    /// <summary>EffectiveTBI: whether the top byte of the address is ignored. TBIDn makes it data only.</summary>
    private bool EffectiveTbi(bool high, bool data)
    {
        bool tbi = (TCR_EL1 & (high ? 1UL << 38 : 1UL << 37)) != 0;
        bool tbid = (TCR_EL1 & (high ? 1UL << 52 : 1UL << 51)) != 0;
        return tbi && (data || !tbid);
    }

    /// <summary>AArch64.BranchAddr: removes the tag of a branch target when the top byte of instruction addresses is ignored.</summary>
    internal ulong BranchAddr(ulong target)
    {
        bool high = (target & (1UL << 55)) != 0;
        return !EffectiveTbi(high, false) ? target : high ? target | 0xffUL << 56 : target & ~(0xffUL << 56);
    }

    /// <summary>CalculateBottomPACBit: the size of the address space of that half, from TCR_EL1.TnSZ.</summary>
    private int BottomPacBit(bool high)
    {
        int tsz = (int)(TCR_EL1 >> (high ? 16 : 0)) & 63;
        return 64 - Math.Clamp(tsz, 16, 39);
    }

    private static ulong BitField(int low, int high) => (ulong.MaxValue >> (63 - high)) & (ulong.MaxValue << low);

    /// <summary>Bits of a pointer that hold the code: below bit 55, and the top byte when it is not ignored.</summary>
    private static ulong PacField(int bottom, bool tbi) => BitField(bottom, 54) | (tbi ? 0 : BitField(56, 63));

    /// <summary>The pointer with the bits from <paramref name="bottom"/> up (the top byte only without TBI) all equal.</summary>
    private static ulong Extend(ulong pointer, int bottom, bool tbi, bool ones)
    {
        ulong field = BitField(bottom, tbi ? 55 : 63);
        return ones ? pointer | field : pointer & ~field;
    }

    private ulong AddPac(ulong pointer, ulong modifier, int key, bool data)
    {
        bool tbi = EffectiveTbi((pointer & (1UL << 55)) != 0, data);
        bool anyTbi = EffectiveTbi(false, data) || EffectiveTbi(true, data);
        bool selected = (pointer & (1UL << (anyTbi ? 55 : 63))) != 0;
        int bottom = BottomPacBit(selected);
        ulong extended = Extend(pointer, bottom, tbi, selected);
        ulong pac = ComputePac(extended, modifier, key);
        ulong field = PacField(bottom, tbi);
        if (PacOnFailure != PacFailure.ErrorCode)
            return ((pointer & ~(1UL << 55)) | (extended & (1UL << 55))) ^ (pac & field);
        ulong extension = pointer & BitField(bottom, tbi ? 55 : 63);
        if (extension != 0 && extension != BitField(bottom, tbi ? 55 : 63))
            pac ^= 1UL << (tbi ? 54 : 62);
        return (extended & ~field) | (pac & field);
    }

    private bool Auth(bool enabled, ulong pointer, ulong modifier, int key, bool data, out ulong result)
    {
        result = pointer;
        if (!enabled)
            return true;
        bool high = (pointer & (1UL << 55)) != 0;
        bool tbi = EffectiveTbi(high, data);
        int bottom = BottomPacBit(high);
        ulong original = Extend(pointer, bottom, tbi, high);
        ulong field = PacField(bottom, tbi);
        ulong pac = ComputePac(original, modifier, key) & field;
        if (PacOnFailure == PacFailure.ErrorCode)
        {
            bool keyB = (key & 1) != 0;
            int at = tbi ? 53 : 61;
            result = (pointer & field) == pac ? original : (original & ~(3UL << at)) | ((keyB ? 2UL : 1UL) << at);
            return true;
        }
        result = pointer ^ pac;
        if (PacOnFailure == PacFailure.Exception && result != original)
        {
            RaiseException(ExceptionClass.PacFail, (data ? 2u : 0) | (uint)(key & 1));
            return false;
        }
        return true;
    }

    /// <summary>Strip: the pointer with its authentication code replaced by the extension of bit 55.</summary>
    public ulong Strip(ulong pointer, bool data)
    {
        bool high = (pointer & (1UL << 55)) != 0;
        return Extend(pointer, BottomPacBit(high), EffectiveTbi(high, data), high);
    }

    /// <summary>ComputePAC with key number 0 to 4 (IA, IB, DA, DB, GA). The IMPLEMENTATION DEFINED algorithm folds data,
    /// modifier and key with the finalizer of MurmurHash3 (two multiplications with xor-shifts), twice.</summary>
    internal ulong ComputePac(ulong data, ulong modifier, int key)
    {
        ulong low = PauthKey[2 * key], high = PauthKey[2 * key + 1];
        if (PacVariant == PacAlgorithm.Qarma5)
            return FindPac(data, modifier, high, low);
        return Mix(Mix(data ^ low) + modifier ^ high);
    }

    private struct KnownPac
    {
        public ulong Data, Modifier, High, Low, Pac;
    }

    // A function's return address is signed and authenticated at the same depth of the stack again and again, and the cipher takes longer
    // than all else that the function does.
    private const int KnownPacs = 4096;

    [NotState("a code that is not there is computed again")]
    private KnownPac[]? _pacs;

    private ulong FindPac(ulong data, ulong modifier, ulong high, ulong low)
    {
        _pacs ??= new KnownPac[KnownPacs];
        ulong hash = (data ^ (modifier << 17) ^ (modifier >> 11)) * 0x9E3779B97F4A7C15;
        ref KnownPac known = ref _pacs[(int)(hash >> 52)];
        // An empty entry has no code.
        if (known.Data == data && known.Modifier == modifier && known.High == high && known.Low == low && known.Pac != 0)
            return known.Pac;
        known = new KnownPac
        {
            Data = data,
            Modifier = modifier,
            High = high,
            Low = low,
            Pac = Qarma.ComputePac(data, modifier, high, low),
        };
        return known.Pac;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCD;
        value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53;
        return value ^ (value >> 33);
    }
}
