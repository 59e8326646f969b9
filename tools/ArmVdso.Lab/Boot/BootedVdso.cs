using ArmVdso.Emulator.Memory;

namespace ArmVdso.Lab.Boot;

/// <summary>The vDSO of a booted kernel: the pages of its Image that hold it (Linux, arch/arm64/kernel/vdso-wrap.S), and where processes
/// have them.</summary>
internal sealed class BootedVdso
{
    private const int PageShift = 12, PageBytes = 1 << PageShift;
    private readonly Machine _machine;
    private readonly ulong _physical;
    private readonly Dictionary<(ulong Table, ulong Page), ulong> _starts = [];
    private readonly (ulong Table, ulong Page, ulong Start)[] _last;

    private BootedVdso(Machine machine, ulong physical, ulong size, ElfFile file)
    {
        (_machine, _physical, Size) = (machine, physical, size);
        _last = new (ulong, ulong, ulong)[machine.Cpus.Count];
        Symbols = [.. file.Symbols.Where(s => s.IsFunction || s.IsLabel).Select(s => KeyValuePair.Create(s.Name, s.Value))];
    }

    /// <summary>Bytes of the image.</summary>
    internal ulong Size { get; }

    /// <summary>Its functions, and where they lie in it.</summary>
    internal IReadOnlyList<KeyValuePair<string, ulong>> Symbols { get; }

    /// <summary>Finds it: in the Image, which lies at one place of the memory, it begins a page; null: there is none.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="kernel">Physical address of the Image.</param>
    /// <param name="size">Its bytes.</param>
    internal static BootedVdso? Find(Machine machine, ulong kernel, ulong size)
    {
        ReadOnlySpan<byte> image = machine.Memory.Span(kernel, checked((int)size));
        for (int at = 0; at + PageBytes <= image.Length; at += PageBytes)
        {
            if (!image[at..].StartsWith("\u007fELF"u8))
                continue;
            ElfFile file = new(image[at..]);
            if (file.Segments is [var all, ..] && file.Symbols.Any(s => s.Name == "__kernel_rt_sigreturn"))
                return new BootedVdso(machine, kernel + (ulong)at, (all.Offset + all.Size + PageBytes - 1) & ~(PageBytes - 1UL), file);
        }
        return null;
    }

    /// <summary>Where the process that a CPU executes has the image, if an address is in it; 0: it is not.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="va">An address of code at EL0.</param>
    internal ulong StartOf(Cpu cpu, ulong va)
    {
        ulong table = cpu.TTBR0_EL1, page = va >> PageShift;
        ref (ulong Table, ulong Page, ulong Start) last = ref _last[cpu.Index];
        if (last.Page == page && last.Table == table)
            return last.Start;
        if (!_starts.TryGetValue((table, page), out ulong start))
        {
            ulong? physical = GuestKernel.Physical(_machine, cpu, va, PagePermissions.UserExecute);
            // A page that is still to come is asked for again.
            if (physical is null)
                return 0;
            start = physical - _physical < Size ? va - (physical.Value - _physical) : 0;
            _starts[(table, page)] = start;
        }
        last = (table, page, start);
        return start;
    }

    /// <summary>A process has another address space: its tables' address may be one that was seen before.</summary>
    internal void Forget()
    {
        _starts.Clear();
        Array.Clear(_last);
    }
}
