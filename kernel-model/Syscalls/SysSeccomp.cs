using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>seccomp: what a task lets itself call (kernel/seccomp.c). The filters are asked in <see cref="SeccompGate"/>; calls of the vDSO
/// that need no system call they do not see.</summary>
internal static class SysSeccomp
{
    private const uint SetStrict = 0, SetFilter = 1, GetActionAvailable = 2, GetNotificationSizes = 3;

    private const uint AllFlags = SeccompFilter.FlagTsync | SeccompFilter.FlagLog | SeccompFilter.FlagSpecAllow
        | SeccompFilter.FlagNewListener | SeccompFilter.FlagTsyncEsrch | SeccompFilter.FlagWaitKillable;

    /// <summary>seccomp(operation, flags, args).</summary>
    public static long Seccomp(SyscallContext c)
    {
        uint flags = c.UInt(1);
        switch (c.UInt(0))
        {
            case SetStrict:
                return flags != 0 || c.Arg(2) != 0 ? -Errno.EINVAL : BeStrict(c);
            case SetFilter:
                return AddFilter(c, flags, c.Arg(2));
            case GetActionAvailable:
                if (flags != 0)
                    return -Errno.EINVAL;
                if (!c.Memory.Read(c.Arg(2), out uint action))
                    return -Errno.EFAULT;
                return action is SeccompFilter.KillProcess or SeccompFilter.KillThread or SeccompFilter.Trap or SeccompFilter.Error
                    or SeccompFilter.Notify or SeccompFilter.Trace or SeccompFilter.Log or SeccompFilter.Allow ? 0 : -Errno.EOPNOTSUPP;
            case GetNotificationSizes:
                if (flags != 0)
                    return -Errno.EINVAL;
                Span<byte> sizes = stackalloc byte[6];
                BinaryPrimitives.WriteUInt16LittleEndian(sizes, SeccompListener.NotificationSize);
                BinaryPrimitives.WriteUInt16LittleEndian(sizes[2..], SeccompListener.ResponseSize);
                BinaryPrimitives.WriteUInt16LittleEndian(sizes[4..], SeccompFilter.DataSize);
                return c.Memory.Write(c.Arg(2), sizes) ? 0 : -Errno.EFAULT;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>prctl(PR_SET_SECCOMP, mode, program).</summary>
    internal static long FromPrctl(SyscallContext c, ulong mode, ulong program) => mode switch
    {
        (ulong)SeccompMode.Strict => BeStrict(c),
        (ulong)SeccompMode.Filter => AddFilter(c, 0, program),
        _ => -Errno.EINVAL,
    };

    private static bool MayBe(KernelTask task, SeccompMode mode) => task.SeccompMode == SeccompMode.Disabled || task.SeccompMode == mode;

    private static long BeStrict(SyscallContext c)
    {
        if (!MayBe(c.Task, SeccompMode.Strict))
            return -Errno.EINVAL;
        Enter(c, c.Task, SeccompMode.Strict);
        return 0;
    }

    /// <summary>From its next call on the task's calls are all looked at.</summary>
    private static void Enter(SyscallContext c, KernelTask task, SeccompMode mode)
    {
        task.SeccompMode = mode;
        c.Records.SyncSyscallTrace(task);
    }

    private static long AddFilter(SyscallContext c, uint flags, ulong address)
    {
        bool listens = (flags & SeccompFilter.FlagNewListener) != 0, all = (flags & SeccompFilter.FlagTsync) != 0;
        if ((flags & ~AllFlags) != 0 || (all && listens && (flags & SeccompFilter.FlagTsyncEsrch) == 0)
            || ((flags & SeccompFilter.FlagWaitKillable) != 0 && !listens))
            return -Errno.EINVAL;
        long result = ReadProgram(c, address, out ClassicBpf? program);
        if (result < 0)
            return result;
        KernelTask task = c.Task;
        if (!MayBe(task, SeccompMode.Filter))
            return -Errno.EINVAL;
        if (listens && SeccompFilter.Chain(task.SeccompFilter).Any(f => f.Listener is not null))
            return -Errno.EBUSY;
        int length = program!.Program.Length
            + SeccompFilter.Chain(task.SeccompFilter).Sum(f => f.Program.Program.Length + SeccompFilter.PerFilter);
        if (length > SeccompFilter.MostInstructions)
            return -Errno.ENOMEM;
        if (all && task.Group.Threads.Find(t => !ReferenceEquals(t, task) && !MayFollow(t, task)) is { } other)
            return (flags & SeccompFilter.FlagTsyncEsrch) != 0 ? -Errno.ESRCH : c.NumberOf(other.Tid);
        var filter = new SeccompFilter(program, task.SeccompFilter, flags);
        long fd = 0;
        if (listens && (fd = Listen(c, filter)) < 0)
            return fd;
        // The task's use of the old one becomes the new one's.
        task.SeccompFilter = filter.Use();
        Enter(c, task, SeccompMode.Filter);
        if (all)
            Follow(c, task);
        return fd;
    }

    private static long ReadProgram(SyscallContext c, ulong address, out ClassicBpf? program)
    {
        program = null;
        const int header = 8;
        if (!c.Memory.Read(address, out ushort length) || !c.Memory.Read(address + header, out ulong instructions))
            return -Errno.EFAULT;
        if (length is 0 or > ClassicBpf.MostInstructions)
            return -Errno.EINVAL;
        if (!c.Task.ProcessControls.ContainsKey(PrctlOptions.PR_SET_NO_NEW_PRIVS)
            && !c.Task.Credentials.HasInNamespace(Capability.SysAdmin))
            return -Errno.EACCES;
        var raw = new byte[length * 8];
        if (!c.Memory.Read(instructions, raw))
            return -Errno.EFAULT;
        var words = new ClassicBpf.Instruction[length];
        for (int i = 0; i < length; i++)
        {
            ReadOnlySpan<byte> one = raw.AsSpan(i * 8, 8);
            words[i] = new ClassicBpf.Instruction(
                BinaryPrimitives.ReadUInt16LittleEndian(one), one[2], one[3], BinaryPrimitives.ReadUInt32LittleEndian(one[4..]));
        }
        program = ClassicBpf.Check(words, SeccompFilter.DataSize);
        return program is null ? -Errno.EINVAL : 0;
    }

    /// <summary>PTRACE_SECCOMP_GET_FILTER: the instructions of the filter with a number, the oldest being 0; how many there are.</summary>
    internal static long ReadFilter(SyscallContext c, KernelTask task)
    {
        long result = FindFilter(c, task, c.Arg(2), out SeccompFilter? filter);
        if (result < 0)
            return result;
        ReadOnlySpan<ClassicBpf.Instruction> program = filter!.Program.Program;
        var raw = new byte[program.Length * 8];
        for (int i = 0; i < program.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(i * 8), program[i].Code);
            (raw[i * 8 + 2], raw[i * 8 + 3]) = (program[i].True, program[i].False);
            BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(i * 8 + 4), program[i].K);
        }
        return c.Arg(3) == 0 || c.Memory.Write(c.Arg(3), raw) ? program.Length : -Errno.EFAULT;
    }

    /// <summary>PTRACE_SECCOMP_GET_METADATA: {filter_off, flags}; the size.</summary>
    internal static long ReadMetadata(SyscallContext c, KernelTask task)
    {
        const int whole = 16;
        if (c.Arg(2) < sizeof(ulong))
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(3), out ulong offset))
            return -Errno.EFAULT;
        long result = FindFilter(c, task, offset, out SeccompFilter? filter);
        if (result < 0)
            return result;
        Span<byte> b = stackalloc byte[whole];
        BinaryPrimitives.WriteUInt64LittleEndian(b, offset);
        BinaryPrimitives.WriteUInt64LittleEndian(b[8..], filter!.Logs ? SeccompFilter.FlagLog : 0);
        int size = (int)Math.Min(c.Arg(2), whole);
        return c.Memory.Write(c.Arg(3), b[..size]) ? size : -Errno.EFAULT;
    }

    private static long FindFilter(SyscallContext c, KernelTask task, ulong number, out SeccompFilter? filter)
    {
        filter = null;
        if (!c.Task.Credentials.Has(Capability.SysAdmin) || c.Task.SeccompMode != SeccompMode.Disabled)
            return -Errno.EACCES;
        if (task.SeccompMode != SeccompMode.Filter)
            return -Errno.EINVAL;
        List<SeccompFilter> chain = [.. SeccompFilter.Chain(task.SeccompFilter)];
        if (number >= (ulong)chain.Count)
            return -Errno.ENOENT;
        filter = chain[chain.Count - 1 - (int)number];
        return 0;
    }

    private static long Listen(SyscallContext c, SeccompFilter filter)
    {
        var listener = new SeccompListener(c.Vfs, filter, c.Random.Next());
        long fd = c.Files.Add(listener, true, c.Task.Group.Rlimits[Rlimits.Nofile].Soft);
        if (fd < 0)
            listener.Release();
        else
            filter.Listener = listener;
        return fd;
    }

    /// <summary>seccomp_can_sync_threads: a thread without filters, or with a part of the caller's.</summary>
    private static bool MayFollow(KernelTask thread, KernelTask caller) => thread.SeccompMode == SeccompMode.Disabled
        || (thread.SeccompMode == SeccompMode.Filter && SeccompFilter.Chain(caller.SeccompFilter).Contains(thread.SeccompFilter));

    private static void Follow(SyscallContext c, KernelTask caller)
    {
        foreach (KernelTask thread in caller.Group.Threads.Where(t => !ReferenceEquals(t, caller)))
        {
            SeccompFilter? old = thread.SeccompFilter;
            thread.SeccompFilter = caller.SeccompFilter!.Use();
            SeccompFilter.Leave(old);
            if (caller.ProcessControls.TryGetValue(PrctlOptions.PR_SET_NO_NEW_PRIVS, out long forbidden))
                thread.ProcessControls[PrctlOptions.PR_SET_NO_NEW_PRIVS] = forbidden;
            Enter(c, thread, SeccompMode.Filter);
        }
    }
}
