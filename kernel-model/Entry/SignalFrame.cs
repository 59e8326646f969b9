using System.Buffers.Binary;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Entry;

/// <summary>The stack frame of a signal handler: struct rt_sigframe of arch/arm64/kernel/signal.c. siginfo 128 bytes, then
/// ucontext (mcontext at 176), records fpsimd_context and esr_context, then a frame record {fp, lr} above.</summary>
/// <param name="landingPads">Whether CPUs check landing pads (BTI).</param>
/// <param name="design">Told of each frame before it is built.</param>
/// <param name="sequences">What a handler must not find half done.</param>
/// <param name="signals">Told of the mask that a return restores.</param>
internal sealed class SignalFrame(bool landingPads, VdsoDesign design, RestartableSequences sequences, SignalDelivery signals)
{
    private const int InfoSize = 128;
    private const int UcontextMcontext = 176;
    private const int McontextReserved = 288;
    private const int ReservedSize = 4096;
    private const int FrameSize = InfoSize + UcontextMcontext + McontextReserved + ReservedSize;
    private const uint FpsimdMagic = 0x46508001;
    private const int FpsimdSize = 528;
    private const uint EsrMagic = 0x45535201;
    private const uint ExtraMagic = 0x45585401;
    private const ulong MostFrame = 64 << 10; // SIGFRAME_MAXSZ

    /// <summary>Writes the frame and points the registers at the handler. False: the stack cannot hold it.</summary>
    internal bool Build(Cpu cpu, KernelTask task, UserRegisters regs, SignalInfo info, SignalAction action)
    {
        // The saved PC must not be inside a restartable sequence (rseq_signal_deliver).
        design.BeforeSignalFrame(task, regs);
        sequences.BeforeHandler(task, regs, info.Number);
        ulong record = StackFor(task, regs, action) - 16;
        ulong frame = (record - FrameSize) & ~15UL;
        var b = new byte[FrameSize];
        if ((action.Flags & Signal.SA_SIGINFO) != 0)
            WithoutTag(info, action).ToBytes().CopyTo(b, 0);
        Span<byte> uc = b.AsSpan(InfoSize);
        WriteContext(uc, task, regs, info);
        WriteRecords(uc[(UcontextMcontext + McontextReserved)..], cpu, info);
        var frameRecord = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(frameRecord, regs[29]);
        BinaryPrimitives.WriteUInt64LittleEndian(frameRecord.AsSpan(8), regs[30]);
        if (!task.Mm!.Write(frame, b) || !task.Mm.Write(record, frameRecord))
            return false;
        EnterHandler(task, regs, info, action, frame, record);
        SignalDelivered(task, info, action);
        return true;
    }

    /// <summary>hide_si_addr_tag_bits: the tag of a faulting address is for handlers that ask for it.</summary>
    private static SignalInfo WithoutTag(SignalInfo info, SignalAction action) =>
        (action.Flags & Signal.SA_EXPOSE_TAGBITS) != 0 || !info.Synchronous
            || (info.Number == Signal.SIGTRAP && info.Code == Signal.TRAP_BRKPT)
            ? info
            : info with { Address = info.Address & (ulong)((long)(info.Address << 8) >> 8) };

    /// <summary>Where the frame goes: the alternate stack where the handler wants it, else the task's own (get_sigframe).</summary>
    private static ulong StackFor(KernelTask task, UserRegisters regs, SignalAction action)
    {
        ulong sp = regs.SP;
        (ulong address, ulong size, int flags) = task.Signals.AltStack;
        if ((action.Flags & Signal.SA_ONSTACK) != 0 && (flags & Signal.SS_DISABLE) == 0 && !task.Signals.IsOnAltStack(sp))
            sp = address + size;
        return sp & ~15UL;
    }

    /// <summary>ucontext and mcontext: alternate stack, mask, general registers (setup_sigframe).</summary>
    private static void WriteContext(Span<byte> uc, KernelTask task, UserRegisters regs, SignalInfo info)
    {
        (ulong address, ulong size, int flags) = task.Signals.AltStack;
        if ((flags & Signal.SS_DISABLE) == 0 && task.Signals.IsOnAltStack(regs.SP))
            flags |= Signal.SS_ONSTACK;
        BinaryPrimitives.WriteUInt64LittleEndian(uc[16..], address);
        BinaryPrimitives.WriteInt32LittleEndian(uc[24..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(uc[32..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(uc[40..], task.Signals.SavedMask ?? task.Signals.Blocked);
        Span<byte> mc = uc[UcontextMcontext..];
        BinaryPrimitives.WriteUInt64LittleEndian(mc, info.FaultAddress);
        for (int i = 0; i < 31; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(mc[(8 + i * 8)..], regs[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(mc[256..], regs.SP);
        BinaryPrimitives.WriteUInt64LittleEndian(mc[264..], regs.PC);
        BinaryPrimitives.WriteUInt64LittleEndian(mc[272..], regs.Pstate);
    }

    /// <summary>The records of __reserved: fpsimd_context, and esr_context after a fault (preserve_fpsimd_context).</summary>
    private static void WriteRecords(Span<byte> fp, Cpu cpu, SignalInfo info)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(fp, FpsimdMagic);
        BinaryPrimitives.WriteInt32LittleEndian(fp[4..], FpsimdSize);
        BinaryPrimitives.WriteUInt32LittleEndian(fp[8..], cpu.FPSR);
        BinaryPrimitives.WriteUInt32LittleEndian(fp[12..], cpu.FPCR);
        for (int i = 0; i < 32; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(fp[(16 + i * 16)..], cpu.V(i).Lo);
            BinaryPrimitives.WriteUInt64LittleEndian(fp[(24 + i * 16)..], cpu.V(i).Hi);
        }
        if (!info.Synchronous || info.Esr == 0)
            return;
        Span<byte> esr = fp[FpsimdSize..];
        BinaryPrimitives.WriteUInt32LittleEndian(esr, EsrMagic);
        BinaryPrimitives.WriteInt32LittleEndian(esr[4..], 16);
        BinaryPrimitives.WriteUInt64LittleEndian(esr[8..], info.Esr);
    }

    /// <summary>Registers as the handler finds them (setup_return).</summary>
    private void EnterHandler(KernelTask task, UserRegisters regs, SignalInfo info, SignalAction action, ulong frame, ulong record)
    {
        regs[0] = (ulong)info.Number;
        if ((action.Flags & Signal.SA_SIGINFO) != 0)
        {
            regs[1] = frame;
            regs[2] = frame + InfoSize;
        }
        regs[29] = record;
        regs[30] = (action.Flags & Signal.SA_RESTORER) != 0 ? action.Restorer : task.Mm!.SigreturnTrampoline;
        regs.SP = frame;
        regs.PC = action.Handler;
        // PSTATE: BTYPE = C for the landing pad, TCO clear; the condition flags stay.
        ulong kept = regs.Pstate & ~((3UL << 10) | (1UL << 25));
        regs.Pstate = Tracing.WithStep(task, kept | (landingPads ? 1UL << 11 : 0));
        regs.SyscallNumber = -1;
    }

    /// <summary>What the handler blocks, and what is good for one signal only (signal_delivered).</summary>
    private static void SignalDelivered(KernelTask task, SignalInfo info, SignalAction action)
    {
        task.Signals.SavedMask = null;
        ulong blocked = task.Signals.Blocked | action.Mask;
        if ((action.Flags & Signal.SA_NODEFER) == 0)
            blocked |= Signal.Bit(info.Number);
        task.Signals.Blocked = blocked & ~Signal.Unblockable;
        if ((action.Flags & Signal.SA_RESETHAND) != 0)
            task.Handlers[info.Number] = action with { Handler = 0 };
        if ((task.Signals.AltStack.Flags & Signal.SS_AUTODISARM) != 0)
            task.Signals.AltStack = TaskSignals.NoAltStack;
    }

    /// <summary>rt_sigreturn: restores what the frame at SP holds. False: the frame is bad (SIGSEGV).</summary>
    internal bool Restore(Cpu cpu, KernelTask task, UserRegisters regs)
    {
        ulong frame = regs.SP;
        var b = new byte[FrameSize];
        if ((frame & 15) != 0 || !task.Mm!.Read(frame, b))
            return false;
        ReadOnlySpan<byte> uc = b.AsSpan(InfoSize);
        ReadOnlySpan<byte> mc = uc[UcontextMcontext..];
        ulong pstate = BinaryPrimitives.ReadUInt64LittleEndian(mc[272..]);
        byte[]? fp = null;
        if (!ValidPstate(pstate) || !FindFpsimd(task, frame + InfoSize + UcontextMcontext + McontextReserved, ref fp) || fp is null)
            return false;
        for (int i = 0; i < 31; i++)
            regs[i] = BinaryPrimitives.ReadUInt64LittleEndian(mc[(8 + i * 8)..]);
        regs.SP = BinaryPrimitives.ReadUInt64LittleEndian(mc[256..]);
        regs.PC = BinaryPrimitives.ReadUInt64LittleEndian(mc[264..]);
        // Only what EL0 may set: NZCV, DIT, SSBS, TCO, BTYPE.
        const ulong allowed = 0xF000_0000UL | (1UL << 24) | (1UL << 12) | (1UL << 25) | (3UL << 10);
        regs.Pstate = Tracing.WithStep(task, pstate & allowed);
        regs.SyscallNumber = -1;
        cpu.FPSR = BinaryPrimitives.ReadUInt32LittleEndian(fp.AsSpan(8));
        cpu.FPCR = BinaryPrimitives.ReadUInt32LittleEndian(fp.AsSpan(12)) & cpu.FpcrMask;
        for (int i = 0; i < 32; i++)
        {
            cpu.SetV(i, new V128(
                BinaryPrimitives.ReadUInt64LittleEndian(fp.AsSpan(16 + i * 16)),
                BinaryPrimitives.ReadUInt64LittleEndian(fp.AsSpan(24 + i * 16))));
        }
        ulong mask = BinaryPrimitives.ReadUInt64LittleEndian(uc[40..]);
        task.Signals.Blocked = mask & ~Signal.Unblockable;
        int flags = BinaryPrimitives.ReadInt32LittleEndian(uc[24..]);
        task.Signals.AltStack = (
            BinaryPrimitives.ReadUInt64LittleEndian(uc[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(uc[32..]),
            flags & ~Signal.SS_ONSTACK);
        signals.Recalculate(task);
        return true;
    }

    /// <summary>valid_native_regs of arch/arm64/kernel/ptrace.c: AArch64, EL0, nothing masked.</summary>
    internal static bool ValidPstate(ulong pstate) => (pstate & ((0xFUL << 6) | (1UL << 4) | 0xFUL)) == 0;

    /// <summary>parse_user_sigframe of arch/arm64/kernel/signal.c: the records of __reserved and of the space that an
    /// extra_context adds to it. SVE, SME and later records are refused as on a CPU that lacks them.</summary>
    /// <returns>False when a record is not as it must be.</returns>
    private static bool FindFpsimd(KernelTask task, ulong address, ref byte[]? fpsimd)
    {
        ulong start = address, offset = 0, limit = ReservedSize;
        bool extra = false;
        var head = new byte[32];
        if ((address & 15) != 0)
            return false;
        while (true)
        {
            if (limit - offset < 8 || (offset & 15) != 0 || !task.Mm!.Read(address + offset, head.AsSpan(0, 8)))
                return false;
            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(head);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
            if (limit - offset < size)
                return false;
            switch (magic)
            {
                case 0:
                    return size == 0;
                case FpsimdMagic when fpsimd is null && size == FpsimdSize:
                    fpsimd = new byte[FpsimdSize];
                    if (!task.Mm.Read(address + offset, fpsimd))
                        return false;
                    break;
                case EsrMagic when size >= 8:
                    break;
                case ExtraMagic when !extra && size >= 32 && limit - offset - size >= 16:
                    // {head, datap, size}; a terminator must follow, and the data right behind it.
                    extra = true;
                    if (!task.Mm.Read(address + offset, head))
                        return false;
                    ulong data = BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(8));
                    uint length = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(16));
                    if (!task.Mm.Read(address + offset + size, head.AsSpan(0, 8)) || BinaryPrimitives.ReadUInt64LittleEndian(head) != 0)
                        return false;
                    if ((data & 15) != 0 || (length & 15) != 0 || data != address + offset + size + 16 || data - start + length > MostFrame)
                        return false;
                    (address, offset, limit) = (data, 0, length);
                    continue;
                default:
                    return false;
            }
            offset += size;
        }
    }
}
