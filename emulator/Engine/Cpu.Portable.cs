using System.Runtime.CompilerServices;
using ArmVdso.Emulator.Portable;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Emulator;

/// <summary>The portable engine: runs blocks of decoded operations between the instructions that the reference engine
/// executes (exceptions, system registers, whatever faults). Interrupts, limits and time are those of the reference at
/// every instruction.</summary>
public sealed partial class Cpu
{
    private ulong _fetchEpoch = 1;
    private CodeCache? _code;
    private FastEntry[][] _fastTlb = [];
    private JumpEntry[] _jumps = [];
    private V128 _loaded;

    // Between instructions of the reference engine there are few blocks: taking the pipeline's state out and back costs more than it saves.
    private const int BlocksAfterStep = 3;
    private const ulong WorthEntering = 8;
    private const int LongestPause = 64;
    private int _pause = 1;
    private int _timedBlocks;
    private Block? _spilled;
    private int _spilledAt;

    /// <summary>Writes of the current block with their old values, while an engine is checked.</summary>
    internal WriteJournal? Journal;

    /// <summary>Prepares this PE for the portable engine.</summary>
    internal void UsePortable(CodeCache code)
    {
        _code = code;
        _fastTlb = [new FastEntry[FastEntry.Count], new FastEntry[FastEntry.Count]];
        _jumps = new JumpEntry[JumpEntry.Count];
        InvalidateTlbAll();
    }

    /// <summary>Blocks with a timing model: memoised where that is worth it and possible, step by step elsewhere.</summary>
    /// <returns>As <see cref="RunBlocks"/>.</returns>
    private bool RunTimed(Block block, ulong stop)
    {
        if (!Machine.MemoisedTiming || Timing.Memo is not { } memo)
            return RunBlocks<TimedMode>(block, Block.Never - 1, stop);
        if (_timedBlocks == 0)
        {
            if (memo.Enter(this, stop) && memo.Begin(block))
            {
                _spilled = null;
                ulong before = memo.Blocks;
                bool done = RunBlocks<MemoMode>(block, Block.Never - 1, stop);
                // Where misses are frequent, it is tried less often.
                _pause = memo.Blocks - before >= WorthEntering ? 1 : Math.Min(2 * _pause, LongestPause);
                _timedBlocks = _pause;
                if (!done)
                    return false;
                return _spilled is null || RunBlocks<TimedMode>(_spilled, Block.Never - 1, stop, _spilledAt, 1);
            }
            _timedBlocks = 1;
        }
        int blocks = _timedBlocks;
        _timedBlocks = 0;
        return RunBlocks<TimedMode>(block, Block.Never - 1, stop, 0, blocks);
    }

    /// <summary>One block as <see cref="RunTimed"/> would run it, writes journalled.</summary>
    /// <param name="block">The block, of <paramref name="count"/> instructions.</param>
    /// <param name="count">How many instructions to execute.</param>
    /// <param name="stop">Cycle at which to stop.</param>
    internal bool RunChecked(Block block, long count, ulong stop)
    {
        BlockMemo memo = Timing.Memo!;
        if (!memo.Enter(this, stop) || !memo.Begin(block))
            return RunBlocks<TimedMode>(block, count, stop, 0, 1);
        _spilled = null;
        return RunBlocks<CheckedMemoMode>(block, count, stop) && (_spilled is null || RunBlocks<TimedMode>(_spilled, count, stop, _spilledAt, 1));
    }

    private int Mode => EL == 0 ? 0 : SPSel ? 2 : 1;

    /// <summary><see cref="RunUntil"/> by blocks.</summary>
    internal void RunPortable(ulong limit)
    {
        bool plain = Timing.GetType() == typeof(TimingModel);
        while (Timing.Cycles < limit && !Waiting && !Machine.StopRequested)
        {
            bool unmasked = (Daif & 2) == 0;
            if ((unmasked && IrqLine) || Machine.Observer is { WantsInstructions: true } || FindRunnable() is not { } block)
            {
                Step();
                _timedBlocks = BlocksAfterStep;
                continue;
            }
            // Nothing but the clock can raise an interrupt before the next instruction of the reference engine.
            ulong stop = unmasked ? Math.Min(limit, TimerDeadline) : limit;
            long left = plain ? (long)Math.Min(stop - Timing.Cycles, (ulong)Block.Never - 1) : Block.Never - 1;
            if (block.Count > left)
            {
                while (Timing.Cycles < stop && !Waiting && !Machine.StopRequested)
                    Step();
            }
            else if (!(plain ? RunBlocks<PlainMode>(block, left, stop) : RunTimed(block, stop)))
            {
                Step();
                _timedBlocks = BlocksAfterStep;
            }
        }
    }

    /// <summary>The block at PC, when it may be entered now.</summary>
    internal Block? FindRunnable()
    {
        if (IL || (PC & 3) != 0)
            return null;
        Block? block = FindBlock(PC);
        return block is null || block.Count == Block.Never || (block.Guarded && BType != 0) || (block.HasFp && FpTrapped) ? null : block;
    }

    /// <summary>The block at an address; null when fetching there faults.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block? FindBlock(ulong pc)
    {
        if ((pc & 3) != 0)
            return null;
        ulong key = pc | (uint)Mode;
        ref JumpEntry jump = ref _jumps[(int)(pc >> 2) & (JumpEntry.Count - 1)];
        if (jump.Key == key && jump.Epoch == _fetchEpoch)
            return jump.Block;
        if (!TranslateFetch(pc, out ulong pa, out bool guarded))
        {
            _pending = false;
            return null;
        }
        jump.Block = _code!.Find(pc, pa, Mode, guarded);
        jump.Key = key;
        jump.Epoch = _fetchEpoch;
        return jump.Block;
    }

    /// <summary>From now on a store to a physical page is not fast: the page holds decoded code.</summary>
    internal void ForgetWritable(ulong page)
    {
        foreach (ref TlbEntry entry in _tlb.AsSpan())
        {
            if (entry.Pa == page)
                entry.Page = NoPage;
        }
        foreach (FastEntry[] tlb in _fastTlb)
        {
            foreach (ref FastEntry entry in tlb.AsSpan())
            {
                if (entry.WriteTag + entry.Pa == page)
                    entry.WriteTag = FastEntry.None;
            }
        }
    }

    private void ForgetFast(ulong page)
    {
        foreach (FastEntry[] tlb in _fastTlb)
        {
            ref FastEntry entry = ref tlb[(int)(page >> 12) & (FastEntry.Count - 1)];
            if (entry.ReadTag == page || entry.WriteTag == page)
                entry.ReadTag = entry.WriteTag = FastEntry.None;
        }
    }

    private void ForgetFastAll()
    {
        foreach (FastEntry[] tlb in _fastTlb)
        {
            foreach (ref FastEntry entry in tlb.AsSpan())
                entry.ReadTag = entry.WriteTag = FastEntry.None;
        }
    }

    /// <summary>Permissions that the TLB may keep for a page: none to write when it holds decoded code, so that every
    /// store there comes by; a store itself drops that code.</summary>
    private PagePermissions WithoutCodeWrites(ulong page, PagePermissions needed, PagePermissions permissions)
    {
        const PagePermissions writes = PagePermissions.UserWrite | PagePermissions.KernelWrite;
        if (_code is null || !_code.IsCode(page))
            return permissions;
        if ((needed & writes) == 0)
            return permissions & ~writes;
        Machine.InvalidateCode(page, PhysicalMemory.PageSize);
        return permissions;
    }

    /// <summary>A load that the fast TLB does not have; the value is in <see cref="_loaded"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SlowLoad(ulong address, int size)
    {
        bool ok;
        if (size == 16)
        {
            ok = Load(address, out _loaded);
        }
        else
        {
            ok = Load(address, size, out ulong value);
            _loaded.Lo = value;
        }
        if (ok)
            FillFast(address);
        return ok;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SlowStore(ulong address, int size, ulong low, ulong high)
    {
        if (!(size == 16 ? Store(address, new V128(low, high)) : Store(address, size, low)))
            return false;
        FillFast(address);
        return true;
    }

    /// <summary>Takes over what the TLB knows of an address that was just accessed.</summary>
    private void FillFast(ulong address)
    {
        ulong page = address & ~0xfffUL;
        ref TlbEntry known = ref _tlb[(int)(address >> 12) & (TlbSize - 1)];
        if (known.Page != page)
            return;
        ref FastEntry entry = ref _fastTlb[EL][(int)(address >> 12) & (FastEntry.Count - 1)];
        entry.ReadTag = (known.Permissions & Needed(EL == 0, false)) != 0 ? page : FastEntry.None;
        entry.WriteTag = (known.Permissions & Needed(EL == 0, true)) != 0 ? page : FastEntry.None;
        entry.Pa = known.Pa - page;
        entry.Host = _ram.HostAddress + entry.Pa;
    }

    /// <summary>Retires one instruction of a block for the timing model.</summary>
    /// <returns>False when the clock has reached <paramref name="stop"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool RetireOp(in Op op, ulong pc, ulong pa, ulong next, ulong stop)
    {
        PC = pc;
        NextPC = next;
        Retire(op.Row, op.Instruction, pa);
        PC = next;
        AccessCount = 0;
        BranchTaken = false;
        return Timing.Cycles < stop;
    }

    private void Took(BranchType kind)
    {
        BranchTaken = true;
        BranchKind = kind;
    }
}

/// <summary>How blocks run. One implementation per timing keeps the plain one free of questions.</summary>
internal readonly struct PlainMode;

/// <summary>Every instruction is retired by the timing model, with its accesses.</summary>
internal readonly struct TimedMode;

/// <summary>Blocks are timed by <see cref="BlockMemo"/>.</summary>
internal readonly struct MemoMode;

/// <summary>As <see cref="PlainMode"/>, and writes are journalled.</summary>
internal readonly struct CheckedMode;

/// <summary>As <see cref="MemoMode"/>, and writes are journalled.</summary>
internal readonly struct CheckedMemoMode;
