using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Proc;

/// <summary>PROCMAP_QUERY: one mapping of /proc/PID/maps in binary (do_procmap_query in fs/proc/task_mmu.c, Linux 6.11).</summary>
internal static class MapsQuery
{
    private const uint PROCMAP_QUERY = 0xC0686611;

    /// <summary>PROCMAP_QUERY_*: the protection that is asked for and told, and two wishes.</summary>
    private const ulong Readable = 1, Writable = 2, Executable = 4, SharedMapping = 8, CoveringOrNext = 0x10, FileBacked = 0x20;

    /// <summary>Bytes of struct procmap_query, and up to the end of query_addr.</summary>
    private const int Size = 104, Least = 24;

    /// <summary>The ioctl: 0 or -errno.</summary>
    /// <param name="memory">Whose mappings; null: gone.</param>
    /// <param name="user">The caller.</param>
    /// <param name="command">What is asked.</param>
    /// <param name="argument">Address of the structure.</param>
    internal static long Ioctl(MemoryMap? memory, IFileUser user, uint command, ulong argument)
    {
        if (command != PROCMAP_QUERY)
            return -Errno.ENOTTY;
        if (!user.Memory.Read(argument, out ulong given))
            return -Errno.EFAULT;
        if (given > PhysicalMemory.PageSize)
            return -Errno.E2BIG;
        if (given < Least)
            return -Errno.EINVAL;
        byte[] all = new byte[Math.Max(given, Size)];
        if (!user.Memory.Read(argument, all.AsSpan(0, (int)given)))
            return -Errno.EFAULT;
        if (all.AsSpan(Size).ContainsAnyExcept((byte)0))
            return -Errno.E2BIG;
        Span<byte> query = all.AsSpan(0, Size);
        ulong wishes = BinaryPrimitives.ReadUInt64LittleEndian(query[8..]);
        uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(query[80..]), idSize = BinaryPrimitives.ReadUInt32LittleEndian(query[84..]);
        ulong nameAt = BinaryPrimitives.ReadUInt64LittleEndian(query[88..]), idAt = BinaryPrimitives.ReadUInt64LittleEndian(query[96..]);
        if ((wishes & ~0x3FUL) != 0 || nameSize != 0 != (nameAt != 0) || idSize != 0 != (idAt != 0))
            return -Errno.EINVAL;
        if (memory is null)
            return -Errno.ESRCH;
        if (Find(memory, BinaryPrimitives.ReadUInt64LittleEndian(query[16..]), wishes) is not { } vma)
            return -Errno.ENOENT;
        BinaryPrimitives.WriteUInt64LittleEndian(query[24..], vma.Start);
        BinaryPrimitives.WriteUInt64LittleEndian(query[32..], vma.End);
        BinaryPrimitives.WriteUInt64LittleEndian(query[40..], FlagsOf(vma));
        BinaryPrimitives.WriteUInt64LittleEndian(query[48..], PhysicalMemory.PageSize);
        (uint major, uint minor, ulong inode) = vma.File?.DeviceAndInode ?? default;
        BinaryPrimitives.WriteUInt64LittleEndian(query[56..], vma.File is null ? 0 : vma.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(query[64..], inode);
        BinaryPrimitives.WriteUInt32LittleEndian(query[72..], major);
        BinaryPrimitives.WriteUInt32LittleEndian(query[76..], minor);
        byte[] id = idSize == 0 || vma.File is not { } mapped ? [] : BuildIdOf(mapped);
        string? name = nameSize == 0 ? null : MemoryText.NameOf(vma);
        if (id.Length > idSize || name?.Length >= nameSize)
            return -Errno.ENAMETOOLONG;
        BinaryPrimitives.WriteUInt32LittleEndian(query[84..], (uint)id.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(query[80..], name is null ? 0 : (uint)name.Length + 1);
        bool told = (name is null || user.Memory.Write(nameAt, Encoding.Latin1.GetBytes(name + "\0")))
            && (id.Length == 0 || user.Memory.Write(idAt, id))
            && user.Memory.Write(argument, query[..(int)Math.Min(given, Size)]);
        return told ? 0 : -Errno.EFAULT;
    }

    private static ulong FlagsOf(Vma vma) => ((vma.Prot & Mman.PROT_READ) != 0 ? Readable : 0)
        | ((vma.Prot & Mman.PROT_WRITE) != 0 ? Writable : 0) | ((vma.Prot & Mman.PROT_EXEC) != 0 ? Executable : 0)
        | (vma.Shared ? SharedMapping : 0);

    /// <summary>query_matching_vma.</summary>
    private static Vma? Find(MemoryMap memory, ulong address, ulong wishes)
    {
        while (memory.FindAtOrAbove(address) is { } vma)
        {
            ulong protection = wishes & (Readable | Writable | Executable | SharedMapping);
            bool fits = ((wishes & FileBacked) == 0 || vma.File is not null) && (FlagsOf(vma) & protection) == protection;
            if (fits && ((wishes & CoveringOrNext) != 0 || vma.Start <= address))
                return vma;
            if ((wishes & CoveringOrNext) == 0)
                return null;
            address = vma.End;
        }
        return null;
    }

    /// <summary>NT_GNU_BUILD_ID of an ELF file whose notes lie in its first page (build_id_parse); empty: there is none.</summary>
    private static byte[] BuildIdOf(IMappedFile file)
    {
        const int PT_NOTE = 4, NT_GNU_BUILD_ID = 3, entry = 56;
        byte[] page = new byte[PhysicalMemory.PageSize];
        if (!file.ReadPage(0, page) || !page.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
            return [];
        ulong headers = BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(32));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(56));
        for (int i = 0; i < count && headers + (ulong)((i + 1) * entry) <= (ulong)page.Length; i++)
        {
            ReadOnlySpan<byte> header = page.AsSpan((int)headers + i * entry, entry);
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]), all = (ulong)page.Length;
            if (BinaryPrimitives.ReadInt32LittleEndian(header) != PT_NOTE || start > all || size > all - start)
                continue;
            ReadOnlySpan<byte> notes = page.AsSpan((int)start, (int)size);
            while (notes.Length >= 12)
            {
                uint owner = BinaryPrimitives.ReadUInt32LittleEndian(notes), length = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
                ulong body = 12 + ((ulong)owner + 3 & ~3UL), end = body + ((ulong)length + 3 & ~3UL);
                if (end > (ulong)notes.Length)
                    break;
                if (owner == 4 && BinaryPrimitives.ReadInt32LittleEndian(notes[8..]) == NT_GNU_BUILD_ID && length is > 0 and <= 20
                    && notes[12..].StartsWith("GNU\0"u8))
                    return notes.Slice((int)body, (int)length).ToArray();
                notes = notes[(int)end..];
            }
        }
        return [];
    }
}
