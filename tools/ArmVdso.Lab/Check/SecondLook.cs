using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.MemoryModel;

namespace ArmVdso.Lab.Check;

/// <summary>A place in an image where a function looks at a word for the second time and begins anew when it has changed. It is found by
/// what the instructions do with their registers, whichever compiler has made them: behind a barrier of loads a word is loaded, and a
/// branch compares it with a register that was loaded before the barrier ahead of this one.</summary>
/// <param name="Load">The first look.</param>
/// <param name="OddCheck">The branch that depends on the first look alone; null: there is none.</param>
/// <param name="First">The barrier behind the first look.</param>
/// <param name="Second">The barrier before the second look.</param>
/// <param name="Branch">The branch that compares the two.</param>
internal sealed record SecondLook(int Load, int? OddCheck, int First, int Second, int Branch)
{
    private const uint Nop = 0xd503201f, Branches = 0x14000000;

    /// <summary>A second look, a compare and its branch are near each other.</summary>
    private const int Reach = 16;

    /// <summary>All of an image.</summary>
    internal static List<SecondLook> Of(ICodeWords code)
    {
        var found = new List<SecondLook>();
        int last = -1;
        for (int at = 0; at < code.CodeWords; at++)
        {
            if (Order(code, at).Barrier is not (BarrierOrder.Loads or BarrierOrder.Full))
                continue;
            if (last >= 0 && Between(code, last, at) is { } look)
                found.Add(look);
            last = at;
        }
        return found;
    }

    /// <summary>Branches that compare TPIDRRO_EL0, read just before, with what was in a register.</summary>
    internal static List<int> OfRegister(ICodeWords code) => [
        .. Enumerable.Range(0, code.CodeWords).Where(at => ReadsRegister(code.CodeWord(at)))
            .Select(at => Decision(code, at)).Where(d => d is { Other: not 0 }).Select(d => d!.Value.At).Distinct()];

    /// <summary>Has a branch go as if what it tests were zero, or what was compared equal.</summary>
    /// <returns>Whether it is a branch of that kind.</returns>
    internal static bool Equalize(ICodeWords code, int at)
    {
        uint word = code.CodeWord(at);
        Row row = Decoder.Decode(word);
        bool? taken = row switch
        {
            Row.CBZ or Row.TBZ => true,
            Row.CBNZ or Row.TBNZ => false,
            Row.B_cond => (word & 15) switch { 0 => true, 1 => false, _ => null },
            _ => null,
        };
        if (taken is null)
            return false;
        code.SetCodeWord(at, taken.Value ? Branches | ((uint)(Target(code, at) - at) & 0x03ffffff) : Nop);
        return true;
    }

    private static SecondLook? Between(ICodeWords code, int first, int second)
    {
        foreach (int at in From(code, second + 1))
        {
            if (!IsLoad(code, at) || Decision(code, at) is not { Other: not 0 } compare)
                continue;
            int load = second - 1;
            while (load >= 0 && (Order(code, load).WritesGeneral & compare.Other) == 0)
                load--;
            if (load < 0 || load >= first || !IsLoad(code, load))
                continue;
            (int At, uint Other)? odd = Decision(code, load);
            return new SecondLook(load, odd is { Other: 0 } check ? check.At : null, first, second, compare.At);
        }
        return null;
    }

    /// <summary>What may be executed from a place on before another barrier, whichever way branches go; the shortest ways first.</summary>
    private static HashSet<int> From(ICodeWords code, int start)
    {
        HashSet<int> seen = [];
        List<int> now = [start];
        for (int i = 0; i < Reach; i++)
        {
            List<int> next = [];
            foreach (int at in now.Where(at => at >= 0 && at < code.CodeWords && Order(code, at).Barrier == BarrierOrder.None))
            {
                if (!seen.Add(at))
                    continue;
                TimingClass what = RowInfo.Class(Decoder.Decode(code.CodeWord(at)));
                if (what is TimingClass.BranchCond or TimingClass.BranchCmp or TimingClass.Branch)
                    next.Add(Target(code, at));
                if (what is TimingClass.BranchCond or TimingClass.BranchCmp || !IsBranch(code, at))
                    next.Add(at + 1);
            }
            now = next;
        }
        return seen;
    }

    /// <summary>Where a direct branch goes.</summary>
    private static int Target(ICodeWords code, int at)
    {
        uint word = code.CodeWord(at);
        RowField offset = RowInfo.Fields(Decoder.Decode(word)).Single(f => f.Name.StartsWith("imm", StringComparison.Ordinal));
        return at + ((int)(word << (32 - offset.Lsb - offset.Width)) >> (32 - offset.Width));
    }

    /// <summary>The next branch straight on that depends on what an instruction leaves in its registers, and the registers that are
    /// compared with it; null: what comes next depends on other things.</summary>
    private static (int At, uint Other)? Decision(ICodeWords code, int from)
    {
        uint value = Order(code, from).WritesGeneral, other = 0;
        bool flags = false;
        for (int at = from + 1; at < Math.Min(from + Reach, code.CodeWords) && (value != 0 || flags); at++)
        {
            InstructionOrder order = Order(code, at);
            bool depends = (order.ReadsGeneral & value) != 0 || (order.ReadsFlags && flags);
            if (IsBranch(code, at))
                return depends ? (at, other) : null;
            // A word that is loaded from an address is another value than the address.
            depends &= order.Address == 0;
            if (depends)
                other |= order.ReadsGeneral & ~value;
            value = depends ? value | order.WritesGeneral : value & ~order.WritesGeneral;
            if (order.WritesFlags)
                flags = depends;
        }
        return null;
    }

    private static InstructionOrder Order(ICodeWords code, int at)
    {
        uint word = code.CodeWord(at);
        return InstructionOrder.Of(Decoder.Decode(word), word);
    }

    private static bool IsBranch(ICodeWords code, int at) => RowInfo.Flow(Decoder.Decode(code.CodeWord(at))) == Flow.Branch;

    private static bool IsLoad(ICodeWords code, int at) => RowInfo.Class(Decoder.Decode(code.CodeWord(at)))
        is TimingClass.Load or TimingClass.LoadLiteral or TimingClass.LoadPair or TimingClass.LoadAcquire;

    // The register is the encoding's op0 to op2 (DDI0487, D24.2.142).
    private static bool ReadsRegister(uint word) => Decoder.Decode(word) == Row.MRS && (word & 0x000fffe0) == 0x000bd060;
}
