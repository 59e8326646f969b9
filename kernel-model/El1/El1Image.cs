using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.El1;

/// <summary>The EL1 part in A64 code: its image, the constants it shares with the model and its symbols, all from the files
/// that El1/build.sh makes.</summary>
public sealed class El1Image
{
    /// <summary>Kernel address of physical address 0 (the linear map).</summary>
    public const ulong LinearBase = 0xffff_0000_0000_0000;

    private static readonly Dictionary<string, ulong> Layout = LoadLayout();
    private static readonly string[] PatchSites = ["_key", "_call", "_save", "_site", "_skip", "_out", "_mended"];
    private readonly SortedList<ulong, string> _symbols = [];

    private El1Image()
    {
        foreach ((string name, ulong value) in Layout)
        {
            // Places to patch are inside of functions, not functions.
            if (value >= LinearBase && char.IsAsciiLetterLower(name.TrimStart('_')[0]) && !PatchSites.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal) && name != "arch_local_irq_save"))
                _symbols[value] = name;
        }
    }

    /// <summary>A constant of layout.h or the address of a symbol.</summary>
    /// <exception cref="KeyNotFoundException">The committed layout does not have it: image and model are out of step.</exception>
    public static ulong Value(string name) => Layout.TryGetValue(name, out ulong value)
        ? value
        : throw new KeyNotFoundException($"El1/bin/layout.tsv has no '{name}'; run kernel-model/El1/build.sh");

    /// <summary>Kernel address of a physical address.</summary>
    public static ulong Linear(ulong pa) => LinearBase + pa;

    /// <summary>Physical address of a linear kernel address.</summary>
    public static ulong Physical(ulong va) => va - LinearBase;

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(El1Image).Assembly.GetManifestResourceStream(name)
            ?? throw new FileNotFoundException($"embedded resource {name} is missing");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static Dictionary<string, ulong> LoadLayout()
    {
        var layout = new Dictionary<string, ulong>();
        foreach (string line in System.Text.Encoding.ASCII.GetString(Resource("el1/layout.tsv")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('\t');
            layout[parts[0]] = parts[1].StartsWith("0x", StringComparison.Ordinal)
                ? ulong.Parse(parts[1].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                : unchecked((ulong)long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
        return layout;
    }

    /// <summary>Copies the image into RAM and maps it and the linear map into the kernel's space: code and constants read-execute,
    /// data read-write. The trampoline's pages are mapped once more in both spaces, above everything; while EL0 runs under KPTI,
    /// <paramref name="trampolineSpace"/> is all that is left of the kernel.</summary>
    public static El1Image Load(Machine machine, PageAllocator allocator, AddressSpace kernelSpace, AddressSpace trampolineSpace)
    {
        byte[] bytes = Resource("el1/el1.bin");
        int pages = (bytes.Length + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize;
        ulong pa = allocator.AllocateContiguous(pages);
        bytes.CopyTo(machine.Memory.Span(pa, bytes.Length));
        kernelSpace.MapLinear(LinearBase, machine.Memory.Size, PagePermissions.KernelRead | PagePermissions.KernelWrite);
        for (int i = 0; i < pages; i++)
        {
            ulong offset = (ulong)i * PhysicalMemory.PageSize;
            ulong va = Value("vectors") + offset;
            kernelSpace.Map(va, pa + offset, PagePermissions.KernelRead | (va < Value("_data") ? PagePermissions.KernelExecute : PagePermissions.KernelWrite));
        }
        ulong trampoline = pa + (Value("tramp_data") - Value("vectors"));
        foreach (AddressSpace space in (AddressSpace[])[kernelSpace, trampolineSpace])
        {
            space.Map(Value("TRAMP_DATA_VALIAS"), trampoline, PagePermissions.KernelRead);
            space.Map(Value("TRAMP_VALIAS"), trampoline + PhysicalMemory.PageSize, PagePermissions.KernelRead | PagePermissions.KernelExecute);
        }
        return new El1Image { _pa = pa };
    }

    /// <summary>Patches the alternatives of a configuration into the code at boot, as Linux's apply_alternatives does, and the
    /// number of rounds of the branch-history loops.</summary>
    public void ApplyAlternatives(Machine machine, KernelConfiguration configuration)
    {
        uint features = configuration.Alternatives;
        for (ulong at = PhysicalOf("__alt_instructions"); at < PhysicalOf("__alt_instructions_end"); at += 12)
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
        foreach (string name in Layout.Keys.Where(n => n.StartsWith("bhb_loop_", StringComparison.Ordinal)))
            Patch(machine, name, 0xD280001Eu | (uint)configuration.BhbRounds << 5);
    }

    /// <summary>What VBAR_EL1 is while EL0 runs (this_cpu_vector).</summary>
    public static ulong UserVector(KernelConfiguration configuration) => configuration switch
    {
        { Kpti: true, BhbLoop: true } => Value("TRAMP_VALIAS") + 0x800,
        { Kpti: true } => Value("TRAMP_VALIAS"),
        { BhbLoop: true } => Value("__bp_harden_el1_vectors"),
        _ => Value("vectors"),
    };

    private ulong _pa;

    /// <summary>Patches one instruction at boot, as the kernel's static keys do: a NOP at <paramref name="site"/> becomes a
    /// branch to <paramref name="target"/>.</summary>
    public void PatchBranch(Machine machine, string site, string target)
    {
        long offset = (long)(Value(target) - Value(site));
        Patch(machine, site, 0x14000000u | ((uint)(offset >> 2) & 0x03FFFFFF));
    }

    /// <summary>Makes the call at <paramref name="site"/> one of another function, as the kernel's static calls do.</summary>
    public void PatchCall(Machine machine, string site, string target)
    {
        long offset = (long)(Value(target) - Value(site));
        Patch(machine, site, 0x94000000u | ((uint)(offset >> 2) & 0x03FFFFFF));
    }

    /// <summary>Replaces one instruction at boot.</summary>
    public void Patch(Machine machine, string site, uint instruction) =>
        machine.Memory.Write(_pa + (Value(site) - Value("vectors")), instruction);

    /// <summary>Physical address of something in the image, for what is written at boot.</summary>
    public ulong PhysicalOf(string name) => _pa + (Value(name) - Value("vectors"));

    /// <summary>The EL1 function that holds an address, or null.</summary>
    public string? FunctionAt(ulong address)
    {
        ulong alias = address - Value("TRAMP_DATA_VALIAS");
        if (alias < 2 * PhysicalMemory.PageSize)
            address = Value("tramp_data") + alias;
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
