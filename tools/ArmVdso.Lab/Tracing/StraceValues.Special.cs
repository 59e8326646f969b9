using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Lab.Tracing;

/// <summary>Kinds of values that one call or a few have: files, memory, processes, signals, time.</summary>
internal sealed partial class StraceValues
{
    private const ulong O_CREAT = 0x40, O_TMPFILE = 0x400000;

    private string? Special(ValueKind kind, ulong value, int i) => kind.Kind switch
    {
        "openflags" => OpenFlags((uint)value),
        "openmode" => (Arg(i - 1) & (O_CREAT | O_TMPFILE)) != 0 ? StraceText.Octal(value & 0xffff).PadLeft(4, '0') : null,
        "access" => (uint)value == 0 ? "F_OK" : StraceTables.Set("access").Text((uint)value),
        "statxflags" => StatxFlags((uint)value),
        "stat" => Stat(value),
        "mknoddev" => (Arg(i - 1) & 0xf000) is 0x2000 or 0x6000 ? Scalar(new ValueKind(false, "dev", ""), value) : null,
        "dirents" => Entries(value),
        "moved" => value == 0 ? "NULL" : Read(value, 8) is { } at ? Moved(kind, at) : StraceText.Pointer(value),
        "utimes" => Times(value),
        "map" => MapFlags((uint)value),
        "mremapto" => (Arg(3) & 6) != 0 ? StraceText.Pointer(value) : null,
        "argv" => Strings(value),
        "envp" => value == 0 ? "NULL" : $"{StraceText.Hex(value)} /* {Count(value)} vars */",
        "clone" => Clone(kind.Parameter),
        "wstatus" => value == 0 ? "NULL" : _result > 0 && Read(value, 4) is { } status
            ? $"[{StraceText.WaitStatus(Int(status, 0))}]" : StraceText.Pointer(value),
        "rusagewait" => value == 0 || _result is not > 0 ? StraceText.Pointer(value) : Struct("rusage", value),
        "siginfo" => value == 0 ? "NULL" : Read(value, 128) is { } info ? StraceText.SignalInfo(info) : StraceText.Pointer(value),
        "sigaction" => SignalAction(value),
        "sigreturn" => SignalReturn(),
        "remaining" => Remaining(value),
        "schedparam" => Struct("schedparam", value),
        "cpuset" => Cpus(value, kind.Parameter == "ret" ? (ulong)_result!.Value : Arg(kind.Parameter)),
        "ids" => Ids(value, kind.Parameter == "ret" ? (ulong)_result!.Value : Arg(kind.Parameter)),
        "prctlargs" => ProcessControl(),
        "ipcget" => ((value & 0xfe00) == 0 ? "" : StraceTables.Set("ipcget").Text(value & 0xfe00) + "|")
            + StraceText.Octal(value & 0x1ff).PadLeft(4, '0'),
        "membarriercpu" => Arg(1) == 0 ? null : StraceText.Number((int)value),
        "restart" => "<... resuming interrupted system call ...>",
        "futexop" or "futexval" or "futextimeout" or "futexaddr" or "futexval3" => Futex(kind.Kind, value),
        _ => Transfer(kind, value, i),
    };

    private static string OpenFlags(ulong flags)
    {
        string access = StraceTables.Set("accmode").Text(flags & 3);
        ulong rest = flags & ~3UL;
        return rest == 0 ? access : $"{access}|{StraceTables.Set("open").Text(rest)}";
    }

    private static string StatxFlags(uint flags)
    {
        string rest = StraceTables.Set("statxflags").Text(flags);
        return (flags & 0x6000) != 0 ? rest : rest == "0" ? "AT_STATX_SYNC_AS_STAT" : $"AT_STATX_SYNC_AS_STAT|{rest}";
    }

    private string Stat(ulong address)
    {
        if (Failed || Read(address, 128) is not { } bytes)
            return StraceText.Pointer(address);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16)) & 0xf000;
        return Struct(type is 0x2000 or 0x6000 ? "statrdev" : "stat", bytes);
    }

    private string Entries(ulong address)
    {
        int count = 0;
        for (ulong at = 0; at < (ulong)_result!.Value && Read(address + at + 16, 2) is { } length;)
        {
            ushort size = BitConverter.ToUInt16(length);
            if (size == 0)
                break;
            at += size;
            count++;
        }
        return $"{StraceText.Pointer(address)} /* {StraceText.Number(count)} entries */";
    }

    private ulong _before;

    /// <summary>An offset that the call moves.</summary>
    private string Moved(ValueKind kind, byte[] bytes)
    {
        long now = BitConverter.ToInt64(bytes);
        if (!kind.Written || _result is not > 0)
            return $"[{StraceText.Number(now)}]";
        _before = (ulong)(now - _result.Value);
        return $"[{StraceText.Number(_before)}] => [{StraceText.Number(now)}]";
    }

    private string Times(ulong address)
    {
        if (Read(address, 32) is not { } bytes)
            return StraceText.Pointer(address);
        string One(int at) => BitConverter.ToInt64(bytes, at + 8) switch
        {
            0x3fffffff => "UTIME_NOW",
            0x3ffffffe => "UTIME_OMIT",
            _ => $"{Struct("timespec", bytes.AsSpan(at, 16))}{Date(BitConverter.ToInt64(bytes, at), BitConverter.ToInt64(bytes, at + 8))}",
        };
        return $"[{One(0)}, {One(16)}]";
    }

    private static string Date(long seconds, long nanoseconds)
    {
        if (seconds is 0 or < 0 or > 1L << 34)
            return "";
        string fraction = nanoseconds == 0 ? "" : $".{nanoseconds:D9}";
        return $" /* {DateTime.UnixEpoch.AddSeconds(seconds):yyyy-MM-ddTHH:mm:ss}{fraction}+0000 */";
    }

    private static string MapFlags(uint flags)
    {
        string type = StraceTables.Set("maptype").Text(flags & 3);
        uint rest = flags & ~3u;
        return rest == 0 ? type : $"{type}|{StraceTables.Set("map").Text(rest)}";
    }

    private string Strings(ulong address)
    {
        if (address == 0)
            return "NULL";
        var parts = new List<string>();
        for (int n = 0; n < MostElements; n++)
        {
            if (Read(address + (ulong)n * 8, 8) is not { } pointer)
                return StraceText.Pointer(address);
            if (BitConverter.ToUInt64(pointer) is not (> 0 and var at))
                return $"[{string.Join(", ", parts)}]";
            parts.Add(_memory!.ReadString(at, MostPath) is { } text
                ? StraceText.Quote(text, _settings.StringLength) : StraceText.Pointer(at));
        }
        return $"[{string.Join(", ", parts)}, ...]";
    }

    private int Count(ulong address)
    {
        int n = 0;
        while (Read(address + (ulong)n * 8, 8) is { } pointer && BitConverter.ToUInt64(pointer) != 0)
            n++;
        return n;
    }

    private string? Clone(string part)
    {
        const ulong settls = 0x80000, parentSettid = 0x100000, childClear = 0x200000, childSet = 0x1000000;
        ulong flags = Arg(0);
        int signal = (int)(flags & 0xff);
        string named = StraceTables.Set("clone").Text(flags & ~0xffUL);
        string exit = signal == 0 ? "" : StraceText.SignalName(signal);
        return part switch
        {
            "stack" => $"child_stack={StraceText.Pointer(Arg(1))}",
            "flags" => "flags=" + (exit.Length == 0 ? named : named == "0" ? exit : $"{named}|{exit}"),
            "ptid" => (flags & parentSettid) != 0 ? $"parent_tid={ParentTid()}" : null,
            "tls" => (flags & settls) != 0 ? $"tls={StraceText.Pointer(Arg(3))}" : null,
            _ => (flags & (childClear | childSet)) != 0 ? $"child_tidptr={StraceText.Pointer(Arg(4))}" : null,
        };
    }

    private string ParentTid() =>
        _result > 0 && Read(Arg(2), 4) is { } tid ? $"[{StraceText.Number(Int(tid, 0))}]" : StraceText.Pointer(Arg(2));

    private string SignalAction(ulong address)
    {
        // struct kernel_sigaction: handler, flags, restorer, mask.
        if (Read(address, 32) is not { } b)
            return StraceText.Pointer(address);
        ulong handler = BitConverter.ToUInt64(b), flags = BitConverter.ToUInt64(b, 8), restorer = BitConverter.ToUInt64(b, 16);
        string name = handler switch { 0 => "SIG_DFL", 1 => "SIG_IGN", _ => StraceText.Hex(handler) };
        string more = (flags & Signal.SA_RESTORER) != 0 ? $", sa_restorer={StraceText.Pointer(restorer)}" : "";
        return $"{{sa_handler={name}, "
            + $"sa_mask={StraceText.SignalSet(BitConverter.ToUInt64(b, 24))}, sa_flags={StraceTables.Set("sa").Text(flags)}{more}}}";
    }

    /// <summary>The mask that comes back: uc_sigmask behind siginfo, in ucontext at 40.</summary>
    private string SignalReturn() =>
        Read(StackPointer + 128 + 40, 8) is { } mask ? $"{{mask={StraceText.SignalSet(BitConverter.ToUInt64(mask))}}}" : "{}";

    /// <summary>SP_EL0 at the call.</summary>
    internal ulong StackPointer { get; init; }

    private string Remaining(ulong address) =>
        _result is -Errno.ERESTART_RESTARTBLOCK or -Errno.EINTR ? Struct("timespec", address) : StraceText.Pointer(address);

    private string Cpus(ulong address, ulong length)
    {
        if (Read(address, (int)Math.Min(length, 128)) is not { } bytes)
            return StraceText.Pointer(address);
        return $"[{string.Join(' ', Bits(bytes).Select(n => StraceText.Number(n)))}]";
    }

    private static IEnumerable<int> Bits(byte[] bytes) =>
        Enumerable.Range(0, bytes.Length * 8).Where(n => (bytes[n / 8] >> (n % 8) & 1) != 0);

    private string Ids(ulong address, ulong count)
    {
        return count <= MostElements && Read(address, (int)count * 4) is { } bytes
            ? $"[{string.Join(", ", Enumerable.Range(0, (int)count).Select(n => StraceText.Id((uint)Int(bytes, n * 4))))}]"
            : StraceText.Pointer(address);
    }

    private string? ProcessControl()
    {
        const int setName = 15, getName = 16, setDumpable = 4, setPdeathsig = 1, setVma = 0x53564d41;
        return Int(0) switch
        {
            setName => Path(Arg(1)),
            getName => _result is null || Failed ? StraceText.Pointer(Arg(1)) : Path(Arg(1)),
            setDumpable => StraceTables.Set("dumpable").Text(Arg(1)),
            setPdeathsig => StraceText.SignalName(Int(1)),
            setVma => $"{StraceText.Number(Arg(1))}, {StraceText.Pointer(Arg(2))}, {StraceText.Number(Arg(3))}, {Path(Arg(4))}",
            3 or 7 or 21 or 25 or 27 or 30 => null,
            39 or 47 or 55 or 56 or 38 or 41 or 42 => $"{StraceText.Number(Arg(1))}, "
                + string.Join(", ", new[] { 2, 3, 4 }.Select(n => Arg(n) == 0 ? "0" : StraceText.Hex(Arg(n)))),
            2 or 37 => StraceText.Pointer(Arg(1)),
            _ => StraceText.Number((long)Arg(1)),
        };
    }

    private string? Futex(string part, ulong value)
    {
        const int wait = 0, requeue = 3, cmpRequeue = 4, wakeOp = 5, lockPi = 6, unlockPi = 7, trylockPi = 8, waitBitset = 9,
            wakeBitset = 10, waitRequeue = 11, cmpRequeuePi = 12, lockPi2 = 13;
        int op = Int(1) & 0x7f;
        bool timed = op is wait or lockPi or waitBitset or waitRequeue or lockPi2;
        bool moves = op is requeue or cmpRequeue or wakeOp or cmpRequeuePi;
        switch (part)
        {
            case "futexop":
                string name = StraceTables.Set("futexop").Text((ulong)op) + ((Int(1) & 128) != 0 ? "_PRIVATE" : "");
                return (Int(1) & 256) != 0 ? name + "|FUTEX_CLOCK_REALTIME" : name;
            case "futexval":
                return op is lockPi or unlockPi or trylockPi or lockPi2 ? null : StraceText.Number((uint)value);
            case "futextimeout":
                return timed ? Struct("timespec", value) : moves ? StraceText.Number((uint)value) : null;
            case "futexaddr":
                return moves || op == waitRequeue ? StraceText.Pointer(value) : null;
            default:
                if (op is waitBitset or wakeBitset)
                    return (uint)value == uint.MaxValue ? "FUTEX_BITSET_MATCH_ANY" : StraceText.Hex((uint)value);
                return op is cmpRequeue or cmpRequeuePi ? StraceText.Number((uint)value)
                    : op == wakeOp ? StraceText.Hex((uint)value) : null;
        }
    }
}
