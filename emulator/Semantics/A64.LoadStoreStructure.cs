using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C7.2.

/// <summary>Advanced SIMD load and store of structures. The whole range is checked or loaded before any register or
/// memory changes.</summary>
public static partial class A64
{
    /// <summary>Offset that a post-indexed structure access adds: Xm, or for 31 the bytes transferred.</summary>
    private static ulong StructureOffset(Cpu cpu, int rm, int bytes) => rm == 31 ? (ulong)bytes : cpu.X(rm);

    /// <summary>Loads <paramref name="bytes"/> (a multiple of <paramref name="chunk"/>, 8 or 16) in chunks.</summary>
    private static bool LoadBytes(Cpu cpu, ulong address, Span<byte> bytes, int chunk)
    {
        for (int at = 0; at < bytes.Length; at += chunk)
        {
            if (chunk == 16)
            {
                if (!cpu.Load(address + (ulong)at, out V128 value))
                    return false;
                MemoryMarshal.Write(bytes[at..], in value);
            }
            else
            {
                if (!cpu.Load(address + (ulong)at, out ulong value))
                    return false;
                MemoryMarshal.Write(bytes[at..], in value);
            }
        }
        return true;
    }

    private static bool StoreBytes(Cpu cpu, ulong address, ReadOnlySpan<byte> bytes, int chunk)
    {
        if (!cpu.Check(address, bytes.Length, true))
            return false;
        for (int at = 0; at < bytes.Length; at += chunk)
        {
            if (chunk == 16)
                cpu.Store(address + (ulong)at, MemoryMarshal.Read<V128>(bytes[at..]));
            else
                cpu.Store(address + (ulong)at, MemoryMarshal.Read<ulong>(bytes[at..]));
        }
        return true;
    }

    /// <summary>LD1 to LD4 (multiple structures): memory holds element 0 of every register, then element 1...; with
    /// <paramref name="interleave"/> 1 whole registers follow each other.</summary>
    private static bool LoadMultiple(Cpu cpu, int q, int size, int rn, int rt, int registers, int interleave)
    {
        int width = 8 << q;
        Span<byte> bytes = stackalloc byte[64];
        bytes = bytes[..(registers * width)];
        if (!cpu.CheckSPAlignment(rn) || !LoadBytes(cpu, cpu.XSP(rn), bytes, width))
            return false;
        int esize = 8 << size;
        for (int r = 0; r < registers; r++)
        {
            V128 value = default;
            if (interleave == 1)
            {
                ReadOnlySpan<byte> part = bytes.Slice(r * width, width);
                value.Lo = MemoryMarshal.Read<ulong>(part);
                value.Hi = q != 0 ? MemoryMarshal.Read<ulong>(part[8..]) : 0;
            }
            else
            {
                for (int e = 0; e < width >> size; e++)
                    value.SetElem(e, esize, ReadElement(bytes[((e * registers + r) << size)..], size));
            }
            cpu.SetV(rt + r, value);
        }
        return true;
    }

    private static bool StoreMultiple(Cpu cpu, int q, int size, int rn, int rt, int registers, int interleave)
    {
        int width = 8 << q;
        Span<byte> bytes = stackalloc byte[64];
        bytes = bytes[..(registers * width)];
        int esize = 8 << size;
        for (int r = 0; r < registers; r++)
        {
            V128 value = cpu.V(rt + r);
            if (interleave == 1)
            {
                Span<byte> part = bytes.Slice(r * width, width);
                MemoryMarshal.Write(part, in value.Lo);
                if (q != 0)
                    MemoryMarshal.Write(part[8..], in value.Hi);
            }
            else
            {
                for (int e = 0; e < width >> size; e++)
                    WriteElement(bytes[((e * registers + r) << size)..], size, value.Elem(e, esize));
            }
        }
        return cpu.CheckSPAlignment(rn) && StoreBytes(cpu, cpu.XSP(rn), bytes, width);
    }

    private static ulong ReadElement(ReadOnlySpan<byte> bytes, int size) => size switch
    {
        0 => bytes[0],
        1 => MemoryMarshal.Read<ushort>(bytes),
        2 => MemoryMarshal.Read<uint>(bytes),
        _ => MemoryMarshal.Read<ulong>(bytes),
    };

    private static void WriteElement(Span<byte> bytes, int size, ulong value)
    {
        for (int i = 0; i < 1 << size; i++)
            bytes[i] = (byte)(value >> (8 * i));
    }

    /// <summary>LD1 to LD4 (single structure): one element of each register; the others keep their values.</summary>
    private static bool LoadSingle(Cpu cpu, int size, int index, int rn, int rt, int registers)
    {
        Span<ulong> elements = stackalloc ulong[4];
        if (!LoadElements(cpu, size, rn, elements[..registers]))
            return false;
        for (int r = 0; r < registers; r++)
        {
            V128 value = cpu.V(rt + r);
            value.SetElem(index, 8 << size, elements[r]);
            cpu.SetV(rt + r, value);
        }
        return true;
    }

    /// <summary>LD1R to LD4R: one element to all lanes.</summary>
    private static bool LoadReplicate(Cpu cpu, int q, int size, int rn, int rt, int registers)
    {
        Span<ulong> elements = stackalloc ulong[4];
        if (!LoadElements(cpu, size, rn, elements[..registers]))
            return false;
        for (int r = 0; r < registers; r++)
        {
            ulong half = ReplicateElement(elements[r], 8 << size);
            cpu.SetV(rt + r, new V128(half, q != 0 ? half : 0));
        }
        return true;
    }

    private static bool LoadElements(Cpu cpu, int size, int rn, Span<ulong> elements)
    {
        if (!cpu.CheckSPAlignment(rn))
            return false;
        ulong address = cpu.XSP(rn);
        for (int r = 0; r < elements.Length; r++)
        {
            if (!cpu.Load(address + ((ulong)r << size), 1 << size, out elements[r]))
                return false;
        }
        return true;
    }

    private static bool StoreSingle(Cpu cpu, int size, int index, int rn, int rt, int registers)
    {
        ulong address = cpu.XSP(rn);
        if (!cpu.CheckSPAlignment(rn) || !cpu.Check(address, registers << size, true))
            return false;
        for (int r = 0; r < registers; r++)
            cpu.Store(address + ((ulong)r << size), 1 << size, cpu.V(rt + r).Elem(index, 8 << size));
        return true;
    }

    private static void PostIndex(Cpu cpu, bool done, int rn, int rm, int bytes)
    {
        if (done)
            cpu.SetXSP(rn, cpu.XSP(rn) + StructureOffset(cpu, rm, bytes));
    }
}
