namespace ArmVdso.Lab.Crash;

/// <summary>A thread of a process that crashed.</summary>
/// <param name="Tid">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">What it was doing.</param>
/// <param name="Frames">Its backtrace, innermost first.</param>
public sealed record CrashThread(int Tid, string Name, string State, IReadOnlyList<CrashFrame> Frames);

/// <summary>An instruction near the program counter.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Place">Function and offset.</param>
/// <param name="Word">Its encoding.</param>
/// <param name="Text">Its disassembly.</param>
public sealed record CrashInstruction(ulong Address, string Place, uint Word, string Text);

/// <summary>A process that a signal ended: what a person needs to find the reason. Everything is as it was at the end.</summary>
public sealed record CrashRecord
{
    /// <summary>Process and thread, as the kernel's first namespace counts them.</summary>
    public required int Pid { get; init; }

    /// <inheritdoc cref="Pid"/>
    public required int Tid { get; init; }

    /// <summary>Name of the thread.</summary>
    public required string Name { get; init; }

    /// <summary>The command line, words joined by blanks.</summary>
    public required string Command { get; init; }

    /// <summary>SIGSEGV and its like, and the name of its code.</summary>
    public required string Signal { get; init; }

    /// <inheritdoc cref="Signal"/>
    public required string Code { get; init; }

    /// <summary>What the code means.</summary>
    public required string Meaning { get; init; }

    /// <summary>si_addr; null: the signal has none, it was sent.</summary>
    public required ulong? Address { get; init; }

    /// <summary>Where <see cref="Address"/> is: a line of /proc/PID/maps, or what lies nearest.</summary>
    public required string Region { get; init; }

    /// <summary>The registers.</summary>
    public required ThreadContext Registers { get; init; }

    /// <summary>Code around the program counter; none where none is mapped.</summary>
    public required IReadOnlyList<CrashInstruction> Instructions { get; init; }

    /// <summary>The thread that crashed, then the others.</summary>
    public required IReadOnlyList<CrashThread> Threads { get; init; }

    /// <summary>The last system calls, oldest first, as strace prints them without what pointers point to.</summary>
    public required IReadOnlyList<string> Calls { get; init; }

    /// <summary>/proc/PID/maps.</summary>
    public required IReadOnlyList<string> Maps { get; init; }

    /// <summary>Cycles and emulated CPU.</summary>
    public required ulong Cycle { get; init; }

    /// <inheritdoc cref="Cycle"/>
    public required int Cpu { get; init; }

    /// <summary>The core file in the guest; null: none was written.</summary>
    public required string? Core { get; init; }
}
