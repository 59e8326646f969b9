using System.Text;
using ArmVdso.Lab.Crash;

namespace ArmVdso.Lab.Statistics;

/// <summary>Source lines of addresses, from .debug_line (DWARF 4 and 5, 6.2). A file without it, or of a compressed section, has none;
/// units that cannot be read are left out.</summary>
internal sealed class LineTable
{
    private const int MostRows = 1 << 24, MostFiles = 1 << 16;

    // DW_LNCT_path and DW_LNCT_directory_index; DW_FORM_*.
    private const ulong ContentPath = 1, ContentDirectory = 2;
    private const ulong FormData2 = 5, FormData4 = 6, FormData8 = 7, FormString = 8, FormBlock = 9, FormData1 = 0x0b, FormStrp = 0x0e,
        FormUdata = 0x0f, FormData16 = 0x1e, FormLineStrp = 0x1f;

    private readonly record struct Row(ulong Address, string File, int Line);

    private readonly List<Row> _rows = [];
    private readonly byte[] _file;
    private readonly ElfSegment? _lineStrings, _strings;

    internal LineTable(byte[] file)
    {
        _file = file;
        (_lineStrings, _strings) = (ElfFile.Section(file, ".debug_line_str\0"u8), ElfFile.Section(file, ".debug_str\0"u8));
        if (ElfFile.Section(file, ".debug_line\0"u8) is not { } section)
            return;
        int end = (int)(section.Offset + section.Size);
        for (int at = (int)section.Offset; at + 4 < end;)
        {
            var reader = new ByteReader(file, at, end);
            ulong length = reader.Fixed(4);
            // 64-bit DWARF is for units of 4 GiB.
            if (length is 0 or >= 0xfffffff0 || length > (ulong)(end - at - 4))
                break;
            Unit(at + 4, at + 4 + (int)length);
            at += 4 + (int)length;
        }
        // The end of a sequence comes before what begins there.
        _rows = [.. _rows.OrderBy(r => r.Address).ThenBy(r => r.Line == 0 ? 0 : 1)];
    }

    /// <summary>The source line of an address in the file's own numbering; null: none is known.</summary>
    internal (string File, int Line)? Find(ulong address)
    {
        int count = _rows.CountUpTo(address, r => r.Address);
        return count > 0 && _rows[count - 1] is { Line: > 0 } row ? (row.File, row.Line) : null;
    }

    private void Unit(int at, int end)
    {
        var reader = new ByteReader(_file, at, end);
        int version = (int)reader.Fixed(2);
        if (version is < 2 or > 5)
            return;
        if (version >= 5)
            reader.Skip(2);
        ulong header = reader.Fixed(4);
        int program = (int)Math.Min((ulong)end, (ulong)reader.Position + header);
        byte shortest = reader.Byte();
        if (version >= 4)
            reader.Skip(1);
        reader.Skip(1);
        int lineBase = (sbyte)reader.Byte();
        byte lineRange = reader.Byte(), opcodes = reader.Byte();
        if (lineRange == 0 || opcodes == 0)
            return;
        var operands = new byte[opcodes];
        for (int i = 1; i < opcodes; i++)
            operands[i] = reader.Byte();
        List<string> files = version >= 5 ? Files5(ref reader) : Files4(ref reader);
        var rows = new ByteReader(_file, program, end);
        Run(ref rows, files, version >= 5 ? 0 : 1, shortest, lineBase, lineRange, operands);
    }

    private static List<string> Files4(ref ByteReader reader)
    {
        var folders = new List<string> { "" };
        for (string name = Text(ref reader); name.Length > 0; name = Text(ref reader))
            folders.Add(name);
        var files = new List<string>();
        for (string name = Text(ref reader); name.Length > 0 && files.Count < MostFiles; name = Text(ref reader))
        {
            ulong folder = reader.Unsigned();
            reader.Unsigned();
            reader.Unsigned();
            files.Add(Joined(folders, folder, name));
        }
        return files;
    }

    private List<string> Files5(ref ByteReader reader)
    {
        List<string> folders = [.. Entries(ref reader).Select(e => e.Path)];
        return [.. Entries(ref reader).Select(e => Joined(folders, e.Folder, e.Path))];
    }

    private List<(string Path, ulong Folder)> Entries(ref ByteReader reader)
    {
        int formats = reader.Byte();
        var format = new (ulong Content, ulong Form)[formats];
        for (int i = 0; i < formats; i++)
            format[i] = (reader.Unsigned(), reader.Unsigned());
        ulong count = reader.Unsigned();
        var entries = new List<(string, ulong)>();
        for (ulong n = 0; n < count && n < MostFiles && !reader.AtEnd; n++)
        {
            (string path, ulong folder) = ("", 0);
            foreach ((ulong content, ulong form) in format)
            {
                (string text, ulong number) = Value(ref reader, form);
                path = content == ContentPath ? text : path;
                folder = content == ContentDirectory ? number : folder;
            }
            entries.Add((path, folder));
        }
        return entries;
    }

    private (string Text, ulong Number) Value(ref ByteReader reader, ulong form)
    {
        switch (form)
        {
            case FormString:
                return (Text(ref reader), 0);
            case FormLineStrp:
                return (Text(_lineStrings, reader.Fixed(4)), 0);
            case FormStrp:
                return (Text(_strings, reader.Fixed(4)), 0);
            case FormUdata:
                return ("", reader.Unsigned());
            case FormData1:
                return ("", reader.Byte());
            case FormData2:
                return ("", reader.Fixed(2));
            case FormData4:
                return ("", reader.Fixed(4));
            case FormData8:
                return ("", reader.Fixed(8));
            case FormData16:
                reader.Skip(16);
                break;
            case FormBlock:
                reader.Skip(reader.Unsigned());
                break;
            default:
                // What follows cannot be understood any more.
                reader.Skip(ulong.MaxValue);
                break;
        }
        return ("", 0);
    }

    private string Text(ElfSegment? section, ulong offset)
    {
        if (section is not { } strings || offset >= strings.Size)
            return "";
        var reader = new ByteReader(_file, (int)(strings.Offset + offset), (int)(strings.Offset + strings.Size));
        return Text(ref reader);
    }

    private static string Text(ref ByteReader reader)
    {
        var bytes = new List<byte>();
        for (byte b = reader.Byte(); b != 0; b = reader.Byte())
            bytes.Add(b);
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string Joined(List<string> folders, ulong folder, string name) =>
        name.StartsWith('/') || folder >= (ulong)folders.Count || folders[(int)folder].Length == 0
            ? name : $"{folders[(int)folder]}/{name}";

    /// <summary>The line number program (6.2.5).</summary>
    private void Run(
        ref ByteReader reader, List<string> files, int firstFile, byte shortest, int lineBase, byte lineRange, byte[] operands)
    {
        (ulong address, ulong file, long line) = (0, 1, 1);
        while (!reader.AtEnd && _rows.Count < MostRows)
        {
            int op = reader.Byte();
            if (op >= operands.Length)
            {
                op -= operands.Length;
                address += (ulong)(op / lineRange * shortest);
                line += lineBase + op % lineRange;
                Add(address, files, file, firstFile, line);
                continue;
            }
            switch (op)
            {
                case 0:
                    ulong length = reader.Unsigned();
                    int next = (int)Math.Min((ulong)int.MaxValue, (ulong)reader.Position + length);
                    int extended = length == 0 ? 0 : reader.Byte();
                    if (extended == 1)
                    {
                        // The end of a sequence: what follows in memory is somebody else's.
                        _rows.Add(new Row(address, "", 0));
                        (address, file, line) = (0, 1, 1);
                    }
                    else if (extended == 2)
                    {
                        address = reader.Fixed(8);
                    }
                    reader.Position = next;
                    break;
                case 1:
                    Add(address, files, file, firstFile, line);
                    break;
                case 2:
                    address += reader.Unsigned() * shortest;
                    break;
                case 3:
                    line += reader.Signed();
                    break;
                case 4:
                    file = reader.Unsigned();
                    break;
                case 8:
                    address += (ulong)((255 - operands.Length) / lineRange * shortest);
                    break;
                case 9:
                    address += reader.Fixed(2);
                    break;
                default:
                    for (int i = 0; i < operands[op]; i++)
                        reader.Unsigned();
                    break;
            }
        }
    }

    private void Add(ulong address, List<string> files, ulong file, int firstFile, long line)
    {
        ulong index = file - (ulong)firstFile;
        _rows.Add(new Row(address, index < (ulong)files.Count ? files[(int)index] : "", (int)Math.Clamp(line, 0, int.MaxValue)));
    }
}
