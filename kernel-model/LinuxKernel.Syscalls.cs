using ArmVdso.Emulator;
using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>Entries from EL0 that EL1 code hands on: system calls and faults.</summary>
public sealed partial class LinuxKernel
{
    private readonly HashSet<int> _unknownNamed = [];

    /// <summary>HVC_SYSCALL: runs the body of the call, or goes on with one that slept.</summary>
    private El1Action SyscallEntry(Cpu cpu, KernelTask task)
    {
        UserRegisters regs = Records.Registers(task);
        var c = (SyscallContext?)task.Syscall;
        SyscallRow? row;
        if (c is null)
        {
            Span<ulong> args = stackalloc ulong[6];
            for (int i = 0; i < 6; i++)
                args[i] = regs[i];
            c = new SyscallContext(this, task, cpu, regs.SyscallNumber, args);
            task.Syscall = c;
            row = SyscallTable.Find(c.Number);
            Vdso.Design.SystemCallEntered(task);
            SyscallTrace?.Invoke(task, c, null);
            if (row is not null)
                CallCosts.Charge(cpu, Costs.Of(row.Name, row.Cost, KindOf(c)));
            if (TraceSyscallStop(task, 1, 0))
            {
                c.TraceStop = SyscallTraceStop.Entry;
                return El1Action.Schedule;
            }
        }
        else if (c.TraceStop == SyscallTraceStop.Exit)
        {
            task.Syscall = null;
            return El1Action.Done;
        }
        else if (c.TraceStop == SyscallTraceStop.Entry)
        {
            c.TraceStop = SyscallTraceStop.None;
            c.Cpu = cpu;
            row = SyscallTable.Find(c.Number);
        }
        else
        {
            c.Cpu = cpu;
            c.Attempt++;
            row = SyscallTable.Find(c.Number);
        }
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return El1Action.Schedule;
        Vfs.Enter(task);
        long result = row is null ? Unknown(c.Number) : row.Body(c);
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return El1Action.Schedule;
        if (result == SyscallContext.Blocked)
            return El1Action.Schedule;
        task.Syscall = null;
        bool exec = result == SyscallContext.NoReturn && (c.Number is 221 or 281);
        if (result != SyscallContext.NoReturn)
            regs[0] = (ulong)result;
        if (result > 1 && row is { Cost: CostClass.Transfer or CostClass.FileTransfer })
            CallCosts.ChargeBytes(cpu, Costs.Of(row.Name, row.Cost, KindOf(c)), result);
        SignalDelivery.AfterSyscall(task, result);
        SyscallTrace?.Invoke(task, c, result);
        if (!exec && TraceSyscallStop(task, 2, result))
        {
            c.TraceStop = SyscallTraceStop.Exit;
            task.Syscall = c;
            return El1Action.Schedule;
        }
        return exec ? El1Action.Exec : El1Action.Done;
    }

    /// <summary>What a call works on, as far as its cost depends on it.</summary>
    private static string KindOf(SyscallContext c)
    {
        const int close = 57, read = 63, write = 64;
        if (c.Number is not (close or read or write) || c.Task.Files[c.Int(0)] is not { } file)
            return "";
        if (c.Number == close)
            return file.References > 1 ? "again" : "";
        return file.Inode switch
        {
            DeviceInode { Rdev: 0x103 or 0x105 } => c.Number == read ? "zero" : "null",
            { Mode: var mode } when (mode & Modes.S_IFMT) is Modes.S_IFIFO or Modes.S_IFSOCK => "pipe",
            _ => "file",
        };
    }

    /// <summary>A page for a user address, charged when it is new.</summary>
    private bool FaultIn(Cpu cpu, MemoryMap mm, ulong va, bool write, bool execute, out FaultSignal signal)
    {
        if (!mm.FaultIn(va, write, out signal, execute))
            return false;
        CallCosts.Charge(cpu, Costs.Fault(mm.Find(va)?.File is not null));
        return true;
    }

    private long Unknown(int number)
    {
        if (_unknownNamed.Add(number))
            Log($"system call {number} ({SyscallTable.NameOf(number)}) is not implemented: ENOSYS");
        return -Errno.ENOSYS;
    }

    /// <summary>HVC_FAULT: a synchronous exception from EL0 that is not SVC.</summary>
    private void UserFault(Cpu cpu, KernelTask task, ulong esr, ulong far)
    {
        // A thread that another thread's execve or exit took down while this CPU ran it: the pending reschedule removes it.
        if (task.Mm is null)
            return;
        var ec = (ExceptionClass)(esr >> 26);
        UserRegisters regs = Records.Registers(task);
        switch (ec)
        {
            case ExceptionClass.DataAbortLower:
            case ExceptionClass.InstructionAbortLower:
                MemoryFault(cpu, task, ec, esr, far);
                break;
            case ExceptionClass.TrappedSystem when task.CounterForbidden && IsCounterRead(esr):
                FaultSignalTo(task, Signal.SIGSEGV, Signal.SI_KERNEL, 0, esr);
                break;
            case ExceptionClass.TrappedSystem:
                if (!EmulateTrappedSystem(cpu, esr, regs))
                    Undefined(task, cpu, regs);
                break;
            case ExceptionClass.Brk:
                FaultSignalTo(task, Signal.SIGTRAP, Signal.TRAP_BRKPT, regs.PC, esr);
                break;
            case ExceptionClass.PCAlignment:
                FaultSignalTo(task, Signal.SIGBUS, Signal.BUS_ADRALN, far, esr);
                break;
            case ExceptionClass.SPAlignment:
                FaultSignalTo(task, Signal.SIGBUS, Signal.BUS_ADRALN, regs.SP, esr);
                break;
            case ExceptionClass.SoftwareStepLower:
                FaultSignalTo(task, Signal.SIGTRAP, Signal.TRAP_TRACE, regs.PC, esr);
                break;
            case ExceptionClass.PacFail:
                FaultSignalTo(task, Signal.SIGILL, Signal.ILL_ILLOPN, regs.PC, esr);
                break;
            case ExceptionClass.BranchTarget:
            case ExceptionClass.MemCpyMemSet:
                FaultSignalTo(task, Signal.SIGILL, Signal.ILL_ILLOPC, regs.PC, esr);
                break;
            default:
                Undefined(task, cpu, regs);
                break;
        }
    }

    private void MemoryFault(Cpu cpu, KernelTask task, ExceptionClass ec, ulong esr, ulong far)
    {
        ulong va = (ulong)((long)(far << 8) >> 8);
        bool execute = ec == ExceptionClass.InstructionAbortLower;
        bool write = !execute && (esr & (1 << 6)) != 0;
        if ((esr & 0x3f) == (ulong)FaultStatus.Alignment)
        {
            FaultSignalTo(task, Signal.SIGBUS, Signal.BUS_ADRALN, far, esr);
            return;
        }
        FaultSignal signal = FaultSignal.MapError;
        MemoryMap mm = task.Mm!;
        if (va < mm.TaskSize && FaultIn(cpu, mm, va, write, execute, out signal))
            return;
        switch (signal)
        {
            case FaultSignal.BusError:
                FaultSignalTo(task, Signal.SIGBUS, Signal.BUS_ADRERR, far, esr);
                break;
            case FaultSignal.OutOfMemory:
                Log($"{task}: out of guest memory at address 0x{far:x}; killed (--mem makes it larger)");
                SignalDelivery.Send(task, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
                break;
            default:
                FaultSignalTo(task, Signal.SIGSEGV, signal == FaultSignal.AccessError ? Signal.SEGV_ACCERR : Signal.SEGV_MAPERR, far, esr);
                break;
        }
    }

    private void FaultSignalTo(KernelTask task, int number, int code, ulong address, ulong esr) => SignalDelivery.Force(task, new SignalInfo
    {
        Number = number,
        Code = code,
        Address = address,
        Esr = esr,
        Synchronous = true,
    });

    private void Undefined(KernelTask task, Cpu cpu, UserRegisters regs)
    {
        uint instruction = cpu.UndefinedInstruction;
        Row row = cpu.UndefinedRow;
        bool handled = task.Handlers[Signal.SIGILL].Handler > 1;
        if (!handled)
        {
            string what = row == Row.Unallocated
                ? "an unallocated encoding"
                : !RowInfo.HasSemantics(row) ? "not implemented"
                : Machine.Profile is { } profile && !profile.Has(row)
                ? $"not in CPU profile {profile.Name}, which lacks FEAT_{RowInfo.Feature(row)}"
                : "UNDEFINED here";
            Log($"{task}: SIGILL: instruction 0x{instruction:x8} ({Disassembler.Disassemble(instruction, regs.PC)}) "
                + $"at 0x{regs.PC:x} is {what}");
        }
        FaultSignalTo(task, Signal.SIGILL, Signal.ILL_ILLOPC, regs.PC, 0);
    }

    /// <summary>Whether a trapped access is a read of CNTVCT_EL0 or CNTVCTSS_EL0.</summary>
    private static bool IsCounterRead(ulong esr)
    {
        const ulong access = 0x3ffc1f, counter = 3UL << 20 | 2UL << 17 | 3UL << 14 | 14UL << 10 | 1, synchronised = counter | 4UL << 17;
        return (esr & access) is counter or synchronised;
    }

    /// <summary>What Linux emulates for EL0: reads of ID registers (cpufeature.c emulate_mrs), CTR_EL0, the counter (traps.c).</summary>
    private bool EmulateTrappedSystem(Cpu cpu, ulong esr, UserRegisters regs)
    {
        int op0 = (int)(esr >> 20) & 3, op2 = (int)(esr >> 17) & 7, op1 = (int)(esr >> 14) & 7, crn = (int)(esr >> 10) & 15;
        int rt = (int)(esr >> 5) & 31, crm = (int)(esr >> 1) & 15;
        bool read = (esr & 1) != 0;
        if (!read || op0 != 3)
            return false;
        ulong? value;
        int key = SystemRegisters.Key(op0, op1, crn, crm, op2);
        if (op1 == 0 && crn == 0)
            value = UserIdentification.Read(Machine, crm, op2);
        else if (op1 == 3 && ((crn == 0 && crm == 0 && op2 == 1) || (crn == 14 && crm == 0)))
            value = SystemRegisters.Find(key)!.Read(cpu);
        else
            return false;
        if (value is null)
            return false;
        if (rt != 31)
            regs[rt] = value.Value;
        regs.PC += 4;
        return true;
    }
}
