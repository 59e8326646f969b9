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
internal sealed class ReaderEmitter
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
    private readonly bool _reads;
    private BlockSchedule _s = null!;
    private ulong _nothing;
    private ulong _notFound;
    private ulong _slot;
    private ulong _findFetchPage;
    private ulong _touchFetchPage;
    private ulong _touchDataPage;
    private ulong _touchMainPage;
    private ulong _refill;
    private ulong _touchOtherLoad;
    private ulong _touchOtherStore;
    private ulong _fillOther;
    private ulong _moveFetched;

    /// <param name="events">Events of a PE of the machine: all are alike.</param>
    /// <param name="blocks">Gets the code.</param>
    internal ReaderEmitter(CoreEvents events, TracedBlocks blocks)
    {
        _blocks = blocks;
        (_data, _fetch, _predictor) = (events.DataCache, events.FetchCache, events.Predictor);
        _events = events;
        _reads = _predictor.IsPlain && 1 << events.LineShift == Line && BitOperations.IsPow2(_data.Ways) && _fetch.Ways <= MostWays;
    }

    // Other cores are left to BlockMemo.
    private const int Line = 64, LineShift = 6;

    /// <summary>What is not asked, so that a test can plant a bug.</summary>
    internal ReaderCheck LeftOut { get; set; }

    /// <summary>What was encoded last.</summary>
    internal ReadOnlySpan<byte> Bytes => _a.Bytes;

    /// <summary>The code that enters and leaves such code, int enter(frame, code) by the System V convention, and what is common to all
    /// blocks.</summary>
    internal void EmitRoutines(ulong origin)
    {
        _a.Start(origin);
        if (_reads)
            _blocks.Entry = origin;
        foreach (Gpr register in s_saved)
            _a.Push(register);
        _a.Mov(64, Frame, Gpr.Rdi);
        _a.Mov(64, Gpr.Rax, Gpr.Rsi);
        foreach ((Gpr register, int offset) in Kept())
            _a.Mov(64, register, Operand.At(Frame, offset));
        _a.Mov(64, DataTags, Operand.At(Frame, ReaderOffsets.DataTags));
        _a.Mov(64, DataStates, Operand.At(Frame, ReaderOffsets.DataStates));
        _a.Mov(64, Latest, Operand.At(Frame, ReaderOffsets.Latest));
        _a.Mov(64, Branches, Operand.At(Frame, ReaderOffsets.Branches));
        _a.Mov(64, HostBase, Operand.At(Frame, ReaderOffsets.HostBase));
        _a.JumpTo(Gpr.Rax);
        // The number of a slot is in EAX, where to go on behind it in R11.
        _slot = _a.Here;
        _a.Store(64, Operand.At(Frame, ReaderOffsets.Resume), Gpr.R11);
        ulong leave = _a.Here;
        foreach ((Gpr register, int offset) in Kept())
            _a.Store(64, Operand.At(Frame, offset), register);
        foreach (Gpr register in s_saved.Reverse())
            _a.Pop(register);
        _a.Return();
        _blocks.Records[0].Code = Leave(ReaderFrame.AllTold, leave);
        _nothing = _blocks.Unread = Leave(ReaderFrame.NothingTold, leave);
        _notFound = Leave(ReaderFrame.NotFound, leave);
        _findFetchPage = EmitPage(ReaderOffsets.FetchTlb, _events.FetchTlb.Hints, null);
        _touchFetchPage = EmitPage(ReaderOffsets.FetchTlb, _events.FetchTlb.Hints, FetchesFrom);
        _touchDataPage = EmitPage(
            ReaderOffsets.DataTlb, _events.DataTlb.Hints, () => _a.Store(64, Operand.At(Frame, ReaderOffsets.DataPage), Gpr.Rdx));
        _touchMainPage = EmitPage(ReaderOffsets.MainTlb, _events.MainTlb.Hints, () => { });
        EmitRefill();
        _touchOtherLoad = EmitTouchOther(false);
        _touchOtherStore = EmitTouchOther(true);
        EmitFillOther();
        EmitMoveFetched();
    }

    private static (Gpr Register, int Offset)[] Kept() =>
    [
        (At, ReaderOffsets.At), (Entry, ReaderOffsets.Entry), (Cycles, ReaderOffsets.Cycles), (Shapes, ReaderOffsets.Shapes),
    ];

    private ulong Leave(int exit, ulong leave)
    {
        ulong here = _a.Here;
        _a.Set(Gpr.Rax, (uint)exit);
        _a.JumpTo(leave);
        return here;
    }

    /// <summary>A routine: the page in RDX is where a TLB found it last (<see cref="Tlb.TouchFound"/>), and is used. Says so by Z. RAX, R9
    /// and R11 are lost.</summary>
    /// <param name="tlb">Which TLB.</param>
    /// <param name="hints">Its hints.</param>
    /// <param name="use">What is done with the page then; null: it is not even used.</param>
    private ulong EmitPage(in TlbOffsets tlb, int hints, Action? use)
    {
        const int HighBits = 55 - 12;
        ulong here = _a.Here;
        HintOfPage(hints);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Hints));
        _a.Mov(32, Gpr.Rax, Operand.At(Gpr.R11, Gpr.Rax, 2, 0));
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Pages));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.R11, Gpr.Rax, 3, 0));
        int otherPage = _a.JumpIf(Cc.Ne);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Contexts));
        _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.Context));
        _a.Alu(Alu.Cmp, 64, Gpr.R9, Operand.At(Gpr.R11, Gpr.Rax, 3, 0));
        int otherContext = _a.JumpIf(Cc.Ne);
        _a.Mov(64, Gpr.R11, Gpr.Rdx);
        _a.Shift(Shift.Shr, 64, Gpr.R11, HighBits);
        int high = _a.JumpIf(Cc.Ne);
        if (use is not null)
        {
            _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Order));
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Gpr.R11, 8));
            int last = _a.JumpIf(Cc.E);
            UsePage(tlb);
            _a.Resolve(last);
            use();
        }
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        _a.Resolve(otherPage);
        _a.Resolve(otherContext);
        _a.Resolve(high);
        _a.Return();
        return here;
    }

    /// <summary>EAX gets the number of the hint of the page in RDX. R11 is lost.</summary>
    private void HintOfPage(int hints)
    {
        _a.Mov(32, Gpr.Rax, Gpr.Rdx);
        _a.Mov(32, Gpr.R11, Gpr.Rdx);
        _a.Shift(Shift.Shr, 32, Gpr.R11, Tlb.HintFold);
        _a.Alu(Alu.Xor, 32, Gpr.Rax, Gpr.R11);
        _a.Alu(Alu.And, 32, Gpr.Rax, hints - 1);
    }

    /// <summary>The entry in RAX is the one that was used last. R11 is the address of the order; it and R9 are lost.</summary>
    private void UsePage(in TlbOffsets tlb)
    {
        _a.Store(64, Operand.At(Gpr.R11, 8), Gpr.Rax);
        _a.Mov(64, Gpr.R9, Operand.At(Gpr.R11, 0));
        _a.Alu(Alu.Add, 64, Gpr.R9, 1);
        _a.Store(64, Operand.At(Gpr.R11, 0), Gpr.R9);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Used));
        _a.Store(64, Operand.At(Gpr.R11, Gpr.Rax, 3, 0), Gpr.R9);
    }

    /// <summary>A routine: the page in RDX, which the first TLB of data does not have, comes from the second one, when that finds it where
    /// it was found last. All entries are pages: traces are left where no tables lie in RAM. Says so by Z. RAX, R9 and R11 are lost.
    /// </summary>
    private void EmitRefill()
    {
        TlbOffsets tlb = ReaderOffsets.DataTlb;
        int hints = _events.DataTlb.Hints;
        _refill = _a.Here;
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Pages));
        var found = new List<int>();
        for (int i = 0; i < _events.DataTlb.Entries; i++)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.R11, 8 * i));
            found.Add(_a.JumpIf(Cc.E));
        }
        _a.Call(_touchMainPage);
        int unknown = _a.JumpIf(Cc.Ne);
        // The one that was used longest ago goes.
        _a.Push(Gpr.Rcx);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Used));
        _a.Set(Gpr.Rax, 0);
        _a.Mov(64, Gpr.R9, Operand.At(Gpr.R11, 0));
        for (int i = 1; i < _events.DataTlb.Entries; i++)
        {
            _a.Set(Gpr.Rcx, (ulong)i);
            _a.Alu(Alu.Cmp, 64, Gpr.R9, Operand.At(Gpr.R11, 8 * i));
            _a.MoveIf(Cc.A, 64, Gpr.R9, Operand.At(Gpr.R11, 8 * i));
            _a.MoveIf(Cc.A, 32, Gpr.Rax, Gpr.Rcx);
        }
        _a.Pop(Gpr.Rcx);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Pages));
        _a.Store(64, Operand.At(Gpr.R11, Gpr.Rax, 3, 0), Gpr.Rdx);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Contexts));
        _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.Context));
        _a.Store(64, Operand.At(Gpr.R11, Gpr.Rax, 3, 0), Gpr.R9);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Order));
        UsePage(tlb);
        _a.Store(64, Operand.At(Frame, ReaderOffsets.DataPage), Gpr.Rdx);
        _a.Mov(64, Gpr.R9, Gpr.Rax);
        HintOfPage(hints);
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Hints));
        _a.Store(32, Operand.At(Gpr.R11, Gpr.Rax, 2, 0), Gpr.R9);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        _a.Resolve(unknown);
        _a.Return();
        foreach (int jump in found)
            _a.Resolve(jump);
        // Not zero: it is where there are tags.
        _a.Test(64, DataTags, DataTags);
        _a.Return();
    }

    /// <summary>A routine: the line in RDX, whose set begins at the index in R11, is in another place of the set than the first, and the
    /// page of the address in RAX is in the TLB: both are used (<see cref="CoreEvents.TouchPlain"/>). Says so by Z. RAX, R9 and R11 are
    /// lost.</summary>
    /// <param name="write">Whether the line is written.</param>
    private ulong EmitTouchOther(bool write)
    {
        var unusual = new List<int>();
        ulong here = _a.Here;
        _a.Push(Gpr.Rcx);
        if (!write)
        {
            // The prefetcher goes on with such a line.
            _a.Mov(64, Gpr.Rcx, Operand.At(Frame, ReaderOffsets.Streams));
            for (int i = 0; i < _events.StreamCount; i++)
            {
                _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rcx, i * ReaderOffsets.StreamSize + ReaderOffsets.StreamTrigger));
                int other = _a.JumpIf(Cc.Ne);
                _a.Alu(Alu.Cmp, 64, Operand.At(Gpr.Rcx, i * ReaderOffsets.StreamSize + ReaderOffsets.StreamStep), 0);
                unusual.Add(_a.JumpIf(Cc.Ne));
                _a.Resolve(other);
            }
        }
        _a.Set(Gpr.Rcx, 0);
        for (int way = 1; way < _data.Ways; way++)
        {
            _a.Set(Gpr.R9, (ulong)way);
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(DataTags, Gpr.R11, 3, 8 * way));
            _a.MoveIf(Cc.E, 32, Gpr.Rcx, Gpr.R9);
        }
        _a.Test(32, Gpr.Rcx, Gpr.Rcx);
        List<int> missed = [_a.JumpIf(Cc.E)];
        _a.Alu(Alu.Add, 32, Gpr.Rcx, Gpr.R11);
        if (write)
        {
            _a.ZeroExtend(8, Gpr.R9, Operand.At(DataStates, Gpr.Rcx, 0, 0));
            _a.Alu(Alu.Cmp, 32, Gpr.R9, (int)LineState.Shared);
            missed.Add(_a.JumpIf(Cc.E));
        }
        _a.Push(Gpr.Rdx);
        _a.Push(Gpr.R11);
        _a.Mov(64, Gpr.Rdx, Gpr.Rax);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, 12);
        _a.Call(_touchDataPage);
        _a.Pop(Gpr.R11);
        _a.Pop(Gpr.Rdx);
        unusual.Add(_a.JumpIf(Cc.Ne));
        // Those before it move behind it.
        _a.ZeroExtend(8, Gpr.Rax, Operand.At(DataStates, Gpr.Rcx, 0, 0));
        ulong next = _a.Here;
        _a.Mov(64, Gpr.R9, Operand.At(DataTags, Gpr.Rcx, 3, -8));
        _a.Store(64, Operand.At(DataTags, Gpr.Rcx, 3, 0), Gpr.R9);
        _a.ZeroExtend(8, Gpr.R9, Operand.At(DataStates, Gpr.Rcx, 0, -1));
        _a.Store(8, Operand.At(DataStates, Gpr.Rcx, 0, 0), Gpr.R9);
        _a.Alu(Alu.Sub, 32, Gpr.Rcx, 1);
        _a.Alu(Alu.Cmp, 32, Gpr.Rcx, Gpr.R11);
        _a.JumpTo(Cc.Ne, next);
        _a.Store(64, Operand.At(DataTags, Gpr.R11, 3, 0), Gpr.Rdx);
        if (write)
            _a.Set(Gpr.Rax, (ulong)LineState.Modified);
        _a.Store(8, Operand.At(DataStates, Gpr.R11, 0, 0), Gpr.Rax);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        foreach (int jump in unusual)
            _a.Resolve(jump);
        _a.Pop(Gpr.Rcx);
        _a.Return();
        foreach (int jump in missed)
            _a.Resolve(jump);
        _a.Pop(Gpr.Rcx);
        // Not zero: it is where there are tags.
        _a.Test(64, DataTags, DataTags);
        _a.Return();
        return here;
    }

    private void FetchesFrom()
    {
        _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchPage), Gpr.Rdx);
        _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.Context));
        _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchContext), Gpr.R9);
        _a.Store(8, Operand.At(Latest, ReaderOffsets.FetchIsCurrent), 1);
    }

    /// <summary>A routine: the line in RDX becomes the first of the two at RAX that stores write (CoreEvents.FillOther). R9 and R11 are
    /// lost.</summary>
    private void EmitFillOther()
    {
        int size = ReaderOffsets.FillingSize;
        _fillOther = _a.Here;
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rax, size + ReaderOffsets.FillingLine));
        int other = _a.JumpIf(Cc.Ne);
        for (int i = 0; i < size; i += 8)
        {
            _a.Mov(64, Gpr.R11, Operand.At(Gpr.Rax, i));
            _a.Mov(64, Gpr.R9, Operand.At(Gpr.Rax, size + i));
            _a.Store(64, Operand.At(Gpr.Rax, i), Gpr.R9);
            _a.Store(64, Operand.At(Gpr.Rax, size + i), Gpr.R11);
        }
        _a.Return();
        _a.Resolve(other);
        _a.TestByte(Operand.At(Gpr.Rax, size + ReaderOffsets.FillingMissed), 0xFF);
        int hit = _a.JumpIf(Cc.E);
        // Was it filled?
        _a.Set(Gpr.R11, 0);
        _a.Mov(32, Gpr.R9, Operand.At(Latest, ReaderOffsets.FullLines));
        _a.Alu(Alu.Add, 32, Gpr.R9, 1);
        _a.Alu(Alu.Cmp, 32, Gpr.R9, int.MaxValue);
        _a.MoveIf(Cc.E, 32, Gpr.R9, Operand.At(Latest, ReaderOffsets.FullLines));
        _a.Alu(Alu.Cmp, 64, Operand.At(Gpr.Rax, size + ReaderOffsets.FillingBytes), -1);
        _a.MoveIf(Cc.Ne, 32, Gpr.R9, Gpr.R11);
        _a.Store(32, Operand.At(Latest, ReaderOffsets.FullLines), Gpr.R9);
        _a.Resolve(hit);
        for (int i = 0; i < size; i += 8)
        {
            _a.Mov(64, Gpr.R11, Operand.At(Gpr.Rax, i));
            _a.Store(64, Operand.At(Gpr.Rax, size + i), Gpr.R11);
            _a.Store(64, Operand.At(Gpr.Rax, i), 0);
        }
        _a.Store(64, Operand.At(Gpr.Rax, ReaderOffsets.FillingLine), Gpr.Rdx);
        _a.Set(Gpr.R11, 0);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Latest, ReaderOffsets.MissedLine));
        _a.SetIf(Cc.E, Gpr.R11);
        _a.Store(8, Operand.At(Gpr.Rax, ReaderOffsets.FillingMissed), Gpr.R11);
        _a.ZeroExtend(8, Gpr.R9, Operand.At(Latest, ReaderOffsets.MissedStreams));
        _a.Alu(Alu.And, 32, Gpr.R11, Gpr.R9);
        _a.Store(8, Operand.At(Gpr.Rax, ReaderOffsets.FillingStreamed), Gpr.R11);
        _a.Return();
    }

    /// <summary>A routine: the line in RAX, which is not the first one of the set at RDX but in it, becomes that. R11 is lost.</summary>
    private void EmitMoveFetched()
    {
        _moveFetched = _a.Here;
        for (int way = 1; way < _fetch.Ways; way++)
        {
            int other = 0;
            if (way < _fetch.Ways - 1)
            {
                _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Gpr.Rdx, 8 * way));
                other = _a.JumpIf(Cc.Ne);
            }
            for (int i = way; i > 0; i--)
            {
                _a.Mov(64, Gpr.R11, Operand.At(Gpr.Rdx, 8 * (i - 1)));
                _a.Store(64, Operand.At(Gpr.Rdx, 8 * i), Gpr.R11);
            }
            _a.Store(64, Operand.At(Gpr.Rdx, 0), Gpr.Rax);
            _a.Return();
            if (other != 0)
                _a.Resolve(other);
        }
    }

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
        foreach (Action rare in _rare)
            rare();
        _blocks.Records[number].Code = origin;
        return true;
    }

    private static bool IsReadable(BlockSchedule s) =>
        s.IsSimple && s.Slots!.Length == s.Before[^1] + (s.Division < 0 ? 0 : 1)
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
            _a.JumpTo(Cc.Ne, _nothing);
        });
        for (ulong line = _s.FirstLine; line <= _s.LastLine; line++)
        {
            int same = 0;
            if (line == _s.FirstLine)
            {
                _a.Alu(Alu.Cmp, 64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)line);
                same = _a.JumpIf(Cc.E);
                if (!_s.BeginsGroup)
                {
                    // Else it was fetched with the instruction before.
                    _a.TestByte(Operand.At(Entry, ReaderOffsets.Redirected), 0xFF);
                    _a.JumpTo(Cc.E, _nothing);
                }
            }
            if (LeftOut != ReaderCheck.FetchedLine)
                AskFetched(line);
            if (same != 0)
                _a.Resolve(same);
        }
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

    /// <summary>The access of a slot is a plain hit, or is left out.</summary>
    private void Access(int index)
    {
        TraceSlot slot = _s.Slots![index];
        int words = 8 * (BlockMemo.TraceHeader + BlockMemo.TraceSlotWords * index), size = slot.Size;
        var unusual = new List<int>();
        _a.Mov(64, Gpr.Rax, Operand.At(At, words));
        _a.Mov(64, Gpr.Rcx, Operand.At(At, words + 8));
        _a.Alu(Alu.Add, 64, Gpr.Rcx, Gpr.Rax);
        // RAX: virtual address, RCX: physical address, RDX: line.
        _a.Alu(Alu.Sub, 64, Gpr.Rcx, HostBase);
        if (slot.Kind == TraceKind.Load)
            Within(8, size, unusual);
        else if (slot.Kind == TraceKind.WideLoad)
            Within(8, 8, unusual);
        else
            Within(Granule, (size - 1) % Granule + 1, unusual);
        if (size > (slot.Kind == TraceKind.Store ? Granule : 8))
            Within(Line, size, unusual);
        _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, LineShift);
        _a.Mov(32, Gpr.R11, Gpr.Rdx);
        _a.Alu(Alu.And, 32, Gpr.R11, (int)_data.SetMask);
        if (_data.Ways > 1)
            _a.Shift(Shift.Shl, 32, Gpr.R11, BitOperations.Log2((uint)_data.Ways));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(DataTags, Gpr.R11, 3, 0));
        int other = JumpUnless(ReaderCheck.LatestLine);
        bool write = slot.Kind == TraceKind.Store;
        if (write && LeftOut != ReaderCheck.Modified)
        {
            _a.ZeroExtend(8, Gpr.R11, Operand.At(DataStates, Gpr.R11, 0, 0));
            _a.Alu(Alu.Cmp, 32, Gpr.R11, (int)LineState.Modified);
            unusual.Add(_a.JumpIf(Cc.Ne));
        }
        _a.Mov(64, Gpr.R11, Gpr.Rax);
        _a.Shift(Shift.Shr, 64, Gpr.R11, 12);
        _a.Alu(Alu.Cmp, 64, Gpr.R11, Operand.At(Frame, ReaderOffsets.DataPage));
        int otherPage = _a.JumpIf(Cc.Ne);
        var refilled = new List<int>();
        Apart(otherPage, () =>
        {
            _a.Mov(64, Gpr.Rdx, Gpr.R11);
            _a.Call(_touchDataPage);
            refilled.Add(_a.JumpIf(Cc.Ne));
            _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
            _a.Shift(Shift.Shr, 64, Gpr.Rdx, LineShift);
        });
        Apart(other, () =>
        {
            _a.Call(write ? _touchOtherStore : _touchOtherLoad);
            unusual.Add(_a.JumpIf(Cc.Ne));
        });
        int gap = write ? -1 : AskStored(size);
        if (write)
            Store(size);
        _a.Shift(Shift.Shl, 64, Shapes, BlockSchedule.ShapeBits);
        ulong resume = _a.Here;
        _rare.Add(() =>
        {
            if (gap >= 0)
                WaitForStore(gap, size, resume, unusual);
            Refill(write, size, refilled, resume, unusual);
            foreach (int jump in unusual)
                _a.Resolve(jump);
            _a.Set(Gpr.Rax, (uint)index);
            _a.Set(Gpr.R11, resume);
            _a.JumpTo(_slot);
        });
    }

    /// <summary>A jump when what was compared is not equal; it is never made when that is not asked.</summary>
    private int JumpUnless(ReaderCheck check)
    {
        if (LeftOut == check)
            _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        return _a.JumpIf(Cc.Ne);
    }

    /// <summary>So many bytes from the address in RAX are in one unit of so many. RDX is lost.</summary>
    private void Within(int unit, int size, List<int> unusual)
    {
        if (size == 1)
            return;
        _a.Mov(32, Gpr.Rdx, Gpr.Rax);
        _a.Alu(Alu.And, 32, Gpr.Rdx, unit - 1);
        _a.Alu(Alu.Cmp, 32, Gpr.Rdx, unit - size);
        unusual.Add(_a.JumpIf(Cc.A));
    }

    /// <summary>Apart: the bytes of a load are some of those that were stored last. When both take one beat, that is a shape.</summary>
    private void WaitForStore(int jump, int size, ulong resume, List<int> unusual)
    {
        if (size > 8 || _events.StoreToLoad > BlockSchedule.MostGap)
        {
            unusual.Add(jump);
            return;
        }
        _a.Resolve(jump);
        _a.Alu(Alu.Cmp, 32, Operand.At(Latest, ReaderOffsets.StoredBeats), 1);
        unusual.Add(_a.JumpIf(Cc.Ne));
        Join(_events.StoreToLoad, resume);
    }

    /// <summary>Apart: an access whose page is not in the first TLB; that is a shape when the second one has it.</summary>
    private void Refill(bool write, int size, List<int> jumps, ulong resume, List<int> unusual)
    {
        foreach (int jump in jumps)
            _a.Resolve(jump);
        if (size > Granule)
        {
            unusual.Add(_a.Jump());
            return;
        }
        if (!write)
        {
            // Nothing is done yet when the load waits for a store, too.
            _a.Mov(64, Gpr.R9, Gpr.Rcx);
            unusual.Add(AskStored(size));
            _a.Mov(64, Gpr.Rcx, Gpr.R9);
        }
        _a.Call(_refill);
        unusual.Add(_a.JumpIf(Cc.Ne));
        _a.Mov(64, Gpr.Rdx, Gpr.Rcx);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, LineShift);
        if (write)
            StoreApart(size);
        _a.Alu(Alu.Add, 64, Operand.At(Frame, write ? ReaderOffsets.RefilledStores : ReaderOffsets.RefilledLoads), 1);
        Join(BlockSchedule.RefillShape, resume);
    }

    private void Join(int shape, ulong resume)
    {
        _a.Shift(Shift.Shl, 64, Shapes, BlockSchedule.ShapeBits);
        _a.Alu(Alu.Or, 64, Shapes, shape);
        _a.JumpTo(resume);
    }

    /// <summary>The steps of a division are those of its quotient (<see cref="CoreEvents.DivideExtra"/>).</summary>
    private void Quotient(int index)
    {
        uint encoding = _s.Timings[_s.Slots![index].Instruction].Encoding;
        bool wide = encoding >> 31 != 0, signed = (encoding & (1 << 10)) != 0;
        Operand quotient = Operand.At(At, 8 * (BlockMemo.TraceHeader + BlockMemo.TraceSlotWords * index));
        if (signed && !wide)
            _a.SignExtend(32, 64, Gpr.Rax, quotient);
        else
            _a.Mov(64, Gpr.Rax, quotient);
        if (signed)
        {
            _a.Mov(64, Gpr.Rdx, Gpr.Rax);
            _a.Neg(64, Gpr.Rdx);
            _a.MoveIf(Cc.Ns, 64, Gpr.Rax, Gpr.Rdx);
        }
        _a.CountLeadingZeros(64, Gpr.Rax, Gpr.Rax);
        _a.Neg(64, Gpr.Rax);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.DivideSteps));
        _a.ZeroExtend(8, Gpr.Rax, Operand.At(Gpr.Rdx, Gpr.Rax, 0, 64));
        _a.Shift(Shift.Shl, 32, Gpr.Rax, BlockMemo.DigitsShift);
        _a.Store(64, Operand.At(Frame, ReaderOffsets.Digits), Gpr.Rax);
    }

    /// <summary>Whether the bytes of a load are some of those that were stored last. RCX and R11 are lost.</summary>
    /// <returns>The jump that is made then.</returns>
    private int AskStored(int size)
    {
        _a.Alu(Alu.Sub, 64, Gpr.Rcx, Operand.At(Latest, ReaderOffsets.StoredAddress));
        _a.Mov(32, Gpr.R11, Operand.At(Latest, ReaderOffsets.StoredBytes));
        if (size > 1)
        {
            _a.Alu(Alu.Add, 64, Gpr.Rcx, size - 1);
            _a.Alu(Alu.Add, 64, Gpr.R11, size - 1);
        }
        _a.Alu(Alu.Cmp, 64, Gpr.Rcx, LeftOut == ReaderCheck.Stored ? Gpr.Rcx : Gpr.R11);
        return _a.JumpIf(Cc.B);
    }

    /// <summary>A store is remembered (CoreEvents.Stored).</summary>
    private void Store(int size)
    {
        _a.Mov(64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Fillings));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.FillingLine));
        Apart(_a.JumpIf(Cc.Ne), () => _a.Call(_fillOther));
        Stored(size);
    }

    private void StoreApart(int size)
    {
        _a.Mov(64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Fillings));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.FillingLine));
        int same = _a.JumpIf(Cc.E);
        _a.Call(_fillOther);
        _a.Resolve(same);
        Stored(size);
    }

    private void Stored(int size)
    {
        _a.Set(Gpr.R11, (1UL << size) - 1);
        _a.ShiftBy(Shift.Shl, 64, Gpr.R11, Gpr.R11, Gpr.Rcx);
        _a.AluTo(Alu.Or, 64, Operand.At(Gpr.Rax, ReaderOffsets.FillingBytes), Gpr.R11);
        _a.Store(64, Operand.At(Latest, ReaderOffsets.StoredAddress), Gpr.Rcx);
        _a.Store(32, Operand.At(Latest, ReaderOffsets.StoredBytes), size);
        _a.Store(32, Operand.At(Latest, ReaderOffsets.StoredBeats), (size + Granule - 1) / Granule);
    }

    /// <summary>What the predictor makes of the branch at the end goes to ECX, with whether it is taken
    /// (<see cref="BranchPredictor.Execute"/>); Next gets the record of the next block.</summary>
    private void Predict()
    {
        _a.Mov(32, Next, Operand.At(At, Emitter.TraceSize(_s)));
        _a.Shift(Shift.Shl, 64, Next, 4);
        _a.Alu(Alu.Add, 64, Next, Operand.At(Frame, ReaderOffsets.Records));
        switch (_s.Branch)
        {
            case TimingKind.Plain:
                _a.Set(Gpr.Rcx, 0);
                break;
            case TimingKind.Conditional:
                Conditional();
                break;
            case TimingKind.Branch:
                Direct();
                break;
            case TimingKind.Call:
                Push();
                Direct();
                break;
            case TimingKind.Return:
                Return();
                break;
            default:
                if (_s.Branch == TimingKind.IndirectCall)
                    Push();
                Indirect();
                break;
        }
    }

    private static int Signature(Prediction prediction, bool taken) => (int)prediction | (taken ? 8 : 0);

    private void Conditional()
    {
        // By whether it is taken, and the counter: the new counter; what fetch made of it.
        const ulong Counts = 0x03_03_02_01_02_01_00_00;
        ulong outcomes = 0;
        for (int i = 7; i >= 0; i--)
        {
            bool taken = i >= 4, predicted = (i & 3) >= 2;
            Prediction prediction = predicted != taken ? Prediction.Mispredicted : taken ? Prediction.Taken : Prediction.FallThrough;
            outcomes = outcomes << 8 | (uint)Signature(prediction, taken);
        }
        (uint entries, ulong reciprocal) = _predictor.CounterTable;
        _a.Set(Gpr.Rax, _s.LastPc + 4);
        _a.Set(Gpr.Rcx, 0);
        _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Next, ReaderOffsets.RecordPc));
        _a.SetIf(Cc.Ne, Gpr.Rcx);
        _a.Mov(32, Gpr.R11, Operand.At(Branches, ReaderOffsets.History));
        _a.Mov(32, Gpr.Rax, Gpr.R11);
        _a.Alu(Alu.And, 32, Gpr.Rax, (int)_predictor.HistoryMask);
        _a.Shift(Shift.Shl, 32, Gpr.Rax, 2);
        _a.Alu(Alu.Xor, 32, Gpr.Rax, (int)(uint)(_s.LastPc >> 2));
        _a.Lea(32, Gpr.R11, Operand.At(Gpr.Rcx, Gpr.R11, 1, 0));
        _a.Store(32, Operand.At(Branches, ReaderOffsets.History), Gpr.R11);
        _a.Set(Gpr.Rdx, reciprocal);
        _a.Multiply(64, Gpr.Rax, Gpr.Rdx);
        _a.Set(Gpr.Rdx, entries);
        _a.MultiplyWide(false, Gpr.Rdx);
        _a.Alu(Alu.Add, 64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Counters));
        _a.ZeroExtend(8, Gpr.Rax, Operand.At(Gpr.Rdx, 0));
        _a.Lea(32, Gpr.R11, Operand.At(Gpr.Rax, Gpr.Rcx, 2, 0));
        _a.Shift(Shift.Shl, 32, Gpr.R11, 3);
        _a.Set(Gpr.Rax, Counts);
        _a.ShiftBy(Shift.Shr, 64, Gpr.Rax, Gpr.Rax, Gpr.R11);
        _a.Store(8, Operand.At(Gpr.Rdx, 0), Gpr.Rax);
        _a.Set(Gpr.Rcx, outcomes);
        _a.ShiftBy(Shift.Shr, 64, Gpr.Rcx, Gpr.Rcx, Gpr.R11);
        _a.ZeroExtend(8, Gpr.Rcx, Gpr.Rcx);
        _a.Alu(Alu.Cmp, 32, Gpr.Rcx, Signature(Prediction.Taken, true));
        int done = _a.JumpIf(Cc.Ne);
        Direct();
        _a.Resolve(done);
    }

    private void Direct()
    {
        _a.Set(Gpr.Rax, _s.LastPc);
        _a.Mov(64, Gpr.Rdx, Operand.At(Next, ReaderOffsets.RecordPc));
        int same = 0;
        if (_predictor.HasTargetCache)
        {
            _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenNoBubble, true));
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Branches, ReaderOffsets.CachedBranch));
            int other = _a.JumpIf(Cc.Ne);
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Branches, ReaderOffsets.CachedTarget));
            same = _a.JumpIf(Cc.E);
            _a.Resolve(other);
        }
        _a.Store(64, Operand.At(Branches, ReaderOffsets.CachedBranch), Gpr.Rax);
        _a.Store(64, Operand.At(Branches, ReaderOffsets.CachedTarget), Gpr.Rdx);
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.Taken, true));
        if (same != 0)
            _a.Resolve(same);
    }

    private void Push()
    {
        _a.Mov(32, Gpr.Rax, Operand.At(Branches, ReaderOffsets.Top));
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Returns));
        _a.Set(Gpr.R11, _s.LastPc + 4);
        _a.Store(64, Operand.At(Gpr.Rdx, Gpr.Rax, 3, 0), Gpr.R11);
        _a.Set(Gpr.R11, 0);
        _a.Alu(Alu.Add, 32, Gpr.Rax, 1);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, _predictor.ReturnEntries);
        _a.MoveIf(Cc.E, 32, Gpr.Rax, Gpr.R11);
        _a.Store(32, Operand.At(Branches, ReaderOffsets.Top), Gpr.Rax);
    }

    private void Return()
    {
        _a.Mov(32, Gpr.Rax, Operand.At(Branches, ReaderOffsets.Top));
        _a.Set(Gpr.R11, (ulong)_predictor.ReturnEntries - 1);
        _a.Alu(Alu.Sub, 32, Gpr.Rax, 1);
        _a.MoveIf(Cc.B, 32, Gpr.Rax, Gpr.R11);
        _a.Store(32, Operand.At(Branches, ReaderOffsets.Top), Gpr.Rax);
        _a.Mov(64, Gpr.Rdx, Operand.At(Frame, ReaderOffsets.Returns));
        _a.Mov(64, Gpr.Rdx, Operand.At(Gpr.Rdx, Gpr.Rax, 3, 0));
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenReturn, true));
        _a.Set(Gpr.R11, (ulong)Signature(Prediction.Mispredicted, true));
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Next, ReaderOffsets.RecordPc));
        _a.MoveIf(Cc.Ne, 32, Gpr.Rcx, Gpr.R11);
    }

    private void Indirect()
    {
        int place = 8 * (int)((uint)(_s.LastPc >> 2) % (uint)_predictor.IndirectEntries);
        _a.Set(Gpr.Rcx, (ulong)Signature(Prediction.TakenIndirect, true));
        Replace(ReaderOffsets.IndirectTags, () => _a.Set(Gpr.Rax, _s.LastPc));
        Replace(ReaderOffsets.IndirectTargets, () => _a.Mov(64, Gpr.Rax, Operand.At(Next, ReaderOffsets.RecordPc)));

        void Replace(int table, Action get)
        {
            _a.Mov(64, Gpr.Rdx, Operand.At(Frame, table));
            get();
            _a.Set(Gpr.R11, (ulong)Signature(Prediction.Mispredicted, true));
            _a.Alu(Alu.Cmp, 64, Gpr.Rax, Operand.At(Gpr.Rdx, place));
            _a.MoveIf(Cc.Ne, 32, Gpr.Rcx, Gpr.R11);
            _a.Store(64, Operand.At(Gpr.Rdx, place), Gpr.Rax);
        }
    }

    /// <summary>The lines are fetched, as <see cref="CoreEvents.FetchFound"/> does it. ECX and Next stay.</summary>
    private void Fetch()
    {
        _a.Alu(Alu.Cmp, 64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.FirstLine);
        int same = _a.JumpIf(Cc.E);
        if (_s.FirstLine == _s.LastLine)
        {
            // Most blocks are in one line, and most of those in the line of the block before.
            FetchPage();
            FetchLine(_s.FirstLine);
            _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.LastLine);
            _a.Resolve(same);
            return;
        }
        FetchPage();
        FetchLine(_s.FirstLine);
        _a.Resolve(same);
        FetchPage();
        for (ulong line = _s.FirstLine + 1; line <= _s.LastLine; line++)
            FetchLine(line);
        _a.Store(64, Operand.At(Latest, ReaderOffsets.FetchLine), (int)_s.LastLine);
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
        _a.Alu(Alu.And, 32, Gpr.Rcx, MemoEntry.Followers.Count - 1);
        _a.Alu(Alu.Xor, 32, Gpr.Rcx, MemoEntry.Way(_s.Id, 0));
        _a.Mov(32, Gpr.Rax, Operand.At(Entry, Gpr.Rcx, 2, ReaderOffsets.Followers));
        _a.Shift(Shift.Shl, 64, Gpr.Rax, BitOperations.Log2((uint)ReaderOffsets.EntrySize));
        _a.Alu(Alu.Add, 64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Entries));
        _a.Alu(Alu.Cmp, 64, Shapes, Operand.At(Gpr.Rax, ReaderOffsets.EntrySignature));
        NotFoundUnless(ReaderCheck.Signature);
        _a.Mov(32, Gpr.Rdx, Operand.At(Entry, ReaderOffsets.Exit));
        _a.Alu(Alu.Cmp, 32, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.EntryState));
        NotFoundUnless(ReaderCheck.State);
        _a.Alu(Alu.Cmp, 32, Operand.At(Gpr.Rax, ReaderOffsets.EntryBlock), (int)_s.Id);
        NotFoundUnless(ReaderCheck.Block);
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

    private void NotFoundUnless(ReaderCheck check)
    {
        if (LeftOut != check)
            _a.JumpTo(Cc.Ne, _notFound);
    }
}
