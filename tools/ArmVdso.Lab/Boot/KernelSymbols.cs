using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Lab.Boot;

/// <summary>The functions of a kernel as the tables in its Image have them (Linux, scripts/kallsyms.c, kernel/kallsyms.c). The tables
/// have no header: the one of tokens is found by the digits in it, the one of names by the markers that agree with it.</summary>
public sealed class KernelSymbols
{
    private const int Tokens = 256, NamesPerMarker = 256, LongestToken = 64, FewestNames = 100, MostNames = 1 << 21, MostBytes = 1 << 25;
    private static readonly byte[] s_digits = [.. "0123456789".SelectMany(c => new[] { (byte)c, (byte)0 })];

    private readonly uint[] _offsets = [];
    private readonly string[] _names = [];

    /// <summary>Whether the Image has such tables.</summary>
    public bool Any => _names.Length > 0;

    /// <summary>Place in the Image of the address that all offsets count from (kallsyms_relative_base). Relocation may only write it there
    /// when the kernel starts.</summary>
    public int BaseAt { get; }

    /// <summary>Reads the tables of an Image; without them it has no symbols.</summary>
    public KernelSymbols(ReadOnlySpan<byte> image)
    {
        for (int at = 0, found; (found = image[at..].IndexOf(s_digits)) >= 0; at += found + 1)
        {
            if (ReadTokens(image, at + found) is not { } tokens)
                continue;
            for (int names = (tokens.Start & ~7) - 8; names >= Math.Max(0, tokens.Start - MostBytes); names -= 8)
            {
                if (ReadNames(image, names, tokens.Start, tokens.Texts) is not { } read)
                    continue;
                // Behind the tokens since Linux 6.4, before the names until then; sorted in both.
                int table = Up(read.Length * 4);
                foreach ((int offsets, int baseAt) in ((int, int)[])[(tokens.End, tokens.End + table), (names - 8 - table, names - 8)])
                {
                    if (ReadOffsets(image, offsets, read.Length) is not { } sorted || baseAt + 8 > image.Length)
                        continue;
                    (_names, _offsets, BaseAt) = (read, sorted, baseAt);
                    return;
                }
            }
        }
    }

    private static int Up(int at) => (at + 7) & ~7;

    /// <summary>The table of tokens whose one of the digit 0 is at <paramref name="zero"/>, when there is its index behind it.</summary>
    private static (int Start, int End, string[] Texts)? ReadTokens(ReadOnlySpan<byte> image, int zero)
    {
        int at = zero;
        for (int i = '0'; i < Tokens; i++)
        {
            int length = at < image.Length ? image[at..].IndexOf((byte)0) : -1;
            if (length is < 0 or > LongestToken)
                return null;
            at += length + 1;
        }
        int index = Up(at);
        if (index + 2 * Tokens > image.Length)
            return null;
        int Offset(ReadOnlySpan<byte> bytes, int i) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[(index + 2 * i)..]);
        int start = zero - Offset(image, '0');
        if (start < 0 || Offset(image, 0) != 0)
            return null;
        var texts = new string[Tokens];
        int expected = 0;
        for (int i = 0; i < Tokens; i++)
        {
            int length = image[(start + expected)..].IndexOf((byte)0);
            if (Offset(image, i) != expected || length < 0)
                return null;
            texts[i] = Encoding.Latin1.GetString(image.Slice(start + expected, length));
            expected += length + 1;
        }
        return (start, Up(index + 2 * Tokens), texts);
    }

    /// <summary>The names, if their number is at <paramref name="at"/> and they and their markers follow. The first letter of each is its
    /// kind, as nm prints it.</summary>
    private static string[]? ReadNames(ReadOnlySpan<byte> image, int at, int limit, string[] tokens)
    {
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
        if (count is < FewestNames or > MostNames)
            return null;
        var markers = new List<int>();
        int start = at + 8, next = start;
        for (ulong i = 0; i < count; i++)
        {
            if (i % NamesPerMarker == 0)
                markers.Add(next - start);
            int length = Length(image, ref next);
            next += length;
            if (length == 0 || next >= limit)
                return null;
        }
        int table = Up(next);
        for (int i = 0; i < markers.Count; i++)
        {
            if (table + 4 * i + 4 > limit || BinaryPrimitives.ReadInt32LittleEndian(image[(table + 4 * i)..]) != markers[i])
                return null;
        }
        var names = new string[count];
        var name = new StringBuilder();
        next = start;
        foreach (ref string text in names.AsSpan())
        {
            int length = Length(image, ref next);
            foreach (byte token in image.Slice(next, length))
                name.Append(tokens[token]);
            next += length;
            text = name.ToString();
            name.Clear();
        }
        return names;
    }

    /// <summary>Bytes of a name: seven bits, or since Linux 6.1 fourteen.</summary>
    private static int Length(ReadOnlySpan<byte> image, ref int at)
    {
        int length = image[at++];
        return (length & 0x80) == 0 ? length : (length & 0x7F) | image[at++] << 7;
    }

    private static uint[]? ReadOffsets(ReadOnlySpan<byte> image, int at, int count)
    {
        if (at < 0 || at + 4L * count > image.Length)
            return null;
        var offsets = new uint[count];
        for (int i = 0; i < count; i++)
        {
            offsets[i] = BinaryPrimitives.ReadUInt32LittleEndian(image[(at + 4 * i)..]);
            if (i > 0 && offsets[i] < offsets[i - 1])
                return null;
        }
        return offsets;
    }

    /// <summary>The function that holds an address; of several names at one address the first global one.</summary>
    /// <param name="offset">Address behind the one that offsets count from.</param>
    /// <param name="name">Its name.</param>
    /// <param name="start">Offset of its first byte.</param>
    /// <param name="end">Offset of the first byte of what follows.</param>
    /// <returns>False: it lies before the first or behind the last symbol.</returns>
    public bool Find(ulong offset, out string name, out ulong start, out ulong end)
    {
        (name, start, end) = ("", 0, 0);
        int index = offset > uint.MaxValue ? -1 : Array.BinarySearch(_offsets, (uint)offset);
        index = index < 0 && offset <= uint.MaxValue ? ~index - 1 : index;
        if (index < 0)
            return false;
        int first = index, last = index;
        while (first > 0 && _offsets[first - 1] == _offsets[index])
            first--;
        while (last + 1 < _offsets.Length && _offsets[last + 1] == _offsets[index])
            last++;
        if (last + 1 == _offsets.Length)
            return false;
        int named = Enumerable.Range(first, last - first + 1).FirstOrDefault(i => char.IsUpper(_names[i][0]), first);
        (name, start, end) = (_names[named][1..], _offsets[first], _offsets[last + 1]);
        return true;
    }

    /// <summary>Offset of a symbol by its name; null: there is none.</summary>
    public ulong? OffsetOf(string name)
    {
        int index = Array.FindIndex(_names, n => n.AsSpan(1).SequenceEqual(name));
        return index < 0 ? null : _offsets[index];
    }
}
