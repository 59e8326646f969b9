using System.Globalization;
using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>What only this machine can say or do: GDB's "monitor".</summary>
public sealed partial class ProgramTarget
{
    private sealed record MonitorCommand(
        string Name, string Arguments, string Meaning, Func<ProgramTarget, KernelTask?, string[], string> Do);

    private static readonly MonitorCommand[] s_commands =
    [
        new("help", "", "this list", (_, _, _) => Help()),
        new("cycles", "", "cycles and instructions of each CPU, and whom it runs", (t, _, _) => t.Cycles()),
    ];

    /// <inheritdoc/>
    public override string Monitor(ThreadId thread, string[] words)
    {
        string name = words.Length == 0 ? "help" : words[0];
        foreach (MonitorCommand command in s_commands)
        {
            if (command.Name == name)
                return command.Do(this, Find(thread), words[Math.Min(1, words.Length)..]);
        }
        return $"there is no monitor command '{name}'{Nearest.Hint(name, s_commands.Select(c => c.Name))}; 'monitor help' lists them\n";
    }

    private static string Help()
    {
        var text = new StringBuilder();
        foreach (MonitorCommand command in s_commands)
            text.Append($"monitor {$"{command.Name} {command.Arguments}",-24} {command.Meaning}\n");
        return text.ToString();
    }

    private string Cycles()
    {
        var text = new StringBuilder();
        foreach (Cpu cpu in Machine.Cpus)
        {
            string place = cpu.EL == 0 ? $"EL0 0x{cpu.PC:x}" : $"EL1 {Kernel.El1.FunctionAt(cpu.PC)}";
            text.Append(CultureInfo.InvariantCulture, $"cpu{cpu.Index}  {cpu.Cycles} cycles  {cpu.Instructions} instructions  ");
            text.Append($"{Kernel.Scheduler.Current(cpu.Index)}  {(cpu.Waiting ? "waits" : place)}\n");
        }
        return text.ToString();
    }
}
