using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>Decoded blocks of a machine, found by physical address. Pages that hold blocks are known: a store to one of them,
/// by a PE or by system software, drops its blocks, so that programs see what the reference engine would execute.</summary>
internal sealed class CodeCache : ITranslatedCode
{
    /// <summary>Longest block, in instructions.</summary>
    internal const int MaxLength = 48;

    private const int MaxOps = 1 << 20;
    private readonly IMachine _machine;
    private readonly List<PortableEngine> _engines = [];
    private readonly Dictionary<(ulong Pc, ulong Key), Block> _blocks = [];
    private readonly Dictionary<ulong, List<Block>> _pages = [];
    private readonly bool[] _isCode;
    private readonly bool _plain;
    private readonly BlockMemo? _memo;
    private readonly Op[] _scratch = new Op[MaxLength + 1];
    private int _ops;

    /// <summary>Changes operations as they are made, so that a test can plant a bug.</summary>
    internal Func<Op, Op>? Alteration { get; set; }

    /// <param name="machine">The machine.</param>
    /// <param name="memo">What remembers the timing of blocks, of any of its PEs; null: nothing does.</param>
    internal CodeCache(IMachine machine, BlockMemo? memo)
    {
        _machine = machine;
        _memo = memo;
        _plain = machine.Cpus[0].Timing.GetType() == typeof(TimingModel);
        _isCode = new bool[machine.Memory.Size / PhysicalMemory.PageSize];
    }

    /// <summary>From now on this engine uses the blocks, and is told what happens to them.</summary>
    internal void Add(PortableEngine engine) => _engines.Add(engine);

    /// <summary>Instructions that were executed between blocks, by row.</summary>
    internal ulong[] BetweenBlocks()
    {
        ulong[] sums = new ulong[RowInfo.Count];
        foreach (PortableEngine engine in _engines)
        {
            for (int row = 0; row < sums.Length; row++)
                sums[row] += engine.BetweenBlocks[row];
        }
        return sums;
    }

    /// <summary>Blocks made since the start.</summary>
    internal ulong Translated { get; private set; }

    /// <inheritdoc/>
    public bool Holds(ulong pa) => _isCode[pa >> 12];

    private static (ulong Pc, ulong Key) KeyOf(ulong pc, ulong pa, int mode, bool guarded) =>
        (pc, pa << 3 | (uint)mode << 1 | (guarded ? 1UL : 0));

    /// <summary>The block that starts at a place, when it is there.</summary>
    internal Block? Known(ulong pc, ulong pa, int mode, bool guarded) => _blocks.GetValueOrDefault(KeyOf(pc, pa, mode, guarded));

    /// <summary>The block that starts at a place, made when it is not there.</summary>
    /// <param name="pc">Virtual address.</param>
    /// <param name="pa">Physical address.</param>
    /// <param name="mode">EL and stack pointer: 0 EL0, 1 EL1 with SP_EL0, 2 EL1 with SP_EL1.</param>
    /// <param name="guarded">Whether the page is guarded.</param>
    internal Block Find(ulong pc, ulong pa, int mode, bool guarded)
    {
        (ulong, ulong) key = KeyOf(pc, pa, mode, guarded);
        if (_blocks.TryGetValue(key, out Block? block))
            return block;
        if (_ops > MaxOps)
            Clear();
        block = Make(pc, pa, mode, guarded, MaxLength);
        _ops += block.Ops.Length;
        _blocks.Add(key, block);
        ulong page = pa >> 12;
        if (!_pages.TryGetValue(page, out List<Block>? list))
        {
            _pages.Add(page, list = []);
            _isCode[page] = true;
            // Stores to this page must be seen from now on.
            foreach (PortableEngine engine in _engines)
                engine.ForgetWritable(page << 12);
        }
        list.Add(block);
        return block;
    }

    /// <summary>Translates the instructions from a place on: to a branch, the end of the page, <paramref name="most"/> of them, or as many
    /// accesses as are remembered of a block.</summary>
    internal Block Make(ulong pc, ulong pa, int mode, bool guarded, int most)
    {
        Translated++;
        int sp = mode == 2 ? Translator.SpEL1 : Translator.SpEL0;
        int n = 0, accesses = 0;
        bool fp = false, branch = false;
        DebugUnit? debug = _machine.Debug;
        for (ulong at = pa; n < most && at >> 12 == pa >> 12; at += 4)
        {
            if (debug is not null && debug.Splits(pc + (at - pa)))
                break;
            uint instruction = _machine.Memory.Read<uint>(at);
            Row row = _machine.RowExecuted[(int)Decoder.Decode(instruction)];
            if (!_machine.RowEnabled[(int)row])
                break;
            Translator.Kind kind = Translator.Translate(row, instruction, pc + (at - pa), sp, out Op op);
            if (kind == Translator.Kind.Reference && !(_plain && Translator.IsPlainWithoutTiming(row, instruction, mode, ref op)))
                break;
            if (_memo is not null && _memo.Accesses(row, instruction) && accesses++ == BlockSchedule.MostAccesses)
                break;
            op.Offset = (ushort)(at - pa);
            if (op.Code is OpCode.Br or OpCode.Blr && _engines[0].HasBti)
                op.Extra = (byte)(op.Code == OpCode.Blr ? 2 : guarded && op.Rn is not (16 or 17) ? 3 : 1);
            fp |= RowInfo.IsFp(row);
            _scratch[n++] = Alteration is null ? op : Alteration(op);
            branch = kind == Translator.Kind.Branch;
            if (branch)
                break;
        }
        int length = n;
        if (!branch)
            _scratch[length++] = new Op { Code = OpCode.End, Offset = (ushort)(4 * n), Wb = Translator.Discard };
        return new Block
        {
            Id = (uint)Translated,
            Pc = pc,
            Pa = pa,
            Mode = mode,
            Guarded = guarded,
            HasFp = fp,
            Ops = _scratch.AsSpan(0, length).ToArray(),
            Count = n == 0 ? Block.Never : n,
        };
    }

    /// <inheritdoc/>
    public bool Invalidate(ulong pa, ulong size)
    {
        ulong first = pa >> 12;
        ulong last = Math.Min(size == 0 ? pa : size > ulong.MaxValue - pa ? ulong.MaxValue : pa + size - 1, _machine.Memory.Size - 1) >> 12;
        if (last - first >= 1024)
        {
            bool any = _blocks.Count > 0;
            Clear();
            return any;
        }
        bool dropped = false;
        for (ulong page = first; page <= last; page++)
        {
            if (!_isCode[page])
                continue;
            dropped = true;
            _isCode[page] = false;
            _pages.Remove(page, out List<Block>? list);
            foreach (Block block in list!)
            {
                block.Valid = false;
                _ops -= block.Ops.Length;
                _blocks.Remove(KeyOf(block.Pc, block.Pa, block.Mode, block.Guarded));
            }
        }
        return dropped;
    }

    /// <summary>Drops everything: memory is bounded.</summary>
    internal void Clear()
    {
        foreach (Block block in _blocks.Values)
            block.Valid = false;
        _blocks.Clear();
        foreach (ulong page in _pages.Keys)
            _isCode[page] = false;
        _pages.Clear();
        _ops = 0;
        foreach (PortableEngine engine in _engines)
            engine.CodeChanged();
    }
}
