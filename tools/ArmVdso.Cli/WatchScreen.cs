using System.Diagnostics;
using System.Globalization;
using System.Text;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Cli;

/// <summary>run --watch: CPUs and threads of a run on the terminal of standard error while it runs. It is drawn by the thread that
/// executes the guest, at an exception of it; the guest notices nothing.</summary>
internal sealed class WatchScreen : IMachineObserver, IDisposable
{
    private const int EachMs = 250, StandardError = 2;
    private const string Enter = "\u001b[?1049h\u001b[?25l", Leave = "\u001b[?25h\u001b[?1049l", Home = "\u001b[H", EndLine = "\u001b[K\n";

    private readonly LinuxKernel _kernel;
    private readonly string _program;
    private readonly Stream _terminal = Console.OpenStandardError();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Timer _timer;
    private readonly ulong[] _calls, _switches, _lastCalls, _lastSwitches, _lastInstructions, _lastBusy, _lastCycles;
    private double _lastSeconds;
    private volatile bool _due = true;

    internal WatchScreen(LinuxKernel kernel, string program)
    {
        (_kernel, _program) = (kernel, Text.Printable(program));
        int n = kernel.Machine.Cpus.Count;
        (_calls, _switches, _lastCalls, _lastSwitches) = (new ulong[n], new ulong[n], new ulong[n], new ulong[n]);
        (_lastInstructions, _lastBusy, _lastCycles) = (new ulong[n], new ulong[n], new ulong[n]);
        ProgressLine.Text = null;
        Write(Enter);
        _timer = new Timer(_ => _due = true, null, EachMs, EachMs);
    }

    /// <summary>Whether there is a terminal for it, which the guest does not print to.</summary>
    internal static bool CanBe => !Console.IsErrorRedirected && Console.IsOutputRedirected && Console.IsInputRedirected;

    /// <summary><see cref="KernelHooks.Switching"/>.</summary>
    internal void Switched(Cpu cpu) => _switches[cpu.Index]++;

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL == 0 && offset == 0 && (ExceptionClass)(cpu.ESR_EL1 >> 26) == ExceptionClass.Svc64)
            _calls[cpu.Index]++;
        if (!_due)
            return;
        _due = false;
        Draw();
    }

    private void Write(string text)
    {
        _terminal.Write(Encoding.UTF8.GetBytes(text));
        _terminal.Flush();
    }

    private void Draw()
    {
        (int height, int width) = TerminalMode.Size(StandardError);
        height = Math.Max(8, height);
        var lines = new List<string>();
        Machine machine = _kernel.Machine;
        double seconds = _clock.Elapsed.TotalSeconds, passed = Math.Max(1e-3, seconds - _lastSeconds);
        ulong now = machine.Cpus.Max(c => c.Cycles), instructions = Sum(machine.Cpus.Select(c => c.Instructions));
        double mips = (instructions - Sum(_lastInstructions)) / passed / 1e6;
        lines.Add(string.Create(CultureInfo.InvariantCulture,
            $"{_program}: cycle {now:N0}, {(double)now / machine.ClockFrequency:F3} s of the guest, {mips:F1} MIPS, {seconds:F0} s"));
        lines.Add("");
        lines.Add($"{"CPU",3} {"TASK",-22} {"TPIDRRO_EL0",12} {"BUSY",5} {"MIPS",6} {"CALLS/S",10} {"SWITCHES/S",10}");
        foreach (Cpu cpu in machine.Cpus)
            lines.Add(CpuLine(cpu, passed));
        _lastSeconds = seconds;
        lines.Add("");
        lines.Add($"{"TID",7} {"PID",7} {"S",1} {"CPU",3} {"CYCLES",16} {"CALL",-18} NAME");
        foreach (KernelTask task in _kernel.Tasks.Groups.SelectMany(g => g.Threads).OrderBy(t => t.Tid).Take(height - lines.Count - 1))
            lines.Add(TaskLine(task));
        var screen = new StringBuilder(Home);
        foreach (string line in lines.Take(height - 1))
            screen.Append(line.Length < width ? line : line[..Math.Max(0, width - 1)]).Append(EndLine);
        // What is below is from before.
        Write(screen.Append("\u001b[J").ToString());
    }

    /// <summary>Calls and switches are those of a second of the guest, instructions of one of the host.</summary>
    private string CpuLine(Cpu cpu, double passed)
    {
        int i = cpu.Index;
        ulong busy = cpu.Cycles - cpu.Timing.WaitCycles, cycles = cpu.Cycles - _lastCycles[i];
        double guest = Math.Max(1e-9, (double)cycles / _kernel.Machine.ClockFrequency);
        ulong offset = cpu.TPIDRRO_EL0;
        string task = _kernel.Scheduler.IsIdle(i) ? "idle" : Text.Printable(_kernel.Scheduler.Current(i).ToString());
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{i,3} {task,-22} {(offset == 0 ? "off" : $"0x{offset:x}"),12} {100.0 * (busy - _lastBusy[i]) / Math.Max(1, cycles),4:F0}% "
            + $"{(cpu.Instructions - _lastInstructions[i]) / passed / 1e6,6:F1} {(_calls[i] - _lastCalls[i]) / guest,10:N0} "
            + $"{(_switches[i] - _lastSwitches[i]) / guest,10:N0}");
        (_lastCalls[i], _lastSwitches[i], _lastInstructions[i]) = (_calls[i], _switches[i], cpu.Instructions);
        (_lastBusy[i], _lastCycles[i]) = (busy, cpu.Cycles);
        return line;
    }

    private string TaskLine(KernelTask task)
    {
        (ulong user, ulong system) = _kernel.Accounting.TimeOf(task);
        char state = task.OnCpu ? 'R' : task.State switch
        {
            TaskState.Runnable => 'r',
            TaskState.Sleeping => 'S',
            TaskState.Stopped => 'T',
            _ => 'Z',
        };
        string call = task.Syscall is { } open ? Kernel.Syscalls.SyscallTable.NameOf(open.Number) : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{task.Tid,7} {task.Group.Pid,7} {state} {task.Cpu,3} {user + system,16:N0} {call,-18} {Text.Printable(task.Comm)}");
    }

    private static ulong Sum(IEnumerable<ulong> numbers) => numbers.Aggregate(0UL, (sum, n) => sum + n);

    /// <summary>Gives the terminal back.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Write(Leave);
    }

    /// <inheritdoc/>
    public bool WantsInstructions => false;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
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
