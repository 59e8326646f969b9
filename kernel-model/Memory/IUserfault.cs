namespace ArmVdso.Kernel.Memory;

/// <summary>Who is asked for pages that are missing, and told of writes (a userfaultfd): the part that a memory knows.</summary>
internal interface IUserfault
{
    /// <summary>Only accesses of EL0 are told; the kernel's own fail (UFFD_USER_MODE_ONLY).</summary>
    bool OnlyUser { get; }

    /// <summary>Nobody is asked: the access is a SIGBUS (UFFD_FEATURE_SIGBUS).</summary>
    bool Refuses { get; }

    /// <summary>Whether it hears of a change of mappings (UFFD_FEATURE_EVENT_*).</summary>
    bool Hears(UserfaultChange change);

    /// <summary>A change of mappings: who makes it waits until that was read.</summary>
    /// <param name="change">What happens.</param>
    /// <param name="first">REMAP: from; else the start.</param>
    /// <param name="second">REMAP: to; else the end.</param>
    /// <param name="length">REMAP: how many bytes.</param>
    void Changed(UserfaultChange change, ulong first, ulong second, ulong length = 0);

    /// <summary>The memory was copied for a child: who is asked for the child's pages.</summary>
    IUserfault Forked(MemoryMap child);
}

/// <summary>Changes of mappings that a userfaultfd can hear of, by the numbers of its messages (UFFD_EVENT_*).</summary>
internal enum UserfaultChange
{
    /// <summary>A child has a copy of the memory.</summary>
    Fork = 0x13,

    /// <summary>Pages are elsewhere (mremap).</summary>
    Remap = 0x14,

    /// <summary>Pages go, their mapping stays (MADV_DONTNEED, MADV_FREE, MADV_REMOVE).</summary>
    Remove = 0x15,

    /// <summary>A mapping goes.</summary>
    Unmap = 0x16,
}

/// <summary>What a mapping is registered for.</summary>
/// <param name="Owner">Who is asked.</param>
/// <param name="Modes">UFFDIO_REGISTER_MODE_*: 1 missing pages, 2 writes to protected ones, 4 pages that are in memory and not mapped.
/// </param>
internal sealed record UserfaultRegistration(IUserfault Owner, uint Modes)
{
    internal const uint Missing = 1, WriteProtect = 2, Minor = 4;

    /// <summary>UFFD_PAGEFAULT_FLAG_WRITE, UFFD_PAGEFAULT_FLAG_WP, UFFD_PAGEFAULT_FLAG_MINOR.</summary>
    internal const uint Write = 1, Protected = 2, NotMapped = 4;
}

/// <summary>An access to a page that somebody is asked for.</summary>
/// <param name="Owner">Who is asked.</param>
/// <param name="Address">The address.</param>
/// <param name="Flags">UFFD_PAGEFAULT_FLAG_*.</param>
internal readonly record struct AskedPage(IUserfault Owner, ulong Address, uint Flags);
