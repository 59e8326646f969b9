using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Native code of blocks whose timing is memoised. It runs ahead of the timing, as far as the stop is certain not to be reached,
/// and leaves a trace, from which the timing catches up.</summary>
internal sealed unsafe partial class NativeEngine
{
    // Cycles of a budget.
    private const int MostGranted = 1 << 22;

    private readonly ulong[] _trace;

    // The trace up to here was told.
    private ulong* _toldTo;

    /// <summary>Whether code leaves a trace.</summary>
    internal bool IsTraced => _native.Traced is not null;

    private ulong HostBase => _cpu.Machine.Memory.HostAddress;

    /// <summary>Makes the code of a block.</summary>
    /// <returns>False when it has none: its trace would not tell all.</returns>
    private bool Translate(Block block)
    {
        if (IsTraced && !_native.Emitter.CanTrace(block, _cpu.Timing.Memo!.ScheduleOf(block)))
            return false;
        _native.Translate(block);
        return true;
    }

    /// <inheritdoc/>
    protected override bool RunTimed(Block block, ulong stop)
    {
        if (!IsTraced)
            return base.RunTimed(block, stop);
        bool ready = IsWarm(block) && MayRun(block) && (block.Code != 0 || Translate(block));
        // All blocks were dropped, this one too: it is looked for again.
        if (!block.Valid)
            return true;
        if (!ready)
            return RunMemo<WarmMemoMode>(block, stop);
        if ((long)(stop - _cpu.Timing.Cycles) <= Emitter.TracedCost(block.Schedule!))
            return RunMemo<MemoMode>(block, stop);
        BlockMemo memo = _cpu.Timing.Memo!;
        if (!Enter(memo, stop))
            return RunSingly(block, stop);
        memo.BeginTrace();
        SelectFrame(View);
        if (Grant(block, _cpu.BType))
            return RunTraced(block);
        memo.Leave();
        return RunMemo<MemoMode>(block, stop);
    }

    /// <inheritdoc/>
    internal override bool RunChecked(Block block, long count, ulong stop)
    {
        BlockMemo memo = _cpu.Timing.Memo!;
        if (!IsTraced || !MayRun(block) || !(block.Code != 0 || Translate(block)) || !memo.Enter(_cpu, _cpu.Timing.Level, stop, 0))
            return base.RunChecked(block, count, stop);
        memo.BeginTrace();
        BeginLog(_cpu.Journal!);
        bool granted = Grant(block, _cpu.BType), done = granted && RunTraced(block);
        EndLog();
        if (granted)
            return done;
        memo.Leave();
        return base.RunChecked(block, count, stop);
    }

    /// <summary>Lets blocks run as long as the stop is certain not to be reached; all that was traced is told.</summary>
    /// <returns>False when not even the first one can.</returns>
    private bool Grant(Block block, int btype)
    {
        long cost = Emitter.TracedCost(block.Schedule!), left = Math.Min(_cpu.Timing.Memo!.Left, MostGranted);
        if (left < cost)
            return false;
        // One block after the other is compared.
        if (_journal is not null)
            left = cost;
        _toldTo = (ulong*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_trace));
        Word(NativeFrame.TraceEnd) = (ulong)_toldTo;
        Word(NativeFrame.Budget) = (ulong)left;
        Word(NativeFrame.BType) = (ulong)btype;
        Word(NativeFrame.BTypeBudget) = btype != 0 ? (ulong)left : ulong.MaxValue;
        return true;
    }

    private bool RunTraced(Block block)
    {
        Cpu cpu = _cpu;
        BlockMemo memo = cpu.Timing.Memo!;
        ulong epoch = FetchEpoch;
        ulong code = EnterNative(block);
        bool trapped = Word(NativeFrame.FpTrapped) != 0;
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
                    Tell(target);
                    if (Follow(target, btype != 0, epoch, -1) is not { } there)
                        return LeaveTraced(target, btype);
                    code = there.Code;
                    continue;
                }
                Exit exit = _native.ExitOf(number);
                Block at = exit.Block;
                switch (exit.Kind)
                {
                    case ExitKind.Refused:
                        Tell(at.Pc);
                        if (_journal is not null || (trapped && at.HasFp) || !Grant(at, BTypeAt(0)))
                            return LeaveTraced(at.Pc, BTypeAt(0));
                        code = at.Code;
                        continue;
                    case ExitKind.Branch:
                        Tell(exit.Target);
                        if (Follow(exit.Target, false, epoch, number) is not { } next)
                            return LeaveTraced(exit.Target, 0);
                        code = next.Code;
                        continue;
                }
                BlockSchedule s = at.Schedule!;
                ulong* record = (ulong*)(Word(NativeFrame.TraceEnd) - (ulong)Emitter.TraceSize(s));
                memo.TellBlocks(_toldTo, record, _native.Traced!, HostBase, at.Pc);
                _toldTo = record;
                memo.TellPart(record, s, exit.Op, HostBase);
                cpu.AccessCount = 0;
                if (!Interpret(exit))
                {
                    memo.EndPart(s, exit.Op, HostBase);
                    LeaveTraced(at.Pc + at.Ops[exit.Op].Offset, exit.Op == 0 ? BTypeAt((int)Emitter.TracedCost(s)) : 0);
                    return false;
                }
                memo.TellExecuted(s, exit.Op, HostBase);
                if (FetchEpoch != epoch)
                {
                    memo.EndPart(s, exit.Op + 1, HostBase);
                    return LeaveTraced(at.Pc + at.Ops[exit.Op].Offset + 4, 0);
                }
                code = exit.Resume;
            }
        }
    }

    /// <summary>The timing catches up: whole blocks were executed, the last of which went to a target.</summary>
    private void Tell(ulong target)
    {
        ulong* end = (ulong*)Word(NativeFrame.TraceEnd);
        _cpu.Timing.Memo!.TellBlocks(_toldTo, end, _native.Traced!, HostBase, target);
        _toldTo = end;
    }

    /// <summary>Native code ended before the instruction at <paramref name="pc"/>.</summary>
    private bool LeaveTraced(ulong pc, int btype)
    {
        BlockMemo memo = _cpu.Timing.Memo!;
        memo.Leave();
        _cpu.NZCV = NativeFrame.Unpack(Word(NativeFrame.Flags));
        Leave(pc, btype);
        Count(true, memo.Told);
        return true;
    }
}
