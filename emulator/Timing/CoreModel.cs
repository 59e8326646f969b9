using System.Reflection;
using System.Text.Json;

namespace ArmVdso.Emulator.Timing;

/// <summary>A core model file is missing or not well formed; the message is one line and names the file and the key.</summary>
public sealed class CoreModelException(string message) : Exception(message);

/// <summary>The timing of one class of instructions (or of some mnemonics of it), as the model file states it. Null: as the class says.</summary>
public sealed record ClassTiming
{
    /// <summary>Cycles until the result can be used.</summary>
    public int? Latency { get; init; }

    /// <summary>Issue cycles of its own.</summary>
    public int? Beats { get; init; }

    /// <summary>Cycles during which the unit takes no other operation.</summary>
    public int? Busy { get; init; }

    /// <summary>Unit.</summary>
    public Units? Unit { get; init; }

    /// <summary>Executes late when operands are late.</summary>
    public bool? Skewed { get; init; }

    /// <summary>SIMD datapath use: "none", "half", "full", "q" (full when the Q bit is set) or "long" (full unless scalar).</summary>
    public string? Width { get; init; }

    /// <summary>Cycles after issue at which the accumulator (a destination that is also a source, or Ra) is needed.</summary>
    public int? Accumulate { get; init; }

    /// <summary>Cycles after issue at which the flags are needed.</summary>
    public int? FlagsSource { get; init; }

    /// <summary>Cycles after issue at which the first source is needed (the unshifted operand of a shifted ALU operation).</summary>
    public int? FirstSource { get; init; }

    /// <summary>Cycles that it holds the pipeline.</summary>
    public int? Hold { get; init; }

    /// <summary>Latency when the operation is on W registers (bit 31 clear) or on single precision.</summary>
    public int? Latency32 { get; init; }

    /// <summary>Busy cycles for that.</summary>
    public int? Busy32 { get; init; }

    /// <summary>This record with the fields that <paramref name="more"/> sets replaced.</summary>
    public ClassTiming With(ClassTiming more) => new()
    {
        Latency = more.Latency ?? Latency,
        Beats = more.Beats ?? Beats,
        Busy = more.Busy ?? Busy,
        Unit = more.Unit ?? Unit,
        Skewed = more.Skewed ?? Skewed,
        Width = more.Width ?? Width,
        Accumulate = more.Accumulate ?? Accumulate,
        FirstSource = more.FirstSource ?? FirstSource,
        FlagsSource = more.FlagsSource ?? FlagsSource,
        Hold = more.Hold ?? Hold,
        Latency32 = more.Latency32 ?? Latency32,
        Busy32 = more.Busy32 ?? Busy32,
    };
}

/// <summary>One parameter of a core model: its value and what is known about it.</summary>
/// <param name="Key">Name in the file.</param>
/// <param name="Value">Value.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Evidence">measured, documented, model or calibrated.</param>
/// <param name="Range">Range of a calibrated value, or null.</param>
/// <param name="Source">Where it comes from.</param>
public sealed record CoreParameter(string Key, int Value, string Unit, string Evidence, (int Low, int High)? Range, string Source);

/// <summary>What a core model says about a class of instructions, or about some mnemonics or rows apart from their class.</summary>
/// <param name="Names">Class, or the names separated by blanks.</param>
/// <param name="Values">As in the file: "latency 4, width half".</param>
/// <param name="Evidence">measured, documented, model or calibrated.</param>
/// <param name="Range">Range of a calibrated value, or null.</param>
/// <param name="Source">Where it comes from.</param>
public sealed record CoreTiming(string Names, string Values, string Evidence, (int Low, int High)? Range, string Source);

/// <summary>What a core's file says about the software that is to run on it. The emulator hands it on and does not read it.</summary>
/// <param name="Key">Which software, as <c>kernel</c>.</param>
/// <param name="Value">What it is told about the core.</param>
/// <param name="Source">Where that comes from.</param>
public sealed record CoreSoftware(string Key, string Value, string Source);

/// <summary>A core: the parameters of <see cref="InOrderTiming"/>, read from a data file in which each has its evidence and source.</summary>
public sealed partial class CoreModel
{
    private const string Prefix = "cores/";
    private static readonly string[] Evidences = ["measured", "documented", "model", "calibrated"];

    private static readonly string[] ParameterKeys =
    [
        "issue_width", "skewed_alu", "fetch_bytes", "fetch_lead", "taken_bubble", "return_bubble", "indirect_bubble", "branch_target_cache", "mispredict",
        "pattern_history", "history_bits", "indirect_entries", "return_stack", "line_size", "l1i_size", "l1i_ways", "l1d_size",
        "l1d_ways", "l2_size", "l2_ways", "l2_latency", "dram_latency", "fill_buffers", "store_buffer", "transfer", "upgrade", "micro_tlb", "main_tlb",
        "main_tlb_ways", "micro_tlb_miss", "walk", "load_bits", "store_bits", "load_sub_word", "load_to_address", "unaligned_load", "unaligned_load_wide", "writeback",
        "writeback_address", "late_to_address", "branch_resolve", "store_data", "store_data_fp", "store_to_load", "exception_entry", "exception_return", "counter_read", "barrier_drain", "charged_cpi", "clock",
    ];

    // Of these, what only an in-order pipeline has, and what an out-of-order one has besides.
    private static readonly string[] InOrderKeys =
    [
        "issue_width", "skewed_alu", "store_buffer", "load_bits", "store_bits", "load_sub_word", "load_to_address", "writeback", "writeback_address",
        "late_to_address", "branch_resolve", "store_data", "store_data_fp", "store_to_load",
    ];

    // What an in-order pipeline and its memory system have beyond these: CoreModel.InOrder.cs.
    private static readonly string[] OutOfOrderKeys =
    [
        "l3_size", "l3_ways", "l3_latency", "fill_interval", "rename_width", "retire_width", "reorder_buffer", "near_targets", "main_targets", "targets_per_block", "decode_redirect", "decode_redirect_conditional",
        "divide_bits", "store_queue", "store_forward", "store_forward_vector", "store_block", "wide_store_passes", "store_writeback_slots", "store_page_cross",
    ];

    private readonly Dictionary<string, CoreParameter> _parameters = [];
    private readonly List<CoreTiming> _timings = [];
    private readonly Dictionary<string, ClassTiming> _classes = [];
    private readonly Dictionary<string, ClassTiming> _mnemonics = [];

    /// <summary>Name of the core.</summary>
    public string Name { get; private init; } = "";

    /// <summary>One line about it.</summary>
    public string Description { get; private init; } = "";

    /// <summary>What names the file in errors: the name of a built-in core, or a path.</summary>
    public string File { get; private init; } = "";

    /// <summary>The CPU profile (ID registers, features) of such a core: a name of <see cref="CpuProfile.Names"/> or a file. A core file
    /// without the key <c>profile</c> has <see cref="DefaultProfile"/>.</summary>
    public string Profile { get; private init; } = DefaultProfile;

    /// <summary>The profile of a core that names none: everything that is implemented.</summary>
    public const string DefaultProfile = "max";

    /// <summary>What software is told about the core, in the file's order; its readers say what holds when nothing is said.</summary>
    public IReadOnlyList<CoreSoftware> Software { get; private init; } = [];

    /// <summary>Has no pipeline: one cycle an instruction, no caches.</summary>
    public bool IsPlain => ReferenceEquals(this, None);

    /// <summary>Issues out of order: timed by <see cref="OutOfOrderPipeline"/>, not by the in-order one.</summary>
    public bool OutOfOrder { get; private init; }

    /// <summary>All parameters, in the file's order.</summary>
    public IReadOnlyCollection<CoreParameter> Parameters => _parameters.Values;

    /// <summary>The timings of classes and mnemonics, in the file's order.</summary>
    public IReadOnlyList<CoreTiming> Timings => _timings;

    /// <summary>Classes of the instruction table that the file times.</summary>
    public IReadOnlyCollection<string> Classes => OutOfOrder ? [.. _microOps.Keys.Where(k => char.IsLower(k[0]))] : _classes.Keys;

    /// <summary>Mnemonics that the file times apart from their class.</summary>
    public IReadOnlyCollection<string> Mnemonics => OutOfOrder ? [.. _microOps.Keys.Where(k => char.IsUpper(k[0])).Select(k => k.Split('.')[0]).Distinct()] : _mnemonics.Keys;

    internal int SkewedAlu, FetchBytes, FetchLead, TakenBubble, ReturnBubble, IndirectBubble, Mispredict, PatternHistoryEntries, HistoryBits;
    internal int IndirectEntries, ReturnStackEntries, LineSize, L1ISize, L1IWays, L1DSize, L1DWays, L2Size, L2Ways, L2Latency, DramNanoseconds;
    internal int IssueWidth, FillBuffers, StoreBuffer, Transfer, Upgrade, MicroTlb, MainTlb, MainTlbWays, MicroTlbMiss, Walk, LoadBits, StoreBits;
    internal int LoadSubWord, LoadToAddress, UnalignedLoad, UnalignedLoadWide, Writeback, WritebackAddress;
    internal int LateToAddress, BranchResolve, StoreData, StoreDataFp, StoreToLoad;
    internal int ExceptionEntry, ExceptionReturn, CounterRead, BarrierDrain, ChargedCpi;
    internal bool BranchTargetInstructionCache;

    /// <summary>Whether blocks on this core can be timed by looking them up (<see cref="Machine.MemoisedTiming"/>).</summary>
    public bool IsMemoised => !OutOfOrder && !IsPlain;

    /// <summary>Clock that the model's figures assume, in Hz; the default for a machine built of such cores.</summary>
    public ulong ClockFrequency { get; private set; }

    /// <summary>Names of the models that are built in, without "none".</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal) && n.EndsWith(".json", StringComparison.Ordinal))
        .Select(n => n[Prefix.Length..^5])
        .Order(StringComparer.Ordinal)];

    /// <summary>The model "none": one cycle an instruction, no caches. It has no file.</summary>
    public static CoreModel None { get; } = new()
    {
        Name = "none",
        Description = "one cycle an instruction, no caches",
        File = "none",
        ClockFrequency = 1_000_000_000,
    };

    /// <summary>Loads a built-in model by name ("none" too), or a file when the argument has a directory or ends in .json.</summary>
    /// <exception cref="CoreModelException">No such model, or it is not well formed.</exception>
    public static CoreModel Load(string nameOrPath)
    {
        if (nameOrPath.Contains('/') || nameOrPath.EndsWith(".json", StringComparison.Ordinal))
        {
            try
            {
                return Parse(System.IO.File.ReadAllText(nameOrPath), nameOrPath);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CoreModelException($"core model {nameOrPath}: {e.Message}");
            }
        }
        return BuiltIn.GetOrAdd(nameOrPath, LoadBuiltIn);
    }

    // Models do not change once they are read.
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, CoreModel> BuiltIn = new();

    private static CoreModel LoadBuiltIn(string nameOrPath)
    {
        if (nameOrPath == None.Name)
            return None;
        using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{Prefix}{nameOrPath}.json");
        if (stream is null)
            throw new CoreModelException($"core model {nameOrPath}: not built in; known: none, {string.Join(", ", Names)}, or give a .json file");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), nameOrPath);
    }

    /// <summary>Makes the timing models of a machine's PEs: "none" is one cycle an instruction.</summary>
    /// <exception cref="CoreModelException">No such model, or it is not well formed.</exception>
    public static Func<Machine, int, TimingModel> Factory(string nameOrPath)
    {
        CoreModel model = Load(nameOrPath);
        if (model.IsPlain)
            return (_, _) => new TimingModel();
        SharedCaches? shared = null;
        return (machine, index) =>
        {
            if (index == 0 || shared is null)
                shared = new SharedCaches(model);
            return model.OutOfOrder ? new OutOfOrderTiming(model, shared, machine) : new InOrderTiming(model, shared, machine);
        };
    }

    /// <summary>Reads a model from text. <paramref name="file"/> names it in errors.</summary>
    /// <exception cref="CoreModelException">It is not well formed.</exception>
    public static CoreModel Parse(string text, string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        }
        catch (JsonException e)
        {
            throw new CoreModelException($"core model {file}: {e.Message.ReplaceLineEndings(" ")}");
        }
        using (document)
        {
            var reader = new Reader(file);
            JsonElement root = document.RootElement;
            string[] required = ["name", "description", "parameters", "classes", "mnemonics"];
            reader.Keys(root, "", [.. required, "pipeline", "profile", "software"], required);
            string pipeline = root.TryGetProperty("pipeline", out _) ? reader.Text(root, "", "pipeline") : "in-order";
            if (pipeline is not ("in-order" or "out-of-order"))
                throw reader.Error("pipeline", $"{pipeline} is none of in-order, out-of-order");
            bool outOfOrder = pipeline == "out-of-order";
            var model = new CoreModel
            {
                Name = reader.Text(root, "", "name"),
                Description = reader.Text(root, "", "description"),
                File = file,
                Profile = root.TryGetProperty("profile", out _) ? reader.Text(root, "", "profile") : DefaultProfile,
                Software = root.TryGetProperty("software", out _) ? reader.Software(reader.Object(root, "", "software")) : [],
                OutOfOrder = outOfOrder,
            };
            JsonElement parameters = reader.Object(root, "", "parameters");
            string[] keys = outOfOrder ? [.. ParameterKeys.Except(InOrderKeys), .. OutOfOrderKeys] : [.. ParameterKeys, .. MoreInOrderKeys];
            reader.Keys(parameters, "parameters", keys, keys);
            foreach (JsonProperty p in parameters.EnumerateObject())
                model._parameters.Add(p.Name, reader.Parameter(p.Value, "parameters." + p.Name, p.Name));
            foreach (JsonProperty p in reader.Object(root, "", "classes").EnumerateObject())
            {
                model._timings.Add(reader.Explained(p.Name, p.Value, "classes." + p.Name));
                if (outOfOrder)
                    model._microOps.Add(p.Name, reader.MicroOps(p.Value, "classes." + p.Name, false));
                else
                    model._classes.Add(p.Name, reader.Class(p.Value, "classes." + p.Name, false));
            }
            if (root.GetProperty("mnemonics").ValueKind != JsonValueKind.Array)
                throw reader.Error("mnemonics", "expected a list");
            int i = 0;
            foreach (JsonElement entry in root.GetProperty("mnemonics").EnumerateArray())
            {
                string path = $"mnemonics[{i++}]";
                ClassTiming? timing = outOfOrder ? null : reader.Class(entry, path, true);
                MicroOpTiming? microOps = outOfOrder ? reader.MicroOps(entry, path, true) : null;
                model._timings.Add(reader.Explained(reader.Text(entry, path, "names"), entry, path));
                foreach (string name in reader.Text(entry, path, "names").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (timing is null ? !model._microOps.TryAdd(name, microOps!) : !model._mnemonics.TryAdd(name, timing))
                        throw reader.Error(path + ".names", $"{name} occurs twice");
                }
            }
            model.Bind(reader);
            return model;
        }
    }

    /// <summary>What is wrong with a value of this model's file that somebody else reads (<see cref="Profile"/>, <see cref="Software"/>).</summary>
    /// <param name="key">Path of the key, as <c>software.kernel.value</c>.</param>
    /// <param name="what">What is wrong.</param>
    public CoreModelException Error(string key, string what) => ErrorIn(File, key, what);

    private static CoreModelException ErrorIn(string file, string key, string what) => new($"core model {file}: {key}: {what}");

    private int Get(Reader reader, string key, int low, int high)
    {
        int value = _parameters[key].Value;
        if (value < low || value > high)
            throw reader.Error("parameters." + key, $"{value} is not in {low}..{high}");
        return value;
    }

    private void BindLastLevel(Reader reader)
    {
        L3Size = Get(reader, "l3_size", 0, 1 << 28);
        L3Ways = Get(reader, "l3_ways", 1, 64);
        L3Latency = Get(reader, "l3_latency", 0, 1000);
        if (L3Size > 0 && !System.Numerics.BitOperations.IsPow2(L3Size / (L3Ways * LineSize)))
            throw reader.Error("parameters.l3_ways", "the number of sets must be a power of two");
    }

    private void Bind(Reader reader)
    {
        FetchBytes = Get(reader, "fetch_bytes", 4, 32);
        FetchLead = Get(reader, "fetch_lead", 0, 100);
        TakenBubble = Get(reader, "taken_bubble", 0, 20);
        ReturnBubble = Get(reader, "return_bubble", 0, 20);
        IndirectBubble = Get(reader, "indirect_bubble", 0, 20);
        BranchTargetInstructionCache = Get(reader, "branch_target_cache", 0, 1) != 0;
        Mispredict = Get(reader, "mispredict", 0, 100);
        PatternHistoryEntries = Get(reader, "pattern_history", 1, 1 << 20);
        HistoryBits = Get(reader, "history_bits", 0, 20);
        IndirectEntries = Get(reader, "indirect_entries", 1, 1 << 16);
        ReturnStackEntries = Get(reader, "return_stack", 1, 1024);
        LineSize = Get(reader, "line_size", 16, 256);
        if (OutOfOrder)
            BindOutOfOrder(reader);
        else
            BindInOrder(reader);
        L1ISize = Get(reader, "l1i_size", 1024, 1 << 24);
        L1IWays = Get(reader, "l1i_ways", 1, 64);
        L1DSize = Get(reader, "l1d_size", 1024, 1 << 24);
        L1DWays = Get(reader, "l1d_ways", 1, 64);
        L2Size = Get(reader, "l2_size", 1024, 1 << 28);
        L2Ways = Get(reader, "l2_ways", 1, 64);
        L2Latency = Get(reader, "l2_latency", 1, 1000);
        DramNanoseconds = Get(reader, "dram_latency", 1, 10000);
        FillBuffers = Get(reader, "fill_buffers", 1, 64);
        Transfer = Get(reader, "transfer", 0, 1000);
        Upgrade = Get(reader, "upgrade", 0, 1000);
        MicroTlb = Get(reader, "micro_tlb", 1, 1024);
        MainTlb = Get(reader, "main_tlb", 1, 1 << 16);
        MainTlbWays = Get(reader, "main_tlb_ways", 1, 64);
        MicroTlbMiss = Get(reader, "micro_tlb_miss", 0, 1000);
        Walk = Get(reader, "walk", 0, 1000);
        UnalignedLoad = Get(reader, "unaligned_load", 0, 20);
        UnalignedLoadWide = Get(reader, "unaligned_load_wide", 0, 20);
        ExceptionEntry = Get(reader, "exception_entry", 0, 1000);
        ExceptionReturn = Get(reader, "exception_return", 0, 1000);
        CounterRead = Get(reader, "counter_read", 0, 1000);
        BarrierDrain = Get(reader, "barrier_drain", 0, 1);
        ChargedCpi = Get(reader, "charged_cpi", 10, 1000);
        ClockFrequency = (ulong)Get(reader, "clock", 1, 10000) * 1_000_000;
        foreach (string key in (string[])["l1i_size", "l1d_size", "l2_size", "line_size", "fetch_bytes"])
        {
            if (!System.Numerics.BitOperations.IsPow2(_parameters[key].Value))
                throw reader.Error("parameters." + key, "must be a power of two");
        }
        foreach ((int size, int ways, string key) in ((int, int, string)[])[(L1ISize, L1IWays, "l1i_ways"), (L1DSize, L1DWays, "l1d_ways"), (L2Size, L2Ways, "l2_ways")])
        {
            if (!System.Numerics.BitOperations.IsPow2(size / (ways * LineSize)))
                throw reader.Error("parameters." + key, "the number of sets must be a power of two");
        }
        if (MainTlb % MainTlbWays != 0 || !System.Numerics.BitOperations.IsPow2(MainTlb / MainTlbWays))
            throw reader.Error("parameters.main_tlb_ways", "the number of sets must be a power of two");
    }

    /// <summary>The class timing of a class with what the mnemonic adds; a class that the file does not know is an error of ours.</summary>
    /// <exception cref="CoreModelException">The file has no such class.</exception>
    internal ClassTiming Find(string className, string mnemonic, string row)
    {
        if (!_classes.TryGetValue(className, out ClassTiming? timing))
            throw new CoreModelException($"core model {Name}: classes: no timing for class {className}");
        if (_mnemonics.TryGetValue(mnemonic, out ClassTiming? more))
            timing = timing.With(more);
        return row != mnemonic && _mnemonics.TryGetValue(row, out more) ? timing.With(more) : timing;
    }

    private sealed partial class Reader(string file)
    {
        public CoreModelException Error(string key, string what) => ErrorIn(file, key, what);

        public void Keys(JsonElement element, string path, string[] known, string[] required)
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw Error(path.Length == 0 ? "(root)" : path, "expected an object");
            string dot = path.Length == 0 ? "" : path + ".";
            var seen = new HashSet<string>();
            foreach (JsonProperty p in element.EnumerateObject())
            {
                if (!known.Contains(p.Name))
                    throw Error(dot + p.Name, "unknown key");
                if (!seen.Add(p.Name))
                    throw Error(dot + p.Name, "occurs twice");
            }
            foreach (string key in required)
            {
                if (!seen.Contains(key))
                    throw Error(dot + key, "missing");
            }
        }

        public JsonElement Object(JsonElement element, string path, string key)
        {
            JsonElement value = element.GetProperty(key);
            return value.ValueKind == JsonValueKind.Object ? value : throw Error(path + key, "expected an object");
        }

        public string Text(JsonElement element, string path, string key)
        {
            string name = path.Length == 0 ? key : path + "." + key;
            if (!element.TryGetProperty(key, out JsonElement value))
                throw Error(name, "missing");
            return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error(name, "expected a string");
        }

        private int Integer(JsonElement value, string name) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int n) ? n : throw Error(name, "expected an integer");

        private string Evidence(JsonElement element, string path, bool hasRange)
        {
            string evidence = Text(element, path, "evidence");
            if (!Evidences.Contains(evidence))
                throw Error(path + ".evidence", $"{evidence} is none of {string.Join(", ", Evidences)}");
            if (evidence == "calibrated" && !hasRange)
                throw Error(path + ".range", "missing: a calibrated value states its range");
            return evidence;
        }

        private (int Low, int High)? Range(JsonElement element, string path)
        {
            if (!element.TryGetProperty("range", out JsonElement range))
                return null;
            if (range.ValueKind != JsonValueKind.Array || range.GetArrayLength() != 2)
                throw Error(path + ".range", "expected [low, high]");
            return (Integer(range[0], path + ".range"), Integer(range[1], path + ".range"));
        }

        public CoreParameter Parameter(JsonElement element, string path, string key)
        {
            Keys(element, path, ["value", "unit", "evidence", "range", "source"], ["value", "unit", "evidence", "source"]);
            (int Low, int High)? range = Range(element, path);
            int value = Integer(element.GetProperty("value"), path + ".value");
            string evidence = Evidence(element, path, range is not null);
            if (range is { } r && (value < r.Low || value > r.High))
                throw Error(path + ".value", $"{value} is outside its range");
            return new CoreParameter(key, value, Text(element, path, "unit"), evidence, range, Text(element, path, "source"));
        }

        public List<CoreSoftware> Software(JsonElement element)
        {
            var software = new List<CoreSoftware>();
            foreach (JsonProperty p in element.EnumerateObject())
            {
                string path = "software." + p.Name;
                Keys(p.Value, path, ["value", "source"], ["value", "source"]);
                if (software.Exists(s => s.Key == p.Name))
                    throw Error(path, "occurs twice");
                software.Add(new CoreSoftware(p.Name, Text(p.Value, path, "value"), Text(p.Value, path, "source")));
            }
            return software;
        }

        /// <summary>An entry as people read it.</summary>
        public CoreTiming Explained(string names, JsonElement element, string path)
        {
            (int Low, int High)? range = Range(element, path);
            IEnumerable<string> values = element.EnumerateObject()
                .Where(p => p.Name is not ("names" or "evidence" or "range" or "source"))
                .Select(p => $"{p.Name} {p.Value.ToString().ToLowerInvariant()}");
            return new CoreTiming(names, string.Join(", ", values), Evidence(element, path, range is not null), range, Text(element, path, "source"));
        }

        private static readonly string[] ClassKeys =
        [
            "latency", "beats", "busy", "unit", "skewed", "width", "accumulate", "first_source", "flags_source", "hold", "latency32", "busy32", "evidence", "range", "source", "names",
        ];

        public ClassTiming Class(JsonElement element, string path, bool named)
        {
            Keys(element, path, named ? ClassKeys : ClassKeys[..^1], named ? ["names", "evidence", "source"] : ["latency", "evidence", "source"]);
            Evidence(element, path, Range(element, path) is not null);
            Text(element, path, "source");
            int? Number(string key) => element.TryGetProperty(key, out JsonElement v)
                ? Integer(v, path + "." + key) is >= 0 and <= 250 and int n ? n : throw Error(path + "." + key, "not in 0..250") : null;
            Units? unit = null;
            if (element.TryGetProperty("unit", out _))
            {
                unit = Text(element, path, "unit") switch
                {
                    "none" => Units.None,
                    "load_store" => Units.LoadStore,
                    "store" => Units.Store,
                    "compare" => Units.Compare,
                    "multiply" => Units.Multiply,
                    "divide" => Units.Divide,
                    "branch" => Units.Branch,
                    "shifter" => Units.Shifter,
                    "fp_divide" => Units.FpDivide,
                    "simd_single" => Units.SimdSingle,
                    "alone" => Units.Alone,
                    string other => throw Error(path + ".unit", $"no unit {other}"),
                };
            }
            bool? skewed = null;
            if (element.TryGetProperty("skewed", out JsonElement s))
                skewed = s.ValueKind is JsonValueKind.True or JsonValueKind.False ? s.GetBoolean() : throw Error(path + ".skewed", "expected true or false");
            string? width = null;
            if (element.TryGetProperty("width", out _))
            {
                width = Text(element, path, "width");
                if (width is not ("none" or "half" or "full" or "long" or "q"))
                    throw Error(path + ".width", $"{width} is none of none, half, full, long, q");
            }
            return new ClassTiming
            {
                Latency = Number("latency"),
                Beats = Number("beats"),
                Busy = Number("busy"),
                Unit = unit,
                Skewed = skewed,
                Width = width,
                Accumulate = Number("accumulate"),
                FirstSource = Number("first_source"),
                FlagsSource = Number("flags_source"),
                Hold = Number("hold"),
                Latency32 = Number("latency32"),
                Busy32 = Number("busy32"),
            };
        }
    }
}
