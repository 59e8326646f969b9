using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;
using static ArmVdso.Emulator.Timing.Instructions.EncodingFields;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>From the instruction table's class, mnemonic and form to the micro-ops of one encoding on an out-of-order core.</summary>
internal sealed class OutOfOrderTimings(CoreModel model)
{
    private const IssuePorts Accesses = IssuePorts.L0 | IssuePorts.L1 | IssuePorts.L2;
    private readonly Dictionary<string, byte> _forwardGroups = [];

    /// <summary>Ports of the simplest addition, which is what a writeback does.</summary>
    private IssuePorts Simple => model.MicroOpTimings.GetValueOrDefault("alu")?.Ops is [var op, ..]
        ? op.Ports : IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M;

    /// <summary>Works out the static timing of one encoding on this core.</summary>
    /// <exception cref="CoreModelException">The model has no timing for the class.</exception>
    internal OutOfOrderInstruction Time(in InstructionRoles roles)
    {
        uint encoding = roles.Encoding;
        string className = Refine(roles.Class, encoding, true);
        MicroOpTiming timing = FindMicroOps(roles, out string found);
        TimingKind kind = KindOf(className, encoding);
        bool store = className.StartsWith("store", StringComparison.Ordinal);
        bool load = className.StartsWith("load", StringComparison.Ordinal);
        int baseRegister = (int)(encoding >> 5) & 31;
        int offsetRegister = OffsetRegister(className, encoding);
        byte[] sources = [.. roles.Sources];
        byte[] destinations = [.. roles.Destinations];
        var groups = new MicroOpGroup[sources.Length];
        byte[] needs = new byte[sources.Length];
        int latency = timing.Latency ?? 1;
        int lastOffset = timing.Ops is { Length: > 0 } all ? all[^1].Offset : 0;
        uint writebackSources = 0;
        uint accumulators = 0;
        bool writeback = (load || store) && className is not "load_excl" and not "store_excl" && IsWriteback(encoding);
        for (int i = 0; i < sources.Length; i++)
        {
            byte register = sources[i];
            bool address = register < InstructionTiming.V0 && (register == baseRegister || register == offsetRegister);
            if (store && !address)
                groups[i] = MicroOpGroup.Data;
            // What the last of several micro-ops merges into: a lane load, INS from a general register.
            bool merges = load || (roles.Mnemonic == "INS" && className == "simd_mov");
            if (!store && register >= InstructionTiming.V0 && lastOffset > 0 && merges)
                needs[i] = (byte)lastOffset;
            if (writeback && address)
                writebackSources |= 1u << i;
            if (!load && !store && timing.Accumulate > 0 && IsAccumulator(className, encoding, register, destinations))
                accumulators |= 1u << i;
        }
        uint writebackDestinations = 0;
        for (int i = 0; i < destinations.Length; i++)
        {
            if (writeback && destinations[i] == baseRegister)
                writebackDestinations |= 1u << i;
        }
        return new OutOfOrderInstruction
        {
            Class = found,
            Sources = sources,
            SourceGroups = groups,
            Needs = needs,
            WritebackSources = writebackSources,
            AccumulatorSources = accumulators,
            Forward = (byte)(timing.Accumulate ?? 0),
            ForwardGroup = timing.Accumulate > 0 ? ForwardGroup(found) : (byte)0,
            Destinations = destinations,
            WritebackDestinations = writebackDestinations,
            SecondDestination = timing.Second > 0 && IsPair(roles.Encoding)
                ? Array.IndexOf(destinations, (byte)((roles.Encoding >> 10) & 31))
                : -1,
            Second = (byte)(timing.Second ?? 0),
            Latency = (short)latency,
            Ops = Arrange(timing.Ops ?? [], store, writeback),
            AccessPorts = load || store || kind == TimingKind.Memory ? Access(timing.Ops ?? []) : IssuePorts.None,
            Kind = kind,
            Hold = (short)(timing.Hold ?? 0),
            Serialize = (byte)(timing.Serialize ?? 0),
            Slots = (byte)((timing.Slots ?? 1) + (store && writeback ? model.StoreWritebackSlots : 0)),
            View = new InstructionTiming
            {
                Class = className,
                Sources = sources,
                Needs = needs,
                Destinations = destinations,
                Latencies = new short[destinations.Length],
                AddressLatencies = new short[destinations.Length],
                Kind = kind,
                Encoding = encoding,
                Row = roles.Row,
            },
            Vector = (load || store) && (encoding & (1u << 26)) != 0,
            Encoding = encoding,
        };
    }

    private byte ForwardGroup(string name)
    {
        // Forms of one class forward to each other: simd_mla and simd_mla.q.
        int dot = name.IndexOf('.');
        string key = dot < 0 ? name : name[..dot];
        if (!_forwardGroups.TryGetValue(key, out byte group))
            _forwardGroups.Add(key, group = (byte)Math.Min(_forwardGroups.Count + 1, 255));
        return group;
    }

    /// <summary>Gives each micro-op what it waits for, and the cycle in which it issues when the ports are free.</summary>
    private MicroOp[] Arrange(MicroOp[] ops, bool store, bool writeback)
    {
        var arranged = new List<MicroOp>();
        var schedule = new PortSchedule();
        long first = -1;
        foreach (MicroOp op in ops)
        {
            bool data = store && (op.Ports & Accesses) == 0;
            if (data)
            {
                arranged.Add(op with { Group = MicroOpGroup.Data });
                continue;
            }
            long at = schedule.Take(op.Ports, op.Busy, first < 0 ? 0 : first + op.Offset, out _);
            if (first < 0)
                first = at;
            arranged.Add(op with { Natural = (byte)(at - first) });
        }
        if (writeback)
            arranged.Add(new MicroOp(Simple, 1, 0, MicroOpGroup.Writeback, 0));
        return [.. arranged];
    }

    private static IssuePorts Access(MicroOp[] ops) => Array.Find(ops, static op => (op.Ports & Accesses) != 0).Ports;

    /// <summary>The names that time an encoding: class, class.form, mnemonic, mnemonic.form.</summary>
    internal static List<string> NamesOf(in InstructionRoles roles)
    {
        string className = Refine(roles.Class, roles.Encoding, true);
        List<string> forms = InstructionForms.Of(className, roles);
        string mnemonic = roles.Mnemonic;
        return [className, .. forms.Select(f => className + "." + f), mnemonic, .. forms.Select(f => mnemonic + "." + f)];
    }

    /// <summary>The most specific timing, each name replacing what it sets.</summary>
    private MicroOpTiming FindMicroOps(in InstructionRoles roles, out string found)
    {
        List<string> names = NamesOf(roles);
        found = names[0];
        if (!model.MicroOpTimings.TryGetValue(found, out MicroOpTiming? timing))
            throw model.Error("classes", $"no timing for class {found}");
        foreach (string name in names.Skip(1))
        {
            if (model.MicroOpTimings.TryGetValue(name, out MicroOpTiming? more))
            {
                timing = timing.With(more);
                found = name;
            }
        }
        return timing;
    }
}
