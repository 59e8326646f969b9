using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>System calls that EL1 code hands on (el0_svc in arch/arm64/kernel/syscall.c): the way from a number to a body and back, over
/// its sleeps and its tracer's stops.</summary>
internal sealed class SyscallEntry(SyscallParts parts, CallCosts costs, KernelHooks hooks)
{
    private const int Execve = 221, Execveat = 281;

    private readonly SeccompGate _gate = new(parts);
    private readonly HashSet<int> _unknownNamed = [];

    /// <summary>HVC_SYSCALL: runs the body of the call, or goes on with one that slept.</summary>
    internal El1Action Enter(Cpu cpu, KernelTask task)
    {
        if (task.Syscall is not SyscallContext c)
        {
            if (parts.Slices?.BeforeCall(task, parts.Records.Registers(task).SyscallNumber) == true)
                return El1Action.Schedule;
            c = Begin(cpu, task);
            c.Emulated = task.Tracing is { Emulates: true };
            if (c.Number < 0 && task.Tracing is not null)
                parts.Records.Registers(task)[0] = unchecked((ulong)-Errno.ENOSYS);
            if (parts.Traces.StopAtCall(task, true))
            {
                c.TraceStop = SyscallTraceStop.Entry;
                return El1Action.Schedule;
            }
        }
        else
        {
            c.Cpu = cpu;
            switch (c.TraceStop)
            {
                case SyscallTraceStop.Entry:
                    if (IsSkipped(c))
                        return End(cpu, c, SyscallTable.Find(c.Number), (long)parts.Records.Registers(task)[0]);
                    c = AsTracerLeftIt(cpu, c);
                    break;
                case SyscallTraceStop.Seccomp:
                    if (IsSkipped(c))
                        return End(cpu, c, SyscallTable.Find(c.Number), (long)parts.Records.Registers(task)[0]);
                    c = AsTracerLeftIt(cpu, c);
                    c.TracerAnswered = true;
                    break;
                case SyscallTraceStop.Exec:
                    return Leave(c);
                case SyscallTraceStop.Exit:
                    return Return(task, c);
                default:
                    c.Attempt++;
                    break;
            }
        }
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return El1Action.Schedule;
        SyscallRow? row = SyscallTable.Find(c.Number);
        if (task.SeccompMode != SeccompMode.Disabled && !c.Admitted && _gate.Ask(c) is { } verdict)
        {
            return verdict == SystemCall.Blocked || task.State is TaskState.Zombie or TaskState.Dead
                ? El1Action.Schedule : End(cpu, c, row, verdict);
        }
        parts.Vfs.Enter(task);
        int tid = task.OwnTid;
        long result = c.HeldResult ?? RunOver(row, c);
        if (c.Deferred is { Count: > 0 } && result != SystemCall.Blocked)
            result = PutDeferred(c, c.Deferred, result);
        if (c.Changes?.Find(change => !change.IsRead) is { } unread && result is not (SystemCall.Blocked or SystemCall.NoReturn))
        {
            c.HeldResult = result;
            result = c.WaitKillable(unread.Queue);
        }
        if (task.State is TaskState.Zombie or TaskState.Dead || result == SystemCall.Blocked)
            return El1Action.Schedule;
        c.Executed = result == SystemCall.NoReturn && (c.Number is Execve or Execveat);
        return End(cpu, c, row, result, tid);
    }

    /// <summary>A call that a tracer has changed to -1, emulates, or that a killed task will not make.</summary>
    private bool IsSkipped(SyscallContext c) => c.Task.IsKilled || c.Emulated || parts.Records.Registers(c.Task).SyscallNumber < 0;

    /// <summary>The call as the registers have it after the stop at its entry.</summary>
    private SyscallContext AsTracerLeftIt(Cpu cpu, SyscallContext c)
    {
        UserRegisters regs = parts.Records.Registers(c.Task);
        Span<ulong> args = stackalloc ulong[6];
        ReadArguments(regs, args);
        bool same = regs.SyscallNumber == c.Number;
        for (int i = 0; i < 6; i++)
            same &= args[i] == c.Arg(i);
        if (same)
        {
            c.TraceStop = SyscallTraceStop.None;
            return c;
        }
        var changed = new SyscallContext(parts, c.Task, cpu, regs.SyscallNumber, args);
        c.Task.Syscall = changed;
        return changed;
    }

    private static void ReadArguments(UserRegisters regs, Span<ulong> args)
    {
        for (int i = 0; i < 6; i++)
            args[i] = regs[i];
    }

    /// <summary>Runs a body over a memory in which somebody may be asked for pages: where it cannot read one it waits and runs again; what
    /// it writes to one is put aside.</summary>
    private long RunOver(SyscallRow? row, SyscallContext c)
    {
        MemoryMap? mm = c.Task.Mm;
        if (mm is not { HasUserfaults: true } || row is null)
            return row is null ? Unknown(c.Number) : Run(row, c);
        mm.TakeAsked();
        List<(ulong, byte[])> deferred = c.Deferred ??= [];
        int before = deferred.Count;
        mm.Deferred = deferred;
        long result = Run(row, c);
        mm.Deferred = null;
        if (parts.Vfs.TakeMappingChanges() is { } changes)
            (c.Changes ??= []).AddRange(changes);
        if (result != -Errno.EFAULT || mm.TakeAsked() is not { Owner.OnlyUser: false } asked)
            return result;
        deferred.RemoveRange(before, deferred.Count - before);
        return c.WaitKillable(UserfaultFile.Fault(asked, c.Task, c.Task.Tid), true);
    }

    /// <summary>Puts what was put aside where it belongs, once the pages are there; the call has its result meanwhile.</summary>
    private static long PutDeferred(SyscallContext c, List<(ulong Address, byte[] Bytes)> deferred, long result)
    {
        c.HeldResult = result;
        while (deferred.Count > 0 && c.Task.Mm is { } mm)
        {
            (ulong address, byte[] bytes) = deferred[0];
            mm.TakeAsked();
            if (!mm.Write(address, bytes))
            {
                if (mm.TakeAsked() is not { } asked)
                    return -Errno.EFAULT;
                return c.WaitKillable(UserfaultFile.Fault(asked, c.Task, c.Task.Tid), true);
            }
            deferred.RemoveAt(0);
        }
        return result;
    }

    /// <summary>Runs a body. A mistake of ours in it is a report and the end of the process that called, not of the machine.</summary>
    private long Run(SyscallRow row, SyscallContext c)
    {
        try
        {
            return row.Body(c);
        }
        catch (Exception e) when (e is SystemException and not OperationCanceledException)
        {
            string at = e.StackTrace?.Split('\n') is [var first, ..] ? first.Trim() : "nowhere";
            string arguments = string.Join(", ", Enumerable.Range(0, 6).Select(n => $"0x{c.Arg(n):x}"));
            hooks.Log($"{c.Task}: killed: {row.Name}({arguments}) met a mistake in armvdso, {e.GetType().Name} ({e.Message}) {at}");
            parts.Signals.Send(c.Task.Group, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
            return -Errno.EFAULT;
        }
    }

    /// <summary>A new call: its context, its costs, and who wants to know of it.</summary>
    private SyscallContext Begin(Cpu cpu, KernelTask task)
    {
        UserRegisters regs = parts.Records.Registers(task);
        Span<ulong> args = stackalloc ulong[6];
        ReadArguments(regs, args);
        var c = new SyscallContext(parts, task, cpu, regs.SyscallNumber, args);
        task.Syscall = c;
        task.Group.RecentCalls.Add(c);
        parts.Design.SystemCallEntered(task);
        hooks.SystemCall?.Invoke(task, c, null);
        if (SyscallTable.Find(c.Number) is { } row)
            Charge(cpu, c, row);
        return c;
    }

    /// <summary>Charges a call, with the pages that it copies or gives back as a whole.</summary>
    private void Charge(Cpu cpu, SyscallContext c, SyscallRow row)
    {
        string kind = KindOf(c);
        CallCosts.Charge(cpu, costs.Of(row.Name, row.Cost, kind));
        if (c.Task.Mm is not { } mm)
            return;
        (c.ResidentBefore, c.FreedBefore) = (mm.ResidentPages, mm.FreedPages);
        if (row.Cost == CostClass.Fork && kind.Length == 0)
            costs.ChargeForked(cpu, mm.ResidentPages);
        else if (row.Cost is CostClass.Exit or CostClass.Exec && kind.Length == 0 && mm.Users <= c.Task.Group.Threads.Count)
        {
            long own = mm.OwnPages();
            costs.ChargeDropped(cpu, own, mm.ResidentPages - own);
        }
    }

    /// <summary>The body has a result: x0 gets it, unless the body has set the registers itself.</summary>
    private El1Action End(Cpu cpu, SyscallContext c, SyscallRow? row, long result, int tid = 0)
    {
        KernelTask task = c.Task;
        task.Syscall = null;
        (c.Result, c.State) = (result, null);
        if (row is { Cost: CostClass.Map or CostClass.Unmap } && task.Mm is { } mm)
        {
            long freed = mm.FreedPages - c.FreedBefore;
            costs.ChargeUnmapped(cpu, freed, c.ResidentBefore - mm.ResidentPages - freed, row.Cost == CostClass.Unmap);
        }
        if (result != SystemCall.NoReturn)
        {
            UserRegisters regs = parts.Records.Registers(task);
            regs[0] = (ulong)result;
        }
        if (result > 1 && row is { Cost: CostClass.Transfer or CostClass.FileTransfer })
            CallCosts.ChargeBytes(cpu, costs.Of(row.Name, row.Cost, KindOf(c)), result);
        parts.Signals.AfterSyscall(task, result);
        hooks.SystemCall?.Invoke(task, c, result);
        if (c.Executed && StopAfterExec(task, tid))
        {
            c.TraceStop = SyscallTraceStop.Exec;
            task.Syscall = c;
            return El1Action.Schedule;
        }
        return Leave(c);
    }

    /// <summary>A tracer that does not ask for the event gets a SIGTRAP instead (ptrace_event).</summary>
    private bool StopAfterExec(KernelTask task, int tid)
    {
        if (task.Tracing is not { } tracing)
            return false;
        if (!tracing.Wants(Tracing.EventExec) && !tracing.Seized)
            parts.Signals.SendOwn(task, Signal.SIGTRAP);
        return parts.Traces.StopAtEvent(task, Tracing.EventExec, (ulong)tid);
    }

    /// <summary>syscall_trace_exit: the last stop of a call, or the trap of a step over it.</summary>
    private El1Action Leave(SyscallContext c)
    {
        KernelTask task = c.Task;
        if (parts.Traces.StopAtCall(task, false))
        {
            c.TraceStop = SyscallTraceStop.Exit;
            task.Syscall = c;
            return El1Action.Schedule;
        }
        if (task.Tracing is { Steps: true })
            parts.Signals.Force(task, new SignalInfo { Number = Signal.SIGTRAP, Code = Signal.SI_USER });
        return Return(task, c);
    }

    private static El1Action Return(KernelTask task, SyscallContext c)
    {
        task.Syscall = null;
        return c.Executed ? El1Action.Exec : El1Action.Done;
    }

    /// <summary>What a call works on, as far as its cost depends on it.</summary>
    private static string KindOf(SyscallContext c)
    {
        const int close = 57, read = 63, write = 64, exit = 93, futex = 98, clone = 220, mmap = 222, clone3 = 435;
        const ulong commandMask = 0x7F, wait = 0, waitBitset = 9, anonymous = 0x20;
        switch (c.Number)
        {
            case futex:
                return (c.Arg(1) & commandMask) is wait or waitBitset ? "wait" : "";
            case mmap:
                return (c.Arg(3) & anonymous) == 0 ? "file" : "";
            case exit:
                return c.Task.Group.Threads.Count > 1 ? "thread" : "";
            case clone:
                return (c.Arg(0) & CloneFlags.CLONE_VM) != 0 ? "thread" : "";
            case clone3:
                Span<byte> flags = stackalloc byte[8];
                return c.Memory.Read(c.Arg(0), flags) && (BitConverter.ToUInt64(flags) & CloneFlags.CLONE_VM) != 0 ? "thread" : "";
        }
        if (c.Number is not (close or read or write) || c.Task.Files[c.Int(0)] is not { } file)
            return "";
        if (c.Number == close)
            return file.References > 1 ? "again" : file is EpollFile ? "epoll" : "";
        return file.Inode switch
        {
            DeviceInode { Rdev: 0x103 or 0x105 } => c.Number == read ? "zero" : "null",
            { Mode: var mode } when (mode & Modes.S_IFMT) is Modes.S_IFIFO or Modes.S_IFSOCK => "pipe",
            _ => "file",
        };
    }

    private long Unknown(int number)
    {
        if (_unknownNamed.Add(number))
            hooks.Log($"system call {number} ({SyscallTable.NameOf(number)}) is not implemented: ENOSYS");
        return -Errno.ENOSYS;
    }
}
