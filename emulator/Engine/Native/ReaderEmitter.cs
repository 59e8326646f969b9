using System.Numerics;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Makes x64 code that reads what one block leaves in a trace and times it, as <see cref="BlockMemo"/> would, as far as
/// everything is usual: fetches hit, accesses are plain hits of the most recently used line of a set, and the timing of the block is where
/// it was found behind the block before. Nothing is changed before it is certain that this step of it goes well; so what is unusual is left
/// to <see cref="BlockMemo"/> at the step where it is found, and the code goes on behind it. At its end it jumps to the code of the next
/// block in the trace.</summary>
internal sealed partial class ReaderEmitter
{
    /// <summary>Bytes that the code of a block does not exceed.</summary>
    internal const int LongestCode = 16 << 10;

    private const int MostLines = 4;
    private const int MostWays = 8;

    // The granules of the store path.
    private const int Granule = 16;

    // Between blocks these registers hold what their names say; the code of a block uses the others, and Next from its predictions on.
    private const Gpr Frame = Gpr.R15, At = Gpr.Rdi, Entry = Gpr.Rbx, Cycles = Gpr.R12, Shapes = Gpr.R14, HostBase = Gpr.R10;
    private const Gpr DataTags = Gpr.Rsi, DataStates = Gpr.R8, Latest = Gpr.R13, Branches = Gpr.Rbp, Next = Gpr.R9;
    private static readonly Gpr[] s_saved = [Gpr.Rbx, Gpr.Rbp, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15];

    private readonly Assembler _a = new(LongestCode);
    private readonly List<Action> _rare = [];
    private readonly TracedBlocks _blocks;
    private readonly Cache _data;
    private readonly Cache _fetch;
    private readonly BranchPredictor _predictor;
    private readonly CoreEvents _events;
    private readonly int _fillCount;
    private readonly bool _reads;
    private BlockSchedule _s = null!;
    private ulong _nothing;
    private ulong _notFound;
    private ulong _slot;
    private ulong _findFetchPage;
    private ulong _touchFetchPage;
    private ulong _touchDataPage;
    private ulong _touchMainPage;
    private ulong _askLate;
    private ulong _refill;
    private ulong _refillFetch;
    private ulong _touchLoad;
    private ulong _touchStore;
    private ulong _moveOtherLoad;
    private ulong _moveOtherStore;
    private ulong _probe;
    private ulong _touchOtherLoad;
    private ulong _touchOtherStore;
    private ulong _fillOther;
    private ulong _moveFetched;

    /// <param name="memo">The timing of a PE of the machine: all are alike.</param>
    /// <param name="blocks">Gets the code.</param>
    internal ReaderEmitter(BlockMemo memo, TracedBlocks blocks)
    {
        CoreEvents events = memo.Events;
        _blocks = blocks;
        _fillCount = memo.FillCount;
        (_data, _fetch, _predictor) = (events.DataCache, events.FetchCache, events.Predictor);
        _events = events;
        _reads = _predictor.IsPlain && 1 << events.LineShift == Line && BitOperations.IsPow2(_data.Ways) && _fetch.Ways <= MostWays
            && _data.IsOrderAlone && _fetch.IsOrderAlone;
    }

    // Other cores are left to BlockMemo.
    private const int Line = 64, LineShift = 6;

    /// <summary>What is not asked, so that a test can plant a bug.</summary>
    internal ReaderCheck LeftOut { get; set; }

    /// <summary>What was encoded last.</summary>
    internal ReadOnlySpan<byte> Bytes => _a.Bytes;

    /// <summary>Makes the code of the block that was added last.</summary>
    /// <param name="origin">Where it will be.</param>
    /// <returns>False when it is left to <see cref="BlockMemo"/>.</returns>
    internal bool Emit(ulong origin)
    {
        int number = _blocks.Next - 1;
        _s = _blocks[(ulong)number];
        if (!_reads || !IsReadable(_s))
            return false;
        _a.Start(origin);
        _rare.Clear();
        AskFetches();
        _a.Set(Shapes, 0);
        if (_s.Division >= 0)
            _a.Store(64, Operand.At(Frame, ReaderOffsets.Digits), 0);
        for (int i = 0; i < _s.Slots!.Length; i++)
        {
            if (_s.Slots[i].Kind == TraceKind.Quotient)
                Quotient(i);
            else
                Access(i);
        }
        Predict();
        Fetch();
        LookUp(number);
        // What is rare may have parts that are rarer.
        for (int i = 0; i < _rare.Count; i++)
            _rare[i]();
        _blocks.Records[number].Code = origin;
        return true;
    }

    private static bool IsReadable(BlockSchedule s) =>
        s.Usable && s.Slots!.Length == s.Before[^1] + (s.Division < 0 ? 0 : 1)
        && s.LastLine < int.MaxValue && s.LastLine - s.FirstLine < MostLines;

    /// <summary>Apart, behind the code of the block, where a jump goes that was just made; it ends where the jump was.</summary>
    private void Apart(int jump, Action emit)
    {
        ulong back = _a.Here;
        _rare.Add(() =>
        {
            _a.Resolve(jump);
            emit();
            _a.JumpTo(back);
        });
    }

    private int SetOf(ulong line) => (int)(line & _fetch.SetMask) * _fetch.Ways * 8;

    /// <summary>All fetches hit, or nothing is done.</summary>
    private void AskFetches()
    {
        ulong page = _s.Pc >> 12;
        _a.Set(Gpr.Rdx, page);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Latest, ReaderOffsets.FetchPage));
        int other = _a.JumpIf(Cc.Ne);
        _a.TestByte(Operand.At(Latest, ReaderOffsets.FetchIsCurrent), 0xFF);
        _a.JumpTo(Cc.E, _nothing);
        Apart(other, () =>
        {
            _a.Call(_findFetchPage);
            int found = _a.JumpIf(Cc.E);
            RefillFetch(page);
            _a.Resolve(found);
        });
        for (ulong line = _s.FirstLine; line <= _s.LastLine; line++)
        {
            int same = 0;
            if (line == _s.FirstLine)
            {
                _a.Alu(Alu.Cmp, 64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)line);
                same = _a.JumpIf(Cc.E);
                AskGroup();
            }
            if (LeftOut != ReaderCheck.FetchedLine)
                AskFetched(line);
            if (same != 0)
                _a.Resolve(same);
        }
    }

    /// <summary>The first instruction begins a fetch group; else it was fetched with the one before.</summary>
    private void AskGroup()
    {
        if (_s.BeginsGroup)
            return;
        _a.TestByte(Operand.At(Entry, ReaderOffsets.Redirected), 0xFF);
        _a.JumpTo(Cc.E, _nothing);
    }

    /// <summary>Apart: the page in RDX is not in the first TLB of fetches. When the second one has it and all lines are there, the first
    /// line is fetched now, before anything else comes to the second TLB, and how late it comes is part of the key.</summary>
    private void RefillFetch(ulong page)
    {
        if (_events.MicroTlbMiss == 0)
        {
            _a.JumpTo(_nothing);
            return;
        }
        _a.Alu(Alu.Cmp, 64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.FirstLine);
        _a.JumpTo(Cc.E, _nothing);
        AskGroup();
        for (ulong line = _s.FirstLine; line <= _s.LastLine; line++)
            AskFetched(line);
        _a.Set(Gpr.Rdx, page);
        _a.Call(_refillFetch);
        _a.JumpTo(Cc.Ne, _nothing);
        FetchLine(_s.FirstLine);
        _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.FirstLine);
        _a.Alu(Alu.Add, 64, Operand.At(Frame, ReaderOffsets.RefilledFetches), 1);
        _a.Store(32, Operand.At(Frame, ReaderOffsets.FetchShape), BlockMemo.RefilledFetch);
    }

    private void AskFetched(ulong line)
    {
        int set = SetOf(line);
        _a.Mov(64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.FetchTags));
        _a.Alu(Alu.Cmp, 64, Operand.At(Gpr.Rax, set), (int)line);
        Apart(_a.JumpIf(Cc.Ne), () =>
        {
            var found = new List<int>();
            for (int way = 1; way < _fetch.Ways; way++)
            {
                _a.Alu(Alu.Cmp, 64, Operand.At(Gpr.Rax, set + 8 * way), (int)line);
                found.Add(_a.JumpIf(Cc.E));
            }
            _a.JumpTo(_nothing);
            foreach (int jump in found)
                _a.Resolve(jump);
        });
    }

    /// <summary>A jump when what was compared is not equal; it is never made when that is not asked.</summary>
    private int JumpUnless(ReaderCheck check)
    {
        if (LeftOut == check)
            _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        return _a.JumpIf(Cc.Ne);
    }

    /// <summary>The lines are fetched, as <see cref="CoreEvents.FetchFound"/> does it. ECX and Next stay.</summary>
    private void Fetch()
    {
        _a.Alu(Alu.Cmp, 64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.FirstLine);
        int same = _a.JumpIf(Cc.E);
        FetchPage();
        FetchLine(_s.FirstLine);
        // Most blocks are in one line, and most of those in the line of the block before: that one is the last then.
        bool more = _s.FirstLine < _s.LastLine;
        if (more)
        {
            _a.Resolve(same);
            FetchPage();
            for (ulong line = _s.FirstLine + 1; line <= _s.LastLine; line++)
                FetchLine(line);
        }
        _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.LastLine);
        if (!more)
            _a.Resolve(same);
    }

    private void FetchPage()
    {
        _a.Set(Gpr.Rdx, _s.Pc >> 12);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Latest, ReaderOffsets.FetchPage));
        Apart(_a.JumpIf(Cc.Ne), () =>
        {
            _a.Push(Next);
            _a.Call(_touchFetchPage);
            _a.Pop(Next);
        });
    }

    private void FetchLine(ulong line)
    {
        int set = SetOf(line);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.FetchTags));
        _a.Alu(Alu.Cmp, 64, Operand.At(Gpr.Rdx, set), (int)line);
        Apart(_a.JumpIf(Cc.Ne), () =>
        {
            _a.Set(Gpr.Rax, line);
            _a.Lea(64, Gpr.Rdx, Operand.At(Gpr.Rdx, set));
            _a.Call(_moveFetched);
        });
        _a.Alu(Alu.Add, 64, Operand.At(Frame, ReaderOffsets.Fetched), 1);
    }

    /// <summary>The timing is where it was found last behind the block before; it is added, and the next block is read.</summary>
    private void LookUp(int number)
    {
        _a.Shift(Shift.Shl, 64, Shapes, BlockMemo.EndBits);
        if (_s.Division >= 0)
            _a.Alu(Alu.Or, 64, Gpr.Rcx, Operand.At(Frame, ReaderOffsets.Digits));
        _a.Alu(Alu.Or, 64, Shapes, Gpr.Rcx);
        if (_s.Stores)
        {
            _a.Alu(Alu.Cmp, 64, Cycles, Operand.At(Frame, ReaderOffsets.Until));
            Apart(_a.JumpIf(Cc.Be), () => _a.Alu(Alu.Or, 64, Shapes, BlockMemo.Filling));
        }
        _a.Alu(Alu.And, 32, Gpr.Rcx, MemoEntry.Followers.Count - 1);
        _a.Alu(Alu.Xor, 32, Gpr.Rcx, MemoEntry.Way(_s.Id, 0));
        _a.Mov(32, Gpr.Rax, Operand.At(Entry, Gpr.Rcx, 2, ReaderOffsets.Followers));
        _a.Shift(Shift.Shl, 64, Gpr.Rax, BitOperations.Log2((uint)ReaderOffsets.EntrySize));
        _a.Alu(Alu.Add, 64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Entries));
        var elsewhere = new List<int>();
        _a.Alu(Alu.Cmp, 64, Shapes, Operand.At(Gpr.Rax, ReaderOffsets.EntrySignature));
        ElsewhereUnless(ReaderCheck.Signature, elsewhere);
        State();
        _a.Alu(Alu.Cmp, 32, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.EntryState));
        ElsewhereUnless(ReaderCheck.State, elsewhere);
        _a.Alu(Alu.Cmp, 32, Operand.At(Gpr.Rax, ReaderOffsets.EntryBlock), (int)_s.Id);
        ElsewhereUnless(ReaderCheck.Block, elsewhere);
        ulong found = _a.Here;
        _rare.Add(() =>
        {
            foreach (int jump in elsewhere)
                _a.Resolve(jump);
            State();
            _a.Alu(Alu.Cmp, 32, Gpr.Rdx, ReaderFrame.Special);
            _a.JumpTo(Cc.Ae, _notFound);
            _a.Set(Gpr.Rcx, _s.Id);
            _a.Call(_probe);
            _a.JumpTo(Cc.E, found);
            _a.JumpTo(_notFound);
        });
        _a.Store(32, Operand.At(Frame, ReaderOffsets.FetchShape), 0);
        _a.Mov(32, Gpr.Rcx, Operand.At(Gpr.Rax, ReaderOffsets.EntryCycles));
        _a.Alu(Alu.Add, 64, Cycles, Gpr.Rcx);
        _a.ZeroExtend(16, Gpr.Rcx, Operand.At(Gpr.Rax, ReaderOffsets.EntryDelta));
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Due));
        _a.Alu(Alu.Add, 64, Operand.At(Gpr.Rdx, Gpr.Rcx, 3, 0), 1);
        _a.Mov(64, Entry, Gpr.Rax);
        _a.Alu(Alu.Add, 64, Operand.At(Frame, ReaderOffsets.Told), _s.Timings.Length);
        _a.Alu(Alu.Add, 64, Operand.At(Frame, ReaderOffsets.Blocks), 1);
        _a.Store(64, Operand.At(Frame, ReaderOffsets.Last), number);
        _a.Alu(Alu.Add, 64, At, Emitter.TraceSize(_s));
        _a.JumpTo(Operand.At(Next, ReaderOffsets.RecordCode));
    }

    /// <summary>The state that the block begins in, as the key has it, to EDX.</summary>
    private void State()
    {
        _a.Mov(32, Gpr.Rdx, Operand.At(Entry, ReaderOffsets.Exit));
        if (LeftOut != ReaderCheck.FetchShape)
            _a.Alu(Alu.Or, 32, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.FetchShape));
    }

    private void ElsewhereUnless(ReaderCheck check, List<int> elsewhere)
    {
        if (LeftOut != check)
            elsewhere.Add(_a.JumpIf(Cc.Ne));
    }
}
