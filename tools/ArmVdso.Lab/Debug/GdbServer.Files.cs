using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Lab.Debug;

/// <summary>Files of the guest for the debugger: vFile (GDB manual, Host I/O Packets). They are only read.</summary>
public sealed partial class GdbServer
{
    private const int NoEntry = 2, BadDescriptor = 9, Invalid = 22, ReadOnly = 30, MostOpen = 64, StatSize = 64;
    private readonly Dictionary<int, byte[]> _open = [];
    private int _filePid, _nextFile;

    private string Files(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return Error(Invalid);
        string[] arguments = text[(colon + 1)..].Split(',');
        switch (text[..colon])
        {
            case "setfs":
                _filePid = (int)Number(arguments[0]);
                return "F0";
            case "open" when arguments.Length == 3:
                return Open(Encoding.UTF8.GetString(Bytes(arguments[0])), Number(arguments[1]));
            case "pread" when arguments.Length == 3:
                return Read((int)Number(arguments[0]), Number(arguments[1]), Number(arguments[2]));
            case "fstat":
                return _open.TryGetValue((int)Number(arguments[0]), out byte[]? file) ? Stat(file) : Error(BadDescriptor);
            case "close":
                return _open.Remove((int)Number(arguments[0])) ? "F0" : Error(BadDescriptor);
            case "pwrite" or "unlink":
                return Error(ReadOnly);
            default:
                return "";
        }
    }

    private static string Error(int number) => $"F-1,{number:x}";

    private string Open(string path, ulong flags)
    {
        const ulong access = 3;
        if ((flags & access) != 0)
            return Error(ReadOnly);
        if (_open.Count >= MostOpen)
            return Error(Invalid);
        if (_target.File(_filePid == 0 ? _general.Pid : _filePid, path) is not { } bytes)
            return Error(NoEntry);
        _open[++_nextFile] = bytes;
        return $"F{_nextFile:x}";
    }

    private string Read(int file, ulong count, ulong offset)
    {
        if (!_open.TryGetValue(file, out byte[]? bytes))
            return Error(BadDescriptor);
        int at = (int)Math.Min(offset, (ulong)bytes.Length);
        int n = (int)Math.Min((ulong)(bytes.Length - at), Math.Min(count, PacketReader.Longest / 2));
        return $"F{n:x};{Encoding.Latin1.GetString(bytes, at, n)}";
    }

    /// <summary>struct stat of the protocol, big-endian: a regular file that all may read.</summary>
    private static string Stat(byte[] file)
    {
        const int modeAt = 8, linksAt = 12, sizeAt = 28, blockAt = 36, blocksAt = 44, block = 512;
        var stat = new byte[StatSize];
        BinaryPrimitives.WriteUInt32BigEndian(stat.AsSpan(modeAt), 0x8000 | 0x124);
        BinaryPrimitives.WriteUInt32BigEndian(stat.AsSpan(linksAt), 1);
        BinaryPrimitives.WriteUInt64BigEndian(stat.AsSpan(sizeAt), (ulong)file.Length);
        BinaryPrimitives.WriteUInt64BigEndian(stat.AsSpan(blockAt), block);
        BinaryPrimitives.WriteUInt64BigEndian(stat.AsSpan(blocksAt), (ulong)((file.Length + block - 1) / block));
        return $"F{StatSize:x};{Encoding.Latin1.GetString(stat)}";
    }
}
