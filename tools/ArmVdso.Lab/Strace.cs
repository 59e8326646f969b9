using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab;

/// <summary>System calls as strace prints them: [pid N] name(arguments) = result.</summary>
/// <param name="output">Where the lines are written.</param>
public sealed class Strace(TextWriter output)
{
    private readonly Dictionary<int, string> _unfinished = [];
    private int _first;
    private bool _several;

    /// <summary>A call's entry (result null) or exit.</summary>
    public void Syscall(KernelTask task, SystemCall c, long? result)
    {
        if (result is null)
        {
            string text = Format(c);
            _unfinished[task.Tid] = text;
            if (SyscallTable.NameOf(c.Number) is "exit" or "exit_group")
                Line(task, $"{text} = ?");
            return;
        }
        string call = _unfinished.Remove(task.Tid, out string? entry) ? entry : Format(c);
        long value = result.Value;
        if (value == SystemCall.NoReturn)
            Line(task, $"{call} = 0");
        else if (value is < 0 and >= -4095)
            Line(task, $"{call} = {(value <= -512 ? "?" : "-1")} {Errno.NameOf(-value)}");
        else
            Line(task, $"{call} = {(IsPointer(c.Number) ? Hex((ulong)value) : value.ToString(CultureInfo.InvariantCulture))}");
    }

    /// <summary>A signal is delivered.</summary>
    public void Signal(KernelTask task, SignalInfo info)
    {
        string name = Kernel.Abi.Signal.NameOf(info.Number);
        string from = info.Synchronous ? $"si_addr=0x{info.Address:x}" : $"si_pid={info.Pid}";
        Line(task, $"--- {name} {{si_signo={name}, si_code={info.Code}, {from}}} ---");
    }

    /// <summary>A process has ended, with this wait status.</summary>
    public void Exit(KernelTask task, int status) => Line(task, (status & 0x7f) == 0
        ? $"+++ exited with {status >> 8 & 0xff} +++"
        : $"+++ killed by {Kernel.Abi.Signal.NameOf(status & 0x7f)}{((status & 0x80) != 0 ? " (core dumped)" : "")} +++");

    private static bool IsPointer(int number) => SyscallTable.NameOf(number) is "mmap" or "mremap" or "brk" or "shmat";

    private void Line(KernelTask task, string text)
    {
        if (_first == 0)
            _first = task.Tid;
        _several |= task.Tid != _first;
        output.WriteLine(_several ? $"[pid {task.Tid}] {text}" : text);
    }

    /// <summary>A call with its arguments as the registers held them, and its result.</summary>
    internal static string Short(RecentCall call) => $"{NameAndRegisters(call.Number, call.Arguments)} = {call.Result switch
    {
        null => "?",
        SystemCall.NoReturn => "0",
        < 0 and >= -4095 => $"-1 {Errno.NameOf(-call.Result.Value)}",
        _ => call.Result.Value.ToString(CultureInfo.InvariantCulture),
    }}";

    /// <summary>A call in progress with its arguments as the registers held them.</summary>
    internal static string NameAndRegisters(SystemCall c) =>
        NameAndRegisters(c.Number, [c.Arg(0), c.Arg(1), c.Arg(2), c.Arg(3), c.Arg(4), c.Arg(5)]);

    private static string NameAndRegisters(int number, IReadOnlyList<ulong> arguments)
    {
        int n = SyscallTable.Find(number)?.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length ?? 6;
        return $"{SyscallTable.NameOf(number)}({string.Join(", ", arguments.Take(n).Select(Hex))})";
    }

    private static string Format(SystemCall c)
    {
        SyscallRow? row = SyscallTable.Find(c.Number);
        string[] names = row?.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        var text = new StringBuilder(SyscallTable.NameOf(c.Number)).Append('(');
        int n = row is null ? 6 : names.Length;
        for (int i = 0; i < Math.Min(n, 6); i++)
        {
            if (i > 0)
                text.Append(", ");
            text.Append(Argument(c, i, row is null ? "" : names[i]));
        }
        return text.Append(')').ToString();
    }

    private static string Argument(SystemCall c, int i, string name)
    {
        ulong value = c.Arg(i);
        switch (name)
        {
            case "dfd" or "olddfd" or "newdfd" when (int)value == -100:
                return "AT_FDCWD";
            case "path" or "filename" or "oldpath" or "newpath" or "pathname" or "target" or "linkpath":
                return value == 0 ? "NULL" : c.Task.Mm is { } mm && mm.ReadString(value, 4096, out string s) == 0 ? Quote(s, 64)
                    : Hex(value);
            case "mode" or "umask":
                return "0" + Convert.ToString((long)(value & 0xffff), 8);
        }
        // Small numbers and small negative ints in decimal, everything else as an address.
        if (value < 0x10000)
            return value.ToString(CultureInfo.InvariantCulture);
        int word = (int)value;
        return value >> 32 is 0 or 0xffffffff && word is < 0 and > -4096 ? word.ToString(CultureInfo.InvariantCulture) : Hex(value);
    }

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    private static string Quote(string text, int max)
    {
        var quoted = new StringBuilder("\"");
        foreach (char ch in text.Length > max ? text[..max] : text)
        {
            quoted.Append(ch switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                < ' ' or > '~' => "\\" + Convert.ToString(ch, 8),
                _ => ch.ToString(),
            });
        }
        return quoted.Append(text.Length > max ? "\"..." : "\"").ToString();
    }
}
