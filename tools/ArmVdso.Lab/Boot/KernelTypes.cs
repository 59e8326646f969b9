using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Lab.Boot;

/// <summary>Where members lie in a kernel's structures, by the BPF Type Format in its Image (Linux, Documentation/bpf/btf.rst).</summary>
internal sealed class KernelTypes
{
    private const int HeaderBytes = 24, TypeBytes = 12, Struct = 4, Union = 5;
    private readonly byte[] _types = [], _strings = [];

    /// <summary>Reads the types of an Image; without them no member is known.</summary>
    internal KernelTypes(ReadOnlySpan<byte> image)
    {
        for (int at = 0, found; (found = image[at..].IndexOf((ReadOnlySpan<byte>)[0x9F, 0xEB, 1, 0])) >= 0; at += found + 1)
        {
            ReadOnlySpan<byte> btf = image[(at + found)..];
            if (btf.Length < HeaderBytes || Number(btf, 4) != HeaderBytes)
                continue;
            long types = HeaderBytes + (long)Number(btf, 8), strings = HeaderBytes + (long)Number(btf, 16);
            if (types + Number(btf, 12) > btf.Length || strings + Number(btf, 20) > btf.Length)
                continue;
            _types = btf.Slice((int)types, (int)Number(btf, 12)).ToArray();
            _strings = btf.Slice((int)strings, (int)Number(btf, 20)).ToArray();
            return;
        }
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private bool Is(uint name, ReadOnlySpan<byte> expected)
    {
        if (name >= _strings.Length)
            return false;
        ReadOnlySpan<byte> text = _strings.AsSpan((int)name);
        return text.StartsWith(expected) && text.Length > expected.Length && text[expected.Length] == 0;
    }

    /// <summary>Byte of a member in a structure; null: there is none, or its types are not there.</summary>
    internal int? OffsetOf(string structure, string member)
    {
        byte[] outer = Encoding.ASCII.GetBytes(structure), inner = Encoding.ASCII.GetBytes(member);
        for (int at = 0; at + TypeBytes <= _types.Length;)
        {
            uint info = Number(_types, at + 4);
            int kind = (int)(info >> 24) & 31, members = (int)(info & 0xFFFF);
            bool bitFields = info >> 31 != 0;
            int body = at + TypeBytes;
            if (kind == Struct && Is(Number(_types, at), outer))
            {
                for (int i = 0; i < members && body + 12 * i + 12 <= _types.Length; i++)
                {
                    uint bits = Number(_types, body + 12 * i + 8) & (bitFields ? 0xFF_FFFFu : uint.MaxValue);
                    if (Is(Number(_types, body + 12 * i), inner))
                        return (int)(bits / 8);
                }
            }
            at = body + BodyBytes(kind, members);
        }
        return null;
    }

    /// <summary>Bytes behind a type's first twelve, by its kind.</summary>
    private static int BodyBytes(int kind, int members) => kind switch
    {
        1 or 14 or 17 => 4,
        3 => 12,
        Struct or Union or 15 or 19 => 12 * members,
        6 or 13 => 8 * members,
        _ => 0,
    };
}
