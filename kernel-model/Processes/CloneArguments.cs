namespace ArmVdso.Kernel.Processes;

/// <summary>What clone and clone3 are called with (struct kernel_clone_args).</summary>
internal readonly record struct CloneArguments
{
    /// <summary>CLONE_*.</summary>
    internal required ulong Flags { get; init; }

    /// <summary>Signal at the child's end.</summary>
    internal required int ExitSignal { get; init; }

    /// <summary>The child's SP; 0: the parent's.</summary>
    internal ulong Stack { get; init; }

    /// <summary>Where the child's TID is written in the parent (CLONE_PARENT_SETTID).</summary>
    internal ulong ParentTid { get; init; }

    /// <summary>Where it is written and cleared in the child (CLONE_CHILD_SETTID, _CLEARTID).</summary>
    internal ulong ChildTid { get; init; }

    /// <summary>TPIDR_EL0 of the child (CLONE_SETTLS).</summary>
    internal ulong Tls { get; init; }

    /// <summary>Where its pidfd is written (CLONE_PIDFD).</summary>
    internal ulong PidFd { get; init; }

    /// <summary>The tracer of the caller traces it too: it asked to be told of it.</summary>
    internal bool Traced { get; init; }

    /// <summary>The TID that it is to have; 0: any.</summary>
    internal int SetTid { get; init; }
}
