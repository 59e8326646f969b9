namespace ArmVdso.Kernel.Vdso;

/// <summary>The talk's question whether data pages may be written by user space, and the kernel trust them.</summary>
public enum WritablePage
{
    /// <summary>They may not.</summary>
    No,

    /// <summary>They may; the kernel writes them and never reads them.</summary>
    Ignored,

    /// <summary>The kernel takes a request (a file system user) from the thread's slot: it loads the word, checks it, and loads it
    /// again to use it.</summary>
    CheckedThenUsed,

    /// <summary>The same with one load.</summary>
    TakenOnce,
}
