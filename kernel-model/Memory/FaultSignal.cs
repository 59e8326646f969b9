namespace ArmVdso.Kernel.Memory;

/// <summary>Why an access cannot be made.</summary>
public enum FaultSignal
{
    /// <summary>No fault.</summary>
    None,

    /// <summary>SIGSEGV, SEGV_MAPERR.</summary>
    MapError,

    /// <summary>SIGSEGV, SEGV_ACCERR.</summary>
    AccessError,

    /// <summary>SIGBUS, BUS_ADRERR.</summary>
    BusError,

    /// <summary>SIGBUS, BUS_MCEERR_AR: the page is poisoned.</summary>
    Poisoned,

    /// <summary>No signal: somebody is asked for the page (<see cref="MemoryMap.Asked"/>).</summary>
    Userfault,

    /// <summary>RAM is full: SIGKILL.</summary>
    OutOfMemory,
}
