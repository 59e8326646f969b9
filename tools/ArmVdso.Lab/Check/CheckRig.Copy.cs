using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ArmVdso.Emulator.Isa;

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
        const ulong all = 7, privateAnonymousFixed = 0x100022, none = ulong.MaxValue, reach = 1 << 19;
        // ADR reaches 1 MiB. Where there is no room, mmap says so (MAP_FIXED_NOREPLACE).
        ulong near = image - reach;
        while (near < image + reach && Victim.Mm!.Vmas.Any(v => v.Start < near + size && near < v.End))
            near += 4096;
        return (ulong)Done(SystemCall(Victim, Victim.Cpu, Mmap, near, size, all, privateAnonymousFixed, none, 0), "mmap");
    }

    /// <summary>An instruction at another place: ADR, ADRP and literal loads give what they gave, if it is outside of what moves.</summary>
    private static uint Moved(uint word, ulong from, ulong to, ulong image, ulong size)
    {
        bool literal = PcRelative.IsLiteralLoad(word), page = PcRelative.IsAdrp(word);
        if (!literal && !PcRelative.IsAdr(word) && !page)
            return word;
        long immediate = literal ? PcRelative.LiteralOffset(word) : PcRelative.AdrImmediate(word);
        ulong target = page ? (from & ~0xfffUL) + ((ulong)immediate << 12) : from + (ulong)immediate;
        if (target - image < size)
            return word;
        long distance = page ? (long)((target >> 12) - (to >> 12)) : (long)(target - to);
        if (distance is < -(1 << 20) or >= 1 << 20)
            throw new LabException($"the copy of the image lies too far from its data ({distance})", LabFault.Failed);
        return literal ? PcRelative.WithLiteralOffset(word, distance) : PcRelative.WithAdrImmediate(word, distance);
    }
}
