using System.Buffers.Binary;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What a tracer reads and writes of a stopped task (kernel/ptrace.c).</summary>
internal static class PtraceState
{
    private const uint AuditArchAArch64 = 0xC00000B7;

    /// <summary>Sizes of struct ptrace_syscall_info: without, at an entry, at an exit, at a filter's stop.</summary>
    private const int NoneSize = 24, EntrySize = 80, ExitSize = 33, SeccompSize = 84;

    /// <summary>PTRACE_SYSCALL_INFO_*.</summary>
    private const byte InfoEntry = 1, InfoExit = 2, InfoSeccomp = 3;

    private const int SigInfoSize = 128;

    /// <summary>PTRACE_GETREGSET and PTRACE_SETREGSET: data is an iovec.</summary>
    internal static long Registers(SyscallContext c, KernelTask task, bool write)
    {
        if (!c.Memory.Read(c.Arg(3), out ulong at) || !c.Memory.Read(c.Arg(3) + 8, out ulong length))
            return -Errno.EFAULT;
        uint type = c.UInt(2);
        var sets = new RegisterSets(c.Machine, c.Records);
        if (sets.Shape(type) is not var (unit, size) || length % (ulong)unit != 0)
            return -Errno.EINVAL;
        int n = (int)Math.Min(length, (ulong)size);
        if (write)
        {
            var bytes = new byte[n];
            if (!c.Memory.Read(at, bytes))
                return -Errno.EFAULT;
            if (sets.Write(task, type, SignalFrame.ValidPstate, bytes) is < 0 and long bad)
                return bad;
        }
        else if (!c.Memory.Write(at, sets.Read(task, type).AsSpan(0, n)))
        {
            return -Errno.EFAULT;
        }
        return c.Memory.Write(c.Arg(3) + 8, (ulong)n) ? 0 : -Errno.EFAULT;
    }

    /// <summary>PTRACE_GETSIGINFO and PTRACE_SETSIGINFO. A stop of a process that is traced the old way has none.</summary>
    internal static long SigInfo(SyscallContext c, Tracing tracing, bool write)
    {
        TraceStop stop = tracing.Stop!;
        Span<byte> bytes = stackalloc byte[SigInfoSize];
        if (write && !c.Memory.Read(c.Arg(3), bytes))
            return -Errno.EFAULT;
        if (stop.Info is not { } info)
            return -Errno.EINVAL;
        if (!write)
            return c.Memory.Write(c.Arg(3), info.ToBytes()) ? 0 : -Errno.EFAULT;
        int number = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        tracing.Stop = stop with
        {
            Info = info with { Number = number, Code = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), Raw = bytes.ToArray() },
        };
        return 0;
    }

    /// <summary>PTRACE_PEEKSIGINFO: addr is {off, flags, nr}.</summary>
    internal static long PeekSignals(SyscallContext c, KernelTask task)
    {
        const uint shared = 1;
        if (!c.Memory.Read(c.Arg(2), out ulong offset) || !c.Memory.Read(c.Arg(2) + 8, out uint flags)
            || !c.Memory.Read(c.Arg(2) + 12, out int count))
            return -Errno.EFAULT;
        if ((flags & ~shared) != 0 || count < 0)
            return -Errno.EINVAL;
        IReadOnlyList<SignalInfo> queue = ((flags & shared) != 0 ? task.Group.SharedPending : task.Signals.Pending).All;
        long done = 0;
        for (; done < count && offset + (ulong)done < (ulong)queue.Count; done++)
        {
            if (!c.Memory.Write(c.Arg(3) + (ulong)done * SigInfoSize, queue[(int)offset + (int)done].ToBytes()))
                return done > 0 ? done : -Errno.EFAULT;
        }
        return done;
    }

    /// <summary>PTRACE_GETSIGMASK and PTRACE_SETSIGMASK: addr is the size.</summary>
    internal static long SigMask(SyscallContext c, KernelTask task, bool write)
    {
        if (c.Arg(2) != sizeof(ulong))
            return -Errno.EINVAL;
        if (!write)
            return c.Memory.Write(c.Arg(3), task.Signals.SavedMask ?? task.Signals.Blocked) ? 0 : -Errno.EFAULT;
        if (!c.Memory.Read(c.Arg(3), out ulong mask))
            return -Errno.EFAULT;
        task.Signals.SavedMask = null;
        task.Signals.Blocked = mask & ~Signal.Unblockable;
        c.Signals.Recalculate(task);
        return 0;
    }

    /// <summary>PTRACE_GET_SYSCALL_INFO: where the task has stopped; the size of all that there is.</summary>
    internal static long SyscallInfo(SyscallContext c, KernelTask task, Tracing tracing)
    {
        UserRegisters regs = c.Records.Registers(task);
        Span<byte> info = stackalloc byte[SeccompSize + 4];
        info.Clear();
        info[0] = PlaceOf(tracing);
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], AuditArchAArch64);
        BinaryPrimitives.WriteUInt64LittleEndian(info[8..], regs.PC);
        BinaryPrimitives.WriteUInt64LittleEndian(info[16..], regs.SP);
        int size = NoneSize;
        if (info[0] is InfoEntry or InfoSeccomp)
        {
            BinaryPrimitives.WriteInt64LittleEndian(info[24..], regs.SyscallNumber);
            for (int i = 0; i < 6; i++)
                BinaryPrimitives.WriteUInt64LittleEndian(info[(32 + 8 * i)..], i == 0 ? regs.OrigX0 : regs[i]);
            size = EntrySize;
        }
        if (info[0] == InfoSeccomp)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(info[EntrySize..], (uint)tracing.EventMessage);
            size = SeccompSize;
        }
        if (info[0] == InfoExit)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(info[24..], regs[0]);
            info[32] = (long)regs[0] is < 0 and >= -4095 ? (byte)1 : (byte)0;
            size = ExitSize;
        }
        return c.Memory.Write(c.Arg(3), info[..(int)Math.Min(c.Arg(2), (ulong)size)]) ? size : -Errno.EFAULT;
    }

    private static byte PlaceOf(Tracing tracing) => tracing.Stop!.Info?.Code switch
    {
        Signal.SIGTRAP | 0x80 => tracing.EventMessage == Tracing.MessageEntry ? InfoEntry : InfoExit,
        Signal.SIGTRAP | Tracing.EventSeccomp << 8 => InfoSeccomp,
        _ => 0,
    };

    /// <summary>PTRACE_GET_RSEQ_CONFIGURATION: struct ptrace_rseq_configuration; its size.</summary>
    internal static long Rseq(SyscallContext c, KernelTask task)
    {
        Span<byte> b = stackalloc byte[24];
        b.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(b, task.Rseq);
        BinaryPrimitives.WriteUInt32LittleEndian(b[8..], task.RseqLength);
        BinaryPrimitives.WriteUInt32LittleEndian(b[12..], task.RseqSignature);
        return c.Memory.Write(c.Arg(3), b[..(int)Math.Min(c.Arg(2), (ulong)b.Length)]) ? b.Length : -Errno.EFAULT;
    }
}
