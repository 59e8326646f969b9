using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>ptrace (kernel/ptrace.c). What stops a task and lets it go on is <see cref="TraceStops"/>, what is read of it
/// <see cref="PtraceState"/>.</summary>
internal static class SysPtrace
{
    private const long TraceMe = 0, PeekText = 1, PeekData = 2, PokeText = 4, PokeData = 5, Cont = 7, Kill = 8, SingleStep = 9, Attach = 16,
        Detach = 17, OldSetOptions = 21, Syscall = 24, SysEmu = 31, SysEmuSingleStep = 32, SetOptions = 0x4200, GetEventMessage = 0x4201,
        GetSigInfo = 0x4202, SetSigInfo = 0x4203, GetRegset = 0x4204, SetRegset = 0x4205, Seize = 0x4206, Interrupt = 0x4207,
        Listen = 0x4208, PeekSigInfo = 0x4209, GetSigMask = 0x420a, SetSigMask = 0x420b, GetFilter = 0x420c, GetFilterMetadata = 0x420d,
        GetSyscallInfo = 0x420e, GetRseq = 0x420f, SetDispatch = 0x4210, GetDispatch = 0x4211;

    /// <summary>ptrace(request, pid, addr, data).</summary>
    public static long Ptrace(SyscallContext c)
    {
        long request = c.Long(0);
        if (request == TraceMe)
            return BecomeTraced(c);
        if (c.FindTask(c.Int(1)) is not { } task)
            return -Errno.ESRCH;
        if (request is Attach or Seize)
            return AttachTo(c, task, request == Seize);
        if (task.Tracing is not { } tracing || !ReferenceEquals(tracing.Tracer, c.Task))
            return -Errno.ESRCH;
        if (request is Kill)
        {
            c.Signals.Send(task, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_USER, Pid = c.Task.Group.Pid });
            return 0;
        }
        if (request is Interrupt)
            return InterruptTracee(c, task, tracing);
        if (!tracing.IsStopped || task.Mm is not { } memory)
            return -Errno.ESRCH;
        // wait_task_inactive: its registers are on their way to memory.
        if (task.OnCpu)
            return c.WaitUntil(TimerBase.Monotonic, c.Timekeeper.Monotonic(c.Cpu.Counter()) + 1000, Errno.ERESTARTNOINTR);
        return request switch
        {
            PeekText or PeekData => Peek(c, memory),
            PokeText or PokeData => Poke(c, memory),
            Cont or Syscall or SingleStep or SysEmu or SysEmuSingleStep or Detach => GoOn(c, task, tracing, request),
            SetOptions or OldSetOptions => Choose(c, tracing, c.Arg(3)),
            GetEventMessage => c.Memory.Write(c.Arg(3), tracing.EventMessage) ? 0 : -Errno.EFAULT,
            GetRegset or SetRegset => PtraceState.Registers(c, task, request == SetRegset),
            GetSigInfo or SetSigInfo => PtraceState.SigInfo(c, tracing, request == SetSigInfo),
            PeekSigInfo => PtraceState.PeekSignals(c, task),
            GetSigMask or SetSigMask => PtraceState.SigMask(c, task, request == SetSigMask),
            GetSyscallInfo => PtraceState.SyscallInfo(c, task, tracing),
            GetRseq => PtraceState.Rseq(c, task),
            GetFilter => SysSeccomp.ReadFilter(c, task),
            GetFilterMetadata => SysSeccomp.ReadMetadata(c, task),
            Listen => ListenTo(c, task, tracing),
            SetDispatch or GetDispatch => -Errno.EINVAL,
            _ => -Errno.EIO,
        };
    }

    private static long BecomeTraced(SyscallContext c)
    {
        if (c.Task.Tracing is not null)
            return -Errno.EPERM;
        ThreadGroup? parent = c.Task.Group.Parent;
        KernelTask? tracer = c.Task.Group.Maker is { } maker && ReferenceEquals(maker.Group, parent) && parent.Threads.Contains(maker)
            ? maker : parent?.Threads.FirstOrDefault();
        if (tracer is not null && !AccessDomain.Covers(tracer.Credentials.Domain, c.Task.Credentials.Domain))
            return -Errno.EPERM;
        if (tracer is not null)
            TraceStops.Link(tracer, c.Task, false, 0);
        return 0;
    }

    private static long AttachTo(SyscallContext c, KernelTask task, bool seize)
    {
        if (seize && (c.Arg(2) != 0 || (c.Arg(3) & ~(ulong)Tracing.AllOptions) != 0))
            return -Errno.EIO;
        uint options = seize ? c.UInt(3) : 0;
        if (seize && CheckOptions(c, options) is < 0 and long bad)
            return bad;
        if (ReferenceEquals(task.Group, c.Task.Group) || task.State is TaskState.Zombie or TaskState.Dead || task.Tracing is not null
            || !Permissions.MayTrace(c.Task, task, true))
            return -Errno.EPERM;
        c.Traces.Attach(c.Task, task, seize, options);
        return 0;
    }

    /// <summary>check_ptrace_options: filters of a tracee are suspended for checkpoints only, by who may do all.</summary>
    private static long CheckOptions(SyscallContext c, ulong options)
    {
        const uint suspendSeccomp = 1 << 21;
        if ((options & ~(ulong)Tracing.AllOptions) != 0)
            return -Errno.EINVAL;
        return (options & suspendSeccomp) != 0 && !c.Task.Credentials.Has(Capability.SysAdmin) ? -Errno.EPERM : 0;
    }

    private static long Choose(SyscallContext c, Tracing tracing, ulong options)
    {
        long result = CheckOptions(c, options);
        if (result == 0)
            tracing.Options = (uint)options;
        return result;
    }

    /// <summary>PTRACE_INTERRUPT: the tracee stops at its next chance.</summary>
    private static long InterruptTracee(SyscallContext c, KernelTask task, Tracing tracing)
    {
        if (!tracing.Seized)
            return -Errno.EIO;
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return -Errno.ESRCH;
        tracing.Trap = true;
        c.Signals.WakeForTrap(task, tracing);
        return 0;
    }

    /// <summary>PTRACE_LISTEN: the tracee stays in the stop of its process, and tells of the end of it.</summary>
    private static long ListenTo(SyscallContext c, KernelTask task, Tracing tracing)
    {
        if (!tracing.Seized || tracing.Stop!.Code >> 8 != Tracing.EventStop)
            return -Errno.EIO;
        tracing.Listens = true;
        if (tracing.TrapNotify)
            c.Signals.WakeForTrap(task, tracing);
        return 0;
    }

    private static long Peek(SyscallContext c, MemoryMap memory)
    {
        Span<byte> word = stackalloc byte[8];
        if (memory.Peek(c.Arg(2), word) != word.Length)
            return -Errno.EIO;
        return c.Memory.Write(c.Arg(3), word) ? 0 : -Errno.EFAULT;
    }

    private static long Poke(SyscallContext c, MemoryMap memory)
    {
        Span<byte> word = stackalloc byte[8];
        BitConverter.TryWriteBytes(word, c.Arg(3));
        return memory.Poke(c.Arg(2), word) == word.Length ? 0 : -Errno.EIO;
    }

    /// <summary>ptrace_resume and ptrace_detach.</summary>
    private static long GoOn(SyscallContext c, KernelTask task, Tracing tracing, long request)
    {
        if (c.Arg(3) > Signal.Count)
            return -Errno.EIO;
        int signal = (int)c.Arg(3);
        if (request == Detach)
        {
            c.Exit.Detach(task, signal);
            return 0;
        }
        tracing.Syscalls = request == Syscall;
        tracing.Emulates = request is SysEmu or SysEmuSingleStep;
        c.Traces.Resume(task, tracing, signal, request is SingleStep or SysEmuSingleStep);
        return 0;
    }
}
