using System.Globalization;
using System.Text;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Boot;

/// <summary>Writes the instructions of one call on a booted kernel: those at EL0 of the vDSO one by one, with what they changed; the rest
/// counted by task, and unless it is to be brief by function of the kernel.</summary>
/// <param name="rig">The kernel.</param>
/// <param name="output">Where they are written.</param>
/// <param name="brief">Without functions of the kernel.</param>
internal sealed class BootedTrace(BootedRig rig, TextWriter output, bool brief) : IMachineObserver
{
    private readonly ulong[] _before = new ulong[31];
    private string? _line;
    private Cpu? _of;
    private bool _begun, _ended;
    private (string Text, int Count) _folded = ("", 0);
    private (ulong Stack, ulong Task, string Name) _task;

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        Finish();
        string? place = cpu.EL == 0 ? rig.Place(cpu.PC) : null;
        _begun |= place is not null;
        _ended |= cpu.EL == 0 && cpu.PC == rig.Return;
        if (!_begun || _ended)
            return;
        if (place is null)
        {
            string where = cpu.EL == 0 ? brief ? "" : $" {Function(rig.ProgramPlace(cpu.PC))}"
                : brief ? "" : $" {rig.Kernel.FunctionAt(cpu.PC).Name}";
            Fold($"  cpu{cpu.Index} EL{cpu.EL}  ... {Task(cpu)}{where}");
            return;
        }
        Flush();
        for (int i = 0; i < _before.Length; i++)
            _before[i] = cpu.X(i);
        string text = Disassembler.Disassemble(instruction, cpu.PC);
        _line = $"  cpu{cpu.Index} EL0  {cpu.PC:x12}  {place,-32}  {text,-36}  ";
        _of = cpu;
    }

    private static string Function(string place) => place.Split('+')[0];

    // Asking the kernel's structures for each instruction would take longer than executing it.
    private string Task(Cpu cpu)
    {
        ulong stack = GuestKernel.StackOf(cpu), task = cpu.EL == 1 ? cpu.SP_EL0 : _task.Task;
        if (_task.Name is null or "?" || stack != _task.Stack || task != _task.Task)
            _task = (stack, task, rig.Kernel.TaskOf(cpu));
        return _task.Name;
    }

    private void Fold(string text)
    {
        if (_folded.Text != text)
            Flush();
        _folded = (text, _folded.Count + 1);
    }

    /// <summary>Writes what is still to be written.</summary>
    internal void Flush()
    {
        Finish();
        if (_folded.Count > 0)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_folded.Text}: {_folded.Count} instructions"));
        _folded = ("", 0);
    }

    /// <summary>The instruction before has been executed: what it changed.</summary>
    private void Finish()
    {
        if (_line is null || _of is not { } cpu)
            return;
        var text = new StringBuilder(_line);
        for (int i = 0; i < _before.Length; i++)
        {
            if (cpu.X(i) != _before[i])
                text.Append(CultureInfo.InvariantCulture, $"x{i}=0x{cpu.X(i):x} ");
        }
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            MemoryAccess access = cpu.Accesses[i];
            text.Append(CultureInfo.InvariantCulture, $"{(access.Write ? "stores" : "loads")} 0x{access.Va:x} ");
        }
        output.WriteLine(text.ToString().TrimEnd());
        (_line, _of) = (null, null);
    }

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (_ended || fromEL != 0 || rig.Place(cpu.ELR_EL1) is not { } place)
            return;
        Flush();
        output.WriteLine($"  cpu{cpu.Index} EL0  -- {(offset == 0 ? "exception" : "interrupt")} before {place}");
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
