using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.MemoryModel;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Lab.Check;

/// <summary>A fault planted in an image or in a writer, to show that check finds such faults. The image's code is changed in
/// the machine's RAM, in all functions alike.</summary>
/// <param name="Name">As --mutant takes it.</param>
/// <param name="Meaning">One line.</param>
/// <param name="Plant">Plants it; how many places it changed.</param>
internal sealed record Mutant(string Name, string Meaning, Func<CheckRig, int> Plant)
{
    private const uint Nop = 0xd503201f;

    /// <summary>Plants it in code that is not a design's; null: the fault is none of the image.</summary>
    internal Func<ICodeWords, int>? PlantInCode { get; private init; }

    private static Mutant OfImage(string name, string meaning, Func<ICodeWords, int> plant) =>
        new(name, meaning, plant) { PlantInCode = plant };

    /// <summary>Designs in which the fault changes no answer, with the reason.</summary>
    internal IReadOnlyDictionary<string, string> Harmless { get; init; } = new Dictionary<string, string>();

    /// <summary>Events that may find it besides those that look for every fault.</summary>
    internal IReadOnlyList<string> Also { get; init; } = [];

    private const string RegisterGuards =
        "every reader that a switch can disturb has left the CPU, and the second look at TPIDRRO_EL0 or, after a return, at the sequence "
        + "rejects it";

    internal static IReadOnlyList<Mutant> All { get; } =
    [
        OfImage("no-first-barrier", "reader: no barrier between the first look at the sequence and the data",
            rig => Barriers(rig, first: true)),
        OfImage("no-second-barrier", "reader: no barrier between the data and the second look at the sequence",
            rig => Barriers(rig, first: false)),
        OfImage("no-odd-check", "reader: an odd sequence is accepted", NoOddCheck),
        OfImage("no-recheck", "reader: no second look at the sequence", NoRecheck),
        OfImage("sequence-after-data", "reader: the first look at the sequence comes after the data", SequenceAfterData),
        OfImage("no-register-recheck", "reader: no second look at TPIDRRO_EL0", NoRegisterRecheck),
        new("writer-no-first-increment", "clock update: the sequence does not become odd", rig => WriterFault(rig, DropFirst)),
        new("writer-early-second-increment", "clock update: the sequence becomes even before the data is written",
            rig => WriterFault(rig, EarlySecond)),
        new("writer-no-barriers", "clock update: no barriers between the sequence and the data",
            rig => WriterFault(rig, s => s.Select(x => x with { Segment = 0 }))),
        new("switch-no-first-increment", "slot update at a switch: the sequence does not become odd",
            SwitchNoFirstIncrement) { Harmless = new Dictionary<string, string> { ["per-cpu-seq"] = RegisterGuards } },
        new("switch-no-barriers", "slot update at a switch: no barriers between the sequence and the data",
            SwitchNoBarriers) { Harmless = new Dictionary<string, string> { ["per-cpu-seq"] = RegisterGuards } },
        new("start-preempted", "execve: preemption stays on during the slot update (--preempt full)", StartPreempted)
        {
            Harmless = new Dictionary<string, string>
            {
                ["per-thread"] = "the slot is the thread's own, and is filled again on the way to the program's first instruction",
                ["rseq"] = "a new program has no area: the register is 0 on each CPU",
            },
        },
        new("timens-stale-generation", "kernel: who enters a time namespace sees the random number generation of that moment for ever",
            rig => rig.Control.CopyRandomPage() ? 1 : 0) { Also = ["timens-reseed"] },
        new("no-fixup", "switch: the PC of an interrupted task is not moved out of the ranges of the image", NoFixup),
    ];

    /// <summary>Plants it.</summary>
    /// <exception cref="LabException">The design has no place for it.</exception>
    internal void MustPlant(CheckRig rig)
    {
        if (Plant(rig) == 0)
            throw new LabException($"design {rig.Design} has no place for the fault {Name}", LabFault.Input);
    }

    /// <summary>The mutant of a name.</summary>
    /// <exception cref="LabException">There is none.</exception>
    internal static Mutant Find(string name) => PlacedFault.IsName(name)
        ? new Mutant(name, "a fault at one place", rig => Planted(PlacedFault.Find(rig, name), rig))
        : All.FirstOrDefault(m => m.Name == name)
        ?? throw new LabException(
            $"mutant: there is no mutant '{name}'; known: {string.Join(' ', All.Select(m => m.Name))}", LabFault.Input);

    private static int Planted(PlacedFault fault, CheckRig rig)
    {
        fault.Plant(rig);
        return 1;
    }

    private static bool IsDmbIshld(uint word) => word == 0xd50339bf;

    /// <summary>Every barrier of the readers, in turn a first one and a second one.</summary>
    private static List<(int First, int Second)> ReaderBarriers(ICodeWords rig)
    {
        int[] at = [.. Enumerable.Range(0, rig.CodeWords).Where(i => IsDmbIshld(rig.CodeWord(i)))];
        return at.Length % 2 != 0
            ? throw new LabException("the image's barriers are not in pairs: no mutant of it can be made", LabFault.Failed)
            : [.. Enumerable.Range(0, at.Length / 2).Select(i => (at[2 * i], at[2 * i + 1]))];
    }

    private static int Barriers(ICodeWords rig, bool first)
    {
        List<(int First, int Second)> pairs = ReaderBarriers(rig);
        foreach ((int one, int two) in pairs)
            rig.SetCodeWord(first ? one : two, Nop);
        return pairs.Count;
    }

    /// <summary>TBNZ Wt, #0 beside the first barrier.</summary>
    private static int NoOddCheck(ICodeWords rig)
    {
        int n = 0;
        foreach ((int first, _) in ReaderBarriers(rig))
        {
            foreach (int at in (int[])[first - 1, first + 1])
            {
                if ((rig.CodeWord(at) & 0xfff80000) != 0x37000000)
                    continue;
                rig.SetCodeWord(at, Nop);
                n++;
                break;
            }
        }
        return n;
    }

    /// <summary>The first CMP of that kind behind an instruction, within so many: the conditional branch after it goes as if
    /// what was compared were equal.</summary>
    private static int Equal(ICodeWords rig, int from, int within, uint compare)
    {
        for (int at = from + 2; at < Math.Min(from + 1 + within, rig.CodeWords); at++)
        {
            if ((rig.CodeWord(at - 1) & 0xffe0fc1f) != compare || (rig.CodeWord(at) & 0xff00001e) != 0x54000000)
                continue;
            uint branch = rig.CodeWord(at);
            int offset = (int)(branch << 8) >> 13;
            rig.SetCodeWord(at, (branch & 1) != 0 ? Nop : 0x14000000u | ((uint)offset & 0x03ffffff));
            return 1;
        }
        return 0;
    }

    // CMP Wn, Wm and CMP Xn, Xm: SUBS with the zero register as destination.
    private static int NoRecheck(ICodeWords rig) => ReaderBarriers(rig).Sum(b => Equal(rig, b.Second, 7, 0x6b00001f));

    /// <summary>MRS Xt, TPIDRRO_EL0 with a CMP directly behind it.</summary>
    private static int NoRegisterRecheck(ICodeWords rig) =>
        Enumerable.Range(0, rig.CodeWords).Where(i => (rig.CodeWord(i) & 0xffffffe0) == 0xd53bd060).Sum(i => Equal(rig, i, 2, 0xeb00001f));

    /// <summary>The second barrier becomes another load of the sequence into the register of the first one.</summary>
    private static int SequenceAfterData(ICodeWords rig)
    {
        int n = 0;
        foreach ((int first, int second) in ReaderBarriers(rig))
        {
            for (int at = first - 1; at >= first - 2; at--)
            {
                uint load = rig.CodeWord(at);
                if ((load & 0xff000000) == 0x18000000)
                {
                    int words = (int)(load << 8) >> 13;
                    rig.SetCodeWord(second, 0x18000000u | (((uint)(words + at - second) & 0x7ffff) << 5) | (load & 31));
                }
                else if ((load & 0xffc00000) == 0xb9400000)
                {
                    rig.SetCodeWord(second, load);
                }
                else
                {
                    continue;
                }
                n++;
                break;
            }
        }
        return n;
    }

    private static int WriterFault(CheckRig rig, Func<IReadOnlyList<HeldStore>, IEnumerable<HeldStore>> fault)
    {
        rig.WriterFault = fault;
        return 1;
    }

    private static bool IsSequence(IReadOnlyList<HeldStore> stores, HeldStore store) => stores.Count(s => s.Pa == store.Pa) == 2;

    private static IEnumerable<HeldStore> DropFirst(IReadOnlyList<HeldStore> stores) =>
        stores.Where((s, i) => !IsSequence(stores, s) || stores.Take(i).Any(t => t.Pa == s.Pa));

    private static List<HeldStore> EarlySecond(IReadOnlyList<HeldStore> stores)
    {
        var result = new List<HeldStore>();
        for (int i = 0; i < stores.Count; i++)
        {
            HeldStore s = stores[i];
            bool second = IsSequence(stores, s) && stores.Take(i).Any(t => t.Pa == s.Pa);
            if (second)
                continue;
            result.Add(s);
            if (IsSequence(stores, s))
                result.Add(stores.Skip(i + 1).First(t => t.Pa == s.Pa) with { Segment = s.Segment });
        }
        return result;
    }

    /// <summary>The instructions of the design's EL1 update function that satisfy a condition.</summary>
    private static List<ulong> UpdateCode(CheckRig rig, Func<uint, bool> wanted)
    {
        var found = new List<ulong>();
        if (rig.Kernel.El1.Find("vdso_update") is not { } function)
            return found;
        const uint ret = 0xd65f03c0;
        for (ulong at = function; rig.Kernel.El1.InstructionAt(at) is var word and not (0 or ret); at += 4)
        {
            if (wanted(word))
                found.Add(at);
        }
        return found;
    }

    private static int SwitchNoFirstIncrement(CheckRig rig)
    {
        long seq = rig.Kernel.Vdso.Image!.LayoutOr("vdso_per_cpu_data.seq", -1);
        if (seq < 0)
            return 0;
        // STR Wt, [Xn, #seq]
        List<ulong> stores = UpdateCode(rig, w => (w & 0xfffffc00) == (0xb9000000 | (uint)(seq / 4) << 10));
        if (stores.Count < 2)
            return 0;
        rig.Control.PatchEl1(stores[0], Nop);
        return 1;
    }

    /// <summary>The kernel's table of ranges is empty.</summary>
    private static int NoFixup(CheckRig rig)
    {
        if (rig.Kernel.Vdso.Image!.FixupRanges.Count == 0)
            return 0;
        ulong table = (ulong)El1Symbol.vdso_fixup_table;
        rig.Control.PatchEl1(table + 16, 0);
        return 1;
    }

    private static int StartPreempted(CheckRig rig)
    {
        if (!rig.Settings.KernelConfiguration.Preempt || rig.Faulty is not { GuardsStart: true })
            return 0;
        rig.Control.UnguardStart();
        return 1;
    }

    private static bool IsStoreBarrier(uint word) =>
        InstructionOrder.Of(Decoder.Decode(word), word).Barrier is BarrierOrder.Stores or BarrierOrder.Full;

    private static int SwitchNoBarriers(CheckRig rig)
    {
        List<ulong> barriers = UpdateCode(rig, IsStoreBarrier);
        foreach (ulong at in barriers)
            rig.Control.PatchEl1(at, Nop);
        return barriers.Count;
    }
}
