using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>A fault at one place of a design, named by the symbol that it is in: an instruction of the image that is removed, or a store of
/// EL1 code or of the clock update that goes wrong. "__kernel_getpid+0x8:removed", "vdso_update+0x1c:dropped",
/// "clock store 3:delayed", "hook IdMapsChanged:dropped".</summary>
/// <param name="Place">Symbol and offset.</param>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Text">The instruction, or what is stored.</param>
internal abstract partial record PlacedFault(string Place, string Kind, string Text)
{
    private const uint Nop = 0xd503201f;

    /// <summary>The name that --mutant takes.</summary>
    internal string Name => $"{Place}:{Kind}";

    /// <summary>How often the place was executed since the fault was planted, where that is counted; and how often it then changed
    /// anything.</summary>
    internal virtual (long Executed, long Changed)? Effect => null;

    /// <summary>Plants it.</summary>
    internal abstract void Plant(CheckRig rig);

    /// <summary>Takes it away again.</summary>
    internal abstract void Remove(CheckRig rig);

    /// <summary>Whether a name has the form of one.</summary>
    internal static bool IsName(string name) => Form().IsMatch(name);

    /// <summary>The fault of a name.</summary>
    /// <exception cref="LabException">There is no such place in the design.</exception>
    internal static PlacedFault Find(CheckRig rig, string name)
    {
        Match m = Form().Match(name);
        string place = m.Groups["place"].Value, kind = m.Groups["kind"].Value;
        if (m.Groups["store"].Success)
            return new ClockStoreFault(int.Parse(m.Groups["store"].Value, CultureInfo.InvariantCulture), kind, "");
        if (m.Groups["hook"].Success)
        {
            return FaultyDesign.Hooks.Contains(m.Groups["hook"].Value) && kind != "removed"
                ? new HookPlacedFault(m.Groups["hook"].Value, kind, "")
                : throw new LabException($"mutant: there is no {place}; hooks: {string.Join(' ', FaultyDesign.Hooks)}", LabFault.Input);
        }
        string symbol = m.Groups["symbol"].Value;
        ulong offset = ulong.Parse(m.Groups["offset"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (rig.Kernel.Vdso.Image!.Symbols.TryGetValue(symbol, out ulong at) && kind == "removed")
            return Removed(rig, (int)((at + offset) / 4));
        return rig.Kernel.El1.Find(symbol) is { } address
            ? AtEl1(rig, address + offset, kind)
            : throw new LabException($"mutant: '{place}' is no place in the image of {rig.Design} or in EL1 code", LabFault.Input);
    }

    /// <summary>Makes an instruction of an image that is no design's a NOP.</summary>
    /// <param name="name">Symbol and offset, as of a fault.</param>
    /// <param name="find">Offset of a symbol in the image; null: there is none.</param>
    /// <param name="code">The image's code.</param>
    /// <returns>How many places were changed.</returns>
    internal static int Remove(string name, Func<string, ulong?> find, ICodeWords code)
    {
        Match m = Form().Match(name);
        if (m.Groups["kind"].Value != "removed" || find(m.Groups["symbol"].Value) is not { } at)
            return 0;
        ulong word = (at + ulong.Parse(m.Groups["offset"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)) / 4;
        if (word >= (ulong)code.CodeWords)
            return 0;
        code.SetCodeWord((int)word, Nop);
        return 1;
    }

    /// <summary>An instruction of the image becomes a NOP.</summary>
    internal static PlacedFault Removed(CheckRig rig, int word)
    {
        uint instruction = rig.CodeWord(word);
        ulong offset = (ulong)word * 4;
        return new ImageFault(ImagePlace(rig, offset), Disassembler.Disassemble(instruction, offset), word, instruction);
    }

    /// <summary>A store of EL1 code goes wrong, or a barrier of it becomes a NOP.</summary>
    internal static PlacedFault AtEl1(CheckRig rig, ulong pc, string kind)
    {
        uint instruction = rig.Kernel.El1.InstructionAt(pc);
        string name = rig.Kernel.El1.FunctionAt(pc) ?? "?";
        string place = $"{name}+0x{pc - (rig.Kernel.El1.Find(name) ?? pc):x}", text = Disassembler.Disassemble(instruction, pc);
        return kind == "removed" ? new El1InstructionFault(place, text, pc, instruction) : new El1StoreFault(place, kind, text, pc);
    }

    /// <summary>Kinds of faults of stores.</summary>
    internal static IEnumerable<string> StoreKinds => Enum.GetNames<StoreFaultKind>().Select(n => n.ToLowerInvariant());

    private static StoreFaultKind KindOf(string kind) => Enum.Parse<StoreFaultKind>(kind, true);

    /// <summary>An offset of the image as the exported symbol before it and the rest.</summary>
    internal static string ImagePlace(CheckRig rig, ulong offset)
    {
        (string name, ulong at) = rig.Kernel.Vdso.Image!.Symbols.Where(s => s.Value <= offset).OrderBy(s => s.Value)
            .ThenBy(s => s.Key, StringComparer.Ordinal).Select(s => (s.Key, s.Value)).LastOrDefault(("[vdso]", 0UL));
        return $"{name}+0x{offset - at:x}";
    }

    [GeneratedRegex(
        @"^(?<place>(?<symbol>\w+)\+0x(?<offset>[0-9a-f]+)|clock store (?<store>\d+)|hook (?<hook>\w+)):"
        + "(?<kind>removed|dropped|delayed|misdirected|doubled)$")]
    private static partial Regex Form();

    private sealed record ImageFault(string Place, string Text, int Word, uint Instruction) : PlacedFault(Place, "removed", Text)
    {
        internal override void Plant(CheckRig rig) => rig.SetCodeWord(Word, Nop);

        internal override void Remove(CheckRig rig) => rig.SetCodeWord(Word, Instruction);
    }

    private sealed record El1InstructionFault(string Place, string Text, ulong Pc, uint Instruction) : PlacedFault(Place, "removed", Text)
    {
        internal override void Plant(CheckRig rig) => rig.Control.PatchEl1(Pc, Nop);

        internal override void Remove(CheckRig rig) => rig.Control.PatchEl1(Pc, Instruction);
    }

    private sealed record El1StoreFault(string Place, string Kind, string Text, ulong Pc) : PlacedFault(Place, Kind, Text)
    {
        private StoreFault? _fault;

        internal override (long Executed, long Changed)? Effect => _fault is null ? null : (_fault.Executed, _fault.Changed);

        internal override void Plant(CheckRig rig) => rig.Probe = _fault = new StoreFault(rig, Pc, KindOf(Kind));

        internal override void Remove(CheckRig rig) => rig.Probe = null;
    }

    /// <summary>A store of the clock update, which the kernel model makes.</summary>
    internal sealed record ClockStoreFault(int Store, string Kind, string Text) : PlacedFault($"clock store {Store}", Kind, Text)
    {
        private long _executed, _changed;

        internal override (long Executed, long Changed)? Effect => (_executed, _changed);

        internal override void Plant(CheckRig rig) => rig.WriterFault = stores => Spoil(rig, stores);

        internal override void Remove(CheckRig rig) => rig.WriterFault = stores => stores;

        private List<HeldStore> Spoil(CheckRig rig, IReadOnlyList<HeldStore> stores)
        {
            List<HeldStore> spoilt = [.. stores];
            if (Store >= stores.Count)
                return spoilt;
            HeldStore store = stores[Store];
            _executed++;
            Span<byte> there = rig.Machine.Memory.Span(store.Pa, store.Size);
            if (!there.SequenceEqual(BitConverter.GetBytes(store.Value).AsSpan(0, store.Size)))
                _changed++;
            int last = stores[^1].Segment;
            switch (KindOf(Kind))
            {
                case StoreFaultKind.Dropped:
                    spoilt.RemoveAt(Store);
                    break;
                case StoreFaultKind.Delayed:
                    spoilt.RemoveAt(Store);
                    spoilt.Add(store with { Segment = last });
                    break;
                case StoreFaultKind.Misdirected:
                    spoilt[Store] = store with { Pa = store.Pa ^ 8 };
                    break;
                case StoreFaultKind.Doubled:
                    spoilt.Add(store with { Segment = last });
                    break;
            }
            return spoilt;
        }
    }
}
