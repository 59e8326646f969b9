namespace ArmVdso.Kernel.Costs;

/// <summary>What the model's C# body is charged: instructions of a stock Debian 6.1 arm64 kernel beyond entry and exit
/// (dynamic counts by test, kernel-model/Costs/calls.tsv). A modelled number, labelled so wherever it is printed.</summary>
public enum CostClass
{
    /// <summary>Next to nothing (getpid, umask).</summary>
    Trivial,

    /// <summary>Looks a descriptor up (dup, fcntl, lseek).</summary>
    Descriptor,

    /// <summary>Reads or writes a little (pipe, device).</summary>
    Transfer,

    /// <summary>Reads or writes a file.</summary>
    FileTransfer,

    /// <summary>Stats an open file.</summary>
    Stat,

    /// <summary>Walks a path.</summary>
    Path,

    /// <summary>Opens a file.</summary>
    Open,

    /// <summary>Closes a file.</summary>
    Close,

    /// <summary>Maps memory.</summary>
    Map,

    /// <summary>Unmaps memory.</summary>
    Unmap,

    /// <summary>Futex and similar wake-ups.</summary>
    Futex,

    /// <summary>Signals.</summary>
    Signal,

    /// <summary>Makes a task.</summary>
    Fork,

    /// <summary>Loads a program.</summary>
    Exec,

    /// <summary>Ends a task.</summary>
    Exit,

    /// <summary>Sleeps and polls.</summary>
    Wait,
}
