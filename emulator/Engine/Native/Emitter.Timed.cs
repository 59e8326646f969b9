using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Code of blocks that are timed: it leaves a trace, which the memoised timing is told. The budget is cycles then, of which a
/// block takes the most that it may need.</summary>
internal sealed partial class Emitter
{
    private const int SlotBytes = 8 * BlockMemo.TraceSlotWords;

    /// <summary>Changes what is known of a trace, so that a test can plant a bug.</summary>
    internal Func<TraceSlot, TraceSlot>? SlotAlteration { get; set; }

    private readonly TracedBlocks? _traced;
    private BlockSchedule? _schedule;
    private int _slot;

    /// <summary>Bytes of the trace of a block.</summary>
    internal static int TraceSize(BlockSchedule schedule) => 8 * BlockMemo.TraceHeader + SlotBytes * schedule.Slots!.Length;

    /// <summary>Cycles of a budget that a byte of the trace takes at least, which bounds the trace.</summary>
    internal const int CyclesOfByte = 16;

    /// <summary>What a traced block takes off the budget.</summary>
    internal static long TracedCost(BlockSchedule schedule) => Math.Max(schedule.Worst, CyclesOfByte * TraceSize(schedule));

    private int CostOf(Block block) => _schedule is null ? block.InstructionCount : (int)TracedCost(_schedule);

    /// <summary>Whether the trace of a block tells all that its timing needs; then its schedule has slots.</summary>
    internal bool CanTrace(Block block, BlockSchedule schedule)
    {
        if (!schedule.Usable)
            return false;
        if (schedule.Slots is not null)
            return true;
        var slots = new List<TraceSlot>();
        for (int i = 0; i < schedule.Timings.Length; i++)
        {
            ref Op op = ref block.Ops[i];
            TimingKind kind = schedule.Timings[i].Kind;
            bool divides = op.Code is OpCode.Udiv64 or OpCode.Udiv32 or OpCode.Sdiv64 or OpCode.Sdiv32;
            bool accesses = op.Code >= OpCode.Ld8Off;
            // What goes to the next instruction anyway does not show whether it branched.
            if (divides != (kind == TimingKind.Divide) || (accesses && kind != TimingKind.Memory)
                || (kind == TimingKind.Conditional && op.Imm == schedule.LastPc + 4))
                return false;
            if (divides)
                slots.Add(new TraceSlot((byte)i, 0, TraceKind.Quotient));
            else if (accesses)
                slots.Add(SlotOf(Describe(op.Code), i));
        }
        schedule.Slots = SlotAlteration is null ? [.. slots] : [.. slots.Select(SlotAlteration)];
        return true;
    }

    private static TraceSlot SlotOf(AccessKind kind, int index)
    {
        int bytes = BytesOf(kind);
        TraceKind trace = IsStore(kind.Moves) ? TraceKind.Store : bytes > 8 ? TraceKind.WideLoad : TraceKind.Load;
        return new TraceSlot((byte)index, (byte)bytes, trace);
    }

    private void BeginTrace()
    {
        _slot = 0;
        _schedule = _traced is null ? null : _block.Schedule!;
    }

    /// <summary>A block that is timed says in the trace that it was entered.</summary>
    private void TraceEntry()
    {
        if (_schedule is null)
            return;
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, NativeFrame.TraceEnd));
        _a.Store(64, Operand.At(Gpr.Rdx, 0), _traced!.Next);
        _a.Alu(Alu.Add, 64, Gpr.Rdx, TraceSize(_schedule));
        _a.Store(64, Operand.At(Frame, NativeFrame.TraceEnd), Gpr.Rdx);
        _traced.Add(_schedule);
    }

    /// <summary>An access goes to the trace: its address is in RAX, what leads from there to the host's in RCX. RDX is lost.</summary>
    private void TraceAccess()
    {
        if (_schedule is null)
            return;
        int slot = NextSlot();
        _a.Store(64, Operand.At(Gpr.Rdx, slot), Gpr.Rax);
        _a.Store(64, Operand.At(Gpr.Rdx, slot + 8), Gpr.Rcx);
    }

    /// <summary>The quotient in RAX goes to the trace; RDX is lost.</summary>
    private void TraceQuotient(in Op op)
    {
        if (_schedule is null)
            return;
        if (op.Rd == Translator.Discard)
            _a.Set(Gpr.Rax, 0);
        int slot = NextSlot();
        _a.Store(64, Operand.At(Gpr.Rdx, slot), Gpr.Rax);
    }

    /// <summary>Where the next slot is, from RDX on, which gets the end of the trace.</summary>
    private int NextSlot()
    {
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, NativeFrame.TraceEnd));
        return 8 * BlockMemo.TraceHeader - TraceSize(_schedule!) + SlotBytes * _slot++;
    }

    /// <summary>Whether an operation is left to its reference body, which notes what it accesses.</summary>
    private bool MustBeNoted(in Op op) =>
        _schedule is not null && op.Code is OpCode.Generic && _schedule.Timings[op.Offset >> 2].Kind == TimingKind.Memory;
}
