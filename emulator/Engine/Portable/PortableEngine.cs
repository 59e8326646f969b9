using System.Numerics;
using ArmVdso.Emulator.Engine.Reference;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>The portable engine of one PE: runs blocks of decoded operations between the instructions that the reference engine
/// executes (exceptions, system registers, whatever faults). Interrupts, limits and time are those of the reference at
/// every instruction.</summary>
internal partial class PortableEngine : ExecutionEngine
{
    // Between instructions of the reference engine there are few blocks: taking the pipeline's state out and back costs more than it saves.
    private const int BlocksAfterStep = 2;

    /// <summary>Frames of a context: without and with PSTATE.PAN at EL1.</summary>
    protected const int Views = 2;

    private readonly Cpu _cpu;
    private readonly IMachine _machine;
    private readonly PhysicalMemory _ram;
    private readonly ReferenceEngine _reference;
    private readonly CodeCache _code;
    private readonly bool _memoised;
    private JumpEntry[] _jumps;
    private readonly JumpEntry[][] _jumpSets = [.. Enumerable.Range(0, Cpu.Contexts).Select(_ => new JumpEntry[JumpEntry.Count])];

    // By context, without and with PSTATE.PAN: what is read of pages then. Each has a TLB for EL0 and one for EL1.
    private readonly EngineFrame[] _frames;
    // A bit for each part of a TLB that an entry went to.
    private readonly ulong[] _used = new ulong[Cpu.Contexts * Views * 2];
    // A bit for some pages each: whether code was found in one of them since the translation of code changed.
    private readonly ulong[] _fetched = new ulong[64];
    // A bit for some physical pages each: whether one of them may be in a TLB for writing.
    private readonly ulong[] _written = new ulong[1024];
    private readonly int _coldRuns;
    private int _context;
    private V128 _loaded;
    private bool _stepped;
    private Block? _spilled;
    private int _spilledAt;

    /// <summary>The engine of one PE.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="code">Blocks of the machine.</param>
    /// <param name="memoised">Whether the timing of blocks is looked up where it can be.</param>
    /// <param name="jumps">Bytes that native code needs for tables of branches.</param>
    /// <param name="coldRuns">Executions of a block before it is made native code.</param>
    internal PortableEngine(Cpu cpu, CodeCache code, bool memoised, int jumps = 0, int coldRuns = 0)
    {
        _coldRuns = coldRuns;
        _frames = [.. Enumerable.Range(0, Cpu.Contexts * Views).Select(_ => new EngineFrame(jumps))];
        _cpu = cpu;
        _machine = cpu.Machine;
        _ram = cpu.Machine.Memory;
        _reference = new ReferenceEngine(cpu);
        _code = code;
        _memoised = memoised;
        _jumps = _jumpSets[0];
        code.Add(this);
    }

    /// <summary>Whether indirect branches set BTYPE; the PEs of a machine are of one profile.</summary>
    internal bool HasBti => _cpu.HasBti;

    /// <summary>Number of the state of translations and code: what was found in another one is looked for again.</summary>
    internal ulong FetchEpoch { get; private set; } = 1;

    /// <summary>What native code finds at a fixed address.</summary>
    protected IReadOnlyList<EngineFrame> Frames => _frames;

    /// <inheritdoc/>
    public override ITranslatedCode? Code => _code;

    /// <inheritdoc/>
    public override void Step() => _reference.Step();

    /// <summary>Instructions that the reference engine executed between blocks, by row.</summary>
    internal ReadOnlySpan<ulong> BetweenBlocks => _reference.Executed;

    /// <inheritdoc/>
    public override void TranslationChanged(ulong page)
    {
        for (int i = 0; i < _used.Length; i++)
        {
            if (_used[i] == 0)
                continue;
            Span<FastEntry> tlb = _frames[i / 2].Tlb(i % 2);
            int index = FastEntry.Index(page);
            Forget(ref tlb[index], page);
            Forget(ref tlb[index ^ FastEntry.Other], page);
        }
        // Most pages that change are of data: what is known of where code lies holds.
        if (WasFetched(page))
            CodeChanged();
        else
            _reference.TranslationChanged(page);
    }

    private static void Forget(ref FastEntry entry, ulong page)
    {
        if (entry.Is(page))
            entry.ReadTag = entry.WriteTag = FastEntry.None;
    }

    private bool WasFetched(ulong page) => (_fetched[(int)(page >> 18) & (_fetched.Length - 1)] >> (int)(page >> 12) & 1) != 0;

    /// <inheritdoc/>
    public override void TranslationsChanged()
    {
        for (int i = 0; i < _used.Length; i++)
            Forget(i);
        CodeChanged();
    }

    /// <summary>Which of the frames holds now.</summary>
    protected int View => _context * Views + (_cpu.AccessMode == 2 ? 1 : 0);

    private void Forget(int tlb)
    {
        for (ulong used = _used[tlb]; used != 0; used &= used - 1)
        {
            foreach (ref FastEntry entry in FastEntry.Part(_frames[tlb / 2].Tlb(tlb % 2), BitOperations.TrailingZeroCount(used)))
                entry.ReadTag = entry.WriteTag = FastEntry.None;
        }
        _used[tlb] = 0;
    }

    /// <inheritdoc/>
    public override void TranslationsSelected(int context, bool forget)
    {
        _reference.TranslationsSelected(context, forget);
        _context = context;
        _jumps = _jumpSets[context];
        if (!forget)
            return;
        for (int i = 0; i < 2 * Views; i++)
            Forget(2 * Views * context + i);
        Array.Clear(_jumps);
    }

    /// <inheritdoc/>
    public override void CodeChanged()
    {
        _reference.CodeChanged();
        FetchEpoch++;
        Array.Clear(_fetched);
    }

    private bool MayBeWritable(ulong pa) => (_written[(int)(pa >> 18) & (_written.Length - 1)] >> (int)(pa >> 12) & 1) != 0;

    /// <summary>From now on a store to a physical page is not fast: the page holds decoded code.</summary>
    internal void ForgetWritable(ulong page)
    {
        _cpu.ForgetWritable(page);
        for (int i = 0; i < _used.Length && MayBeWritable(page); i++)
        {
            for (ulong used = _used[i]; used != 0; used &= used - 1)
            {
                foreach (ref FastEntry entry in FastEntry.Part(_frames[i / 2].Tlb(i % 2), BitOperations.TrailingZeroCount(used)))
                {
                    if (entry.WriteTag + entry.Pa == page)
                        entry.WriteTag = FastEntry.None;
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Run(ulong limit)
    {
        Cpu cpu = _cpu;
        bool plain = cpu.Timing.GetType() == typeof(TimingModel);
        while (cpu.Timing.Cycles < limit && !cpu.Waiting && !_machine.TurnEnds)
        {
            DebugAction action = _machine.Debug?.Before(cpu) ?? DebugAction.Run;
            if (action == DebugAction.Stop)
                return;
            bool unmasked = (cpu.Daif & 2) == 0;
            if (action == DebugAction.Step || (unmasked && cpu.IrqLine)
                || _machine.Observer is { WantsInstructions: true } || FindRunnable() is not { } block)
            {
                Step();
                _stepped = true;
                continue;
            }
            // Nothing but the clock can raise an interrupt before the next instruction of the reference engine.
            ulong stop = unmasked ? Math.Min(limit, cpu.TimerDeadline) : limit;
            long left = plain ? (long)Math.Min(stop - cpu.Timing.Cycles, (ulong)Block.Never - 1) : Block.Never - 1;
            if (block.Count > left)
            {
                _reference.Run(stop);
            }
            else
            {
                cpu.DevicesDeferred = true;
                bool done = plain ? RunPlain(block, left, stop) : RunTimed(block, stop);
                cpu.DevicesDeferred = false;
                if (!done)
                {
                    Step();
                    _stepped = true;
                }
            }
        }
    }

    /// <summary>Blocks without a timing model.</summary>
    /// <returns>As <see cref="RunBlocks"/>.</returns>
    protected virtual bool RunPlain(Block block, long left, ulong stop) => RunBlocks<PlainMode>(block, left, stop);

    /// <summary>Blocks with a timing model: memoised where that is worth it and possible, step by step elsewhere.</summary>
    /// <returns>As <see cref="RunBlocks"/>.</returns>
    protected virtual bool RunTimed(Block block, ulong stop) =>
        _memoised && _cpu.Timing.Memo is not null
            ? RunMemo<MemoMode>(block, stop)
            : RunBlocks<TimedMode>(block, Block.Never - 1, stop);

    /// <summary>Blocks whose timing is memoised.</summary>
    /// <returns>As <see cref="RunBlocks"/>.</returns>
    private protected bool RunMemo<TMode>(Block block, ulong stop) where TMode : struct
    {
        BlockMemo memo = _cpu.Timing.Memo!;
        if (!Enter(memo, stop) || !memo.Begin(block))
            return RunSingly(block, stop);
        _spilled = null;
        return RunBlocks<TMode>(block, Block.Never - 1, stop)
            && (_spilled is null || RunBlocks<TimedMode>(_spilled, Block.Never - 1, stop, _spilledAt, 1));
    }

    /// <summary>The memoised timing begins at PC.</summary>
    private protected bool Enter(BlockMemo memo, ulong stop)
    {
        int steps = _stepped ? BlocksAfterStep : 0;
        _stepped = false;
        return memo.Enter(_cpu, _cpu.Timing.Level, stop, steps);
    }

    /// <summary>One block, timed instruction by instruction.</summary>
    private protected bool RunSingly(Block block, ulong stop) => RunBlocks<TimedMode>(block, Block.Never - 1, stop, 0, 1);

    /// <summary>One block as <see cref="RunTimed"/> would run it, writes journalled.</summary>
    /// <param name="block">The block, of <paramref name="count"/> instructions.</param>
    /// <param name="count">How many instructions to execute.</param>
    /// <param name="stop">Cycle at which to stop.</param>
    internal virtual bool RunChecked(Block block, long count, ulong stop)
    {
        BlockMemo memo = _cpu.Timing.Memo!;
        if (!memo.Enter(_cpu, _cpu.Timing.Level, stop, 0) || !memo.Begin(block))
            return RunBlocks<TimedMode>(block, count, stop, 0, 1);
        _spilled = null;
        return RunBlocks<CheckedMemoMode>(block, count, stop)
            && (_spilled is null || RunBlocks<TimedMode>(_spilled, count, stop, _spilledAt, 1));
    }

    /// <summary>The block at PC, when it may be entered now.</summary>
    internal Block? FindRunnable()
    {
        Cpu cpu = _cpu;
        if (cpu.IL || (cpu.PC & 3) != 0 || cpu.StepActive)
            return null;
        Block? block = FindBlock(cpu.PC);
        bool runnable = block is not null && block.Count != Block.Never
            && !(block.Guarded && cpu.BType != 0) && !(block.HasFp && cpu.FpTrapped);
        return runnable ? block : null;
    }

    private int Mode => _cpu.EL == 0 ? 0 : _cpu.SPSel ? 2 : 1;

    /// <summary>The block at an address; null when fetching there faults.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    protected Block? FindBlock(ulong pc)
    {
        if ((pc & 3) != 0)
            return null;
        ulong key = pc | (uint)Mode;
        ref JumpEntry jump = ref _jumps[JumpEntry.Index(pc)];
        if (jump.Key == key && jump.Epoch == FetchEpoch)
            return jump.Block;
        if (!_cpu.TranslateFetch(pc, out ulong pa, out bool guarded))
        {
            _cpu.DropPendingException();
            return null;
        }
        _fetched[(int)(pc >> 18) & (_fetched.Length - 1)] |= 1UL << (int)(pc >> 12);
        jump.Block = _code.Find(pc, pa, Mode, guarded);
        jump.Key = key;
        jump.Epoch = FetchEpoch;
        return jump.Block;
    }

    /// <summary>A load that the fast TLB does not have; the value is in <see cref="_loaded"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SlowLoad(ulong address, int size)
    {
        bool ok;
        if (size == 16)
        {
            ok = _cpu.Load(address, out _loaded);
        }
        else
        {
            ok = _cpu.Load(address, size, out ulong value);
            _loaded.Lo = value;
        }
        if (ok)
            FillFast(address);
        return ok;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SlowStore(ulong address, int size, ulong low, ulong high)
    {
        if (!(size == 16 ? _cpu.Store(address, new V128(low, high)) : _cpu.Store(address, size, low)))
            return false;
        FillFast(address);
        return true;
    }

    /// <summary>Takes over what the PE's TLB knows of an address that was just accessed.</summary>
    protected void FillFast(ulong address)
    {
        if (!_cpu.IsKnown(address, out ulong pa, out bool readable, out bool writable))
            return;
        ulong page = address & ~0xfffUL;
        int view = View;
        Span<FastEntry> tlb = _frames[view].Tlb(_cpu.EL);
        int index = FastEntry.Index(address);
        _used[2 * view + _cpu.EL] |= FastEntry.PartsOf(index);
        ref FastEntry entry = ref tlb[index];
        ref FastEntry other = ref tlb[index ^ FastEntry.Other];
        if (entry.IsEmpty)
            Forget(ref other, page);
        else if (!entry.Is(page))
            other = entry;
        entry.ReadTag = readable ? page : FastEntry.None;
        entry.WriteTag = writable ? page : FastEntry.None;
        if (writable)
            _written[(int)(pa >> 18) & (_written.Length - 1)] |= 1UL << (int)(pa >> 12);
        entry.Pa = pa - page;
        entry.Host = _ram.HostAddress + entry.Pa;
    }

    /// <summary>Counts an execution of a block.</summary>
    /// <returns>Whether it is native code, or has earned to become it.</returns>
    protected bool IsWarm(Block block) => block.Code != 0 || ++block.Runs > _coldRuns;

    /// <summary>Retires one instruction of a block for the timing model.</summary>
    /// <returns>False when the clock has reached <paramref name="stop"/>.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool RetireOp(in Op op, ulong pc, ulong pa, ulong next, ulong stop)
    {
        Cpu cpu = _cpu;
        cpu.PC = pc;
        cpu.NextPC = next;
        cpu.Retire(op.Row, op.Instruction, pa);
        cpu.PC = next;
        cpu.AccessCount = 0;
        cpu.BranchTaken = false;
        return cpu.Timing.Cycles < stop;
    }

    private void Took(BranchType kind)
    {
        _cpu.BranchTaken = true;
        _cpu.BranchKind = kind;
    }

    /// <summary>Blocks ended before the instruction at <paramref name="pc"/>.</summary>
    protected void Leave(ulong pc, int btype)
    {
        Cpu cpu = _cpu;
        cpu.PC = pc;
        cpu.NextPC = pc;
        cpu.BType = btype;
        cpu.BTypeNext = btype;
        cpu.AccessCount = 0;
    }

    /// <summary>Accounts for instructions that ran at one cycle each, or whose timing is in the pipeline already.</summary>
    protected void Count(bool timed, long instructions)
    {
        _cpu.Instructions += (ulong)instructions;
        if (timed)
            _cpu.Timing.TakeOver();
        else
            _cpu.Timing.RunPlain((ulong)instructions);
    }
}

/// <summary>How blocks run. One implementation per timing keeps the plain one free of questions.</summary>
internal readonly struct PlainMode;

/// <summary>As <see cref="PlainMode"/>, up to a block that is native code or has earned to become it.</summary>
internal readonly struct WarmMode;

/// <summary>Every instruction is retired by the timing model, with its accesses.</summary>
internal readonly struct TimedMode;

/// <summary>Blocks are timed by <see cref="BlockMemo"/>.</summary>
internal readonly struct MemoMode;

/// <summary>As <see cref="MemoMode"/>, up to a block that is native code or has earned to become it.</summary>
internal readonly struct WarmMemoMode;

/// <summary>As <see cref="PlainMode"/>, and writes are journalled.</summary>
internal readonly struct CheckedMode;

/// <summary>As <see cref="MemoMode"/>, and writes are journalled.</summary>
internal readonly struct CheckedMemoMode;
