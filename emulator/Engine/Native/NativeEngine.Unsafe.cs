using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>The native engine of one PE: without a timing model, blocks that were executed a few times are x64 code. All else is the
/// portable engine's, whose blocks, TLB and rules these are. Code never calls the runtime: it returns, so that no collection of garbage
/// has to know of it; it runs for at most a quantum.</summary>
internal sealed unsafe partial class NativeEngine : PortableEngine
{
    private readonly Cpu _cpu;
    private readonly NativeCode _native;
    private readonly List<int>[] _filled;
    private readonly bool[] _prepared;
    private byte* _frame;
    private int _view;
    private readonly delegate* unmanaged[SuppressGCTransition]<byte*, byte*, ulong, int> _enter;

    /// <summary>The engine of one PE.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="code">Blocks of the machine.</param>
    /// <param name="native">Native code of the machine.</param>
    /// <param name="memoised">Whether the timing of blocks is looked up where it can be.</param>
    /// <param name="coldRuns">Executions of a block before it is made native code.</param>
    internal NativeEngine(Cpu cpu, CodeCache code, NativeCode native, bool memoised, int coldRuns)
        : base(cpu, code, memoised, NativeFrame.JumpSize, coldRuns)
    {
        _cpu = cpu;
        _native = native;
        _enter = (delegate* unmanaged[SuppressGCTransition]<byte*, byte*, ulong, int>)native.Entry;
        _filled = [.. Frames.Select(_ => new List<int>())];
        _prepared = new bool[Frames.Count];
        _trace = IsTraced ? GC.AllocateArray<ulong>(MostGranted / Emitter.CyclesOfByte / 8 + 1, pinned: true) : [];
    }

    /// <summary>From now on this frame is meant.</summary>
    private void SelectFrame(int view)
    {
        _view = view;
        // Frames are pinned.
        _frame = (byte*)Unsafe.AsPointer(ref Frames[view].First);
        if (!_prepared[view])
            Prepare();
    }

    /// <summary>The first use of a frame: most have none.</summary>
    private void Prepare()
    {
        _prepared[_view] = true;
        *(uint*)(_frame + NativeFrame.HostStatusClear) = NativeFrame.ClearStatus;
        for (int i = 0; i < 16; i += 8)
        {
            Word(NativeFrame.LanesOne(true) + i) = 1;
            Word(NativeFrame.LanesOne(false) + i) = 0x100000001;
            Word(NativeFrame.LanesHalf(true) + i) = 0x3FE;
            Word(NativeFrame.LanesHalf(false) + i) = 0x7E0000007E;
        }
        for (int i = 0; i < 4; i++)
            Empty(NativeFrame.Jumps(i >> 1, (i & 1) != 0));
    }

    /// <summary>Forgets where the branches of a view go.</summary>
    private void EmptyView(int view)
    {
        if (_filled[view].Count == 0)
            return;
        SelectFrame(view);
        foreach (int entry in _filled[view])
            Empty(entry);
        _filled[view].Clear();
    }

    /// <inheritdoc/>
    public override void TranslationsSelected(int context, bool forget)
    {
        base.TranslationsSelected(context, forget);
        if (!forget)
            return;
        for (int view = Views * context; view < Views * (context + 1); view++)
            EmptyView(view);
    }

    private ref ulong Word(int offset) => ref *(ulong*)(_frame + offset);

    private void Empty(int entry)
    {
        // Zeros are entries of the target 0, which is looked for in the first one alone. A branch to the address 1 finds that one, and goes
        // where it is missed.
        Word(entry) = NativeFrame.IsFirst(entry) ? FastEntry.None : 0;
        Word(entry + 8) = _native.Missed;
    }

    /// <inheritdoc/>
    public override void CodeChanged()
    {
        base.CodeChanged();
        int view = _view;
        for (int i = 0; i < _filled.Length; i++)
            EmptyView(i);
        // Native code may be running.
        SelectFrame(view);
    }

    /// <inheritdoc/>
    protected override bool RunPlain(Block block, long left, ulong stop)
    {
        return IsWarm(block) && MayRun(block) && !IsTraced ? RunNative(block, left) : RunBlocks<WarmMode>(block, left, stop);
    }

    /// <summary>Whether native code does all that matters now: it does not look at the marks of other PEs, which stores clear, nor at
    /// FPCR, and its tables of branches do not say which stack pointer EL1 uses.</summary>
    private bool MayRun(Block block) =>
        !_cpu.Monitors.IsMarkedBesides(_cpu.Index) && !(block.HasFp && _cpu.FPCR != 0) && block.Mode != 1;

    /// <summary>Makes the code of a block that has none.</summary>
    /// <returns>False: all code had to be dropped for it, and the block with it.</returns>
    internal bool HasCode(Block block)
    {
        if (block.Code == 0)
            _native.Translate(block);
        return block.Valid;
    }

    /// <summary>One block, stores journalled.</summary>
    /// <param name="block">The block, of <paramref name="count"/> instructions.</param>
    /// <param name="count">How many instructions to execute.</param>
    /// <param name="journal">Gets what the stores overwrite.</param>
    internal bool RunChecked(Block block, long count, WriteJournal journal)
    {
        BeginLog(journal);
        bool done = RunNative(block, count);
        EndLog();
        return done;
    }

    private WriteJournal? _journal;

    /// <summary>From now on stores go to a journal, and blocks run one by one.</summary>
    private void BeginLog(WriteJournal journal)
    {
        SelectFrame(View);
        Word(NativeFrame.LogEnd) = (ulong)_frame + NativeFrame.Log;
        _journal = journal;
    }

    private void EndLog()
    {
        TakeLog();
        _journal = null;
    }

    /// <summary>The journal gets what native code logged, before anything else is stored.</summary>
    private void TakeLog()
    {
        for (int at = NativeFrame.Log; (ulong)_frame + (ulong)at < Word(NativeFrame.LogEnd); at += NativeFrame.LogEntry)
        {
            int size = (int)Word(at + 8);
            _journal!.Save(Word(at) - _cpu.Machine.Memory.HostAddress, new ReadOnlySpan<byte>(_frame + at + 16, size));
        }
        Word(NativeFrame.LogEnd) = (ulong)_frame + NativeFrame.Log;
    }

    private bool RunNative(Block block, long left)
    {
        Cpu cpu = _cpu;
        // All blocks were dropped, this one too: it is looked for again.
        if (!HasCode(block))
            return true;
        SelectFrame(View);
        ulong epoch = FetchEpoch;
        Word(NativeFrame.Budget) = (ulong)left;
        Word(NativeFrame.BType) = (ulong)cpu.BType;
        Word(NativeFrame.BTypeBudget) = (ulong)left;
        ulong code = EnterNative(block);
        fixed (ulong* general = &cpu.FirstGeneral)
        {
            byte* state = (byte*)general + Emitter.StateBias;
            while (true)
            {
                int number = _enter(_frame, state, code);
                if (number < 0)
                {
                    ulong target = cpu.BranchAddr(Word(NativeFrame.Target));
                    int btype = BTypeAt(0);
                    if (Follow(target, btype != 0, epoch, -1) is not { } there)
                        return LeaveNative(target, btype, left, 0);
                    code = there.Code;
                    continue;
                }
                Exit exit = _native.ExitOf(number);
                Block at = exit.Block;
                switch (exit.Kind)
                {
                    case ExitKind.Refused:
                        return LeaveNative(at.Pc, BTypeAt(0), left, 0);
                    case ExitKind.Branch:
                        if (Follow(exit.Target, false, epoch, number) is not { } next)
                            return LeaveNative(exit.Target, 0, left, 0);
                        code = next.Code;
                        continue;
                    case ExitKind.Repeat:
                        return LeaveNative(at.Pc + at.Ops[exit.Op].Offset, 0, left, exit.Op + 1 - at.InstructionCount);
                }
                if (!Interpret(exit))
                {
                    int btype = exit.Op == 0 ? BTypeAt(at.InstructionCount) : 0;
                    LeaveNative(at.Pc + at.Ops[exit.Op].Offset, btype, left, exit.Op - at.InstructionCount);
                    return false;
                }
                if (cpu.NextPC == cpu.PC)
                    return LeaveNative(cpu.PC, 0, left, exit.Op + 1 - at.InstructionCount);
                if (FetchEpoch != epoch)
                    return LeaveNative(at.Pc + at.Ops[exit.Op].Offset + 4, 0, left, exit.Op + 1 - at.InstructionCount);
                code = exit.Resume;
            }
        }
    }

    /// <summary>The frame gets what code needs of the PE besides its budget.</summary>
    /// <returns>The code of the block.</returns>
    private ulong EnterNative(Block block)
    {
        Cpu cpu = _cpu;
        Word(NativeFrame.FpTrapped) = cpu.FpTrapped || cpu.FPCR != 0 ? 1UL : 0;
        Word(NativeFrame.Flags) = NativeFrame.Pack(cpu.NZCV);
        cpu.AccessCount = 0;
        cpu.BranchTaken = false;
        _native.Entries++;
        return block.Code;
    }

    /// <summary>BTYPE at the first instruction of a block.</summary>
    /// <param name="entered">Instructions of it that were taken off the budget already.</param>
    private int BTypeAt(int entered) =>
        Word(NativeFrame.BTypeBudget) == Word(NativeFrame.Budget) + (ulong)entered ? (int)Word(NativeFrame.BType) : 0;

    /// <summary>The reference body executes the instruction at which code returned.</summary>
    /// <returns>False when it faults; it has changed nothing then.</returns>
    private bool Interpret(in Exit exit)
    {
        Cpu cpu = _cpu;
        ref Op op = ref exit.Block.Ops[exit.Op];
        bool access = exit.Kind == ExitKind.Access;
        cpu.PC = exit.Block.Pc + op.Offset;
        cpu.NextPC = cpu.PC + 4;
        if (_journal is not null)
            TakeLog();
        if (access)
        {
            _native.SlowAccesses++;
        }
        else
        {
            _native.CountInterpreted(op.Row);
            cpu.NZCV = NativeFrame.Unpack(Word(NativeFrame.Flags));
        }
        Dispatch.Execute(cpu, op.Row, op.Instruction);
        if (cpu.ExceptionPending)
        {
            cpu.DropPendingException();
            return false;
        }
        if (access)
            FillFast(Word(NativeFrame.Address));
        else
            Word(NativeFrame.Flags) = NativeFrame.Pack(cpu.NZCV);
        return true;
    }

    /// <summary>The block that a branch goes to, when it is native code that may be entered; next time the branch finds it by
    /// itself.</summary>
    /// <param name="target">Where it goes.</param>
    /// <param name="setsBType">Whether BTYPE is set there.</param>
    /// <param name="epoch">State of translations and code that this run began with.</param>
    /// <param name="number">The exit of a direct branch.</param>
    private Block? Follow(ulong target, bool setsBType, ulong epoch, int number)
    {
        if (_journal is not null || FindBlock(target) is not { } block || FetchEpoch != epoch || block.Count == Block.Never
            || (setsBType && block.Guarded))
            return null;
        if (block.Code == 0)
        {
            if (!IsWarm(block) || !Translate(block) || FetchEpoch != epoch)
                return null;
        }
        if (number >= 0 && _native.ExitOf(number).Jump is not 0 and ulong jump)
        {
            _native.Link(jump, block.Code);
            return block;
        }
        int entry = NativeFrame.Jumps(_cpu.EL, setsBType) + NativeFrame.JumpEntry(target);
        if (Word(entry) <= FastEntry.None)
            _filled[_view].Add(entry);
        Word(entry) = target;
        Word(entry + 8) = block.Code;
        return block;
    }

    /// <summary>Native code ended before the instruction at <paramref name="pc"/>.</summary>
    /// <param name="pc">Its address.</param>
    /// <param name="btype">BTYPE there.</param>
    /// <param name="left">The budget at the start.</param>
    /// <param name="more">Executed besides those that were taken off the budget.</param>
    private bool LeaveNative(ulong pc, int btype, long left, int more)
    {
        _cpu.NZCV = NativeFrame.Unpack(Word(NativeFrame.Flags));
        Leave(pc, btype);
        Count(false, left - (long)Word(NativeFrame.Budget) + more);
        return true;
    }
}
