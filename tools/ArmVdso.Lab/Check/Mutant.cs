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

    /// <summary>The functions that the fault is about.</summary>
    internal Func<CheckedFunction, bool> Concerns { get; private init; } = static _ => true;

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
            rig => Barriers(rig, look => look.First)),
        OfImage("no-second-barrier", "reader: no barrier between the data and the second look at the sequence",
            rig => Barriers(rig, look => look.Second)),
        OfImage("no-odd-check", "reader: an odd sequence is accepted", NoOddCheck),
        OfImage("no-recheck", "reader: no second look at the sequence", NoRecheck),
        OfImage("sequence-after-data", "reader: the first look at the sequence comes after the data", SequenceAfterData),
        OfImage("no-register-recheck", "reader: no second look at TPIDRRO_EL0", NoRegisterRecheck),
        OfClocks("writer-no-first-increment", "clock update: the sequence does not become odd", DropFirst),
        OfClocks("writer-early-second-increment", "clock update: the sequence becomes even before the data is written", EarlySecond),
        OfClocks("writer-no-barriers", "clock update: no barriers between the sequence and the data",
            s => s.Select(x => x with { Segment = 0 })),
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
            rig => rig.Control.CopyRandomPage() ? 1 : 0) { Also = ["timens-reseed"], Concerns = f => f.Kind == AnswerKind.Random },
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

    private static int Barriers(ICodeWords rig, Func<SecondLook, int> which)
    {
        List<SecondLook> looks = SecondLook.Of(rig);
        foreach (SecondLook look in looks)
            rig.SetCodeWord(which(look), Nop);
        return looks.Count;
    }

    private static int NoOddCheck(ICodeWords rig) =>
        SecondLook.Of(rig).Count(look => look.OddCheck is { } check && SecondLook.Equalize(rig, check));

    private static int NoRecheck(ICodeWords rig) => SecondLook.Of(rig).Count(look => SecondLook.Equalize(rig, look.Branch));

    private static int NoRegisterRecheck(ICodeWords rig) => SecondLook.OfRegister(rig).Count(branch => SecondLook.Equalize(rig, branch));

    /// <summary>The second barrier becomes the first look.</summary>
    private static int SequenceAfterData(ICodeWords rig)
    {
        List<SecondLook> looks = SecondLook.Of(rig);
        foreach (SecondLook look in looks)
        {
            uint load = rig.CodeWord(look.Load);
            rig.SetCodeWord(look.Second, PcRelative.IsLiteralLoad(load)
                ? PcRelative.WithLiteralOffset(load, PcRelative.LiteralOffset(load) - 4 * (look.Second - look.Load))
                : load);
        }
        return looks.Count;
    }

    private static Mutant OfClocks(string name, string meaning, Func<IReadOnlyList<HeldStore>, IEnumerable<HeldStore>> fault) =>
        new(name, meaning, rig => WriterFault(rig, fault)) { Concerns = f => f.IsTime };

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
        for (ulong at = function; rig.Kernel.El1.FunctionAt(at) is "vdso_update"; at += 4)
        {
            uint word = rig.Kernel.El1.InstructionAt(at);
            if (wanted(word))
                found.Add(at);
            if (Decoder.Decode(word) == Row.RET)
                break;
        }
        return found;
    }

    /// <summary>What a store of a word adds to its base register; null: it is none.</summary>
    private static long? StoreOffset(uint word) => Decoder.Decode(word) switch
    {
        Row.STR_imm when word >> 30 == 2 => (word >> 10 & 0xfff) * sizeof(uint),
        Row.STUR when word >> 30 == 2 => (int)(word << 11) >> 23,
        _ => null,
    };

    private static int SwitchNoFirstIncrement(CheckRig rig)
    {
        long seq = rig.Kernel.Vdso.Image!.LayoutOr("vdso_per_cpu_data.seq", -1);
        if (seq < 0)
            return 0;
        List<ulong> stores = UpdateCode(rig, w => StoreOffset(w) == seq);
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
