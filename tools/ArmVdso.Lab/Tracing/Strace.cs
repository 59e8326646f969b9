using System.Globalization;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.Tracing;

/// <summary>System calls as strace prints them.</summary>
public sealed class Strace
{
    /// <summary>Where results stand (strace -a).</summary>
    private const int ResultColumn = 40;

    private const int SIGKILL = 9;

    /// <summary>A call that has begun.</summary>
    private sealed record Begun(string Name, string Text, int Printed, Dictionary<int, int> Lengths, ulong Cycle, ulong Used, bool Shown);

    private readonly TextWriter _output;
    private readonly StraceSettings _settings;
    private readonly Dictionary<int, Begun> _begun = [];
    private readonly Dictionary<int, List<SignalInfo>> _ignored = [];
    private readonly HashSet<int> _alive = [];
    private readonly StraceSummary _summary = new();
    private LinuxKernel? _kernel;
    private VdsoStream? _vdso;
    private int _open, _column;
    private ulong _last;

    /// <summary>Nothing yet.</summary>
    /// <param name="output">Where the lines are written.</param>
    /// <param name="settings">What is shown; null: all.</param>
    public Strace(TextWriter output, StraceSettings? settings = null)
    {
        _output = output;
        _settings = settings ?? new StraceSettings();
    }

    /// <summary>The kernel whose calls these are; set before the run.</summary>
    public LinuxKernel Kernel
    {
        get => _kernel ?? throw new InvalidOperationException("no kernel");
        set => _kernel = value;
    }

    /// <summary>Sees the calls of vDSO functions too; null unless the settings want them. It is the machine's observer then.</summary>
    public IMachineObserver? ObserveVdso() => _settings.Vdso ? _vdso = new VdsoStream(Kernel, VdsoCall) : null;

    /// <summary>A function of the vDSO has returned.</summary>
    private void VdsoCall(KernelTask task, CallInVdso call, long result, ulong cycles)
    {
        if (!_settings.Lines)
            return;
        CallFormat format = FormatOf(call.Name);
        var values = new StraceValues(Kernel, task, call.Arguments, result, _settings);
        string arguments = string.Join(", ", format.Arguments.Select((kind, i) => values.Argument(i, kind)).OfType<string>());
        string why = call.Reason is null ? "" : $", fell back: {call.Reason}";
        string shown = result is < 0 and >= -4095 ? StraceText.Error(-result) : StraceText.Number(result);
        Begin(task);
        Write($"vdso: {call.Name}({arguments}) ");
        Write("".PadRight(Math.Max(0, ResultColumn - _column)));
        Write($"= {shown} <{cycles} cycles{why}>");
        EndLine();
    }

    /// <summary>The calls whose arguments are printed by what they are; others are numbers.</summary>
    public static IEnumerable<string> DescribedCalls => StraceTables.CallNames;

    private bool Shows(string name) => _settings.Calls?.Invoke(name) != false;

    /// <summary>A call's entry (result null) or exit.</summary>
    public void Syscall(KernelTask task, SystemCall c, long? result)
    {
        _alive.Add(task.Tid);
        string name = SyscallTable.NameOf(c.Number);
        if (result is null)
            _vdso?.FellBack(task, Kernel.Records.Registers(task).PC);
        if (!Shows(name))
            return;
        if (result is null)
        {
            Enter(task, c, name);
            if (name is "exit" or "exit_group")
                Leave(task, c, null);
            return;
        }
        Leave(task, c, result);
    }

    private static ulong[] ArgumentsOf(SystemCall c) => [c.Arg(0), c.Arg(1), c.Arg(2), c.Arg(3), c.Arg(4), c.Arg(5)];

    private StraceValues Values(SystemCall c, long? result, Dictionary<int, int>? lengths = null) =>
        new(Kernel, c.Task, ArgumentsOf(c), result, _settings)
        {
            StackPointer = Kernel.Records.Registers(c.Task).SP,
            Before = lengths ?? [],
        };

    private void Enter(KernelTask task, SystemCall c, string name)
    {
        StraceValues values = Values(c, null);
        CallFormat format = FormatOf(name);
        int printed = 0;
        var parts = new List<string>();
        while (printed < format.Arguments.Count && !format.Arguments[printed].Written)
        {
            if (values.Argument(printed, format.Arguments[printed]) is { } text)
                parts.Add(text);
            printed++;
        }
        // What the call writes comes later, unless there is nothing.
        bool more = printed < format.Arguments.Count && format.Arguments[printed] is var next
            && (next.Kind is not ("fcntl" or "ioctlarg" or "prctlargs") || values.Argument(printed, next) is not null);
        string entry = $"{name}({string.Join(", ", parts)}{(more && parts.Count > 0 ? ", " : "")}";
        bool shown = _settings.Lines && _settings.Statuses is null;
        _begun[task.Tid] = new Begun(name, entry, printed, values.Lengths(format), Now(task), Used(task), shown);
        if (!shown)
            return;
        Begin(task);
        Write(entry);
        _open = task.Tid;
    }

    /// <summary>A call that no table describes has six numbers.</summary>
    private static CallFormat FormatOf(string name) => StraceTables.Call(name) ?? new CallFormat(
        [.. Enumerable.Repeat(new ValueKind(false, "lx", ""), SyscallTable.All.FirstOrDefault(r => r.Name == name) is { } row
            ? row.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length : 6)], "");

    private void Leave(KernelTask task, SystemCall c, long? result)
    {
        if (!_begun.Remove(task.Tid, out Begun? begun))
            return;
        string name = begun.Name;
        CallFormat format = FormatOf(name);
        if (result == SystemCall.NoReturn)
            result = name == "rt_sigreturn" ? (long)Kernel.Records.Registers(task)[0] : 0;
        StraceValues values = Values(c, result ?? 0, begun.Lengths);
        if (result is < 0 && IsKilled(task))
            result = null;
        bool failed = result is < 0 and >= -4095;
        ulong took = Kernel.Clock.NsOfCycles(Math.Max(Now(task), begun.Cycle) - begun.Cycle);
        if (result is not null)
            _summary.Add(name, Kernel.Clock.NsOfCycles(Used(task) - begun.Used), failed);
        string status = result is null ? "unfinished" : failed ? "failed" : "successful";
        if (!_settings.Lines || _settings.Statuses?.Contains(status) == false)
            return;
        if (_open == task.Tid)
        {
            _open = 0;
        }
        else
        {
            Begin(task);
            Write(begun.Shown ? $"<... {name} resumed>" : begun.Text);
        }
        IEnumerable<string?> rest = Enumerable.Range(begun.Printed, format.Arguments.Count - begun.Printed)
            .Select(i => values.Argument(i, format.Arguments[i]));
        bool killed = result is null && name is not ("exit" or "exit_group");
        Write(string.Join(", ", rest.OfType<string>()) + (killed ? " <unfinished ...>) " : ") "));
        Write("".PadRight(Math.Max(0, ResultColumn - _column)));
        Write("= " + (result is not { } value ? "?" : failed ? StraceText.Error(-value)
            : Result(values, format.Result, value) + values.ResultExtra(format.Result)));
        if (_settings.Durations && result is not null)
            Write(string.Create(CultureInfo.InvariantCulture, $" <{took / 1e9:F6}>"));
        EndLine();
        if (_ignored.Remove(task.Tid, out List<SignalInfo>? signals))
            signals.ForEach(info => Signal(task, info));
    }

    /// <summary>A signal that the process ignores has been sent to it: strace sees it, when the call that the process is in has
    /// ended.</summary>
    public void SignalIgnored(KernelTask task, SignalInfo info)
    {
        if (!_begun.ContainsKey(task.Tid))
            Signal(task, info);
        else if (_ignored.TryGetValue(task.Tid, out List<SignalInfo>? signals))
            signals.Add(info);
        else
            _ignored[task.Tid] = [info];
    }

    /// <summary>SIGKILL has reached the task: it never returns from its call.</summary>
    private static bool IsKilled(KernelTask task) => task.Signals.Killed
        || ((task.Signals.Pending.Set | task.Group.SharedPending.Set) & 1UL << (SIGKILL - 1)) != 0;

    private static string Result(StraceValues values, string kind, long result) => kind switch
    {
        "p" => StraceText.Hex((ulong)result),
        "o" => StraceText.Octal((ulong)result),
        "fd" => values.Descriptor((int)result),
        "fcntl" when result > 0 && values.IsFlagsRequest => StraceText.Hex((ulong)result),
        _ => StraceText.Number(result),
    };

    /// <summary>A signal is delivered.</summary>
    public void Signal(KernelTask task, SignalInfo info)
    {
        if (!_settings.Lines || info.Number == SIGKILL || _settings.Signals?.Invoke(info.Number) == false)
            return;
        Line(task, $"--- {StraceText.SignalName(info.Number)} {StraceText.SignalInfo(info.ToBytes())} ---");
    }

    /// <summary>A process has ended, with this wait status.</summary>
    public void Exit(KernelTask task, int status)
    {
        if (_settings.Lines && !_settings.Quiet)
        {
            Line(task, (status & 0x7f) == 0
                ? $"+++ exited with {status >> 8 & 0xff} +++"
                : $"+++ killed by {StraceText.SignalName(status & 0x7f)}{((status & 0x80) != 0 ? " (core dumped)" : "")} +++");
        }
        foreach (int tid in _alive.Where(t => Kernel.Tasks.Find(t) is not { } other || ReferenceEquals(other.Group, task.Group)).ToList())
        {
            _alive.Remove(tid);
            _begun.Remove(tid);
        }
    }

    /// <summary>Writes what is written at the end of a run.</summary>
    public void Finish()
    {
        if (_open != 0)
            EndLine(" <unfinished ...>");
        _open = 0;
        if (_settings.Summary)
            _summary.Write(_output);
        _output.Flush();
    }

    private void Line(KernelTask task, string text)
    {
        Begin(task);
        Write(text);
        EndLine();
    }

    /// <summary>Begins a line of a task: one that another has begun is left, to be resumed.</summary>
    private void Begin(KernelTask task)
    {
        if (_open != 0)
            EndLine(" <unfinished ...>");
        _open = 0;
        _alive.Add(task.Tid);
        if (_alive.Count > 1)
            Write($"[pid {task.Tid}] ");
        Write(Stamp());
    }

    /// <summary>CPU time of a task; between a call's begin and end it is what the kernel takes for it.</summary>
    private ulong Used(KernelTask task) => Kernel.Accounting.TimeOf(task) is var (user, system) ? user + system : 0;

    private ulong Now(KernelTask task) => Kernel.Machine.Cpus[task.Cpu].Cycles;

    private string Stamp()
    {
        if (_settings.Stamp == StraceStamp.None)
            return "";
        ulong now = Kernel.Timekeeper.RealtimeNs, since = now - (_last == 0 ? now : _last);
        _last = now;
        DateTime time = DateTime.UnixEpoch.AddTicks((long)(now / 100));
        return _settings.Stamp switch
        {
            StraceStamp.Seconds => time.ToString("HH:mm:ss ", CultureInfo.InvariantCulture),
            StraceStamp.Microseconds => time.ToString("HH:mm:ss.ffffff ", CultureInfo.InvariantCulture),
            StraceStamp.Epoch => string.Create(CultureInfo.InvariantCulture, $"{now / 1_000_000_000}.{now / 1000 % 1_000_000:D6} "),
            StraceStamp.Relative => string.Create(CultureInfo.InvariantCulture, $"{since / 1e9,12:F6} "),
            _ => "",
        };
    }

    private void Write(string text)
    {
        _output.Write(text);
        _column += text.Length;
    }

    private void EndLine(string text = "")
    {
        _output.Write(text + "\n");
        _column = 0;
    }

    /// <summary>A call with its arguments as the registers held them, and its result.</summary>
    internal static string Short(RecentCall call) => $"{NameAndRegisters(call.Number, call.Arguments)} = {call.Result switch
    {
        null => "?",
        SystemCall.NoReturn => "0",
        < 0 and >= -4095 => StraceText.Error(-call.Result.Value),
        _ => StraceText.Number(call.Result.Value),
    }}";

    /// <summary>A call in progress with its arguments as the registers held them.</summary>
    internal static string NameAndRegisters(SystemCall c) =>
        NameAndRegisters(c.Number, ArgumentsOf(c));

    private static string NameAndRegisters(int number, IReadOnlyList<ulong> arguments)
    {
        string name = SyscallTable.NameOf(number);
        return $"{name}({string.Join(", ", arguments.Take(FormatOf(name).Arguments.Count).Select(StraceText.Hex))})";
    }
}
