using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Emulator.Board;

/// <summary>Writes a flattened device tree (Devicetree Specification 0.4, chapter 5), version 17.</summary>
internal sealed class DeviceTree
{
    private const uint BeginNode = 1, EndNode = 2, Property = 3, End = 9;
    private readonly List<byte> _structure = [];
    private readonly List<byte> _strings = [];
    private readonly Dictionary<string, uint> _names = [];

    /// <summary>Opens a node; close it with <see cref="Close"/>.</summary>
    internal void Open(string name)
    {
        Word(BeginNode);
        Bytes(Encoding.ASCII.GetBytes(name + "\0"));
    }

    /// <summary>Closes the node that was opened last.</summary>
    internal void Close() => Word(EndNode);

    /// <summary>A property of text; several are one behind the other.</summary>
    internal void Text(string name, params string[] values) =>
        Add(name, Encoding.UTF8.GetBytes(string.Concat(values.Select(v => v + "\0"))));

    /// <summary>A property of cells of 32 bits.</summary>
    internal void Cells(string name, params uint[] cells)
    {
        var bytes = new byte[4 * cells.Length];
        for (int i = 0; i < cells.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 * i), cells[i]);
        Add(name, bytes);
    }

    /// <summary>A property of numbers of 64 bits, two cells each.</summary>
    internal void Wide(string name, params ulong[] values) => Cells(name, [.. values.SelectMany(v => new[] { (uint)(v >> 32), (uint)v })]);

    /// <summary>A property without a value.</summary>
    internal void Flag(string name) => Add(name, []);

    /// <summary>A property of bytes.</summary>
    internal void Add(string name, byte[] value)
    {
        if (!_names.TryGetValue(name, out uint at))
        {
            at = (uint)_strings.Count;
            _names.Add(name, at);
            _strings.AddRange(Encoding.ASCII.GetBytes(name + "\0"));
        }
        Word(Property);
        Word((uint)value.Length);
        Word(at);
        Bytes(value);
    }

    private void Word(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _structure.AddRange(bytes);
    }

    private void Bytes(byte[] bytes)
    {
        _structure.AddRange(bytes);
        while (_structure.Count % 4 != 0)
            _structure.Add(0);
    }

    /// <summary>The finished tree.</summary>
    internal byte[] ToBytes()
    {
        Word(End);
        const int header = 40, reservations = 16;
        int structure = header + reservations, strings = structure + _structure.Count, total = strings + _strings.Count;
        var tree = new byte[total];
        uint[] words =
        [
            0xD00DFEED, (uint)total, (uint)structure, (uint)strings, header, 17, 16, 0, (uint)_strings.Count, (uint)_structure.Count,
        ];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(tree.AsSpan(4 * i), words[i]);
        _structure.CopyTo(tree, structure);
        _strings.CopyTo(tree, strings);
        return tree;
    }
}
