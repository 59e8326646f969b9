namespace ArmVdso.Kernel.Memory;

/// <summary>Who is asked for pages that are missing, and told of writes (a userfaultfd): the part that a memory knows.</summary>
internal interface IUserfault
{
    /// <summary>Only accesses of EL0 are told; the kernel's own fail (UFFD_USER_MODE_ONLY).</summary>
    bool OnlyUser { get; }

    /// <summary>Nobody is asked: the access is a SIGBUS (UFFD_FEATURE_SIGBUS).</summary>
    bool Refuses { get; }
}

/// <summary>What a mapping is registered for.</summary>
/// <param name="Owner">Who is asked.</param>
/// <param name="Modes">UFFDIO_REGISTER_MODE_*: 1 missing pages, 2 writes to protected ones.</param>
internal sealed record UserfaultRegistration(IUserfault Owner, uint Modes)
{
    internal const uint Missing = 1, WriteProtect = 2;

    /// <summary>UFFD_PAGEFAULT_FLAG_WRITE, UFFD_PAGEFAULT_FLAG_WP.</summary>
    internal const uint Write = 1, Protected = 2;
}

/// <summary>An access to a page that somebody is asked for.</summary>
/// <param name="Owner">Who is asked.</param>
/// <param name="Address">The address.</param>
/// <param name="Flags">UFFD_PAGEFAULT_FLAG_*.</param>
internal readonly record struct AskedPage(IUserfault Owner, ulong Address, uint Flags);
