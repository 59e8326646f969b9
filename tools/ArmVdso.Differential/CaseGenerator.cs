using System.Runtime.InteropServices;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Differential;

/// <summary>Makes instruction words of a row and states to run them from.</summary>
public static class CaseGenerator
{
    private const int Attempts = 4000;

    /// <summary>Initial contents of the two zones of the window; the same in every case.</summary>
    public static byte[] Template { get; } = MakeTemplate();

    private static byte[] MakeTemplate()
    {
        var random = new SplitMix64(3);
        var words = new ulong[OracleLayout.ZoneBytes / 8];
        foreach (ref ulong word in words.AsSpan())
            word = random.OneIn(2) ? Values.General(ref random) : Values.Vector(ref random);
        return MemoryMarshal.AsBytes(words.AsSpan()).ToArray();
    }

    /// <summary>Chooses the words of a slot.</summary>
    /// <returns>False when no encoding was found that belongs to the row and is not excluded.</returns>
    public static bool ChooseWords(Slot slot, QemuExceptions exceptions)
    {
        var random = new SplitMix64(slot.Seed);
        TableRow row = slot.Row;
        slot.Memory = IsMemory(row);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            uint word = RandomWord(row, ref random);
            slot.Before = 0;
            if (row.Class == "store_excl" && random.OneIn(2))
                slot.Before = LoadExclusiveFor(word);
            if (row.IsLiteral && !random.OneIn(4))
            {
                long distance = (long)(RandomTarget(ref random) & ~3UL) - (long)slot.PC;
                word = row.Field("imm19")!.Value.Set(word, (uint)(distance >> 2));
            }
            if (Decoder.Decode(word) != row.Row || IsUnpredictable(row, word) || !TargetIsFree(row, word, slot)
                || exceptions.Skips(row, word))
                continue;
            slot.Word = word;
            // A store-exclusive that must fail: qemu does not look at its address, the architecture lets a PE do either.
            slot.AlignedOnly = (row.Class == "store_excl" && slot.Before == 0) || (exceptions.Find(row, word) & Ignore.Misaligned) != 0;
            return true;
        }
        return false;
    }

    private static bool IsMemory(TableRow row) => row.IsMemory || (row.Class == "tag" && row.Field("rt") is not null);

    private static uint RandomWord(TableRow row, ref SplitMix64 random)
    {
        uint word = row.Value | ((uint)random.Next() & ~row.Mask);
        foreach (Field f in row.Fields)
        {
            uint choice = random.Below(16);
            if (f.Width == 5 && f.Name[0] == 'r')
            {
                if (choice < 2)
                    word = f.Set(word, 31);
                else if (choice < 4)
                    word = f.Set(word, row.Fields[(int)random.Below((uint)row.Fields.Length)].Get(word));
            }
            else if (f.Width >= 4)
            {
                if (choice < 2)
                    word = f.Set(word, 0);
                else if (choice == 2)
                    word = f.Set(word, uint.MaxValue);
                else if (choice < 6)
                    word = f.Set(word, random.Below(16));
            }
        }
        if (row.Name is "MRS" or "MSR_reg" && !random.OneIn(4))
        {
            // NZCV, FPCR, FPSR
            uint which = random.Below(3);
            word = (word & ~0x000FFFE0u) | (which switch { 0 => 0x5A10u, 1 => 0x5A20u, _ => 0x5A21u } << 5);
        }
        return word;
    }

    private static uint LoadExclusiveFor(uint store)
    {
        uint rn = (store >> 5) & 31;
        uint rt = rn == 28 ? 27u : 28u;
        uint rt2 = rn == 29 ? 26u : 29u;
        uint second = ((store >> 21) & 1) != 0 ? rt2 : 31u;
        return (store & ~((31u << 16) | (31u << 10) | 31u)) | (1u << 22) | (31u << 16) | (second << 10) | rt;
    }

    /// <summary>Register combinations that the Arm ARM makes CONSTRAINED UNPREDICTABLE (DDI0487, K1.2): each side may choose.</summary>
    private static bool IsUnpredictable(TableRow row, uint word)
    {
        if (!row.IsMemory || row.Field("rn") is not Field fn)
            return false;
        uint rn = fn.Get(word);
        uint rt = row.Field("rt")?.Get(word) ?? 32;
        uint rt2 = row.Field("rt2")?.Get(word) ?? 32;
        uint rs = row.Field("rs")?.Get(word) ?? 32;
        if (row.Writeback && row.GeneralData && rn != 31 && (rt == rn || rt2 == rn))
            return true;
        if (row.Class is "load_pair" or "load_excl" or "load_fp" && rt2 == rt)
            return true;
        return row.Class == "store_excl" && (rs == rt || rs == rt2 || (rs == rn && rn != 31));
    }

    private static bool TargetIsFree(TableRow row, uint word, Slot slot)
    {
        if (!row.IsBranch)
            return true;
        long offset;
        if (row.Field("imm26") is Field f26)
            offset = ((long)(int)(f26.Get(word) << 6) >> 6) * 4;
        else if (row.Field("imm19") is Field f19)
            offset = ((long)(int)(f19.Get(word) << 13) >> 13) * 4;
        else if (row.Field("imm14") is Field f14)
            offset = ((long)(int)(f14.Get(word) << 18) >> 18) * 4;
        else
            return true;
        ulong target = slot.PC + (ulong)offset;
        if (target - OracleLayout.ProgramVa < OracleLayout.ProgramBytes)
            return false;
        // Inside the code area only the filler between slots ends the case.
        return target - OracleLayout.CodeVa >= OracleLayout.CodeBytes || target % OracleLayout.SlotBytes >= 32;
    }

    private static ulong RandomTarget(ref SplitMix64 random)
    {
        const ulong middle = OracleLayout.WindowVa + 0x1000, end = OracleLayout.WindowVa + OracleLayout.WindowBytes;
        return random.Below(20) switch
        {
            < 11 => middle + 16 * (ulong)random.Below(40) - 320,
            < 14 => middle + random.Below(512) - 256,
            < 16 => middle - random.Below(64),
            < 18 => end - random.Below(72),
            18 => end + random.Below(32),
            // Wholly unmapped: what of a store that begins there reaches memory is left open, and no zone would be restored.
            _ => OracleLayout.WindowVa - 96 - random.Below(32),
        };
    }

    /// <summary>Fills state number <paramref name="number"/> of a slot.</summary>
    public static void FillState(Slot slot, int number, Span<ulong> state, EmulatedMachine machine, Span<ulong> scratch)
    {
        var random = new SplitMix64(slot.Seed ^ ((ulong)(number + 1) << 32) * 0xD6E8FEB86659FD93);
        _ = random.Next();
        for (int i = 0; i < 32; i++)
            state[i] = Values.General(ref random);
        for (int i = StateWord.V; i < StateWord.Nzcv; i++)
            state[i] = Values.Vector(ref random);
        ulong r = random.Next();
        state[StateWord.Nzcv] = (r & 15) << 28;
        state[StateWord.Fpcr] = (r & 16) != 0 ? 0 : (uint)(r >> 32) & 0x07C80000 & ((r & 32) != 0 ? 0x00C00000u : uint.MaxValue);
        state[StateWord.Fpsr] = (r & 0x40) != 0 ? 0 : (uint)(r >> 32) & OutcomeComparer.FpsrMask;
        state[StateWord.PC] = slot.Va;
        state[StateWord.Flags] = slot.Memory ? 1u : 0;
        state[StateWord.Signal] = state[StateWord.Code] = state[StateWord.Fault] = 0;
        if (slot.Row.IsBranch && slot.Row.Field("rn") is Field fr)
            PlaceBranchTarget(fr.Get(slot.Word), state, ref random);
        if (slot.Memory && slot.Row.Field("rn") is Field fn)
            PlaceBase(slot, fn.Get(slot.Word), state, machine, scratch, ref random);
    }

    private static void PlaceBranchTarget(uint rn, Span<ulong> state, ref SplitMix64 random)
    {
        if (rn == 31)
            return;
        // Misaligned ones only where memory is mapped: else qemu reports the unmapped page, the architecture the alignment
        // (DDI0487, D1.3.5.5, priority of synchronous exceptions).
        state[(int)rn] = random.Below(4) switch
        {
            0 => OracleLayout.CodeVa + (ulong)random.Below(OracleLayout.MaxSlots) * OracleLayout.SlotBytes + 32
                + 4 * (ulong)random.Below(8),
            1 => OracleLayout.CodeVa + (ulong)random.Below(OracleLayout.MaxSlots) * OracleLayout.SlotBytes + 32 + random.Below(28),
            2 => OracleLayout.WindowVa + OracleLayout.WindowBytes + 4 * random.Below(16),
            _ => state[(int)rn] & ~3UL,
        };
    }

    /// <summary>Puts the base register where the access falls on a chosen target. The distance from base to access (offset,
    /// index) is learnt from a trial on our side; should that be wrong, the oracle will touch another address and tell.</summary>
    private static void PlaceBase(
        Slot slot, uint rn, Span<ulong> state, EmulatedMachine machine, Span<ulong> scratch, ref SplitMix64 random)
    {
        // Unmapped, at no round distance from the window: the trial ends in a fault, whose address tells.
        const ulong trial = OracleLayout.WindowVa + 0x13_579A_0000;
        ulong target = slot.AlignedOnly ? OracleLayout.WindowVa + 0x1000 + 16 * (ulong)random.Below(40) - 320 : RandomTarget(ref random);
        if (slot.Row.Field("rm") is Field fm && fm.Get(slot.Word) is var rm && rm != 31 && rm != rn && random.OneIn(2))
            state[(int)rm] = (ulong)((long)random.Below(64) - 32);
        state[(int)rn] = trial;
        machine.Run(state, slot.Words, scratch);
        ulong delta = machine.FirstAddress is ulong first ? first - trial : 0;
        state[(int)rn] = target - delta;
        if (slot.Row.Name.StartsWith("CAS", StringComparison.Ordinal) && slot.Row.Field("rs") is Field fs && !random.OneIn(3))
            ExpectMemory(slot, (int)fs.Get(slot.Word), (int)rn, target, state, ref random);
        if (random.OneIn(16))
            state[(int)rn] ^= random.Next() << 56;
    }

    /// <summary>Makes a compare-and-swap's expected value that of memory.</summary>
    private static void ExpectMemory(Slot slot, int rs, int rn, ulong target, Span<ulong> state, ref SplitMix64 random)
    {
        ulong offset = target - (OracleLayout.WindowVa + OracleLayout.ZoneA);
        if (rs >= 30 || rs == rn || rs + 1 == rn || offset > OracleLayout.ZoneABytes - 16)
            return;
        ulong low = BitConverter.ToUInt64(Template, (int)offset);
        ulong high = BitConverter.ToUInt64(Template, (int)offset + 8);
        bool pairOfWords = slot.Row.Name.StartsWith("CASP", StringComparison.Ordinal) && random.OneIn(2);
        (state[rs], state[rs + 1]) = pairOfWords ? (low & uint.MaxValue, low >> 32) : (low, high);
    }

    /// <summary>Puts the template into the zones.</summary>
    public static void RestoreZones(Span<byte> window)
    {
        Template.AsSpan(0, OracleLayout.ZoneABytes).CopyTo(window[OracleLayout.ZoneA..]);
        Template.AsSpan(OracleLayout.ZoneABytes).CopyTo(window[OracleLayout.ZoneB..]);
    }
}
