using System.Runtime.InteropServices;

namespace ArmVdso.Emulator.State;

/// <summary>How the runtime lays objects out, as its garbage collector reads it (src/coreclr/gc/gcdesc.h; NativeAOT has the same): before
/// an object's fields lies the address of its method table, before the table which words of the object are references.</summary>
internal sealed partial class ObjectGraph
{
    private const uint HasElements = 0x8000_0000, HasReferences = 0x0100_0000, ElementSize = 0xffff;

    // Of an object without elements: the word before it and its method table.
    private const int Word = 8, Header = 2 * Word;

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "MemberwiseClone")]
    private static extern object Clone(object value);

    /// <summary>What an object looks like: its fields begin where those of any other do.</summary>
    private sealed class Any
    {
        public byte First = 0;
    }

    private static ref byte Fields(object value) => ref Unsafe.As<Any>(value).First;

    private static unsafe byte* TableOf(object value) => (byte*)Unsafe.Add(ref Unsafe.As<byte, nint>(ref Fields(value)), -1);

    /// <summary>Reads the layout of an object's type.</summary>
    private static unsafe Layout Read(object value)
    {
        byte* table = TableOf(value);
        uint flags = *(uint*)table;
        int size = (flags & HasElements) != 0 ? (int)(flags & ElementSize) : *(int*)(table + 4) - Header;
        if ((flags & HasReferences) == 0)
            return new Layout(size, []);
        var offsets = new List<int>();
        nint series = *(nint*)(table - Word);
        byte* first = table - 3 * Word;
        if (series < 0)
        {
            // Elements that hold references: a pattern of references and other bytes, repeated.
            int bounds = value is Array { Rank: > 1 } many ? Word * many.Rank : 0, at = (int)*(nint*)(first + Word) - Header - bounds;
            for (nint i = 0; i > series; i--)
            {
                uint* item = (uint*)(first + i * Word);
                for (uint n = 0; n < item[0]; n++, at += Word)
                    offsets.Add(at);
                at += (int)item[1];
            }
        }
        else if ((flags & HasElements) != 0)
        {
            offsets.Add(0);
        }
        else
        {
            for (nint i = 0; i < series; i++)
            {
                byte* item = first - i * 2 * Word;
                int count = (int)(*(nint*)item + *(int*)(table + 4)) / Word, at = (int)*(nint*)(item + Word) - Word;
                for (int n = 0; n < count; n++, at += Word)
                    offsets.Add(at);
            }
        }
        offsets.Sort();
        return new Layout(size, [.. offsets]);
    }

    private static object? Reference(ref byte start, int offset) => Unsafe.As<byte, object?>(ref Unsafe.Add(ref start, offset));

    /// <summary>Copies all fields of an object into another one of its type.</summary>
    private static void CopyFields(object from, object to, Layout layout)
    {
        ref byte source = ref Fields(from);
        ref byte target = ref Fields(to);
        int next = 0;
        for (int at = 0; at < layout.Size; at += Word)
        {
            if (next < layout.References.Length && layout.References[next] == at)
            {
                next++;
                Unsafe.As<byte, object?>(ref Unsafe.Add(ref target, at)) = Reference(ref source, at);
            }
            else
            {
                Unsafe.As<byte, ulong>(ref Unsafe.Add(ref target, at)) = Unsafe.As<byte, ulong>(ref Unsafe.Add(ref source, at));
            }
        }
    }

    private static ref byte Elements(Array array) => ref MemoryMarshal.GetArrayDataReference(array);
}
