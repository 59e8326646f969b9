using System.Buffers.Binary;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Processes;

/// <summary>A core file: notes of the process and its threads, then its memory (elf_core_dump in fs/binfmt_elf.c).</summary>
internal sealed class CoreFile(Machine machine, TaskRecords records, KernelTask task, SignalInfo info, CoreSink sink)
{
    private const int HeaderSize = 64, SegmentSize = 56, PageSize = PhysicalMemory.PageSize;
    private const int ET_CORE = 4, EM_AARCH64 = 183, PT_LOAD = 1, PT_NOTE = 4;

    /// <summary>Bits of coredump_filter (Documentation/filesystems/proc.rst).</summary>
    private const uint AnonymousPrivate = 1, AnonymousShared = 2, MappedPrivate = 4, MappedShared = 8, ElfHeaders = 16;

    private readonly MemoryMap _memory = task.Mm!;
    private readonly byte[] _page = new byte[PageSize];

    /// <summary>Writes it, as far as the sink takes it.</summary>
    internal void Write()
    {
        byte[] notes = new CoreNotes(machine, records, task, info).Make();
        Vma[] areas = [.. _memory.Vmas];
        ulong[] sizes = [.. areas.Select(SizeOf)];
        ulong notesAt = (ulong)(HeaderSize + SegmentSize * (areas.Length + 1));
        ulong dataAt = (notesAt + (ulong)notes.Length + PageSize - 1) / PageSize * PageSize;
        bool room = sink.Emit(Header(areas.Length + 1)) && sink.Emit(Segment(PT_NOTE, 0, notesAt, 0, (ulong)notes.Length, 0, 4));
        ulong at = dataAt;
        for (int i = 0; room && i < areas.Length; i++)
        {
            Vma area = areas[i];
            // PF_X 1, PF_W 2, PF_R 4: the other way round than PROT_*.
            int flags = (area.Prot & Mman.PROT_READ) << 2 | (area.Prot & Mman.PROT_WRITE) | (area.Prot & Mman.PROT_EXEC) >> 2;
            room = sink.Emit(Segment(PT_LOAD, flags, at, area.Start, sizes[i], area.End - area.Start, PageSize));
            at += sizes[i];
        }
        room = room && sink.Emit(notes) && sink.Align(PageSize);
        for (int i = 0; room && i < areas.Length; i++)
            room = WriteMemory(areas[i], sizes[i]);
        if (room)
            sink.End();
    }

    private static byte[] Header(int segments)
    {
        var b = new byte[HeaderSize];
        "\u007fELF"u8.CopyTo(b);
        (b[4], b[5], b[6]) = (2, 1, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(16), ET_CORE);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(18), EM_AARCH64);
        BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(20), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(32), HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(52), HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(54), SegmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(56), (ushort)segments);
        return b;
    }

    private static byte[] Segment(int type, int flags, ulong offset, ulong address, ulong fileSize, ulong size, ulong align)
    {
        var b = new byte[SegmentSize];
        BinaryPrimitives.WriteInt32LittleEndian(b, type);
        BinaryPrimitives.WriteInt32LittleEndian(b.AsSpan(4), flags);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(8), offset);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(16), address);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(32), fileSize);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(40), size);
        BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(48), align);
        return b;
    }

    /// <summary>How much of a mapping the file holds (vma_dump_size).</summary>
    private ulong SizeOf(Vma area)
    {
        ulong all = area.End - area.Start;
        uint filter = task.Group.CoreFilter;
        if (area.Special is not null)
            return all;
        if (area.DontDump)
            return 0;
        if (area.Shared)
            return (filter & (area.File is null || area.File.Path.EndsWith(" (deleted)", StringComparison.Ordinal)
                ? AnonymousShared : MappedShared)) != 0 ? all : 0;
        if ((filter & AnonymousPrivate) != 0 && HasPagesOfItsOwn(area))
            return all;
        if (area.File is null)
            return 0;
        if ((filter & MappedPrivate) != 0)
            return all;
        return (filter & ElfHeaders) != 0 && area.Offset == 0 && (area.Prot & Mman.PROT_READ) != 0 && ReadPage(area, area.Start, _page)
            && ((area.Prot & Mman.PROT_EXEC) != 0 || _page.AsSpan().StartsWith("\u007fELF"u8)) ? (ulong)PageSize : 0;
    }

    /// <summary>Whether a private mapping has pages that are not the file's (anon_vma).</summary>
    private bool HasPagesOfItsOwn(Vma area)
    {
        foreach ((ulong va, ulong pa, _) in _memory.Space.Pages(area.Start, area.End))
        {
            if (area.File is not { } file || !file.ReadPage(area.Offset + (va - area.Start), _page)
                || !machine.Memory.Span(pa, PageSize).SequenceEqual(_page))
                return true;
        }
        return false;
    }

    /// <summary>What a page holds. It is not faulted in: that would change what the process is seen to have used.</summary>
    private bool ReadPage(Vma area, ulong va, Span<byte> page)
    {
        if (_memory.Residence(va) is not { } resident)
            return area.File is { } file && file.ReadPage(area.Offset + (va - area.Start), page);
        machine.Memory.Span(resident.Pa, PageSize).CopyTo(page);
        return true;
    }

    private bool WriteMemory(Vma area, ulong size)
    {
        for (ulong va = area.Start; va < area.Start + size; va += PageSize)
        {
            bool there = ReadPage(area, va, _page) && _page.AsSpan().ContainsAnyExcept((byte)0);
            if (!(there ? sink.Emit(_page) : sink.Skip(PageSize)))
                return false;
        }
        return true;
    }
}
