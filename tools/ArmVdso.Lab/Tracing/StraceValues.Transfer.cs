using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace ArmVdso.Lab.Tracing;

/// <summary>Kinds of values of descriptors: fcntl, ioctl, poll and select, sockets.</summary>
internal sealed partial class StraceValues
{
    private string? Transfer(ValueKind kind, ulong value, int i) => kind.Kind switch
    {
        "fcntl" => FileControl(value),
        "ioctl" => StraceTables.Set("ioctl").Has((uint)value) ? StraceTables.Set("ioctl").Text((uint)value) : UnknownIoctl((uint)value),
        "ioctlarg" => IoctlArgument(value),
        "epollctl" => Int(1) == 2 ? StraceText.Pointer(value) : Struct("epollevent", value),
        "pollfds" => PollDescriptors(value, Arg(kind.Parameter), false),
        "fdset" => Descriptors(value, Int(0)),
        "sigsetarg" => SignalSetArgument(value),
        "socktype" => SocketType((uint)value),
        "proto" => Protocol((uint)value),
        "sockaddr" => Address(value, (int)Arg(kind.Parameter)),
        "sockaddrout" => Read(Arg(kind.Parameter), 4) is { } n ? Address(value, Int(n, 0)) : StraceText.Pointer(value),
        "lenptr" => LengthPointer(value, i),
        "sockopt" => SocketOption((uint)Arg(1), (uint)value),
        "sockoptin" => OptionValue(value, Int(4)),
        "sockoptout" => Read(Arg(4), 4) is { } length ? OptionValue(value, Int(length, 0)) : StraceText.Pointer(value),
        "sockoptlen" => Read(value, 4) is { } size ? $"[{StraceText.Number(Int(size, 0))}]" : StraceText.Pointer(value),
        "msghdr" => Message(value, kind.Written),
        _ => throw new InvalidOperationException($"calls.tsv: no kind '{kind.Kind}'"),
    };

    private string? FileControl(ulong value)
    {
        switch (Int(1))
        {
            case 1 or 3 or 9 or 11 or 1025 or 1032 or 1034:
                return null;
            case 2:
                return StraceTables.Set("fdflags").Text(value);
            case 4:
                return OpenFlags((uint)value);
            case 5 or 36:
                return Failed ? Struct("flock", value) : FlockResult(value);
            case 6 or 7 or 37 or 38:
                return Struct("flock", value);
            case 10:
                return StraceText.SignalName((int)value);
            case 1033:
                return StraceTables.Set("seals").Text(value);
            case 1024:
                return StraceTables.Set("locktype").Text(value);
            default:
                return StraceText.Number((int)value);
        }
    }

    private string FlockResult(ulong value) =>
        Read(value, 2) is [2, 0] ? Struct("flock", value).Replace("}", ", l_pid=0}", StringComparison.Ordinal) : Struct("flockget", value);

    private static string UnknownIoctl(uint command)
    {
        string direction = (command >> 30) switch { 0 => "_IOC_NONE", 1 => "_IOC_WRITE", 2 => "_IOC_READ", _ => "_IOC_READ|_IOC_WRITE" };
        return $"_IOC({direction}, {StraceText.Hex(command >> 8 & 0xff)}, {StraceText.Hex(command & 0xff)}, "
            + $"{StraceText.Hex(command >> 16 & 0x3fff)})";
    }

    private string? IoctlArgument(ulong value)
    {
        switch ((uint)Arg(1))
        {
            case 0x5401:
                return Failed ? StraceText.Pointer(value) : TerminalModes(value);
            case 0x5402 or 0x5403 or 0x5404:
                return TerminalModes(value);
            case 0x5413 when !Failed:
            case 0x5414:
                return Struct("winsize", value);
            case 0x540f or 0x541b or 0x5429 or 0x5411 or 0x80045430 when !Failed:
            case 0x5410 or 0x5421 or 0x5452 or 0x40045431:
                return Read(value, 4) is { } number ? $"[{StraceText.Number(Int(number, 0))}]" : StraceText.Pointer(value);
            case 0x540c or 0x540d or 0x5422 or 0x5450 or 0x5451:
                return null;
            case 0x5409 or 0x540e:
                return StraceText.Number((int)value);
            case 0x540b:
                return value switch { 0 => "TCIFLUSH", 1 => "TCOFLUSH", 2 => "TCIOFLUSH", _ => StraceText.Hex(value) };
            case 0x540a:
                return value switch { 0 => "TCOOFF", 1 => "TCOON", 2 => "TCIOFF", 3 => "TCION", _ => StraceText.Hex(value) };
            default:
                return StraceText.Pointer(value);
        }
    }

    /// <summary>struct termios, in short as strace has it: speed, then those of the usual modes that are set or not.</summary>
    private string TerminalModes(ulong address)
    {
        if (Read(address, 36) is not { } b)
            return StraceText.Pointer(address);
        uint output = BinaryPrimitives.ReadUInt32LittleEndian(b.AsSpan(4));
        uint control = BinaryPrimitives.ReadUInt32LittleEndian(b.AsSpan(8)), local = BinaryPrimitives.ReadUInt32LittleEndian(b.AsSpan(12));
        string speed = (control & 0x100f) switch
        {
            0xd => "B9600",
            0xe => "B19200",
            0xf => "B38400",
            0x1002 => "B115200",
            _ => StraceText.Hex(control & 0x100f),
        };
        string Sign(uint flags, uint bit, string name) => ((flags & bit) != 0 ? "" : "-") + name;
        return $"{{{speed} {Sign(output, 1, "opost")} {Sign(local, 1, "isig")} {Sign(local, 2, "icanon")} {Sign(local, 8, "echo")} ...}}";
    }

    private string PollDescriptors(ulong address, ulong count, bool results)
    {
        if (address == 0)
            return "NULL";
        var parts = new List<string>();
        for (ulong n = 0; n < count; n++)
        {
            if (Read(address + n * 8, 8) is not { } b)
                return StraceText.Pointer(address);
            int fd = Int(b, 0);
            ushort wanted = BitConverter.ToUInt16(b, 4), seen = BitConverter.ToUInt16(b, 6);
            if (results && (seen == 0 || fd < 0))
                continue;
            if (parts.Count == MostElements)
            {
                parts.Add("...");
                break;
            }
            parts.Add(results
                ? $"{{fd={Descriptor(fd)}, revents={StraceTables.Set("poll").Text(seen)}}}"
                : fd < 0 ? $"{{fd={StraceText.Number(fd)}}}" : $"{{fd={Descriptor(fd)}, events={StraceTables.Set("poll").Text(wanted)}}}");
        }
        return $"[{string.Join(", ", parts)}]";
    }

    private string Descriptors(ulong address, int count)
    {
        if (address == 0)
            return "NULL";
        if (Read(address, (Math.Clamp(count, 0, 1024) + 63) / 64 * 8) is not { } b)
            return StraceText.Pointer(address);
        return $"[{string.Join(' ', Bits(b).Where(n => n < count).Select(Descriptor))}]";
    }

    private string SignalSetArgument(ulong address)
    {
        if (Read(address, 16) is not { } b)
            return StraceText.Pointer(address);
        ulong set = BitConverter.ToUInt64(b), size = BitConverter.ToUInt64(b, 8);
        string shown = Read(set, 8) is { } mask ? StraceText.SignalSet(BitConverter.ToUInt64(mask)) : StraceText.Pointer(set);
        return $"{{sigmask={shown}, sigsetsize={StraceText.Number(size)}}}";
    }

    /// <summary>Whether fcntl's result is bits.</summary>
    internal bool IsFlagsRequest => Int(1) is 1 or 3 or 1034;

    /// <summary>What stands behind the result: what poll found, what remains of a time, what a number means.</summary>
    internal string ResultExtra(string kind)
    {
        long result = _result!.Value;
        switch (kind)
        {
            case "poll" when result == 0:
            case "select" when result == 0:
                return " (Timeout)";
            case "poll" when result > 0:
                return $" ({PollDescriptors(Arg(0), Arg(1), true)}{Left(Arg(2))})";
            case "select" when result > 0:
                var sets = new List<string>();
                foreach ((string name, int at) in new[] { ("in", 1), ("out", 2), ("except", 3) })
                {
                    if (Arg(at) != 0 && Descriptors(Arg(at), Int(0)) is var set and not "[]")
                        sets.Add($"{name} {set}");
                }
                return $" ({string.Join(", ", sets)}{Left(Arg(4))})";
            case "fcntl" when Int(1) == 1 && result > 0:
                return $" (flags {StraceTables.Set("fdflags").Text((ulong)result)})";
            case "fcntl" when Int(1) == 3:
                return $" (flags {OpenFlags((ulong)result)})";
            case "fcntl" when Int(1) == 1034 && result > 0:
                return $" (seals {StraceTables.Set("seals").Text((ulong)result)})";
            case "personality" when result == 0:
                return " (PER_LINUX)";
            case "prctl" when Int(0) == 3:
                return $" ({StraceTables.Set("dumpable").Text((ulong)result)})";
            case "sched":
                return $" ({StraceTables.Set("sched").Text((ulong)result)})";
            default:
                return "";
        }
    }

    private string Left(ulong address) => address == 0 ? "" : $", left {Struct("timespec", address)}";

    private static string SocketType(uint type)
    {
        string name = StraceTables.Set("socktype").Text(type & 0xf);
        uint flags = type & ~0xfu;
        return flags == 0 ? name : $"{name}|{StraceTables.Set("sockflags").Text(flags)}";
    }

    private string Protocol(uint protocol) => Int(0) is 2 or 10 ? StraceTables.Set("ipproto").Text(protocol) : StraceText.Number(protocol);

    private string Address(ulong address, int length)
    {
        if (length < 2 || Read(address, Math.Min(length, 128)) is not { } b)
            return StraceText.Pointer(address);
        ushort family = BitConverter.ToUInt16(b);
        string name = $"{{sa_family={StraceTables.Set("af").Text(family)}";
        switch (family)
        {
            case 1 when length == 2:
                return name + "}";
            case 1 when b[2] == 0:
                return $"{name}, sun_path=@{StraceText.Quote(b.AsSpan(3), 108)}}}";
            case 1:
                int end = b.AsSpan(2).IndexOf((byte)0);
                return $"{name}, sun_path={StraceText.Quote(b.AsSpan(2, end < 0 ? b.Length - 2 : end), 108)}}}";
            case 2 when length >= 8:
                return $"{name}, sin_port=htons({Port(b)}), sin_addr=inet_addr(\"{new IPAddress(b.AsSpan(4, 4))}\")}}";
            case 10 when length >= 28:
                return $"{name}, sin6_port=htons({Port(b)}), sin6_flowinfo=htonl({BinaryPrimitives.ReadUInt32BigEndian(b.AsSpan(4))}), "
                    + $"inet_pton(AF_INET6, \"{new IPAddress(b.AsSpan(8, 16))}\", &sin6_addr), sin6_scope_id={Int(b, 24)}}}";
            case 16 when length >= 12:
                return $"{name}, nl_pid={Int(b, 4)}, nl_groups={BitConverter.ToUInt32(b, 8):x8}}}";
            default:
                return $"{name}, sa_data={StraceText.Quote(b.AsSpan(2), 128)}}}";
        }
    }

    private static string Port(byte[] b) => BinaryPrimitives.ReadUInt16BigEndian(b.AsSpan(2)).ToString(CultureInfo.InvariantCulture);

    /// <summary>A length that the call changes; what it was before is the caller's.</summary>
    private string LengthPointer(ulong address, int i)
    {
        if (Read(address, 4) is not { } b)
            return StraceText.Pointer(address);
        int now = Int(b, 0);
        return Before.TryGetValue(i, out int before) && before != now && !Failed
            ? $"[{StraceText.Number(before)} => {StraceText.Number(now)}]" : $"[{StraceText.Number(now)}]";
    }

    /// <summary>Lengths as they were before the call, by argument.</summary>
    internal IReadOnlyDictionary<int, int> Before { get; init; } = new Dictionary<int, int>();

    /// <summary>The lengths that the call may change.</summary>
    internal Dictionary<int, int> Lengths(CallFormat format)
    {
        var lengths = new Dictionary<int, int>();
        for (int i = 0; i < format.Arguments.Count; i++)
        {
            if (format.Arguments[i].Kind == "lenptr" && Read(Arg(i), 4) is { } b)
                lengths[i] = Int(b, 0);
        }
        return lengths;
    }

    private static string SocketOption(uint level, uint option) => level switch
    {
        1 => StraceTables.Set("so").Text(option),
        6 => StraceTables.Set("tcp").Text(option),
        0 => StraceTables.Set("ip").Text(option),
        41 => StraceTables.Set("ipv6").Text(option),
        _ => StraceText.Hex(option),
    };

    private string OptionValue(ulong address, int length)
    {
        (uint level, uint option) = ((uint)Arg(1), (uint)Arg(2));
        if (level == 1 && option == 13 && length >= 8)
            return Struct("linger", address);
        if (level == 1 && option == 17 && length >= 12)
            return Struct("ucred", address);
        if (level == 1 && option is 20 or 21 && length >= 16)
            return Struct("timeval", address);
        if (length == 4 && Read(address, 4) is { } number)
            return level == 1 && option == 4 && Int(number, 0) != 0
                ? $"[{StraceText.ErrorName(Int(number, 0))}]" : $"[{StraceText.Number(Int(number, 0))}]";
        return length > 0 && Read(address, Math.Min(length, 4096)) is { } bytes
            ? StraceText.Quote(bytes, _settings.StringLength) : StraceText.Pointer(address);
    }

    /// <summary>struct msghdr.</summary>
    private string Message(ulong address, bool received)
    {
        if (Read(address, 56) is not { } b)
            return StraceText.Pointer(address);
        ulong name = BitConverter.ToUInt64(b), vector = BitConverter.ToUInt64(b, 16), count = BitConverter.ToUInt64(b, 24);
        ulong control = BitConverter.ToUInt64(b, 32), controlLength = BitConverter.ToUInt64(b, 40);
        int nameLength = Int(b, 8);
        var text = new StringBuilder($"{{msg_name={Address(name, nameLength)}, msg_namelen={StraceText.Number(nameLength)}, msg_iov=");
        text.Append(Vector(vector, count, received ? (ulong)_result!.Value : ulong.MaxValue));
        text.Append(CultureInfo.InvariantCulture, $", msg_iovlen={count}");
        if (control != 0 && controlLength > 0)
            text.Append($", msg_control={Controls(control, controlLength)}");
        string flags = StraceTables.Set("msg").Text((uint)Int(b, 48));
        return text.Append(CultureInfo.InvariantCulture, $", msg_controllen={controlLength}, msg_flags={flags}}}").ToString();
    }

    private string Controls(ulong address, ulong length)
    {
        var parts = new List<string>();
        for (ulong at = 0; at + 16 <= length && Read(address + at, 16) is { } b;)
        {
            ulong size = BitConverter.ToUInt64(b);
            if (size < 16 || size > length - at)
                break;
            int level = Int(b, 8), type = Int(b, 12);
            byte[] data = Read(address + at + 16, (int)Math.Min(size - 16, 1024)) ?? [];
            string shown = level == 1 && type == 1
                ? $"[{string.Join(", ", Enumerable.Range(0, data.Length / 4).Select(n => Descriptor(Int(data, n * 4))))}]"
                : level == 1 && type == 2 && data.Length >= 12 ? Struct("ucred", data) : StraceText.Quote(data, _settings.StringLength);
            parts.Add($"{{cmsg_len={StraceText.Number(size)}, cmsg_level={StraceTables.Set("sol").Text((uint)level)}, "
                + $"cmsg_type={(level == 1 ? StraceTables.Set("scm").Text((uint)type) : StraceText.Hex((uint)type))}, cmsg_data={shown}}}");
            at += (size + 7) & ~7UL;
        }
        return $"[{string.Join(", ", parts)}]";
    }
}
