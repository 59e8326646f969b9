namespace ArmVdso.Kernel.Memory;

/// <summary>An open file as a mapping uses it: where pages come from and what /proc/PID/maps shows.</summary>
public interface IMappedFile
{
    /// <summary>Whether writes are allowed.</summary>
    bool CanWrite { get; }

    /// <summary>Whether a seal forbids writes through shared mappings (F_SEAL_WRITE, F_SEAL_FUTURE_WRITE).</summary>
    bool WriteSealed { get; }

    /// <summary>The name that /proc/PID/maps shows.</summary>
    string Path { get; }

    /// <summary>Device and inode number for /proc/PID/maps.</summary>
    (uint Major, uint Minor, ulong Inode) DeviceAndInode { get; }

    /// <summary>One page of contents for a private mapping, zero past the end; false: the page cannot be read.</summary>
    bool ReadPage(ulong offset, Span<byte> page);

    /// <summary>Physical page that private mappings may show as long as they do not write; 0: there is none, <see cref="ReadPage"/> has
    /// the contents. The mapping must hold the file and adds a reference of its own.</summary>
    ulong CachedPagePa(ulong offset);

    /// <summary>Whether a physical page is the file's own at an offset in bytes, and no copy of it.</summary>
    bool HasAsPage(ulong offset, ulong pa);

    /// <summary>Physical page of a shared mapping; 0 past the end. The mapping must hold the file.</summary>
    ulong SharedPagePa(ulong offset);

    /// <summary>Whether its pages are shared memory (shmem), which a userfaultfd can provide.</summary>
    bool IsSharedMemory { get; }

    /// <summary>Whether the page at an offset in bytes is in memory; null: it is beyond the end.</summary>
    bool? HasPage(ulong offset);

    /// <summary>Whether its file system wants to hear of the first write to each page of a shared mapping (page_mkwrite).</summary>
    bool HearsOfWrites { get; }

    /// <summary>A page of a shared mapping is written to from now on (file_update_time, and what the file system does in page_mkwrite).
    /// False: there is no room for it.</summary>
    /// <param name="offset">Where the page is in the file, in bytes.</param>
    bool PageWritten(ulong offset);

    /// <summary>What is mapped: the same for all who have opened a file.</summary>
    object MappedObject { get; }

    /// <summary>A mapping holds the file.</summary>
    void Hold();

    /// <summary>A mapping lets the file go; the last holder releases it.</summary>
    void Release();

    /// <summary>The file is a running program: nobody may write to it (deny_write_access) until as many
    /// <see cref="AllowWrites"/>.</summary>
    void DenyWrites();

    /// <inheritdoc cref="DenyWrites"/>
    void AllowWrites();
}
