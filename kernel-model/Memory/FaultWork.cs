namespace ArmVdso.Kernel.Memory;

/// <summary>What a page fault that succeeds has to do (do_fault, do_anonymous_page, do_wp_page in mm/memory.c).</summary>
public enum FaultWork
{
    /// <summary>The page is there by now.</summary>
    Present,

    /// <summary>Anonymous memory is read for the first time.</summary>
    ReadNew,

    /// <summary>Anonymous memory is written for the first time.</summary>
    WriteNew,

    /// <summary>A page of a file is mapped.</summary>
    File,

    /// <summary>A page of a file is copied, since a private mapping writes to it.</summary>
    FileWrite,

    /// <summary>A page that others have too is copied.</summary>
    Copy,
}
