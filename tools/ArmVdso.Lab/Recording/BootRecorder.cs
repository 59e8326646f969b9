using System.Globalization;
using ArmVdso.Lab.Boot;

namespace ArmVdso.Lab.Recording;

/// <summary>The recorder of a booted kernel. Its own symbols and types say which task a CPU executes; a switch is seen at the next
/// exception, ERET or write of TPIDRRO_EL0. Signals, starts and ends of programs are not seen, nor calls of its vDSO.</summary>
/// <param name="session">A session that has not run yet.</param>
/// <param name="writer">Where to.</param>
/// <param name="set">What is recorded.</param>
public sealed class BootRecorder(BootSession session, RecordingWriter writer, RecordedSet set = RecordedSet.All)
    : Recorder(session.Machine, writer, set)
{
    private readonly string[] _texts = [.. session.Machine.Cpus.Select(_ => "")];
    private readonly RecordedTask[] _tasks = [.. session.Machine.Cpus.Select(_ => RecordedTask.None)];

    private protected override (object Key, RecordedTask Name) Current(Cpu cpu)
    {
        int i = cpu.Index;
        string text = session.Kernel.TaskOf(cpu);
        if (text != _texts[i])
        {
            _texts[i] = text;
            RecordedTask previous = _tasks[i], next = _tasks[i] = Parse(text);
            // The same task under another name has started a program.
            if (previous.Tid != next.Tid || next.Tid <= 0)
                Switched(cpu, previous, next, -1);
        }
        // Idle tasks have one number and a name each.
        return (_tasks[i].Tid > 0 ? _tasks[i].Tid : _tasks[i].Name, _tasks[i]);
    }

    private static RecordedTask Parse(string text)
    {
        int at = text.LastIndexOf('[');
        ReadOnlySpan<char> number = at >= 0 && text.EndsWith(']') ? text.AsSpan(at + 1, text.Length - at - 2) : "";
        return int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int tid)
            ? new RecordedTask(tid, tid, text[..at]) : RecordedTask.None with { Name = text };
    }

    /// <inheritdoc/>
    public override void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        RecordedTask task = Current(cpu).Name;
        Add(RecordedKind.Offset, cpu, task, session.Kernel.FunctionAt(cpu.PC).Name, [(long)oldValue, (long)newValue], task);
    }
}
