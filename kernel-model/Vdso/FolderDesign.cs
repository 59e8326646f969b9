using System.Globalization;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>A design of a folder, one of ours (El1/designs) or somebody's: a file that says what it is, an image, the layout of its data,
/// and hooks that are A64 code at EL1 (docs/own-design.md). What the model does by itself is what the file says: pages, slots, ranges; all
/// else is the hooks'.</summary>
public sealed class FolderDesign : VdsoDesign
{
    private readonly DesignFile _file;
    private readonly Func<VdsoImage> _load;
    private readonly HookModule? _module;
    private readonly VvarPlan _plan;
    private readonly WritablePage _writable;
    private PrivateSlots? _private;
    private FixupRanges? _ranges;

    private FolderDesign(DesignFile file, Func<VdsoImage> load, HookModule? module, VvarPlan plan, WritablePage writable = WritablePage.No)
    {
        _plan = plan;
        _file = file;
        _load = load;
        _module = module;
        _writable = writable;
    }

    /// <summary>The design's file.</summary>
    public DesignFile File => _file;

    /// <summary>Whether image and hooks are those of another design, to the byte.</summary>
    public bool IsCopyOf(FolderDesign other) =>
        _load().Bytes.AsSpan().SequenceEqual(other._load().Bytes)
        && (_module?.Parts ?? []).Select(p => Convert.ToBase64String(p.Bytes))
            .SequenceEqual((other._module?.Parts ?? []).Select(p => Convert.ToBase64String(p.Bytes)));

    /// <summary>Names of the hooks that the design has.</summary>
    public IReadOnlyList<string> HookNames =>
        [.. (_module?.Functions ?? []).Where(n => n.StartsWith("vdso_", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>One of our own designs, compiled into this assembly.</summary>
    /// <param name="name">One of <see cref="VdsoDesigns.WithImage"/>.</param>
    /// <param name="fixes">Defects to mend.</param>
    /// <param name="writable">Whether a process may write its slots, and what the kernel makes of that.</param>
    /// <exception cref="ArgumentException">There is no such defect.</exception>
    public static FolderDesign OfOurs(string name, IReadOnlyList<string> fixes, WritablePage writable = WritablePage.No)
    {
        byte[] text = VdsoImage.Resource($"designs/{name}/{DesignFile.FileName}");
        var file = DesignFile.OfOurs(name, System.Text.Encoding.ASCII.GetString(text));
        file.Mend(fixes);
        HookModule hooks = HookModule.Parse(VdsoImage.Resource($"el1/hooks-{name}.elf")).With(file.Fixed);
        return new FolderDesign(file, () => VdsoImage.Load(name), hooks, new VvarPlan(true, null, false), writable);
    }

    /// <summary>The design of a folder, as 'armvdso vdso build' left it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="fixes">Defects to mend beside those that its file names.</param>
    /// <exception cref="ArgumentException">It cannot be used; the message says which file, line and field.</exception>
    public static FolderDesign Open(string folder, params IReadOnlyList<string> fixes)
    {
        DesignFile file = DesignFile.Read(folder);
        file.Mend(fixes);
        CheckBuilt(file);
        string imagePath = file.Image.Length > 0 ? file.Image : $"{DesignFile.Built}/vdso.so";
        byte[] bytes = Load(file, imagePath);
        VdsoObject image;
        try
        {
            image = VdsoObject.Parse(bytes);
        }
        catch (Exception e) when (e is VdsoImageException or OverflowException)
        {
            throw new ArgumentException($"{Path.Join(file.Folder, imagePath)}: {e.Message}", e);
        }
        if (!image.Symbols.ContainsKey("__kernel_rt_sigreturn"))
            throw new ArgumentException($"{Path.Join(file.Folder, imagePath)}: it has no __kernel_rt_sigreturn, where handlers return to");
        foreach (OwnFunction function in file.Functions)
        {
            if (!image.Symbols.ContainsKey(function.Symbol))
                throw new ArgumentException($"{file.Path}:{function.Line}: {function.Symbol}: the image has no such function");
        }
        if (file.Ranges != RangePolicy.None && image.Fixups.Count is 0 or > FixupRanges.Most)
        {
            throw file.Error(
                "ranges", $"the image has {image.Fixups.Count} ranges in .vdso_fixup; the kernel takes 1 to {FixupRanges.Most}");
        }
        Dictionary<string, long> layout = ReadLayout(file);
        HookModule? module = file.Hooks.Count == 0 ? null : ReadHooks(file);
        if (module is not null && !module.Symbols.ContainsKey("vdso_update")
            && module.Functions.FirstOrDefault(f => f is "vdso_leave" or "vdso_switch" or "vdso_start" or "vdso_refresh") is { } alone)
            throw file.Error("hooks", $"they have {alone}, which is on the way of a switch, and no vdso_update");
        foreach (OwnFunction function in file.Functions.Where(f => f.Answer == OwnAnswer.Invariant))
        {
            string[] wanted = function.ChangesMemory
                ? [function.Invariant, .. OwnFunction.OfMemory.Select(s => function.Invariant + s)]
                : [function.Invariant];
            if (Array.Find(wanted, w => module is null || !module.Functions.Contains(w)) is { } missing)
                throw new ArgumentException($"{file.Path}:{function.Line}: {function.Symbol}: the hooks have no '{missing}'");
        }
        return new FolderDesign(file, () => VdsoImage.OfFolder(file.Name, bytes, image, layout), module, MakePlan(file, image, bytes));
    }

    private static byte[] Load(DesignFile file, string name)
    {
        string path = Path.Join(file.Folder, name);
        try
        {
            return System.IO.File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArgumentException($"{path}: not there; 'armvdso vdso build {file.Folder}' makes it", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>What is built is of the files that are there.</summary>
    private static void CheckBuilt(DesignFile file)
    {
        string[] then = System.Text.Encoding.UTF8.GetString(Load(file, $"{DesignFile.Built}/{DesignFile.Sums}")).Split('\n');
        string[] now;
        try
        {
            now = file.SumOfFiles().Split('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException(e.Message, e);
        }
        if (now.Except(then).Concat(then.Except(now)).FirstOrDefault(l => l.Length > 66) is { } changed)
        {
            throw new ArgumentException(
                $"{Path.Join(file.Folder, changed[66..])}: it is not as it was built; 'armvdso vdso build {file.Folder}' builds it anew");
        }
    }

    private static Dictionary<string, long> ReadLayout(DesignFile file)
    {
        string name = $"{DesignFile.Built}/layout.tsv";
        var layout = new Dictionary<string, long>();
        int number = 0;
        foreach (string line in System.Text.Encoding.ASCII.GetString(Load(file, name)).Split('\n'))
        {
            number++;
            string[] parts = line.Split('\t');
            if (line.Length == 0)
                continue;
            if (parts.Length != 2 || !long.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
                || value is < -(1 << 30) or > 1 << 30)
                throw new ArgumentException($"{Path.Join(file.Folder, name)}:{number}: '{line}' is not NAME and NUMBER");
            layout[parts[0]] = value;
        }
        file.CheckLayout(layout, Path.Join(file.Folder, name));
        return layout;
    }

    private static HookModule ReadHooks(DesignFile file)
    {
        string name = $"{DesignFile.Built}/hooks.elf";
        try
        {
            return HookModule.Parse(Load(file, name)).With(file.Fixed);
        }
        catch (VdsoImageException e)
        {
            throw new ArgumentException($"{Path.Join(file.Folder, name)}: {e.Message}", e);
        }
    }

    private static VvarPlan MakePlan(DesignFile file, VdsoObject image, byte[] bytes)
    {
        if (file.Clock == "data")
            return new VvarPlan(true, null, false);
        if (file.Clock != "auto")
            return new VvarPlan(false, file.Clock == "none" ? null : VvarLayout.Find(file.Clock), file.ClockAbove);
        try
        {
            return new VvarPlan(false, VvarLayout.Probe(image, bytes), file.ClockAbove);
        }
        catch (VdsoImageException e)
        {
            throw file.Error("clock", e.Message.Replace(VvarLayout.NameOne, "; name a layout instead of auto"));
        }
    }

    /// <inheritdoc/>
    public override string Name => _file.Name;

    /// <inheritdoc/>
    public override string Description => _file.Description;

    /// <inheritdoc/>
    public override string RegisterMeaning => _file.Register;

    /// <inheritdoc/>
    public override VdsoImage? LoadImage() => _load();

    /// <inheritdoc/>
    public override VdsoLeaves Leaves => _file.Leaves;

    /// <inheritdoc/>
    public override bool RestoresRegister => _file.Reload && _module is not null;

    /// <inheritdoc/>
    public override bool GuardsStart => _file.Guard;

    /// <inheritdoc/>
    public override bool LandingPads => _file.LandingPads;

    /// <inheritdoc/>
    public override IReadOnlyList<OwnFunction> OwnFunctions => _file.Functions;

    /// <inheritdoc/>
    public override int MostCpus => !HasCpuSlots ? int.MaxValue
        : Math.Min(HasOpenSlots ? int.MaxValue : SlotCount, (int)Math.Min(int.MaxValue, MostByOffset));

    /// <summary>Slots that the register's bits for an offset lead to.</summary>
    private long MostByOffset => _file.OffsetBits > 31 ? int.MaxValue : ((1L << _file.OffsetBits) - 1 - FirstSlot) / SlotSize + 1;

    internal override VvarPlan? Plan => _plan;

    private bool HasCpuSlots => _file.CpuSlots.Length > 0;

    /// <summary>Slots of CPUs are the last of the data, and as many as a count says: the layout holds for any count.</summary>
    private bool HasOpenSlots => _file.CpuCount.Length > 0;

    private int SlotCount => (int)Mapping.Image!.Layout("nr_cpus");

    private long FirstSlot => Mapping.Image!.Layout("vdso_vsys_data.cpu_data");

    private long SlotSize => Mapping.Image!.Layout("vdso_per_cpu_data.size");

    private HookCalls? Calls => Mapping.Hooks;

    internal override void Attach(VdsoMapping mapping)
    {
        base.Attach(mapping);
        if (HasCpuSlots && Math.Min(MostCpus, SlotCount) is var most && mapping.Machine.Cpus.Count > most)
        {
            throw new IOException(
                $"{_file.Path}:{_file.LineOf("cpu-slots")}: cpu-slots: there are {most} for {mapping.Machine.Cpus.Count} CPUs");
        }
        if (_file.PrivateType.Length > 0)
            _private = new PrivateSlots(mapping, _writable != WritablePage.No, _file.ProcessData.Length > 0);
        if (_file.Ranges != RangePolicy.None)
            _ranges = new FixupRanges(mapping, _file.Ranges == RangePolicy.Restart);
        if (_module is not null)
        {
            mapping.Hooks = new HookCalls(
                mapping.Machine, mapping.Clock, mapping.Pages, mapping.Tasks, _module, mapping.CpuRecords, RefreshLater);
        }
    }

    /// <summary>Also a task that does not run is filled in again when it does: slots of threads are not filled at each switch.</summary>
    private void RefreshLater(KernelTask task)
    {
        if (_private is not null)
            Records.SetFlag(task, TaskFlag.Vdso, true);
        RefreshBeforeUser(task);
    }

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        foreach (HookModule.Part part in _module?.Parts ?? [])
            el1.LoadModule(Pages, part.Address, part.Bytes, part.Writable);
        foreach (string name in _module?.Functions ?? [])
            el1.AddSymbol(name, _module!.Symbols[name]);
        if (!Has("vdso_update"))
        {
            base.PatchEl1(el1, machine);
            return;
        }
        foreach ((PatchSite site, string hook) in (ReadOnlySpan<(PatchSite, string)>)
            [(PatchSite.vdso_switch_call, "vdso_switch"), (PatchSite.vdso_start_call, "vdso_start"),
                (PatchSite.vdso_refresh_call, "vdso_refresh")])
            el1.PatchCall(machine, site, Function(hook, Function("vdso_update", 0)));
        _ranges?.PatchEl1(el1, machine);
        if (TrustsRequests)
        {
            El1Symbol check = _writable == WritablePage.TakenOnce ? El1Symbol.vdso_request_once : El1Symbol.vdso_request_twice;
            el1.PatchCall(machine, PatchSite.vdso_request_key, check);
        }
        if (Function("vdso_leave", 0) == 0)
            return;
        // The way into vdso_leave ends with a branch to what the site called before.
        ulong end = _module!.Symbols["__vdso_leave_end"];
        ulong then = (ulong)(_ranges is null ? El1Symbol.vdso_switch_thread : El1Symbol.vdso_switch_fixup);
        el1.WriteModule(end, 0x14000000u | El1Image.Displacement(end, then));
        el1.PatchCall(machine, PatchSite.vdso_switch_site, _module.Symbols["__vdso_leave"]);
    }

    private ulong Function(string name, ulong other) => _module!.Symbols.GetValueOrDefault(name, other);

    internal override void KeepRegister(El1Image el1, Machine machine)
    {
        if (_module is null)
            return;
        // A function in C leaves the CPU's record in no register.
        foreach (PatchSite site in PatchSites.RegisterSaves)
        {
            if (site != PatchSite.vdso_flush_save)
                el1.PatchCall(machine, site, _module.Symbols["__vdso_keep_register"]);
        }
        el1.Patch(machine, PatchSite.vdso_flush_save, 0xF9000041u | CpuRecord.VdsoRegister / 8 << 10);
    }

    /// <inheritdoc/>
    public override ulong RegisterOf(int cpu) =>
        HasCpuSlots ? (ulong)(FirstSlot + cpu * SlotSize) : 0;

    /// <inheritdoc/>
    public override ulong SlotPa(int cpu) => HasCpuSlots ? Mapping.SharedDataPages[0] + RegisterOf(cpu) : 0;

    /// <inheritdoc/>
    public override ulong SlotPa(KernelTask task) => _private?.SlotPa(task) ?? base.SlotPa(task);

    /// <inheritdoc/>
    public override VdsoPages ComputedPages(int cpus, int threads)
    {
        VdsoPages pages = base.ComputedPages(cpus, threads);
        if (HasOpenSlots)
        {
            long page = PhysicalMemory.PageSize, here = (FirstSlot + SlotCount * SlotSize + page - 1) / page;
            return pages with { Shared = (int)(pages.Shared - here + (FirstSlot + cpus * SlotSize + page - 1) / page) };
        }
        return _private is null ? pages : pages with { PerProcess = _private.PagesOf(threads) };
    }

    internal override ulong NodePa(int cpu)
    {
        if (_file.CpuNodes.Length == 0)
            return 0;
        long at = Mapping.Image!.Layout("vdso_nodes.first") + cpu * Mapping.Image.Layout("vdso_nodes.stride");
        return at >= 0 && at + sizeof(int) <= Mapping.SharedDataPages.Length * PhysicalMemory.PageSize
            ? Mapping.SharedDataPages[at / PhysicalMemory.PageSize] + (ulong)(at % PhysicalMemory.PageSize)
            : throw new IOException($"{_file.Path}:{_file.LineOf("cpu-nodes")}: cpu-nodes: CPU {cpu} has none in the data");
    }

    /// <inheritdoc/>
    public override int ProcessPagesInUse => _private?.PagesInUse ?? 0;

    internal override bool Does(string hook) => hook switch
    {
        nameof(MappingMoved) => _private is not null || MovesPcs || Has("vdso_mapping_moved"),
        nameof(SystemCallEntered) => TrustsRequests,
        nameof(TaskCreated) => true,
        nameof(ProgramStarted) => _private is not null || MovesPcs || Has("vdso_program_started"),
        nameof(TaskExited) => _private is not null || Has("vdso_task_exited"),
        nameof(CredentialsChanged) => Has("vdso_credentials_changed"),
        nameof(IdMapsChanged) => Has("vdso_id_maps_changed") || Has("vdso_word_changed"),
        nameof(FieldChanged) => Has("vdso_word_changed"),
        nameof(NamespaceEntered) => true,
        nameof(RseqChanged) => Has("vdso_rseq_changed"),
        nameof(BeforeSignalFrame) => _ranges is not null || Has("vdso_signal_frame"),
        nameof(BeforeSignals) => Has("vdso_signal_pending"),
        nameof(CpuOffline) => Has("vdso_cpu_offline"),
        _ => false,
    };

    /// <summary>Whether the kernel takes a thread's file system user out of its slot.</summary>
    private bool TrustsRequests => _writable is WritablePage.CheckedThenUsed or WritablePage.TakenOnce;

    /// <summary>Whether it asks where an interrupted task's image is.</summary>
    private bool MovesPcs => _ranges is not null || Has("vdso_leave") || Has("vdso_signal_frame") || Has("vdso_signal_pending");

    private bool Has(string hook) => _module?.Symbols.ContainsKey(hook) ?? false;

    private static ulong Record(KernelTask? task) => task is null || task.RecordPa == 0 ? 0 : El1Image.Linear(task.RecordPa);

    /// <summary>The record of the CPU that runs a task; 0: it does not run, or is just being switched away.</summary>
    private ulong CpuOf(KernelTask task) =>
        task.OnCpu && ReferenceEquals(Scheduler.Current(task.Cpu), task) ? Calls!.RecordOf(task.Cpu) : 0;

    private void Call(string hook, KernelTask task, ulong third = 0, ulong fourth = 0)
    {
        if (Calls is { } calls && Record(task) is not 0 and var record)
            calls.Call(hook, task, record, CpuOf(task), third, fourth);
    }

    internal override ulong[] DataPagesFor(MemoryMap memory, ulong address) =>
        _private?.DataPagesFor(memory, address) ?? base.DataPagesFor(memory, address);

    internal override void MapFurther(MemoryMap memory) =>
        _private?.MapFurther(memory, (changed, to) => MappingMoved(changed, VdsoPart.Further, to));

    /// <summary>The kernel believes what EL1 code took out of the page.</summary>
    internal override void SystemCallEntered(KernelTask task)
    {
        if (!TrustsRequests || !_private!.Has(task))
            return;
        uint granted = Records.VdsoRequest(task);
        if (granted != task.Credentials.Fsuid)
            task.Credentials = task.Credentials with { Fsuid = granted };
    }

    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address)
    {
        _private?.Moved(memory, part, address, RefreshLater);
        // Where the image is gone, what a process maps at its old place is the process' own affair: no PC in it is moved.
        foreach (KernelTask task in part == VdsoPart.Image ? Mapping.TasksOf(memory) : [])
            Records.SetVdsoBase(task, address);
        if (!Has("vdso_mapping_moved"))
            return;
        foreach (KernelTask task in Mapping.TasksOf(memory).ToList())
            Call("vdso_mapping_moved", task, (ulong)part, address);
    }

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
        _private?.Created(task, parent);
        Records.SetVdsoBase(task, Mapping.ImageAddress(task.Mm));
        Call("vdso_task_created", task, Record(parent));
        RseqChanged(task);
    }

    internal override void ProgramStarted(KernelTask task)
    {
        _private?.Restarted(task);
        Records.SetVdsoBase(task, Mapping.ImageAddress(task.Mm));
        Call("vdso_program_started", task);
        RseqChanged(task);
    }

    internal override void TaskExited(KernelTask task)
    {
        Call("vdso_task_exited", task);
        _private?.Give(task);
    }

    internal override void CredentialsChanged(KernelTask task)
    {
        if (_writable != WritablePage.No)
            Records.SetVdsoRequest(task, task.Credentials.Fsuid);
        Call("vdso_credentials_changed", task);
    }

    internal override void IdMapsChanged(KernelTask task)
    {
        if (Has("vdso_id_maps_changed"))
            Call("vdso_id_maps_changed", task);
        else
            base.IdMapsChanged(task);
    }

    internal override void FieldChanged(KernelTask task, VdsoField field) => Call("vdso_word_changed", task, (ulong)field);

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        Call("vdso_namespace_entered", task);
    }

    internal override void RseqChanged(KernelTask task) => Call("vdso_rseq_changed", task, task.Rseq);

    internal override void BeforeSignalFrame(KernelTask task, UserRegisters registers)
    {
        _ranges?.BeforeSignalFrame(task, registers);
        Call("vdso_signal_frame", task, RegistersOf(task));
    }

    internal override void BeforeSignals(KernelTask task) => Call("vdso_signal_pending", task, RegistersOf(task));

    private static ulong RegistersOf(KernelTask task) =>
        El1Image.Linear(task.StackPa + TaskRecords.StackSize - PtRegs.FrameSize);

    internal override void CpuOffline(int cpu) => Calls?.Call("vdso_cpu_offline", null, Calls.RecordOf(cpu));
}
