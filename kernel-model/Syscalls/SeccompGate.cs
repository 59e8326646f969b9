using System.Buffers.Binary;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What seccomp says of a call before its body runs (__secure_computing in kernel/seccomp.c).</summary>
internal sealed class SeccompGate(SyscallParts parts)
{
    /// <summary>Assumed: instructions of seccomp_run_filters and what is around it, without the filters', for which each instruction of a
    /// program counts as one (they are compiled).</summary>
    private const int AssumedInstructions = 100;

    private const uint AuditArchAArch64 = 0xC00000B7;
    private const int SysSeccomp = 1;

    /// <summary>Null: the body runs. <see cref="SystemCall.Blocked"/>: the task sleeps or is stopped. Else what the call gives.</summary>
    internal long? Ask(SyscallContext c)
    {
        KernelTask task = c.Task;
        if (c.Question is { } question)
            return Answer(c, question);
        if (task.SeccompMode == SeccompMode.Strict)
            return AskStrict(c);
        if (task.Tracing is { } tracing && (tracing.Options & Tracing.OptionSuspendSeccomp) != 0)
            return Admit(c);
        byte[] data = DataOf(c);
        uint answer = SeccompFilter.Decide(task.SeccompFilter!, data, out SeccompFilter match, out int executed);
        int needed = AssumedInstructions + executed;
        c.Cpu.Timing.ChargeWork(new OutsideWork { Cycles = needed, Instructions = needed });
        int value = (int)(answer & ~SeccompFilter.ActionMask);
        switch (answer & SeccompFilter.ActionMask)
        {
            case SeccompFilter.Allow or SeccompFilter.Log:
                return Admit(c);
            case SeccompFilter.Error:
                return -Math.Min(value, 4095);
            case SeccompFilter.Trap:
                RollBack(c);
                parts.Signals.Force(task, InfoOf(c, value, false));
                return SystemCall.NoReturn;
            case SeccompFilter.Trace:
                return AskTracer(c, value);
            case SeccompFilter.Notify:
                if (match.Listener is not { } listener)
                    return -Errno.ENOSYS;
                c.Question = listener.Ask(task, data);
                return Answer(c, c.Question);
            case SeccompFilter.KillThread when task.Group.Threads.Count > 1:
                return Kill(c, Signal.SIGSYS);
            default:
                RollBack(c);
                parts.Signals.Force(task, InfoOf(c, value, true));
                return SystemCall.NoReturn;
        }
    }

    private static long? Admit(SyscallContext c)
    {
        c.Admitted = true;
        return null;
    }

    /// <summary>Mode 1: other calls kill the thread.</summary>
    private long? AskStrict(SyscallContext c)
    {
        const int read = 63, write = 64, exit = 93, sigreturn = 139;
        return c.Number is read or write or exit or sigreturn ? Admit(c) : Kill(c, Signal.SIGKILL);
    }

    private long Kill(SyscallContext c, int signal)
    {
        if (parts.Traces.StopBeforeEnd(c.Task, signal))
            return SystemCall.Blocked;
        parts.Exit.ExitTask(c.Task, signal);
        return SystemCall.Blocked;
    }

    private long? AskTracer(SyscallContext c, int value)
    {
        if (c.TracerAnswered)
            return Admit(c);
        if (!parts.Traces.StopAtEvent(c.Task, Tracing.EventSeccomp, (ulong)value))
            return -Errno.ENOSYS;
        c.TraceStop = SyscallTraceStop.Seccomp;
        return SystemCall.Blocked;
    }

    /// <summary>seccomp_do_user_notification: waits for the listener.</summary>
    private static long? Answer(SyscallContext c, SeccompNotification question)
    {
        SeccompFilter? filter = SeccompFilter.Chain(c.Task.SeccompFilter).FirstOrDefault(f => f.Listener is not null);
        if (question.State != NotificationState.Replied)
        {
            long slept = question.State == NotificationState.Sent && filter is { WaitsKillable: true }
                ? c.WaitKillable(question.Decided) : c.Wait(question.Decided);
            if (slept == SystemCall.Blocked)
                return slept;
            filter?.Listener?.Forget(question);
            c.Question = null;
            return slept;
        }
        filter?.Listener?.Forget(question);
        c.Question = null;
        if (question.Continues)
            return Admit(c);
        return question.Error != 0 ? question.Error : question.Value;
    }

    /// <summary>syscall_rollback: a handler or a core finds the registers of before the call.</summary>
    private void RollBack(SyscallContext c)
    {
        UserRegisters regs = parts.Records.Registers(c.Task);
        regs[0] = regs.OrigX0;
    }

    /// <summary>struct seccomp_data.</summary>
    private byte[] DataOf(SyscallContext c)
    {
        var data = new byte[SeccompFilter.DataSize];
        BinaryPrimitives.WriteInt32LittleEndian(data, c.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), AuditArchAArch64);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(8), parts.Records.Registers(c.Task).PC);
        for (int i = 0; i < 6; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + 8 * i), c.Arg(i));
        return data;
    }

    /// <summary>force_sig_seccomp: si_errno is the filter's value, si_call_addr the place, then the call and the architecture.</summary>
    private SignalInfo InfoOf(SyscallContext c, int value, bool deadly)
    {
        var raw = new byte[128];
        BinaryPrimitives.WriteInt32LittleEndian(raw, Signal.SIGSYS);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(4), value);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(8), SysSeccomp);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(16), parts.Records.Registers(c.Task).PC);
        BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(24), c.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(28), AuditArchAArch64);
        return new SignalInfo
        {
            Number = Signal.SIGSYS,
            Code = SysSeccomp,
            Errno = value,
            Synchronous = true,
            Deadly = deadly,
            Raw = raw,
        };
    }
}
