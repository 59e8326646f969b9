using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A task as files see it: who opens, reads or controls them.</summary>
public interface IFileUser
{
    /// <summary>Identity.</summary>
    Credentials Credentials { get; }

    /// <summary>Open files.</summary>
    FileTable Files { get; }

    /// <summary>Memory that the arguments of an ioctl lie in.</summary>
    MemoryMap Memory { get; }

    /// <summary>The mount namespace that it is in.</summary>
    MountNamespace MountNamespace { get; }

    /// <summary>The network namespace that it is in.</summary>
    NetworkNamespace Network { get; }

    /// <summary>The PID namespace that it is in.</summary>
    PidNamespace PidNamespace { get; }

    /// <summary>Thread ID.</summary>
    int Tid { get; }

    /// <summary>Process ID.</summary>
    int Pid { get; }

    /// <summary>Process group ID.</summary>
    int ProcessGroup { get; }

    /// <summary>Session ID.</summary>
    int Session { get; }

    /// <summary>Whether a signal would do nothing to it: ignored or blocked.</summary>
    bool Ignores(int signal);

    /// <summary>RLIMIT_NOFILE, the soft limit.</summary>
    ulong MaxFiles { get; }
}
