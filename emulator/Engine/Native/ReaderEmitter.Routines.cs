using System.Numerics;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Routines that the code of all blocks calls: pages that are found elsewhere, lines in other places of their set.</summary>
internal sealed partial class ReaderEmitter
{
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
        _touchDataPage = EmitPage(ReaderOffsets.DataTlb, _events.DataTlb.Hints, AccessesPage);
        _touchMainPage = EmitPage(ReaderOffsets.MainTlb, _events.MainTlb.Hints, () => { });
        _refill = EmitRefill(ReaderOffsets.DataTlb, _events.DataTlb, AccessesPage);
        EmitAskLate();
        _refillFetch = EmitRefill(ReaderOffsets.FetchTlb, _events.FetchTlb, FetchesFrom);
        _touchOtherLoad = EmitTouchOther(false);
        _touchOtherStore = EmitTouchOther(true);
        _moveOtherLoad = EmitMoveOther(false);
        _moveOtherStore = EmitMoveOther(true);
        _touchLoad = EmitTouch(false);
        _touchStore = EmitTouch(true);
        EmitProbe();
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

    /// <summary>A routine: the page in RDX, which a first TLB does not have, comes from the second one, when that finds it where
    /// it was found last. All entries are pages: traces are left where no tables lie in RAM. Says so by Z. RAX, R9 and R11 are lost.
    /// </summary>
    /// <param name="tlb">The first TLB.</param>
    /// <param name="first">It.</param>
    /// <param name="use">What is done with the page then.</param>
    private ulong EmitRefill(TlbOffsets tlb, Tlb first, Action use)
    {
        ulong here = _a.Here;
        _a.Mov(64, Gpr.R11, Operand.At(Frame, tlb.Pages));
        var found = new List<int>();
        for (int i = 0; i < first.Entries; i++)
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
        for (int i = 1; i < first.Entries; i++)
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
        use();
        _a.Mov(64, Gpr.R9, Gpr.Rax);
        HintOfPage(first.Hints);
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
        return here;
    }

    /// <summary>A routine: the line in RDX, whose set begins at the index in R11, is in another place of the set than the first, and the
    /// page of the address in RAX is in the TLB: both are used (<see cref="CoreEvents.TouchPlain"/>). Says so by Z; C when it is but the
    /// page that is not there. R9 and R11 are lost, and RAX unless C says so.</summary>
    /// <param name="write">Whether the line is written.</param>
    private ulong EmitTouchOther(bool write)
    {
        var unusual = new List<int>();
        var missed = new List<int>();
        ulong here = _a.Here;
        _a.Push(Gpr.Rcx);
        _a.Call(_askLate);
        missed.Add(_a.JumpIf(Cc.E));
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
        FindWay();
        _a.Test(32, Gpr.Rcx, Gpr.Rcx);
        missed.Add(_a.JumpIf(Cc.E));
        _a.Alu(Alu.Add, 32, Gpr.Rcx, Gpr.R11);
        if (write)
        {
            _a.ZeroExtend(8, Gpr.R9, Operand.At(DataStates, Gpr.Rcx, 0, 0));
            _a.Alu(Alu.Cmp, 32, Gpr.R9, (int)LineState.Shared);
            missed.Add(_a.JumpIf(Cc.E));
        }
        _a.Push(Gpr.Rdx);
        _a.Push(Gpr.R11);
        _a.Push(Gpr.Rax);
        _a.Mov(64, Gpr.Rdx, Gpr.Rax);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, 12);
        _a.Call(_touchDataPage);
        _a.Pop(Gpr.Rax);
        _a.Pop(Gpr.R11);
        _a.Pop(Gpr.Rdx);
        int noPage = _a.JumpIf(Cc.Ne);
        MoveUp(write);
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
        _a.Resolve(noPage);
        _a.Set(Gpr.Rcx, 0);
        _a.Alu(Alu.Cmp, 32, Gpr.Rcx, 1);
        _a.Pop(Gpr.Rcx);
        _a.Return();
        return here;
    }

    /// <summary>ECX gets the place of the line in RDX in its set, which begins at the index in R11; 0 when it is in none but perhaps the
    /// first. R9 is lost.</summary>
    private void FindWay()
    {
        _a.Set(Gpr.Rcx, 0);
        for (int way = 1; way < _data.Ways; way++)
        {
            _a.Set(Gpr.R9, (ulong)way);
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(DataTags, Gpr.R11, 3, 8 * way));
            _a.MoveIf(Cc.E, 32, Gpr.Rcx, Gpr.R9);
        }
    }

    /// <summary>The line in RDX, at the index in RCX, becomes the first one of its set, which begins at the index in R11. RAX, RCX and R9
    /// are lost.</summary>
    private void MoveUp(bool write)
    {
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
    }

    /// <summary>A routine: the line in RDX, which is in another place than the first of the set that begins at the index in R11, is used.
    /// RAX and R9 are lost.</summary>
    /// <param name="write">Whether the line is written.</param>
    private ulong EmitMoveOther(bool write)
    {
        ulong here = _a.Here;
        _a.Push(Gpr.Rcx);
        FindWay();
        _a.Alu(Alu.Add, 32, Gpr.Rcx, Gpr.R11);
        MoveUp(write);
        _a.Pop(Gpr.Rcx);
        _a.Return();
        return here;
    }

    /// <summary>A routine: the access to the virtual address in RAX, physical in RCX, hits cache and TLB and changes no more than their
    /// orders of use. Says so by Z, and has RDX be its line. RAX, R9 and R11 are lost.</summary>
    /// <param name="write">Whether it is a store.</param>
    private ulong EmitTouch(bool write)
    {
        ulong here = _a.Here;
        FindSet();
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(DataTags, Gpr.R11, 3, 0));
        _a.JumpTo(Cc.Ne, write ? _touchOtherStore : _touchOtherLoad);
        _a.Call(_askLate);
        int late = _a.JumpIf(Cc.E);
        int unmodified = 0;
        if (write)
        {
            _a.ZeroExtend(8, Gpr.R11, Operand.At(DataStates, Gpr.R11, 0, 0));
            _a.Alu(Alu.Cmp, 32, Gpr.R11, (int)LineState.Modified);
            unmodified = _a.JumpIf(Cc.Ne);
        }
        _a.Push(Gpr.Rdx);
        _a.Mov(64, Gpr.Rdx, Gpr.Rax);
        _a.Shift(Shift.Shr, 64, Gpr.Rdx, 12);
        _a.Call(_touchDataPage);
        _a.Pop(Gpr.Rdx);
        if (write)
            _a.Resolve(unmodified);
        _a.Return();
        _a.Resolve(late);
        // Not zero: it is where there are tags.
        _a.Test(64, DataTags, DataTags);
        _a.Return();
        return here;
    }

    /// <summary>A routine: the entry whose key is the signature in Shapes, the state in EDX and the block in ECX, looked for where it is by
    /// its hash (BlockMemo.Take). RAX gets its address; behind the entry before it is found faster next time. Says by Z whether there
    /// is one. RCX and R11 are lost.</summary>
    private void EmitProbe()
    {
        int shift = BitOperations.Log2((uint)ReaderOffsets.EntrySize);
        _probe = _a.Here;
        _a.Mov(64, Gpr.Rax, Gpr.Rcx);
        _a.Shift(Shift.Shl, 64, Gpr.Rax, 32);
        _a.Alu(Alu.Or, 64, Gpr.Rax, Gpr.Rdx);
        _a.Set(Gpr.R11, BlockMemo.SignatureFactor);
        _a.Multiply(64, Gpr.R11, Shapes);
        _a.Alu(Alu.Xor, 64, Gpr.Rax, Gpr.R11);
        _a.Set(Gpr.R11, BlockMemo.KeyFactor);
        _a.Multiply(64, Gpr.Rax, Gpr.R11);
        _a.Shift(Shift.Shr, 64, Gpr.Rax, 64 - BlockMemo.TableBits);
        _a.Shift(Shift.Shl, 64, Gpr.Rax, shift);
        _a.Alu(Alu.Add, 64, Gpr.Rax, Operand.At(Frame, ReaderOffsets.Entries));
        var found = new List<int>();
        for (int way = 0; way < BlockMemo.Ways; way++)
        {
            // The first entry is none of the table.
            _a.Alu(Alu.Add, 64, Gpr.Rax, ReaderOffsets.EntrySize);
            _a.Alu(Alu.Cmp, 64, Shapes, Operand.At(Gpr.Rax, ReaderOffsets.EntrySignature));
            int otherSignature = _a.JumpIf(Cc.Ne);
            _a.Alu(Alu.Cmp, 32, Gpr.Rdx, Operand.At(Gpr.Rax, ReaderOffsets.EntryState));
            int otherState = _a.JumpIf(Cc.Ne);
            _a.Alu(Alu.Cmp, 32, Gpr.Rcx, Operand.At(Gpr.Rax, ReaderOffsets.EntryBlock));
            found.Add(_a.JumpIf(Cc.E));
            _a.Resolve(otherSignature);
            _a.Resolve(otherState);
        }
        _a.Return();
        foreach (int jump in found)
            _a.Resolve(jump);
        _a.Mov(32, Gpr.R11, Shapes);
        _a.Alu(Alu.Xor, 32, Gpr.R11, Gpr.Rcx);
        _a.Alu(Alu.And, 32, Gpr.R11, MemoEntry.Followers.Count - 1);
        _a.Mov(64, Gpr.Rcx, Gpr.Rax);
        _a.Alu(Alu.Sub, 64, Gpr.Rcx, Operand.At(Frame, ReaderOffsets.Entries));
        _a.Shift(Shift.Shr, 64, Gpr.Rcx, shift);
        _a.Store(32, Operand.At(Entry, Gpr.R11, 2, ReaderOffsets.Followers), Gpr.Rcx);
        _a.Alu(Alu.Cmp, 32, Gpr.Rax, Gpr.Rax);
        _a.Return();
    }

    /// <summary>A routine: says by Z whether the line in RDX is on its way, or one that the block has asked for. R9 is lost.</summary>
    private void EmitAskLate()
    {
        _askLate = _a.Here;
        _a.Alu(Alu.Cmp, 64, Cycles, Operand.At(Frame, ReaderOffsets.Until));
        int all = _a.JumpIf(Cc.A);
        _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.FillLines));
        for (int i = 0; i < _fillCount; i++)
        {
            _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.R9, 8 * i));
            int other = _a.JumpIf(Cc.Ne);
            _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.FillReady));
            _a.Alu(Alu.Cmp, 64, Cycles, Operand.At(Gpr.R9, 8 * i));
            int there = _a.JumpIf(Cc.A);
            _a.Alu(Alu.Cmp, 32, Gpr.R9, Gpr.R9);
            _a.Return();
            _a.Resolve(there);
            _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.FillLines));
            _a.Resolve(other);
        }
        _a.Push(Gpr.Rcx);
        _a.Mov(64, Gpr.Rcx, Operand.At(Frame, ReaderOffsets.MissedLines));
        _a.Mov(64, Gpr.R9, Operand.At(Frame, ReaderOffsets.Missed));
        ulong next = _a.Here;
        _a.Alu(Alu.Sub, 64, Gpr.R9, 1);
        int none = _a.JumpIf(Cc.B);
        _a.Alu(Alu.Cmp, 64, Gpr.Rdx, Operand.At(Gpr.Rcx, Gpr.R9, 3, 0));
        _a.JumpTo(Cc.Ne, next);
        _a.Pop(Gpr.Rcx);
        _a.Return();
        _a.Resolve(none);
        _a.Pop(Gpr.Rcx);
        _a.Resolve(all);
        // Not zero: it is where there are tags.
        _a.Test(64, DataTags, DataTags);
        _a.Return();
    }

    /// <summary>The page in RDX needs no look at the order of the TLB from now on, unless lines are on their way: then none is taken for
    /// there without a look.</summary>
    private void AccessesPage()
    {
        _a.Alu(Alu.Cmp, 64, Cycles, Operand.At(Frame, ReaderOffsets.Until));
        int filling = _a.JumpIf(Cc.Be);
        _a.Store(64, Operand.At(Frame, ReaderOffsets.DataPage), Gpr.Rdx);
        _a.Resolve(filling);
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
}
