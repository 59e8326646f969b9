using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>ptrace of a child that asked for it (kernel/ptrace.c): signals, system calls, memory, registers.</summary>
internal static class SysPtrace
{
    private const long TraceMe = 0, PeekText = 1, PeekData = 2, PokeText = 4, PokeData = 5, Cont = 7, Kill = 8, Detach = 17, Syscall = 24,
        SetOptions = 0x4200, GetRegset = 0x4204, GetSyscallInfo = 0x420e;

    private const uint OptionSysGood = 1;
    private const uint AuditArchAArch64 = 0xC00000B7;
    private const int NtPrstatus = 1, RegsetSize = 272, InfoHeader = 24, EntrySize = 80, ExitSize = 33;

    /// <summary>ptrace(request, pid, addr, data).</summary>
    public static long Ptrace(SyscallContext c)
    {
        long request = c.Long(0);
        if (request == TraceMe)
        {
            if (c.Task.Tracing is not null || c.Task.Group.Parent is not { } parent)
                return -Errno.EPERM;
            c.Task.Tracing = new Tracing(parent);
            return 0;
        }
        if (c.FindTask(c.Int(1)) is not { } task)
            return -Errno.ESRCH;
        if (task.Tracing is not { } tracing || !ReferenceEquals(tracing.Tracer, c.Task.Group))
            return request is 16 or 0x4206 ? -Errno.EPERM : -Errno.ESRCH;
        if (request == Kill)
        {
            c.Signals.Send(task, Signal.SIGKILL);
            return 0;
        }
        if (!tracing.Stopped || task.Mm is not { } memory)
            return -Errno.ESRCH;
        switch (request)
        {
            case PeekText:
            case PeekData:
                return memory.Read(c.Arg(2), out ulong word) && c.Memory.Write(c.Arg(3), word) ? 0 : -Errno.EIO;
            case PokeText:
            case PokeData:
                return memory.Write(c.Arg(2), c.Arg(3)) ? 0 : -Errno.EIO;
            case Cont:
            case Syscall:
            case Detach:
                if (c.Arg(3) > Signal.Count)
                    return -Errno.EIO;
                GoOn(c, task, tracing, request, (int)c.Arg(3));
                return 0;
            case SetOptions:
                if ((c.Arg(3) & ~(ulong)OptionSysGood) != 0)
                    return -Errno.EINVAL;
                tracing.Options = (uint)c.Arg(3);
                return 0;
            case GetRegset:
                return ReadRegisters(c, task);
            case GetSyscallInfo:
                return SyscallInfo(c, task, tracing);
            default:
                return -Errno.EIO;
        }
    }

    private static void GoOn(SyscallContext c, KernelTask task, Tracing tracing, long request, int signal)
    {
        if (signal != 0)
            tracing.Injected = tracing.Signal?.Number == signal ? tracing.Signal : new SignalInfo { Number = signal, Code = 0 };
        tracing.Signal = null;
        tracing.Syscalls = request == Syscall;
        c.Traces.End(task, tracing);
        if (request == Detach)
            c.Traces.Detach(task);
    }

    /// <summary>NT_PRSTATUS: struct user_pt_regs.</summary>
    private static long ReadRegisters(SyscallContext c, KernelTask task)
    {
        if (c.Arg(2) != NtPrstatus)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(3), out ulong at) || !c.Memory.Read(c.Arg(3) + 8, out ulong length))
            return -Errno.EFAULT;
        UserRegisters regs = c.Records.Registers(task);
        Span<byte> set = stackalloc byte[RegsetSize];
        for (int i = 0; i < 31; i++)
            BitConverter.TryWriteBytes(set[(8 * i)..], regs[i]);
        BitConverter.TryWriteBytes(set[248..], regs.SP);
        BitConverter.TryWriteBytes(set[256..], regs.PC);
        int n = (int)Math.Min(length, RegsetSize);
        return c.Memory.Write(at, set[..n]) && c.Memory.Write(c.Arg(3) + 8, (ulong)n) ? 0 : -Errno.EFAULT;
    }

    /// <summary>struct ptrace_syscall_info: where the task stopped; its size.</summary>
    private static long SyscallInfo(SyscallContext c, KernelTask task, Tracing tracing)
    {
        UserRegisters regs = c.Records.Registers(task);
        Span<byte> info = stackalloc byte[EntrySize];
        info.Clear();
        info[0] = tracing.Place;
        BitConverter.TryWriteBytes(info[4..], AuditArchAArch64);
        BitConverter.TryWriteBytes(info[8..], regs.PC);
        BitConverter.TryWriteBytes(info[16..], regs.SP);
        int size = InfoHeader;
        if (tracing.Place == 1 && task.Syscall is { } call)
        {
            BitConverter.TryWriteBytes(info[24..], (ulong)call.Number);
            for (int i = 0; i < 6; i++)
                BitConverter.TryWriteBytes(info[(32 + 8 * i)..], call.Arg(i));
            size = EntrySize;
        }
        else if (tracing.Place == 2)
        {
            BitConverter.TryWriteBytes(info[24..], tracing.Result);
            info[32] = tracing.Result is < 0 and >= -4095 ? (byte)1 : (byte)0;
            size = ExitSize;
        }
        return c.Memory.Write(c.Arg(3), info[..(int)Math.Min(c.Arg(2), (ulong)size)]) ? size : -Errno.EFAULT;
    }
}
