using System.Text;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Lab.Debug;

namespace ArmVdso.Lab.Check;

/// <summary>One schedule again, on a fresh machine, with every instruction and event.</summary>
internal sealed class ReplayTrace : IRigObserver
{
    private readonly CheckRig _rig;
    private readonly Action<ReplayStep> _output;
    private readonly bool _brief;
    private ulong[] _before = new ulong[31];
    private readonly SortedList<ulong, string> _image = [];
    private ulong _pc;
    private uint _instruction;
    private int _el;
    private bool _offsetWritten;
    private ulong _executed;
    private (int Cpu, string Function, int Count) _folded;

    private ReplayTrace(CheckRig rig, Action<ReplayStep> output, bool brief)
    {
        _rig = rig;
        _output = output;
        _brief = brief;
        foreach ((string name, ulong offset) in rig.Kernel.Vdso.Image!.Symbols)
            _image[offset] = name;
    }

    /// <summary>Gives each step of the trace. Whether the schedule holds.</summary>
    internal static bool Run(SessionSettings settings, Schedule schedule, Mutant? mutant, bool brief, Action<ReplayStep> output)
    {
        CheckedFunction function = FunctionOf(settings, schedule);
        using var rig = new CheckRig(CheckRig.With(settings, schedule.Design));
        (Explorer explorer, int usual) = Prepare(rig, function, schedule, mutant);
        var trace = new ReplayTrace(rig, output, brief);
        rig.Observer = trace;
        output(ReplayStep.Said(ReplayKind.Cast,
            $"{schedule}: victim {rig.Victim} (process {rig.Victim.Group.Pid}, parent {rig.Parent.Group.Pid}), other processes "
            + $"{rig.Other} and {rig.Another}"));
        Outcome outcome = explorer.Run(function, schedule, usual);
        trace.Flush();
        rig.Observer = null;
        output(ReplayStep.Said(ReplayKind.Verdict, outcome.Failure is null
            ? outcome.Applied ? "held" : "held; the call ended before the last event"
            : $"FAILED: {outcome.Failure}"));
        return outcome.Failure is null;
    }

    private static CheckedFunction FunctionOf(SessionSettings settings, Schedule schedule) =>
        CheckedFunction.Of(CheckRig.With(settings, schedule.Design).Design()).FirstOrDefault(f => f.Name == schedule.Function)
        ?? throw new LabException($"replay: there is no function '{schedule.Function}'", LabFault.Input);

    private static (Explorer Explorer, int Usual) Prepare(CheckRig rig, CheckedFunction function, Schedule schedule, Mutant? mutant)
    {
        if (!function.IsIn(rig))
            throw new LabException($"replay: design {schedule.Design} has no {function.Symbol}", LabFault.Input);
        mutant?.MustPlant(rig);
        var explorer = new Explorer(rig);
        return (explorer, explorer.Undisturbed(function).Outcome.Instructions);
    }

    /// <summary>Opens a schedule in a debugger. Whether it holds.</summary>
    /// <param name="settings">Settings.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="mutant">A fault that is planted first; null: none.</param>
    /// <param name="serve">Serves the debugger, which the machine waits for.</param>
    internal static bool Debug(SessionSettings settings, Schedule schedule, Mutant? mutant, Action<DebugTarget> serve)
    {
        CheckedFunction function = FunctionOf(settings, schedule);
        using var rig = new CheckRig(CheckRig.With(settings, schedule.Design));
        (Explorer explorer, int usual) = Prepare(rig, function, schedule, mutant);
        using var target = new ReplayTarget(rig, () => explorer.Run(function, schedule, usual));
        serve(target);
        return target.Finish().Failure is null;
    }

    // Hooks are run inside of an HVC: its own step ends after theirs.
    private readonly Stack<(ulong[] Before, ulong Pc, int El, ulong Executed, uint Instruction)> _steps = [];

    public void Before(Cpu cpu)
    {
        _steps.Push((_before, _pc, _el, _executed, _instruction));
        _before = new ulong[31];
        for (int i = 0; i < 31; i++)
            _before[i] = cpu.X(i);
        _pc = cpu.PC;
        _el = cpu.EL;
        _executed = cpu.Instructions;
        _instruction = Fetch(cpu);
    }

    private uint Fetch(Cpu cpu)
    {
        if (cpu.EL == 0)
        {
            Span<byte> word = stackalloc byte[4];
            return _rig.Kernel.Scheduler.Current(cpu.Index).Mm is { } mm && mm.Read(cpu.PC, word) ? BitConverter.ToUInt32(word) : 0;
        }
        return _rig.Kernel.El1.InstructionAt(cpu.PC);
    }

    public void After(Cpu cpu)
    {
        Show(cpu);
        (_before, _pc, _el, _executed, _instruction) = _steps.Pop();
    }

    private void Show(Cpu cpu)
    {
        if (cpu.Instructions == _executed && cpu.EL != _el)
        {
            Flush();
            _output(new ReplayStep(
                ReplayKind.Exception, cpu.Index, _el, _pc, Where(_pc, _el), $"exception to EL1 (vector +0x{cpu.PC - cpu.VBAR_EL1:x})"));
            return;
        }
        // MSR TPIDRRO_EL0, Xt
        _offsetWritten = (_instruction & 0xffffffe0) == 0xd51bd060;
        bool interesting = _el == 0 || _rig.StoredData(cpu) || _offsetWritten;
        string function = _el == 0 ? "" : _rig.Kernel.El1.FunctionAt(_pc) ?? "?";
        if (_brief && !interesting)
        {
            if (_folded.Cpu != cpu.Index || _folded.Function != function)
            {
                Flush();
                _folded = (cpu.Index, function, 0);
            }
            _folded.Count++;
            return;
        }
        Flush();
        string text = Disassembler.Disassemble(_instruction, _pc);
        _output(new ReplayStep(ReplayKind.Instruction, cpu.Index, _el, _pc, Where(_pc, _el), text, Effects(cpu)));
    }

    private string Effects(Cpu cpu)
    {
        var text = new StringBuilder();
        Span<byte> bytes = stackalloc byte[8];
        for (int i = 0; i < 31; i++)
        {
            if (cpu.X(i) != _before[i])
                text.Append($"x{i}=0x{cpu.X(i):x} ");
        }
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            MemoryAccess a = cpu.Accesses[i];
            text.Append($"{(a.Write ? "stores" : "loads")} {_rig.DataName(a.Pa)}");
            if (a.Write && a.Size <= 8)
            {
                bytes.Clear();
                _rig.Machine.Memory.Span(a.Pa, a.Size).CopyTo(bytes);
                text.Append($"=0x{BitConverter.ToUInt64(bytes):x}");
            }
            text.Append(' ');
        }
        if (_offsetWritten)
            text.Append($"tpidrro_el0=0x{cpu.TPIDRRO_EL0:x} ");
        return text.ToString();
    }

    private string Where(ulong pc, int el)
    {
        if (el != 0)
        {
            string? name = _rig.Kernel.El1.FunctionAt(pc);
            return name is null ? "?" : $"{name}+0x{pc - _rig.Kernel.El1.Find(name):x}";
        }
        ulong start = _rig.Victim.Mm?.VdsoBase ?? 0;
        if (pc >= start && pc < start + (ulong)_rig.Kernel.Vdso.Image!.Bytes.Length)
        {
            string? name = null;
            ulong at = 0;
            foreach ((ulong offset, string symbol) in _image)
            {
                if (offset <= pc - start)
                    (name, at) = (symbol, offset);
            }
            return name is null ? $"[vdso]+0x{pc - start:x}" : $"{name}+0x{pc - start - at:x}";
        }
        foreach (string label in (string[])["handler", "peek", "park", "svc_stub"])
        {
            if (pc >= _rig.Symbol(label) && pc < _rig.Symbol(label) + 0x80)
                return $"{label}+0x{pc - _rig.Symbol(label):x}";
        }
        return "?";
    }

    public void Event(string text)
    {
        Flush();
        _output(ReplayStep.Said(ReplayKind.Event, text));
    }

    private void Flush()
    {
        if (_folded.Count > 0)
            _output(new ReplayStep(ReplayKind.Function, _folded.Cpu, 1, 0, _folded.Function, "", Count: _folded.Count));
        _folded = default;
    }
}
