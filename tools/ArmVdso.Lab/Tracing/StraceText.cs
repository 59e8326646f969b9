using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;

namespace ArmVdso.Lab.Tracing;

/// <summary>Numbers, strings, signals and wait statuses in strace's words.</summary>
internal static class StraceText
{
    internal static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>An address.</summary>
    internal static string Pointer(ulong value) => value == 0 ? "NULL" : Hex(value);

    internal static string Octal(ulong value) => value == 0 ? "0" : "0" + Convert.ToString((long)value, 8);

    internal static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A user or group ID: -1 leaves what is there.</summary>
    internal static string Id(ulong value) => (uint)value == uint.MaxValue ? "-1" : Number((uint)value);

    /// <summary>A file's mode: type and permissions.</summary>
    internal static string Mode(uint mode)
    {
        uint type = mode & 0xf000;
        string bits = Octal(mode & 0xfff).PadLeft(4, '0');
        return type == 0 ? bits : StraceTables.Set("ifmt").Has(type) ? $"{StraceTables.Set("ifmt").Text(type)}|{bits}" : Octal(mode);
    }

    /// <summary>Bytes in quotes, with the escapes of C.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="most">How many of them; more are told of by three dots.</param>
    /// <param name="more">There are more that were not read.</param>
    internal static string Quote(ReadOnlySpan<byte> bytes, int most, bool more = false)
    {
        var text = new StringBuilder("\"");
        int n = Math.Min(bytes.Length, most);
        for (int i = 0; i < n; i++)
        {
            byte b = bytes[i];
            text.Append(b switch
            {
                (byte)'"' => "\\\"",
                (byte)'\\' => "\\\\",
                9 => "\\t",
                10 => "\\n",
                11 => "\\v",
                12 => "\\f",
                13 => "\\r",
                >= 0x20 and < 0x7f => ((char)b).ToString(),
                // As short as it is clear: a digit may follow.
                _ => "\\" + (i + 1 < n && bytes[i + 1] is >= (byte)'0' and <= (byte)'9'
                    ? Convert.ToString(b, 8).PadLeft(3, '0') : Convert.ToString(b, 8)),
            });
        }
        return text.Append(more || bytes.Length > most ? "\"..." : "\"").ToString();
    }

    /// <summary>Bytes in quotes, all in hexadecimal.</summary>
    internal static string QuoteHex(ReadOnlySpan<byte> bytes, int most)
    {
        var text = new StringBuilder("\"");
        foreach (byte b in bytes[..Math.Min(bytes.Length, most)])
            text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
        return text.Append(bytes.Length > most ? "\"..." : "\"").ToString();
    }

    internal static string Quote(string latin1, int most) => Quote(Encoding.Latin1.GetBytes(latin1), most);

    /// <summary>SIGNAME, SIGRT_n, or a number.</summary>
    internal static string SignalName(int signal) => signal switch
    {
        Signal.SIGRTMIN => "SIGRTMIN",
        > Signal.SIGRTMIN and <= Signal.Count => $"SIGRT_{signal - Signal.SIGRTMIN}",
        > 0 and < Signal.SIGRTMIN => Signal.NameOf(signal),
        _ => Number(signal),
    };

    /// <summary>A signal set; one that holds most signals by those that it does not hold.</summary>
    internal static string SignalSet(ulong set)
    {
        bool inverted = System.Numerics.BitOperations.PopCount(set) >= Signal.Count * 2 / 3;
        ulong shown = inverted ? ~set : set;
        var names = new List<string>();
        for (int signal = 1; signal <= Signal.Count; signal++)
        {
            if ((shown & Signal.Bit(signal)) != 0)
                names.Add(SignalName(signal)[3..]);
        }
        return $"{(inverted ? "~" : "")}[{string.Join(' ', names)}]";
    }

    /// <summary>siginfo_t.</summary>
    internal static string SignalInfo(ReadOnlySpan<byte> b)
    {
        int number = BitConverter.ToInt32(b), errno = BitConverter.ToInt32(b[4..]), code = BitConverter.ToInt32(b[8..]);
        if (number == 0)
            return "{}";
        var text = new StringBuilder($"{{si_signo={SignalName(number)}, si_code={SignalCodes.NameOf(number, code)}");
        if (errno != 0)
            text.Append($", si_errno={ErrorName(errno)}");
        int first = BitConverter.ToInt32(b[16..]);
        uint second = BitConverter.ToUInt32(b[20..]);
        if (code == Signal.SI_TIMER)
        {
            text.Append(CultureInfo.InvariantCulture, $", si_timerid={Hex((uint)first)}, si_overrun={(int)second}{Value(b[24..])}");
        }
        else if (code is > 0 and not Signal.SI_KERNEL)
        {
            if (Signal.HasAddress(number))
                text.Append($", si_addr={Pointer(BitConverter.ToUInt64(b[16..]))}");
            else if (number == Signal.SIGCHLD)
                text.Append(Child(b, first, second, code));
        }
        else if (code == Signal.SI_KERNEL)
        {
            if (Signal.HasAddress(number))
                text.Append(", si_addr=NULL");
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $", si_pid={first}, si_uid={second}");
            if (BitConverter.ToUInt64(b[24..]) != 0 || code == Signal.SI_QUEUE)
                text.Append(Value(b[24..]));
        }
        return text.Append('}').ToString();
    }

    private static string Value(ReadOnlySpan<byte> b) =>
        $", si_int={Number(BitConverter.ToInt32(b))}, si_ptr={Pointer(BitConverter.ToUInt64(b))}";

    private static string Child(ReadOnlySpan<byte> b, int pid, uint uid, int code)
    {
        int status = BitConverter.ToInt32(b[24..]);
        string shown = code == Signal.CLD_EXITED ? Number(status) : SignalName(status);
        return $", si_pid={Number(pid)}, si_uid={Number(uid)}, si_status={shown}"
            + $", si_utime={Number(BitConverter.ToInt64(b[32..]))}, si_stime={Number(BitConverter.ToInt64(b[40..]))}";
    }

    /// <summary>A wait status.</summary>
    internal static string WaitStatus(int status)
    {
        int signal = status & 0x7f;
        if (status == 0xffff)
            return "{WIFCONTINUED(s)}";
        if ((status & 0xff) == 0x7f)
            return $"{{WIFSTOPPED(s) && WSTOPSIG(s) == {SignalName(status >> 8 & 0xff)}}}";
        return signal == 0
            ? $"{{WIFEXITED(s) && WEXITSTATUS(s) == {Number(status >> 8 & 0xff)}}}"
            : $"{{WIFSIGNALED(s) && WTERMSIG(s) == {SignalName(signal)}{((status & 0x80) != 0 ? " && WCOREDUMP(s)" : "")}}}";
    }

    /// <summary>ENOENT and its like.</summary>
    internal static string ErrorName(long errno) => errno switch
    {
        512 => "ERESTARTSYS",
        513 => "ERESTARTNOINTR",
        514 => "ERESTARTNOHAND",
        516 => "ERESTART_RESTARTBLOCK",
        _ => Errno.NameOf(errno),
    };

    /// <summary>A result that is an error, with its text.</summary>
    internal static string Error(long errno) => errno switch
    {
        512 => "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        513 => "? ERESTARTNOINTR (To be restarted)",
        514 => "? ERESTARTNOHAND (To be restarted if no handler)",
        516 => "? ERESTART_RESTARTBLOCK (Interrupted by signal)",
        _ => $"-1 {ErrorName(errno)} ({StraceTables.Error((int)errno)})",
    };
}
