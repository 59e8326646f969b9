namespace ArmVdso.Emulator.Timing;

/// <summary>The timing of one class of instructions on an out-of-order core, as the model file states it. Null: as the less specific
/// entry says.</summary>
public sealed record MicroOpTiming
{
    /// <summary>Cycles from the issue of the first micro-op to the result.</summary>
    public int? Latency { get; init; }

    /// <summary>Micro-ops.</summary>
    public MicroOp[]? Ops { get; init; }

    /// <summary>Cycles by which an accumulator may be late when the same class produced it.</summary>
    public int? Accumulate { get; init; }

    /// <summary>Cycles by which it delays what follows.</summary>
    public int? Hold { get; init; }

    /// <summary>Rename slots that it takes.</summary>
    public int? Slots { get; init; }

    /// <summary>As <see cref="OutOfOrderInstruction.Serialize"/>.</summary>
    public int? Serialize { get; init; }

    /// <summary>This record with the fields that <paramref name="more"/> sets replaced.</summary>
    public MicroOpTiming With(MicroOpTiming more) => new()
    {
        Latency = more.Latency ?? Latency,
        Ops = more.Ops ?? Ops,
        Accumulate = more.Accumulate ?? Accumulate,
        Hold = more.Hold ?? Hold,
        Slots = more.Slots ?? Slots,
        Serialize = more.Serialize ?? Serialize,
    };
}

/// <summary>Out-of-order cores: from the instruction table's class, mnemonic and form to micro-ops.</summary>
public sealed partial class CoreModel
{
    private readonly Dictionary<string, MicroOpTiming> _microOps = [];
    private readonly Dictionary<string, byte> _forwardGroups = [];

    internal int L3Size, L3Ways = 1, L3Latency;
    internal int RenameWidth, RetireWidth, ReorderBuffer, NearTargets, MainTargets, TargetsPerBlock, DecodeRedirect, DecodeRedirectConditional;
    internal int FillInterval, DivideBits, StoreQueueEntries, StoreForward, StoreForwardVector, StoreBlock, WideStorePasses, StoreWritebackSlots, StorePageCross;

    private void BindOutOfOrder(Reader reader)
    {
        BindLastLevel(reader);
        RenameWidth = Get(reader, "rename_width", 1, 16);
        RetireWidth = Get(reader, "retire_width", 1, 16);
        ReorderBuffer = Get(reader, "reorder_buffer", 8, 1024);
        NearTargets = Get(reader, "near_targets", 1, 256);
        MainTargets = Get(reader, "main_targets", 16, 1 << 16);
        TargetsPerBlock = Get(reader, "targets_per_block", 1, 8);
        DecodeRedirect = Get(reader, "decode_redirect", 0, 50);
        DecodeRedirectConditional = Get(reader, "decode_redirect_conditional", 0, 50);
        FillInterval = Get(reader, "fill_interval", 1, 60);
        DivideBits = Get(reader, "divide_bits", 1, 64);
        StoreQueueEntries = Get(reader, "store_queue", 1, 256);
        StoreForward = Get(reader, "store_forward", 1, 50);
        StoreForwardVector = Get(reader, "store_forward_vector", 1, 50);
        StoreBlock = Get(reader, "store_block", 1, 50);
        WideStorePasses = Get(reader, "wide_store_passes", 1, 50);
        StoreWritebackSlots = Get(reader, "store_writeback_slots", 0, 3);
        StorePageCross = Get(reader, "store_page_cross", 0, 100);
        if (MainTargets % TargetsPerBlock != 0 || !System.Numerics.BitOperations.IsPow2(MainTargets / TargetsPerBlock))
            throw reader.Error("parameters.targets_per_block", "the number of sets must be a power of two");
    }

    private sealed partial class Reader
    {
        private static readonly string[] MicroOpKeys = ["latency", "uops", "accumulate", "hold", "slots", "serialize", "evidence", "range", "source", "names"];

        public MicroOpTiming MicroOps(System.Text.Json.JsonElement element, string path, bool named)
        {
            Keys(element, path, named ? MicroOpKeys : MicroOpKeys[..^1], named ? ["names", "evidence", "source"] : ["evidence", "source"]);
            Evidence(element, path, Range(element, path) is not null);
            Text(element, path, "source");
            int? Number(string key, int high) => element.TryGetProperty(key, out System.Text.Json.JsonElement v)
                ? Integer(v, path + "." + key) is int n && n >= 0 && n <= high ? n : throw Error(path + "." + key, $"not in 0..{high}") : null;
            MicroOp[]? ops = null;
            if (element.TryGetProperty("uops", out _))
            {
                string text = Text(element, path, "uops");
                ops = MicroOp.Parse(text) ?? throw Error(path + ".uops", $"{text}: not of the form PORT[*COUNT][:BUSY][@OFFSET] ...");
            }
            return new MicroOpTiming
            {
                Latency = Number("latency", 250),
                Ops = ops,
                Accumulate = Number("accumulate", 60),
                Hold = Number("hold", 1000),
                Slots = Number("slots", 4),
                Serialize = Number("serialize", 2),
            };
        }
    }

    /// <summary>Works out the static timing of one encoding on this core.</summary>
    /// <exception cref="CoreModelException">The model has no timing for the class.</exception>
    public OutOfOrderInstruction TimeOutOfOrder(in InstructionRoles roles)
    {
        uint encoding = roles.Encoding;
        string className = Refine(roles.Class, encoding);
        MicroOpTiming timing = FindMicroOps(className, roles, out string found);
        TimingKind kind = KindOf(className, encoding);
        bool store = className.StartsWith("store", StringComparison.Ordinal);
        bool load = className.StartsWith("load", StringComparison.Ordinal);
        int baseRegister = (int)(encoding >> 5) & 31;
        int offsetRegister = (encoding & 0x3B200C00) == 0x38200800 || className is "load_simd" or "store_simd" ? (int)(encoding >> 16) & 31 : -1;
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
            if (!store && register >= InstructionTiming.V0 && lastOffset > 0 && (load || (roles.Mnemonic == "INS" && className == "simd_mov")))
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
            Latency = (short)latency,
            Ops = Arrange(timing.Ops ?? [], store, writeback),
            Kind = kind,
            Hold = (short)(timing.Hold ?? 0),
            Serialize = (byte)(timing.Serialize ?? 0),
            Slots = (byte)((timing.Slots ?? 1) + (store && writeback ? StoreWritebackSlots : 0)),
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
    private static MicroOp[] Arrange(MicroOp[] ops, bool store, bool writeback)
    {
        var arranged = new List<MicroOp>();
        var schedule = new PortSchedule();
        long first = -1;
        foreach (MicroOp op in ops)
        {
            bool data = store && (op.Ports & (IssuePorts.L0 | IssuePorts.L1)) == 0;
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
            arranged.Add(new MicroOp(IssuePorts.S0 | IssuePorts.S1 | IssuePorts.M, 1, 0, MicroOpGroup.Writeback, 0));
        return [.. arranged];
    }

    /// <summary>The most specific timing: class, class.form, mnemonic, mnemonic.form, each replacing what it sets.</summary>
    private MicroOpTiming FindMicroOps(string className, in InstructionRoles roles, out string found)
    {
        if (!_microOps.TryGetValue(className, out MicroOpTiming? timing))
            throw new CoreModelException($"core model {Name}: classes: no timing for class {className}");
        found = className;
        List<string> forms = InstructionForms.Of(className, roles);
        foreach (string form in forms)
        {
            if (_microOps.TryGetValue(className + "." + form, out MicroOpTiming? more))
            {
                timing = timing.With(more);
                found = className + "." + form;
            }
        }
        if (_microOps.TryGetValue(roles.Mnemonic, out MicroOpTiming? own))
        {
            timing = timing.With(own);
            found = roles.Mnemonic;
        }
        foreach (string form in forms)
        {
            if (_microOps.TryGetValue(roles.Mnemonic + "." + form, out MicroOpTiming? more))
            {
                timing = timing.With(more);
                found = roles.Mnemonic + "." + form;
            }
        }
        return timing;
    }
}
