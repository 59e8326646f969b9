using System.Text;
using ArmVdso.Emulator.Memory;
using ArmVdso.Lab.Recording;

namespace ArmVdso.Lab.Boot;

/// <summary>A task of a booted kernel.</summary>
/// <param name="Address">Its task_struct.</param>
/// <param name="Name">Its numbers and comm; of a kernel whose types are not known its address alone.</param>
internal readonly record struct BootedTask(ulong Address, RecordedTask Name)
{
    /// <inheritdoc/>
    public override string ToString() => Name.ToString();
}

/// <summary>How a task has left its CPU.</summary>
/// <param name="State">__state: 0 runnable, TASK_* bits else.</param>
/// <param name="ExitState">exit_state: EXIT_ZOMBIE and EXIT_DEAD.</param>
/// <param name="ExitCode">exit_code, as wait4 has it.</param>
internal readonly record struct TaskDeparture(uint State, int ExitState, int ExitCode);

/// <summary>A booted kernel as its own symbols and types say: which function an address is in, and which task a CPU executes.</summary>
public sealed class GuestKernel
{
    private const ulong Align = 2 << 20, HighHalf = 1UL << 55;
    private const ulong StackBytes = 16 << 10;
    private const int CommBytes = 16, TaskDead = 0x80;
    private readonly Machine _machine;
    private readonly KernelSymbols _symbols;
    private readonly ulong _entry, _size;
    private readonly int? _comm, _pid, _tgid, _state, _exitState, _exitCode;
    private readonly BootedTaskList? _list;
    private readonly Dictionary<ulong, ulong> _tasks = [];
    private ulong _base;
    private ulong? _table;

    /// <summary>A kernel whose Image is at a physical address.</summary>
    internal GuestKernel(Machine machine, ulong entry, ulong size)
    {
        _machine = machine;
        (_entry, _size) = (entry, size);
        ReadOnlySpan<byte> image = machine.Memory.Span(entry, checked((int)size));
        _symbols = new KernelSymbols(image);
        var types = new KernelTypes(image);
        int? Member(string name) => types.OffsetOf("task_struct", name);
        (_comm, _pid, _tgid) = (Member("comm"), Member("pid"), Member("tgid"));
        (_state, _exitState, _exitCode) = (Member("__state"), Member("exit_state"), Member("exit_code"));
        _list = BootedTaskList.Of(types, Long);
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

    /// <summary>The kernel's vDSO; null: it has none.</summary>
    internal BootedVdso? FindVdso() => BootedVdso.Find(_machine, _entry, _size);

    /// <summary>The address of a symbol; null: there is none, or the kernel has not relocated itself.</summary>
    public ulong? AddressOf(string symbol) => Base == 0 || _symbols.OffsetOf(symbol) is not { } offset ? null : Base + offset;

    /// <summary>Name and number of the task that a CPU executes, as comm[pid]. At EL1 SP_EL0 points at it (Linux,
    /// arch/arm64/include/asm/current.h), but for the first and the last instructions there, and at EL0; then the kernel's stack says
    /// whose it is: the task was seen with it, or is found in the kernel's lists.</summary>
    /// <returns>An address where the kernel's types do not say; ? before any task was seen.</returns>
    public string TaskOf(Cpu cpu) => Current(cpu).ToString();

    /// <summary>The task that a CPU executes, see <see cref="TaskOf"/>.</summary>
    internal BootedTask Current(Cpu cpu)
    {
        ulong task = AddressOfCurrent(cpu);
        if (task == 0)
            return new BootedTask(0, RecordedTask.None);
        Span<byte> comm = stackalloc byte[CommBytes];
        if (_comm is not { } name || !Read(cpu, task + (ulong)name, comm) || Int(cpu, task, _pid) is not { } tid)
            return new BootedTask(task, RecordedTask.None with { Name = $"task 0x{task:x}" });
        int length = comm.IndexOf((byte)0);
        string text = Encoding.Latin1.GetString(comm[..(length < 0 ? CommBytes : length)]);
        return new BootedTask(task, new RecordedTask(tid, Int(cpu, task, _tgid) ?? tid, text));
    }

    private ulong AddressOfCurrent(Cpu cpu)
    {
        if (IsTask(cpu))
            return _tasks[StackOf(cpu)] = cpu.SP_EL0;
        ulong stack = StackOf(cpu), known = _tasks.GetValueOrDefault(stack);
        // A stack is given to another task when its own has ended.
        bool holds = known != 0 && _list?.StackOf(cpu, known) == stack && Int(cpu, known, _state) is { } state && state != TaskDead;
        if (_list is null || holds)
            return known;
        // The first task is always there, and in the ring; one that has ended leads nowhere.
        return AddressOf("init_task") is { } first && _list.Find(cpu, first, stack) is { } found ? _tasks[stack] = found : 0;
    }

    /// <summary>How a task has left its CPU; null: the kernel's types do not say.</summary>
    internal TaskDeparture? DepartureOf(Cpu cpu, ulong task) =>
        Int(cpu, task, _state) is { } state && Int(cpu, task, _exitState) is { } ended && Int(cpu, task, _exitCode) is { } code
            ? new TaskDeparture((uint)state, ended, code) : null;

    private int? Int(Cpu cpu, ulong address, int? offset)
    {
        Span<byte> bytes = stackalloc byte[4];
        return offset is { } at && Read(cpu, address + (ulong)at, bytes) ? BitConverter.ToInt32(bytes) : null;
    }

    private ulong? Long(Cpu cpu, ulong address)
    {
        Span<byte> bytes = stackalloc byte[8];
        return Read(cpu, address, bytes) ? BitConverter.ToUInt64(bytes) : null;
    }

    /// <summary>The stack that a CPU has at EL1: its first byte. At EL0 SP_EL1 is the one behind its last.</summary>
    internal static ulong StackOf(Cpu cpu) => (cpu.SP_EL1 - 1) & ~(StackBytes - 1);

    /// <summary>Remembers the stack of the task that a CPU at EL1 executes.</summary>
    internal void NoteTask(Cpu cpu)
    {
        if (IsTask(cpu))
            _tasks[StackOf(cpu)] = cpu.SP_EL0;
    }

    private static bool IsTask(Cpu cpu) => cpu.EL == 1 && (cpu.SP_EL0 & HighHalf) != 0;

    /// <summary>Reads the kernel's memory. A CPU at EL0 need not have its tables (KPTI): then by those that were seen last.</summary>
    private bool Read(Cpu cpu, ulong va, Span<byte> bytes)
    {
        TranslationRegisters registers = RegistersOf(cpu);
        if (Read(_machine, registers, va, bytes, PagePermissions.KernelRead) == bytes.Length)
        {
            _table = registers.Ttbr1;
            return true;
        }
        return _table is { } table
            && Read(_machine, registers with { Ttbr1 = table }, va, bytes, PagePermissions.KernelRead) == bytes.Length;
    }

    private static TranslationRegisters RegistersOf(Cpu cpu) =>
        new(cpu.TTBR0_EL1, cpu.TTBR1_EL1, cpu.TCR_EL1, cpu.MAIR_EL1, cpu.SCTLR_EL1);

    /// <summary>Reads memory by the tables of a CPU, until an address that is not there.</summary>
    /// <returns>Bytes that were read.</returns>
    internal static int Read(Machine machine, Cpu cpu, ulong va, Span<byte> bytes, params ReadOnlySpan<PagePermissions> kinds) =>
        Read(machine, RegistersOf(cpu), va, bytes, kinds);

    private static int Read(
        Machine machine, in TranslationRegisters registers, ulong va, Span<byte> bytes, params ReadOnlySpan<PagePermissions> kinds)
    {
        int done = 0;
        while (done < bytes.Length && Physical(machine, registers, va + (ulong)done, kinds) is { } pa)
        {
            int n = Math.Min(bytes.Length - done, 4096 - (int)(pa & 4095));
            machine.Memory.Span(pa, n).CopyTo(bytes[done..]);
            done += n;
        }
        return done;
    }

    /// <summary>Where a CPU's tables put an address; null: nowhere that an access of one of these kinds may reach, or not in RAM.</summary>
    internal static ulong? Physical(Machine machine, Cpu cpu, ulong va, params ReadOnlySpan<PagePermissions> kinds) =>
        Physical(machine, RegistersOf(cpu), va, kinds);

    private static ulong? Physical(
        Machine machine, in TranslationRegisters registers, ulong va, params ReadOnlySpan<PagePermissions> kinds)
    {
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
