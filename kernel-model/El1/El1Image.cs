using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.El1;

/// <summary>The EL1 part in A64 code: its image, in RAM and patched. What it shares with the model is in El1Layout.g.cs, which
/// El1/build.sh makes.</summary>
public sealed class El1Image
{
    /// <summary>Kernel address of physical address 0 (the linear map).</summary>
    public const ulong LinearBase = 0xffff_0000_0000_0000;

    private readonly SortedList<ulong, string> _symbols = [];
    private readonly ulong _pa;
    private readonly Machine _machine;
    private readonly AddressSpace _space;

    private El1Image(ulong pa, Machine machine, AddressSpace space)
    {
        _pa = pa;
        _machine = machine;
        _space = space;
        // Of two names of an address the later one is told: vectors, not _text.
        foreach (string name in Enum.GetNames<El1Symbol>().Order(StringComparer.Ordinal))
            _symbols[(ulong)Enum.Parse<El1Symbol>(name)] = name;
    }

    /// <summary>Address of the function or data of a name that a person has typed or a trace has found; null: there is none.</summary>
    public static ulong? AddressOf(string name) =>
        Array.IndexOf(Enum.GetNames<El1Symbol>(), name) >= 0 ? (ulong)Enum.Parse<El1Symbol>(name) : null;

    /// <summary>Kernel address of a physical address.</summary>
    public static ulong Linear(ulong pa) => LinearBase + pa;

    /// <summary>Physical address of a linear kernel address.</summary>
    public static ulong Physical(ulong va) => va - LinearBase;

    private static byte[] Bytes()
    {
        using Stream stream = typeof(El1Image).Assembly.GetManifestResourceStream("el1/el1.bin")
            ?? throw new FileNotFoundException("embedded resource el1/el1.bin is missing");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>Copies the image into RAM and maps it and the linear map into the kernel's space: code and constants read-execute,
    /// data read-write. The trampoline's pages are mapped once more in both spaces, above everything; while EL0 runs under KPTI,
    /// <paramref name="trampolineSpace"/> is all that is left of the kernel.</summary>
    public static El1Image Load(Machine machine, PageAllocator allocator, AddressSpace kernelSpace, AddressSpace trampolineSpace)
    {
        byte[] bytes = Bytes();
        int pages = (bytes.Length + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize;
        ulong pa = allocator.AllocateContiguous(pages);
        bytes.CopyTo(machine.Memory.Span(pa, bytes.Length));
        kernelSpace.MapLinear(LinearBase, machine.Memory.Size, PagePermissions.KernelRead | PagePermissions.KernelWrite);
        for (int i = 0; i < pages; i++)
        {
            ulong offset = (ulong)i * PhysicalMemory.PageSize;
            ulong va = (ulong)El1Symbol.vectors + offset;
            kernelSpace.Map(va, pa + offset,
                PagePermissions.KernelRead | (va < (ulong)El1Symbol._data ? PagePermissions.KernelExecute : PagePermissions.KernelWrite));
        }
        ulong trampoline = pa + ((ulong)El1Symbol.tramp_data - (ulong)El1Symbol.vectors);
        foreach (AddressSpace space in (AddressSpace[])[kernelSpace, trampolineSpace])
        {
            space.Map(Trampoline.DataValias, trampoline, PagePermissions.KernelRead);
            space.Map(Trampoline.Valias, trampoline + PhysicalMemory.PageSize, PagePermissions.KernelRead | PagePermissions.KernelExecute);
        }
        return new El1Image(pa, machine, kernelSpace);
    }

    /// <summary>Bits by <see cref="Alternative"/> of what a configuration has.</summary>
    private static uint Features(KernelConfiguration configuration) =>
        (configuration.Kpti ? Bit(Alternative.Kpti) : 0) | (configuration.BhbLoop ? Bit(Alternative.BhbLoop) : 0)
        | (configuration.RandomStack ? Bit(Alternative.RandomStack) : 0) | (configuration.SsbdFirmware ? Bit(Alternative.SsbdFirmware) : 0)
        | (configuration.Reload ? Bit(Alternative.Reload) : 0);

    private static uint Bit(Alternative feature) => 1u << (int)feature;

    /// <summary>Patches the alternatives of a configuration into the code at boot, as Linux's apply_alternatives does, and the
    /// number of rounds of the branch-history loops.</summary>
    /// <param name="machine">Whose memory has the image.</param>
    /// <param name="configuration">What there is.</param>
    /// <param name="vaBits">Bits of user addresses: 39 or 48.</param>
    public void ApplyAlternatives(Machine machine, KernelConfiguration configuration, int vaBits)
    {
        uint features = Features(configuration);
        for (ulong at = PhysicalOf(El1Symbol.__alt_instructions); at < PhysicalOf(El1Symbol.__alt_instructions_end); at += 12)
        {
            if ((features >> machine.Memory.Read<int>(at + 8) & 1) == 0)
                continue;
            ulong site = at + (ulong)(long)machine.Memory.Read<int>(at);
            ulong replacement = at + 4 + (ulong)(long)machine.Memory.Read<int>(at + 4);
            uint instruction = machine.Memory.Read<uint>(replacement);
            if ((instruction & 0x7C000000) == 0x14000000)
                throw new InvalidOperationException("an alternative must not be a branch: it would go to a wrong place");
            machine.Memory.Write(site, instruction);
        }
        foreach (PatchSite site in PatchSites.BhbRounds)
            Patch(machine, site, 0xD280001Eu | (uint)configuration.BhbRounds << 5);
        if (configuration.Rseq)
        {
            PatchCall(machine, PatchSite.context_switch_call, El1Symbol.rseq_context_switch);
            PatchCall(machine, PatchSite.notify_work_call, El1Symbol.rseq_resume_work);
        }
        if (vaBits == 39)
            Patch(machine, PatchSite.rseq_task_size, 0xD2C01003); // MOV X3, #0x8000000000
        if (configuration.RseqSlice)
        {
            PatchCall(machine, PatchSite.slice_irq_entry, El1Symbol.rseq_note_user_irq_entry);
            PatchCall(machine, PatchSite.slice_irq_exit, El1Symbol.rseq_irq_exit);
            PatchCall(machine, PatchSite.slice_schedule_call, El1Symbol.rseq_slice_or_schedule);
            Patch(machine, PatchSite.rseq_flags_check, 0xD503201F); // NOP
        }
        if (!configuration.Preempt)
            return;
        const uint maskInterrupts = 0xD50343DF, unmaskInterrupts = 0xD50343FF; // MSR DAIFSet, #3 and MSR DAIFClr, #3
        Patch(machine, PatchSite.schedule_masks, maskInterrupts);
        Patch(machine, PatchSite.schedule_unmasks, unmaskInterrupts);
        PatchCall(machine, PatchSite.el1_irq_call, El1Symbol.el1_irq_preempt);
    }

    /// <summary>What VBAR_EL1 is while EL0 runs (this_cpu_vector).</summary>
    public static ulong UserVector(KernelConfiguration configuration) => configuration switch
    {
        { Kpti: true, BhbLoop: true } => Trampoline.Valias + 0x800,
        { Kpti: true } => Trampoline.Valias,
        { BhbLoop: true } => (ulong)El1Symbol.__bp_harden_el1_vectors,
        _ => (ulong)El1Symbol.vectors,
    };

    /// <summary>Patches one instruction at boot, as the kernel's static keys do: a NOP at <paramref name="site"/> becomes a
    /// branch to <paramref name="target"/>.</summary>
    public void PatchBranch(Machine machine, PatchSite site, PatchTarget target)
    {
        Patch(machine, site, 0x14000000u | Displacement((ulong)site, (ulong)target));
    }

    /// <summary>Makes the call at <paramref name="site"/> one of another function, as the kernel's static calls do.</summary>
    public void PatchCall(Machine machine, PatchSite site, El1Symbol target) => PatchCall(machine, site, (ulong)target);

    /// <inheritdoc cref="PatchCall(Machine, PatchSite, El1Symbol)"/>
    internal void PatchCall(Machine machine, PatchSite site, ulong target) =>
        Patch(machine, site, 0x94000000u | Displacement((ulong)site, target));

    /// <summary>The end of execve (flush_thread, start_thread) runs with preemption off: what a design asks of a preemptible kernel
    /// whose update must not move to another CPU in the middle.</summary>
    internal void GuardStart(Machine machine, bool guarded = true)
    {
        PatchCall(machine, PatchSite.vdso_exec_flush, guarded ? El1Symbol.vdso_flush_guarded : El1Symbol.vdso_flush_thread);
        PatchCall(machine, PatchSite.vdso_exec_start, guarded ? El1Symbol.vdso_start_guarded : El1Symbol.vdso_start_thread);
    }

    /// <summary>The displacement of a branch within 128 MiB, as B and BL hold it.</summary>
    internal static uint Displacement(ulong from, ulong to) => (uint)((long)(to - from) >> 2) & 0x03FFFFFF;

    /// <summary>Maps a further part of the kernel behind the image: what a module is.</summary>
    /// <param name="allocator">Where its pages come from.</param>
    /// <param name="address">Kernel address, the start of a page.</param>
    /// <param name="bytes">What is there.</param>
    /// <param name="writable">Data; else code and constants.</param>
    internal void LoadModule(PageAllocator allocator, ulong address, ReadOnlySpan<byte> bytes, bool writable)
    {
        int pages = (bytes.Length + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize;
        ulong pa = allocator.AllocateHigh(pages);
        bytes.CopyTo(_machine.Memory.Span(pa, bytes.Length));
        for (ulong offset = 0; offset < (ulong)(pages * PhysicalMemory.PageSize); offset += PhysicalMemory.PageSize)
        {
            _space.Map(
                address + offset, pa + offset,
                PagePermissions.KernelRead | (writable ? PagePermissions.KernelWrite : PagePermissions.KernelExecute));
        }
    }

    /// <summary>Address of a name, in the image or in a module; null: there is none.</summary>
    public ulong? Find(string name) => _symbols.IndexOfValue(name) is >= 0 and var at ? _symbols.Keys[at] : AddressOf(name);

    /// <summary>Names something of a module, for traces.</summary>
    internal void AddSymbol(string name, ulong address) => _symbols[address] = name;

    /// <summary>Writes a word of a module before the kernel runs.</summary>
    internal void WriteModule<T>(ulong address, T value)
        where T : unmanaged
    {
        if (!_space.Lookup(address, out ulong page, out _))
            throw new ArgumentException($"0x{address:x} is not mapped", nameof(address));
        _machine.Memory.Write(page | (address & 0xfff), value);
    }

    /// <summary>Replaces one instruction at boot.</summary>
    public void Patch(Machine machine, PatchSite site, uint instruction) =>
        machine.Memory.Write(PhysicalOf((ulong)site), instruction);

    /// <summary>Physical address of something in the image, for what is written at boot.</summary>
    public ulong PhysicalOf(El1Symbol symbol) => PhysicalOf((ulong)symbol);

    private ulong PhysicalOf(ulong address) => _pa + (address - (ulong)El1Symbol.vectors);

    /// <summary>The instruction word of the kernel at an address, for traces; 0 when there is none.</summary>
    public uint InstructionAt(ulong address) =>
        _space.Lookup(address, out ulong page, out _) ? _machine.Memory.Read<uint>(page | (address & 0xffc)) : 0;

    /// <summary>Replaces one instruction while the kernel runs, for planted faults.</summary>
    internal void Rewrite(ulong address, uint instruction)
    {
        if (!_space.Lookup(address, out ulong page, out _))
            throw new ArgumentException($"0x{address:x} is not mapped", nameof(address));
        ulong pa = page | (address & 0xffc);
        _machine.Memory.Write(pa, instruction);
        _machine.NotifyWrite(pa, 4);
    }

    /// <summary>The EL1 function that holds an address, or null.</summary>
    public string? FunctionAt(ulong address)
    {
        ulong alias = address - Trampoline.DataValias;
        if (alias < 2 * PhysicalMemory.PageSize)
            address = (ulong)El1Symbol.tramp_data + alias;
        int low = 0, high = _symbols.Count - 1;
        string? found = null;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_symbols.Keys[middle] <= address)
            {
                found = _symbols.Values[middle];
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return found;
    }
}
