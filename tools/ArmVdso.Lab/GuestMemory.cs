using System.Runtime.InteropServices;
using System.Text;

namespace ArmVdso.Lab;

/// <summary>The memory of a process as an onlooker reads it: no page is faulted in, nothing that the guest can see changes.</summary>
internal sealed class GuestMemory(LinuxKernel kernel, MemoryMap memory)
{
    private const int Page = 4096;
    private readonly ulong _mask = memory.TaskSize - 1;

    /// <summary>A structure or number. False: nothing is mapped there.</summary>
    internal bool Read<T>(ulong va, out T value) where T : unmanaged
    {
        value = default;
        return Read(va, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    /// <summary>Bytes. False: nothing is mapped at one of them.</summary>
    internal bool Read(ulong va, Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length;)
        {
            ulong at = (va + (ulong)i) & _mask;
            int offset = (int)(at % Page), n = Math.Min(bytes.Length - i, Page - offset);
            if (!ReadPage(at - (ulong)offset, offset, bytes.Slice(i, n)))
                return false;
            i += n;
        }
        return true;
    }

    /// <summary>A string that ends with NUL, one char a byte; null: nothing is mapped there, or no NUL comes soon.</summary>
    internal string? ReadString(ulong va, int most)
    {
        var text = new StringBuilder();
        for (ulong at = va; text.Length < most; at++)
        {
            if (!Read(at, out byte value))
                return null;
            if (value == 0)
                return text.ToString();
            text.Append((char)value);
        }
        return null;
    }

    /// <summary>Bytes of a page: as it is, else as its first access would find it.</summary>
    private bool ReadPage(ulong page, int offset, Span<byte> bytes)
    {
        if (memory.Space.Lookup(page, out ulong pa, out _))
        {
            kernel.Machine.Memory.Span(pa + (ulong)offset, bytes.Length).CopyTo(bytes);
            return true;
        }
        if (memory.Find(page) is not { } vma || (vma.Prot & 1) == 0)
            return false;
        if (vma.SpecialPages is { } special)
        {
            kernel.Machine.Memory.Span(special[(int)((page - vma.Start) / Page)] + (ulong)offset, bytes.Length).CopyTo(bytes);
            return true;
        }
        if (vma.File is null)
        {
            bytes.Clear();
            return !vma.Shared;
        }
        Span<byte> whole = stackalloc byte[Page];
        if (!vma.File.ReadPage(vma.Offset + (page - vma.Start), whole))
            return false;
        whole.Slice(offset, bytes.Length).CopyTo(bytes);
        return true;
    }
}
