using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ArmVdso.Lab.Check;

/// <summary>Code of the image in other places.</summary>
internal sealed partial class CheckRig
{
    private MemoryMap? _copyOf;
    private byte[] _copied = [];
    private ulong _copy;

    /// <summary>A copy of the victim's image that does the same: addresses relative to the PC that lead out of it (to the data pages) are
    /// written anew, as a binary translator does.</summary>
    /// <param name="image">Where the image is.</param>
    /// <param name="size">Its bytes, whole pages.</param>
    /// <returns>Where the copy is: the same place in the same memory.</returns>
    internal ulong Copy(ulong image, ulong size)
    {
        var bytes = new byte[size];
        if (!Victim.Mm!.Read(image, bytes))
            throw new LabException("the image cannot be read", LabFault.Failed);
        if (!ReferenceEquals(_copyOf, Victim.Mm))
            _copy = MapNear(image, size);
        else if (_copied.AsSpan().SequenceEqual(bytes))
            return _copy;
        (_copyOf, _copied) = (Victim.Mm, bytes);
        bytes = [.. bytes];
        VdsoImage vdso = Kernel.Vdso.Image!;
        for (ulong at = vdso.TextStart; at < vdso.TextEnd; at += 4)
        {
            Span<byte> word = bytes.AsSpan((int)at, 4);
            BinaryPrimitives.WriteUInt32LittleEndian(
                word, Moved(BinaryPrimitives.ReadUInt32LittleEndian(word), image + at, _copy + at, image, size));
        }
        Write(Victim, _copy, MemoryMarshal.Cast<byte, ulong>(bytes));
        return _copy;
    }

    private ulong MapNear(ulong image, ulong size)
    {
        const ulong all = 7, fixedPrivateAnonymous = 0x32, none = ulong.MaxValue, reach = 1 << 19;
        // ADR reaches 1 MiB.
        ulong near = image - reach;
        while (near < image + reach && Victim.Mm!.Vmas.Any(v => v.Start < near + size && near < v.End))
            near += 4096;
        return (ulong)Done(SystemCall(Victim, Victim.Cpu, Mmap, near, size, all, fixedPrivateAnonymous, none, 0), "mmap");
    }

    /// <summary>An instruction at another place: ADR, ADRP and literal loads give what they gave, if it is outside of what moves.</summary>
    private static uint Moved(uint word, ulong from, ulong to, ulong image, ulong size)
    {
        bool literal = (word & 0x3b000000) == 0x18000000, page = !literal && word >> 31 != 0;
        if (!literal && (word & 0x1f000000) != 0x10000000)
            return word;
        long immediate = ((int)(word << 8) >> 13) * 4L + (literal ? 0 : word >> 29 & 3);
        ulong target = page ? (from & ~0xfffUL) + ((ulong)immediate << 12) : from + (ulong)immediate;
        if (target - image < size)
            return word;
        long distance = page ? (long)((target >> 12) - (to >> 12)) : (long)(target - to);
        if (distance is < -(1 << 20) or >= 1 << 20)
            throw new LabException($"the copy of the image lies too far from its data ({distance})", LabFault.Failed);
        uint high = ((uint)(distance >> 2) & 0x7ffff) << 5;
        return literal ? (word & 0xff00001f) | high : (word & 0x9f00001f) | ((uint)distance & 3) << 29 | high;
    }
}
