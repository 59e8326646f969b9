using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What the memory accesses of one instruction amounted to, without naming lines.</summary>
/// <param name="Events">What happened.</param>
/// <param name="Lines">To which lines.</param>
/// <param name="IsFixed">A plain hit that nobody has counted: the sum of its block does. What others count is counted as it
/// happens.</param>
internal sealed record AccessShape(InstructionEvents Events, LineEvent[] Lines, bool IsFixed)
{
    /// <summary>Whether a line of it is one of the lines that the block asks for.</summary>
    internal bool NamesLines { get; } = Array.Exists(Lines, line => line.Line != Cache.NoLine || line.PrefetchCount > 0);

    /// <summary>Adds what a fixed one counts.</summary>
    internal void Count(ref TimingCounters counters)
    {
        counters.L1DAccesses++;
        if (Lines[0].Write)
            counters.Stores++;
        else
            counters.Loads++;
    }

    internal bool Is(in InstructionEvents events, ReadOnlySpan<LineEvent> lines)
    {
        if (events.HasAccess != Events.HasAccess || events.Beats != Events.Beats || events.Extra != Events.Extra
            || events.StoreGap != Events.StoreGap || lines.Length != Lines.Length)
        {
            return false;
        }
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Line != Lines[i].Line || !lines[i].IsLike(Lines[i]))
                return false;
        }
        return true;
    }
}

/// <summary>What the timing of a block needs of its instructions, worked out once.</summary>
internal sealed class BlockSchedule
{
    // Bits for the shape of one memory access in a block's signature: fewest, most, and those of all of them.
    private const int FewestShapeBits = 4, MostShapeBits = 6, SignatureBits = 52;

    /// <summary>Most instructions with memory accesses in a block: its signature holds no more shapes.</summary>
    internal const int MostAccesses = SignatureBits / FewestShapeBits;

    /// <summary>Shape of an access to one line, aligned, that costs nothing.</summary>
    internal const int PlainShape = 0;

    /// <summary>Shapes up to this are the same for a load of bytes that were stored last: the number is its
    /// <see cref="InstructionEvents.StoreGap"/>.</summary>
    internal const int MostGap = 2;

    /// <summary>Shape of a plain access but for a page that is in the second TLB only.</summary>
    internal const int RefillShape = MostGap + 1;

    /// <summary>Shape of an access inside a line that is over one boundary of the load or store path, and plain otherwise.</summary>
    internal const int MisalignedShape = RefillShape + 1;

    private readonly AccessShape?[]?[] _shapes;

    // By instruction: the shape that was found last, and those of misses by their kind.
    private readonly byte[] _latest;
    private readonly NearShapes[] _near;

    /// <summary>Works out the schedule of a block.</summary>
    internal BlockSchedule(TimedBlock block, IPipeline pipeline, CoreEvents events)
    {
        int count = block.InstructionCount;
        Id = block.Id;
        Pc = block.Pc;
        Pa = block.Pa;
        AtEL0 = block.AtEL0;
        Timings = new InstructionTiming[count];
        Before = new byte[count + 1];
        _shapes = new AccessShape?[]?[count];
        _latest = new byte[count];
        _near = new NearShapes[count];
        LastPc = Pc + 4 * (ulong)Math.Max(count - 1, 0);
        FirstLine = Pa >> events.LineShift;
        LastLine = (Pa + (LastPc - Pc)) >> events.LineShift;
        BeginsGroup = events.BeginsGroup(Pc);
        int accesses = 0, divisions = 0;
        bool usable = count > 0;
        for (int i = 0; i < count; i++)
        {
            (Row row, uint encoding) = block.Instruction(i);
            InstructionTiming t = pipeline.Time(row, encoding);
            Timings[i] = t;
            Before[i] = (byte)accesses;
            Bound += pipeline.MostCycles(t);
            if (t.Kind == TimingKind.Memory)
            {
                accesses++;
                var shapes = new AccessShape?[1 << FewestShapeBits];
                // Which line it is makes no difference: it is there, and not on its way.
                var line = new LineEvent { Line = Cache.NoLine, Write = t.Class.StartsWith("store", StringComparison.Ordinal) };
                Worst += events.MostAccess(line.Write);
                Stores |= !t.Class.StartsWith("load", StringComparison.Ordinal);
                for (int gap = PlainShape; gap <= (line.Write ? PlainShape : MostGap); gap++)
                    shapes[gap] = Shape(line, gap);
                // The first of those that are counted as they happen.
                shapes[RefillShape] = new AccessShape(
                    new InstructionEvents { HasAccess = true }, [line with { Walk = events.MicroTlbMiss }], false);
                int extra = line.Write ? 0 : events.MisalignedExtra(t);
                shapes[MisalignedShape] = new AccessShape(
                    new InstructionEvents { HasAccess = true, Beats = 1, Extra = extra }, [line], true);
                _shapes[i] = shapes;
            }
            else if (t.Kind == TimingKind.Divide)
            {
                divisions++;
                Division = i;
            }
            else if (t.Kind is >= TimingKind.Branch and < TimingKind.ExceptionReturn)
            {
                Branch = t.Kind;
            }
            else
            {
                usable &= t.Kind is TimingKind.Plain or TimingKind.Barrier;
            }
        }
        Before[count] = (byte)accesses;
        Usable = usable && divisions <= 1;
        if (accesses > MostAccesses)
            throw new ArgumentException($"the block at 0x{Pc:x} has {accesses} accesses", nameof(block));
        ShapeBits = Math.Clamp(SignatureBits / Math.Max(accesses, 1), FewestShapeBits, MostShapeBits);
        Worst += Bound + (long)(LastLine - FirstLine + 1) * events.MostFetchExtra;
    }

    /// <summary>The block's number.</summary>
    internal uint Id { get; }

    /// <summary>Its virtual address.</summary>
    internal ulong Pc { get; }

    /// <summary>Its physical address.</summary>
    internal ulong Pa { get; }

    /// <summary>Whether its cycles are EL0's.</summary>
    internal bool AtEL0 { get; }

    /// <summary>Timing of each instruction.</summary>
    internal InstructionTiming[] Timings { get; }

    /// <summary>How many instructions with memory accesses there are before each one, and in all.</summary>
    internal byte[] Before { get; }

    /// <summary>Bits for the shape of one memory access in the signature: the fewer there are, the more bits each has.</summary>
    internal int ShapeBits { get; }

    /// <summary>Whether one of them may store.</summary>
    internal bool Stores { get; }

    /// <summary>Its last division; -1: there is none.</summary>
    internal int Division { get; } = -1;

    /// <summary>Address of the last instruction.</summary>
    internal ulong LastPc { get; }

    /// <summary>Line (physical address divided by the line size) of the first instruction.</summary>
    internal ulong FirstLine { get; }

    /// <summary>Line of the last instruction.</summary>
    internal ulong LastLine { get; }

    /// <summary>The first instruction begins a fetch group even when execution runs into it.</summary>
    internal bool BeginsGroup { get; }

    /// <summary>Kind of the branch at the end; <see cref="TimingKind.Plain"/> when there is none.</summary>
    internal TimingKind Branch { get; }

    /// <summary>Cycles that the block takes at most beyond the horizon of the state that it starts in, when all accesses are
    /// plain.</summary>
    internal long Bound { get; }

    /// <summary>Cycles that the block takes at most beyond all that is on its way when it starts, whatever its accesses and fetches
    /// miss.</summary>
    internal long Worst { get; }

    /// <summary>What its instructions leave in a trace, in order; null: it is not traced.</summary>
    internal TraceSlot[]? Slots { get; set; }

    /// <summary>Number of the contents of the instruction cache (<see cref="CoreEvents.FetchContents"/>) in which all its lines were
    /// found last.</summary>
    internal ulong FoundIn { get; set; }

    /// <summary>Whether its timing can be remembered.</summary>
    internal bool Usable { get; set; }

    /// <summary>Issue cycles of a store of that shape.</summary>
    internal static int MisalignedBeats(InstructionTiming t) => t.Class == "store_simd" ? t.Beats + 1 : 2;

    private static AccessShape Shape(LineEvent line, int gap) =>
        new(
            new InstructionEvents { HasAccess = true, StoreGap = gap }, [line], true);

    /// <summary>A shape by its number.</summary>
    internal AccessShape Shape(int instruction, int number) =>
        _shapes[instruction]?[number]
        ?? throw new InvalidOperationException($"no access shape {number} of instruction {instruction} in the block at 0x{Pc:x}");

    /// <summary>The number of the shape of a miss of one line that comes from the cache behind L1; 0: it has none yet.</summary>
    /// <param name="instruction">Which instruction.</param>
    /// <param name="kind">What came with it: bit 0 says that the page was refilled, bit 1 that a written line left L1.</param>
    internal ref byte Near(int instruction, int kind) => ref _near[instruction][kind];

    [InlineArray(4)]
    private struct NearShapes
    {
        private byte _first;
    }

    /// <summary>The number of a shape that is not fixed, added when it is new.</summary>
    /// <returns>-1 when there are too many.</returns>
    internal int Number(int instruction, in InstructionEvents events, ReadOnlySpan<LineEvent> lines)
    {
        AccessShape?[] shapes = _shapes[instruction]!;
        int latest = _latest[instruction];
        if (shapes[latest] is { IsFixed: false } same && same.Is(events, lines))
            return latest;
        for (int i = RefillShape; i < shapes.Length; i++)
        {
            // Places are taken in order.
            if (shapes[i] is { } known && (known.IsFixed || !known.Is(events, lines)))
                continue;
            shapes[i] ??= new AccessShape(events, lines.ToArray(), false);
            _latest[instruction] = (byte)i;
            return i;
        }
        int count = shapes.Length;
        if (count == 1 << ShapeBits)
            return -1;
        Array.Resize(ref shapes, 1 << ShapeBits);
        shapes[count] = new AccessShape(events, lines.ToArray(), false);
        _shapes[instruction] = shapes;
        _latest[instruction] = (byte)count;
        return count;
    }
}
