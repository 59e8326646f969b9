using System.Buffers.Binary;
using System.Globalization;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Lab.Tracing;

/// <summary>The values of one call, as strace prints them: those of kinds that any call may have. What belongs to a single call or a family
/// is in the other parts.</summary>
internal sealed partial class StraceValues
{
    private const int MostElements = 32, MostPath = 4096;

    private readonly KernelTask _task;
    private readonly IReadOnlyList<ulong> _args;
    private readonly GuestMemory? _memory;
    private readonly long? _result;
    private readonly StraceSettings _settings;

    /// <summary>The values of a call.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="task">Whose call it is.</param>
    /// <param name="args">Its six arguments.</param>
    /// <param name="result">Its result; null: it begins.</param>
    /// <param name="settings">What the user wants to see.</param>
    internal StraceValues(LinuxKernel kernel, KernelTask task, IReadOnlyList<ulong> args, long? result, StraceSettings settings)
    {
        _task = task;
        _args = args;
        _result = result;
        _settings = settings;
        _memory = task.Mm is { } mm ? new GuestMemory(kernel, mm) : null;
    }

    private bool Failed => _result is < 0 and >= -4095;

    private ulong Arg(int n) => _args[n];

    private int Int(int n) => (int)_args[n];

    private ulong Arg(string n) => _args[int.Parse(n, CultureInfo.InvariantCulture)];

    /// <summary>An argument's text; null: the call does not have it this time.</summary>
    internal string? Argument(int i, ValueKind kind)
    {
        ulong value = Arg(i);
        if (kind.Written && Failed && kind.Kind is not ("fcntl" or "ioctlarg" or "prctlargs" or "remaining" or "stat" or "lenptr"))
            return StraceText.Pointer(value);
        return Scalar(kind, value) ?? Pointed(kind, value, i);
    }

    /// <summary>Kinds that are the number itself.</summary>
    private string? Scalar(ValueKind kind, ulong value) => kind.Kind switch
    {
        "d" => StraceText.Number((int)value),
        "u" => StraceText.Number((uint)value),
        "ld" => StraceText.Number((long)value),
        "lu" => StraceText.Number(value),
        "x" => value == 0 ? "0" : StraceText.Hex((uint)value),
        "lx" => value == 0 ? "0" : StraceText.Hex(value),
        "offset" => value == 0 ? "0" : StraceText.Hex(value),
        "u16" => StraceText.Number((ushort)value),
        "o" => StraceText.Octal(value & 0xffff),
        "p" => StraceText.Pointer(value),
        "id" => StraceText.Id(value),
        "mode" or "u32mode" => StraceText.Mode((uint)value),
        "u16mode" => StraceText.Mode((ushort)value),
        "fd" => Descriptor((int)value),
        "dirfd" => (int)value == OpenFlagsAtCwd ? AtCwd() : Descriptor((int)value),
        "sig" or "sig64" => (int)value == 0 ? "0" : StraceText.SignalName((int)value),
        "dev" => $"makedev({StraceText.Hex(value >> 8 & 0xfff)}, {StraceText.Hex(value & 0xff)})",
        "rlim" => Limit(value),
        "f" => StraceTables.Set(kind.Parameter).Text(IsLong(kind.Parameter) ? value : (uint)value),
        "f16" or "f32" => StraceTables.Set(kind.Parameter).Text(value),
        "e" => StraceTables.Set(kind.Parameter).Text(kind.Parameter == "rusage" ? (ulong)(int)value : (uint)value),
        "e16" or "e32" => StraceTables.Set(kind.Parameter).Text(value),
        _ => null,
    };

    private const int OpenFlagsAtCwd = -100;

    private static bool IsLong(string set) => set is "clone" or "resolve" or "statfsflags";

    private string AtCwd() => _settings.Paths
        ? $"AT_FDCWD<{_task.Fs.Cwd.Fs.Vfs.PathOf(_task.Fs.Cwd, null)}>" : "AT_FDCWD";

    /// <summary>A descriptor, with -y what it is open on.</summary>
    internal string Descriptor(int fd) => _settings.Paths && _task.Files?[fd] is { } file
        ? $"{StraceText.Number(fd)}<{file.Description}>" : StraceText.Number(fd);

    /// <summary>A resource limit, in kilobytes where it is round.</summary>
    private static string Limit(ulong value) => value == ulong.MaxValue ? "RLIM64_INFINITY"
        : value > 1024 && value % 1024 == 0 ? $"{StraceText.Number(value / 1024)}*1024" : StraceText.Number(value);

    /// <summary>Kinds that are addresses of what is shown.</summary>
    private string? Pointed(ValueKind kind, ulong value, int i)
    {
        switch (kind.Kind)
        {
            case "path":
                return Path(value);
            case "pathout":
                return _memory?.ReadString(value, MostPath) is { } text ? StraceText.Quote(text, MostPath) : StraceText.Pointer(value);
            case "str" when kind.Parameter.Length == 0:
                return Path(value);
            case "str" or "data":
                return Data(value, kind.Parameter == "ret" ? (ulong)_result!.Value : Arg(kind.Parameter), false);
            case "hexdata":
                return Data(value, (ulong)_result!.Value, true);
            case "s":
                return Struct(kind.Parameter, value);
            case "a":
                return Array(kind, value);
            case "iov":
                return Vector(kind.Parameter, value);
            case "a2":
                return Read(value, 8) is { } pair ? $"[{Descriptor(Int(pair, 0))}, {Descriptor(Int(pair, 4))}]" : StraceText.Pointer(value);
            case "uint1" or "int1":
                return Read(value, 4) is { } one ? $"[{StraceText.Number(Int(one, 0))}]" : StraceText.Pointer(value);
            case "sigset":
                return Read(value, 8) is { } set ? StraceText.SignalSet(BitConverter.ToUInt64(set)) : StraceText.Pointer(value);
            default:
                return Special(kind, value, i);
        }
    }

    /// <summary>Bytes of the guest; null when they are not there. Nothing is at NULL.</summary>
    private byte[]? Read(ulong address, int size)
    {
        var bytes = new byte[size];
        return address != 0 && _memory?.Read(address, bytes) == true ? bytes : null;
    }

    private static int Int(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private string Path(ulong address) => address == 0 ? "NULL"
        : _memory?.ReadString(address, MostPath) is { } text ? StraceText.Quote(text, MostPath) : StraceText.Pointer(address);

    private string Data(ulong address, ulong length, bool hex)
    {
        int most = _settings.StringLength;
        if (Read(address, (int)Math.Min(length, (ulong)most + 1)) is not { } bytes)
            return StraceText.Pointer(address);
        return hex ? StraceText.QuoteHex(bytes, most) : StraceText.Quote(bytes, most);
    }

    private string Struct(string name, ulong address) =>
        Read(address, StraceTables.Struct(name).Size) is { } bytes ? Struct(name, bytes) : StraceText.Pointer(address);

    private string Struct(string name, ReadOnlySpan<byte> bytes)
    {
        StructFormat format = StraceTables.Struct(name);
        var parts = new List<string>();
        foreach (FieldFormat field in format.Fields)
        {
            if (Field(field.Kind, bytes[field.Offset..]) is { } text)
                parts.Add(field.Label.Length > 0 ? $"{field.Label}={text}" : text);
        }
        if (format.More)
            parts.Add("...");
        string all = string.Join(", ", parts);
        return format.Fields is [{ Label: "" }] ? $"[{all}]" : $"{{{all}}}";
    }

    /// <summary>A field; null: it is left out.</summary>
    private string? Field(ValueKind kind, ReadOnlySpan<byte> at)
    {
        ulong value = SizeOf(kind.Kind) switch
        {
            2 => BinaryPrimitives.ReadUInt16LittleEndian(at),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(at),
            _ => at.Length >= 8 ? BinaryPrimitives.ReadUInt64LittleEndian(at) : 0,
        };
        switch (kind.Kind)
        {
            case "s":
                return Struct(kind.Parameter, at);
            case "zp":
                return value == 0 ? null : StraceText.Hex(value);
            case "zmode":
                return value == 0 ? null : StraceText.Octal(value).PadLeft(4, '0');
            case "openhow":
                return OpenFlags(value);
            case "cstr":
                int end = at.IndexOf((byte)0);
                return StraceText.Quote(at[..(end < 0 ? 65 : end)], MostPath);
            case "loads":
                return $"[{StraceText.Number(value)}, {StraceText.Number(BinaryPrimitives.ReadUInt64LittleEndian(at[8..]))}, "
                    + $"{StraceText.Number(BinaryPrimitives.ReadUInt64LittleEndian(at[16..]))}]";
            case "fsid":
                return $"{{val=[{StraceText.Hex((uint)value)}, {StraceText.Hex(value >> 32)}]}}";
            case "epolldata":
                return $"{{u32={StraceText.Number((uint)value)}, u64={StraceText.Number(value)}}}";
            case "sigval":
                return value == 0 ? null : $"{{sival_int={StraceText.Number((int)value)}, sival_ptr={StraceText.Pointer(value)}}}";
            case "capversion":
                return value == 0x20080522 ? "_LINUX_CAPABILITY_VERSION_3" : StraceText.Hex(value);
            case "fstype":
                return StraceTables.Set("fstype").Text(value);
            case "statfsflags":
                return StraceTables.Set("statfsflags").Text(value);
            default:
                return Scalar(kind, value);
        }
    }

    private static int SizeOf(string kind) => kind switch
    {
        "u16" or "f16" or "e16" or "u16mode" => 2,
        "d" or "u" or "fd" or "f32" or "e32" or "u32mode" or "sig" or "x" or "capversion" => 4,
        _ => 8,
    };

    private string Array(ValueKind kind, ulong address)
    {
        string[] parts = kind.Parameter.Split(':');
        ulong count = parts[1] == "ret" ? (ulong)_result!.Value : Arg(parts[1]);
        return Elements(parts[0], address, count);
    }

    private string Elements(string name, ulong address, ulong count)
    {
        if (address == 0)
            return "NULL";
        int size = StraceTables.Struct(name).Size;
        var parts = new List<string>();
        for (ulong i = 0; i < count; i++)
        {
            if (i == MostElements)
            {
                parts.Add("...");
                break;
            }
            ulong at = address + i * (ulong)size;
            if (Read(at, size) is not { } bytes)
                return i == 0 ? StraceText.Pointer(address) : $"[{string.Join(", ", parts)}, ... /* {StraceText.Hex(at)} */]";
            parts.Add(Struct(name, bytes));
        }
        return $"[{string.Join(", ", parts)}]";
    }

    /// <summary>struct iovec; parameter: the argument with their number, and "ret" when only so many bytes are there.</summary>
    private string Vector(string parameter, ulong address)
    {
        string[] parts = parameter.Split(':');
        return Vector(address, Arg(parts[0]), parts.Length > 1 ? (ulong)_result!.Value : ulong.MaxValue);
    }

    private string Vector(ulong address, ulong count, ulong left)
    {
        if (address == 0)
            return "NULL";
        var parts = new List<string>();
        for (ulong i = 0; i < count; i++)
        {
            if (i == MostElements)
            {
                parts.Add("...");
                break;
            }
            if (Read(address + i * 16, 16) is not { } vector)
                return StraceText.Pointer(address);
            ulong at = BitConverter.ToUInt64(vector), length = BitConverter.ToUInt64(vector, 8);
            ulong shown = Math.Min(length, left);
            left -= left == ulong.MaxValue ? 0 : shown;
            parts.Add($"{{iov_base={Data(at, shown, false)}, iov_len={StraceText.Number(length)}}}");
        }
        return $"[{string.Join(", ", parts)}]";
    }
}
