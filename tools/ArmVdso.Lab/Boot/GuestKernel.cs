using System.Text;
using ArmVdso.Emulator.Memory;

namespace ArmVdso.Lab.Boot;

/// <summary>A booted kernel as its own symbols and types say: which function an address is in, and which task a CPU executes.</summary>
public sealed class GuestKernel
{
    private const ulong Align = 2 << 20, HighHalf = 1UL << 55;
    private const ulong StackBytes = 16 << 10;
    private const int CommBytes = 16;
    private readonly Machine _machine;
    private readonly KernelSymbols _symbols;
    private readonly ulong _entry, _size;
    private readonly int? _comm, _pid;
    private readonly Dictionary<ulong, ulong> _tasks = [];
    private ulong _base;

    /// <summary>A kernel whose Image is at a physical address.</summary>
    internal GuestKernel(Machine machine, ulong entry, ulong size)
    {
        _machine = machine;
        (_entry, _size) = (entry, size);
        ReadOnlySpan<byte> image = machine.Memory.Span(entry, checked((int)size));
        _symbols = new KernelSymbols(image);
        var types = new KernelTypes(image);
        (_comm, _pid) = (types.OffsetOf("task_struct", "comm"), types.OffsetOf("task_struct", "pid"));
    }

    /// <summary>Whether the Image has symbols.</summary>
    public bool HasSymbols => _symbols.Any;

    /// <summary>The address that offsets of symbols count from; 0 as long as the kernel has not relocated itself.</summary>
    private ulong Base => _base != 0 || !_symbols.Any ? _base : _base = _machine.Memory.Read<ulong>(_entry + (ulong)_symbols.BaseAt);

    /// <summary>The function that an address of EL1 is in.</summary>
    /// <returns>Its name, or in brackets what lies there; its first byte, and the first one behind it.</returns>
    public (string Name, ulong Start, ulong End) FunctionAt(ulong pc)
    {
        if ((pc & HighHalf) == 0)
            return ("[before relocation]", 0, HighHalf);
        // Symbols begin in the first 2 MiB of the Image, whose address is its physical one in the bits below.
        ulong first = Base - ((Base - _entry) & (Align - 1));
        if (Base == 0 || pc - first >= _size)
            return ("[modules and others]", pc & ~4095UL, (pc & ~4095UL) + 4096);
        return _symbols.Find(pc - Base, out string name, out ulong start, out ulong end)
            ? (name, Base + start, Base + end)
            : ("[kernel]", pc & ~4095UL, (pc & ~4095UL) + 4096);
    }

    /// <summary>The address of a symbol; null: there is none, or the kernel has not relocated itself.</summary>
    public ulong? AddressOf(string symbol) => Base == 0 || _symbols.OffsetOf(symbol) is not { } offset ? null : Base + offset;

    /// <summary>Name and number of the task that a CPU executes, as comm[pid]. At EL1 SP_EL0 points at it (Linux,
    /// arch/arm64/include/asm/current.h), but for the first and the last instructions there, and at EL0; then the kernel's stack says
    /// whose it is, once the task has been seen with it.</summary>
    /// <returns>An address where the kernel's types do not say; ? before the task was seen.</returns>
    public string TaskOf(Cpu cpu)
    {
        NoteTask(cpu);
        ulong task = _tasks.GetValueOrDefault(StackOf(cpu));
        Span<byte> comm = stackalloc byte[CommBytes];
        Span<byte> pid = stackalloc byte[4];
        if (task == 0)
            return "?";
        if (_comm is not { } name || _pid is not { } number
            || !Read(cpu, task + (ulong)name, comm) || !Read(cpu, task + (ulong)number, pid))
            return $"task 0x{task:x}";
        int length = comm.IndexOf((byte)0);
        string text = Encoding.Latin1.GetString(comm[..(length < 0 ? CommBytes : length)]);
        return $"{text}[{BitConverter.ToInt32(pid)}]";
    }

    /// <summary>The stack that a CPU has at EL1: its first byte.</summary>
    internal static ulong StackOf(Cpu cpu) => cpu.SP_EL1 & ~(StackBytes - 1);

    /// <summary>Remembers the stack of the task that a CPU at EL1 executes.</summary>
    internal void NoteTask(Cpu cpu)
    {
        if (cpu.EL == 1 && (cpu.SP_EL0 & HighHalf) != 0)
            _tasks[StackOf(cpu)] = cpu.SP_EL0;
    }

    /// <summary>Reads the kernel's memory by the tables of a CPU.</summary>
    private bool Read(Cpu cpu, ulong va, Span<byte> bytes) =>
        Read(_machine, cpu, va, bytes, PagePermissions.KernelRead) == bytes.Length;

    /// <summary>Reads memory by the tables of a CPU, until an address that is not there.</summary>
    /// <returns>Bytes that were read.</returns>
    internal static int Read(Machine machine, Cpu cpu, ulong va, Span<byte> bytes, params ReadOnlySpan<PagePermissions> kinds)
    {
        int done = 0;
        while (done < bytes.Length && Physical(machine, cpu, va + (ulong)done, kinds) is { } pa)
        {
            int n = Math.Min(bytes.Length - done, 4096 - (int)(pa & 4095));
            machine.Memory.Span(pa, n).CopyTo(bytes[done..]);
            done += n;
        }
        return done;
    }

    /// <summary>Where a CPU's tables put an address; null: nowhere that an access of one of these kinds may reach, or not in RAM.</summary>
    internal static ulong? Physical(Machine machine, Cpu cpu, ulong va, params ReadOnlySpan<PagePermissions> kinds)
    {
        var registers = new TranslationRegisters(cpu.TTBR0_EL1, cpu.TTBR1_EL1, cpu.TCR_EL1, cpu.MAIR_EL1, cpu.SCTLR_EL1);
        Translation? tables = machine.Translation.Select(registers, (va & HighHalf) != 0);
        foreach (PagePermissions kind in kinds)
        {
            if (tables is null || !tables.Translate(va, kind, out PageTranslation page))
                continue;
            ulong pa = page.Pa + (va & 4095);
            return machine.Memory.Contains(pa, 1) ? pa : null;
        }
        return null;
    }
}
