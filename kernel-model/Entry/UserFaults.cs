using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Isa.Disassembly;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Entry;

/// <summary>Synchronous exceptions from EL0 that are no system call: page faults, undefined instructions, trapped registers
/// (arch/arm64/mm/fault.c, arch/arm64/kernel/traps.c).</summary>
/// <param name="machine">What its CPUs have.</param>
/// <param name="records">Registers of the task.</param>
/// <param name="costs">What a page fault is charged.</param>
/// <param name="signals">What the task gets for it.</param>
/// <param name="log">Says why an instruction is SIGILL.</param>
internal sealed class UserFaults(Machine machine, TaskRecords records, CallCosts costs, SignalDelivery signals, Action<string> log)
{
    // Fields of ESR_ELx (DDI0487, D24.2.40): WnR and CM of a data abort, IL, the class; a translation fault at level 0.
    private const ulong WriteNotRead = 1 << 6, CacheMaintenance = 1 << 8, Length32 = 1 << 25, ClassMask = 0x3FUL << 26, Level0Fault = 4;

    /// <summary>A page for a user address, charged.</summary>
    private bool FaultIn(Cpu cpu, MemoryMap mm, ulong va, bool write, bool execute, out FaultSignal signal)
    {
        if (!mm.FaultIn(va, write, out signal, execute))
            return false;
        CallCosts.Charge(cpu, costs.Fault(mm.LastFault));
        costs.ChargeAround(cpu, mm.AroundLastFault);
        if (mm.LastFault is FaultWork.WriteNew or FaultWork.FileWrite or FaultWork.Copy && mm.Residence(va) is var (page, _))
            cpu.Timing.FillPage(page);
        // Linux maps the page of zeros, which others have read before.
        if (mm.LastFault == FaultWork.ReadNew && mm.Residence(va) is var (zeros, _))
            cpu.Timing.FillLine(zeros | (va & (PhysicalMemory.PageSize - 1)));
        return true;
    }

    /// <summary>HVC_KERNEL_FAULT: EL1 code touched user memory (fixup_exception). False: the address is bad, or somebody is asked for the
    /// page, and the call is made again when it has come.</summary>
    internal bool HandleKernelAccess(Cpu cpu, KernelTask task, ulong esr, ulong far)
    {
        ulong va = Untag(far);
        if (task.Mm is not { } mm || va >= mm.TaskSize)
            return false;
        if (FaultIn(cpu, mm, va, IsWrite(esr), false, out FaultSignal signal))
            return true;
        if (signal == FaultSignal.Userfault && mm.TakeAsked() is { Owner.OnlyUser: false } asked)
        {
            task.AskedPage = asked;
            records.RequestWork(task);
        }
        return false;
    }

    /// <summary>untagged_addr: an address of EL0 without its tag; one of the kernel keeps its upper byte.</summary>
    private static ulong Untag(ulong far) => far & (ulong)((long)(far << 8) >> 8);

    /// <summary>is_write_abort: cache maintenance sets WnR and only reads (CM).</summary>
    private static bool IsWrite(ulong esr) => (esr & WriteNotRead) != 0 && (esr & CacheMaintenance) == 0;

    /// <summary>HVC_FAULT: a synchronous exception from EL0 that is not SVC. True: the task sleeps until somebody has provided a page.
    /// </summary>
    internal bool Handle(Cpu cpu, KernelTask task, ulong esr, ulong far)
    {
        // A thread that another thread's execve or exit took down while this CPU ran it: the pending reschedule removes it.
        if (task.Mm is null)
            return false;
        var ec = (ExceptionClass)(esr >> 26);
        UserRegisters regs = records.Registers(task);
        switch (ec)
        {
            case ExceptionClass.DataAbortLower:
            case ExceptionClass.InstructionAbortLower:
                return MemoryFault(cpu, task, ec, esr, far);
            case ExceptionClass.TrappedSystem when task.CounterForbidden && IsCounterRead(esr):
                Notify(task, Signal.SIGSEGV, Signal.SI_KERNEL, 0, 0);
                break;
            case ExceptionClass.TrappedSystem:
                if (EmulateTrappedSystem(cpu, esr, regs))
                    regs.Pstate &= ~Tracing.StepBit;
                else
                    Undefined(task, cpu, regs);
                break;
            case ExceptionClass.Brk:
                Notify(task, Signal.SIGTRAP, Signal.TRAP_BRKPT, regs.PC, 0);
                break;
            case ExceptionClass.PCAlignment:
                Notify(task, Signal.SIGBUS, Signal.BUS_ADRALN, far, esr);
                break;
            case ExceptionClass.SPAlignment:
                Notify(task, Signal.SIGBUS, Signal.BUS_ADRALN, regs.SP, esr);
                break;
            case ExceptionClass.SoftwareStepLower:
                Notify(task, Signal.SIGTRAP, Signal.TRAP_TRACE, regs.PC, 0);
                regs.Pstate |= Tracing.StepBit;
                break;
            case ExceptionClass.PacFail:
                Notify(task, Signal.SIGILL, Signal.ILL_ILLOPN, regs.PC, esr);
                break;
            case ExceptionClass.BranchTarget:
            case ExceptionClass.MemCpyMemSet:
                Notify(task, Signal.SIGILL, Signal.ILL_ILLOPC, regs.PC, 0);
                break;
            case ExceptionClass.Unknown when IsRegisterRead(cpu.UndefinedInstruction, out ulong access)
                && EmulateTrappedSystem(cpu, access, regs):
                regs.Pstate &= ~Tracing.StepBit;
                break;
            default:
                Undefined(task, cpu, regs);
                break;
        }
        return false;
    }

    private bool MemoryFault(Cpu cpu, KernelTask task, ExceptionClass ec, ulong esr, ulong far)
    {
        ulong va = Untag(far);
        bool execute = ec == ExceptionClass.InstructionAbortLower;
        bool write = !execute && IsWrite(esr);
        MemoryMap mm = task.Mm!;
        ulong shown = SyndromeFor(va < mm.TaskSize, execute, esr);
        if ((esr & 0x3f) == (ulong)FaultStatus.Alignment)
        {
            FaultAt(task, Signal.SIGBUS, Signal.BUS_ADRALN, far, va, shown);
            return false;
        }
        FaultSignal signal = FaultSignal.MapError;
        if (va < mm.TaskSize && FaultIn(cpu, mm, va, write, execute, out signal))
            return false;
        switch (signal)
        {
            case FaultSignal.Userfault:
                // handle_userfault: a signal wakes it, too, and it faults again.
                AskedPage asked = mm.TakeAsked()!.Value;
                if (signals.HasDeliverable(task))
                    return false;
                task.SleepOn([UserfaultFile.Fault(asked, task, task.Tid)]);
                return true;
            case FaultSignal.Poisoned:
                FaultAt(task, Signal.SIGBUS, Signal.BUS_MCEERR_AR, far, va, shown);
                break;
            case FaultSignal.BusError:
                FaultAt(task, Signal.SIGBUS, Signal.BUS_ADRERR, far, va, shown);
                break;
            case FaultSignal.OutOfMemory when task.IsKilled:
                break;
            case FaultSignal.OutOfMemory:
                log($"{task}: out of guest memory at address 0x{far:x}; killed (--mem makes it larger)");
                signals.Send(task, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
                break;
            default:
                int code = signal == FaultSignal.AccessError ? Signal.SEGV_ACCERR : Signal.SEGV_MAPERR;
                FaultAt(task, Signal.SIGSEGV, code, far, va, shown);
                break;
        }
        return false;
    }

    /// <summary>The syndrome that a program may see: of a kernel address nothing but that it is not there (set_thread_esr).</summary>
    private static ulong SyndromeFor(bool userAddress, bool execute, ulong esr) => userAddress ? esr
        : (esr & (ClassMask | Length32 | (execute ? 0 : CacheMaintenance | WriteNotRead))) | Level0Fault;

    /// <summary>arm64_force_sig_fault after set_thread_esr: a signal with the address of a memory access.</summary>
    private void FaultAt(KernelTask task, int number, int code, ulong far, ulong untagged, ulong esr) => signals.Force(task, new SignalInfo
    {
        Number = number,
        Code = code,
        Address = far,
        FaultAddress = untagged,
        Esr = esr,
        Synchronous = true,
    });

    /// <summary>arm64_notify_die: a signal for an instruction; mcontext's fault_address stays 0.</summary>
    private void Notify(KernelTask task, int number, int code, ulong address, ulong esr) => signals.Force(task, new SignalInfo
    {
        Number = number,
        Code = code,
        Address = address,
        Esr = esr,
        Synchronous = true,
    });

    /// <summary>Whether an undefined instruction is MRS of an ID register that the CPU does not have, and the syndrome that a trap of it
    /// would have (try_emulate_mrs).</summary>
    private static bool IsRegisterRead(uint instruction, out ulong access)
    {
        uint register = instruction >> 5 & 0x7FFF;
        access = (ulong)(2 | register >> 14) << 20 | (ulong)(register & 7) << 17 | (ulong)(register >> 11 & 7) << 14
            | (ulong)(register >> 7 & 15) << 10 | (ulong)(instruction & 31) << 5 | (ulong)(register >> 3 & 15) << 1 | 1;
        return instruction >> 20 == 0xD53;
    }

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
                : machine.Profile is { } profile && !profile.Has(row)
                ? $"not in CPU profile {profile.Name}, which lacks FEAT_{RowInfo.Feature(row)}"
                : "UNDEFINED here";
            log($"{task}: SIGILL: instruction 0x{instruction:x8} ({Disassembler.Disassemble(instruction, regs.PC)}) "
                + $"at 0x{regs.PC:x} is {what}");
        }
        Notify(task, Signal.SIGILL, Signal.ILL_ILLOPC, regs.PC, 0);
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
            value = UserIdentification.Read(machine, crm, op2);
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
